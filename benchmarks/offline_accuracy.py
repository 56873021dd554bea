"""What a head learns from the offline encoder's embeddings, with 100 to 20,000 labels, and how fast the encoder is.

A folder of class folders is embedded by the app's own pipeline into a fresh store (fitted on its own pictures); a head is
trained on the first n of its rows, which are in random order, and tested on another folder. Without folders: scikit-learn's
digits, 1,200 for training and the last 597 for the test. What the head is worth beside others: `heads.py`.

With --sounds, a folder of ESC-10 (`meta/esc50.csv` and `audio`) or of the Free Spoken Digit Dataset (`recordings`) is
embedded whole, as the app does before the first label; heads are trained on all labels of the other parts.

- accuracy: mean over seeds, each with labels and a start of its own. Aim on CIFAR-10: 70 % with 20,000 labels.
- pictures a second: of the pipeline, from the scan to the last row, without the fit. Aim: 2,000 of 32 x 32 on two cores.
- sounds: accuracy where each fold of ESC-10 is left out in turn (aim: 85 %), on the official split of FSDD, whose test part
  are the recordings 0 to 4 (aim: 98 %), and where each of its speakers is left out. Aim: 60 clips of 5 s a second.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.report import Cell, Table, machine, parser, publish, say
from benchmarks.workload import CACHE
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.embedding_pipeline import EmbeddingPipeline
from fastlabel_gradio.embedding_store import EmbeddingStore
from fastlabel_gradio.encoders import Encoder, check_encoder
from fastlabel_gradio.head import HeadInfo, Spread, train_head
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Embeddings, Item, Label

Parts = list[tuple[str, list[np.ndarray]]]  # a title and, as booleans, the rows of each part that is left out in turn

LARGE = 5_000  # beyond it three seeds will do
FEWEST_SEEDS = 3


@dataclass(frozen=True, slots=True)
class Data:
    """Embeddings float32[n, 512] with the classes int64[n] of a training and a test part."""

    train: Embeddings
    train_targets: np.ndarray
    test: Embeddings
    test_targets: np.ndarray
    classes: tuple[str, ...]

    def some(self, labels: int, seed: int) -> tuple[Embeddings, np.ndarray]:
        rows = np.random.default_rng(seed).permutation(len(self.train))[:labels]
        return self.train[rows], self.train_targets[rows]


def main() -> None:
    arguments = _arguments()
    began_on = machine()
    use_one_thread_per_operation()  # as the app does
    if arguments.sounds:
        publish(began_on, _sound_tables(*arguments.sounds, arguments.seeds), arguments.json)
        return
    pool, test = _sources(arguments)
    data, rate, fit_s = _embedded(pool, test)
    counts = arguments.labels or ([100, 500, 2000, 20000] if arguments.train else [50, 200, 1200])
    rows = [_row(data, count, arguments.seeds) for count in counts if count <= len(data.train)]
    columns = ("labels", "head, %")
    aim = "70 % with 20,000 labels" if arguments.train else ""
    accuracy = Table(f"Accuracy on {len(data.test):,} test pictures.", columns, rows, aim=aim)
    embedding = Table(
        f"Embedding {len(data.train):,} pictures.", ("pictures/s", "fit, s"), [(rate, fit_s)], aim="2,000 a second"
    )
    publish(began_on, [accuracy, embedding], arguments.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    made.add_argument("--train", type=Path, metavar="FOLDER", help="class folders to learn from")
    made.add_argument("--test", type=Path, metavar="FOLDER", help="class folders to test on")
    made.add_argument("--sounds", nargs=2, metavar=("SET", "FOLDER"), help="esc10 or fsdd, and where it is")
    made.add_argument("--labels", type=int, nargs="+", metavar="N", help="numbers of labels")
    made.add_argument("--seeds", type=int, default=12, help=f"seeds of each number up to {LARGE:,} (default: 12)")
    arguments = made.parse_args()
    if bool(arguments.train) != bool(arguments.test):
        made.error("--train and --test go together")
    if arguments.sounds and arguments.sounds[0] not in SOUND_SETS:
        made.error(f"--sounds '{arguments.sounds[0]}' is not known. Known: {', '.join(SOUND_SETS)}")
    return arguments


def _sources(arguments: argparse.Namespace) -> tuple[Source, Source]:
    if not arguments.train:
        digits = open_source("demo", {"part": "pool"}, Path(), CACHE)
        return digits, digits
    pool, test = (
        open_source("image_folder", {"path": folder.resolve()}, Path(), CACHE)
        for folder in (arguments.train, arguments.test)
    )
    return pool, test


def _embedded(pool: Source, test: Source) -> tuple[Data, float, float]:
    """The data, pictures a second, and seconds that the encoder took to open and fit."""
    with _store() as store:
        encoder, rate, fit_s = _fill(pool, store)
        say(f"{len(store):,} pictures embedded, {rate:,.0f} a second")
        classes = pool.classes()
        ids = _ids(store)
        train_targets = _targets(pool, map(Item, ids), classes)
        test_items = list(test.held_out()) or list(test.scan())
        vectors = np.concatenate(list(_encoded(encoder, test, test_items)))
        test_targets = _targets(test, test_items, classes)
        return Data(np.array(store.embeddings), train_targets, vectors, test_targets, classes), rate, fit_s


@contextmanager
def _store() -> Iterator[EmbeddingStore]:
    with (
        tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as folder,
        closing(EmbeddingStore(Path(folder))) as store,
    ):
        yield store


def _fill(pool: Source, store: EmbeddingStore) -> tuple[Encoder, float, float]:
    pipeline = EmbeddingPipeline(pool, store, check_encoder("offline", {}, pool.kind).open)
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
    return pipeline.encoder, round(rate, 1), round(fitted - began, 2)


def _encoded(encoder: Encoder, source: Source, items: Iterable[Item]) -> Iterator[Embeddings]:
    remaining = iter(items)
    while block := list(islice(remaining, encoder.batch_size)):
        yield encoder.encode([encoder.prepare(source.read(item, encoder.resolution)) for item in block])


def _ids(store: EmbeddingStore) -> list[str]:
    """In the order of the rows."""
    return [item_id for block in store.item_blocks() for _, item_id in block]


def _sound_tables(name: str, folder: str, seeds: int) -> list[Table]:
    kind, parts_of, aim = SOUND_SETS[name]
    source = open_source(kind, {"path": Path(folder).resolve()}, Path(), CACHE)
    with _store() as store:
        _, rate, fit_s = _fill(source, store)
        ids, embeddings = _ids(store), np.array(store.embeddings)
    say(f"{len(ids):,} sounds embedded, {rate:,.1f} a second")
    classes, parts = parts_of(source, ids)
    names = sorted(set(classes.tolist()))
    targets = np.searchsorted(np.array(names), classes)
    schema = tuple(Label(number, label) for number, label in enumerate(names, 1))
    rows: list[tuple[Cell, ...]] = []
    for title, tested in parts:
        shares = [_left_out(embeddings, targets, one, schema, seeds) for one in tested]
        rows.append((title, *(round(100 * value, 1) for value in (statistics.mean(shares), min(shares), max(shares)))))
    columns = ("left out of the labels, tested on", "accuracy, %", "worst part", "best part")
    embedding = [(round(rate, 1), fit_s)]
    return [
        Table(f"{name}: head on all other labels of {len(ids):,} sounds, {seeds} seeds.", columns, rows, aim=aim),
        Table(f"Embedding {len(ids):,} sounds.", ("sounds/s", "fit, s"), embedding, aim="60 clips of 5 s a second"),
    ]


def _left_out(
    embeddings: Embeddings, targets: np.ndarray, tested: np.ndarray, schema: tuple[Label, ...], seeds: int
) -> float:
    """Mean accuracy over seeds on some rows, given as booleans, of heads trained on all others."""
    shares = []
    spread = Spread.of(embeddings)  # the pool is embedded whole
    for seed in range(seeds):
        info = HeadInfo(1, schema, "", int((~tested).sum()), seed=seed)
        head = train_head(embeddings[~tested], targets[~tested], info, spread=spread)
        shares.append(float((head.predict_proba(embeddings[tested]).argmax(axis=1) == targets[tested]).mean()))
    return statistics.mean(shares)


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


def _targets(source: Source, items: Iterable[Item], classes: tuple[str, ...]) -> np.ndarray:
    position = {name: index for index, name in enumerate(classes)}
    return np.array([position[source.reference_label(item) or ""] for item in items], dtype=np.int64)


def _row(data: Data, labels: int, seeds: int) -> tuple[Cell, ...]:
    say(f"{labels:,} labels …")
    schema = tuple(Label(number, name) for number, name in enumerate(data.classes, 1))
    spread = Spread.of(data.train)
    accuracies = []
    for seed in range(seeds if labels <= LARGE else min(seeds, FEWEST_SEEDS)):
        embeddings, targets = data.some(labels, seed)
        head = train_head(embeddings, targets, HeadInfo(1, schema, "", labels, seed=seed), spread=spread)
        accuracies.append(float((head.predict_proba(data.test).argmax(axis=1) == data.test_targets).mean()))
    return labels, round(100 * statistics.mean(accuracies), 2)


# The kind of source, how the set is cut into parts, and what is to be reached.
SOUND_SETS: dict[str, tuple[str, Callable[[Source, list[str]], tuple[np.ndarray, Parts]], str]] = {
    "esc10": ("esc50", _esc10_parts, "85 %"),
    "fsdd": ("audio_folder", _fsdd_parts, "98 % on recordings 0 to 4"),
}


if __name__ == "__main__":
    main()
