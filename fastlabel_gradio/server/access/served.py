"""Where the app of a working directory is to be found while it runs, for commands beside it."""

import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from fastlabel_gradio.atomic_file import write_atomically

SERVED_FILE = "served.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """A running app: its address as people type it, and the names of its logins."""

    address: str
    logins: tuple[str, ...]


def write_served(workdir: Path, address: str, logins: Sequence[str]) -> None:
    """Says where the app is; where that cannot be written, as on a full disk, the log says what will not work."""
    try:
        write_atomically(workdir / SERVED_FILE, json.dumps(asdict(Served(address, tuple(logins)))).encode())
    except OSError as error:
        _log.warning("%s: `fastlabel invite` will not find this app (%s).", workdir / SERVED_FILE, error.strerror)


def forget_served(workdir: Path) -> None:
    """The app is at its end. A file that cannot be taken away stays: its address is where the app was."""
    with suppress(OSError):
        (workdir / SERVED_FILE).unlink()


def read_served(workdir: Path) -> Served | None:
    """None where no app runs. One that was killed is still there: its address is where it was."""
    try:
        known = json.loads((workdir / SERVED_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return Served(known["address"], tuple(known["logins"]))
