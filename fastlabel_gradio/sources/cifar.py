"""CIFAR-10 through torchvision's reader: python batches on disk, or downloaded.

Source: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009. The batches are pickles, the one
place where FastLabel reads any: torchvision compares each file with the published MD5 before it opens it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from PIL import Image

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.numbered import array_key, numbered_items, position_of
from fastlabel_gradio.types import Item

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10

BATCHES = "cifar-10-batches-py"
FIRST_BATCH = "data_batch_1"


class Cifar10Options(SourceOptions):
    """Where the batches are and which of them to label.

    Attributes:
        path: the folder that holds `cifar-10-batches-py`, or the folder of the batches itself; the cache by default.
        part: the 50,000 pictures for training or the 10,000 for testing.
        download: fetch 170 MB where they are missing.
    """

    path: Path | None = None
    part: Literal["train", "test"] = "train"
    download: bool = False


@SOURCES.register("cifar10")
class Cifar10(Source):
    """The pictures of one part, 32 x 32 pixels, all with reference labels.

    Held in memory as uint8[n, 32, 32, 3], 154 MB for the part train.
    """

    medium = "image"
    Options = Cifar10Options

    def __init__(self, options: Cifar10Options, base_dir: Path, cache_dir: Path) -> None:
        folder = cache_dir if options.path is None else base_dir / options.path.expanduser()
        reader = _open_reader(folder, options)
        self._pictures = reader.data
        self._targets: list[int] = reader.targets
        self._classes: tuple[str, ...] = tuple(reader.classes)

    def scan(self) -> Iterator[Item]:
        return numbered_items(0, len(self._pictures))

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return Image.fromarray(self._pictures[self._position(item)])

    def content_key(self, item: Item) -> str:
        return array_key(self._pictures[self._position(item)])

    def classes(self) -> tuple[str, ...]:
        """CIFAR-10's ten, airplane to truck."""
        return self._classes

    def reference_label(self, item: Item) -> str | None:
        return self._classes[self._targets[self._position(item)]]

    def _position(self, item: Item) -> int:
        return position_of(item, len(self._pictures))


def is_cifar10(folder: Path) -> bool:
    """Whether `folder` is, or holds, the python batches of CIFAR-10."""
    return (folder / FIRST_BATCH).is_file() or (folder / BATCHES).is_dir()


def _open_reader(folder: Path, options: Cifar10Options) -> "CIFAR10":
    from torchvision.datasets import CIFAR10

    class Reader(CIFAR10):  # type: ignore[misc]  # torchvision has no types
        """Batches may lie in a folder of any name."""

        base_folder = folder.name if (folder / FIRST_BATCH).is_file() else BATCHES

    root = folder.parent if (folder / FIRST_BATCH).is_file() else folder
    try:
        if options.download:
            root.mkdir(parents=True, exist_ok=True)
        return Reader(root, train=options.part == "train", download=options.download)
    except (RuntimeError, OSError) as error:  # torchvision's word for missing or damaged files; no network
        reason = _reason(root / Reader.base_folder, error)
        raise SourceError(
            f"CIFAR-10 cannot be opened at {folder}: {reason}. Set `download: true` on a machine with a network, or "
            f"unpack {CIFAR10.filename} from {CIFAR10.url} there."
        ) from error


def _reason(batches: Path, error: Exception) -> str:
    if not batches.is_dir() and isinstance(error, RuntimeError):
        return f"there is no folder {batches}"
    if isinstance(error, RuntimeError):
        return "a batch is missing or differs from the published one (MD5)"
    return str(error)
