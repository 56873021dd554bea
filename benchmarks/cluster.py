"""`fastlabel embed` on a Ray cluster of this machine against its threads: the same vectors, how fast, and a killed worker.

    python -m benchmarks.cluster [--items 20000] [--encoder offline] [--json OUT]

Generated pictures are embedded twice, each time into an empty folder: by the threads of one process, and by as many workers
of a local Ray cluster. Starting the cluster does not count, loading the encoder in its workers does: until the first part is
there, and how fast it goes from there to the last one, is told apart. Then again on Ray with a worker killed (SIGKILL) once a
third is done. Aims: every cosine of the two vectors of an item >= 0.9999, rate of Ray / rate
of the threads >= 0.8 at 20,000 pictures, and no item lost with the worker.
"""

import argparse
import os
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Measured, Option, Table, run, say
from benchmarks.workload import picture_folder
from fastlabel_gradio.bulk.embedding import Embedding, Tally
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.parts.part_files import parts_of, read_part
from fastlabel_gradio.parts.places import open_place
from fastlabel_gradio.ray_cluster import Cluster, open_cluster

LEAST_COSINE, LEAST_RATIO = 0.9999, 0.8
WORKER_NAME = "ray::MapWorker"

OPTIONS = (
    Option("--items", 20_000, "pictures"),
    Option("--side-px", 256, "size of the pictures"),
    Option("--encoder", "offline", "that embeds"),
    Option("--part-items", 256, "items of a part"),
    Option("--workers", 2, "threads, and workers of the cluster"),
)


def main() -> None:
    run(__doc__, OPTIONS, measured)


def measured(arguments: argparse.Namespace) -> Measured:
    """The table of all runs."""
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as name:
        folder = Path(name)
        threads = _embedded(arguments, folder, "by-threads", None)
        with open_cluster("local", arguments.workers) as cluster:
            by_ray = _embedded(arguments, folder, "by-ray", cluster)
            killed = _embedded(arguments, folder, "one-killed", cluster, _Killer(arguments.items // 3))
        expected = _vectors(folder / "by-threads")
        rows = [
            (
                what,
                round(arguments.items / run.all_s, 1),
                round(threads.all_s / run.all_s, 2),
                round(run.first_part_s, 1),
                round(run.rate_behind, 1),
                *_compared(expected, folder / what),
            )
            for what, run in (("by-threads", threads), ("by-ray", by_ray), ("one-killed", killed))
        ]
    columns = (
        "run",
        "pictures/s",
        "of the threads' rate",
        "first part, s",
        "pictures/s behind it",
        "vectors",
        "least cosine",
    )
    aim = f"cosine >= {LEAST_COSINE}, rate of Ray >= {LEAST_RATIO} of the threads', all vectors there behind a killed worker"
    return [Table(f"Embedding {arguments.items:,} pictures, {arguments.workers} workers.", columns, rows, aim=aim)]


@dataclass(slots=True)
class _Run:
    """When the parts of a run were there, in seconds from its start.

    Attributes:
        first_part_s: until the first one. all_s: until its end.
        rate_behind: pictures a second from the first part to the last.
    """

    first_part_s: float = 0.0
    rate_behind: float = 0.0
    all_s: float = 0.0


def _embedded(
    arguments: argparse.Namespace,
    folder: Path,
    out: str,
    cluster: Cluster | None,
    tell: Callable[[Tally], None] = lambda tally: None,
) -> _Run:
    say(f"{out} …")
    config = ProjectConfig.model_validate(
        {
            "name": "pictures",
            "source": {"kind": "image_folder", "path": str(picture_folder(arguments.items, arguments.side_px))},
            "encoder": arguments.encoder,
        }
    )
    embedding = Embedding(config, folder, folder / f"work-{out}", str(folder / out), arguments.part_items)
    start, found, first_items = time.monotonic(), _Run(), 0

    def note(tally: Tally) -> None:
        nonlocal first_items
        passed_s = time.monotonic() - start
        if not first_items and tally.done:
            found.first_part_s, first_items = passed_s, tally.done
        elif first_items:
            found.rate_behind = (tally.done - first_items) / (passed_s - found.first_part_s)
        tell(tally)

    embedding.run(cluster, arguments.workers, note)
    found.all_s = time.monotonic() - start
    return found


class _Killer:
    """Kills one worker of the cluster once that many items are done."""

    def __init__(self, items: int) -> None:
        self._items, self.killed = items, 0

    def __call__(self, tally: Tally) -> None:
        if not self.killed and tally.done >= self._items and (workers := _worker_processes()):
            self.killed = workers[0]
            os.kill(self.killed, signal.SIGKILL)
            say(f"killed worker {self.killed}")


def _worker_processes() -> list[int]:
    """Those of this process' cluster that embed."""
    import psutil

    processes = psutil.Process().children(recursive=True)
    return [process.pid for process in processes if any(WORKER_NAME in word for word in process.cmdline())]


def _vectors(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    place, found = open_place(folder), {}
    for part in (read_part(place, name) for name in parts_of(place)):
        found.update(zip((entry.item.id for entry in part.embedded), part.vectors, strict=True))
    return found


def _compared(expected: dict[str, np.ndarray[Any, Any]], folder: Path) -> tuple[int, float]:
    """How many of the expected items are there, and the least cosine of their vectors."""
    vectors = _vectors(folder)
    there = [item_id for item_id in expected if item_id in vectors]
    return len(there), round(min(float(expected[item_id] @ vectors[item_id]) for item_id in there), 6)


if __name__ == "__main__":
    main()
