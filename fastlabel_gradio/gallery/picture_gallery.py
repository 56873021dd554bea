"""Pictures as the screen shows them. Small ones are read afresh; of large ones a thumbnail is kept."""

from PIL import Image

from fastlabel_gradio.gallery.base import SHEET_COLUMNS, Gallery
from fastlabel_gradio.gallery.tile_cache import Facts
from fastlabel_gradio.media.pictures import contact_sheet, encode_jpeg, thumbnail
from fastlabel_gradio.types import Item

THUMBNAIL_PX = 160
LARGE_VIEW_PX = 1280
WORTH_KEEPING_PX = 2 * THUMBNAIL_PX


class PictureGallery(Gallery):
    """Square tiles of at most THUMBNAIL_PX; the large view has at most LARGE_VIEW_PX a side."""

    def large_view(self, item: Item) -> bytes:
        return encode_jpeg(self._picture(item, LARGE_VIEW_PX), LARGE_VIEW_PX)

    def _read(self, item: Item) -> Image.Image:
        return self._picture(item, THUMBNAIL_PX)

    def _picture(self, item: Item, enough_px: int) -> Image.Image:
        picture = self._source.read(item, enough_px)
        assert isinstance(picture, Image.Image)
        return picture

    def _is_worth_keeping(self, media: Image.Image) -> bool:
        return max(media.size) >= WORTH_KEEPING_PX

    def _facts_of(self, media: Image.Image) -> Facts:
        return Facts(note=media.info.get("note", ""))

    def _draw(self, media: Image.Image) -> Image.Image:
        return thumbnail(media, THUMBNAIL_PX)

    def _sheet(self, tiles: list[Image.Image | None], *, fill: bool) -> bytes:
        return contact_sheet(tiles, SHEET_COLUMNS, THUMBNAIL_PX, fill=fill)
