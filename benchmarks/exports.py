"""Time and memory of exports and imports of a million labels, each format in a process of its own.

    python -m benchmarks.exports --labels 1000000

The label store is made with that many labels of two annotators. Printed are seconds and the memory that the process took
beyond what it had when the store was open. Folders are written without media.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.memory import forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Option, Table, own_process, run, say
from fastlabel_gradio.exports.row_stream import STATES, Choice
from fastlabel_gradio.labels import LabelStore, Told
from fastlabel_gradio.server.export_job import ExportOrder, export
from fastlabel_gradio.server.stored_project import open_stored
from fastlabel_gradio.types import Said

FORMATS = ("csv", "json", "jsonl", "parquet", "label_studio", "tree")
CLASSES = ("cat", "dog", "owl")
A_SUBMISSION = 100


OPTIONS = (
    Option("--labels", 1_000_000, "labels of the store"),
    Option("--formats", FORMATS, "that are written", FORMATS),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> list[Table]:
    rows = []
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as folder:
        taken_s = make_store(Path(folder), arguments.labels)
        for name in arguments.formats:
            say(f"{name} …")
            with own_process() as process:
                found = process.submit(measure, Path(folder), name).result()
            rows.append((name, found["rows"], round(found["seconds"], 1), round(found["memory_mib"])))
    columns = ("format", "rows", "s", "memory beyond, MiB")
    return [Table("Exports.", columns, rows, note=f"{arguments.labels:,} labels were taken in in {taken_s:.1f} s.")]


def make_store(workdir: Path, labels: int) -> float:
    """Makes a working directory with so many labels; returns the seconds that taking them in took."""
    pictures, folder = workdir / "pictures", workdir / "work" / "images"
    (pictures / "0").mkdir(parents=True)
    (pictures / "0" / "0.png").write_bytes(b"x")
    folder.mkdir(parents=True)
    (folder / "source.json").write_text(json.dumps({"kind": "image_folder", "path": str(pictures)}), encoding="utf-8")
    store = LabelStore(f"sqlite:///{folder / 'labels.sqlite'}", "images")
    store.ensure_labels(CLASSES)
    begun = time.perf_counter()
    store.take_in((_told(number) for number in range(labels)), "benchmark")
    taken_s = time.perf_counter() - begun
    store.close()
    return taken_s


def measure(workdir: Path, name: str) -> dict[str, Any]:
    """Rows, seconds and megabytes of one export, in this process."""
    with open_stored(workdir / "work") as project:
        before, _ = resident_mib()
        forget_peak_memory()
        begun = time.perf_counter()
        order = ExportOrder(name, Choice("all", STATES), only_names=True)
        done = export(project, "", order, workdir / f"out-{name}")
        return {
            "rows": done.rows,
            "seconds": time.perf_counter() - begun,
            "memory_mib": peak_memory_mib() - before,
        }


def _told(number: int) -> Told:
    said = Said(number % len(CLASSES), head_version=7, confidence=0.5)
    annotator = ("ann", "bob")[number // A_SUBMISSION % 2]
    said_at = 1_700_000_000.0 + number // A_SUBMISSION
    return Told(f"folder-{number % 97:02d}/picture-{number:07d}.jpg", annotator, said_at, said, "person")


if __name__ == "__main__":
    main()
