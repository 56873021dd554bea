"""How long a next batch takes and what the process holds in memory, from a thousand items to a million.

    python -m benchmarks.scale --sizes 1000,10000,100000,1000000 [--json OUT]

Each size is a made-up pool of 512 numbers an item (`benchmarks/vectors.py`), embedded on disk, served by the app's own
project and labeler in a process of its own. An annotator who knows the answers labels batches of 100 up to 2,000 labels (or
to the end of the pool), again and again from no labels until at least 40 rounds are counted.

- submit to next batch: `submit` of 100, then `next_batch(fresh=True)` of 100 picked by the head that learned them. The
  annotator waits for the background work before, as a person does who needs a minute for a batch. Aims at the 95th
  percentile on two cores: 250 ms at 100,000 items, 400 ms at 1,000,000.
- in a hurry: the same without waiting, so that every submit comes in the middle of the background work.
- train, score, pick: the parts of it, inside the running loop; the rest is storing labels and claims.
- resident memory: the highest while labelling, pages of the mapped embeddings included, and without them. Aim: 1.5 GB at
  a million.
- limits: matrix products and memory reads of all cores, measured in the same process.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

if not __package__:  # python benchmarks/scale.py
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.memory import forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Cell, Table, machine, median_and_p95, parser, publish, say
from benchmarks.workload import ROOT, wait_until

BATCH, LABELS, ROUNDS, HURRIED_ROUNDS = 100, 2_000, 40, 20
WARM_UP = 1  # rounds at the start of the first pass, which load code
SETTLED_S = 600.0
AIMS_MS = {100_000: 250, 1_000_000: 400}
LIMIT_ROWS = 8_192
MB, MIB = 1e6, 2**20

Milliseconds = dict[str, list[float]]


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument(
        "--sizes", default="1000,10000,100000,1000000", help="items of each pool (default: %(default)s)"
    )
    options.add_argument(
        "--rounds", type=int, default=ROUNDS, help="rounds that count, at least (default: %(default)s)"
    )
    options.add_argument("--strategy", default="auto")
    options.add_argument("--one", type=int, metavar="SIZE", help=argparse.SUPPRESS)
    arguments = options.parse_args()
    if arguments.one:
        sys.stdout.write(json.dumps(_measured(arguments.one, arguments.strategy, arguments.rounds)))
        return
    began_on = machine()
    found = {}
    for size in map(int, arguments.sizes.split(",")):
        say(f"{size:,} items …")
        found[str(size)] = {**_in_a_process_of_its_own(size, arguments), "machine": began_on}
    publish(began_on, [_time_table(found), _memory_table(found), _limit_table(found)], None)
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _in_a_process_of_its_own(size: int, arguments: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.scale", "--one", str(size), "--strategy", arguments.strategy]
    command += ["--rounds", str(arguments.rounds)]
    found: dict[str, Any] = json.loads(
        subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    )
    return found


def _measured(size: int, strategy: str, rounds: int) -> dict[str, Any]:
    from benchmarks.vectors import open_pool
    from fastlabel_gradio.devices import pick_device

    strategy = _watch_strategy(strategy)
    with closing(open_pool(size, pick_device(), strategy=strategy, batch_size=BATCH)) as project:
        project.start()
        wait_until(lambda: project.pipeline.progress.state in ("done", "failed"), SETTLED_S, "the start")
        loop = _Loop(project, size)
        forget_peak_memory()
        waited = loop.rounds(rounds + WARM_UP, hurried=False)
        memory = _memory()
        hurried = loop.rounds(min(rounds, HURRIED_ROUNDS), hurried=True)
        scored = loop.rows_scored
        device = project.device
    totals = waited["total"][WARM_UP:]
    middle, high = median_and_p95(totals)
    hurried_middle, hurried_high = median_and_p95(hurried["total"])
    parts = {f"{part}_ms": _median(waited[part][WARM_UP:]) for part in ("train", "score", "pick", "submit")}
    return {
        "p50_ms": middle,
        "p95_ms": high,
        **parts,
        **memory,
        "rounds": len(totals),
        "fastest_ms": round(min(totals), 1),
        "hurried_p50_ms": hurried_middle,
        "hurried_p95_ms": hurried_high,
        "newest_head": sum(waited["newest"][WARM_UP:]) / len(totals),
        "hurried_newest_head": sum(hurried["newest"]) / len(hurried["newest"]),
        "rows_scored": scored,
        "rare_found": loop.rare_found,
        "limits": _limits(scored, device),
    }


class _Loop:
    """Labels a project as its classes are, pass after pass, each with a labeler and labels of its own."""

    def __init__(self, project: Any, size: int) -> None:
        from benchmarks.vectors import CLASSES, targets

        self._project, self._targets = project, targets(size)
        self._most = min(LABELS, int(size * (1 - project.config.audit_share)) - 2 * BATCH)
        self._passes = 0
        self._rare = CLASSES - 2
        self.rows_scored = 0
        self.rare_found: list[list[int]] = []

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
        labels = np.zeros(0, dtype=np.int64)
        batch = labeler.next_batch(name, BATCH, fresh=True)
        while len(labels) < self._most:
            given = [int(self._targets[int(item.id)]) for item in batch.items]
            answers = list(zip([item.id for item in batch.items], given, strict=True))
            if not hurried:
                _settle(labeler)
            with _watched() as parts:
                began = time.perf_counter()
                labeler.submit(name, answers, batch.id)
                submitted = time.perf_counter()
                batch = labeler.next_batch(name, BATCH, fresh=True)
                ended = time.perf_counter()
            labels = np.concatenate([labels, given])
            if not hurried:
                _settle(labeler)
            found["total"].append(1000 * (ended - began))
            found["submit"].append(1000 * (submitted - began))
            found["newest"].append(float(labeler.head is None or batch.head_version == labeler.head.info.version))
            for part in ("train", "score", "pick"):
                found[part].append(sum(parts[part]))
            self.rows_scored = int(sum(parts["rows"])) or self.rows_scored
        self.rare_found.append([int((labels == number).sum()) for number in (self._rare, self._rare + 1)])


def _settle(labeler: Any) -> None:
    """Until nothing runs in the background."""
    assert labeler.wait_for_training(SETTLED_S)


@contextmanager
def _watched() -> Iterator[Milliseconds]:
    """Milliseconds that training, scoring and picking take meanwhile, each time, and the rows scored."""
    maker: Any = import_module("fastlabel_gradio.head").HeadMaker
    candidates: Any = import_module("fastlabel_gradio.candidates")
    parts: Milliseconds = defaultdict(list)
    train, score = maker.train, candidates.score_rows

    def timed_train(*arguments: Any, **options: Any) -> Any:
        with _timing(parts["train"]):
            return train(*arguments, **options)

    def timed_score(head: Any, embeddings: Any, rows: Any) -> Any:
        parts["rows"].append(len(rows))
        with _timing(parts["score"]):
            return score(head, embeddings, rows)

    _PICKS.clear()
    maker.train, candidates.score_rows = timed_train, timed_score
    try:
        yield parts
    finally:
        maker.train, candidates.score_rows = train, score
        parts["pick"] = list(_PICKS)


_PICKS: list[float] = []


def _watch_strategy(name: str) -> str:
    """Registers a strategy that picks as that one does and leaves its times in `_PICKS`; gives its name."""
    from fastlabel_gradio.strategies import STRATEGIES
    from fastlabel_gradio.strategies.base import PoolView, strategy
    from fastlabel_gradio.types import Rows

    watched = STRATEGIES.get(name)

    @strategy(f"watched_{name}", watched.needs)
    def pick(pool: PoolView, n: int, rng: np.random.Generator) -> Rows:
        with _timing(_PICKS):
            return watched.pick(pool, n, rng)

    return f"watched_{name}"


@contextmanager
def _timing(into: list[float]) -> Iterator[None]:
    began = time.perf_counter()
    yield
    into.append(1000 * (time.perf_counter() - began))


def _memory() -> dict[str, float]:
    whole, files = resident_mib()
    peak = peak_memory_mib()
    return {
        "rss_mb": round(peak * MIB / MB),
        "rss_now_mb": round(whole * MIB / MB),
        "rss_files_now_mb": round(files * MIB / MB),
        "rss_without_files_mb": round((whole - files) * MIB / MB),
    }


def _limits(rows: int, device: str) -> dict[str, float]:
    """What all cores do at best, measured now, and the least milliseconds that products and reads of the rows take."""
    import torch

    from benchmarks.vectors import CLASSES, DIM
    from fastlabel_gradio.devices import matmul_dtype
    from fastlabel_gradio.head.model import HIDDEN_UNITS

    flops = {name: _flops(dtype, device) for name, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16))}
    used = flops["fp32" if matmul_dtype(device) == torch.float32 else "bf16"]
    read = _bytes_a_second()
    return {
        "fp32_tflops": round(flops["fp32"] / 1e12, 2),
        "bf16_tflops": round(flops["bf16"] / 1e12, 2),
        "read_gb_per_s": round(read / 1e9, 1),
        "products_ms": round(1000 * rows * 2 * HIDDEN_UNITS * (DIM + CLASSES) / used, 1),
        "read_ms": round(1000 * rows * DIM * 4 / read, 1),
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

    return threads * 4 * 2 * LIMIT_ROWS * 512 * 512 / _fastest(multiply, threads)


def _bytes_a_second() -> float:
    """Bytes of memory that all cores read a second, summing up float32; the best of a few."""
    import torch

    threads = os.cpu_count() or 1
    parts = [torch.ones(2**26) for _ in range(threads)]  # 256 MiB each, more than a cache holds for us
    return threads * 4 * 2**26 / _fastest(lambda: parts[0].sum(), threads)


def _fastest(work: Callable[[], object], threads: int, rounds: int = 7) -> float:
    """Seconds of `work` in that many threads at once, the best of some rounds after one to warm up."""
    taken = []
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(rounds + 1):
            began = time.perf_counter()
            for future in [pool.submit(work) for _ in range(threads)]:
                future.result()
            taken.append(time.perf_counter() - began)
    return min(taken[1:])


def _median(values: list[float]) -> float:
    return round(float(np.median(values)), 1)


def _time_table(found: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for size, of_it in found.items():
        times = (of_it[f"{name}_ms"] for name in ("train", "score", "pick", "submit", "p50", "p95", "fastest"))
        rows.append(
            (int(size), of_it["rows_scored"], *times, AIMS_MS.get(int(size), ""), f"{of_it['newest_head']:.0%}")
        )
    columns = (
        "items",
        "scored",
        "train",
        "score",
        "pick",
        "submit",
        "total",
        "p95",
        "fastest",
        "aim of p95",
        "newest head",
    )
    rounds = " / ".join(str(of_it["rounds"]) for of_it in found.values())
    hurried = " / ".join(f"{of_it['hurried_p50_ms']:.0f} ({of_it['hurried_p95_ms']:.0f})" for of_it in found.values())
    note = f"Rounds: {rounds}. In a hurry, median (p95): {hurried}."
    return Table(f"Submit of {BATCH} labels to the next batch, ms, medians.", columns, rows, note=note)


def _memory_table(found: dict[str, Any]) -> Table:
    keys = ("rss_mb", "rss_now_mb", "rss_files_now_mb", "rss_without_files_mb")
    rows: list[tuple[Cell, ...]] = [(int(size), *(of_it[key] for key in keys)) for size, of_it in found.items()]
    columns = ("items", "highest", "at the end", "of it mapped files", "without them")
    return Table("Resident memory, MB.", columns, rows, aim="1,500 MB at a million items, mapped files included")


def _limit_table(found: dict[str, Any]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for size, of_it in found.items():
        limits = of_it["limits"]
        least = max(limits["products_ms"], limits["read_ms"])
        share = f"{least / of_it['score_ms']:.0%}" if of_it["score_ms"] else ""
        rows.append((int(size), *limits.values(), of_it["score_ms"], share))
    columns = (
        "items",
        "fp32 TFLOP/s",
        "bf16 TFLOP/s",
        "reads GB/s",
        "products alone, ms",
        "reads alone, ms",
        "score, ms",
        "of the limit",
    )
    note = "Products and reads: the least time that those of the scored rows take when all cores do nothing else."
    return Table("Scoring against what all cores can do at best.", columns, rows, note=note)


if __name__ == "__main__":
    main()
