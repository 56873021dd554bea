"""Vectors of one's own: computed elsewhere, known by item. What they are read from is `vector_files`' affair."""

import mmap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import Annotated

import numpy as np
from pydantic import Field

from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.encoders.vector_files import Block, VectorFile, open_vectors
from fastlabel_gradio.encoders.vector_index import AMBIGUOUS, NOT_THERE, VectorIndex, file_name
from fastlabel_gradio.encoders.vector_rows import VectorRows, copied_rows, opened_rows
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError, StoreError
from fastlabel_gradio.types import Embeddings

BATCH_BYTES = 16 << 20  # of vectors: the index writes what a batch changed, and most of it is changed by every batch
MOST_IN_BATCH = 8_192
EXAMPLES = 3
NOT_FINITE = "holds NaN or infinity"
ALL_ZERO = "is all zeros"
OUT_OF_RANGE = "has a largest number below 1e-30 or above 1e+30, which float32 cannot hold well"
OTHER_LENGTH = "has"
MANY = {  # of many, what a reason begins with
    OTHER_LENGTH: "of another length than the others",
    NOT_FINITE: "with NaN or infinity",
    ALL_ZERO: "all zeros",
    OUT_OF_RANGE: "with numbers too small or too large for float32",
}
SMALLEST, LARGEST = 1e-30, 1e30  # with some room: what is read of parquet is kept as float32


class PrecomputedOptions(EncoderOptions):
    """Where the vectors are.

    Attributes:
        path: an .npy array [items, numbers], a .parquet table, or a folder of .parquet parts.
        ids: the names of an .npy's rows, one for each in their order (.txt, .csv, .json); by default the file of its name
            beside it.
        id_column, vector_column: of a parquet table or a .csv of names; by default the usual names.
        text: a second file of this kind whose ids are the names of classes; for suggestions before the first label.
        logit_scale: what cosines of items and class names are multiplied with before the softmax.
    """

    path: Path
    ids: Path | None = None
    id_column: str = ""
    vector_column: str = ""
    text: Path | None = None
    logit_scale: Annotated[float, Field(gt=0, le=1000)] = 100.0

    def located(self, base_dir: Path) -> "PrecomputedOptions":
        paths = {key: base_dir / path.expanduser() for key in ("path", "ids", "text") if (path := getattr(self, key))}
        return self.model_copy(update=paths)

    def opened(self) -> VectorFile:
        """Raises ConfigError."""
        return open_vectors(self.path, self.ids, self.id_column, self.vector_column)

    def opened_text(self) -> VectorFile | None:
        """Its columns may have names of their own, and are then found as where none is named. Raises ConfigError."""
        if self.text is None:
            return None
        try:
            return open_vectors(self.text, None, self.id_column, self.vector_column)
        except ConfigError:
            if not (self.id_column or self.vector_column):
                raise
            return open_vectors(self.text, None, "", "")


