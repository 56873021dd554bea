"""OutOfFold: what heads say of labeled rows that they were trained without, the newest word on each row, kept over restarts.

Of the vectors of one encoder. Who leaves them out, and what for, is the affair of `head.calibration` and of those who ask.
"""

import json
import logging
import threading
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.types import Rows

FORMAT = 1

log = logging.getLogger(__name__)

LabelIds = tuple[int, ...]
Logits = Float32[np.ndarray, "known classes"]


class OutOfFold:
    """Logits of rows by heads that did not see them. All methods may be called from any thread.

    Attributes:
        version: another number once there is more, or something else.

    Args:
        path: where they are kept; None for nowhere.
        space: the name of the encoder's space: what was kept of another one is not used.
    """

    def __init__(self, path: Path | None = None, space: str = "") -> None:
        self._path = path
        self._space = space
        self._lock = threading.Lock()
        self._label_ids: LabelIds = ()
        self._rows = np.zeros(0, dtype=np.int64)
        self._logits = np.zeros((0, 0), dtype=np.float32)
        self.version = 0
        self._load()

    def put(self, label_ids: LabelIds, rows: Rows, logits: Logits) -> None:
        """Keeps the logits of some rows, in place of those that were there. Those of other classes are forgotten.

        Args:
            label_ids: the ids of the classes, one a column.
        """
        order = np.argsort(rows)
        rows, logits = rows[order], logits[order]
        with self._lock:
            if label_ids == self._label_ids:
                stay = ~np.isin(self._rows, rows, assume_unique=True)
                rows = np.concatenate([self._rows[stay], rows])
                logits = np.concatenate([self._logits[stay], logits])
                order = np.argsort(rows)
                rows, logits = rows[order], logits[order]
            self._label_ids, self._rows, self._logits = label_ids, rows, logits
            self.version += 1
        self._save(label_ids, rows, logits)

    def of(self, label_ids: LabelIds, rows: Rows) -> tuple[Logits, Bool[np.ndarray, " rows"]]:
        """The logits of those of some rows that are known, in their order, and which ones these are."""
        with self._lock:
            known_rows, logits = self._rows, self._logits
            if label_ids != self._label_ids or not len(known_rows):
                return np.zeros((0, len(label_ids)), dtype=np.float32), np.zeros(len(rows), dtype=bool)
        places = np.minimum(np.searchsorted(known_rows, rows), len(known_rows) - 1)
        known = known_rows[places] == rows
        return logits[places[known]], known

    def _save(self, label_ids: LabelIds, rows: Rows, logits: Logits) -> None:
        if self._path is None:
            return
        details = json.dumps({"format": FORMAT, "space": self._space, "labels": label_ids})
        try:
            write_atomically(self._path, save({"rows": rows, "logits": logits}, metadata={"fastlabel": details}))
        except OSError as error:
            log.warning("%s: what heads say of labels that they did not see is not kept: %s", self._path, error)

    def _load(self) -> None:
        if self._path is None or not self._path.exists():
            return
        try:
            with safe_open(self._path, framework="numpy") as file:
                details = json.loads((file.metadata() or {})["fastlabel"])
                rows, logits = file.get_tensor("rows"), file.get_tensor("logits")
            if (details["format"], details["space"]) != (FORMAT, self._space):
                raise ValueError("it is of another encoder")
            if not (rows.dtype == np.int64 and logits.shape == (len(rows), len(details["labels"]))):
                raise ValueError("the file is damaged")
            if not ((np.diff(rows) > 0).all() and np.isfinite(logits).all()):
                raise ValueError("the file is damaged")
        except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
            log.info("%s is made anew: %s", self._path, str(error)[:300])
            return
        self._label_ids, self._rows, self._logits = tuple(details["labels"]), rows, logits.astype(np.float32)
