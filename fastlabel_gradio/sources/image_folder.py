"""Pictures in a folder and its sub-folders."""

from PIL import Image

from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.files import file_key
from fastlabel_gradio.sources.folder import FolderOptions, FolderSource
from fastlabel_gradio.types import Item

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


class ImageFolderOptions(FolderOptions):
    """`path`: the folder. `take_test`, `follow_links`: see `FolderOptions`."""


@SOURCES.register("image_folder")
class ImageFolder(FolderSource):
    """Every picture file under a folder."""

    kind = "image"
    noun = "picture"
    suffixes = SUFFIXES
    Options = ImageFolderOptions

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return open_picture(self.file_of(item.id), resolution)

    def content_key(self, item: Item) -> str:
        return file_key(self.file_of(item.id))
