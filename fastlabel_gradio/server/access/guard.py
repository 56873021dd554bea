"""The guard: every request passes it before anything else of the app sees it, Gradio's middleware included.

In this order: the host name, the route, the page that it comes from, the login, the role, the length. No body is read before.
"""

import re
from dataclasses import dataclass

from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fastlabel_gradio.server.access.body_limit import limited
from fastlabel_gradio.server.access.hosts import Hosts
from fastlabel_gradio.server.access.logins import Access, Person, note_caller
from fastlabel_gradio.server.access.origins import check_origin
from fastlabel_gradio.server.access.roles import roles_from
from fastlabel_gradio.server.access.route_roles import RouteRole, RouteTable

ENTRANCES = frozenset({"/", "/docs", "/invite", "/login/callback"})  # what a link on another site may open
PAGE_HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
UNFRAMED_HEADERS = PAGE_HEADERS | {"X-Frame-Options": "SAMEORIGIN", "Content-Security-Policy": "frame-ancestors 'self'"}
DROPPED_HEADERS = frozenset({b"x-gradio-server"})  # of a proxy that is off; Gradio takes the page's address from it

_API = re.compile(r"/(api|media|web)(/.*)?|/docs|/invite|/openapi\.json", re.DOTALL)
_CHANGES_WHO = frozenset({("POST", "/login"), ("GET", "/logout")})


@dataclass(frozen=True, slots=True)
class _Guard:
    page: ASGIApp
    api: ASGIApp
    table: RouteTable
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
        if app is self.page:
            headers = self._told_to_gradio(request, headers)
        forgotten = self.access.forgotten_cookie() if (request.method, scope["path"]) in _CHANGES_WHO else None
        await app({**scope, "headers": headers}, limited_receive, self._with_headers(send, forgotten))

    async def _check(self, request: Request) -> None:
        """Raises HTTPException with the reason."""
        path, method = request.scope["path"], request.method
        self.hosts.check(request.headers)
        request.state.access, request.state.table, request.state.whole_app = self.access, self.table, request.app
        row = self.table.find(method, path)
        if row is None and not _is_api(request):
            raise self.table.refusal(method, path)
        check_origin(request.headers, may_be_entered=method in ("GET", "HEAD") and path in ENTRANCES)
        note_caller(request)
        if row is not None and row.least is None:
            return
        request.state.person = person = await self.access.person(request)
        if row is None:
            raise self.table.refusal(method, path)
        _check_role(person, row)

    def _told_to_gradio(self, request: Request, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """The headers with a cookie that says who it is: Gradio by itself knows its own login form alone."""
        person = self.access.known(request) if self.access.asks else None
        if person is None:
            return headers
        name, value = self.access.login_cookie(request, person)
        cookies = [given for header, given in headers if header == b"cookie"]
        others = [(header, given) for header, given in headers if header != b"cookie"]
        return [*others, (b"cookie", b"; ".join([*cookies, f"{name}={value}".encode()]))]

    def _with_headers(self, send: Send, cookie: str | None = None) -> Send:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (PAGE_HEADERS if self.framed else UNFRAMED_HEADERS).items():
                    headers.setdefault(name, value)
                if cookie and message["status"] < 400:
                    headers.append("set-cookie", cookie)
                if not self.framed:
                    message["headers"] = [(name, _for_this_site(name, value)) for name, value in message["headers"]]
            await send(message)

        return send_with_headers


def guarded(
    page: ASGIApp,
    api: ASGIApp,
    *,
    table: RouteTable,
    hosts: Hosts,
    access: Access,
    framed: bool,
) -> ASGIApp:
    """The whole app behind its guard.

    Args:
        page: Gradio's app with its middleware; its `App` must be in the scope.
        api: what answers `/api`, `/media`, `/web`, `/invite`, `/docs` and `/openapi.json`.
        table: which role each route needs, Gradio's among them; what is not in it is closed.
        framed: other sites may show the app in a frame (a Space).
    """
    return _Guard(page, api, table, hosts, access, framed)


def _check_role(person: Person, row: RouteRole) -> None:
    if row.least is not None and not person.role.covers(row.least):
        raise HTTPException(
            403,
            f"To {row.what} you need the role {roles_from(row.least)}; {person.name!r} is {person.role} here. "
            "Ask an owner of this app.",
        )


def _is_api(request: Request) -> bool:
    return _API.fullmatch(request.scope["path"]) is not None


def _for_this_site(name: bytes, value: bytes) -> bytes:
    """A cookie that browsers send along with requests of this site's pages only; Gradio's need not be."""
    if name.lower() != b"set-cookie":
        return value
    cookie = re.sub(rb"(?i);\s*samesite=\w+", b"", value)
    return cookie + b"; SameSite=Lax"
