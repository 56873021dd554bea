"""Why torch computes each operation in one thread: training a head alone, and beside threads that keep the cores busy.

People label while items are embedded, so training and scoring rarely have the cores for themselves. No aim; the ratio of
the busy to the quiet time is the point.

    python -m benchmarks.threads [--json OUT]
"""

import argparse
import os
import subprocess
import sys

import numpy as np

from benchmarks.report import Cell, Measured, Table, milliseconds, own_process, run
from fastlabel_gradio.types import Label

LABELS, DIM, CLASSES, ROUNDS = 1_000, 512, 10, 7


def main() -> None:
    run(__doc__, (), _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    cores = os.cpu_count() or 2
    rows = [_row(threads, busy) for threads in (1, cores) for busy in (0, cores)]
    columns = ("threads per operation", "busy processes beside", f"training on {LABELS:,} labels, ms (median)")
    return [Table("Threads of an operation", columns, rows)]


def _row(threads: int, busy: int) -> tuple[Cell, ...]:
    """Median milliseconds of a training in a process of its own."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        with own_process() as process:
            return threads, busy, round(process.submit(_training_ms, threads).result())
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def _training_ms(threads: int) -> float:
    import torch

    from fastlabel_gradio.head import HeadInfo, train_head

    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(LABELS, DIM)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    targets = rng.integers(CLASSES, size=LABELS)
    info = HeadInfo(1, tuple(Label(number, str(number)) for number in range(CLASSES)), "benchmark", LABELS)
    return float(np.median(milliseconds(lambda: train_head(embeddings, targets, info), ROUNDS + 1)[1:]))


if __name__ == "__main__":
    main()
