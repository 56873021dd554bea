"""Labels of items that nobody of the project gave, kept in a file: suggestions of other programs, reference labels.

Twenty bytes an item are held, whatever its id is.
"""

import io
import os
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import StoreError


class GivenLabel(NamedTuple):
    """A class name, and how sure the program is that gave it, 0 to 1."""

    name: str
    confidence: float


class GivenLabels:
    """The labels in a file. Safe from several threads.

    Args:
        path: of a Parquet file with `item_id`, `label` and `confidence`; there are none while it does not exist.

    Raises:
        StoreError: it is damaged.

    Attributes:
        version: another number whenever labels were added.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.version = 0
        self._load()

    def __len__(self) -> int:
        return len(self._keys)

    def of(self, item_ids: Sequence[str]) -> list[GivenLabel | None]:
        """What is known of each item; None for nothing."""
        keys, names, classes, confidences = self._keys, self._names, self._classes, self._confidences
        asked = _keys_of(item_ids)
        if not len(keys):
            return [None] * len(asked)
        places = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return [
            GivenLabel(names[classes[place]], float(confidences[place])) if keys[place] == key else None
            for key, place in zip(asked, places, strict=True)
        ]

    def put(self, labels: Iterable[tuple[str, str, float]]) -> int:
        """Adds labels of items, also to the file; that of an item which has one already is replaced. Returns how many.

        Raises:
            StoreError: the file cannot be written; nothing is added then.
        """
        import pyarrow
        import pyarrow.parquet

        merged: dict[str, tuple[str, float]] = {}
        if self._path.exists():
            for row in pyarrow.parquet.read_table(self._path).to_pylist():
                merged[row["item_id"]] = row["label"], row["confidence"]
        count = 0
        for item_id, label, confidence in labels:
            merged[item_id] = label, confidence
            count += 1
        names, confidences = zip(*merged.values(), strict=True) if merged else ((), ())
        table = pyarrow.table({"item_id": list(merged), "label": list(names), "confidence": list(confidences)})
        content = io.BytesIO()
        pyarrow.parquet.write_table(table, content)
        try:
            write_atomically(self._path, content.getvalue())
        except OSError as error:
            raise StoreError(
                f"{self._path} cannot be written: {error.strerror or error}. Make room on its disk."
            ) from error
        self._load()
        self.version += 1
        return count

    def _load(self) -> None:
        import pyarrow
        import pyarrow.parquet

        ids: list[str] = []
        labels: list[str] = []
        confidences: list[float] = []
        try:
            if os.path.exists(self._path):  # noqa: PTH110
                table = pyarrow.parquet.read_table(self._path)
                ids, labels, confidences = (table[name].to_pylist() for name in ("item_id", "label", "confidence"))
        except (OSError, KeyError, pyarrow.ArrowException) as error:
            raise StoreError(f"{self._path} is damaged ({error}). Delete it, and import its labels again.") from error
        self._names = list(dict.fromkeys(labels))
        numbers = {name: number for number, name in enumerate(self._names)}
        keys = _keys_of(ids)
        order = np.argsort(keys)
        self._classes = np.array([numbers[label] for label in labels], dtype=np.int32)[order]
        self._confidences = np.array(confidences, dtype=np.float32)[order]
        self._keys = keys[order]  # the last one: who asks meanwhile finds none


class ReferenceLabels:
    """The labels that are known of items whatever anybody says: those that were imported, or else those of the source.

    Args:
        given: those that were imported.
        of_source: gives the class of an item; None where the source knows none.
    """

    def __init__(self, given: GivenLabels | None, of_source: Callable[[str], str | None]) -> None:
        self._given = given
        self._of_source = of_source

    @property
    def version(self) -> int:
        """Another number whenever labels were imported."""
        return self._given.version if self._given else 0

    def of(self, item_id: str) -> str | None:
        """The class of an item; None where none is known."""
        [known] = self._given.of([item_id]) if self._given else [None]
        return known.name if known else self._of_source(item_id)


def _keys_of(item_ids: Sequence[str]) -> np.ndarray:
    digests = (blake2b(item_id.encode("utf-8", "surrogateescape"), digest_size=8).digest() for item_id in item_ids)
    return np.fromiter((int.from_bytes(digest, signed=True) for digest in digests), dtype=np.int64, count=len(item_ids))
