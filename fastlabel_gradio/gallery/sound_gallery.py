"""Sounds as the screen shows and plays them: spectrograms, and a file that the browser understands."""

import logging
import threading
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from PIL import Image

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.gallery.base import SHEET_COLUMNS, Gallery
from fastlabel_gradio.media.pictures import MAX_JPEG_SIDE_PX, encode_jpeg
from fastlabel_gradio.media.sounds import PLAYED_RATE_HZ, encode_flac, sound_info
from fastlabel_gradio.media.spectrograms import TOP_HZ, large_spectrogram, spectrogram_sheet, spectrogram_tile
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item, Waveform

log = logging.getLogger(__name__)

DRAWN_RATE_HZ = round(2 * TOP_HZ)
CONVERTED_LIMIT_BYTES = 1 << 30


class SoundGallery(Gallery):
    """Spectrogram tiles, each kept from the first reading on. Sounds that browsers cannot play are kept as FLAC.

    Args:
        folder: converted sounds lie in `sounds/` there, 1 GiB at most; may be deleted at any time.
    """

    kept_resolution = DRAWN_RATE_HZ

    def __init__(self, source: Source, folder: Path) -> None:
        super().__init__(source, folder)
        self._converted = folder / "sounds"
        self._converting = threading.Lock()

    def seconds(self, items: Sequence[Item]) -> list[float | None]:
        """How long each sound is; of one that was not read, such as the copy of another file, as its source finds it."""
        known = super().seconds(items)
        return [
            self._source.seconds(item) if found is None else found for item, found in zip(items, known, strict=True)
        ]

    def large_view(self, item: Item) -> bytes:
        return encode_jpeg(large_spectrogram(self._read(item)), MAX_JPEG_SIDE_PX)

    def playable_file(self, item: Item, converted: bool = False) -> tuple[Path, str]:
        """A file that holds exactly this sound, and its media type.

        The source's own file where browsers play it; otherwise, or where `converted` is asked for, a FLAC made from it.

        Raises:
            UnreadableItemError: it cannot be read any more. OSError: the FLAC cannot be written.
        """
        original = self._source.file(item)
        if original is not None and not converted and (media_type := sound_info(original).media_type):
            return original, media_type
        name = blake2b(f"{item.id}\n{item.stamp}".encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        flac = self._converted / f"{name}.flac"
        with self._converting:
            if not flac.exists():
                self._converted.mkdir(exist_ok=True)
                self._make_room()
                write_atomically(flac, encode_flac(self._waveform(item, PLAYED_RATE_HZ)))
        return flac, "audio/flac"

    def _read(self, item: Item) -> Waveform:
        return self._waveform(item, DRAWN_RATE_HZ)

    def _waveform(self, item: Item, rate_hz: int) -> Waveform:
        waveform = self._source.read(item, rate_hz)
        assert isinstance(waveform, Waveform)
        return waveform

    def _is_worth_keeping(self, media: Waveform) -> bool:
        return True

    def _draw(self, media: Waveform) -> Image.Image:
        return spectrogram_tile(media)

    def _sheet(self, tiles: list[Image.Image | None]) -> bytes:
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
