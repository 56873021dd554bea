"""Why torch computes each operation in one thread: training a head alone, and beside threads that keep the cores busy.

People label while items are embedded, so training and scoring rarely have the cores for themselves. No aim; the ratio of
the busy to the quiet time is the point.

    python -m benchmarks.threads [--json OUT]
"""

import argparse
import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.report import Cell, Table, machine, parser, publish

LABELS, DIM, CLASSES, ROUNDS = 1_000, 512, 10, 7


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--seconds-with", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.seconds_with:
        sys.stdout.write(f"{_seconds_to_train(arguments.seconds_with)}\n")
        return
    began_on, cores = machine(), os.cpu_count() or 2
    rows = [_row(threads, busy) for threads in (1, cores) for busy in (0, cores)]
    columns = ("threads per operation", "busy processes beside", f"training on {LABELS:,} labels, ms (median)")
    publish(began_on, [Table("Threads of an operation", columns, rows)], arguments.json)


def _row(threads: int, busy: int) -> tuple[Cell, ...]:
    """Median milliseconds of a training in a process of its own."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        command = [sys.executable, "-m", "benchmarks.threads", "--seconds-with", str(threads)]
        seconds = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()
    return threads, busy, round(1000 * seconds)


def _seconds_to_train(threads: int) -> float:
    import torch

    from fastlabel_gradio.head import HeadInfo, train_head
    from fastlabel_gradio.types import Label

    torch.set_num_threads(threads)
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(LABELS, DIM)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    targets = rng.integers(CLASSES, size=LABELS)
    info = HeadInfo(1, tuple(Label(number, str(number)) for number in range(CLASSES)), "benchmark", LABELS)
    seconds = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        train_head(embeddings, targets, info)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds[1:]))


if __name__ == "__main__":
    main()
