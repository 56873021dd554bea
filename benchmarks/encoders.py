"""The encoders that need no download beside each other on every set: one table of accuracy, speed, memory and weights.

    python -m benchmarks.encoders --data DATA [--sets digits fsdd esc10 waste cifar10] [--encoder offline pretrained]

- accuracy: as `encoder_accuracy.py` measures it, on the sets of `data.py`: mean over parts and seeds. Busy cores do not
  change it.
- items a second and memory: the app's pipeline over up to --items files of the set, once, as `embedding.py` measures it; on
  idle cores only, so --items 0 leaves them out.
- weights: their size and licence; none for what is learned from the pool.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.data import SETS, cached_splits, digit_pictures, load_split, made_once, opened
from benchmarks.embedding import pipeline_figures
from benchmarks.encoder_accuracy import COUNTS, ENCODERS, accuracy_cells, weights_cells
from benchmarks.report import DATA, Cell, Measured, Option, Table, run, say, use_one_thread
from fastlabel_gradio.types import Medium

MEDIA: dict[str, Medium] = {"digits": "image", "fsdd": "audio", "esc10": "audio", "waste": "image", "cifar10": "image"}


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
            accuracies = accuracy_cells(splits, arguments.labels, arguments.seeds)
            figures = _figures(name, encoder, data, arguments.items)
            yield name, encoder, *accuracies, *figures, *weights_cells(encoder, MEDIA[name])


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
