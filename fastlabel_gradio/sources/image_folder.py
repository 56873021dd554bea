"""Pictures in a folder and its sub-folders."""

from pathlib import Path

from PIL import Image

from fastlabel_gradio.media.pictures import open_picture
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.folder import FolderOptions, FolderSource
from fastlabel_gradio.types import Item

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".ico"),
    *(".avif", ".heic", ".heif", ".hif", ".jxl", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    *(".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
)

_RAW = "camera raw is not decoded: export it as JPEG or TIFF"
_EXPORT = "is not read: export it as PNG or TIFF"

# Why files that people take for pictures are no items, by suffix.
NOT_READ = {
    **dict.fromkeys((".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".sr2", ".srf", ".dng", ".raf", ".orf"), _RAW),
    **dict.fromkeys((".rw2", ".pef", ".srw", ".x3f", ".3fr", ".iiq", ".mrw", ".kdc", ".dcr", ".erf", ".raw"), _RAW),
    **dict.fromkeys((".psd", ".psb"), f"Photoshop's format {_EXPORT}"),
    **dict.fromkeys((".dcm", ".dicom"), f"DICOM {_EXPORT}"),
    **dict.fromkeys(
        (".nii", ".fits", ".fit", ".czi", ".nd2", ".lif", ".lsm", ".svs"), f"this scientific format {_EXPORT}"
    ),
    **dict.fromkeys(
        (".svg", ".svgz", ".eps", ".ps", ".ai", ".wmf", ".emf"), "a drawing has no pixels: export it as PNG"
    ),
    **dict.fromkeys((".pdf", ".djvu"), "a document: export its pages as PNG"),
    **dict.fromkeys(
        (".tga", ".dds", ".exr", ".hdr", ".xcf", ".qoi", ".pam", ".pcx", ".icns", ".bpg"), f"this format {_EXPORT}"
    ),
    **dict.fromkeys((".jxr", ".wdp", ".hdp"), f"JPEG XR {_EXPORT}"),
}


class ImageFolderOptions(FolderOptions):
    """`path`: the folder. `take_test`, `follow_links`, `group_pattern`: see `FolderOptions`."""


@SOURCES.register("image_folder")
class ImageFolder(FolderSource):
    """Every picture file under a folder."""

    medium = "image"
    noun = "picture"
    suffixes = SUFFIXES
    not_read = NOT_READ
    Options = ImageFolderOptions

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return open_picture(self.tree.path(item.id, item.stamp), resolution)

    def check_file(self, path: Path) -> None:
        open_picture(path, whole=True)

    def content_key(self, item: Item) -> str:
        return self.tree.key(item.id, item.stamp)
