"""RemoteTree: a folder of a bucket or of a web server as sources of files see it. Files are fetched into a bounded cache."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.media.sounds import SoundInfo
from fastlabel_gradio.sources.address import Address, address_of, is_address
from fastlabel_gradio.sources.file_cache import FileCache
from fastlabel_gradio.sources.file_tree import Files, FileTree
from fastlabel_gradio.sources.files import id_of, key_of_samples, path_of
from fastlabel_gradio.sources.folder_walk import Tally, role_of
from fastlabel_gradio.sources.ranged_sound import RangedSound, ranged_sound
from fastlabel_gradio.sources.remote_store import UNSTAMPED, Entry, size_of_stamp, store_of
from fastlabel_gradio.types import Item, TimeSpan

HEAD_FROM_BYTES = 1 << 20  # a smaller file is fetched for its length: its sound is wanted anyway
PARTS_FROM_BYTES = 1 << 25  # of a smaller file parts are cut here: it comes as soon as a few of them
LOOKED_AT = 20_000  # entries of a folder that tell which folders are in it; in a flat bucket there is none behind them


class RemoteFiles(Files):
    """Ids are paths below an address, or addresses of files elsewhere.

    Args:
        addresses: of items by id, where a query or a login has to be sent along. It may grow.
    """

    def __init__(self, root: Address, cache: FileCache, addresses: Mapping[str, Address] | None = None) -> None:
        self.root = root
        self._cache = cache
        self._addresses = {} if addresses is None else addresses

    def __str__(self) -> str:
        return str(self.root)

    def stamp(self, file_id: str) -> str:
        """Of a web server nothing is asked: a file is taken not to change there."""
        address = self.address(file_id)
        if address.is_on_web:
            return UNSTAMPED
        entry = store_of(address).entry(address)
        return "missing" if entry is None else entry.stamp

    def version(self, file_id: str, stamp: str) -> str:
        return stamp or self.stamp(file_id)

    def path(self, file_id: str, stamp: str = "") -> Path:
        address = self.address(file_id)
        name = self._cache_name(file_id, stamp)
        return self._cache.path(name, _suffix(address), lambda path: store_of(address).fetch(address, path))

    def sound(self, file_id: str, span: TimeSpan | None, stamp: str = "") -> tuple[Path, TimeSpan | None]:
        """Of a long recording the part alone is fetched and kept, where its store and its format allow that."""
        if span is not None:
            name = span.id_in(self._cache_name(file_id, stamp))
            if cached := self._cache.find(name, ".wav"):
                return cached, None
            if sound := self._ranged(file_id, stamp, PARTS_FROM_BYTES):
                return self._cache.path(name, ".wav", lambda path: sound.write_part(span, path)), None
        return super().sound(file_id, span, stamp)

    def sound_info(self, file_id: str, stamp: str = "") -> SoundInfo:
        """By a few blocks, where its store and its format allow that."""
        sound = self._ranged(file_id, stamp, HEAD_FROM_BYTES)
        return sound.info if sound else super().sound_info(file_id, stamp)

    def sound_key(self, file_id: str, stamp: str = "") -> str:
        sound = self._ranged(file_id, stamp, PARTS_FROM_BYTES)
        return key_of_samples(sound.blocks.size, sound.blocks.fetch) if sound else super().sound_key(file_id, stamp)

    def _ranged(self, file_id: str, stamp: str, least_bytes: int) -> RangedSound | None:
        """None for a file that is kept here already, is smaller, or has to be fetched as a whole."""
        address = self.address(file_id)
        size = size_of_stamp(stamp)
        if size is not None and size < least_bytes:
            return None
        if self._cache.find(self._cache_name(file_id, stamp), _suffix(address)):
            return None
        sound = ranged_sound(address, self.version(file_id, stamp))
        return sound if sound and sound.blocks.size >= least_bytes else None

    def _cache_name(self, file_id: str, stamp: str) -> str:
        return f"{self.root}\n{file_id}\n{self.version(file_id, stamp)}"

    def read(self, file_id: str, start: int, end: int, stamp: str = "") -> bytes:
        """By a Range request; nothing is kept."""
        address = self.address(file_id)
        return store_of(address).read(address, start, end)

    def address(self, file_id: str) -> Address:
        """Where an item's file lies. Raises UnreadableItemError for an id that leads out of the tree."""
        known = self._addresses.get(file_id)
        if known is not None:
            return known
        relative = path_of(file_id)
        if is_address(relative):
            return address_of(relative)
        if not relative or relative.startswith("/") or ".." in relative.split("/"):
            raise UnreadableItemError(f"lies outside of the source's folder: {file_id}")
        return self.root.below(relative)


class RemoteTree(RemoteFiles, FileTree):
    """A folder that can be listed. Raises SourceError where what reads such an address is not installed."""

    def __init__(self, root: Address, cache: FileCache) -> None:
        super().__init__(root, cache)
        self._store = store_of(root)

    def check(self, noun: str) -> None:
        if next(self._store.entries(self.root), None) is None:
            raise SourceError(
                f"{self.root} does not exist, is empty or is no folder. Give the address of a folder with {noun}s; "
                "of a web server one that answers with a page of links."
            )

    def identity(self) -> str:
        return str(self.root)

    def names(self, suffixes: tuple[str, ...], tally: Tally | None = None, below: str = "") -> Iterator[str]:
        return (name for name, _ in self._walk(suffixes, tally or Tally("item"), below))

    def items(
        self, suffixes: tuple[str, ...], tally: Tally | None = None, unlisted: list[str] | None = None, below: str = ""
    ) -> Iterator[Item]:
        """Raises SourceError where a folder cannot be listed."""
        prefix = f"{below}/" if below else ""
        for name, entry in self._walk(suffixes, tally or Tally("item"), below):
            yield Item(id_of(prefix + name), entry.stamp)

    def files_in(self, suffixes: tuple[str, ...], below: str = "") -> Iterator[str]:
        for entry in self._store.entries(self.root.below(below)):
            if role_of(entry.name, entry.is_folder, suffixes, Tally("item")) == "file":
                yield entry.name

    def subfolders(self, below: str = "") -> list[str]:
        """Of the first LOOKED_AT entries."""
        first = islice(self._store.entries(self.root.below(below)), LOOKED_AT)
        return sorted(e.name for e in first if role_of(e.name, e.is_folder, (), Tally("item")) == "folder")

    def _walk(self, suffixes: tuple[str, ...], tally: Tally, below: str) -> Iterator[tuple[str, Entry]]:
        """Folder by folder, sorted by name; the names are relative to `below`."""
        pending = [""]
        while pending:
            prefix = pending.pop()
            folders: list[str] = []
            for entry in self._store.entries(self.root.below(f"{below}/{prefix}".strip("/"))):
                role = role_of(entry.name, entry.is_folder, suffixes, tally)
                if role == "file":
                    yield prefix + entry.name, entry
                elif role == "folder":
                    folders.append(f"{prefix}{entry.name}/")
            pending.extend(reversed(folders))


def _suffix(address: Address) -> str:
    suffix = PurePosixPath(address.name).suffix.lower()
    return suffix if re.fullmatch(r"\.\w{1,8}", suffix) else ""
