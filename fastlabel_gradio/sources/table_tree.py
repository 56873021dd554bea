"""TableTree: the files that the rows of a table name, below its root or by addresses of their own."""

import os
import posixpath
from pathlib import Path

from fastlabel_gradio.media.sounds import SoundInfo
from fastlabel_gradio.sources.address import Address, address_of, id_of_address, is_address, names_the_file
from fastlabel_gradio.sources.file_cache import cache_of
from fastlabel_gradio.sources.file_tree import Files
from fastlabel_gradio.sources.files import id_of
from fastlabel_gradio.sources.local_tree import LocalTree
from fastlabel_gradio.sources.remote_options import RemoteOptions
from fastlabel_gradio.sources.remote_tree import RemoteFiles
from fastlabel_gradio.sources.table_cells import Refused, path_below
from fastlabel_gradio.types import TimeSpan


class TableTree(Files):
    """Knows which addresses need a query or a login once `file_id` has read their cells.

    Args:
        root: what paths are relative to.
        options: how much is kept, and whether links out of the root are followed, where they say that.
    """

    def __init__(self, root: Path | Address, base_dir: Path, cache_dir: Path, options: RemoteOptions) -> None:
        self.root = root if isinstance(root, Address) else base_dir / root.expanduser()
        self._addresses: dict[str, Address] = {}
        cache = cache_of(self.root, cache_dir, options.cache_gb)
        start = self.root if isinstance(self.root, Address) else Address("https", "")
        self._far = RemoteFiles(start, cache, self._addresses)
        self._near: Files = self._far
        if isinstance(self.root, Path):
            self._near = LocalTree(self.root, getattr(options, "follow_links", False))

    def __str__(self) -> str:
        return str(self.root)

    def file_id(self, cell: str) -> str:
        """The id of what a cell names. Raises Refused."""
        text = cell.strip().strip("'\"").strip()
        if is_address(text):
            return self._id_of(_address_in(text))
        if isinstance(self.root, Path):
            return id_of(path_below(str(self.root), cell))
        path = posixpath.normpath(text.replace("\\", "/"))
        if ":" in path.split("/")[0] or path.startswith(("/", "~")):
            raise Refused("path of another place", f"write paths relative to {self.root}, or whole addresses")
        if not path.strip("./"):
            raise Refused("not the path of a file", "write one path a row")
        return self._id_of(self.root.below(path) if not path.startswith("../") else _joined(self.root, path))

    def is_there(self, path: str) -> bool:
        """Whether there is a file of that very name; of one that is far away it is not asked."""
        return isinstance(self.root, Path) and os.path.lexists(os.path.join(self.root, path))  # noqa: PTH118

    def stamp(self, file_id: str) -> str:
        return self._holder(file_id).stamp(file_id)

    def version(self, file_id: str, stamp: str) -> str:
        return self._holder(file_id).version(file_id, stamp)

    def path(self, file_id: str, stamp: str = "") -> Path:
        return self._holder(file_id).path(file_id, stamp)

    def name_of(self, file_id: str) -> str:
        return self._holder(file_id).name_of(file_id)

    def sound(self, file_id: str, span: TimeSpan | None, stamp: str = "") -> tuple[Path, TimeSpan | None]:
        return self._holder(file_id).sound(file_id, span, stamp)

    def sound_info(self, file_id: str, stamp: str = "") -> SoundInfo:
        return self._holder(file_id).sound_info(file_id, stamp)

    def sound_key(self, file_id: str, stamp: str = "") -> str:
        return self._holder(file_id).sound_key(file_id, stamp)

    def address(self, file_id: str) -> Address | None:
        """Where a file lies that is far away; None for one of this machine. Raises UnreadableItemError."""
        holder = self._holder(file_id)
        return holder.address(file_id) if isinstance(holder, RemoteFiles) else None

    def _holder(self, file_id: str) -> Files:
        return self._far if is_address(file_id) else self._near

    def _id_of(self, address: Address) -> str:
        below = self.root.relative(address) if isinstance(self.root, Address) else None
        found = id_of(below if below is not None and not names_the_file(address.query) else id_of_address(address))
        if address.query or address.login:
            self._addresses[found] = address
        return found


def _address_in(text: str) -> Address:
    try:
        return address_of(text)
    except ValueError as error:
        raise Refused("address without a host", str(error)) from error


def _joined(root: Address, path: str) -> Address:
    """A path with '..' in front, as a browser takes it."""
    while path.startswith("../"):
        root, path = root.parent, path[3:]
    return root.below(path)
