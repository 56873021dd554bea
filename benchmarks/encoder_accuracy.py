"""What a head learns from the embeddings of encoders that need no download, how fast each is, and what it takes.

Each of --encoder, `offline` and `pretrained` by default, embeds a pool by the app's own pipeline into a fresh store, fitted
on the pool; a head is trained on the first n of its rows, which are in random order, and tested on others:

- by default scikit-learn's digits, 1,200 to learn from and 597 to test on;
- --train FOLDER: class folders, of whose pictures a quarter is kept for the test; with --test FOLDER those of that folder;
- --sounds SET FOLDER: ESC-10 (`meta/esc50.csv` and `audio`), each of its folds left out in turn, or the Free Spoken Digit
  Dataset (`recordings`): the official split, whose test part are the recordings 0 to 4, and each speaker left out in turn.

Accuracy is the mean over seeds, each with labels and a start of its own, and that of the worst part. Items a second are the
pipeline's, from the scan to the last row, without the fit. Memory is the most that was resident meanwhile.

Aims on two cores: `offline` 70 % on CIFAR-10 with 20,000 labels, 85 % on ESC-10, 98 % on FSDD's split, 2,000 pictures
of 32 x 32 and 60 clips of 5 s a second; `pretrained` 91 % on ESC-10, 99 % on FSDD's split, 130 photos of 400 x 300 and
40 clips of 5 s. What the head is worth beside others: `heads.py`.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.memory import forget_peak_memory, peak_memory_mib
from benchmarks.report import Cell, Table, machine, parser, publish, say
from benchmarks.workload import CACHE
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.embedding_pipeline import EmbeddingPipeline
from fastlabel_gradio.embedding_store import EmbeddingStore
from fastlabel_gradio.encoders import Encoder, check_encoder
from fastlabel_gradio.encoders.lite0 import weights_file
from fastlabel_gradio.head import HeadInfo, Spread, train_head
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Embeddings, Item, Label

Parts = list[tuple[str, list[np.ndarray]]]  # a title and, as booleans, the rows of each part that is left out in turn

ENCODERS = ("offline", "pretrained")
COUNTS = (20, 100, 500)  # labels, and then all
LARGE = 5_000  # beyond it three seeds will do
FEWEST_SEEDS = 3
TESTED_SHARE = 4  # one of so many pictures, where there is one folder


@dataclass(frozen=True, slots=True)
class Cost:
    """What it took to embed a pool."""

    items: int
    rate_per_s: float
    fit_s: float
    memory_mib: float


@dataclass(frozen=True, slots=True)
class Embedded:
    """Embeddings float32[n, dim] with their classes as int64[n], of the pool first and then of what is only tested on."""

    embeddings: Embeddings
    targets: np.ndarray
    classes: tuple[str, ...]
    parts: Parts
    cost: Cost

    @property
    def schema(self) -> tuple[Label, ...]:
        return tuple(Label(number, name) for number, name in enumerate(self.classes, 1))

    @property
    def spread(self) -> Spread:
        """Of the pool."""
        return Spread.of(self.embeddings[: self.cost.items])


def main() -> None:
    arguments = _arguments()
    began_on = machine()
    use_one_thread_per_operation()  # as the app does
    counts = arguments.labels or COUNTS
    accuracies: list[tuple[Cell, ...]] = []
    costs: list[tuple[Cell, ...]] = []
    for name in arguments.encoder:
        data, encoder = _embedded(name, arguments)
        accuracies += [(name, *row) for row in _accuracy_rows(data, counts, arguments.seeds)]
        costs.append((name, *_cost_cells(data.cost), *_weights(encoder)))
    title = f"Accuracy in % by the number of labels, {arguments.seeds} seeds."
    columns = ("encoder", "tested on", *(f"{count:,}" for count in counts), "all", "all, worst part")
    taken = ("encoder", "items", "items/s", "fit, s", "peak memory, MiB", "weights, MB", "licence of the weights")
    publish(began_on, [Table(title, columns, accuracies), Table("What embedding took.", taken, costs)], arguments.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    made.add_argument("--encoder", nargs="+", default=list(ENCODERS), metavar="E", help="default: offline pretrained")
    made.add_argument("--train", type=Path, metavar="FOLDER", help="class folders to learn from")
    made.add_argument("--test", type=Path, metavar="FOLDER", help="class folders to test on")
    made.add_argument("--sounds", nargs=2, metavar=("SET", "FOLDER"), help="esc10 or fsdd, and where it is")
    made.add_argument("--labels", type=int, nargs="+", metavar="N", help="numbers of labels (default: 20 100 500)")
    made.add_argument("--seeds", type=int, default=12, help=f"seeds of each number up to {LARGE:,} (default: 12)")
    arguments = made.parse_args()
    if arguments.test and not arguments.train:
        made.error("--test needs --train")
    if arguments.sounds and arguments.sounds[0] not in SOUND_SETS:
        made.error(f"--sounds '{arguments.sounds[0]}' is not known. Known: {', '.join(SOUND_SETS)}")
    return arguments


def _embedded(name: str, arguments: argparse.Namespace) -> tuple[Embedded, Encoder]:
    """The pool that was asked for, by an encoder that was fitted on it."""
    pool, test = _sources(arguments)
    with _store() as store:
        encoder, cost = _fill(name, pool, store)
        ids, embeddings = _ids(store), np.array(store.embeddings)
    say(f"{name}: {cost.items:,} items embedded, {cost.rate_per_s:,.1f} a second")
    if arguments.sounds:
        kinds, parts = SOUND_SETS[arguments.sounds[0]][1](pool, ids)
        classes = tuple(sorted(set(kinds.tolist())))
        return Embedded(embeddings, np.searchsorted(np.array(classes), kinds), classes, parts, cost), encoder
    items = [Item(item_id) for item_id in ids]
    if test is None:
        tested = np.arange(len(items)) < len(items) // TESTED_SHARE
    else:
        others = list(test.held_out()) or list(test.scan())
        embeddings = np.concatenate([embeddings, *_encoded(encoder, test, others)])
        tested = np.arange(len(embeddings)) >= len(items)
    targets = np.concatenate([_targets(pool, items), *([_targets(test, others)] if test else [])])
    return Embedded(embeddings, targets, pool.classes(), [(f"{tested.sum():,} others", [tested])], cost), encoder


def _sources(arguments: argparse.Namespace) -> tuple[Source, Source | None]:
    """The pool, and where the items to test on come from; None for the pool itself."""
    if arguments.sounds:
        kind, folder = SOUND_SETS[arguments.sounds[0]][0], arguments.sounds[1]
        return open_source(kind, {"path": Path(folder).resolve()}, Path(), CACHE), None
    if not arguments.train:
        digits = open_source("demo", {"part": "pool"}, Path(), CACHE)
        return digits, digits
    pool, test = (
        open_source("image_folder", {"path": folder.resolve()}, Path(), CACHE) if folder else None
        for folder in (arguments.train, arguments.test)
    )
    assert pool is not None
    return pool, test


@contextmanager
def _store() -> Iterator[EmbeddingStore]:
    with (
        tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as folder,
        closing(EmbeddingStore(Path(folder))) as store,
    ):
        yield store


def _fill(name: str, pool: Source, store: EmbeddingStore) -> tuple[Encoder, Cost]:
    pipeline = EmbeddingPipeline(pool, store, check_encoder(name, {}, pool.kind).open)
    forget_peak_memory()
    began = time.perf_counter()
    fitted = began
    pipeline.start()
    while pipeline.progress.state not in ("done", "failed"):
        time.sleep(0.002)
        if pipeline.encoder is None:
            fitted = time.perf_counter()
    if pipeline.encoder is None:
        raise RuntimeError(pipeline.progress.error)
    rate = len(store) / (time.perf_counter() - fitted)
    return pipeline.encoder, Cost(len(store), round(rate, 1), round(fitted - began, 2), round(peak_memory_mib()))


def _encoded(encoder: Encoder, source: Source, items: Iterable[Item]) -> Iterator[Embeddings]:
    remaining = iter(items)
    while block := list(islice(remaining, encoder.batch_size)):
        yield encoder.encode([encoder.prepare(source.read(item, encoder.resolution)) for item in block])


def _ids(store: EmbeddingStore) -> list[str]:
    """In the order of the rows."""
    return [item_id for block in store.item_blocks() for _, item_id in block]


def _targets(source: Source, items: Iterable[Item]) -> np.ndarray:
    position = {name: index for index, name in enumerate(source.classes())}
    return np.array([position[source.reference_label(item) or ""] for item in items], dtype=np.int64)


def _accuracy_rows(data: Embedded, counts: Sequence[int], seeds: int) -> Iterator[tuple[Cell, ...]]:
    """What was tested on, mean accuracy with each number of labels and with all, and that of the worst part with all."""
    for title, tested in data.parts:
        say(f"left out: {title} …")
        shares = [[_accuracy(data, part, count, seeds) for part in tested] for count in (*counts, len(data.targets))]
        yield (title, *(round(100 * statistics.mean(part), 1) for part in shares), round(100 * min(shares[-1]), 1))


def _accuracy(data: Embedded, tested: np.ndarray, labels: int, seeds: int) -> float:
    """Mean over seeds on some rows, given as booleans, of heads trained on as many of the others, or all."""
    shares = []
    others = np.flatnonzero(~tested)
    for seed in range(seeds if labels <= LARGE else min(seeds, FEWEST_SEEDS)):
        rows = np.random.default_rng(seed).permutation(others)[:labels]
        info = HeadInfo(1, data.schema, "", len(rows), seed=seed)
        head = train_head(data.embeddings[rows], data.targets[rows], info, spread=data.spread)
        predicted = head.predict_proba(data.embeddings[tested]).argmax(axis=1)
        shares.append(float((predicted == data.targets[tested]).mean()))
    return statistics.mean(shares)


def _cost_cells(cost: Cost) -> tuple[Cell, ...]:
    return cost.items, cost.rate_per_s, cost.fit_s, cost.memory_mib


def _weights(encoder: Encoder) -> tuple[Cell, Cell]:
    """Size and licence, of those that come with a package."""
    size_mb = round(weights_file().stat().st_size / 1e6) if encoder.name == "pretrained" else 0
    return size_mb, getattr(encoder, "licence", "") or "none"


def _esc10_parts(source: Source, ids: list[str]) -> tuple[np.ndarray, Parts]:
    """The folds, which file names begin with."""
    folds = np.array([Path(item_id).name.split("-")[0] for item_id in ids])
    classes = np.array([source.reference_label(Item(item_id)) for item_id in ids])
    return classes, [("each fold", [folds == fold for fold in sorted(set(folds.tolist()))])]


def _fsdd_parts(source: Source, ids: list[str]) -> tuple[np.ndarray, Parts]:
    """The official split and the speakers; a file's name is digit, speaker and number."""
    digits, speakers, numbers = np.array([Path(item_id).stem.split("_") for item_id in ids]).T
    voices = [speakers == speaker for speaker in sorted(set(speakers.tolist()))]
    return digits, [("recordings 0 to 4", [numbers.astype(int) < 5]), ("each speaker", voices)]


# The kind of source, and how the set is cut into parts.
SOUND_SETS: dict[str, tuple[str, Callable[[Source, list[str]], tuple[np.ndarray, Parts]]]] = {
    "esc10": ("esc50", _esc10_parts),
    "fsdd": ("audio_folder", _fsdd_parts),
}


if __name__ == "__main__":
    main()
