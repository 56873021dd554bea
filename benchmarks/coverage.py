"""Does the accuracy that the page reports hold the true accuracy 95 times in 100? Simulated labelings of known sets.

    python -m benchmarks.coverage --data DATA --workers 2 --json OUT
    python -m benchmarks.coverage --sets digits --strategies margin --runs 20

    python -m benchmarks.coverage --sets esc10_windows esc10_windows_by_items fsdd_speakers fsdd_speakers_by_items

DATA holds `esc10`, `fsdd` and `cifar10`, unpacked; digits need no folder. A run labels a pool through the app's own
`Labeler`, stores and pipeline; the embeddings are there already. All items of a set, pool and test part together, are halved
at random for each run: one half is the pool, the other one the truth, so that the audit and the truth are alike. The labeler
chooses the audit by a hash of ids; ids are salted with the run, so each run of each strategy has an audit of its own. The
annotator knows every answer.

At the checkpoints, from 30 random items on, what `Labeler.evaluation` reports is held against the head's accuracy on the
truth:

- holds: share of the runs whose interval holds the truth, with its own 95 % Wilson interval. Aim: 95.
- holds, truth exact: the truth is a sample too, m items beside the audit's n, which widens the distance of the two by
  sqrt((m + n) / m): 1 % on digits, 9 % on ESC-10. Here the distance is taken that much smaller.
- by arithmetic: what Wilson's interval does with a perfect sample of that size, at each run's true accuracy.
- bias: reported less true, mean and standard error. queried: accuracy of the head on the items that it picked itself in the
  last batch, those of the audit left out: the figure that the page does not report.

Every strategy of ours plays every set a few times, and each of these runs has halves and an audit of its own, so that the
figures of a set, summed over strategies, and of a strategy, summed over sets, settle with far fewer runs than each cell.

ESC-10's pool has 160 items, a tenth of which are not 30: there three tenths are the audit.

Grouped sets are halved by whole groups, so that the truth is the accuracy on groups of which nothing was labeled: windows of
ESC-10's clips against left-out recordings, and a speaker of FSDD, left out, against the others. The labeler knows the groups.
With `_by_items` it does not, as before it knew any: the figures show what that costs. `holds, truth exact` then counts
groups, m left out and n in the audit.
"""

import argparse
import math
import multiprocessing
import tempfile
import time
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from PIL import Image
from threadpoolctl import threadpool_limits

from benchmarks.efficiency_data import Split, cached_splits, load_split
from benchmarks.report import Cell, Table, machine, parser, publish, say
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.embedding_pipeline import EmbeddingPipeline
from fastlabel_gradio.embedding_store import EmbeddedItem, EmbeddingStore
from fastlabel_gradio.encoders.base import Encoder, EncoderOptions
from fastlabel_gradio.evaluation import wilson_interval
from fastlabel_gradio.groups import Grouping
from fastlabel_gradio.head import Head
from fastlabel_gradio.label_store import LabelStore
from fastlabel_gradio.labeler import Labeler, LabelerSettings
from fastlabel_gradio.learner import LearnerSettings
from fastlabel_gradio.sources.base import Source, SourceOptions
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Batch, Embeddings, Item, Rows

