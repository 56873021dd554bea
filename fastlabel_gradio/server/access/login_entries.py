"""Logins as a command line or a variable writes them: NAME:PASSWORD, or NAME:PASSWORD:ROLE."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from fastlabel_gradio.errors import ConfigError, shown
from fastlabel_gradio.server.access.roles import Role

ANNOTATOR_NAME = re.compile(r"(?!\.{1,2}$)[^/\\\x00-\x1f\x7f]{1,64}")  # it may name a folder


@dataclass(frozen=True, slots=True)
class Login:
    """One login; `role` is None where none was written."""

    name: str
    password: str
    role: Role | None


def parse_login(entry: str) -> Login:
    """The login. A password may hold colons: only a last part that is exactly the name of a role is one.

    Raises ConfigError, which does not repeat what was given: it may be a password.
    """
    name, colon, rest = entry.partition(":")
    before, second_colon, last = rest.rpartition(":")
    role = Role(last) if second_colon and last in tuple(Role) else None
    password = rest if role is None else before
    name = name.strip()  # as the login form has it
    if not (name and colon and password):
        raise ConfigError(
            f"--auth: write NAME:PASSWORD or NAME:PASSWORD:ROLE, for example --auth ann:{secrets.token_urlsafe(6)}"
        )
    check_name(name, "--auth")
    return Login(name, password, role)


def check_name(name: str, said_by: str) -> None:
    """Raises ConfigError where nobody can be called that."""
    if not ANNOTATOR_NAME.fullmatch(name):
        raise ConfigError(f"{said_by}: {shown(name)} cannot be a name. Use at most 64 characters, no '/' and no '\\'.")


def roles_of(logins: Sequence[Login], *, others_reach: bool) -> dict[str, Role]:
    """The role of each name.

    Where others reach the app, a login without a role is an annotator; but there is always an owner, who is the first
    login without a role where none is called one. On this machine alone it is an owner.

    Raises ConfigError where every login has a role and none is an owner.
    """
    usual = Role.ANNOTATOR if others_reach else Role.OWNER
    roles = {login.name: login.role or usual for login in logins}
    if not logins or Role.OWNER in roles.values():
        return roles
    first = next((login.name for login in logins if login.role is None), None)
    if first is None:
        raise ConfigError("--auth names no owner, so nobody could invite people. Write NAME:PASSWORD:owner for one.")
    return roles | {first: Role.OWNER}
