"""PickedOut: the items that people left out of screens of one predicted class, because they are not of it, in a file.

Whether a screen stands is known to the label store alone: what was picked out in one that is undone counts no more, and
counts again when that is redone.
"""

import json
import logging
import os
from collections.abc import Collection, Mapping
from pathlib import Path

from fastlabel_gradio.errors import StoreError

PICKED_OUT = "picked_out.jsonl"

log = logging.getLogger(__name__)


class PickedOut:
    """What each person picked out, of each class. One thread at a time adds, any number look it up.

    Args:
        path: of the file, one line a screen; made when the first item is picked out.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._items: dict[tuple[str, int], dict[str, frozenset[str]]] = {}
        for text in path.read_bytes().splitlines() if path.exists() else ():
            try:
                self._take_in(**json.loads(text))
            except (ValueError, TypeError) as error:  # a stop cut it off
                log.warning("%s: a line is left out: %s", path, error)

    def of(self, annotator: str, label_id: int) -> Mapping[str, frozenset[str]]:
        """The ids of the items that the annotator said are not of the class, by the batch of which that is undone, or ""."""
        return dict(self._items.get((annotator, label_id), {}))

    def add(self, annotator: str, label_id: int, item_ids: Collection[str], batch_id: str = "") -> None:
        """Is on the disk before it returns. Raises StoreError; nothing is taken in then.

        Args:
            batch_id: by which the other labels of the screen were submitted; "" where it had none, so nothing to undo.
        """
        line = {"annotator": annotator, "label_id": label_id, "item_ids": sorted(item_ids), "batch_id": batch_id}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a+b") as file:
                file.seek(max(file.seek(0, os.SEEK_END) - 1, 0))
                was_cut_off = file.read(1) not in (b"", b"\n")
                file.write(b"\n" * was_cut_off + json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self._path} cannot be written: {error}. Free some space.") from error
        self._take_in(annotator, label_id, item_ids, batch_id)

    def _take_in(self, annotator: str, label_id: int, item_ids: Collection[str], batch_id: str = "") -> None:
        """Lines of earlier versions have no batch."""
        before = self.of(annotator, label_id)
        self._items[annotator, label_id] = {**before, batch_id: before.get(batch_id, frozenset()).union(item_ids)}