ANNOTATOR = "simulated"
TARGET = 0.9  # of the advice, which is not looked at
LIMIT_S = 600.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a set is labelled: the report is looked at when so many labels are there; 30 items of the audit at least.

    Attributes:
        data: the name in SETS; "" for that of the plan.
        truth_groups: how many groups are the truth, as a share of all or one for 0; None where items are halved.
        by_items: whether the labeler is not told of the groups.
    """

    batch: int
    checkpoints: tuple[int, ...]
    audit_share: float = 0.1
    data: str = ""
    truth_groups: float | None = None
    by_items: bool = False


PLANS = {
    "digits": Plan(50, (300, 400)),
    "fsdd": Plan(50, (300, 400)),
    "esc10": Plan(20, (100,), 0.3),
    "cifar10_half": Plan(100, (300, 600)),
    "esc10_windows": Plan(50, (300, 600), truth_groups=0.5),
    "esc10_windows_by_items": Plan(50, (300, 600), data="esc10_windows", truth_groups=0.5, by_items=True),
    "fsdd_speakers": Plan(50, (300, 400), data="fsdd", truth_groups=0.0),
    "fsdd_speakers_by_items": Plan(50, (300, 400), data="fsdd", truth_groups=0.0, by_items=True),
}


@dataclass(frozen=True, slots=True)
class Task:
    """One run. Its name salts the ids and seeds the halves."""

    set: str
    strategy: str
    seed: int

    @property
    def number(self) -> int:
        return zlib.crc32(f"{self.set} {self.strategy} {self.seed}".encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What was reported at some number of labels, and what is true.

    Attributes:
        items, correct, low, high: of the audit, as `AuditReport` has them.
        truth, truth_items: accuracy on the other half, and its size.
        queried: accuracy on the picks of the last batch, by the head that picked them.
        groups, truth_groups: of the audit and of the truth; None without groups.
    """

    labels: int
    items: int
    correct: int
    low: float
    high: float
    truth: float
    truth_items: int
    queried: float
    groups: int | None = None
    truth_groups: int | None = None

    @property
    def reported(self) -> float:
        return self.correct / self.items

    @property
    def holds(self) -> bool:
        return self.low <= self.truth <= self.high

    @property
    def holds_exactly(self) -> bool:
        """Whether it would hold a truth that is not a sample itself."""
        sizes = (
            (self.groups, self.truth_groups) if self.groups and self.truth_groups else (self.items, self.truth_items)
        )
        return self.low <= exact_truth(self.reported, sizes[0], self.truth, sizes[1]) <= self.high


@dataclass(frozen=True, slots=True)
class Pool:
    """Half of a set with its classes, and the other half: float32[n, dim] of length 1, int64[n].

    `groups`, `other_groups`: int64[n], the group of each item; empty without groups.
    """

    vectors: Embeddings
    targets: Rows
    other_vectors: Embeddings
    other_targets: Rows
    groups: Rows
    other_groups: Rows


def exact_truth(reported: float, items: int, truth: float, truth_items: int) -> float:
    """The truth, as far from what was reported as one that is known exactly would be. Sizes are of items, or of groups.

    The variance of the distance of two samples' shares is p (1 - p) (1/n + 1/m); that of a sample's and the true share is
    p (1 - p) / n.
    """
    return reported + (truth - reported) * math.sqrt(truth_items / (truth_items + items))


def wilson_coverage(share: float, items: int) -> float:
    """How often Wilson's interval of a random sample holds the true share, exactly (binomial)."""
    inside = [number for number in range(items + 1) if _in_interval(share, number, items)]
    return sum(math.comb(items, number) * share**number * (1 - share) ** (items - number) for number in inside)


def halves(split: Split, rng: np.random.Generator, truth_groups: float | None = None) -> Pool:
    """All items of a set in two random halves; or that share of its groups as the truth, and the others."""
    vectors = np.concatenate([split.pool, split.test])
    targets = np.concatenate([split.pool_targets, split.test_targets])
    groups = np.concatenate([split.pool_groups, split.test_groups])
    if truth_groups is None:
        groups = groups[:0]
        order = rng.permutation(len(targets))
        first, second = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    else:
        names = rng.permutation(np.unique(groups))
        is_truth = np.isin(groups, names[: max(1, round(truth_groups * len(names)))])
        first, second = np.flatnonzero(~is_truth), np.flatnonzero(is_truth)
    of_groups = [groups[rows] if len(groups) else groups for rows in (first, second)]
    return Pool(vectors[first], targets[first], vectors[second], targets[second], *of_groups)


