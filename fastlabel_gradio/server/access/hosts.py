"""The host names that the app answers to: an exact list, compared with the raw header.

A page of another site can have its own name lead to this machine (DNS rebinding); the browser then takes both for one site.
The Host header tells, since no script can write it.
"""

import re
import socket
from collections.abc import Iterable
from ipaddress import ip_address

from fastapi import HTTPException
from starlette.datastructures import Headers

from fastlabel_gradio.config import LOOPBACK
from fastlabel_gradio.errors import ConfigError

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_SHOWN = 100


class Hosts:
    """The names that the app listens on.

    Args:
        listens_on: the address or name that the server is bound to. Beyond loopback any IP address counts too, for an
            address cannot be made to lead elsewhere, and so do the machine's own names.
        names: others that lead here: a reverse proxy's, a Space's.

    Raises:
        ConfigError: one of them is no host name.
    """

    def __init__(self, listens_on: str, names: Iterable[str] = ()) -> None:
        bound = listens_on.strip("[]").lower()
        self._any_address = bound not in LOOPBACK
        own = _machine_names() if self._any_address else ()
        self._names = {*LOOPBACK, bound, *own, *map(host_name, names)}

    def add(self, name: str) -> None:
        """Answers to one more name from now on. Raises ConfigError."""
        self._names.add(host_name(name))

    def check(self, headers: Headers) -> None:
        """Raises HTTPException: 400 without exactly one Host header, 403 for a name that is not on the list."""
        given = headers.getlist("host")
        if len(given) != 1:
            raise HTTPException(400, f"The request has {len(given)} Host headers. Send one.")
        name = _plain(given[0])
        if name is None or not (name in self._names or (self._any_address and _is_address(name))):
            raise HTTPException(
                403,
                f"Host {given[0][:_SHOWN]!r} is not this app. If that name leads here, start with --allow-host NAME.",
            )
        for forwarded in headers.getlist("x-forwarded-host"):  # Gradio writes the page's addresses with it
            if None in map(_plain, re.split(", *", forwarded)):
                raise HTTPException(400, f"X-Forwarded-Host {forwarded[:_SHOWN]!r} is no host name.")


def host_name(text: str) -> str:
    """A name as it is compared, without the port. Raises ConfigError where it can be none."""
    name = _plain(text)
    if name is None:
        raise ConfigError(
            f"{text!r} is no host name. Write it as it stands in the address, for example label.example.org"
        )
    return name


def _plain(host: str) -> str | None:
    """The name in a Host header as it is compared: small letters, without brackets, port and the dot of the root."""
    match = _HOST.fullmatch(host)
    return match[1].strip("[]").lower().removesuffix(".") if match else None


def _machine_names() -> tuple[str, ...]:
    full = socket.gethostname().lower()
    short = full.partition(".")[0]
    return full, short, f"{short}.local"


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
