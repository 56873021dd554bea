"""Handwritten digits that come with scikit-learn: nothing to download, all reference labels known.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998; the
1,797 pictures of its test part, 8 x 8 pixels.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.numbered import array_key, numbered_items, position_of
from fastlabel_gradio.types import Item

POOL_SIZE = 1_200
SHOWN_SIDE_PX = 32


class DemoOptions(SourceOptions):
    """`part`: the first 1,200 digits with the last 597 held out ("pool"), or all 1,797 with none held out ("all")."""

    part: Literal["pool", "all"] = "pool"


def _digits_file() -> Path:
    """The file that `sklearn.datasets.load_digits` reads; importing that takes seconds, the first that people see."""
    package = importlib.util.find_spec("sklearn")
    if package is None or package.origin is None:
        raise SourceError("The demo's digits come with scikit-learn, which is not installed. Install FastLabel again.")
    return Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz"


@SOURCES.register("demo")
class Demo(Source):
    """Digits 0 to 9, enlarged to 32 x 32 pixels; the content key is that of the 8 x 8 original."""

    medium = "image"
    Options = DemoOptions

    def __init__(self, options: DemoOptions, base_dir: Path, cache_dir: Path) -> None:
        table = np.loadtxt(_digits_file(), delimiter=",", dtype=np.uint8)  # 64 pixels, then the digit
        self._pictures = np.rint(table[:, :-1].reshape(-1, 8, 8) * (255 / 16)).astype(
            np.uint8
        )  # they count from 0 to 16
        self._targets = table[:, -1]
        self._pool_size = POOL_SIZE if options.part == "pool" else len(self._pictures)

    def scan(self) -> Iterator[Item]:
        return numbered_items(0, self._pool_size)

    def held_out(self) -> Iterator[Item]:
        """The last 597 digits, the test part of `benchmarks/`; none with `part: all`."""
        return numbered_items(self._pool_size, len(self._pictures))

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        digit = Image.fromarray(self._pictures[self._position(item)])
        return digit.resize((SHOWN_SIDE_PX, SHOWN_SIDE_PX), Image.Resampling.BICUBIC).convert("RGB")

    def content_key(self, item: Item) -> str:
        return array_key(self._pictures[self._position(item)])

    def classes(self) -> tuple[str, ...]:
        return tuple("0123456789")

    def reference_label(self, item: Item) -> str | None:
        return str(self._targets[self._position(item)])

    def _position(self, item: Item) -> int:
        return position_of(item, len(self._pictures))
