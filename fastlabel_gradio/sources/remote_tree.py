"""RemoteTree: a folder of a bucket or of a web server as sources of files see it. Files are fetched into a bounded cache."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.sources.address import Address, address_of, is_address
from fastlabel_gradio.sources.file_cache import FileCache
from fastlabel_gradio.sources.file_tree import Files, FileTree
from fastlabel_gradio.sources.files import id_of, path_of
from fastlabel_gradio.sources.folder_walk import Tally, role_of
from fastlabel_gradio.sources.remote_store import UNSTAMPED, Entry, store_of
from fastlabel_gradio.types import Item

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
        name = f"{self.root}\n{file_id}\n{self.version(file_id, stamp)}"
        return self._cache.path(name, _suffix(address), lambda path: store_of(address).fetch(address, path))

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
