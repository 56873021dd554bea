"""How long a query takes to its first page and to the counts of its facets, on pools from a thousand items to a million.

    python -m benchmarks.queries --sizes 1000,100000,1000000 [--labels N] [--dim N] [--json OUT]

Each size is a made-up pool of `--dim` numbers an item (`benchmarks/known_pool.py`), served by the app's own project and
labeler. A tenth of the items (`--labels` at most) carry a label of one of three annotators, a head was trained on some of
them, and its scan of the pool is complete. Then each query is asked for its first page of 100 as `POST /api/items` asks, and
some for their counts as `POST /api/items/counts` asks, several times; the first time may read more, and is told apart. A page
from the middle of a list is what somebody sees who pulls at the scrollbar. Memory is the highest while that query is asked,
mapped files included. At the end, of up to a million, every item is labeled, by as many events, and the figures of Progress
are asked for as `GET /api/progress` asks, each time after one more label; classes are changed as `POST /api/classes` does;
and, up to 100,000 labels, a head is trained on all of them and the list of mistakes is opened: its first time is until every
label is ranked. Aims: 300 ms at a million, 2 s for likeness; 3 s and 3,000 MB for all at 10,000,000. At 100,000: likeness
150 ms, a change of classes 200 ms, mistakes 10 s the first time (1 s at 2,000).
"""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.known_pool import opened_made, targets
from benchmarks.memory import MB_OF_MIB, forget_peak_memory, peak_memory_mib
from benchmarks.report import Measured, Option, Table, median_and_p95, milliseconds, run, say
from fastlabel_gradio.devices import pick_device
from fastlabel_gradio.labels import class_changes
from fastlabel_gradio.pool.query import Query

PAGE, ROUNDS, TAUGHT = 100, 7, 500
LABELS, A_SUBMISSION = 100_000, 1_000
PEOPLE = ("ann", "bob", "eve")
ALL_LABELED_MOST = 1_000_000  # labels of ten million take a quarter of an hour to come in
SETTLED_S = 1_200.0

Found = tuple[int, float, list[float], float]  # items, ms of the first time and of the others, MB
QUERIES: dict[str, dict[str, Any]] = {
    "everything": {},
    "labels": {"labels": ["class-3", "class-7"]},
    "states": {"states": ["none"]},
    "sources": {"sources": ["import"]},
    "annotators": {"annotators": ["bob"]},
    "time, newest first": {"time": [1_000, None], "order": "-time"},
    "predicted": {"predicted": ["class-3"]},
    "confidence, least sure first": {"confidence": [0.2, 0.9], "order": "confidence"},
    "margin, surest first": {"margin": [0, 0.5], "order": "-margin"},
    "disagreement": {"agrees": False, "order": "-confidence"},
    "least likely label first": {"states": ["label"], "order": "label_probability"},
    "text of the id": {"text": "77"},
    "text of most ids": {"text": "1"},
    "folder": {"folder": "none"},
    "ids": {"ids": [str(number) for number in range(1_000)]},
    "all but some": {"states": ["none"], "exclude": [str(number) for number in range(1_000)]},
    "near two items": {"near": {"ids": ["1", "2"], "not_ids": ["3"]}},
    "near, of one class": {"near": {"ids": ["1"]}, "predicted": ["class-3"]},
}
MISTAKES_UP_TO = 100_000  # labels
COUNTED = ("everything", "labels", "predicted", "confidence, least sure first", "text of the id", "folder")


