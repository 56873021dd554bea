"""Who sends a request: names, passwords, tokens and guests. The login covers pages, REST and media alike."""

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from fastapi import HTTPException, Request

from fastlabel_gradio.server.access.login_delay import FREE, Key, LoginDelay
from fastlabel_gradio.server.access.roles import Role

GUEST_COOKIE = "fastlabel_annotator"
LOCAL_ANNOTATOR = "local"
IPV6_NETWORK_BITS = 64  # what one customer is given

_LOGIN_COOKIES = ("access-token", "access-token-unsecure")
_GUEST = re.compile(r"guest-[a-z0-9]{4,32}")
_caller: ContextVar[str] = ContextVar("address of whoever sends the request", default="")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Person:
    """Who sends a request: the name signs what they say."""

    name: str
    role: Role


class Access:
    """The logins of one run of the app.

    Args:
        logins: password by annotator name; empty means that everybody who can connect may come in, as an owner.
        secret: signs bearer tokens; the same secret gives the same tokens after a restart.
        roles: by annotator name; whoever is not in it is an owner.
    """

    def __init__(self, logins: Mapping[str, str], secret: bytes, roles: Mapping[str, Role] | None = None) -> None:
        self.logins = dict(logins)
        self.roles = {name: (roles or {}).get(name, Role.OWNER) for name in logins}
        self._secret = secret
        self._delay = LoginDelay()
        self._gradio_tokens: dict[str, str] = {}

    def token(self, annotator: str) -> str:
        """The bearer token of an annotator, for scripts. It changes with the password."""
        message = f"{annotator}\0{self.logins[annotator]}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    async def log_in(self, name: str, password: str) -> bool:
        """Whether that is the password of that name; the page's login form asks. Raises HTTPException 429.

        A wrong one makes the next of the same name, and of the same address, wait.
        """
        keys = ("name", name), ("address", _caller.get())
        await self._wait(keys)
        is_right = hmac.compare_digest(_digest(password), _digest(self.logins.get(name, ""))) and name in self.logins
        if is_right:
            self._delay.right(*keys)
        else:
            self._tell(f"as {name!r}" if name in self.logins else "as a name that is not known", keys)
        return is_right

    def known(self, request: Request) -> Person | None:
        """Who sends the request, and as what; None for somebody who has not logged in.

        With logins: whom Gradio's login cookie or the bearer token stands for. Without: the guest in the page's cookie, or
        "local", each an owner.
        """
        if not self.logins:
            guest = request.cookies.get(GUEST_COOKIE, "")
            return Person(guest if _GUEST.fullmatch(guest) else LOCAL_ANNOTATOR, Role.OWNER)
        name = self._by_token(_bearer_token(request)) or _by_login_cookie(request)
        return Person(name, self.roles[name]) if name in self.roles else None

    async def person(self, request: Request) -> Person:
        """As `known`, of whom there must be one.

        Raises HTTPException 401, or 429 where many wrong tokens came from that address.
        """
        if person := self.known(request):
            return person
        if _bearer_token(request):
            key = ("token", _caller.get())
            await self._wait((key,))  # the right token is let in above, whoever else sends wrong ones
            self._tell("with a token", (key,))
        raise HTTPException(
            401,
            "Log in on the page, or send the header 'Authorization: Bearer <token>' with the token printed at start.",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def login_cookie(self, request: Request, person: Person) -> tuple[str, str]:
        """Name and value of a cookie by which Gradio takes the request for one of that person."""
        app = request.app
        token = self._gradio_tokens.setdefault(person.name, secrets.token_urlsafe(16))
        app.tokens[token] = person.name
        return f"{_LOGIN_COOKIES[0]}-{app.cookie_id}", token

    async def _wait(self, keys: tuple[Key, ...]) -> None:
        wait_s, may_go_on = self._delay.turn(*keys)
        if not may_go_on:
            raise HTTPException(
                429,
                f"Too many wrong logins. Try again in {wait_s:.0f} s.",
                headers={"Retry-After": f"{wait_s:.0f}"},
            )
        await asyncio.sleep(wait_s)

    def _tell(self, how: str, keys: tuple[Key, ...]) -> None:
        for what, which in keys:
            if (count := self._delay.wrong_count((what, which))) >= FREE[what]:
                whose = "that name" if what == "name" else f"address {which}"
                _log.warning(
                    "wrong login %s from %s: %d of late for %s, the next waits", how, keys[-1][1], count, whose
                )

    def _by_token(self, token: bytes) -> str | None:
        matches = [name for name in self.logins if hmac.compare_digest(self.token(name).encode(), token)]
        return matches[0] if matches else None


async def annotator_of(request: Request) -> str:
    """The name that the guard found out, for the routes behind it; a FastAPI dependency, async to take no thread."""
    return person_of(request).name


def person_of(request: Request) -> Person:
    """Whom the guard found, with the role, for the routes behind it."""
    person: Person = request.state.person
    return person


def note_caller(request: Request) -> None:
    """Remembers the request's address while the request is served: Gradio does not tell it when it asks for a login."""
    _caller.set(_network(request.client.host if request.client else ""))


def _network(address: str) -> str:
    """The address; of IPv6 the network, for whoever has one address there has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        host_bits = parsed.max_prefixlen - IPV6_NETWORK_BITS
        return f"{IPv6Address(int(parsed) >> host_bits << host_bits)}/{IPV6_NETWORK_BITS}"
    return str(parsed)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _bearer_token(request: Request) -> bytes:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip().encode() if scheme.lower() == "bearer" else b""


def _by_login_cookie(request: Request) -> str | None:
    """The user of Gradio's login cookie. Its names are internals of Gradio: tests/test_api.py watches them."""
    app = request.app
    for prefix in _LOGIN_COOKIES:
        token = request.cookies.get(f"{prefix}-{app.cookie_id}")
        if token and (user := app.tokens.get(token)):
            return str(user)
    return None
