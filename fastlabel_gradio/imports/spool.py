"""Labels put aside on the disk until all are read, so that nothing is taken of a file that turns out to be damaged."""

import pickle
import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from types import TracebackType
from typing import BinaryIO

from fastlabel_gradio.imports.base import ImportedLabel
from fastlabel_gradio.imports.matching import Matched

PUT_AT_ONCE = 5_000


class Spool:
    """Labels with their items, in their order, in a file that is gone afterwards."""

    def __init__(self) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="fastlabel-import-")  # noqa: SIM115  # closed by `__exit__`

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def put(self, found: Iterable[Matched]) -> None:
        """Puts all of them aside."""
        rest = iter(found)
        while block := [(one.item_id, tuple(one.label)) for one in islice(rest, PUT_AT_ONCE)]:
            pickle.dump(block, self._file, pickle.HIGHEST_PROTOCOL)

    def blocks(self) -> Iterator[list[Matched]]:
        """All of them, so many at a time."""
        end = self._file.tell()
        self._file.seek(0)
        while self._file.tell() < end:
            block = pickle.load(self._file)  # what this process wrote, in a file without a name
            yield [Matched(ImportedLabel._make(values), item_id) for item_id, values in block]
