"""Parquet with the media inside, as `datasets` and the hub read it: for more items than the hub takes as files."""

import json
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastlabel_gradio.exports.base import folder_exporter
from fastlabel_gradio.exports.folders import Folder, spooled
from fastlabel_gradio.exports.hugging_face import (
    NUMBERS,
    ONLY_PART,
    SUFFIXES,
    TEXTS,
    CardCounts,
    columns_told,
    dataset_card,
    told_of,
)
from fastlabel_gradio.exports.item_media import ItemMedia, stem_of
from fastlabel_gradio.exports.rows import ExportRow

BYTES_A_FILE = 500_000_000  # of media; what the hub's own conversion makes
ROWS_AT_ONCE = 100  # a group of rows, which the hub's viewer reads as one


@folder_exporter("hf_parquet")
def write_hub_parquet(rows: Iterable[ExportRow], folder: Folder, media: ItemMedia) -> None:
    """`data/PART-00000.parquet`, further files of about 500 MB each, and `README.md`, the dataset card.

    The columns are those of `hf`, with the media in a column `image` or `audio` in place of their names.
    """
    counts = CardCounts()
    parts: dict[str, _Part] = {}
    with ExitStack() as opened:
        for row in rows:
            if not row.said_or_predicted:
                continue
            name = row.split or ONLY_PART
            if name not in parts:
                parts[name] = _Part(name, media.medium, folder, opened.enter_context(spooled()))
            file_name, content = media.content(stem_of(row)[-1], row, SUFFIXES[media.medium])
            if file_name:
                parts[name].take(row, file_name, content.read_bytes() if isinstance(content, Path) else content)
                counts.take(name, row)
        for part in parts.values():
            part.end_file()
    folder.add_bytes("README.md", dataset_card(media, counts).encode("utf-8"))


@dataclass
class _Part:
    """One part of the data, written as it comes: the file that is open, and how many stand in the folder already."""

    name: str
    medium: str
    folder: Folder
    path: Path
    _files: int = 0
    _bytes: int = 0
    _rows: list[dict[str, object]] = field(default_factory=list)
    _writer: Any = None

    def take(self, row: ExportRow, file_name: str, content: bytes) -> None:
        self._rows.append({self.medium: {"bytes": content, "path": file_name}, **told_of(row)})
        self._bytes += len(content)
        if len(self._rows) >= ROWS_AT_ONCE or self._bytes >= BYTES_A_FILE:
            self._write()
        if self._bytes >= BYTES_A_FILE:
            self.end_file()

    def end_file(self) -> None:
        """Puts the open file into the folder, where anything is in it."""
        self._write()
        if self._writer is None:
            return
        self._writer.close()
        self.folder.add_written(f"data/{self.name}-{self._files:05d}.parquet", self.path)
        self._files, self._bytes, self._writer = self._files + 1, 0, None

    def _write(self) -> None:
        import pyarrow
        import pyarrow.parquet

        if not self._rows:
            return
        schema = _schema(self.medium)
        if self._writer is None:
            self._writer = pyarrow.parquet.ParquetWriter(self.path, schema, compression="zstd")
        self._writer.write_table(pyarrow.Table.from_pylist(self._rows, schema=schema))
        self._rows.clear()


def _schema(medium: str) -> Any:
    """With what `datasets` makes of the columns, as it says it itself (huggingface.co/docs/datasets, "Dataset features")."""
    import pyarrow

    file = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    features = {medium: {"_type": medium.title()}}
    features |= {name: {"dtype": "string", "_type": "Value"} for name in TEXTS}
    features |= {name: {"dtype": dtype, "_type": "Value"} for name, dtype in NUMBERS.items()}
    told = json.dumps({"info": {"features": features}})
    return pyarrow.schema([(medium, file), *columns_told()], metadata={"huggingface": told})
