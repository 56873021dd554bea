"""Which query strategy needs the fewest labels: learning curves of simulated labelling, on the sets that `auto` is chosen by.

    python -m benchmarks.strategies --set digits --seeds 5
    python -m benchmarks.strategies --set pictures --train TRAIN --test TEST --batch 100 --labels 2000

- digits: scikit-learn's, raw pixels at length 1; the last 597 are the test.
- pictures: a half of a folder of class folders, drawn once, as the offline encoder sees it that was fitted on it; another
  folder is the test. The embeddings are kept in the temp folder.

Each seed hides a random fifth of the pool and has a head of its own; strategies share both. A name such as
`random:margin` is a first batch by the one and all later ones by the other; the heads are those of the app.

- accuracy: mean over seeds, in percent, at that many labels.
- against random: the worst difference to random at any checkpoint, in points of the mean. Aim for auto: -1 or better.
- area: mean accuracy over all checkpoints.
- labels to 95 %: of the accuracy with the whole pool labeled; the median over seeds, `>` where a seed did not get there.
- pick: median milliseconds of one query.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.report import Cell, Table, machine, parser, publish, say
from benchmarks.workload import CACHE
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.encoders import FittedEncoder, check_encoder
from fastlabel_gradio.head import Head, HeadInfo, train_head
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.strategies import COLD_START, STRATEGIES, PoolView
from fastlabel_gradio.types import Embeddings, Item, Label

DIGITS_TEST = 597
HIDDEN_PART = 5  # one in so many
POOL_SEED = 0
TARGET = 0.95  # of the accuracy of full supervision
DEFAULT = ("random", "random:entropy", "random:margin", "cluster:balanced_margin", "auto")
BATCHES = {"digits": (10, 200), "pictures": (100, 2000)}
SHOWN = (1, 2, 3, 5, 10, 20)  # batches


@dataclass(frozen=True, slots=True)
class Data:
    """Embeddings float32[n, dim] with the classes int64[n] of a pool and a test part."""

    pool: Embeddings
    pool_targets: np.ndarray
    test: Embeddings
    test_targets: np.ndarray
    classes: int

    def head(self, rows: np.ndarray, seed: int) -> Head:
        """A head trained on those rows of the pool, in the order of the app."""
        schema = tuple(Label(number, str(number)) for number in range(self.classes))
        rows = np.sort(rows)
        return train_head(self.pool[rows], self.pool_targets[rows], HeadInfo(1, schema, "", len(rows), seed=seed))

    def accuracy(self, head: Head) -> float:
        """In percent, on the test part."""
        return 100 * float((head.predict_proba(self.test).argmax(axis=1) == self.test_targets).mean())


@dataclass(frozen=True, slots=True)
class Curve:
    """Accuracy in percent after each batch of one simulated labelling, and the milliseconds of each query."""

    accuracies: tuple[float, ...]
    pick_ms: tuple[float, ...]


def main() -> None:
    arguments = _arguments()
    began_on = machine()
    use_one_thread_per_operation()  # as the app does
    data = _digits() if arguments.set == "digits" else _pictures(arguments.train, arguments.test)
    batches = arguments.labels // arguments.batch
    names = list(dict.fromkeys(["random", *(arguments.strategies or DEFAULT)]))
    full = statistics.mean(_full_supervision(data, seed) for seed in range(arguments.seeds))
    curves = {name: _curves(data, name, arguments.batch, batches, arguments.seeds) for name in names}
    publish(began_on, _tables(curves, arguments.batch, full, arguments), arguments.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    made.add_argument("--set", choices=tuple(BATCHES), default="digits")
    made.add_argument("--train", type=Path, metavar="FOLDER", help="class folders, the pool of --set pictures")
    made.add_argument("--test", type=Path, metavar="FOLDER", help="class folders to test on")
    made.add_argument("--strategies", nargs="+", metavar="NAME", help="names, or FIRST:LATER")
    made.add_argument("--seeds", type=int, default=5)
    made.add_argument("--batch", type=int, help="items of a batch (default: 10 of digits, 100 of pictures)")
    made.add_argument("--labels", type=int, help="labels at the end (default: 200 of digits, 2,000 of pictures)")
    arguments = made.parse_args()
    if (arguments.set == "pictures") != bool(arguments.train and arguments.test):
        made.error("--set pictures goes with --train and --test")
    batch, labels = BATCHES[arguments.set]
    arguments.batch = arguments.batch or batch
    arguments.labels = arguments.labels or labels
    return arguments


def _digits() -> Data:
    from sklearn.datasets import load_digits

    pixels, targets = load_digits(return_X_y=True)
    vectors = (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)).astype(np.float32)
    targets = targets.astype(np.int64)
    return Data(vectors[:-DIGITS_TEST], targets[:-DIGITS_TEST], vectors[-DIGITS_TEST:], targets[-DIGITS_TEST:], 10)


def _pictures(train: Path, test: Path) -> Data:
    CACHE.mkdir(parents=True, exist_ok=True)
    cached = CACHE / f"half-{train.resolve().as_posix().strip('/').replace('/', '-')}.npz"
    if not cached.exists():
        say(f"embedding {train} into {cached} …")
        np.savez(cached, **_embedded(train, test))
    with np.load(cached) as arrays:
        parts = [arrays[part] for part in ("pool", "pool_targets", "test", "test_targets")]
        return Data(parts[0], parts[1], parts[2], parts[3], int(arrays["classes"]))


def _embedded(train: Path, test: Path) -> dict[str, np.ndarray]:
    pool, held_out = (
        open_source("image_folder", {"path": folder.resolve()}, Path(), CACHE) for folder in (train, test)
    )
    encoder, _ = check_encoder("offline", {}, "image").open()
    assert isinstance(encoder, FittedEncoder)
    found = sorted(pool.scan(), key=lambda item: item.id)
    items = [found[place] for place in np.random.default_rng(POOL_SEED).permutation(len(found))[: len(found) // 2]]
    encoder.fit([encoder.prepare(pool.read(item)) for item in items[: encoder.sample_size]], POOL_SEED)
    test_items = list(held_out.scan())
    classes = pool.classes()
    return {
        "pool": _vectors(encoder, pool, items),
        "pool_targets": _targets(pool, items, classes),
        "test": _vectors(encoder, held_out, test_items),
        "test_targets": _targets(held_out, test_items, classes),
        "classes": np.array(len(classes)),
    }


def _vectors(encoder: FittedEncoder, source: Source, items: Sequence[Item]) -> Embeddings:
    remaining, parts = iter(items), []
    while block := list(islice(remaining, encoder.batch_size)):
        parts.append(encoder.encode([encoder.prepare(source.read(item)) for item in block]))
    return np.concatenate(parts)


def _targets(source: Source, items: Sequence[Item], classes: tuple[str, ...]) -> np.ndarray:
    return np.array([classes.index(source.reference_label(item) or "") for item in items], dtype=np.int64)


def _pool(data: Data, seed: int) -> np.ndarray:
    """The rows of the pool that this seed may label."""
    order = np.random.default_rng(seed).permutation(len(data.pool))
    return np.sort(order[len(order) // HIDDEN_PART :])


def _full_supervision(data: Data, seed: int) -> float:
    return data.accuracy(data.head(_pool(data, seed), seed))


def _curves(data: Data, name: str, batch: int, batches: int, seeds: int) -> list[Curve]:
    began = time.perf_counter()
    first, _, later = name.partition(":")
    curves = [_labelling(data, first, later or first, batch, batches, seed) for seed in range(seeds)]
    say(f"{name}: {statistics.mean(curves[0].accuracies):.1f} %, {time.perf_counter() - began:.0f} s")
    return curves


def _labelling(data: Data, first: str, later: str, batch: int, batches: int, seed: int) -> Curve:
    """One simulated labelling by an annotator who knows the answers."""
    rng = np.random.default_rng(seed)
    free, labeled = _pool(data, seed), np.zeros(0, dtype=np.int64)
    head: Head | None = None
    accuracies, pick_ms = [], []
    for number in range(batches):
        began = time.perf_counter()
        probabilities = None if head is None else head.predict_proba_rows(data.pool, free)
        targets = data.pool_targets[labeled]
        pool = PoolView(data.pool, free, probabilities, labeled, targets, data.classes, head)
        wanted = STRATEGIES.get(later if number else first)
        strategy = STRATEGIES.get(COLD_START) if head is None and wanted.needs == "probabilities" else wanted
        picked = free[strategy.pick(pool, batch, rng)]
        pick_ms.append(1000 * (time.perf_counter() - began))
        labeled, free = np.concatenate([labeled, picked]), np.setdiff1d(free, picked)
        if len(np.unique(data.pool_targets[labeled])) > 1:
            head = data.head(labeled, seed)
        accuracies.append(data.accuracy(head) if head else 100 / data.classes)
    return Curve(tuple(accuracies), tuple(pick_ms))


def _tables(curves: dict[str, list[Curve]], batch: int, full: float, arguments: argparse.Namespace) -> list[Table]:
    means = {name: np.mean([curve.accuracies for curve in of_it], axis=0) for name, of_it in curves.items()}
    shown = [number for number in SHOWN if number <= arguments.labels // batch]
    columns = ("first : later", *(f"@{number * batch}" for number in shown), "area", "against random", "labels to 95 %")
    rows: list[tuple[Cell, ...]] = []
    for name, mean in means.items():
        at_checkpoints = [round(float(mean[number - 1]), 1) for number in shown]
        worst = round(float((mean - means["random"]).min()), 1)
        area = round(float(mean.mean()), 2)
        rows.append((name, *at_checkpoints, area, worst, _labels_to_target(curves[name], TARGET * full, batch)))
    picks: list[tuple[Cell, ...]] = [
        (name, round(statistics.median(ms for c in of_it for ms in c.pick_ms), 1)) for name, of_it in curves.items()
    ]
    whole: list[tuple[Cell, ...]] = [
        (name, seed, *(round(accuracy, 2) for accuracy in curve.accuracies))
        for name, of_it in curves.items()
        for seed, curve in enumerate(of_it)
    ]
    title = f"{arguments.set}: batches of {batch}, {arguments.seeds} seeds; all labeled: {full:.1f} %."
    checkpoints = tuple(f"@{(number + 1) * batch}" for number in range(arguments.labels // batch))
    return [
        Table(title, columns, rows, aim="auto never more than a point below random"),
        Table("Score and pick.", ("first : later", "ms"), picks),
        Table("Every curve.", ("first : later", "seed", *checkpoints), whole),
    ]


def _labels_to_target(curves: Sequence[Curve], target: float, batch: int) -> str:
    """The median over seeds of the labels from which two further checkpoints hold the target too."""
    needed = [_first_held(curve.accuracies, target) for curve in curves]
    middle = statistics.median_high([len(curves[0].accuracies) + 1 if at is None else at for at in needed])
    most = len(curves[0].accuracies)
    return f"> {most * batch}" if middle > most else f"{middle * batch}"


def _first_held(accuracies: Sequence[float], target: float) -> int | None:
    above = [accuracy >= target for accuracy in accuracies]
    return next((number + 1 for number in range(len(above) - 2) if all(above[number : number + 3])), None)


if __name__ == "__main__":
    main()
