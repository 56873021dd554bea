"""Queues: how many requests of a route run at once; the others wait in order of arrival."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from fastapi import Response
from fastapi.responses import JSONResponse

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
