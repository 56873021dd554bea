"""How long Finish takes to plan, to freeze, to accept and to take back, with most of a pool accepted; and labels by a query.

    python -m benchmarks.acceptance --sizes 200000,1000000

Each size is a made-up pool (`benchmarks/known_pool.py`) served by the app's own project and labeler in a process of its own.
Two classes, on either side of a plane, are learned by 600 labels; a person who knows them checks what is frozen at 80 % until
it is proven. Aim: 1,000,000 items accepted, or taken back, in 10 s.

Then all items of another pool, 10,000 of them, are given a class by a query, as Explore does it: by one person, again by that
person and then by another one, cleared, and the last step undone. Aim: 2 s each.
"""

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.memory import forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Option, Table, own_process, run, say

if TYPE_CHECKING:
    from fastlabel_gradio.labeler import Labeler

LABELS, BATCH = 600, 100
PROMISE = 0.80
ANNOTATOR = "ann"
TRAINED_S = 600.0
STEPS = ("plan", "freeze", "accept", "state", "take back", "accept again")
APPLIED = ("label", "label otherwise", "label what others labeled", "clear", "undo")
OPTIONS = (
    Option("--sizes", "200000,1000000", "items of each pool"),
    Option("--applied", 10_000, "items that a query means"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> list[Table]:
    rows = []
    for size in map(int, arguments.sizes.split(",")):
        say(f"{size:,} items …")
        with own_process() as process:
            found = process.submit(finished, size).result()
        rows.append((size, found["accepted"], *(round(found[step], 1) for step in STEPS), round(found["memory_mib"])))
    columns = ("items", "accepted", *(f"{step}, s" for step in STEPS), "memory beyond, MiB")
    with own_process() as process:
        found = process.submit(applied, arguments.applied).result()
    row = (arguments.applied, *(f"{found[step]:.2f} ({found[f'CPU of {step}']:.2f})" for step in APPLIED))
    return [
        Table("Accepting", columns, rows, "1,000,000 items accepted, or taken back, in 10 s"),
        Table("A query", ("items", *(f"{step}, s (CPU s)" for step in APPLIED)), [row], "10,000 items in 2 s"),
    ]


def finished(size: int) -> dict[str, Any]:
    """Seconds of each of STEPS, how many items were accepted, and the memory that these steps took at most beyond before."""
    from benchmarks.known_pool import opened_made

    with opened_made(size, batch_size=BATCH) as project:
        labeler, sides = project.labeler(ANNOTATOR), _sides(project.store.embeddings)
        answer = lambda item: int(sides[project.store.rows_of([item.id])[item.id]])  # noqa: E731
        _taught(labeler, answer)
        before, _ = resident_mib()
        forget_peak_memory()
        found: dict[str, Any] = {}
        finish = labeler.finisher
        _timed(found, "plan", lambda: finish.plan(PROMISE))
        _timed(found, "freeze", lambda: finish.start(ANNOTATOR, PROMISE))
        while finish.state().state == "checking":
            batch = finish.checks(ANNOTATOR)
            labeler.submit(ANNOTATOR, [(item.id, answer(item)) for item in batch.items], batch.id)
        _timed(found, "accept", lambda: finish.accept(ANNOTATOR))
        _timed(found, "state", finish.state)
        accepted = finish.state().accepted
        found["accepted"] = accepted.items if accepted else 0
        _timed(found, "take back", lambda: finish.take_back(ANNOTATOR))
        _timed(found, "accept again", lambda: finish.accept(ANNOTATOR))
        return found | {"memory_mib": peak_memory_mib() - before}


def applied(size: int) -> dict[str, Any]:
    """Seconds of each of APPLIED, on the clock and of the processor."""
    from benchmarks.known_pool import opened_made
    from fastlabel_gradio.pool.query import Query
    from fastlabel_gradio.types import Said, State

    found: dict[str, Any] = {}
    with opened_made(size, sharing="shared") as project:
        labeler, other = project.labeler(ANNOTATOR), f"not {ANNOTATOR}"
        ids = labeler.schema.ids
        for step, annotator, said in (
            ("label", ANNOTATOR, Said(ids[0])),
            ("label otherwise", ANNOTATOR, Said(ids[1])),
            ("label what others labeled", other, Said(ids[2])),
            ("clear", other, Said(state=State.CLEAR)),
        ):
            _timed(found, step, lambda who=annotator, what=said: labeler.actions.apply(who, Query(), (), what))
        _timed(found, "undo", lambda: labeler.actions.undo(other))
        assert labeler.counts().labeled == size
    return found


def _sides(vectors: np.ndarray) -> np.ndarray:
    """On which side of a plane each item is: the plane across the direction in which the first items vary most."""
    some = np.asarray(vectors[:5_000], dtype=np.float64)
    _, directions = np.linalg.eigh(np.cov(some.T))
    return np.asarray(vectors @ directions[:, -1].astype(np.float32) > 0)


def _taught(labeler: "Labeler", answer: Callable[[Any], int]) -> None:
    for _ in range(0, LABELS, BATCH):
        batch = labeler.next_batch(ANNOTATOR, BATCH, fresh=True)
        labeler.submit(ANNOTATOR, [(item.id, answer(item)) for item in batch.items], batch.id)
        assert labeler.wait_for_training(TRAINED_S)


def _timed(found: dict[str, Any], name: str, work: Callable[[], object]) -> None:
    began, cpu = time.perf_counter(), time.process_time()
    work()
    found[name], found[f"CPU of {name}"] = time.perf_counter() - began, time.process_time() - cpu


if __name__ == "__main__":
    main()
