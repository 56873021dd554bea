"""Galleries: the items of a project as the screen shows them. One for pictures, one for sounds."""

from pathlib import Path

from fastlabel_gradio.gallery.base import SHEET_COLUMNS, Gallery
from fastlabel_gradio.gallery.picture_gallery import PictureGallery
from fastlabel_gradio.gallery.sound_gallery import SoundGallery
from fastlabel_gradio.sources import Source

__all__ = ["SHEET_COLUMNS", "Gallery", "PictureGallery", "SoundGallery", "open_gallery"]


def open_gallery(source: Source, folder: Path) -> Gallery:
    """The gallery for a source's kind; what it caches lies in `folder`."""
    return PictureGallery(source, folder) if source.medium == "image" else SoundGallery(source, folder)
