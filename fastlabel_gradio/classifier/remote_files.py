"""Files of buckets and web servers that a classifier is asked about. They are fetched into a bounded cache."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.media.sounds import SoundInfo
from fastlabel_gradio.sources.address import Address, address_of, id_of_address, is_address
from fastlabel_gradio.sources.file_cache import FileCache, cache_of
from fastlabel_gradio.sources.remote_tree import RemoteFiles
from fastlabel_gradio.types import TimeSpan

CACHE_GB = 2.0  # of all that predicts on this machine: a file is read soon after it was fetched


@cache
def fetched_files() -> FileCache:
    """What was fetched, in the folder in which working directories lie."""
    from fastlabel_gradio.data_options import workdir_base

    return cache_of("predict", workdir_base(), CACHE_GB)


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file elsewhere, or a part of a sound there. As a text it is an address without a secret, with the part behind it.

    Attributes:
        stamp: as its folder was listed; "" has its store asked for the newest.
    """

    address: Address
    span: TimeSpan | None = None
    stamp: str = ""

    def __str__(self) -> str:
        file = id_of_address(self.address)
        return file if self.span is None else self.span.id_in(file)

    def part(self, span: TimeSpan) -> "RemoteFile":
        """A part of the sound in it."""
        return replace(self, span=span)

    def picture(self) -> Path:
        """The file on this machine. Raises UnreadableItemError."""
        return self._files().path(str(self), self.stamp)

    def sound(self) -> tuple[Path, TimeSpan | None]:
        """A file of this machine that holds the sound, and which part of it that is. Raises UnreadableItemError."""
        whole = replace(self, span=None)
        return whole._files().sound(str(whole), self.span, self.stamp)

    def sound_info(self) -> SoundInfo:
        """Length and rate. Raises UnreadableItemError."""
        return self._files().sound_info(str(self), self.stamp)

    def _files(self) -> RemoteFiles:
        return RemoteFiles(self.address.parent, fetched_files(), {str(self): self.address})


def remote_file(text: str) -> RemoteFile | None:
    """What a text names where it is an address; None for a path of this machine.

    Raises:
        UnreadableItemError: an address without a host or a bucket.
    """
    if not is_address(text):
        return None
    file, span = TimeSpan.split(text.strip())
    try:
        return RemoteFile(address_of(file), span)
    except ValueError as error:
        raise UnreadableItemError(str(error)) from error
