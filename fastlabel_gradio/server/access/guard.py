"""The guard: every request passes it before anything else of the app sees it, Gradio's middleware included.

In this order: the host name, the route, the page that it comes from, the login, the length. No body is read before.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastlabel_gradio.server.access.body_limit import limited
from fastlabel_gradio.server.access.hosts import Hosts
from fastlabel_gradio.server.access.logins import Access, note_caller
from fastlabel_gradio.server.access.origins import check_origin

ENTRANCES = frozenset({"/", "/docs"})  # what a link on another site may open
OPEN = frozenset({"/api/health"})  # to whoever can connect, without a login
PAGE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
UNFRAMED_HEADERS = PAGE_HEADERS | {"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": "frame-ancestors 'self'"}
DROPPED_HEADERS = frozenset({b"x-gradio-server"})  # of a proxy that is off; Gradio takes the page's address from it

_API = re.compile(r"/(api|media|web)(/.*)?|/docs|/openapi\.json", re.DOTALL)


@dataclass(frozen=True, slots=True)
class _Guard:
    page: ASGIApp
    api: ASGIApp
    page_needs: Callable[[str, str], bool]
    hosts: Hosts
    access: Access
    framed: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # there are none, so nobody needs one
            return
        request = Request(scope)
        try:
            await self._check(request)
            limited_receive = limited(receive, request.headers, request.scope["path"])
        except HTTPException as error:
            answer = JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
            await answer(scope, receive, self._with_headers(send))
            return
        app = self.api if _is_api(request) else self.page
        headers = [header for header in scope["headers"] if header[0] not in DROPPED_HEADERS]
        await app({**scope, "headers": headers}, limited_receive, self._with_headers(send))

    async def _check(self, request: Request) -> None:
        """Raises HTTPException with the reason."""
        path, method = request.scope["path"], request.method
        self.hosts.check(request.headers)
        if not (_is_api(request) or self.page_needs(method, path)):
            raise HTTPException(404, f"There is nothing at {path[:100]} for {method[:10]}. /docs lists the routes.")
        check_origin(request.headers, may_be_entered=method in ("GET", "HEAD") and path in ENTRANCES)
        note_caller(request)
        if _is_api(request) and path not in OPEN:
            request.state.annotator = await self.access.annotator(request)

    def _with_headers(self, send: Send) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (PAGE_HEADERS if self.framed else UNFRAMED_HEADERS).items():
                    headers.setdefault(name, value)
                if not self.framed:
                    message["headers"] = [(name, _kept_at_home(name, value)) for name, value in message["headers"]]
            await send(message)

        return send_with_headers


def guarded(
    page: ASGIApp,
    api: ASGIApp,
    *,
    page_needs: Callable[[str, str], bool],
    hosts: Hosts,
    access: Access,
    framed: bool,
) -> ASGIApp:
    """The whole app behind its guard.

    Args:
        page: Gradio's app with its middleware; its `App` must be in the scope.
        api: what answers `/api`, `/media`, `/web`, `/docs` and `/openapi.json`, all of which ask for the login.
        page_needs: whether the page needs a method and a path of Gradio's; everything else of Gradio is closed.
        framed: other sites may show the app in a frame (a Space).
    """
    return _Guard(page, api, page_needs, hosts, access, framed)


def _is_api(request: Request) -> bool:
    return _API.fullmatch(request.scope["path"]) is not None


def _kept_at_home(name: bytes, value: bytes) -> bytes:
    """A cookie that browsers send along with requests of this site's pages only; Gradio's need not be."""
    if name.lower() != b"set-cookie":
        return value
    kept = re.sub(rb"(?i);\s*samesite=\w+", b"", value)
    return kept + b"; SameSite=Lax"
