"""What a gallery is: contact sheets and large views of items, with a cache of their tiles on disk."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image

from fastlabel_gradio.errors import UnreadableItemError
from fastlabel_gradio.gallery.tile_cache import Facts, TileCache
from fastlabel_gradio.sources import Source
from fastlabel_gradio.types import Item, Media

SHEET_COLUMNS = 10
READERS = 4


class Gallery(ABC):
    """Items as pictures, ready to be sent. Safe from several threads.

    Attributes:
        tile_resolution: what `keep` needs at least to draw a good tile, as `resolution` of `Source.read`.

    Args:
        folder: tiles are cached there in `thumbnails.sqlite`, which may be deleted while the app is not running.
    """

    tile_resolution: int = 0

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._readers = ThreadPoolExecutor(READERS, "gallery")
        self._cache = TileCache(folder / "thumbnails.sqlite", self._drawn_as())

    def contact_sheet(self, items: Sequence[Item | None], *, fill: bool = False) -> bytes:
        """One JPEG of SHEET_COLUMNS tiles a row, in the order of `items`; None and unreadable items leave a tile empty.

        With `fill` pictures fill their tiles, which cuts something off of those that are no squares.
        """
        return self._sheet(list(self._readers.map(self._tile, items)), fill=fill)

    def keep(self, item: Item, media: Media) -> None:
        """Caches the tile of an item that was read for another purpose, if making it again would take long.

        What had to be done to read it is cached always.
        """
        facts = self._facts_of(media)
        if self._is_worth_keeping(media) or facts.note:
            self._cache.put(item, self._draw(media), facts)

    def facts(self, items: Sequence[Item]) -> list[Facts]:
        """What is known of each item, as far as it was read before."""
        return [self._cache.facts(item) or Facts() for item in items]

    def seconds(self, items: Sequence[Item]) -> list[float | None]:
        """How long each sound is; None for pictures."""
        return [facts.seconds for facts in self.facts(items)]

    def notes(self, items: Sequence[Item]) -> list[str]:
        """What had to be done to read each item, in one line; "" where nothing had."""
        return [facts.note for facts in self.facts(items)]

    def close(self) -> None:
        self._readers.shutdown()
        self._cache.close()

    @abstractmethod
    def large_view(self, item: Item) -> bytes:
        """A JPEG of one item as large as a screen needs it. Raises UnreadableItemError."""

    @abstractmethod
    def _read(self, item: Item) -> Any:
        """The item, as large as a tile needs it. Raises UnreadableItemError."""

    @abstractmethod
    def _is_worth_keeping(self, media: Any) -> bool:
        """Whether reading and drawing it again would take long."""

    @abstractmethod
    def _facts_of(self, media: Any) -> Facts:
        """What is to be known of an item that was read."""

    def _drawn_as(self) -> str:
        """Names the way in which tiles are drawn, where there is more than one."""
        return ""

    @abstractmethod
    def _draw(self, media: Any) -> Image.Image:
        """The tile of an item."""

    @abstractmethod
    def _sheet(self, tiles: list[Image.Image | None], *, fill: bool) -> bytes:
        """Tiles on one JPEG."""

    def _tile(self, item: Item | None) -> Image.Image | None:
        if item is None:
            return None
        cached = self._cache.get(item)
        if cached is not None:
            return cached
        try:
            media = self._read(item)
        except UnreadableItemError:
            return None
        self.keep(item, media)
        return self._draw(media)
