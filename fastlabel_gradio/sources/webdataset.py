"""Pictures or sounds in tars, as WebDataset and others pack them: read by their place in the tar, never unpacked."""

import os
import re
import time
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from pathlib import Path, PurePosixPath

from fastlabel_gradio.errors import SourceError, UnavailableItemError, UnreadableItemError
from fastlabel_gradio.sources import image_folder, sound_files
from fastlabel_gradio.sources.address import Address, Place
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.files import id_of
from fastlabel_gradio.sources.folder_walk import Tally
from fastlabel_gradio.sources.grouped import GroupPattern
from fastlabel_gradio.sources.packed import PackedOptions, PackedSource
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.sound_files import sound_view
from fastlabel_gradio.sources.tar_index import TarIndex
from fastlabel_gradio.sources.trees import tree_at
from fastlabel_gradio.types import Item, LeftOut, Medium

TARS = (".tar",)
AT_START_S = 5.0  # that the start may take for the classes; tars behind that are gone through by the first scan
NOUNS: dict[Medium, str] = {"image": "picture", "audio": "sound"}

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


class WebDatasetOptions(PackedOptions, RemoteOptions):
    """Which tars.

    Attributes:
        path: a tar, a folder with tars, or a pattern such as `shards/{000..123}.tar`; also of a bucket or a web server.
        media: what they hold.
        group_pattern: what finds the group of an item in its id, see `PatternGroups`.
    """

    beside_identity = PackedOptions.beside_identity | RemoteOptions.beside_identity | {"group_pattern"}

    path: Place
    group_pattern: GroupPattern | None = None


@SOURCES.register("webdataset")
class WebDataset(PackedSource):
    """Every picture or sound of every tar. An id is the path of the tar, '/', and the name in it.

    The label of a sample is what its `.cls` or `.json` says; without one it is the folder that the file is in.
    """

    Options = WebDatasetOptions

    def __init__(self, options: WebDatasetOptions, base_dir: Path, cache_dir: Path) -> None:
        self.medium: Medium = options.media
        self._suffixes = image_folder.SUFFIXES if self.medium == "image" else sound_files.SUFFIXES
        folder, self._wanted = _folder_and_names(options.path)
        self._tree = tree_at(folder, base_dir, cache_dir, options)
        if not self._wanted:
            self._tree.check("tar")
        name = blake2b(os.fsencode(str(self._tree)), digest_size=8).hexdigest()
        self._index = TarIndex(cache_dir / "tars" / f"{name}-{self.medium}.sqlite")
        self._stamps: dict[str, str] = {}
        self._tally = Tally(NOUNS[self.medium])
        self._begin()
        if options.group_pattern is not None:
            where = f"the {len(self._stamps)} tars that were gone through of {self._tree}"
            self.group_by_pattern(options.group_pattern, self._known(), where)
        if self.medium == "audio":
            self.sound_view = sound_view(options, self.rates_hz(self._known()))

    def scan(self) -> Iterator[Item]:
        """Tar by tar; a tar that is new or changed is gone through now.

        Raises:
            SourceError: they cannot be listed, or one of them cannot be read.
        """
        tally = Tally(NOUNS[self.medium])
        for tar in self._tars(tally):
            self._take_in(tar)
            self._index.left_out(tar.id, tally)
            yield from self._items(tar)
        self._tally = tally

    def left_out(self) -> Sequence[LeftOut]:
        return self._tally.left_out()

    def classes(self) -> tuple[str, ...]:
        """The labels of the tars that were gone through; empty for fewer than two."""
        found = self._index.labels(self._stamps)
        return tuple(sorted(found)) if len(found) > 1 else ()

    def reference_label(self, item: Item) -> str | None:
        place = self._index.place(*_split(item.id))
        return place.label if place else None

    def content(self, item: Item) -> tuple[bytes, str]:
        tar, name = _split(item.id)
        place = self._index.place(tar, name)
        if place is None:
            raise UnreadableItemError("it is in none of the tars")
        if not place.size:
            raise UnreadableItemError("empty file (0 bytes)")
        content = self._tree.read(tar, place.start, place.start + place.size, self._stamps.get(tar, ""))
        if len(content) != place.size:
            raise UnavailableItemError("its tar is shorter than it was")
        return content, PurePosixPath(name).suffix.lower()

    def _begin(self) -> None:
        """Raises SourceError where there is no tar, or no item in the first ones."""
        ends_at, found = time.monotonic() + AT_START_S, False
        for tar in self._tars(Tally("tar")):
            if found and time.monotonic() > ends_at:
                return
            self._take_in(tar)
            found = found or next(self._index.names(tar.id), None) is not None
        if not found:
            raise SourceError(
                f"{self._tree}: no tar there holds a {NOUNS[self.medium]}. Give a .tar, a folder of them, or a pattern such "
                "as shards/{000..123}.tar; for sounds say `media: audio` (--kind audio)."
            )

    def _tars(self, tally: Tally) -> Iterator[Item]:
        """Raises SourceError where a tar that is named is not there."""
        if not self._wanted:
            yield from self._tree.items(TARS, tally)
            return
        tars = [Item(name, self._tree.stamp(name)) for name in self._wanted]
        missing = [tar.id for tar in tars if tar.stamp == "missing"]
        if missing:
            raise SourceError(
                f"{self._tree}: {len(missing)} of {len(tars)} tars are not there, for example {missing[0]}. Mend the path."
            )
        yield from tars

    def _take_in(self, tar: Item) -> None:
        self._stamps[tar.id] = tar.stamp
        if self._index.holds(tar.id, tar.stamp):
            return
        try:
            path = self._tree.path(tar.id, tar.stamp)
            self._index.add(tar.id, tar.stamp, path, self._suffixes, NOUNS[self.medium])
        except UnreadableItemError as error:
            raise SourceError(f"{self._tree}/{tar.id}: {error}") from error
        except OSError as error:
            raise SourceError(f"{self._tree}/{tar.id} cannot be read: {error.strerror}. Is its disk there?") from error

    def _items(self, tar: Item) -> Iterator[Item]:
        return (Item(f"{tar.id}/{name}", tar.stamp) for name in self._index.names(tar.id))

    def _known(self) -> Iterator[Item]:
        return (item for tar, stamp in list(self._stamps.items()) for item in self._items(Item(tar, stamp)))


def is_tar(name: str) -> bool:
    """Whether a name or a pattern is that of tars."""
    return name.lower().endswith(TARS)


def _split(item_id: str) -> tuple[str, str]:
    """The id of the tar and the name in it."""
    place = item_id.lower().find(".tar/")
    return item_id[: place + 4], item_id[place + 5 :]


def _folder_and_names(path: Path | Address) -> tuple[Path | Address, tuple[str, ...]]:
    """The folder of the tars, and the names of those that are meant; none for all."""
    if not is_tar(path.name):
        return path, ()
    return path.parent, tuple(map(id_of, expanded(path.name)))


def expanded(pattern: str) -> list[str]:
    """`{000..002}.tar` as the names that it stands for."""
    match = _RANGE.search(pattern)
    if match is None:
        return [pattern]
    first, last = match[1], match[2]
    numbers = (str(number).zfill(len(first)) for number in range(int(first), int(last) + 1))
    return [name for number in numbers for name in expanded(pattern.replace(match[0], number, 1))]
