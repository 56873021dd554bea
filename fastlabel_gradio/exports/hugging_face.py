"""A folder that `datasets.load_dataset` reads: imagefolder or audiofolder with a metadata table a part, and a card."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastlabel_gradio.exports.base import folder_exporter
from fastlabel_gradio.exports.folders import Folder, spooled
from fastlabel_gradio.exports.item_media import ItemMedia, stem_of
from fastlabel_gradio.exports.rows import ExportRow

FILES_A_FOLDER = 5_000  # the hub takes 10,000
ONLY_PART = "train"
BLOCK_ROWS = 10_000

# What `datasets` opens as it is; others are written anew as PNG or FLAC.
SUFFIXES = {
    "image": (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"),
    "audio": (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff"),
}
TEXTS = ("label", "item_id", "path", "annotator", "created_at", "source", "promise", "predicted_label")
NUMBERS = {"confidence": "float64", "label_confidence": "float64", "head_version": "int32"}


@folder_exporter("hf")
def write_hugging_face(rows: Iterable[ExportRow], folder: Folder, media: ItemMedia) -> None:
    """`PART/00000/…` with at most 5,000 files a folder, `PART/metadata.parquet`, and `README.md`, the dataset card.

    Every item with a class is in it; `label` is null where only the head says one, in `predicted_label`. Without parts all
    is `train`.
    """
    counts = CardCounts()
    with ExitStack() as opened:
        parts: dict[str, _Part] = {}
        for row in rows:
            if not row.said_or_predicted:
                continue
            name = row.split or ONLY_PART
            part = parts.setdefault(name, _Part(name))
            if part.path is None:
                part.path = opened.enter_context(spooled())
            if file_name := media.add(folder, part.stem(row), row, SUFFIXES[media.medium]):
                part.take(row, file_name)
                counts.take(name, row)
        for part in parts.values():
            folder.add_written(f"{part.name}/metadata.parquet", part.closed())
    folder.add_bytes("README.md", dataset_card(media, counts).encode("utf-8"))


@dataclass
class _Part:
    """One part of the data: how many files it has, and the table of them, written as they come."""

    name: str
    files: int = 0
    path: Path | None = None
    _rows: list[dict[str, object]] = field(default_factory=list)
    _writer: Any = None

    def stem(self, row: ExportRow) -> str:
        return f"{self.name}/{self.files // FILES_A_FOLDER:05d}/{self.files:07d}-{stem_of(row)[-1]}"

    def take(self, row: ExportRow, file_name: str) -> None:
        self.files += 1
        self._rows.append({"file_name": file_name.removeprefix(f"{self.name}/"), **told_of(row)})
        if len(self._rows) >= BLOCK_ROWS:
            self._write()

    def closed(self) -> Path:
        """The table, whole."""
        self._write()
        self._writer.close()
        assert self.path is not None
        return self.path

    def _write(self) -> None:
        import pyarrow
        import pyarrow.parquet

        schema = pyarrow.schema([("file_name", pyarrow.string()), *columns_told()])
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self.path, schema, compression="zstd")
        self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=schema))
        self._rows.clear()


def told_of(row: ExportRow) -> dict[str, object]:
    """What the hub's tables say of an item beside its file; None for what is not known."""
    texts = {name: getattr(row, name) or None for name in TEXTS}
    return texts | {name: getattr(row, name) for name in NUMBERS}


def columns_told() -> list[tuple[str, Any]]:
    """The columns of `told_of`, with their types in Parquet."""
    import pyarrow

    texts = [(name, pyarrow.string()) for name in TEXTS]
    return [*texts, *((name, pyarrow.type_for_alias(kind)) for name, kind in NUMBERS.items())]


@dataclass
class CardCounts:
    """How many items the data has by part and class: those that carry a label, and those of which only the head says one."""

    labels: Counter[tuple[str, str]] = field(default_factory=Counter)
    predictions: Counter[tuple[str, str]] = field(default_factory=Counter)

    def take(self, part: str, row: ExportRow) -> None:
        counts = self.labels if row.label else self.predictions
        counts[part, row.said_or_predicted] += 1


def dataset_card(media: ItemMedia, counts: CardCounts) -> str:
    """What the hub shows: labels and predictions apart. The licence of the data is its owner's affair and is left open."""
    return "".join(f"{line}\n" for line in _card_lines(media, counts))


def _card_lines(media: ItemMedia, counts: CardCounts) -> Iterator[str]:
    labeled, predicted = counts.labels.total(), counts.predictions.total()
    noun = "pictures" if media.medium == "image" else "sounds"
    task = "image-classification" if media.medium == "image" else "audio-classification"
    parts = list(dict.fromkeys(part for part, _ in (*counts.labels, *counts.predictions)))
    size = _size_category(labeled + predicted)
    yield from ("---", "task_categories:", f"- {task}", "size_categories:", f"- {size}", "---", "")
    yield from (f"# {labeled:,} labeled {noun}" + (f", {predicted:,} predicted" if predicted else ""), "")
    if labeled or not predicted:
        yield from _class_table("class", counts.labels, parts)
    if predicted:
        yield from ("", f"Of {predicted:,} more nobody said a class; the classifier predicts:", "")
        yield from _class_table("predicted class", counts.predictions, parts)
    yield from ("", "Labeled with FastLabel. `label` is the class that stands; where it is null nobody said one, and")
    yield "`predicted_label` is what the classifier says with the probability `confidence`. `source` tells what a"
    yield from (
        "label came by; `auto` are labels that the classifier gave by itself, with the evidence in `promise`.",
        "",
    )
    if media.unreadable:
        yield f"{len(media.unreadable):,} items could not be read and are left out."


def _class_table(heading: str, counts: Counter[tuple[str, str]], parts: Sequence[str]) -> Iterator[str]:
    """How many items each part has of each class."""
    yield f"| {heading} | {' | '.join(parts)} |"
    yield f"|---|{'---|' * len(parts)}"
    for label in sorted({label for _, label in counts}):
        shown = label.replace("|", r"\|").replace("\n", " ")
        yield f"| {shown} | {' | '.join(f'{counts[part, label]:,}' for part in parts)} |"


def _size_category(items: int) -> str:
    ends = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
    return next((name for end, name in ends if items < end), "1M<n<10M")
