"""What a GPU is worth to a head: scoring a whole pool, and training, on each device of this machine.

    python -m benchmarks.devices --items 1000000 --json OUT
    python -m benchmarks.devices --devices cpu --items 100000 --labels 1000

Items are made up (`benchmarks/known_pool.py`): 512 numbers each, 20 classes. How quick each encoder embeds on a GPU is told
by `benchmarks/embedding.py`, which takes the fastest device as the app does.

- scored: every item, to probabilities in main memory. On a CPU all cores score blocks of 2,048 vectors in memory; on a GPU
  they send those blocks there. `its copy` is the pool's own copy in the memory of the GPU (`pool/device_rows.py`).
- scan: the class, confidence and margin of every item, as after each training. window: 32,768 items, as for each batch.
- copied: how long it takes to bring the vectors there once, and what they take of its memory.
- aim: a million items in 50 ms with the vectors on the device.
- training: milliseconds of the head's own clock, and its accuracy on 20,000 other items.
"""

import argparse
import statistics
from collections.abc import Callable, Iterator

import numpy as np

from benchmarks.data import Split
from benchmarks.known_pool import CLASSES, made_split
from benchmarks.report import Cell, Measured, Option, Table, milliseconds, run, say
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.head import Head, HeadInfo, Spread, train_head
from fastlabel_gradio.pool.candidates import WINDOW_ROWS
from fastlabel_gradio.pool.device_rows import DeviceRows, device_rows
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.scoring import score_rows
from fastlabel_gradio.types import Embeddings, Label, Rows

LEARNED = 1_000  # labels of the head that scores
GPU_SHARE = 0.9
MIB = 2**20

TableRows = Iterator[tuple[Cell, ...]]


OPTIONS = (
    Option("--devices", ("cpu", "cuda"), "that compute; those that this machine lacks are left out"),
    Option("--items", 1_000_000, "that are scored"),
    Option("--labels", (1_000, 20_000), "that are learned"),
    Option("--rounds", 5, "of each figure, after one to warm up"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    use_one_thread_per_operation()  # as the app does
    split = made_split(max(arguments.items, *arguments.labels))
    here = [device for device in arguments.devices if _is_here(device)]
    pool = split.pool[: arguments.items]
    scored = [row for device in here for row in _scoring_rows(device, pool, split.pool_targets, arguments.rounds)]
    trained = [_training_row(device, count, split, arguments.rounds) for count in arguments.labels for device in here]
    columns = (
        "device",
        "vectors in",
        "all scored",
        "scan",
        f"window of {WINDOW_ROWS:,}",
        "copied",
        "of its memory, MiB",
    )
    figures = ("labels", "device", "ms", "range", "accuracy, %")
    return [
        Table(f"{len(pool):,} items scored, ms, medians.", columns, scored, aim="50 ms with the vectors on the device"),
        Table("Training a head.", figures, trained),
    ]


def _is_here(device: str) -> bool:
    import torch

    return device != "cuda" or torch.cuda.is_available()


def _scoring_rows(device: str, pool: Embeddings, targets: Rows, rounds: int) -> TableRows:
    """From main memory, and from a copy where the device has memory of its own."""
    say(f"scoring on {device} …")
    head = _trained(device, pool, targets, min(LEARNED, len(pool)))
    yield device, "main memory", *_scoring_times(head, pool, None, rounds), "", ""
    if (copy := device_rows(device, GPU_SHARE)) is not None:
        copied = milliseconds(lambda: copy.fill(pool))[0]
        taken = round(2 * len(copy) * pool.shape[1] / MIB)
        yield device, "its copy", *_scoring_times(head, pool, copy, rounds), round(copied, 1), taken
        copy.clear()


def _scoring_times(head: Head, pool: Embeddings, copy: DeviceRows | None, rounds: int) -> list[Cell]:
    every, window = np.arange(len(pool)), np.arange(min(WINDOW_ROWS, len(pool)))
    works: list[Callable[[], object]] = [
        lambda: score_rows(head, pool, every, copy),
        lambda: Scan(None, copy).refresh(head, pool, _nothing, _nothing),
        lambda: score_rows(head, pool, window, copy),
    ]
    return [round(statistics.median(milliseconds(work, rounds + 1)[1:]), 1) for work in works]


def _training_row(device: str, count: int, split: Split, rounds: int) -> tuple[Cell, ...]:
    say(f"training on {count:,} labels on {device} …")
    heads = [_trained(device, split.pool, split.pool_targets, count) for _ in range(rounds + 1)]
    times = [1000 * head.info.seconds for head in heads[1:]]
    right = heads[0].predict_proba(split.test).argmax(axis=1) == split.test_targets
    spread = f"{min(times):.1f} to {max(times):.1f}"
    return count, device, round(statistics.median(times), 1), spread, round(100 * float(right.mean()), 1)


def _trained(device: str, pool: Embeddings, targets: Rows, count: int) -> Head:
    schema = tuple(Label(number, str(number)) for number in range(CLASSES))
    spread = Spread.of(pool[:2_048])
    return train_head(pool[:count], targets[:count], HeadInfo(1, schema, "made", count), spread=spread, device=device)


def _nothing() -> None:
    """Nobody waits, and nothing is mapped."""


if __name__ == "__main__":
    main()