def play(split: Split, task: Task, plan: Plan) -> list[Checkpoint]:
    """One run to the last checkpoint, every training and calibration waited for."""
    pool = halves(split, np.random.default_rng(task.number), plan.truth_groups)
    found = []
    with opened_labeler(pool, task, plan) as labeler:
        for batch in answered(labeler, pool, plan.checkpoints[-1]):
            if labeler.counts().labeled in plan.checkpoints:
                found.append(_checkpoint(labeler, pool, _queried(labeler, batch, pool)))
    return found


def answered(labeler: Labeler, pool: Pool, labels: int) -> Iterator[Batch]:
    """Each batch, once it is labeled and the head that learned it is measured, until there are so many labels."""
    while labeler.counts().labeled < labels:
        batch = labeler.next_batch(ANNOTATOR, fresh=True)
        if not batch.items:
            return
        if not labeler.submit(ANNOTATOR, _answers(batch, pool), batch.id).training_triggered:
            labeler.train()
        if not labeler.wait_for_training(LIMIT_S):
            raise RuntimeError(f"a training took longer than {LIMIT_S:.0f} s")
        yield batch


def true_accuracy(head: Head, pool: Pool) -> float:
    """On the other half."""
    return float((head.predict_proba(pool.other_vectors).argmax(axis=1) == pool.other_targets).mean())


def main() -> None:
    arguments = _arguments()
    began_on = machine()
    files = {name: cached_splits(PLANS[name].data or name, arguments.data)[0] for name in arguments.sets}
    tasks = [
        Task(name, strategy, seed)
        for name in arguments.sets
        for strategy in arguments.strategies
        for seed in range(arguments.runs)
    ]
    found = dict(zip(tasks, played(_play_file, tasks, files, arguments.workers), strict=True))
    runs = [{**asdict(task), "checkpoints": [asdict(one) for one in of_it]} for task, of_it in found.items()]
    publish(began_on, _tables(found), arguments.json, {"runs": runs})


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    made.add_argument("--data", type=Path, default=Path(), metavar="DATA", help="the folder with the unpacked sets")
    made.add_argument("--sets", nargs="+", choices=list(PLANS), default=list(PLANS), metavar="SET")
    names = STRATEGIES.names()
    made.add_argument("--strategies", nargs="+", choices=names, default=names, metavar="S", help="(default: all)")
    made.add_argument("--runs", type=int, default=15, metavar="N", help="of each set and strategy (default: 15)")
    made.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    return made.parse_args()


def played(
    work: Callable[[Task, Path], T], tasks: Sequence[Task], files: Mapping[str, Path], workers: int
) -> Iterator[T]:
    """What came of each task, in their order. One worker is this process itself."""
    if workers == 1:
        _use_one_thread()
        yield from (work(task, files[task.set]) for task in tasks)
        return
    context = multiprocessing.get_context("spawn")
    began = time.perf_counter()
    with ProcessPoolExecutor(workers, context, _use_one_thread) as processes:
        for number, found in enumerate(processes.map(work, tasks, [files[task.set] for task in tasks]), 1):
            if number % 20 == 0:
                say(f"{number} of {len(tasks)} runs, {time.perf_counter() - began:,.0f} s")
            yield found


def _use_one_thread() -> None:
    """As the app does; and BLAS, whose threads would wait for each other beside another worker."""
    use_one_thread_per_operation()
    threadpool_limits(1)


def _play_file(task: Task, file: Path) -> list[Checkpoint]:
    return play(load_split(file), task, PLANS[task.set])


# One run


class _SaltedItems(Source):
    """The items of a run, whose embeddings are stored already."""

    kind = "image"
    Options = SourceOptions

    def __init__(self, ids: Sequence[str], groups: Sequence[str]) -> None:
        self._ids = ids
        self._groups = dict(zip(ids, groups, strict=True)) if groups else {}
        self.grouping = Grouping("groups") if groups else None

    def scan(self) -> Iterator[Item]:
        return (Item(item_id) for item_id in self._ids)

    def group_of(self, item: Item) -> str | None:
        return self._groups.get(item.id)

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        raise NotImplementedError("every item has an embedding already")

    def content_key(self, item: Item) -> str:
        return item.id


