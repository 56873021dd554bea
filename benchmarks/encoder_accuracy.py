"""What a head learns from the embeddings of encoders that need no download, and what their weights are.

Each of --encoder, `offline` and `pretrained` by default, embeds a pool that it was fitted on; a head is trained on random
items of it, and tested on others:

- by default scikit-learn's digits, 1,200 to learn from and 597 to test on;
- --train FOLDER: class folders, of whose pictures a quarter is kept for the test; with --test FOLDER those of that folder;
- --sounds SET FOLDER: ESC-10 (`meta/esc50.csv` and `audio`), each of its folds left out in turn, or the Free Spoken Digit
  Dataset (`recordings`): the official split, whose test part are the recordings 0 to 4, and each speaker left out in turn.

Accuracy is the mean over seeds, each with labels and a start of its own, and that of the worst part. Items a second and
memory: `embedding.py`; what the head is worth beside others: `heads.py`.

Aims: `offline` 70 % on CIFAR-10 with 20,000 labels, 85 % on ESC-10, 98 % on FSDD's split; `pretrained` 91 % on ESC-10, 99 %
on FSDD's split.
"""

import argparse
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.data import Split, class_folders, digit_pictures, esc10, spoken_digits
from benchmarks.report import Cell, Measured, Option, Table, run, say, use_one_thread
from fastlabel_gradio.encoders import check_encoder
from fastlabel_gradio.encoders.lite0 import weights_file
from fastlabel_gradio.head import HeadInfo, Spread, train_head
from fastlabel_gradio.types import Label

ENCODERS = ("offline", "pretrained")
SOUND_SETS = ("esc10", "fsdd")
COUNTS = (20, 100, 500)  # labels, and then all
LARGE = 5_000  # beyond it three seeds will do
FEWEST_SEEDS = 3
TESTED_SHARE = 4  # one of so many pictures, where there is one folder


OPTIONS = (
    Option("--encoder", ENCODERS, "that embed"),
    Option("--train", Path, "class folders to learn from"),
    Option("--test", Path, "class folders to test on"),
    Option("--sounds", str, "esc10 or fsdd, and its folder", count=2),
    Option("--labels", COUNTS, "numbers of labels"),
    Option("--seeds", 12, f"seeds of each number up to {LARGE:,}"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    if arguments.test and not arguments.train:
        sys.exit("--test needs --train")
    if arguments.sounds and arguments.sounds[0] not in SOUND_SETS:
        sys.exit(f"--sounds '{arguments.sounds[0]}' is not known. Known: {', '.join(SOUND_SETS)}")
    use_one_thread()
    accuracies: list[tuple[Cell, ...]] = []
    weights: list[tuple[Cell, ...]] = []
    for name in arguments.encoder:
        say(f"embedding by {name} …")
        parts = list(_parts(name, arguments))
        cells = [(title, *accuracy_cells(of_it, arguments.labels, arguments.seeds)) for title, of_it in parts]
        accuracies += [(name, *row) for row in cells]
        weights.append(
            (name, parts[0][1][0].pool.shape[1], *weights_cells(name, "audio" if arguments.sounds else "image"))
        )
    title = f"Accuracy in % by the number of labels, {arguments.seeds} seeds."
    columns = ("encoder", "tested on", *(f"{count:,}" for count in arguments.labels), "all", "all, worst part")
    described = Table("Encoders.", ("encoder", "numbers an item", "weights, MB", "licence of the weights"), weights)
    return [Table(title, columns, accuracies), described]


def _parts(encoder: str, arguments: argparse.Namespace) -> Iterator[tuple[str, list[Split]]]:
    """What it is tested on, and a split for each part that is left out in turn."""
    if arguments.sounds:
        name, folder = arguments.sounds[0], Path(arguments.sounds[1]).resolve()
        if name == "esc10":
            yield "each fold", esc10(folder, encoder)
        else:
            official, *speakers = spoken_digits(folder, encoder, "recordings", "speakers")
            yield "recordings 0 to 4", [official]
            yield "each speaker", speakers
        return
    [split] = (
        class_folders(arguments.train, encoder, arguments.test or _a_quarter)
        if arguments.train
        else digit_pictures(encoder)
    )
    yield f"{len(split.test):,} others", [split]


def _a_quarter(count: int) -> np.ndarray:
    return np.random.default_rng(0).permutation(count) < count // TESTED_SHARE


def accuracy_cells(splits: Sequence[Split], counts: Sequence[int], seeds: int) -> tuple[Cell, ...]:
    """Mean accuracy with each number of labels and with all, and that of the worst part with all."""
    shares = [[_accuracy(split, count, seeds) for split in splits] for count in counts]
    everything = [_accuracy(split, len(split.pool), seeds) for split in splits]
    means = (round(100 * statistics.mean(of_parts), 1) for of_parts in (*shares, everything))
    return *means, round(100 * min(everything), 1)


def _accuracy(split: Split, labels: int, seeds: int) -> float:
    """Mean over seeds of heads trained on so many items of the pool."""
    shares = []
    schema, spread = tuple(Label(number, str(number)) for number in range(split.classes)), Spread.of(split.pool)
    for seed in range(seeds if labels <= LARGE else min(seeds, FEWEST_SEEDS)):
        rows = np.random.default_rng(seed).permutation(len(split.pool))[:labels]
        info = HeadInfo(1, schema, "", len(rows), seed=seed)
        head = train_head(split.pool[rows], split.pool_targets[rows], info, spread=spread)
        shares.append(float((head.predict_proba(split.test).argmax(axis=1) == split.test_targets).mean()))
    return statistics.mean(shares)


def weights_cells(name: str, kind: str) -> tuple[Cell, Cell]:
    """Size and licence of the weights that come with a package."""
    encoder, _ = check_encoder(name, {}, kind).open()
    size_mb = round(weights_file().stat().st_size / 1e6) if encoder.name == "pretrained" else 0
    return size_mb, getattr(encoder, "licence", "") or "none"


if __name__ == "__main__":
    main()
