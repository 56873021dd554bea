"""Labels of items that nobody of the project gave, kept in a file: suggestions of other programs, reference labels.

Twenty bytes an item are held, whatever its id is.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from fastlabel_gradio.atomic_file import replacing
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.types import LabelSchema

BLOCK_ROWS = 20_000  # of the file, that are in memory at once
_COLUMNS = ("item_id", "label", "confidence")


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

        Args:
            labels: of each item one: its id, a class name and a confidence; as a stream.

        Raises:
            StoreError: the file cannot be written; nothing is added then.
        """
        import pyarrow

        try:
            with replacing(self._path) as file:
                count = self._write(file, labels)
        except (OSError, pyarrow.ArrowException) as error:
            raise StoreError(
                f"{self._path} cannot be written: {getattr(error, 'strerror', None) or error}. Make room on its disk."
            ) from error
        self._load()
        self.version += 1
        return count

    def _write(self, file: BinaryIO, labels: Iterable[tuple[str, str, float]]) -> int:
        """The new labels, then those of the file that are of other items; returns how many are new."""
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.schema([*zip(_COLUMNS, ("string", "string", "float64"), strict=True)])
        keys, rest = [_keys_of(())], iter(labels)
        with pyarrow.parquet.ParquetWriter(file, schema) as writer:
            while block := list(islice(rest, BLOCK_ROWS)):
                columns = list(map(list, zip(*block, strict=True)))
                writer.write_batch(pyarrow.record_batch(columns, schema=schema))
                keys.append(_keys_of(columns[0]))
            fresh = np.concatenate(keys)
            for batch in self._batches():
                others = ~np.isin(_keys_of(batch.column("item_id").to_pylist()), fresh)
                writer.write_batch(batch.filter(pyarrow.array(others)))
        return len(fresh)

    def _batches(self) -> Iterator[Any]:
        """What the file has, in blocks of rows."""
        import pyarrow.parquet

        if os.path.exists(self._path):  # noqa: PTH110
            with pyarrow.parquet.ParquetFile(self._path) as table:
                yield from table.iter_batches(BLOCK_ROWS)

    def _load(self) -> None:
        import pyarrow

        numbers: dict[str, int] = {}
        blocks: list[tuple[np.ndarray, ...]] = [(_keys_of(()), np.zeros(0, np.int32), np.zeros(0, np.float32))]
        try:
            for batch in self._batches():
                ids, labels, confidences = (batch.column(name).to_pylist() for name in _COLUMNS)
                classes = [numbers.setdefault(label, len(numbers)) for label in labels]
                blocks.append((_keys_of(ids), np.array(classes, np.int32), np.array(confidences, np.float32)))
        except (OSError, ValueError, KeyError, pyarrow.ArrowException) as error:
            raise StoreError(f"{self._path} is damaged ({error}). Delete it, and import its labels again.") from error
        keys, classes_, shares = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        order = np.argsort(keys)
        self._names = list(numbers)
        self._classes, self._confidences = classes_[order], shares[order]
        self._keys = keys[order]  # the last one: who asks meanwhile finds none


class ReferenceLabels:
    """The labels that are known of items whatever anybody says: those that were imported, or else those of the source.

    Both are told as classes are called now, where some were renamed or merged since. Safe from several threads.

    Args:
        given: those that were imported.
        of_source: gives the class of an item; None where the source knows none.
    """

    def __init__(self, given: GivenLabels | None, of_source: Callable[[str], str | None]) -> None:
        self._given = given
        self._of_source = of_source
        self._called: tuple[LabelSchema | None, dict[str, str]] = None, {}  # names are few, items many

    @property
    def version(self) -> int:
        """Another number whenever labels were imported."""
        return self._given.version if self._given else 0

    @property
    def are_imported(self) -> bool:
        """Whether any are, of whatever item."""
        return self._given is not None and len(self._given) > 0

    def of(self, item_id: str, schema: LabelSchema) -> str | None:
        """The class of an item, as the schema has it now; None where none is known."""
        [known] = self._given.of([item_id]) if self._given else [None]
        name = known.name if known else self._of_source(item_id)
        return None if name is None else self._called_now(name, schema)

    def _called_now(self, name: str, schema: LabelSchema) -> str:
        its, called = self._called
        if its is not schema:
            called = {}
            self._called = schema, called
        if name not in called:
            called[name] = schema.called_now(name)
        return called[name]


def _keys_of(item_ids: Sequence[str]) -> np.ndarray:
    digests = (blake2b(item_id.encode("utf-8", "surrogateescape"), digest_size=8).digest() for item_id in item_ids)
    return np.fromiter((int.from_bytes(digest, signed=True) for digest in digests), dtype=np.int64, count=len(item_ids))