class _NothingToEncode(Encoder):
    """Stands for the encoder of embeddings that are there already."""

    name = "known_vectors"
    Options: ClassVar[type[EncoderOptions]] = EncoderOptions
    fingerprint = "known-vectors"
    batch_size = 1
    resolution = 8

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def prepare(self, media: Any) -> np.ndarray:
        raise NotImplementedError("every item has an embedding already")

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return np.zeros((0, self.dim), dtype=np.float32)


@contextmanager
def opened_labeler(pool: Pool, task: Task, plan: Plan) -> Iterator[Labeler]:
    """The app's labeler over the pool, with no label yet."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fastlabel-coverage-")))
        store = stack.enter_context(closing(EmbeddingStore(folder / "pool")))
        labels = stack.enter_context(closing(LabelStore(f"sqlite:///{folder / 'labels.sqlite'}", "coverage")))
        pipeline = _filled(store, pool, task, plan)
        stack.callback(pipeline.stop)
        classes = int(pool.targets.max()) + 1
        schema = labels.ensure_labels([f"class-{number}" for number in range(classes)])
        settings = LabelerSettings(
            task.strategy,
            plan.batch,
            audit_share=plan.audit_share,
            learner=LearnerSettings(train_every=plan.batch, seed=task.seed),
        )
        yield stack.enter_context(closing(Labeler(schema, store, pipeline, labels, folder, settings)))


def _filled(store: EmbeddingStore, pool: Pool, task: Task, plan: Plan) -> EmbeddingPipeline:
    """A pipeline that has nothing left to do: every item is in the store, in the store's own shuffled order."""
    encoder = _NothingToEncode(pool.vectors.shape[1])
    ids = [f"{task.number}-{number}" for number in range(len(pool.targets))]
    groups = [] if plan.by_items else [f"{task.number}-{group}" for group in pool.groups]
    store.begin_scan()
    store.add_items([Item(item_id) for item_id in ids])
    store.end_scan()
    store.use_encoder(encoder.fingerprint, encoder.dim)
    items = [item for _, item in store.in_order(-1, len(ids))]
    store.append([EmbeddedItem(item, item.id) for item in items], pool.vectors[[_number(item) for item in items]])
    source = _SaltedItems(ids, groups)
    pipeline = EmbeddingPipeline(source, store, lambda: (encoder, ""), audit_share=plan.audit_share)
    pipeline.start()
    while pipeline.progress.state != "done":
        if pipeline.progress.state == "failed":
            raise RuntimeError(pipeline.progress.error)
        time.sleep(0.002)
    return pipeline


def _number(item: Item) -> int:
    """Its position in the half of the set that is the pool."""
    return int(item.id.partition("-")[2])


def _answers(batch: Batch, pool: Pool) -> list[tuple[str, str | int]]:
    return [(item.id, int(pool.targets[_number(item)])) for item in batch.items]


def _queried(labeler: Labeler, batch: Batch, pool: Pool) -> float:
    """Share of a batch's picks, without the audit's items, that the head which picked them gets right."""
    audited = np.isin(batch.rows, labeler._ledger.audit_rows(len(pool.targets)))
    right = [
        prediction is not None and prediction.index == said
        for prediction, drawn, (_, said) in zip(batch.predictions, audited, _answers(batch, pool), strict=True)
        if not drawn
    ]
    return sum(right) / len(right) if right else math.nan


def _checkpoint(labeler: Labeler, pool: Pool, queried: float) -> Checkpoint:
    head, report = labeler.head, labeler.evaluation(TARGET).report
    assert head and report, "no head, or no labeled item of the audit"
    truth, counts = true_accuracy(head, pool), (labeler.counts().labeled, report.items, report.correct)
    other_groups = len(np.unique(pool.other_groups)) or None
    size = len(pool.other_targets)
    return Checkpoint(*counts, report.low, report.high, truth, size, queried, report.groups, other_groups)


