"""Which runs there are, and a record of those that are finished: a run is played once, however often the script is stopped.

A line of the record has a fingerprint of all that a run's outcome depends on: the set's numbers, the sources that pick and
train (their comments and docstrings aside), the peers' versions. A run whose fingerprint changed is played again.
"""

import ast
import hashlib
import json
import multiprocessing
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from benchmarks.efficiency_data import available, load_split, part_of
from benchmarks.efficiency_heads import HEADS
from benchmarks.efficiency_loop import EVERYTHING, Curve, head_of, play
from benchmarks.peers import PEERS
from benchmarks.report import say
from benchmarks.workload import CACHE, ROOT
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.head.recipe import RECIPE
from fastlabel_gradio.strategies import STRATEGIES

RECORD = CACHE / "label-efficiency.jsonl"
PACKAGE = ROOT / "fastlabel_gradio"
HEAD_SOURCES = ("head/*.py",)
STRATEGY_SOURCES = ("strategies/*.py", "clustering.py")
LOOP_SOURCES = ("efficiency_loop.py", "efficiency_heads.py")
PEER_PACKAGES = {"skactiveml": "scikit-activeml", "modal": "modAL-python"}

# Patterns of sets and of peers, and why those are not run there. Seconds are of one core of a machine of two, by trial.
LEFT_OUT = (
    ("digits", "skactiveml.quire/*", "35 s a query: an inverse matrix for each candidate"),
    ("fsdd*", "skactiveml.quire/*", "more than on digits: an inverse matrix for each candidate"),
    ("cifar10*", "skactiveml.quire/*", "the inverse of a matrix of 16,000 x 16,000 for each candidate"),
    ("cifar10*", "skactiveml.probcover/*", "three matrices of pool x pool: 2 GB each, and with two workers twice"),
    ("cifar10*", "skactiveml.maxherding/*", "2 GB in each worker, all of it read for each of the 100 picks"),
    ("cifar10*", "skactiveml.badge/*", "44 s a query: pool x 5,120 numbers for each of the 100 picks"),
    ("cifar10*", "skactiveml.typiclust/*", "8 s a query at 500 labels, growing: a cluster for each label"),
    ("cifar10*", "modal.ranked_batch/*", "17 s a query at 500 labels, growing: all distances anew for each pick"),
)
# What else `skactiveml.pool` 1.0.1 exports for classification.
NOT_COMPARED = {
    "EpistemicUncertaintySampling, ProbabilisticAL, FourDs": "need a Parzen window or mixture model instead of a head",
    "MonteCarloEER, ValueOfInformationEER": "train a head for each candidate and class",
    "QueryByCommittee, BatchBALD, GreedyBALD": "need a committee instead of a head",
    "CostEmbeddingAL": "needs the costs of mistakes",
    "DiscriminativeAL": "needs a second classifier, which it trains for each pick",
}


