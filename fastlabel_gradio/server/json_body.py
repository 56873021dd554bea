"""How a body of JSON becomes Python: one whose objects have more fields than any of REST is refused before each is looked at.

A field or value that is wrong is a line of a report. A hundred thousand of them, which fit into a body, would keep the
server from answering anybody for seconds; so lists that come in end at the first wrong value (`fail_fast`), and objects here.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

MOST_FIELDS = 100


class JsonRoute(APIRoute):
    """A route whose body, where it is JSON, has no object of more than 100 fields; 422 otherwise."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_bounded(request: Request) -> Response:
            return await handle(_BoundedRequest(request.scope, request.receive))

        return handle_bounded


class _BoundedRequest(Request):
    async def json(self) -> Any:
        return json.loads(await self.body(), object_pairs_hook=_bounded)


def _bounded(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(fields) > MOST_FIELDS:
        raise HTTPException(
            422, f"An object of the body has {len(fields):,} fields, at most {MOST_FIELDS} are read. /docs lists them."
        )
    return dict(fields)
