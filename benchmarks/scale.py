"""How long a next batch takes and what the process holds in memory, from a thousand items to a million.

    python -m benchmarks.scale --sizes 1000,10000,100000,1000000 [--json OUT]
    python -m benchmarks.scale --sizes 10000000 --dim 64

Each size is a made-up pool of `--dim` numbers an item (`benchmarks/known_pool.py`), embedded on disk, served by the app's own
project and labeler in a process of its own. An annotator who knows the answers labels batches of 100 up to 2,000 labels (or
to the end of the pool), again and again from no labels until at least 40 rounds are counted.

- submit to next batch: `submit` of 100, then `next_batch(fresh=True)` of 100 picked by the head that learned them. The
  annotator waits for the background work before, as a person does who needs a minute for a batch. Aims at the 95th
  percentile on two cores: 250 ms at 100,000 items, 400 ms at 1,000,000, 600 ms at 10,000,000.
- without pauses: the same without waiting, so that every submit comes in the middle of the background work.
- train, score, pick: the parts of it, inside the running loop; the rest is storing labels and claims.
- start: from opening a project over the embedded pool until its first batch is out. Aim: 60 s at 10,000,000. In the
  background the source is listed and compared with the pool, until `compared`. CPU seconds are those of all threads.
- resident memory: the highest at the start and while labelling, pages of the mapped embeddings included, and without them.
  Aims: 1.5 GB at a million, 3 GB at 10,000,000.
- limits: matrix products and memory reads of all cores, measured in the same process.
"""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.known_pool import made_pool, opened_made, wait_for_embeddings
from benchmarks.memory import MB_OF_MIB, forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Cell, Measured, Option, Table, median_and_p95, milliseconds, own_process, run, say
from benchmarks.workload import wait_until

BATCH, LABELS, ROUNDS, HURRIED_ROUNDS = 100, 2_000, 40, 20
WARM_UP = 1  # rounds at the start of the first pass, which load code
SETTLED_S = 600.0
AIMS_MS = {100_000: 250, 1_000_000: 400, 10_000_000: 600}
LIMIT_ROWS = 8_192

Milliseconds = dict[str, list[float]]