# Tables


def _tables(found: Mapping[Task, list[Checkpoint]]) -> list[Table]:
    by_set: dict[tuple[str, str], list[Checkpoint]] = defaultdict(list)
    for task, checkpoints in found.items():
        for checkpoint in checkpoints:
            by_set[task.set, f"{checkpoint.labels}"].append(checkpoint)
    last = {task: checkpoints[-1] for task, checkpoints in found.items() if checkpoints}
    by_set["all", "the last"] = [*last.values()]
    columns = ("set", "labels", "items", "runs", "holds", "holds, truth exact", "by arithmetic")
    figures = ("set", "labels", "reported", "true", "bias", "width")
    return [
        Table(
            "How often the reported interval holds the true accuracy, %.",
            columns,
            [(*key, *_coverage_cells(of_it)) for key, of_it in by_set.items()],
            aim="95",
        ),
        _strategies_table(last),
        Table(
            "What is reported and what is true, %, means of the runs.",
            figures,
            [(*key, *_accuracy_cells(of_it)) for key, of_it in by_set.items()],
        ),
    ]


def _strategies_table(last: Mapping[Task, Checkpoint]) -> Table:
    """Of each strategy: its coverage on each set and on all, and how far off the two figures are."""
    sets = list(dict.fromkeys(task.set for task in last))
    rows: list[tuple[Cell, ...]] = []
    for strategy in dict.fromkeys(task.strategy for task in last):
        of_it = {task: checkpoint for task, checkpoint in last.items() if task.strategy == strategy}
        of_sets = [[checkpoint for task, checkpoint in of_it.items() if task.set == name] for name in sets]
        every = [*of_it.values()]
        held = [f"{sum(one.holds for one in part)} of {len(part)}" for part in of_sets]
        queried = [one.queried - one.truth for one in every]
        rows.append(
            (strategy, *held, _share(sum(one.holds for one in every), len(every)), _bias(every), _mean(queried))
        )
    columns = ("strategy", *sets, "all, %", "bias", "queried less true")
    return Table("The same at the last checkpoint, by strategy; bias in points.", columns, rows)


def _coverage_cells(of_it: Sequence[Checkpoint]) -> tuple[Cell, ...]:
    held, exactly = sum(one.holds for one in of_it), sum(one.holds_exactly for one in of_it)
    expected = np.mean([wilson_coverage(one.truth, one.items) for one in of_it])
    items = f"{np.mean([one.items for one in of_it]):.0f}"
    return items, len(of_it), _share(held, len(of_it)), _share(exactly, len(of_it)), f"{100 * expected:.1f}"


def _accuracy_cells(of_it: Sequence[Checkpoint]) -> tuple[Cell, ...]:
    means = [np.mean(values) for values in ([one.reported for one in of_it], [one.truth for one in of_it])]
    width = np.mean([one.high - one.low for one in of_it])
    return (*(f"{100 * mean:.1f}" for mean in means), _bias(of_it), f"{100 * width:.1f}")


def _bias(of_it: Sequence[Checkpoint]) -> str:
    """Points: reported less true, with the standard error."""
    return _mean([one.reported - one.truth for one in of_it])


def _mean(shares: Sequence[float]) -> str:
    """The mean of shares in points, with its standard error; those that are nan are left out."""
    known = np.array([share for share in shares if not math.isnan(share)])
    error = known.std(ddof=1) / math.sqrt(len(known)) if len(known) > 1 else math.nan
    return f"{100 * known.mean():+.1f} ± {100 * error:.1f}"


def _share(held: int, runs: int) -> str:
    low, high = wilson_interval(held, runs)
    return f"{100 * held / runs:.1f} ({100 * low:.0f} to {100 * high:.0f})"


def _in_interval(share: float, number: int, items: int) -> bool:
    low, high = wilson_interval(number, items)
    return low <= share <= high


if __name__ == "__main__":
    main()
