"""Pictures in a folder and its sub-folders."""

from PIL import Image

from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.files import file_key, locate
from fastlabel_gradio.sources.folder import FolderOptions, FolderSource
from fastlabel_gradio.types import Item

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class ImageFolderOptions(FolderOptions):
    """`path`: the folder. `take_test`: whether `test` beside other splits belongs to the pool."""


@SOURCES.register("image_folder")
class ImageFolder(FolderSource):
    """Every picture file under a folder."""

    kind = "image"
    noun = "picture"
    suffixes = SUFFIXES
    Options = ImageFolderOptions

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return open_picture(locate(self.root, item.id), resolution)

    def content_key(self, item: Item) -> str:
        return file_key(locate(self.root, item.id))
