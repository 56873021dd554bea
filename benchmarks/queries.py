"""How long a query takes to its first page, filter by filter, on pools from a thousand items to a million.

    python -m benchmarks.queries --sizes 1000,100000,1000000 [--labels N] [--json OUT]

Each size is a made-up pool of 512 numbers an item (`benchmarks/known_pool.py`), served by the app's own project and labeler.
A tenth of the items (`--labels` at most) carry a label of one of three annotators, a head was trained on some of them, and
its scan of the pool is complete. Then each query is asked for its first page of 100 as `POST /api/items` asks, several times.
The first one of each kind may read more; it is told apart. Aims: 300 ms at a million, 2 s for likeness.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.known_pool import opened_made, targets
from benchmarks.report import Measured, Option, Table, median_and_p95, milliseconds, run, say
from fastlabel_gradio.devices import pick_device
from fastlabel_gradio.query import Query

PAGE, ROUNDS, TAUGHT = 100, 7, 500
LABELS, A_SUBMISSION = 100_000, 1_000
PEOPLE = ("ann", "bob", "eve")
SETTLED_S = 1_200.0
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
    "text of the id": {"text": "77"},
    "ids": {"ids": [str(number) for number in range(1_000)]},
    "all but some": {"states": ["none"], "exclude": [str(number) for number in range(1_000)]},
    "near two items": {"near": {"ids": ["1", "2"], "not_ids": ["3"]}},
    "near, of one class": {"near": {"ids": ["1"]}, "predicted": ["class-3"]},
}


OPTIONS = (
    Option("--sizes", "1000,100000,1000000", "items of each pool"),
    Option("--labels", LABELS, "labels at most"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    return [_table(size, _times(size, arguments.labels)) for size in map(int, arguments.sizes.split(","))]


def _times(size: int, labels: int) -> dict[str, tuple[int, float, list[float]]]:
    """By query: items, milliseconds of the first time, and of the others."""
    say(f"{size:,} items …")
    with opened_made(size, pick_device(), sharing="shared", train_every=10**9) as project:
        labeler = project.labeler("ann")
        _label(labeler, size, min(labels, size // 10))
        return {name: _timed(labeler, query) for name, query in QUERIES.items()}


def _label(labeler: Any, size: int, count: int) -> None:
    """Trains a head on the first labels, and has the others come from three annotators."""
    ids = np.random.default_rng(0).permutation(size)[:count]
    said = [(str(number), int(label)) for number, label in zip(ids, targets(size)[ids], strict=True)]
    labeler.submit("ann", said[:TAUGHT])
    labeler.train()
    assert labeler.wait_for_training(SETTLED_S)
    for place, start in enumerate(range(TAUGHT, count, A_SUBMISSION)):
        block = [(item_id, labeler.schema.ids[label]) for item_id, label in said[start : start + A_SUBMISSION]]
        labeler._labels.submit(PEOPLE[place % len(PEOPLE)], block, now=10.0 * place, source="import")


def _timed(labeler: Any, asked: dict[str, Any]) -> tuple[int, float, list[float]]:
    query = Query.model_validate(asked)
    first, *others = milliseconds(lambda: labeler.finder.page(query, 0, PAGE), ROUNDS + 1)
    return labeler.finder.page(query, 0, PAGE).total, first, others


def _table(size: int, found: dict[str, tuple[int, float, Sequence[float]]]) -> Table:
    rows = [(name, total, *median_and_p95(taken), round(first, 1)) for name, (total, first, taken) in found.items()]
    columns = ("query", "items", "median", "p95", "first time")
    return Table(f"{size:,} items: a query to its first page of {PAGE}, ms.", columns, rows)


if __name__ == "__main__":
    main()
