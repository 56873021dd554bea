"""A dataset of Hugging Face through its own library: one that `save_to_disk` wrote, or by its name on the hub."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import SOURCES
from fastlabel_gradio.sources.packed_rows import (
    PackedRows,
    RowOptions,
    chosen_label,
    group_name,
    label_name,
    numbered,
    row_of,
)
from fastlabel_gradio.sources.sound_files import sound_view
from fastlabel_gradio.sources.table_columns import group_column
from fastlabel_gradio.types import Item, Medium

SAVED = ("dataset_info.json", "state.json")  # in a folder that `save_to_disk` wrote
SAVED_SPLITS = "dataset_dict.json"


class HfDatasetOptions(RowOptions):
    """Which dataset.

    Attributes:
        name: a folder that `save_to_disk` wrote, or a dataset's name on the hub.
        config: which of several that the hub has under that name.
        split: `train` by default, or the only one.
        media_column, label_column, group_column, group_pattern: see `RowOptions`. media: what the column holds.
    """

    name: str
    config: str | None = None
    split: str | None = None


@SOURCES.register("hf_dataset")
class HfDataset(PackedRows):
    """Every row of one split. The dataset is opened once: a new version is seen at the next start."""

    Options = HfDatasetOptions

    def __init__(self, options: HfDatasetOptions, base_dir: Path, cache_dir: Path) -> None:
        self.medium: Medium = options.media
        whole, self._split = _opened(options, base_dir, cache_dir)
        column = _media_column(whole.features, options)
        self._group = _group_column(whole.features, options)
        self._group_names = _class_names(whole.features, self._group)
        self._groups = whole.select_columns([self._group]) if self._group else None
        self._names, self._label = _labels(whole.features, options, self._group)
        self._cells = whole.select_columns([column]).cast_column(column, _undecoded(whole.features[column]))
        self._column = column
        self._labels = whole.select_columns([self._label]) if self._label else None
        self._stamp = str(whole._fingerprint)
        self.group_rows(options, self.scan, f"dataset '{options.name}'")
        if self.medium == "audio":
            self.sound_view = sound_view(options, self.rates_hz(self.scan()))

    def scan(self) -> Iterator[Item]:
        """In the order of the rows."""
        return numbered(self._split, len(self._cells), self._stamp)

    def classes(self) -> tuple[str, ...]:
        """The dataset's own names, or its different labels, sorted."""
        if self._names or self._labels is None or self._label is None:
            return self._names
        found = {label_name(value, ()) for value in self._labels.unique(self._label)}
        return tuple(sorted(label for label in found if label is not None))

    def reference_label(self, item: Item) -> str | None:
        row = row_of(item.id)[1]
        if self._labels is None or self._label is None or row >= len(self._labels):
            return None
        return label_name(self._labels[row][self._label], self._names)

    def group_in_row(self, item: Item) -> str | None:
        row = row_of(item.id)[1]
        if self._groups is None or self._group is None or row >= len(self._groups):
            return None
        return group_name(self._groups[row][self._group], self._group_names)

    def cell(self, item: Item) -> object:
        row = row_of(item.id)[1]
        cell = self._cells[row][self._column] if row < len(self._cells) else None
        if isinstance(cell, dict) and cell.get("bytes") is None and cell.get("path"):
            return {**cell, "bytes": _bytes_at(Path(cell["path"]))}
        return cell


def is_saved_dataset(folder: Path) -> bool:
    """Whether `save_to_disk` wrote this folder."""
    return (folder / SAVED_SPLITS).is_file() or all((folder / name).is_file() for name in SAVED)


def _bytes_at(path: Path) -> bytes:
    from fastlabel_gradio.media.item_file import open_file

    with open_file(path) as stream:
        return stream.read()


def _opened(options: HfDatasetOptions, base_dir: Path, cache_dir: Path) -> tuple[Any, str]:
    """The split and its name. Raises SourceError."""
    try:
        import datasets
    except ImportError as error:
        raise SourceError(
            'A dataset of Hugging Face needs its library: pip install "fastlabel-gradio[remote]"'
        ) from error
    folder = base_dir / Path(options.name).expanduser()
    try:
        if folder.is_dir() and is_saved_dataset(folder):
            found = datasets.load_from_disk(str(folder))
        else:
            found = datasets.load_dataset(options.name, options.config, cache_dir=str(cache_dir / "datasets"))
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        reason = " ".join(str(error).split())[:200]
        raise SourceError(
            f"dataset '{options.name}' cannot be opened: {reason}. Give a folder that save_to_disk wrote, or a name of "
            "the hub."
        ) from error
    if isinstance(found, datasets.Dataset):
        return found, options.split or str(found.split or "rows")
    split = options.split or ("train" if "train" in found else next(iter(found)))
    if split not in found:
        raise SourceError(f"dataset '{options.name}' has no split '{split}'. It has: {', '.join(found)}.")
    return found[split], split


def _media_column(features: Any, options: HfDatasetOptions) -> str:
    import datasets

    wanted = datasets.Image if options.media == "image" else datasets.Audio
    holding: list[str] = [name for name, feature in features.items() if isinstance(feature, wanted)]
    if options.media_column is not None:
        if options.media_column in holding:
            return options.media_column
        holding_text = ", ".join(holding) or "none"
        raise SourceError(
            f"dataset '{options.name}': column '{options.media_column}' is none of {options.media}s. Columns: {holding_text}."
        )
    if not holding:
        raise SourceError(
            f"dataset '{options.name}' has no column of {options.media}s. Its columns: {', '.join(features)}. Of the other "
            "kind say `media: audio` or `media: image` (--kind on the command line)."
        )
    return holding[0]


def _group_column(features: Any, options: HfDatasetOptions) -> str | None:
    wanted = options.group_column
    return None if wanted is None else group_column(f"dataset '{options.name}'", wanted, list(features))


def _class_names(features: Any, column: str | None) -> tuple[str, ...]:
    import datasets

    feature = features[column] if column else None
    return tuple(feature.names) if isinstance(feature, datasets.ClassLabel) else ()


def _labels(features: Any, options: HfDatasetOptions, group: str | None) -> tuple[tuple[str, ...], str | None]:
    """The names of the classes, and the column of the labels."""
    import datasets

    named = (name for name, kind in features.items() if isinstance(kind, datasets.ClassLabel) and name != group)
    column = chosen_label(list(features), options.label_column, group) or next(named, None)
    if column is not None and column not in features:
        raise SourceError(f"dataset '{options.name}' has no column '{column}'. Its columns: {', '.join(features)}.")
    return _class_names(features, column), column


def _undecoded(feature: Any) -> Any:
    return type(feature)(decode=False)
