"""The items of a pool by the ends of their paths. The ids lie in a file that is gone afterwards."""

import tempfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from types import TracebackType
from typing import BinaryIO

import numpy as np

from fastlabel_gradio.types import TimeSpan

LENGTH_BYTES = 4  # of an id, before it
RECENT = 8  # recordings whose windows are held: many labels of one follow each other


class FileItems:
    """The items of one file: the whole of it, or the windows that it is cut into."""

    def __init__(self, file_id: str) -> None:
        self.file_id = file_id
        self.whole: list[str] = []
        self._windows: list[tuple[float, float, str]] = []
        self._longest_s = 0.0
        self._is_sorted = True

    def add(self, item_id: str, span: TimeSpan | None) -> None:
        if span is None:
            self.whole.append(item_id)
            return
        self._windows.append((span.start_s, span.end_s, item_id))
        self._longest_s = max(self._longest_s, span.end_s - span.start_s)
        self._is_sorted = False

    def windows_at(self, part: TimeSpan) -> Iterator[tuple[TimeSpan, str]]:
        """Those that touch a part of the recording, by their begin."""
        if not self._is_sorted:
            self._windows.sort()
            self._is_sorted = True
        first = bisect_left(self._windows, part.start_s - self._longest_s, key=itemgetter(0))
        end = bisect_right(self._windows, part.end_s, key=itemgetter(0))
        for start_s, end_s, item_id in self._windows[first:end]:
            yield TimeSpan(start_s, end_s), item_id


class PoolPaths:
    """Finds files by paths that end alike. 16 bytes are held for every folder and name in the path of an item.

    Args:
        item_ids: of the whole pool, read once.
    """

    def __init__(self, item_ids: Iterable[str]) -> None:
        self._file: BinaryIO = tempfile.TemporaryFile(prefix="fastlabel-import-")  # noqa: SIM115  # closed by `__exit__`
        self._ends: dict[bool, tuple[array[int], array[int]]] = {}
        self._deepest = 1
        self._recent = lru_cache(RECENT)(self._most_alike)
        for item_id in item_ids:
            encoded = item_id.encode("utf-8", "surrogateescape")
            self._file.write(len(encoded).to_bytes(LENGTH_BYTES) + encoded)
            self._deepest = max(self._deepest, item_id.count("/") + 1)
        self._file.flush()

    def __enter__(self) -> "PoolPaths":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._with_hash(_whole(item_id), lacks_suffix=False)

    def most_alike(self, path: str, lacks_suffix: bool = False, is_whole: bool = False) -> list[FileItems]:
        """The files whose paths end as this one does, as far as the shorter of both goes, and of these those that share most.

        Of more than two of them two are given.

        Args:
            lacks_suffix: it is compared with paths of which the suffix is left out.
            is_whole: a file that has this path and no other comes before those that end alike.
        """
        return self._recent(path, lacks_suffix, is_whole)

    def _most_alike(self, path: str, lacks_suffix: bool, is_whole: bool) -> list[FileItems]:
        if is_whole and (found := self._files((_whole(path),), lacks_suffix)):
            return found
        parts = path.strip("/").split("/")
        for begin in range(max(0, len(parts) - self._deepest), len(parts)):
            end = "/".join(parts[begin:])
            keys = (_whole(end), end) if begin == 0 else (_whole(end),)
            if found := self._files(keys, lacks_suffix):
                return found
        return []

    def _files(self, keys: Iterable[str], lacks_suffix: bool) -> list[FileItems]:
        """The files that have one of these keys, two of them where there are more."""
        files: dict[str, FileItems] = {}
        for item_id in chain.from_iterable(self._at(key, lacks_suffix) for key in keys):
            file_id, span = TimeSpan.split(item_id)
            files.setdefault(file_id, FileItems(file_id)).add(item_id, span)
            if len(files) > 1:
                break
        return list(files.values())

    def _at(self, key: str, lacks_suffix: bool) -> Iterator[str]:
        """The items that have a key."""
        for item_id in self._with_hash(key, lacks_suffix):
            if key in _keys(item_id, lacks_suffix):  # or else only their hashes are the same
                yield item_id

    def _with_hash(self, key: str, lacks_suffix: bool) -> Iterator[str]:
        """The items that have a key with its hash."""
        if lacks_suffix not in self._ends:
            self._ends[lacks_suffix] = self._indexed(lacks_suffix)
        hashes, places = self._ends[lacks_suffix]
        number = hash(key)
        for index in range(bisect_left(hashes, number), len(hashes)):
            if hashes[index] != number:
                return
            yield self._read(places[index])

    def _indexed(self, lacks_suffix: bool) -> tuple["array[int]", "array[int]"]:
        """Hashes of all keys, ascending, and where in the file the item of each is."""
        hashes, places = array("q"), array("q")
        for place, item_id in self._all():
            for key in _keys(item_id, lacks_suffix):
                hashes.append(hash(key))
                places.append(place)
        order = np.argsort(np.frombuffer(hashes, dtype=np.int64), kind="stable") if hashes else slice(0)
        return tuple(array("q", np.frombuffer(one, dtype=np.int64)[order].tobytes()) for one in (hashes, places))  # type: ignore[return-value]

    def _all(self) -> Iterator[tuple[int, str]]:
        self._file.seek(0)
        place = 0
        while head := self._file.read(LENGTH_BYTES):
            encoded = self._file.read(int.from_bytes(head))
            yield place, encoded.decode("utf-8", "surrogateescape")
            place += LENGTH_BYTES + len(encoded)

    def _read(self, place: int) -> str:
        self._file.seek(place)
        length = int.from_bytes(self._file.read(LENGTH_BYTES))
        return self._file.read(length).decode("utf-8", "surrogateescape")


def without_suffix(file_id: str) -> str:
    folder, slash, name = file_id.rpartition("/")
    return f"{folder}{slash}{name.rpartition('.')[0] or name}"


def _keys(item_id: str, lacks_suffix: bool) -> Iterator[str]:
    """The id, the path of its file as a whole, and every end of that."""
    file_id, span = TimeSpan.split(item_id)
    end = (without_suffix(file_id) if lacks_suffix else file_id).strip("/")
    if span is not None:
        yield _whole(item_id)
    yield _whole(end)
    while "/" in end:
        end = end.partition("/")[2]
        yield end


def _whole(path: str) -> str:
    return f"\0{path.strip('/')}"  # no end of a path begins so
