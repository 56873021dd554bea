"""One large picture made of equal tiles, each an item; local, or downloaded once from an https address."""

import hashlib
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from pydantic import NonNegativeInt, PositiveInt, field_validator, model_validator

from fastlabel_gradio.errors import SourceError, UnreadableItemError
from fastlabel_gradio.media.pictures import MAX_PIXELS, open_picture, picture_size
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.download import download
from fastlabel_gradio.sources.files import stamp_of
from fastlabel_gradio.sources.numbered import array_key, numbered_items, position_of
from fastlabel_gradio.types import Item

STRIPE_PX = 256


class SpriteSheetOptions(SourceOptions):
    """Where the sheet is and how it is cut.

    Attributes:
        path: a local path or an https address.
        count: tiles that hold a picture, row by row from the top left; columns x rows by default.
        padding_px: empty pixels between neighbouring tiles; none at the rim.
    """

    path: str
    tile_width_px: PositiveInt
    tile_height_px: PositiveInt
    columns: PositiveInt
    rows: PositiveInt
    count: PositiveInt | None = None
    padding_px: NonNegativeInt = 0

    @field_validator("path")
    @classmethod
    def _https_only(cls, path: str) -> str:
        if re.match(r"[a-z][a-z0-9+.-]+://", path, re.IGNORECASE) and not path.lower().startswith("https://"):
            raise ValueError(f"'{path}': only https addresses and local paths are read")
        return path

    @model_validator(mode="after")
    def _count_fits(self) -> "SpriteSheetOptions":
        if self.tiles > self.columns * self.rows:
            raise ValueError(
                f"count {self.count} exceeds {self.columns} x {self.rows} = {self.columns * self.rows} tiles"
            )
        return self

    @property
    def tiles(self) -> int:
        return self.columns * self.rows if self.count is None else self.count

    @property
    def sheet_size(self) -> tuple[int, int]:
        """Width and height in pixels that the sheet must have."""
        width = self.columns * (self.tile_width_px + self.padding_px) - self.padding_px
        height = self.rows * (self.tile_height_px + self.padding_px) - self.padding_px
        return width, height


@SOURCES.register("sprite_sheet")
class SpriteSheet(Source):
    """The tiles of one sheet; ids are "0" to "count - 1", row by row.

    The sheet is decoded at the first read and kept as uint8[height, width, 3]: 3 bytes a pixel, 207 MB for the
    9600 x 7200 of CelebA, and 8 bytes a pixel while it is being decoded. At most MAX_PIXELS pixels, of any shape.
    """

    medium = "image"
    Options = SpriteSheetOptions

    def __init__(self, options: SpriteSheetOptions, base_dir: Path, cache_dir: Path) -> None:
        self.options = options
        self.path = _local_sheet(options, base_dir, cache_dir)
        self._stamp = stamp_of(self.path.stat())
        self._lock = threading.Lock()
        self._pixels: np.ndarray | None = None
        self._failure = ""

    def scan(self) -> Iterator[Item]:
        return numbered_items(0, self.options.tiles, self._stamp)

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return Image.fromarray(self._tile(item))

    def content_key(self, item: Item) -> str:
        return array_key(self._tile(item))

    def _tile(self, item: Item) -> np.ndarray:
        options = self.options
        row, column = divmod(position_of(item, options.tiles), options.columns)
        top = row * (options.tile_height_px + options.padding_px)
        left = column * (options.tile_width_px + options.padding_px)
        return self._sheet()[top : top + options.tile_height_px, left : left + options.tile_width_px]

    def _sheet(self) -> np.ndarray:
        """The decoded sheet. A damaged one fails once; later reads repeat the reason, they do not decode again."""
        with self._lock:
            if self._failure:
                raise UnreadableItemError(self._failure)
            if self._pixels is None:
                try:
                    self._pixels = _pixels_of(_decoded(self.path, self.options))
                except UnreadableItemError as error:
                    self._failure = f"sheet: {error}"
                    raise UnreadableItemError(self._failure) from error
            return self._pixels


def _local_sheet(options: SpriteSheetOptions, base_dir: Path, cache_dir: Path) -> Path:
    if not options.path.lower().startswith("https://"):
        path = base_dir / Path(options.path).expanduser()
        if not path.is_file():
            raise SourceError(f"{path} is not a file. Give the path or the https address of a sprite sheet as `path`.")
        _check_header(path, options)
        return path
    path = cached_path(options.path, cache_dir)
    if path.exists():
        _check_header(path, options)
    else:
        download(options.path, path, lambda fetched: _check_fully(fetched, options))
    return path


def cached_path(url: str, cache_dir: Path) -> Path:
    """Where the download of an address is kept: a name that people recognise, and a hash that keeps addresses apart."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", Path(urlsplit(url).path).name)[-60:] or "sheet"
    return cache_dir / f"{hashlib.blake2b(url.encode(), digest_size=6).hexdigest()}-{name}"


def _check_header(path: Path, options: SpriteSheetOptions) -> None:
    try:
        found = picture_size(path, side_limit_px=MAX_PIXELS)
    except UnreadableItemError as error:
        raise SourceError(
            f"{path} cannot be read as a picture: {error}. Delete it or put a good copy there."
        ) from error
    _check_fit(path, found, options)


def _check_fully(path: Path, options: SpriteSheetOptions) -> None:
    try:
        _decoded(path, options)
    except UnreadableItemError as error:
        raise SourceError(
            f"{options.path} is not a good picture: {error}. Check the address, or start again."
        ) from error


def _decoded(path: Path, options: SpriteSheetOptions) -> Image.Image:
    sheet = open_picture(path, side_limit_px=MAX_PIXELS, whole=True)
    _check_fit(path, sheet.size, options)
    return sheet


def _pixels_of(sheet: Image.Image) -> np.ndarray:
    """The sheet as uint8[height, width, 3], copied in stripes: in one piece Pillow needs the memory a second time."""
    pixels = np.empty((sheet.height, sheet.width, 3), dtype=np.uint8)
    for top in range(0, sheet.height, STRIPE_PX):
        bottom = min(top + STRIPE_PX, sheet.height)
        pixels[top:bottom] = np.asarray(sheet.crop((0, top, sheet.width, bottom)))
    return pixels


def _check_fit(path: Path, found: tuple[int, int], options: SpriteSheetOptions) -> None:
    wanted = options.sheet_size
    if found != wanted:
        tiles = f"{options.columns} x {options.rows} tiles of {options.tile_width_px} x {options.tile_height_px} px"
        raise SourceError(
            f"{path} is {found[0]} x {found[1]} px, but {tiles} with {options.padding_px} px between them need "
            f"{wanted[0]} x {wanted[1]} px. Correct tile_width_px, tile_height_px, columns, rows or padding_px."
        )
