"""Access: who may come in, under which name, and from which page. The login covers pages, REST and media alike."""

import hashlib
import hmac
import logging
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

from fastlabel_gradio.config import LOOPBACK

log = logging.getLogger(__name__)

GUEST_COOKIE = "fastlabel_annotator"
LOCAL_ANNOTATOR = "local"
SECRET_BYTES = 32
_GUEST = re.compile(r"guest-[a-z0-9]{4,32}")


class Access:
    """The logins of one run of the app.

    Args:
        logins: password by annotator name; empty means that everybody who can connect may come in.
        public: strangers are meant to come in without a login, by any host name (a Space).
        secret: signs bearer tokens; the same secret gives the same tokens after a restart.
    """

    def __init__(self, logins: Mapping[str, str], secret: bytes, *, public: bool = False) -> None:
        self.logins = dict(logins)
        self._public = public
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
            host = request.url.hostname
            if not self._public and host not in LOOPBACK:  # a foreign name made to lead here: DNS rebinding
                raise HTTPException(403, f"Host {host!r} is not this machine. Start with --auth NAME:PASSWORD.")
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


def refuse_foreign_site(request: Request) -> None:
    """Refuses what another site's page sends, reading too; a FastAPI dependency. Raises HTTPException 403.

    Gradio echoes any Origin back with credentials allowed and allows it every header, so the browser alone does not stop
    such a request. A script cannot write Sec-Fetch-Site or Host; it can write X-Forwarded-Host.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site in ("same-origin", "none"):
        return
    if site is None and (origin is None or urlsplit(origin).netloc == request.headers.get("host")):
        return  # no browser, or one that sends Sec-Fetch-Site to https and localhost only
    raise HTTPException(403, f"Origin {origin!r} is not this site. Send the request from the app's own page.")


def load_secret(path: Path) -> bytes:
    """The secret kept in a file that only its owner can read; made at the first start.

    Where it cannot be kept, the log says so: tokens are others after a restart then.
    """
    try:
        return _kept_secret(path)
    except OSError as error:
        log.warning("%s: tokens will change at the next start, the secret cannot be kept (%s).", path, error)
        return secrets.token_bytes(SECRET_BYTES)


def _kept_secret(path: Path) -> bytes:
    if path.exists() and len(secret := path.read_bytes()) == SECRET_BYTES:
        return secret
    secret = secrets.token_bytes(SECRET_BYTES)
    handle, partial = tempfile.mkstemp(dir=path.parent)  # for its owner only
    with os.fdopen(handle, "wb") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    Path(partial).replace(path)
    return secret


def _by_login_cookie(request: Request) -> str | None:
    """The user of Gradio's login cookie. Its names are internals of Gradio: tests/test_api.py watches them."""
    app = request.app
    for prefix in ("access-token", "access-token-unsecure"):
        token = request.cookies.get(f"{prefix}-{app.cookie_id}")
        if token and (user := app.tokens.get(token)):
            return str(user)
    return None
