"""Seconds of `from fastlabel_gradio import load_classifier` in a fresh process, and which heavy packages that brings.

    python -m benchmarks.import_time

Each time is that of a process of its own: the import alone, what the processor did, and the process from its start to its
end. Aim: 2 s, without Gradio.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from benchmarks.report import Cell, Measured, Option, Table, run, say

HEAVY = ("gradio", "torch", "transformers", "pandas", "sklearn", "scipy", "ray", "pyarrow")
PROGRAM = f"""
import json, sys, time
began = time.perf_counter()
from fastlabel_gradio import load_classifier
took_s = time.perf_counter() - began
print(json.dumps([took_s, time.process_time(), [name for name in {HEAVY} if name in sys.modules]]))
"""


class Started(NamedTuple):
    """Seconds of the import, of the processor and of the process; and the heavy packages that are imported then."""

    import_s: float
    cpu_s: float
    process_s: float
    brought: tuple[str, ...]


OPTIONS = (Option("--starts", 9, "processes; the first one, which may read from a cold disk, is told by itself"),)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    first, *others = [_started() for _ in range(arguments.starts)]
    say(f"the first: {first.import_s:.2f} s")
    rows = [_row("first", [first], statistics.median)]
    if others:
        rows += [_row("median of the others", others, statistics.median), _row("longest of the others", others, max)]
    columns = ("start", "import, s", "CPU of the process, s", "whole process, s", f"of {', '.join(HEAVY)} imported")
    return [Table("`from fastlabel_gradio import load_classifier`.", columns, rows, aim="2 s, without Gradio")]


def _row(name: str, starts: Sequence[Started], of: Callable[[Iterable[float]], float]) -> tuple[Cell, ...]:
    times = ((one.import_s, one.cpu_s, one.process_s) for one in starts)
    brought = sorted({package for one in starts for package in one.brought})
    return (name, *(round(of(some), 2) for some in zip(*times, strict=True)), ", ".join(brought) or "none")


def _started() -> Started:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True)
    took_s = time.perf_counter() - began
    import_s, cpu_s, brought = json.loads(done.stdout)
    return Started(import_s, cpu_s, took_s, tuple(brought))


if __name__ == "__main__":
    main()