OPTIONS = (
    Option("--sizes", "1000,100000,1000000", "items of each pool"),
    Option("--labels", LABELS, "labels at most"),
    Option("--dim", 512, "numbers of an item's embedding"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    sizes = map(int, arguments.sizes.split(","))
    return [_table(size, _times(size, arguments.labels, arguments.dim)) for size in sizes]


def _times(size: int, labels: int, dim: int) -> dict[str, Found]:
    """By query."""
    say(f"{size:,} items …")
    with opened_made(size, pick_device(), dim, sharing="shared", train_every=10**9) as project:
        labeler = project.labeler("ann")
        first = min(labels, size // 10)
        _label(labeler, _truth(size, 0, first))
        pages = {name: _timed_page(labeler, query) for name, query in QUERIES.items()}
        middle = {"a page from the middle, by confidence": _timed_middle(labeler)}
        counts = {f"counts: {name}": _timed_counts(labeler, QUERIES[name]) for name in COUNTED}
        if size > ALL_LABELED_MOST:
            return pages | middle | counts | {"Progress": _timed_progress(labeler)}
        say(f"{size:,} items: the other labels …")
        _label_rest(labeler, _truth(size, first, size))
        later = {"Progress, every item labeled": _timed_progress(labeler), **_timed_classes(labeler)}
        if size <= MISTAKES_UP_TO:
            later["mistakes, every item labeled"] = _timed_mistakes(labeler)
        return pages | middle | counts | later


def _truth(size: int, start: int, stop: int) -> list[tuple[str, int]]:
    """A part of all item ids in random order, the same for a size, with the place of the right class."""
    ids = np.random.default_rng(0).permutation(size)[start:stop]
    return [(str(number), int(label)) for number, label in zip(ids, targets(size)[ids], strict=True)]


def _label(labeler: Any, said: list[tuple[str, int]]) -> None:
    """Trains a head on the first labels, and has the others come from three annotators."""
    labeler.submit("ann", said[:TAUGHT])
    labeler.train()
    assert labeler.wait_for_training(SETTLED_S)
    _label_rest(labeler, said[TAUGHT:])


def _label_rest(labeler: Any, said: list[tuple[str, int]]) -> None:
    for place, start in enumerate(range(0, len(said), A_SUBMISSION)):
        block = [(item_id, labeler.schema.ids[label]) for item_id, label in said[start : start + A_SUBMISSION]]
        labeler._label_store.submit(PEOPLE[place % len(PEOPLE)], block, now=10.0 * place, source="import")


def _timed_progress(labeler: Any) -> Found:
    """Labels that Progress counts."""

    def look() -> int:
        labeler._label_store.submit("bob", [("0", labeler.schema.ids[0])], now=1e9, source="review")
        return int(labeler.progress.figures().labeled.sum())

    return _timed(look)


def _timed_classes(labeler: Any) -> dict[str, Found]:
    """Classes that there are after each change, every one of which is taken back."""
    actions, names = labeler.actions, labeler.schema.names
    changes: dict[str, Callable[[Any], Any]] = {
        "add": lambda _: class_changes.add("another class"),
        "rename": lambda classes: class_changes.rename(classes, names[0], "another name"),
        "merge": lambda classes: class_changes.merge(classes, names[0], names[1]),
        "archive": lambda classes: class_changes.archive(classes, names[0], archived=True),
        "colour": lambda classes: class_changes.look(classes, names[0], {"colour": "#1f77b4"}),
    }

    def change(edits_of: Callable[[Any], Any]) -> Found:
        forget_peak_memory()
        taken, back = [], []
        for _ in range(ROUNDS + 1):
            taken += milliseconds(lambda: actions.change_classes("ann", edits_of))
            shown = len(labeler.schema)
            back += milliseconds(lambda: actions.undo("ann"))
        highest = peak_memory_mib() * MB_OF_MIB
        slowest = [max(pair) for pair in zip(taken, back, strict=True)]
        return shown, slowest[0], slowest[1:], highest

    return {f"classes: {name}, or its undo": change(edits_of) for name, edits_of in changes.items()}


def _timed_mistakes(labeler: Any) -> Found:
    """Labels on the list. The first time is until all are ranked, after a head was trained on them."""
    labeler.train()
    assert labeler.wait_for_training(SETTLED_S)
    forget_peak_memory()

    def rank() -> None:
        while labeler.suspects.listing("mistakes").is_working:
            pass  # each waits a moment

    [first] = milliseconds(rank)
    query = Query(order="mistakes")
    taken = milliseconds(lambda: labeler.finder.page(query, 0, PAGE), ROUNDS)
    return int(labeler.finder.count(query)), first, taken, peak_memory_mib() * MB_OF_MIB


def _timed_page(labeler: Any, asked: dict[str, Any]) -> Found:
    query = Query.model_validate(asked)
    return _timed(lambda: int(labeler.finder.page(query, 0, PAGE).total))


def _timed_middle(labeler: Any) -> Found:
    first = labeler.finder.page(Query(order="confidence"), 0, PAGE)
    return _timed(lambda: int(labeler.finder.page(Query(), first.total // 2, PAGE, first.list_id).total))


def _timed_counts(labeler: Any, asked: dict[str, Any]) -> Found:
    query = Query.model_validate(asked)
    return _timed(lambda: int(labeler.finder.facets(query).total))


def _timed(look: Callable[[], int]) -> Found:
    forget_peak_memory()
    first, *others = milliseconds(look, ROUNDS + 1)
    return look(), first, others, peak_memory_mib() * MB_OF_MIB


def _table(size: int, found: dict[str, Found]) -> Table:
    rows = [
        (name, total, *median_and_p95(taken), round(first, 1), round(highest))
        for name, (total, first, taken, highest) in found.items()
    ]
    columns = ("query", "items", "median", "p95", "first time", "memory, MB")
    return Table(f"{size:,} items: a query to its first page of {PAGE}, and to its counts, ms.", columns, rows)


if __name__ == "__main__":
    main()
