"""UrbanSound8K: 8,732 clips of at most 4 s in ten classes and ten folds.

Source: J. Salamon, C. Jacoby, J. P. Bello, A Dataset and Taxonomy for Urban Sound Research, ACM Multimedia 2014.
"""

import re
from pathlib import Path

from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.folds import Clip, FoldedClips, FoldedOptions

METADATA = "metadata/UrbanSound8K.csv"


class UrbanSound8KOptions(FoldedOptions):
    """Where the clips are.

    Attributes:
        path: the folder that holds `metadata` and `audio`.
        test_fold, follow_links: see `FoldedOptions`.
    """

    path: Path


@SOURCES.register("urbansound8k")
class UrbanSound8K(FoldedClips):
    """The clips that `metadata/UrbanSound8K.csv` names, all with reference labels; ids are `fold1/name.wav`."""

    Options = UrbanSound8KOptions
    metadata = METADATA
    columns = ("slice_file_name", "fold", "class")
    source_column = "fsID"
    source_in_name = re.compile(r"(\d+)-\d+-\d+-\d+\.")  # source, class, occurrence, slice
    advice = "Fetch it from https://urbansounddataset.weebly.com/urbansound8k.html and give its folder as `path`."

    def _folder(self, options: UrbanSound8KOptions, base_dir: Path, cache_dir: Path) -> Path:
        return base_dir / options.path.expanduser()

    def _clip(self, cells: dict[str, str], source: str, options: UrbanSound8KOptions) -> Clip | None:
        fold = int(cells["fold"])
        return Clip(f"fold{fold}/{cells['slice_file_name']}", cells["class"], fold, source)


def is_urbansound8k(folder: Path) -> bool:
    """Whether `folder` has the layout of UrbanSound8K."""
    return (folder / METADATA).is_file()