@ENCODERS["image"].register("precomputed")
@ENCODERS["audio"].register("precomputed")
class PrecomputedEncoder(KnownVectors):
    """Vectors from a file, of pictures or sounds alike, by the items' ids; nothing is computed.

    An item is known by its id, its path relative to the source; where the file has other folders, by the name of its file,
    if no other item and no other vector has that name. The fingerprint covers every id and every number.
    """

    name = "precomputed"
    where_to_put_weights = "the path of a file of vectors in the encoder's option `path`"
    Options = PrecomputedOptions

    def __init__(self, options: PrecomputedOptions) -> None:
        self._options = options
        self._file = options.opened()
        self.dim = self._file.dim
        self.batch_size = max(1, min(MOST_IN_BATCH, BATCH_BYTES // (4 * self.dim)))
        self._lock = Lock()
        self._missing: set[int] = set()  # hashes of ids: they may be many, and are asked for more than once
        self._missing_examples: list[str] = []
        self._name_of: dict[int, str] | None = (
            None  # by the name's hash, the item that a file name is taken by; None by id alone
        )
        self._shared_names: frozenset[int] = frozenset()
        self._texts = _text_vectors(options, self.dim)
        self.logit_scale = options.logit_scale if self._texts else None

    @classmethod
    def why_unavailable(cls, options: PrecomputedOptions) -> str | None:
        options.opened()
        options.opened_text()
        return None

    @property
    def notes(self) -> str:
        told = [f"{what}: {count:,} ({_listed(examples)})" for what, (count, examples) in self._wrong_rows.items()]
        if self._missing:
            told.append(f"items of the pool without one: {len(self._missing):,} ({_listed(self._missing_examples)})")
        return f"Vectors of {self._options.path.name}: {'; '.join(told)}." if told else ""

    def open_in(self, folder: Path) -> None:
        """Checks every vector; what has to be decoded is copied to an unnamed file in the folder."""
        checked = _Checked(self._file.dim)
        self._vectors = _checked_rows(self._file, checked, folder)
        self._index = VectorIndex(checked.ids)
        self._wrong_rows = checked.told(self._index)
        self._reasons = checked.reasons
        self.fingerprint = f"precomputed-{checked.digest}"

    def goes_by_name(self, item_ids: Sequence[str]) -> bool:
        unknown = [item_id for item_id, row in zip(item_ids, self._index.rows_of(item_ids), strict=True) if row < 0]
        return bool((self._index.rows_by_name(unknown) != NOT_THERE).any())

    def take_names(self, item_ids: Iterable[str]) -> None:
        counts = Counter(hash(file_name(item_id)) for item_id in item_ids)
        self._shared_names = frozenset(key for key, count in counts.items() if count > 1)
        self._name_of = {}

    def vectors_of(self, item_ids: Sequence[str]) -> tuple[list[int], Embeddings, list[tuple[str, str]]]:
        rows = self._rows_of(item_ids)
        wrong = [place for place, row in enumerate(rows.tolist()) if row < 0 or row in self._reasons]
        unknown = [(item_ids[place], self._reason(int(rows[place]))) for place in wrong]
        self._count_missing([item_ids[place] for place in wrong if rows[place] < 0])
        known = np.delete(np.arange(len(rows)), wrong)
        vectors = np.asarray(self._vectors.at(rows[known]), dtype=np.float32)
        return known.tolist(), _unit(vectors), unknown

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        """The vectors of class names. Raises EncoderUnavailableError for a name that the second file has not."""
        if not self._texts:
            return super().encode_text(prompts)
        missing = [prompt for prompt in prompts if _class_key(prompt) not in self._texts]
        if missing:
            raise EncoderUnavailableError(
                f"{self._options.text} has no vector for {_listed(missing)}; it has: {_listed(list(self._texts))}."
            )
        found = [self._texts[_class_key(prompt)] for prompt in prompts]
        return np.stack(found) if found else np.empty((0, self.dim), dtype=np.float32)

    def _rows_of(self, item_ids: Sequence[str]) -> np.ndarray:
        rows = self._index.rows_of(item_ids)
        if self._name_of is None:
            return rows
        places = np.flatnonzero(rows == NOT_THERE)
        unknown = [item_ids[place] for place in places.tolist()]
        by_name = self._index.rows_by_name(unknown)
        rows[places] = [self._owned(item_id, int(row)) for item_id, row in zip(unknown, by_name, strict=True)]
        return rows

    def _owned(self, item_id: str, row: int) -> int:
        """The row that has the item's file name, unless another item of the pool has that name too."""
        assert self._name_of is not None
        key = hash(file_name(item_id))
        if row < 0:
            return row
        if key in self._shared_names:
            return AMBIGUOUS
        with self._lock:
            return row if self._name_of.setdefault(key, item_id) == item_id else AMBIGUOUS

    def _reason(self, row: int) -> str:
        """Why a row is no vector of an item."""
        file = self._options.path.name
        if row == NOT_THERE:
            return f"{file} has no vector of this id"
        if row == AMBIGUOUS:
            return f"{file} has no vector of this id, and its file name is that of several items or vectors"
        return f"its vector in {file} {self._reasons[row]}"

    def _count_missing(self, item_ids: Sequence[str]) -> None:
        with self._lock:
            fresh = [item_id for item_id in item_ids if hash(item_id) not in self._missing]
            self._missing.update(map(hash, fresh))
            self._missing_examples += fresh[: EXAMPLES + 1 - len(self._missing_examples)]


class _Checked:
    """What one pass over all vectors finds.

    Attributes:
        ids: of the rows. reasons: by row, why it is no vector.
    """

    def __init__(self, dim: int) -> None:
        self._dim = dim
        self._hash = blake2b(digest_size=10)
        self.ids: list[str] = []
        self.reasons: dict[int, str] = {}

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    def take(self, block: Block) -> None:
        start = len(self.ids)
        self.ids += block.ids
        self._hash.update("\0".join(block.ids).encode("utf-8", "surrogateescape"))
        self._hash.update(np.ascontiguousarray(block.vectors).data)
        with np.errstate(invalid="ignore", over="ignore"):
            largest = np.maximum(block.vectors.max(axis=1), -block.vectors.min(axis=1)).astype(np.float64)
        for row in np.flatnonzero(block.lengths != self._dim):
            self.reasons[start + int(row)] = f"{OTHER_LENGTH} {block.lengths[row]} numbers instead of {self._dim}"
        is_finite, is_zero = np.isfinite(largest), largest == 0
        is_far_out = is_finite & ~is_zero & ~((largest >= SMALLEST) & (largest <= LARGEST))
        for rows, reason in ((~is_finite, NOT_FINITE), (is_zero, ALL_ZERO), (is_far_out, OUT_OF_RANGE)):
            for row in np.flatnonzero(rows):
                self.reasons.setdefault(start + int(row), reason)

    def told(self, index: VectorIndex) -> dict[str, tuple[int, list[str]]]:
        """How many rows are wrong, with examples, by what is wrong with them."""
        told: dict[str, tuple[int, list[str]]] = {}
        for kind, of_kind in MANY.items():
            rows = [row for row, reason in self.reasons.items() if reason.startswith(kind)]
            if rows:
                told[of_kind] = len(rows), [self.ids[row] for row in rows[: EXAMPLES + 1]]
        nameless = [f"row {row + 1:,}" for row, id_ in enumerate(self.ids) if not id_]
        if nameless:
            told["without an id, left out"] = len(nameless), nameless[: EXAMPLES + 1]
        repeated = [id_ for row in index.repeated.tolist() if (id_ := self.ids[row])]
        if repeated:
            told["with an id that stands before already, left out"] = len(repeated), repeated[: EXAMPLES + 1]
        return told


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1. Divided by their largest number first: squares of very large and small ones are infinite or 0."""
    vectors = vectors / np.abs(vectors).max(axis=-1, keepdims=True, initial=0)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), dtype=np.float32)


def _checked_rows(file: VectorFile, checked: _Checked, folder: Path) -> VectorRows:
    """Those of the file, every one of them checked. Raises StoreError (full disk)."""
    vectors = _taken(file, checked)
    if file.mapped is not None and file.mapped.flags.c_contiguous:
        for _ in vectors:
            _release(file.mapped)
        return opened_rows(file.mapped)
    try:
        return copied_rows(vectors, file.dim, folder)
    except OSError as error:
        raise StoreError(f"{folder}: the vectors cannot be copied here ({error}). Free some space.") from error


def _taken(file: VectorFile, checked: _Checked) -> Iterator[np.ndarray]:
    for block in file.blocks():
        checked.take(block)
        yield block.vectors


def _release(vectors: np.memmap) -> None:
    """Lets the system take back the memory of what was read of a mapped file, as `EmbeddingStore.release_pages` does."""
    pages: object = vectors.base
    if hasattr(mmap, "MADV_DONTNEED") and isinstance(pages, mmap.mmap):
        pages.madvise(mmap.MADV_DONTNEED)


def _text_vectors(options: PrecomputedOptions, dim: int) -> dict[str, np.ndarray]:
    """L2-normalised vectors by class name; empty without a second file.

    Raises:
        EncoderUnavailableError: vectors of other lengths, none at all in some row, or two that differ for one class.
    """
    file = options.opened_text()
    if file is None:
        return {}
    if file.dim != dim:
        raise EncoderUnavailableError(f"{options.text} has vectors of {file.dim} numbers, {options.path} of {dim}")
    checked = _Checked(dim)
    found: dict[str, np.ndarray] = {}
    for block in file.blocks():
        checked.take(block)
        for name, vector in zip(block.ids, np.asarray(block.vectors, dtype=np.float32), strict=True):
            if not np.array_equal(found.setdefault(_class_key(name), vector), vector, equal_nan=True):
                raise EncoderUnavailableError(f"{options.text}: class '{name}' has two vectors: keep one of them")
    if checked.reasons:
        row, reason = next(iter(checked.reasons.items()))
        raise EncoderUnavailableError(f"{options.text}: the vector of class '{checked.ids[row]}' {reason}")
    return {name: _unit(vector) for name, vector in found.items()}


def _class_key(name: str) -> str:
    """Class names are equal however they are written: in capitals, with _ for blanks."""
    return name.replace("_", " ").strip().casefold()


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:EXAMPLES]) + (", …" if len(names) > EXAMPLES else "")
