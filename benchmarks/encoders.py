"""The encoders that need no download beside each other on every set: one table of accuracy, speed, memory and weights.

    python -m benchmarks.encoders --data DATA [--sets digits fsdd esc10 waste cifar10] [--encoder offline pretrained]

- accuracy: of a head that is trained on random items of a pool that the encoder was fitted on, and tested on others: the mean
  over the parts of the set in `data.py` and over seeds, and that of the worst part. Busy cores do not change it.
- items a second and memory: the app's pipeline over up to --items files of the set, once, as `embedding.py` measures it; on
  idle cores only, so --items 0 leaves them out.
- weights: their size and licence; none for what is learned from the pool.

What the head is worth beside others: `heads.py`. Aims: `offline` 70 % on CIFAR-10 with 20,000 labels, 85 % on ESC-10, 98 % on
FSDD's split; `pretrained` 91 % on ESC-10, 99 % on FSDD's split. For a folder of your own: `fastlabel simulate --encoder`.
"""

import argparse
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data import SETS, Split, cached_splits, digit_pictures, load_split, made_once, opened
from benchmarks.embedding import pipeline_figures
from benchmarks.report import DATA, Cell, Measured, Option, Table, run, say, use_one_thread
from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.encoders.lite0 import weights_file
from fastlabel_gradio.head import HeadInfo, Spread, train_head
from fastlabel_gradio.types import Label, Medium

ENCODERS = ("offline", "pretrained")
COUNTS = (20, 100, 500)  # labels, and then all
LARGE = 5_000  # beyond it three seeds will do
FEWEST_SEEDS = 3
MEDIA: dict[str, Medium] = {
    "digits": "image",
    "fsdd": "audio",
    "fsdd_speakers": "audio",
    "esc10": "audio",
    "waste": "image",
    "cifar10": "image",
}


OPTIONS = (
    DATA,
    Option("--sets", tuple(MEDIA), "that are embedded", tuple(MEDIA)),
    Option("--encoder", ENCODERS, "that embed"),
    Option("--labels", COUNTS, "numbers of labels"),
    Option("--seeds", 6, "seeds of each number of labels"),
    Option("--items", 1_500, "files for speed and memory; 0 leaves them out"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    rows = list(_rows(arguments))
    counts = *(f"{count:,}" for count in arguments.labels), "all", "all, worst part"
    columns = ("set", "encoder", *counts, "items/s", "peak memory, MiB", "weights, MB", "licence of the weights")
    return [Table(f"Accuracy in % by the number of labels, {arguments.seeds} seeds.", columns, rows)]


def _rows(arguments: argparse.Namespace) -> Iterator[tuple[Cell, ...]]:
    data = arguments.data
    for name in arguments.sets:
        for encoder in arguments.encoder:
            say(f"{name} by {encoder} …")
            splits = (
                digit_pictures(encoder)
                if name == "digits"
                else [load_split(file) for file in cached_splits(name, data, encoder)]
            )
            accuracies = _accuracies(splits, arguments.labels, arguments.seeds)
            figures = _figures(name, encoder, data, arguments.items)
            yield name, encoder, *accuracies, *figures, *_weights(encoder, MEDIA[name])


def _accuracies(splits: Sequence[Split], counts: Sequence[int], seeds: int) -> tuple[Cell, ...]:
    """With each number of labels and with all, and that of the worst part with all."""
    shares = [[_accuracy(split, count, seeds) for split in splits] for count in counts]
    everything = [_accuracy(split, len(split.pool), seeds) for split in splits]
    means = (round(100 * statistics.mean(of_parts), 1) for of_parts in (*shares, everything))
    return *means, round(100 * min(everything), 1)


def _accuracy(split: Split, label_count: int, seeds: int) -> float:
    """Mean over seeds of heads trained on so many items of the pool."""
    shares = []
    classes, spread = tuple(Label(number, str(number)) for number in range(split.classes)), Spread.of(split.pool)
    for seed in range(seeds if label_count <= LARGE else min(seeds, FEWEST_SEEDS)):
        rows = np.random.default_rng(seed).permutation(len(split.pool))[:label_count]
        info = HeadInfo(1, classes, "", len(rows), seed=seed)
        head = train_head(split.pool[rows], split.pool_targets[rows], info, spread=spread)
        shares.append(float((head.predict_proba(split.test).argmax(axis=1) == split.test_targets).mean()))
    return statistics.mean(shares)


def _weights(name: str, medium: Medium) -> tuple[Cell, Cell]:
    """Size and licence of the weights that come with a package."""
    encoder, _ = check_encoder(name, {}, medium).open()
    size_mb = round(weights_file().stat().st_size / 1e6) if encoder.name == "pretrained" else 0
    return size_mb, getattr(encoder, "licence", "") or "none"


def _figures(name: str, encoder: str, data: Path, items: int) -> tuple[Cell, ...]:
    """Items a second and peak memory."""
    if not items:
        return "", ""
    folder = _digit_files() if name == "digits" else data / SETS[name].folder
    rate, peak = pipeline_figures(encoder if MEDIA[name] == "image" else f"{encoder}_sounds", folder, items)
    return round(rate, 1), round(peak)


def _digit_files() -> Path:
    def write(folder: Path) -> None:
        source = opened("demo", part="pool")
        for item in source.scan():
            source.read(item).save(folder / f"{Path(item.id).stem}.png")

    return made_once("digit-files", write)


if __name__ == "__main__":
    main()