@dataclass(frozen=True, slots=True)
class Key:
    """Which run. `batch` and `labels` are 0 for full supervision."""

    set: str
    contestant: str
    seed: int
    batch: int
    labels: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run, with the seconds of the clock and of the CPU that it took, training included."""

    key: Key
    curve: Curve
    seconds: float
    cpu_s: float


def contestants(patterns: Sequence[str]) -> list[str]:
    """Names that match a pattern, ours first; a FIRST:LATER name of two of our strategies stands for itself."""
    own = ["auto", *(name for name in sorted(STRATEGIES.names()) if name != "auto")]
    known = [*own, *(f"{peer}/{head}" for peer in PEERS for head in HEADS)]
    pairs = [name for name in patterns if ":" in name and set(name.split(":")) <= set(own)]
    return [*(name for name in known if any(fnmatchcase(name, pattern) for pattern in patterns)), *pairs]


def with_yardsticks(chosen: Sequence[str]) -> list[str]:
    """The same, and what they are compared with: random and full supervision by each of their heads."""
    heads = {"mlp", *map(head_of, chosen)}
    yardsticks = [f"{EVERYTHING}/{head}" for head in sorted(heads, reverse=True)] + ["random"]
    if "logistic" in heads:
        yardsticks.append("skactiveml.random/logistic")
    return list(dict.fromkeys([*yardsticks, *chosen]))


def why_left_out(name: str, contestant: str) -> str | None:
    """Why a contestant is not run on a set; None where it is."""
    package = contestant.partition(".")[0]
    if package in PEER_PACKAGES and _version(PEER_PACKAGES[package]) == "none":
        return f"{PEER_PACKAGES[package]} is not installed: pip install -e '.[bench]'"
    found = (why for sets, names, why in LEFT_OUT if fnmatchcase(name, sets) and fnmatchcase(contestant, names))
    return next(found, None)


def fingerprint(contestant: str, data: str) -> str:
    """What the outcome depends on besides the key; `data` is the digest of the set."""
    peer, _, _ = contestant.partition("/")
    parts = [data, _sources(ROOT / "benchmarks", LOOP_SOURCES)]
    if head_of(contestant) == "mlp":
        parts += [RECIPE, _sources(PACKAGE, HEAD_SOURCES), _version("torch")]
    else:
        parts.append(_version("scikit-learn"))
    if "/" not in contestant:
        parts.append(_sources(PACKAGE, STRATEGY_SOURCES))
    elif peer != EVERYTHING:
        parts += [_sources(ROOT / "benchmarks", ("peers.py",)), _version(PEER_PACKAGES[peer.partition(".")[0]])]
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]


def recorded(record: Path) -> dict[Key, Run]:
    """The finished runs; a line that was cut short by a kill is passed over."""
    runs = {}
    for line in record.read_text(encoding="utf-8").splitlines() if record.exists() else ():
        with suppress(json.JSONDecodeError):
            found = json.loads(line)
            key = Key(**found["key"])
            runs[key] = Run(key, Curve(**found["curve"]), found["seconds"], found.get("cpu_s", found["seconds"]))
    return runs


def keep(record: Path, run: Run) -> None:
    """Adds a line. The line before it may have been cut short, so it begins with the end of a line."""
    with record.open("a", encoding="utf-8") as file:
        file.write(f"\n{json.dumps(asdict(run))}\n")


def finish(
    keys: Sequence[Key], files: Mapping[str, list[Path]], workers: int, record: Path = RECORD
) -> tuple[dict[Key, Run], dict[Key, str]]:
    """All runs, those not in the record played now, seed by seed; and of those that failed, why."""
    known = recorded(record)
    runs = {key: known[key] for key in keys if key in known}
    failed: dict[Key, str] = {}
    left = sorted((key for key in keys if key not in runs), key=lambda key: key.seed)
    progress = _Progress(len(keys), left, [*known.values()], workers)
    for key, outcome in _outcomes(left, files, workers):
        if isinstance(outcome, Run):
            runs[key] = outcome
            keep(record, outcome)
        else:
            failed[key] = outcome
        progress.tell(key, outcome)
    return runs, failed


class _Progress:
    """A line on the error stream for each run, with the time that is left, from the runs that are known."""

    def __init__(self, total: int, left: Sequence[Key], known: Sequence[Run], workers: int) -> None:
        self._total, self._left, self._workers = total, set(left), workers
        self._seconds: dict[tuple[str, str, int], list[float]] = {}
        for run in known:
            self._learn(run)
        if left:
            say(f"{total - len(left)} of {total} runs are on record, {len(left)} to play")

    def tell(self, key: Key, outcome: Run | str) -> None:
        self._left.discard(key)
        said = (
            outcome
            if isinstance(outcome, str)
            else f"{100 * outcome.curve.accuracy[-1]:.1f} %, {outcome.seconds:.1f} s"
        )
        if isinstance(outcome, Run):
            self._learn(outcome)
        minutes = self._seconds_left() / 60
        done = f"{self._total - len(self._left)}/{self._total}"
        say(f"{done} {key.set} {key.contestant} seed {key.seed}: {said}; about {minutes:.0f} min left")

    def _learn(self, run: Run) -> None:
        self._seconds.setdefault((run.key.set, run.key.contestant, run.key.labels), []).append(run.seconds)

    def _seconds_left(self) -> float:
        means = {name: float(np.mean(values)) for name, values in self._seconds.items()}
        other = float(np.mean([*means.values()])) if means else 0.0
        expected = (means.get((key.set, key.contestant, key.labels), other) for key in self._left)
        return sum(expected) / self._workers


def _outcomes(keys: Sequence[Key], files: Mapping[str, list[Path]], workers: int) -> Iterator[tuple[Key, Run | str]]:
    """As they finish. One worker is this process itself."""
    if workers == 1:
        _begin()
        for key in keys:
            yield key, _outcome(key, files[key.set])
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process in which torch has computed may hang
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin) as pool:
        waiting = {pool.submit(_outcome, key, files[key.set]): key for key in keys}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _begin() -> None:
    """One thread in this process, in the peers' OpenMP too."""
    import sklearn.cluster  # noqa: F401  # brings its OpenMP, which is then limited
    from threadpoolctl import threadpool_limits

    use_one_thread_per_operation()
    threadpool_limits(1)
    warnings.filterwarnings("ignore", module=r"sklearn|skactiveml|modAL")


def _outcome(key: Key, files: Sequence[Path]) -> Run | str:
    """A peer may raise anything; what it said is then the outcome, and the other runs go on."""
    began, cpu_began = time.perf_counter(), time.process_time()
    split = load_split(files[part_of(key.set, key.seed)])
    try:
        rows = available(key.set, split, key.seed)
        curve = play(split, rows, key.contestant, key.seed, key.batch, key.labels)
    except Exception as error:
        if "/" not in key.contestant:
            raise
        return f"{type(error).__name__}: {error}"
    return Run(key, curve, time.perf_counter() - began, time.process_time() - cpu_began)


@cache
def _sources(folder: Path, patterns: tuple[str, ...]) -> str:
    """A digest of what these files compute: comments, docstrings and layout do not count."""
    digest = hashlib.sha256()
    for path in sorted(file for pattern in patterns for file in folder.glob(pattern)):
        digest.update(f"{path.name} {_without_docstrings(path)}".encode())
    return digest.hexdigest()[:12]


def _without_docstrings(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def keys_of(
    name: str, chosen: Sequence[str], seeds: int, batch: int, labels: int, data: str
) -> tuple[list[Key], dict[str, str]]:
    """The runs of a set, and the contestants that are left out there, with the reason."""
    left_out = {name_: why for name_ in chosen if (why := why_left_out(name, name_))}
    keys = []
    for contestant in (one for one in chosen if one not in left_out):
        size, most = (0, 0) if contestant.startswith(f"{EVERYTHING}/") else (batch, labels)
        mark = fingerprint(contestant, data)
        keys += [Key(name, contestant, seed, size, most, mark) for seed in range(seeds)]
    return keys, left_out
