"""Which items of a pool the labels of a file mean: by id, by path, by the name of the file, by the part of a recording."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from fastlabel_gradio.imports.base import ImportedLabel, Refuse
from fastlabel_gradio.imports.pool_paths import FileItems, PoolPaths
from fastlabel_gradio.types import TimeSpan

LEAST_SHARE = 0.5  # of the shorter of a window and a selection, that both have to share

_NOT_THERE = "not in this project"
_AMBIGUOUS = "name of several items"
_PARTS = "recording that is cut into windows"


class Matched(NamedTuple):
    """A label and an item that it means."""

    label: ImportedLabel
    item_id: str


def match(labels: Iterable[ImportedLabel], pool: Iterable[str], refuse: Refuse) -> Iterator[Matched]:
    """The items of labels, in their order. A selection of a recording means every window with which it shares enough.

    A path is that of an item where they end alike, and no other item's ends as much alike. Labels come as a stream, and of
    the pool only a few bytes an item are held.

    Args:
        pool: every item id, read once, after the first label.
        refuse: is given labels that mean no item.
    """
    rest = iter(labels)
    first = next(rest, None)
    if first is None:
        return
    with PoolPaths(pool) as paths:
        for label in chain((first,), rest):
            for item_id in _meant(label, paths, refuse):
                yield Matched(label, item_id)


def _meant(label: ImportedLabel, paths: PoolPaths, refuse: Refuse) -> Sequence[str]:
    plain = _plain(label.item)
    if label.span is None:
        exact = next((item_id for item_id in (label.item, plain) if item_id in paths), None)
        if exact is not None:
            return (exact,)
    found = paths.most_alike(TimeSpan.split(plain)[0], label.lacks_suffix, label.is_whole)
    if len(found) != 1:
        what = _AMBIGUOUS if found else _NOT_THERE
        why = "give more of the path" if found else "no item has this path"
        refuse(what, why, f"{label.place}: {label.item!r}")
        return ()
    items = _parts(label, found[0])
    if not items:
        whole = label.span is None
        why = "give seconds at which it begins and ends" if whole else "no window shares half of it"
        refuse(_PARTS if whole else "selection between windows", why, f"{label.place}: {label.item!r}")
    return items


def _parts(label: ImportedLabel, file: FileItems) -> list[str]:
    wanted = label.span or TimeSpan.split(label.item)[1]
    if wanted is None or file.whole:
        return file.whole
    return [item_id for window, item_id in file.windows_at(wanted) if _shares(wanted, window)]


def _shares(selection: TimeSpan, window: TimeSpan) -> bool:
    if selection.start_s == selection.end_s:  # a point in time
        return window.start_s <= selection.start_s < window.end_s
    common = min(selection.end_s, window.end_s) - max(selection.start_s, window.start_s)
    shorter = min(selection.end_s - selection.start_s, window.end_s - window.start_s)
    return common >= LEAST_SHARE * shorter - 1e-6


def _plain(item: str) -> str:
    """As ids are written: with / between folders, without ./ before the first, and no address."""
    return item.strip().removeprefix("file://").replace("\\", "/").removeprefix("./")
