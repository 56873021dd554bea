"""People who log in with Hugging Face, on a Space with `hf_oauth: true`: which of them may come in, and as what.

Gradio's own routes (`gradio.oauth`) do the login and keep the profile in a signed cookie; here that is read at every request.
"""

import json
import os
import time
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.access.roles import Role, role_named

HUB_USERS_VARIABLE = "FASTLABEL_HF_USERS"
CLIENT_SECRET_VARIABLE = "OAUTH_CLIENT_SECRET"  # Hugging Face sets it where `hf_oauth` is true
AUTHOR_VARIABLE = "SPACE_AUTHOR_NAME"

HubUsers = Mapping[str, Role]


def hub_users(environment: Mapping[str, str] = os.environ) -> dict[str, Role]:
    """The role of each user or organisation that may come in; the Space's author is an owner. Empty where none is listed.

    Raises:
        ConfigError: a role that is none; a Space without `hf_oauth: true`, whose cookies anybody could sign.
    """
    entries = [entry.strip() for entry in environment.get(HUB_USERS_VARIABLE, "").split(",") if entry.strip()]
    if not entries:
        return {}
    if not environment.get(CLIENT_SECRET_VARIABLE):
        raise ConfigError(f"{HUB_USERS_VARIABLE} needs a Space with hf_oauth: true at the top of its README.md.")
    author = environment.get(AUTHOR_VARIABLE)
    users = {author: Role.OWNER} if author else {}
    for name, _, role in (entry.partition(":") for entry in entries):
        users[name] = role_named(role) if role else Role.ANNOTATOR
    return users


def hub_user_of(request: Request, users: HubUsers) -> tuple[str, Role] | None:
    """Name and role of whoever logged in with Hugging Face; None for nobody, and for somebody who is not on the list.

    The highest role counts of a user's own and those of their organisations.
    """
    profile = _profile(request)
    if not profile:
        return None
    name = str(profile["preferred_username"])
    groups = [str(one.get("preferred_username") or one.get("name")) for one in profile.get("orgs") or ()]
    roles = [users[one] for one in (name, *groups) if one in users]
    return (name, max(roles, key=tuple(Role).index)) if roles else None


def _profile(request: Request) -> dict[str, Any] | None:
    """What Gradio's login kept, while it is good."""
    # Both are here because they come with the extra `oauth`, and this file is imported at every start.
    from itsdangerous import BadSignature
    from starlette.middleware.sessions import SessionMiddleware

    found = [one for one in request.app.user_middleware if one.cls is SessionMiddleware]
    if not found:
        return None
    session = SessionMiddleware(request.app, **found[0].kwargs)
    cookie = request.cookies.get(session.session_cookie)
    if not cookie:
        return None
    try:
        known = json.loads(b64decode(session.signer.unsign(cookie.encode(), max_age=session.max_age)))
    except (BadSignature, ValueError):
        return None
    info = known.get("oauth_info")
    if not info or info.get("expires_at", 0) < time.time():
        return None
    profile: dict[str, Any] = info["userinfo"]
    return profile
