"""Access: who may come in, under which name, and from which page. The login covers pages, REST and media alike."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

GUEST_COOKIE = "fastlabel_annotator"
LOCAL_ANNOTATOR = "local"
_GUEST = re.compile(r"guest-[a-z0-9]{4,32}")


class Access:
    """The logins of one run of the app.

    Args:
        logins: password by annotator name; empty means that everybody who can connect may come in.
        secret: signs bearer tokens; the same secret gives the same tokens after a restart.
    """

    def __init__(self, logins: Mapping[str, str], secret: bytes) -> None:
        self.logins = dict(logins)
        self._secret = secret

    def token(self, annotator: str) -> str:
        """The bearer token of an annotator, for scripts. It changes with the password."""
        message = f"{annotator}\0{self.logins[annotator]}".encode()
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()

    def annotator(self, request: Request) -> str:
        """The name of whoever sends the request; a FastAPI dependency.

        With logins: the name that Gradio's login cookie or the bearer token stands for. Without: the guest name in the
        page's cookie, or "local". Raises HTTPException 401.
        """
        if not self.logins:
            guest = request.cookies.get(GUEST_COOKIE, "")
            return guest if _GUEST.fullmatch(guest) else LOCAL_ANNOTATOR
        name = self._by_token(request) or _by_login_cookie(request)
        if name is None:
            raise HTTPException(
                401,
                "Log in on the page, or send the header 'Authorization: Bearer <token>' with the token printed at start.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return name

    def _by_token(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        given = token.strip().encode()
        matches = [name for name in self.logins if hmac.compare_digest(self.token(name).encode(), given)]
        return matches[0] if matches else None


def refuse_foreign_origin(request: Request) -> None:
    """Refuses a changing request that another site's page sends; a FastAPI dependency. Raises HTTPException 403.

    Gradio echoes any Origin back with credentials allowed, so the browser alone does not stop such a request.
    """
    origin = request.headers.get("origin")
    if origin is None:
        return
    hosts = {request.headers.get("host", ""), request.headers.get("x-forwarded-host", "")} - {""}
    if urlsplit(origin).netloc not in hosts:
        raise HTTPException(403, f"Origin {origin!r} is not this site. Send the request from the app's own page.")


def load_secret(path: Path) -> bytes:
    """The secret kept in a file that only its owner can read; made at the first start. Raises OSError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    secret = secrets.token_bytes(32)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    return secret


def _by_login_cookie(request: Request) -> str | None:
    """The user of Gradio's login cookie. Its names are internals of Gradio: tests/test_api.py watches them."""
    app = request.app
    for prefix in ("access-token", "access-token-unsecure"):
        token = request.cookies.get(f"{prefix}-{app.cookie_id}")
        if token and (user := app.tokens.get(token)):
            return str(user)
    return None
