"""What routes share: how one names a project and an item, and how many of a kind run at once."""

import functools
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import anyio
from fastapi import Path as InPath
from fastapi import Query, Response
from fastapi.responses import JSONResponse

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.api_models import (
    MAX_NAME,
)
from fastlabel_gradio.server.project import Project

FindProject = Callable[[str | None], Project]
OfProject = Annotated[str | None, Query(max_length=MAX_NAME)]
InProject = Annotated[str, InPath(max_length=MAX_NAME)]
CHANGING_LABELS = 16


def in_line(threads: int) -> Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]:
    """Decorator: so many of a route's requests run at once, in threads of their own, the others wait in order of arrival.

    What waits for a pick or for the label store then takes no thread from routes that wait for neither.
    """
    limit = anyio.CapacityLimiter(threads)

    def queued(route: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        def answer(**arguments: Any) -> Response:
            return JSONResponse(route(**arguments).model_dump(mode="json"))

        @functools.wraps(route)
        async def answer_in_line(**arguments: Any) -> Response:
            return await anyio.to_thread.run_sync(functools.partial(answer, **arguments), limiter=limit)

        return answer_in_line

    return queued


def counts(labeler: Labeler) -> dict[str, int]:
    counts, head = labeler.counts(), labeler.head
    return {
        "labeled": counts.labeled,
        "unlabeled": counts.unlabeled,
        "head_version": head.info.version if head else 0,
    }
