"""How a request names a project: by a parameter of its query, of its path or in its body, and what finds the project then."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Path as InPath
from fastapi import Query

from fastlabel_gradio.server.api_models import MAX_NAME
from fastlabel_gradio.server.project import Project

FindProject = Callable[[str | None], Project]
OfProject = Annotated[str | None, Query(max_length=MAX_NAME)]
InProject = Annotated[str, InPath(max_length=MAX_NAME)]
