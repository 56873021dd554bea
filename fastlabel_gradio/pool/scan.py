"""Scan: what the newest head says of every row of the pool, found in one pass in the background and kept over a restart.

Eight bytes a row: predicted class, confidence and margin. The shortlist, exports with predictions and queries read it, so
nothing else walks the pool with a head. Which head is the newest, and when to scan, is the learner's affair.
"""

import json
import logging
import threading
import zlib
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
import torch
from jaxtyping import Float32, Int16
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import FastLabelError
from fastlabel_gradio.head import BLOCK_ROWS, Head
from fastlabel_gradio.pool.cluster_rows import ClusterRows
from fastlabel_gradio.pool.device_rows import DeviceRows
from fastlabel_gradio.pool.scanned import NOTHING_SCANNED, UNSEEN, Scanned, of_probabilities
from fastlabel_gradio.superseded import Checkpoint
from fastlabel_gradio.types import Rows

BLOCKS_BETWEEN_RELEASES = 32
SAMPLED_ROWS = 64  # whose embeddings tell whether a file is of these rows
FORMAT = 1

log = logging.getLogger(__name__)

AllRows = Float32[np.ndarray, "rows dim"]


class Scan:
    """What heads said of the rows of one pool. All methods may be called from any thread, `refresh` from one at a time.

    Attributes:
        on_device: a copy of the rows, which each refresh fills and a head there scores at once; None for none.
        trouble: why the cluster did not score what it was asked for last, so that this process did; "" otherwise.

    Args:
        path: where a complete scan of a trained head is kept; None for nowhere.
        on_cluster: the rows of a large pool, as a cluster sees them; None for none.
    """

    def __init__(
        self,
        path: Path | None = None,
        on_device: DeviceRows | None = None,
        on_cluster: ClusterRows | None = None,
    ) -> None:
        self._path = path
        self.on_device = on_device
        self._on_cluster = on_cluster
        self.trouble = ""
        self._lock = threading.Lock()
        self._mark = 0  # of the newest head; 0 while there is none
        self._version = 0
        self._label_ids: tuple[int, ...] = ()
        self._rows = NOTHING_SCANNED
        self._block_marks = np.zeros(0, dtype=np.uint64)  # which head looked at each block
        self._block_rows = np.zeros(0, dtype=np.int32)  # and how many rows it had then
        self._place = 0  # the block to score next
        self._news = 0  # blocks looked at since `on_round` was called
        self._unsaved = False

    def refresh(
        self,
        head: Head,
        embeddings: AllRows,
        release_pages: Callable[[], None],
        checkpoint: Checkpoint,
        on_round: Callable[[], None] = lambda: None,
    ) -> None:
        """Scores all rows that `head` has not looked at, in blocks. Raises Superseded, by `checkpoint`, between two of them.

        What was scored by then stays, and the next refresh goes on behind it, so that with an annotator in a hurry all of
        the pool is seen by one of several heads.

        Args:
            release_pages: called now and then, so that the rows that were read do not stay in memory.
            on_round: called whenever every row was looked at since the last time.
        """
        mark = self._begin(head)
        self._score_on_device(head, mark, embeddings, release_pages, checkpoint)
        blocks = -(-len(embeddings) // BLOCK_ROWS)
        passed = 0
        for scored in self._scored_on_cluster(head, mark, embeddings, checkpoint):
            passed += len(scored)
            self._go_on(scored, blocks, on_round)
        for number in range(blocks - passed):
            checkpoint()
            self._score(head, mark, embeddings, place := self._place % blocks)
            if number % BLOCKS_BETWEEN_RELEASES == 0:
                release_pages()
            self._go_on(range(place, place + 1), blocks, on_round)
        if self._news:
            self._news = 0
            on_round()
        release_pages()
        self._save(head, embeddings)

    def said(
        self, head: Head, embeddings: AllRows, rows: Rows
    ) -> tuple[Int16[np.ndarray, " picked"], Float32[np.ndarray, " picked"]]:
        """Class and confidence of some rows by that head. Those that it has not looked at it scores now.

        What it says is kept where it is the newest head.
        """
        mark = head_mark(head) if self._mark else self._begin(head)
        classes, confidences = np.empty(len(rows), dtype=np.int16), np.empty(len(rows), dtype=np.float32)
        block_of = rows // BLOCK_ROWS
        for block in np.unique(block_of).tolist():
            wanted = block_of == block
            scored = self._score(head, mark, embeddings, block)
            places = rows[wanted] - block * BLOCK_ROWS
            classes[wanted], confidences[wanted] = scored.classes[places], scored.confidences[places]
        return classes, confidences

    def complete(self, head: Head, embeddings: AllRows) -> None:
        """Scores now what that head, the newest, has not looked at."""
        mark = self._begin(head)
        for _ in self._scored_on_cluster(head, mark, embeddings, lambda: None):
            pass
        for block in range(-(-len(embeddings) // BLOCK_ROWS)):
            self._score(head, mark, embeddings, block)

    def view(self, label_ids: tuple[int, ...]) -> Scanned:
        """What is known now, of heads whose columns are the classes with these ids; nothing where they are others."""
        with self._lock:
            if label_ids != self._label_ids:
                return NOTHING_SCANNED
            done = int(self._block_rows[self._block_marks == self._mark].sum())
            return _part(self._rows, slice(None), self._version, done)

    def missing(self, head: Head, rows: int) -> int:
        """How many of the first rows that head has not looked at."""
        mark = head_mark(head)
        with self._lock:
            return rows - int(self._block_rows[self._block_marks == mark].sum())

    def load(self, head: Head, embeddings: AllRows) -> None:
        """Takes in what was kept, where it is of that head and these rows; otherwise the next refresh makes it anew."""
        if self._path is None or not self._path.exists():
            return
        try:
            found = _read(self._path, head, embeddings)
        except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
            log.info("%s: the kept predictions are made anew: %s", self._path, str(error)[:300])
            return
        mark = self._begin(head)
        with self._lock:
            self._make_room(len(found.classes))
            _copy_into(self._rows, slice(len(found.classes)), found)
            counts = np.clip(len(found.classes) - BLOCK_ROWS * np.arange(len(self._block_rows)), 0, BLOCK_ROWS)
            self._block_rows[:], self._block_marks[:] = counts, mark

    # Private

    def _begin(self, head: Head) -> int:
        """That head is the newest from now on; returns its mark. What those of other classes said is forgotten."""
        mark, label_ids = head_mark(head), head.info.label_ids
        with self._lock:
            if label_ids != self._label_ids:
                self._label_ids, self._rows = label_ids, NOTHING_SCANNED
                self._block_marks, self._block_rows = self._block_marks[:0], self._block_rows[:0]
            self._unsaved |= mark != self._mark
            self._mark, self._version = mark, head.info.version
        return mark

    def _score(self, head: Head, mark: int, embeddings: AllRows, block: int) -> Scanned:
        """What the head says of the rows of a block: as it is known, or scored now and kept."""
        rows = slice(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, len(embeddings)))
        count = rows.stop - rows.start
        with self._lock:
            known = block < len(self._block_marks) and int(self._block_marks[block]) == mark
            if known and self._block_rows[block] >= count:
                return _part(self._rows, rows)
        scored = of_probabilities(torch.from_numpy(head.predict_proba(embeddings[rows])))
        self._put(mark, rows, scored, len(embeddings))
        return scored

    def _score_on_device(
        self, head: Head, mark: int, embeddings: AllRows, release_pages: Callable[[], None], checkpoint: Checkpoint
    ) -> None:
        """Scores the rows whose copy is on the head's device: 16 chunks for a million of them."""
        if self.on_device is None or head.device != self.on_device.device or not self.missing(head, len(embeddings)):
            return

        def between() -> None:
            release_pages()
            checkpoint()

        self.on_device.fill(embeddings, between)
        for rows, said in self.on_device.all_probabilities(head):
            checkpoint()
            if rows.stop <= len(embeddings):
                self._put(mark, rows, of_probabilities(said), len(embeddings))

    def _scored_on_cluster(self, head: Head, mark: int, embeddings: AllRows, checkpoint: Checkpoint) -> Iterator[range]:
        """Has a large pool scored there, from the place on; gives the blocks that were, again and again.

        Where it fails, `trouble` says why.
        """
        cluster = self._on_cluster
        if cluster is None or len(embeddings) <= cluster.more_than:
            return
        self.trouble = ""
        if self.missing(head, len(embeddings)) < min(cluster.task_rows, len(embeddings)):
            return  # to connect takes longer, and somebody may wait for it
        starts = self._unscored(mark, len(embeddings), cluster.task_rows)
        try:
            for rows, said in cluster.scanned(head, embeddings, starts, checkpoint):
                self._put(mark, rows, said, len(embeddings))
                yield range(rows.start // BLOCK_ROWS, -(-rows.stop // BLOCK_ROWS))
        except FastLabelError as error:
            self.trouble = f"The pool was not scanned on the cluster, but here, which takes longer: {error}"
            log.warning("%s", self.trouble)

    def _unscored(self, mark: int, rows: int, at_once: int) -> list[int]:
        """Where runs of `at_once` rows begin that hold some which that head has not looked at, from the place on."""
        behind = self._place * BLOCK_ROWS // at_once * at_once
        with self._lock:
            seen = np.zeros(-(-rows // BLOCK_ROWS), dtype=np.int64)
            count = min(len(seen), len(self._block_rows))
            seen[:count] = np.where(self._block_marks == mark, self._block_rows, 0)[:count]
        starts = [*range(behind, rows, at_once), *range(0, min(behind, rows), at_once)]
        blocks = at_once // BLOCK_ROWS
        return [
            start
            for start in starts
            if seen[start // BLOCK_ROWS : start // BLOCK_ROWS + blocks].sum() < min(at_once, rows - start)
        ]

    def _go_on(self, scored: range, blocks: int, on_round: Callable[[], None]) -> None:
        """Behind those blocks; calls `on_round` where so many were looked at as there are."""
        self._place = scored.stop % blocks
        self._news += len(scored)
        if self._news >= blocks:
            self._news = 0
            on_round()

    def _put(self, mark: int, rows: slice, scored: Scanned, rows_of_pool: int) -> None:
        """Keeps what was said of one block or several, where no newer head was asked meanwhile."""
        blocks = slice(rows.start // BLOCK_ROWS, -(-rows.stop // BLOCK_ROWS))
        counts = np.clip(rows.stop - BLOCK_ROWS * np.arange(blocks.start, blocks.stop), 0, BLOCK_ROWS)
        with self._lock:
            if mark == self._mark:
                self._make_room(rows_of_pool)
                _copy_into(self._rows, rows, scored)
                self._block_marks[blocks], self._block_rows[blocks] = mark, counts
                self._unsaved = True

    def _make_room(self, rows: int) -> None:
        """The caller holds the lock."""
        more = rows - len(self._rows.classes)
        if more <= 0:
            return
        self._rows = Scanned(
            np.concatenate([self._rows.classes, np.full(more, UNSEEN, dtype=np.int16)]),
            np.concatenate([self._rows.confidences, np.zeros(more, dtype=np.float32)]),
            np.concatenate([self._rows.margins, np.full(more, np.inf, dtype=np.float16)]),
        )
        blocks = -(-rows // BLOCK_ROWS) - len(self._block_marks)
        self._block_marks = np.concatenate([self._block_marks, np.zeros(blocks, dtype=np.uint64)])
        self._block_rows = np.concatenate([self._block_rows, np.zeros(blocks, dtype=np.int32)])

    def _save(self, head: Head, embeddings: AllRows) -> None:
        """Keeps a scan that is complete. One of the class names alone is not: it is nobody's work yet."""
        if self._path is None or not head.info.version or not self._unsaved or self.missing(head, len(embeddings)):
            return
        found = self.view(self._label_ids)
        rows = embeddings[: len(found.classes)]
        details = {"format": FORMAT, "head": head_mark(head), "rows": _rows_mark(rows), "crc": _checksum(found)}
        arrays = {"classes": found.classes, "confidences": found.confidences, "margins": found.margins}
        try:
            write_atomically(self._path, save(arrays, metadata={"fastlabel": json.dumps(details)}))
            self._unsaved = False
        except OSError as error:
            log.warning("%s: predictions are not kept for the next start: %s", self._path, error)


_marks: WeakKeyDictionary[Head, int] = WeakKeyDictionary()


def head_mark(head: Head) -> int:
    """A number that differs where anything of two heads does: weights, classes, their columns, temperature. Never 0."""
    mark = _marks.get(head)
    if mark is None:
        said_as = repr(head.info) if head.columns is None else repr((head.info, head.columns))
        found = blake2b(said_as.encode("utf-8", "surrogateescape"), digest_size=8)
        for name, tensor in sorted(head.state_dict().items()):
            found.update(name.encode())
            found.update(tensor.numpy().tobytes())
        mark = _marks[head] = int.from_bytes(found.digest()) | 1
    return mark


def _part(of: Scanned, rows: slice, head_version: int = 0, done: int = 0) -> Scanned:
    """A copy."""
    parts = of.classes[rows].copy(), of.confidences[rows].copy(), of.margins[rows].copy()
    return Scanned(*parts, head_version, done)


def _copy_into(into: Scanned, rows: slice, part: Scanned) -> None:
    into.classes[rows], into.confidences[rows], into.margins[rows] = part.classes, part.confidences, part.margins


def _read(path: Path, head: Head, embeddings: AllRows) -> Scanned:
    """Raises ValueError and others where the file is damaged, or of another head or other rows."""
    with safe_open(path, framework="numpy") as file:
        details = json.loads((file.metadata() or {})["fastlabel"])
        found = Scanned(*(file.get_tensor(name) for name in ("classes", "confidences", "margins")))
    rows = len(found.classes)
    if details["format"] != FORMAT or details["head"] != head_mark(head):
        raise ValueError("they are of another head")
    if rows > len(embeddings) or details["rows"] != _rows_mark(embeddings[:rows]):
        raise ValueError("they are of other embeddings")
    if details["crc"] != _checksum(found) or not len(found.confidences) == len(found.margins) == rows:
        raise ValueError("the file is damaged")
    return found


def _rows_mark(embeddings: AllRows) -> str:
    """Differs where rows were embedded in another order: of a sample of them."""
    rows = np.linspace(0, max(len(embeddings) - 1, 0), SAMPLED_ROWS).astype(np.int64)[: len(embeddings)]
    return blake2b(np.asarray(embeddings[rows]).tobytes(), digest_size=8).hexdigest()


def _checksum(found: Scanned) -> int:
    crc = 0
    for values in (found.classes, found.confidences, found.margins):
        crc = zlib.crc32(values.tobytes(), crc)
    return crc
