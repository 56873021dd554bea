"""TableFile: the file of a table, on this machine or fetched anew at each look."""

from hashlib import blake2b
from pathlib import Path

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.sources.address import Address
from fastlabel_gradio.sources.files import file_key, file_stamp
from fastlabel_gradio.sources.remote_store import store_of


class TableFile:
    """Attributes:
    folder: where it lies. local: its path; None for one that lies elsewhere.
    """

    def __init__(self, place: Path | Address, base_dir: Path, cache_dir: Path) -> None:
        self._address = place if isinstance(place, Address) else None
        self._path = base_dir / place.expanduser() if isinstance(place, Path) else _path_of_copy(place, cache_dir)
        self.local = self._path if isinstance(place, Path) else None
        self.folder: Path | Address = place.parent if isinstance(place, Address) else self._path.parent

    def __str__(self) -> str:
        return str(self._address or self._path)

    def newest(self) -> tuple[Path, str]:
        """The file as it is now, and what changes with it. Raises SourceError where it cannot be fetched."""
        if self._address is None:
            return self._path, file_stamp(self._path)
        partial = self._path.with_name(f"{self._path.name}.part")
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            store_of(self._address).fetch(self._address, partial)
            partial.replace(self._path)
            return self._path, file_key(self._path)
        except UnreadableItemError as error:
            raise SourceError(f"{self._address}: {error}") from None
        except OSError as error:
            raise SourceError(f"{self._path} cannot be written: {error.strerror}. Make room.") from error


def _path_of_copy(address: Address, cache_dir: Path) -> Path:
    """Under its own name, which messages show and by whose suffix it is read."""
    folder = blake2b(str(address).encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()
    return cache_dir / "tables" / folder / address.name
