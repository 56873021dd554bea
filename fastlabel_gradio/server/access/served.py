"""Where the app of a working directory is to be found while it runs, for commands beside it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fastlabel_gradio.atomic_file import write_atomically

SERVED_FILE = "served.json"


@dataclass(frozen=True, slots=True)
class Served:
    """A running app: its address as people type it, and the names of its logins."""

    address: str
    logins: tuple[str, ...]


def write_served(workdir: Path, address: str, logins: Sequence[str]) -> None:
    """Raises OSError."""
    write_atomically(workdir / SERVED_FILE, json.dumps(asdict(Served(address, tuple(logins)))).encode())


def forget_served(workdir: Path) -> None:
    """The app is at its end."""
    (workdir / SERVED_FILE).unlink(missing_ok=True)


def read_served(workdir: Path) -> Served | None:
    """None where no app runs. One that was killed is still there: its address is where it was."""
    try:
        known = json.loads((workdir / SERVED_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return Served(known["address"], tuple(known["logins"]))
