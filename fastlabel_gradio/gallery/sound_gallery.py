"""Sounds as the screen shows and plays them: spectrograms, and a file that the browser understands."""

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import wait
from hashlib import blake2b
from pathlib import Path

from PIL import Image

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.gallery.base import SHEET_COLUMNS, Gallery
from fastlabel_gradio.gallery.tile_cache import Facts
from fastlabel_gradio.media.loudness import gain_db, peak_dbfs
from fastlabel_gradio.media.pcen import import_librosa
from fastlabel_gradio.media.pictures import MAX_JPEG_SIDE_PX, encode_jpeg
from fastlabel_gradio.media.sounds import PLAYED_RATE_HZ, encode_flac, sound_info
from fastlabel_gradio.media.spectrograms import (
    PICTURE_VERSION,
    large_spectrogram,
    spectrogram_sheet,
    spectrogram_tile,
)
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item, Waveform

log = logging.getLogger(__name__)

CONVERTED_LIMIT_BYTES = 1 << 30
READ_NOW_S = 3.0  # that a batch may wait for sounds that nobody has read yet


class SoundGallery(Gallery):
    """Spectrogram tiles, each kept from the first reading on. Sounds that browsers cannot play are kept as FLAC.

    Args:
        folder: converted sounds lie in `sounds/` there, 1 GiB at most; may be deleted at any time.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self._view = source.sound_view
        self.tile_resolution = self._view.enough_rate_hz
        super().__init__(source, folder)
        if self._view.contrast == "pcen":
            import_librosa()
        self._converted = folder / "sounds"
        self._converting = threading.Lock()

    def large_view(self, item: Item) -> bytes:
        return encode_jpeg(large_spectrogram(self._read(item), self._view), MAX_JPEG_SIDE_PX)

    def facts(self, items: Sequence[Item]) -> list[Facts]:
        """What is known of each sound. Those that were never read, such as copies of other files, are read now.

        This takes READ_NOW_S at most: nothing is known yet of what is still unread then, as of long sounds whose cache was
        deleted.
        """
        unread = [item for item in items if self._cache.facts(item) is None]
        reading = [self._readers.submit(self._tile, item) for item in unread]
        read, late = wait(reading, READ_NOW_S)
        for future in late:
            future.cancel()
        for future in read:
            future.result()
        return super().facts(items)

    def playable_file(self, item: Item, converted: bool = False, normalised: bool = False) -> tuple[Path, str]:
        """A file that holds exactly this sound, and its media type.

        The source's own file where browsers play it; otherwise a FLAC made from it.

        Args:
            converted: a FLAC is wanted.
            normalised: a quiet sound is wanted louder, by the `gain_db` of its peak.

        Raises:
            UnreadableItemError: it cannot be read any more. OSError: the FLAC cannot be written.
        """
        gain = gain_db(self._peak_dbfs(item)) if normalised else 0
        original = self._source.file(item)
        if original is not None and not (converted or gain) and (media_type := sound_info(original).media_type):
            return original, media_type
        made = f"{item.id}\n{item.stamp}\n{self._view.sound_tag}\n{gain}"
        name = blake2b(made.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        flac = self._converted / f"{name}.flac"
        with self._converting:
            if not flac.exists():
                self._converted.mkdir(exist_ok=True)
                self._make_room()
                write_atomically(flac, encode_flac(self._waveform(item, PLAYED_RATE_HZ), gain))
        return flac, "audio/flac"

    def _peak_dbfs(self, item: Item) -> float | None:
        if self._cache.facts(item) is None:
            self._tile(item)
        return super().facts([item])[0].peak_dbfs

    def _read(self, item: Item) -> Waveform:
        return self._waveform(item, self.tile_resolution)

    def _waveform(self, item: Item, rate_hz: int) -> Waveform:
        waveform = self._source.read(item, rate_hz)
        assert isinstance(waveform, Waveform)
        return waveform

    def _is_worth_keeping(self, media: Waveform) -> bool:
        return True

    def _facts_of(self, media: Waveform) -> Facts:
        return Facts(media.seconds / self._view.expand, media.note, peak_dbfs(media))

    def _drawn_as(self) -> str:
        return f"{PICTURE_VERSION}{self._view.tag}"

    def _draw(self, media: Waveform) -> Image.Image:
        return spectrogram_tile(media, self._view)

    def _sheet(self, tiles: list[Image.Image | None], *, fill: bool) -> bytes:
        return encode_jpeg(spectrogram_sheet(tiles, SHEET_COLUMNS), MAX_JPEG_SIDE_PX)

    def _make_room(self) -> None:
        """Drops the sounds that were converted first while there are more than CONVERTED_LIMIT_BYTES."""
        files = sorted((file.stat().st_mtime, file.stat().st_size, file) for file in self._converted.iterdir())
        excess = sum(size for _, size, _ in files) - CONVERTED_LIMIT_BYTES
        for _, size, file in files:
            if excess <= 0:
                break
            file.unlink(missing_ok=True)
            excess -= size
