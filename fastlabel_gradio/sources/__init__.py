"""Where items come from. Importing this registers every source; `guess_source` chooses one for a path."""

from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources import cifar, demo, image_folder, sprite_sheet, table  # noqa: F401  # demo registers itself
from fastlabel_gradio.sources.base import SOURCES, Source, open_source

__all__ = ["SOURCES", "Source", "guess_source", "open_source"]


def guess_source(path: Path) -> tuple[str, dict[str, object]]:
    """The kind and options of the source that a path on the command line means.

    Raises:
        SourceError: a missing path, a single picture, a file of another kind.
    """
    options: dict[str, object] = {"path": str(path.absolute())}
    if path.is_dir():
        return ("cifar10" if cifar.is_cifar10(path) else "image_folder"), options
    if not path.exists():
        raise SourceError(f"{path} does not exist. Give a folder of pictures, a .csv or .jsonl table.")
    suffix = path.suffix.lower()
    if suffix in table.SUFFIXES:
        return "table", options
    if suffix in image_folder.SUFFIXES:
        raise SourceError(
            f"{path} is one picture. Give its folder; a sprite sheet needs a configuration with its tile size: copy "
            "configs/celeba.yaml and start with --config."
        )
    raise SourceError(f"{path} is not a source. Give a folder of pictures, a .csv or .jsonl table.")
