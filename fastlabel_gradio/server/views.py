"""Views of a project's tab beside the grid: for each a module of the page and its routes, known by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastlabel_gradio.registry import Registry

if TYPE_CHECKING:
    from fastapi import APIRouter

    from fastlabel_gradio.server.project import Project


@dataclass(frozen=True, slots=True)
class View:
    """A view that its module registers on the page, too.

    Attributes:
        module: a JavaScript file that calls `registerView`; it is served beside the page's own.
        add_routes: adds the routes that it asks, to the router; gets the function that finds a project by its name, or
            the first one for None, and the dependency that names who asks.
        roles: the lowest role that may, by route: `{"GET /api/hello": "viewer"}`. A route that is not in it is the owner's.
    """

    module: Path
    add_routes: "Callable[[APIRouter, Callable[[str | None], Project], Any], None]"
    roles: Mapping[str, str] = field(default_factory=dict)


VIEWS: Registry[View] = Registry("view", "fastlabel.views")
