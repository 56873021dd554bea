"""`fastlabel invite`: links by which people come in without a password, made and revoked beside a running app."""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.server.access.invites import Invite, Invites
from fastlabel_gradio.server.access.owner_only import make_files_private
from fastlabel_gradio.server.access.roles import Role
from fastlabel_gradio.server.access.secret_files import load_secret
from fastlabel_gradio.server.access.served import Served, read_served

INVITES_FILE = "invites.json"
SECRET_FILE = "secret"


def main(argv: Sequence[str]) -> str:
    """The link, or the list. Raises ConfigError."""
    arguments = parser().parse_args(argv)
    if not arguments.workdir.is_dir():
        raise ConfigError(f"{arguments.workdir} is no working directory. The app prints its own at the start.")
    make_files_private()
    invites, served = invites_of(arguments.workdir), read_served(arguments.workdir)
    if arguments.list:
        return "\n".join(_line(one, invites) for one in invites.all()) or "No invites."
    if arguments.revoke:
        return "\n".join(f"Revoked: {_line(one, invites)}" for one in invites.revoke(arguments.revoke))
    invite, token = invites.add(arguments.name, Role(arguments.role), arguments.days, served.logins if served else ())
    return f"{_line(invite, invites)}\n{_link(served, token)}"


def parser() -> argparse.ArgumentParser:
    """The options."""
    options = argparse.ArgumentParser(
        "fastlabel invite",
        description="Prints a link by which one person comes in, without a password. It works at once, also while the app "
        "runs. Whoever has the link can use it: send it to that person alone.",
    )
    options.add_argument("--workdir", type=Path, required=True, metavar="D", help="the app's working directory")
    options.add_argument(
        "--role", choices=[*map(str, Role)], default=str(Role.ANNOTATOR), help="what they may do (default: %(default)s)"
    )
    options.add_argument(
        "--days", type=float, default=7.0, metavar="N", help="until it expires, at most 365 (default: 7)"
    )
    options.add_argument("--name", default="", metavar="NAME", help="signs their labels (default: one is made up)")
    options.add_argument("--list", action="store_true", help="list all invites instead")
    options.add_argument("--revoke", metavar="NAME", help="end an open invite instead, by its name or id")
    return options


def invites_of(workdir: Path, keep: Callable[[], None] | None = None) -> Invites:
    """The invites of a working directory; `keep` is called after each change."""
    return Invites(workdir / INVITES_FILE, load_secret(workdir / SECRET_FILE), keep=keep)


def _line(invite: Invite, invites: Invites) -> str:
    until = datetime.fromtimestamp(invite.expires_at, UTC).isoformat(timespec="minutes")
    return f"{invite.name}  {invite.role}  {invites.state(invite)}  until {until}  {invite.id}"


def _link(served: Served | None, token: str) -> str:
    if served is None:
        return f"The app is not running. The link is its address and then: /invite#{token}"
    note = (
        ""
        if served.logins
        else "\nThe app that runs now asks nobody for a login: start it with --auth, or with --share."
    )
    return f"{served.address.rstrip('/')}/invite#{token}{note}"
