"""Which items of a pool the labels of a file mean: by id, by path, by the name of the file, by the part of a recording."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from fastlabel_gradio.imports.base import ImportedLabel, Refuse
from fastlabel_gradio.types import TimeSpan

LEAST_SHARE = 0.5  # of the shorter of a window and a selection, that both have to share

_NOT_THERE = "not in this project"
_AMBIGUOUS = "name of several items"
_PARTS = "recording that is cut into windows"


class Matched(NamedTuple):
    """A label and an item that it means."""

    label: ImportedLabel
    item_id: str


Windows = list[tuple[TimeSpan | None, str]]  # of a file: which part each item of it is, and its id
Files = dict[str, Windows]


def match(labels: Sequence[ImportedLabel], pool: Iterable[str], refuse: Refuse) -> Iterator[Matched]:
    """The items of labels, in their order. A selection of a recording means every window with which it shares enough.

    A path is that of an item where they end alike, and no other item's ends as much alike.

    Args:
        pool: every item id, read once.
        refuse: is given labels that mean no item.
    """
    exact, named = _looked_up(labels, pool)
    for label in labels:
        plain = _plain(label.item)
        if label.span is None and (label.item in exact or plain in exact):
            yield Matched(label, label.item if label.item in exact else plain)
            continue
        files = named.get(_name(plain, label.lacks_suffix), {})
        best = _best(plain, files, label.lacks_suffix)
        if len(best) != 1:
            what = _AMBIGUOUS if best else _NOT_THERE
            why = "give more of the path" if best else "no item has this path"
            refuse(what, why, f"{label.place}: {label.item!r}")
            continue
        found = _parts(label, files[best[0]])
        for item_id in found:
            yield Matched(label, item_id)
        if not found:
            whole = label.span is None
            why = "give seconds at which it begins and ends" if whole else "no window shares half of it"
            refuse(_PARTS if whole else "selection between windows", why, f"{label.place}: {label.item!r}")


def _looked_up(labels: Sequence[ImportedLabel], pool: Iterable[str]) -> tuple[set[str], dict[str, Files]]:
    """The ids that labels name exactly, and by name of the file (with its suffix and without) all that have it."""
    wanted = {label.item for label in labels} | {_plain(label.item) for label in labels}
    names = {_name(_plain(label.item), label.lacks_suffix) for label in labels}
    stems = any(label.lacks_suffix for label in labels)
    exact: set[str] = set()
    named: dict[str, Files] = {}
    for item_id in pool:
        if item_id in wanted:
            exact.add(item_id)
        file_id, span = TimeSpan.split(item_id)
        for key in (_name(file_id, False), *((_name(_without_suffix(file_id), True),) if stems else ())):
            if key in names:
                named.setdefault(key, {}).setdefault(file_id, []).append((span, item_id))
    return exact, named


def _best(path: str, files: Files, lacks_suffix: bool) -> list[str]:
    """The files whose paths end as this one does, as far as the shorter of both goes; of several those that share most."""
    plain = TimeSpan.split(path)[0]
    alike = {file_id: _alike(plain, _without_suffix(file_id) if lacks_suffix else file_id) for file_id in files}
    most = max(alike.values(), default=0)
    return [file_id for file_id, count in alike.items() if count == most > 0]


def _alike(first: str, second: str) -> int:
    """How many folders and names at the end of two paths are the same; 0 where one is not the end of the other."""
    one, other = first.strip("/").split("/"), second.strip("/").split("/")
    shorter = min(len(one), len(other))
    return shorter if one[-shorter:] == other[-shorter:] else 0


def _parts(label: ImportedLabel, windows: Windows) -> list[str]:
    wanted = label.span or TimeSpan.split(label.item)[1]
    whole = [item_id for span, item_id in windows if span is None]
    if wanted is None or whole:
        return whole
    return [item_id for span, item_id in windows if span is not None and _shares(wanted, span)]


def _shares(selection: TimeSpan, window: TimeSpan) -> bool:
    if selection.start_s == selection.end_s:  # a point in time
        return window.start_s <= selection.start_s < window.end_s
    common = min(selection.end_s, window.end_s) - max(selection.start_s, window.start_s)
    shorter = min(selection.end_s - selection.start_s, window.end_s - window.start_s)
    return common >= LEAST_SHARE * shorter - 1e-6


def _plain(item: str) -> str:
    """As ids are written: with / between folders, without ./ before the first, and no address."""
    return item.strip().removeprefix("file://").replace("\\", "/").removeprefix("./")


def _name(path: str, lacks_suffix: bool) -> str:
    name = TimeSpan.split(path)[0].rpartition("/")[2]
    return f"{name}/" if lacks_suffix else name  # no name of a file ends so


def _without_suffix(file_id: str) -> str:
    folder, slash, name = file_id.rpartition("/")
    return f"{folder}{slash}{name.rpartition('.')[0] or name}"