OPTIONS = (
    Option("--sizes", "1000,10000,100000,1000000", "items of each pool"),
    Option("--dim", 512, "numbers of an item's embedding"),
    Option("--rounds", ROUNDS, "rounds that count, at least"),
    Option("--strategy", "auto", "that picks"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    found = {}
    for size in map(int, arguments.sizes.split(",")):
        say(f"{size:,} items …")
        with own_process() as process:
            process.submit(made_pool, size, arguments.dim).result()
        with own_process() as process:
            found[size] = process.submit(_figures, size, arguments.strategy, arguments.rounds, arguments.dim).result()
    return [_time_table(found), _start_table(found), _memory_table(found), _limit_table(found)], {"sizes": found}


def _figures(size: int, strategy: str, rounds: int, dim: int) -> dict[str, Any]:
    from fastlabel_gradio.devices import pick_device
    from fastlabel_gradio.strategies import STRATEGIES

    forget_peak_memory()
    since = _Since()
    settings = {"batch_size": BATCH, "waits": False}
    with (
        STRATEGIES.preserved(),
        opened_made(size, pick_device(), dim, strategy=_watched_strategy(strategy), **settings) as project,
    ):
        wait_until(lambda: bool(project.labeler("first").next_batch("first", BATCH).items), SETTLED_S, "a batch")
        start = since.figures("start")
        wait_for_embeddings(project)
        start |= since.figures("compared") | {"start_mb": round(peak_memory_mib() * MB_OF_MIB)}
        loop = _Loop(project, size)
        forget_peak_memory()
        waited = {part: taken[WARM_UP:] for part, taken in loop.rounds(rounds + WARM_UP, hurried=False).items()}
        memory = _memory()
        hurried = loop.rounds(min(rounds, HURRIED_ROUNDS), hurried=True)
    return {
        **{f"{part}_ms": median_and_p95(waited[part]) for part in ("train", "score", "pick", "submit", "total")},
        **memory,
        **start,
        "rounds": len(waited["total"]),
        "fastest_ms": round(min(waited["total"]), 1),
        "hurried_ms": median_and_p95(hurried["total"]),
        "newest_head": float(np.mean(waited["newest"])),
        "rows_scored": loop.rows_scored,
        "limits": _limits(loop.rows_scored, dim, project.device),
    }


class _Since:
    """Counts from when it is made."""

    def __init__(self) -> None:
        self._began, self._began_cpu = time.perf_counter(), time.process_time()

    def figures(self, name: str) -> dict[str, float]:
        """Seconds until now, and CPU seconds."""
        clock_s, cpu_s = time.perf_counter() - self._began, time.process_time() - self._began_cpu
        return {f"{name}_s": round(clock_s, 1), f"{name}_cpu_s": round(cpu_s, 1)}


class _Loop:
    """Labels a project as its classes are, pass after pass, each with a labeler and labels of its own."""

    def __init__(self, project: Any, size: int) -> None:
        from benchmarks.known_pool import targets

        self._project, self._targets = project, targets(size)
        self._most = min(LABELS, int(size * (1 - project.config.audit_share)) - 2 * BATCH)
        self._passes = 0
        self.rows_scored = 0

    def rounds(self, count: int, *, hurried: bool) -> Milliseconds:
        """Milliseconds of the parts of at least that many rounds; `newest` is 1 where the newest head picked."""
        found: Milliseconds = defaultdict(list)
        while len(found["total"]) < count:
            self._pass(found, hurried)
        return found

    def _pass(self, found: Milliseconds, hurried: bool) -> None:
        self._passes += 1
        name = f"pass-{self._passes}"
        labeler = self._project.labeler(name)
        batch = labeler.next_batch(name, BATCH, fresh=True)
        for _ in range(0, self._most, BATCH):
            answers = [(item.id, int(self._targets[int(item.id)])) for item in batch.items]
            if not hurried:
                _settle(labeler)
            with _watched() as parts:
                began = time.perf_counter()
                labeler.submit(name, answers, batch.id)
                submitted = time.perf_counter()
                batch = labeler.next_batch(name, BATCH, fresh=True)
                ended = time.perf_counter()
            if not hurried:
                _settle(labeler)
            found["total"].append(1000 * (ended - began))
            found["submit"].append(1000 * (submitted - began))
            found["newest"].append(float(labeler.head is None or batch.head_version == labeler.head.info.version))
            for part in ("train", "score", "pick"):
                found[part].append(sum(parts[part]))
            self.rows_scored = int(sum(parts["rows"])) or self.rows_scored


def _settle(labeler: Any) -> None:
    """Until nothing runs in the background."""
    assert labeler.wait_for_training(SETTLED_S)


@contextmanager
def _watched() -> Iterator[Milliseconds]:
    """Milliseconds that training, scoring and picking take meanwhile, each time, and the rows scored."""
    maker: Any = import_module("fastlabel_gradio.head").HeadMaker
    candidates: Any = import_module("fastlabel_gradio.pool.candidates")
    parts: Milliseconds = defaultdict(list)
    train, score = maker.train, candidates.score_rows

    def counting_score(head: Any, embeddings: Any, rows: Any, *others: Any) -> Any:
        parts["rows"].append(len(rows))
        return score(head, embeddings, rows, *others)

    _PICKS.clear()
    maker.train, candidates.score_rows = _timing(train, parts["train"]), _timing(counting_score, parts["score"])
    try:
        yield parts
    finally:
        maker.train, candidates.score_rows = train, score
        parts["pick"] = list(_PICKS)


_PICKS: list[float] = []


def _watched_strategy(name: str) -> str:
    """Registers a strategy that picks as that one does and leaves its times in `_PICKS`; gives its name."""
    from fastlabel_gradio.strategies import STRATEGIES
    from fastlabel_gradio.strategies.base import strategy

    watched = STRATEGIES.get(name)
    strategy(f"watched_{name}", watched.needs)(_timing(watched.pick, _PICKS))
    return f"watched_{name}"


def _timing(work: Callable[..., Any], into: list[float]) -> Callable[..., Any]:
    """The same function, whose milliseconds are added to a list."""

    def timed(*arguments: Any, **options: Any) -> Any:
        began = time.perf_counter()
        found = work(*arguments, **options)
        into.append(1000 * (time.perf_counter() - began))
        return found

    return timed


def _memory() -> dict[str, float]:
    whole, files = resident_mib()
    found = {"highest": peak_memory_mib(), "at_the_end": whole, "files": files, "without_files": whole - files}
    return {f"{name}_mb": round(mib * MB_OF_MIB) for name, mib in found.items()}


def _limits(rows: int, dim: int, device: str) -> dict[str, float]:
    """What all cores do at best, measured now, and the least milliseconds that products and reads of the rows take."""
    import torch

    from benchmarks.known_pool import CLASSES
    from fastlabel_gradio.devices import matmul_dtype
    from fastlabel_gradio.head.model import HIDDEN_UNITS

    flops = {name: _flops(dtype, device) for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}
    used = flops["fp32" if matmul_dtype(device) == torch.float32 else "bf16"]
    read = _bytes_a_second()
    return {
        "fp32_tflops": round(flops["fp32"] / 1e12, 2),
        "bf16_tflops": round(flops["bf16"] / 1e12, 2),
        "read_gb_per_s": round(read / 1e9, 1),
        "products_ms": round(1000 * rows * 2 * HIDDEN_UNITS * (dim + CLASSES) / used, 1),
        "read_ms": round(1000 * rows * dim * 4 / read, 1),
    }


def _flops(dtype: Any, device: str) -> float:
    """FLOP/s of products of (LIMIT_ROWS, 512) by (512, 512), one in each core at once; the best of a few."""
    import torch

    left, right = (torch.ones(count, 512, dtype=dtype, device=device) for count in (LIMIT_ROWS, 512))
    threads = (os.cpu_count() or 1) if device == "cpu" else 1

    def multiply() -> None:
        with torch.inference_mode():
            for _ in range(4):
                left @ right
        if device == "cuda":
            torch.cuda.synchronize()

    return threads * 4 * 2 * LIMIT_ROWS * 512 * 512 / _fastest_s(multiply, threads)


def _bytes_a_second() -> float:
    """Bytes of memory that all cores read a second, summing up float32, 256 MiB each; the best of a few."""
    import torch

    threads, ones = os.cpu_count() or 1, torch.ones(READ_NUMBERS)
    return threads * 4 * READ_NUMBERS / _fastest_s(ones.sum, threads)


READ_NUMBERS = 2**26  # more than a cache holds for us


def _fastest_s(work: Callable[[], object], threads: int, rounds: int = 7) -> float:
    """Seconds of `work` in that many threads at once, the best of some rounds after one to warm up."""
    with ThreadPoolExecutor(threads) as pool:
        at_once = lambda: list(pool.map(lambda _: work(), range(threads)))  # noqa: E731
        return min(milliseconds(at_once, rounds + 1)[1:]) / 1000


def _time_table(found: Mapping[int, dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for size, of_it in found.items():
        parts = (of_it[f"{part}_ms"][0] for part in ("train", "score", "pick", "submit"))
        times = (*of_it["total_ms"], of_it["fastest_ms"], AIMS_MS.get(size, ""))
        rows.append((size, of_it["rows_scored"], *parts, *times, f"{of_it['newest_head']:.0%}"))
    parts = ("train", "score", "pick", "submit", "total", "p95", "fastest")
    columns = ("items", "scored", *parts, "aim of p95", "newest head")
    rounds = " / ".join(str(of_it["rounds"]) for of_it in found.values())
    hurried = " / ".join("{:.0f} ({:.0f})".format(*of_it["hurried_ms"]) for of_it in found.values())
    note = f"Rounds: {rounds}. Without pauses, median (p95): {hurried}."
    return Table(f"Submit of {BATCH} labels to the next batch, ms, medians.", columns, rows, note=note)


def _memory_table(found: Mapping[int, dict[str, Any]]) -> Table:
    keys = ("start_mb", "highest_mb", "at_the_end_mb", "files_mb", "without_files_mb")
    rows = [(size, *(of_it[key] for key in keys)) for size, of_it in found.items()]
    columns = ("items", "highest until compared", "highest", "at the end", "of it mapped files", "without them")
    aim = "1,500 MB at a million items, 3,000 MB at 10,000,000, mapped files included"
    return Table("Resident memory, MB.", columns, rows, aim=aim)


def _start_table(found: Mapping[int, dict[str, Any]]) -> Table:
    keys = ("start_s", "start_cpu_s", "compared_s", "compared_cpu_s")
    rows = [(size, *(of_it[key] for key in keys)) for size, of_it in found.items()]
    columns = ("items", "first batch", "of CPU", "compared", "of CPU")
    return Table("From the start, s.", columns, rows, aim="60 s to the first batch at 10,000,000 items")


def _limit_table(found: Mapping[int, dict[str, Any]]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for size, of_it in found.items():
        limits, score_ms = of_it["limits"], of_it["score_ms"][0]
        least = max(limits["products_ms"], limits["read_ms"])
        rows.append((size, *limits.values(), score_ms, f"{least / score_ms:.0%}" if score_ms else ""))
    rates = ("fp32 TFLOP/s", "bf16 TFLOP/s", "reads GB/s")
    columns = ("items", *rates, "products alone, ms", "reads alone, ms", "score, ms", "of the limit")
    note = "Products and reads: the least time that those of the scored rows take when all cores do nothing else."
    return Table("Scoring against what all cores can do at best.", columns, rows, note=note)


if __name__ == "__main__":
    main()
