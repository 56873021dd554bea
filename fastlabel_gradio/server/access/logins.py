"""Who sends a request: names, passwords, tokens and guests. The login covers pages, REST and media alike."""

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from fastapi import Depends, HTTPException, Request

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.access.invites import LOCAL_ANNOTATOR, Invite, Invites
from fastlabel_gradio.server.access.login_delay import FREE, Key, LoginDelay
from fastlabel_gradio.server.access.roles import Role

GUEST_COOKIE = "fastlabel_annotator"
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
        invites: people who come in by a link; where there are no logins, they are not asked for.
        framed: other sites may show the app in a frame (a Space).
    """

    def __init__(
        self,
        logins: Mapping[str, str],
        secret: bytes,
        roles: Mapping[str, Role] | None = None,
        invites: Invites | None = None,
        *,
        framed: bool = False,
    ) -> None:
        self.invites = invites
        self._framed = framed
        self.logins = dict(logins)
        self.roles = {name: (roles or {}).get(name, Role.OWNER) for name in logins}
        self._secret = secret
        self._delay = LoginDelay()
        self._gradio_tokens: dict[str, str] = {}

    @property
    def asks(self) -> bool:
        """Whether people must say who they are."""
        return bool(self.logins)

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

        With logins: whom the bearer token, the cookie of an invite or Gradio's login cookie stands for. Without: the guest
        in the page's cookie, or "local", each an owner.
        """
        if not self.asks:
            guest = request.cookies.get(GUEST_COOKIE, "")
            return Person(guest if _GUEST.fullmatch(guest) else LOCAL_ANNOTATOR, Role.OWNER)
        name = self._by_token(_bearer_token(request))
        if name is None and (invite := self._invite_of(request)):
            return Person(invite.name, invite.role)
        name = name or _by_login_cookie(request)
        return Person(name, self.roles[name]) if name in self.roles else None

    async def enter(self, token: str) -> Invite:
        """The invite of a link. Raises HTTPException 403, or 429 where many wrong ones came from that address."""
        if not self.asks:
            raise HTTPException(409, "This app asks nobody for a login. Open its page, without the link.")
        if invite := self._open_invite(token):
            return invite  # at once, whoever else sends wrong ones
        key = ("token", _caller.get())
        await self._wait((key,))
        self._tell("with an invite", (key,))
        raise HTTPException(403, "This invite has expired or was revoked, or the link is not whole. Ask for a new one.")

    def invite_cookie(self, request: Request, token: str, invite: Invite) -> str:
        """The header that has a browser keep an invite's token, until it expires."""
        assert self.invites is not None
        seconds = max(0, int(invite.expires_at - time.time()))
        site = "None; Secure" if self._framed else f"Lax{'; Secure' if request.url.scheme == 'https' else ''}"
        return f"{self.invites.cookie}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite={site}"

    def forgotten_cookie(self) -> str | None:
        """The header that has a browser forget an invite: whoever logs in or out is not its guest any more."""
        if self.invites is None:
            return None
        site = "None; Secure" if self._framed else "Lax"
        return f"{self.invites.cookie}=; Path=/; Max-Age=0; HttpOnly; SameSite={site}"

    def _invite_of(self, request: Request) -> Invite | None:
        token = request.cookies.get(self.invites.cookie) if self.invites else None
        return self._open_invite(token) if token else None

    def _open_invite(self, token: str) -> Invite | None:
        """The invite of a token that is good; of a name that has a login by now none is."""
        try:
            invite = self.invites.open_for(token) if self.invites else None
        except (ConfigError, OSError) as error:
            raise HTTPException(503, f"Invites cannot be read: {error}") from error
        return invite if invite and invite.name not in self.logins else None

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
            "This invite has expired or was revoked. Ask for a new one."
            if self.invites and self.invites.cookie in request.cookies
            else "Log in on the page, or send the header 'Authorization: Bearer <token>' with the token printed at start.",
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


async def person_of(request: Request) -> Person:
    """Whom the guard found, for the routes behind it; a FastAPI dependency, async to take no thread."""
    person: Person = request.state.person
    return person


async def annotator_of(person: Annotated[Person, Depends(person_of)]) -> str:
    """Their name."""
    return person.name


async def access_of(request: Request) -> Access:
    """The logins and invites of the app that the request is for."""
    access: Access = request.state.access
    return access


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
