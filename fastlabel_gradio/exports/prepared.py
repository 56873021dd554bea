"""Exports that are prepared in the background and fetched when they are there, also in parts."""

import logging
import secrets
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from fastlabel_gradio.errors import FastLabelError, StoreError
from fastlabel_gradio.exports import Exported

MOST_PREPARED = 8  # of all projects and annotators; the oldest go first
MOST_RUNNING = 4  # at once

log = logging.getLogger(__name__)

Work = Callable[[Path, Callable[[int], None]], Exported]


@dataclass
class Prepared:
    """One export. `rows` is how many were written so far; `exported` is there once it is "ready", `error` once "failed"."""

    id: str
    annotator: str
    path: Path
    media_type: str
    folder: "tempfile.TemporaryDirectory[str]" = field(repr=False)
    state: Literal["running", "ready", "failed"] = "running"
    rows: int = 0
    exported: Exported | None = None
    error: str = ""


class PreparedExports:
    """The exports that were asked for lately."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exports: OrderedDict[str, Prepared] = OrderedDict()

    def begin(self, annotator: str, name: str, media_type: str, work: Work) -> Prepared:
        """Begins to prepare a file of that name, in a thread.

        Args:
            work: writes the file to the path that it is given, and tells how many rows there are so far.

        Raises:
            StoreError: so many are under way that another has to wait.
        """
        with self._lock:
            if sum(entry.state == "running" for entry in self._exports.values()) >= MOST_RUNNING:
                raise StoreError(
                    f"{MOST_RUNNING} exports are being prepared already. Ask again once one of them is ready."
                )
            folder = tempfile.TemporaryDirectory(prefix="fastlabel-export-")
            one = Prepared(secrets.token_hex(8), annotator, Path(folder.name) / name, media_type, folder)
            self._exports[one.id] = one
            done = [entry for entry in self._exports.values() if entry.state != "running"]
            for entry in done[: max(len(self._exports) - MOST_PREPARED, 0)]:
                self._exports.pop(entry.id).folder.cleanup()
        threading.Thread(target=_prepare, args=(one, work), name="export", daemon=True).start()
        return one

    def get(self, annotator: str, export_id: str) -> Prepared | None:
        """The one of that id, if that annotator asked for it."""
        one = self._exports.get(export_id)
        return one if one and one.annotator == annotator else None


def _prepare(one: Prepared, work: Work) -> None:
    def tell(rows: int) -> None:
        one.rows = rows

    try:
        one.exported = work(one.path, tell)
        one.state = "ready"
    except FastLabelError as error:
        one.error, one.state = str(error), "failed"
    except Exception:
        log.exception("an export failed")
        one.error, one.state = "It failed. The program's log says why.", "failed"
