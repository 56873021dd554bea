"""Which column of a table holds the paths and which the labels: the one that its user names, or one with a usual name."""

import logging
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from fastlabel_gradio.errors import SourceError

PATH, LABEL = "path", "label"  # the names by default, the most exact ones

# Without case, blanks and signs, the more exact ones first.
PATH_NAMES = (
    *("path", "filepath", "file", "filename", "fname", "relativepath", "fullpath", "absolutepath", "filelocation"),
    *(
        "imagepath",
        "imgpath",
        "imagefile",
        "imagefilename",
        "imagename",
        "imgname",
        "imgfile",
        "image",
        "img",
        "picture",
    ),
    *(
        "photo",
        "audiopath",
        "audiofilepath",
        "audiofile",
        "audiofilename",
        "audioname",
        "soundfile",
        "wavfile",
        "audio",
    ),
    *("sound", "wav", "recording", "clip", "slicefilename", "beginfile", "itemid"),
)
LABEL_NAMES = (
    *("label", "class", "category", "target", "labelname", "classname", "categoryname", "classlabel", "targetname"),
    *("labels", "species", "commonname", "primarylabel", "groundtruth", "tag", "annotation", "y"),
)
EXPORT_COLUMNS = frozenset({"item_id", "label", "annotator", "created_at"})  # of FastLabel's own export
PLACES_COLUMNS = frozenset({"item_id", "path", "label", "place"})  # of the list in its folder tree

_log = logging.getLogger(__name__)


def is_known(name: str) -> bool:
    """Whether a column of that name is one of paths or of labels."""
    return _plain(name) in PATH_NAMES + LABEL_NAMES


def is_own_export(columns: Sequence[str]) -> bool:
    """Whether a table with these columns is an export of FastLabel."""
    return EXPORT_COLUMNS.issubset(columns) or PLACES_COLUMNS.issubset(columns)


def path_column(table: Path, wanted: str, columns: Sequence[str], holds_paths: Callable[[str], bool]) -> str:
    """The column of the paths.

    A column that is called `wanted` but for case, blanks and signs; by default also one with another usual name, then
    one whose cells look like names of files. Of several the one that holds names of files, then the more exact name.

    Args:
        holds_paths: whether the first cells of a column look like names of files.

    Raises:
        SourceError: none fits; the message names the columns and the option.
    """
    if wanted == PATH and is_own_export(columns):
        return "item_id"
    if wanted != PATH:
        found = _called(wanted, columns)
        if found is None:
            raise SourceError(_none_fits(table, wanted, columns, PATH))
        return found
    fitting = _by_names(PATH_NAMES, columns) or [name for name in columns if holds_paths(name)]
    if not fitting:
        raise SourceError(_none_fits(table, wanted, columns, PATH))
    fitting.sort(key=lambda name: not holds_paths(name))
    _tell(table, PATH, fitting)
    return fitting[0]


def label_column(table: Path, wanted: str, columns: Sequence[str], taken: Collection[str | None]) -> str | None:
    """The column of the labels, found as that of the paths by its name; None where no name fits and none was asked for.

    Args:
        taken: columns that hold something else; by default none of these is guessed.

    Raises:
        SourceError: there is no column of the name that was asked for.
    """
    if wanted != LABEL:
        found = _called(wanted, columns)
        if found is None:
            raise SourceError(_none_fits(table, wanted, columns, LABEL))
        return found
    left = [name for name in columns if name not in taken]
    fitting = _by_names(LABEL_NAMES, left)
    if not fitting:
        if left:
            _log.info("%s: no column of labels among %s; --label-column names one", table, ", ".join(left))
        return None
    _tell(table, LABEL, fitting)
    return fitting[0]


def group_column(table: object, wanted: str, columns: Sequence[str]) -> str:
    """The column that is called `wanted` but for case, blanks and signs. Raises SourceError where there is none."""
    found = _called(wanted, columns)
    if found is None:
        raise SourceError(
            f"{table}: no column '{wanted}'. Its columns: {', '.join(columns)}. Name the one of the groups as "
            "`group_column`, or leave it out."
        )
    return found


def other_column(wanted: str, columns: Sequence[str]) -> str:
    """The column that is called `wanted` but for case, blanks and signs; `wanted` itself where there is none."""
    return _called(wanted, columns) or wanted


def _called(wanted: str, columns: Sequence[str]) -> str | None:
    if wanted in columns:
        return wanted
    return next((name for name in columns if _plain(name) == _plain(wanted) != ""), None)


def _by_names(names: Sequence[str], columns: Sequence[str]) -> list[str]:
    """The columns that have one of the names, the more exact ones first."""
    found = [name for name in columns if _plain(name) in names]
    return sorted(found, key=lambda name: (names.index(_plain(name)), name != _plain(name)))


def _plain(name: str) -> str:
    return "".join(character for character in name.casefold() if character.isalnum())


def _tell(table: Path, what: str, fitting: Sequence[str]) -> None:
    """Says which column was taken where that is no matter of course."""
    if len(fitting) > 1:
        others = ", ".join(f"'{name}'" for name in fitting[1:])
        text = "%s: column '%s' is taken for the %ss; it could be %s too: --%s-column names another"
        _log.warning(text, table, fitting[0], what, others, what)
    elif fitting[0] != what:
        _log.info("%s: column '%s' is taken for the %ss; --%s-column names another", table, fitting[0], what, what)


def _none_fits(table: Path, wanted: str, columns: Sequence[str], what: str) -> str:
    found = ", ".join(columns) or "none"
    return (
        f"{table}: no column '{wanted}'. Its columns: {found}. Name the one of the {what}s: --{what}-column C on the "
        f"command line, `{what}_column: C` in the configuration."
    )


def named_label(values: object) -> object:
    """What an object says under a usual name of a label; None where it has none, or is no object."""
    if not isinstance(values, dict):
        return None
    name = named_column([key for key in values if isinstance(key, str)])
    return None if name is None else values[name]


def named_column(columns: Sequence[str]) -> str | None:
    """The column that has the most exact of the usual names of labels; None where none has one."""
    return next(iter(_by_names(LABEL_NAMES, columns)), None)
