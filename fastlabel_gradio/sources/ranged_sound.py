"""RangedSound: a long recording in a bucket or on a web server, of which parts are fetched by Range requests."""

from dataclasses import dataclass
from functools import lru_cache
from io import BufferedReader
from pathlib import Path

from fastlabel_gradio.media.sound_parts import info_of_head, write_part
from fastlabel_gradio.media.sounds import SoundInfo
from fastlabel_gradio.sources.address import Address
from fastlabel_gradio.sources.ranged_file import FileBlocks, RangedFile
from fastlabel_gradio.sources.remote_store import store_of
from fastlabel_gradio.types import TimeSpan

KEPT = 32  # recordings, each with up to 2 MiB of blocks


@dataclass(frozen=True, slots=True)
class RangedSound:
    """Attributes:
    blocks: of the file. info: by its head.
    """

    blocks: FileBlocks
    info: SoundInfo

    def write_part(self, span: TimeSpan, path: Path) -> None:
        """Writes a part as a file of its own. Raises UnreadableItemError, OSError."""
        stream = RangedFile(self.blocks)
        with stream.reading():
            write_part(BufferedReader(stream), self.info, span, path)


@lru_cache(KEPT)
def ranged_sound(address: Address, stamp: str) -> RangedSound | None:
    """The recording at an address; None where store or format give it only as a whole. Raises UnavailableItemError.

    Args:
        stamp: of the file; another one has it looked at again.
    """
    blocks = store_of(address).blocks(address)
    if blocks is None:
        return None
    stream = RangedFile(blocks)
    with stream.reading():
        info = info_of_head(BufferedReader(stream))
    return None if info is None else RangedSound(blocks, info)
