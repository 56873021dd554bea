"""Seconds from `python launch.py <folder>` to the first batch of 100 items over REST, and what passes on the way.

Each start has a fresh working directory and an encoder that needs no network. Aim: 15 s for 20,000 pictures.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.report import Measured, Option, Table, run, say
from benchmarks.workload import picture_folder, served

ITEMS = 100
STAGES = ("the server answers", "the folder is scanned", "the encoder is fitted", "first batch of 100")


OPTIONS = (
    Option("--pictures", Path, "class folders (default: generated pictures)"),
    Option("--count", 20_000, "generated pictures"),
    Option("--side-px", 32, "their size"),
    Option("--encoder", "pretrained", "that embeds"),
    Option("--starts", 5, "starts to measure"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    folder = arguments.pictures or picture_folder(arguments.count, arguments.side_px)
    starts = []
    for number in range(arguments.starts):
        starts.append(_start(folder.resolve(), arguments.encoder))
        say(f"start {number + 1}: {starts[-1]['first batch of 100']:.1f} s")
    taken = {stage: [start[stage] for start in starts] for stage in STAGES}
    rows = [(stage, round(statistics.median(some), 2), round(max(some), 2)) for stage, some in taken.items()]
    title = f"From the start of the process, s, {arguments.starts} starts, {folder.name}, {arguments.encoder}."
    return [Table(title, ("reached", "median", "longest"), rows, aim="first batch within 15 s")]


def _start(folder: Path, encoder: str) -> dict[str, float]:
    """Seconds until each stage was reached, in order."""
    reached: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as workdir:
        began = time.perf_counter()
        with (
            served([str(folder), "--encoder", encoder], Path(workdir)) as address,
            httpx.Client(base_url=address) as http,
        ):
            reached["the server answers"] = time.perf_counter() - began
            while "first batch of 100" not in reached:
                embedding = http.get("/api/status").json()["embedding"]
                now = time.perf_counter() - began
                if not embedding["scanning"]:
                    reached.setdefault("the folder is scanned", now)
                if embedding["state"] in ("embedding", "done"):
                    reached.setdefault("the encoder is fitted", now)
                if embedding["done"] >= ITEMS and _has_batch(http):
                    reached["first batch of 100"] = time.perf_counter() - began
                time.sleep(0.02)
    last = reached["first batch of 100"]
    return {stage: reached.get(stage, last) for stage in STAGES}


def _has_batch(http: httpx.Client) -> bool:
    return len(http.get("/api/next_batch", params={"size": ITEMS}).json()["items"]) == ITEMS


if __name__ == "__main__":
    main()
