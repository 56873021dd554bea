"""ESC-50 and its part ESC-10: clips of 5 s in 50 or 10 classes and five folds.

Source: K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM Multimedia 2015.
"""

import re
import zipfile
from pathlib import Path

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.download import download, unpack_zip
from fastlabel_gradio.sources.folds import Clip, FoldedClips, FoldedOptions

URL = "https://github.com/karolpiczak/ESC-50/archive/master.zip"
METADATA = "meta/esc50.csv"

_WANTED = re.compile(r"[^/]+/(meta/esc50\.csv|audio/[^/]+\.\w+)")


class Esc50Options(FoldedOptions):
    """Where the clips are and which of them to label.

    Attributes:
        path: the folder that holds `meta` and `audio`; the cache by default.
        test_fold, follow_links: see `FoldedOptions`.
        esc10_only: the 400 clips of ESC-10 instead of all 2,000.
        download: fetch 600 MB where they are missing.
    """

    esc10_only: bool = False
    download: bool = False


@SOURCES.register("esc50")
class Esc50(FoldedClips):
    """The clips that `meta/esc50.csv` names, all with reference labels."""

    Options = Esc50Options
    metadata = METADATA
    columns = ("filename", "fold", "category", "esc10")
    source_column = "src_file"
    source_in_name = re.compile(r"\d+-([^-]+)-\w+-\d+\.")  # fold, source, take, target
    advice = f"Set `download: true` on a machine with a network, or unpack {URL} and give its folder as `path`."

    def _folder(self, options: Esc50Options, base_dir: Path, cache_dir: Path) -> Path:
        folder = cache_dir / "esc50" if options.path is None else base_dir / options.path.expanduser()
        if options.download and not is_esc50(folder):
            archive = folder.with_name(f"{folder.name}.zip")
            if not archive.exists():
                download(URL, archive, _check_archive)
            unpack_zip(archive, folder, _place)
            archive.unlink()
        return folder

    def _clip(self, cells: dict[str, str], source: str, options: Esc50Options) -> Clip | None:
        if options.esc10_only and cells["esc10"].lower() != "true":
            return None
        return Clip(cells["filename"], cells["category"], int(cells["fold"]), source)


def is_esc50(folder: Path) -> bool:
    """Whether `folder` has the layout of ESC-50."""
    return (folder / METADATA).is_file()


def _place(member: str) -> str | None:
    match = _WANTED.fullmatch(member)
    return None if match is None else match[1]


def _check_archive(archive: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as members:
            places = set(map(_place, members.namelist()))
    except (zipfile.BadZipFile, OSError) as error:
        raise SourceError(f"{URL} is not a good archive: {error}. Start again.") from error
    if METADATA not in places:
        raise SourceError(f"{URL} has no {METADATA} in it. Fetch ESC-50 by hand and give its folder as `path`.")
