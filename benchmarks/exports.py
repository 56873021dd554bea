"""Time and memory of exports and imports of a million labels, each format in a process of its own.

    python -m benchmarks.exports --labels 1000000
    python -m benchmarks.exports --labels 1000000 --parts imports --imports csv parquet

Exports: the label store is made with that many labels of two annotators; folders are written without media. Imports: a
made-up pool (`benchmarks/known_pool.py`, 64 numbers an item) takes in a label for each item, from what FastLabel exports
with all that is known, and from a table of paths as another program writes it. That pool is made once and kept, which takes
minutes at a million, and is opened anew for each import; neither counts. Printed are seconds, seconds of the processor, and
the memory that the process took beyond what it had before. Aim: 60 s and 300 MB.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.memory import forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Option, Table, own_process, run, say
from fastlabel_gradio.exports import EXPORTERS, ExportRow
from fastlabel_gradio.exports.row_stream import STATES, Choice
from fastlabel_gradio.labels import LabelStore, Told
from fastlabel_gradio.server.export_job import ExportOrder, export
from fastlabel_gradio.server.stored_project import open_stored
from fastlabel_gradio.types import Said

FORMATS = ("csv", "json", "jsonl", "parquet", "label_studio", "tree")
CLASSES = ("cat", "dog", "owl")
A_SUBMISSION = 100
PARTS = ("exports", "imports")
IMPORTS = ("csv", "json", "jsonl", "parquet", "label_studio", "paths")
ANNOTATOR, DIM = "zoe", 64
COLUMNS = ("s", "CPU s", "memory beyond, MiB")
AIM = "60 s and 300 MB for 1,000,000"


class Measures(NamedTuple):
    """How many rows, the seconds that took, on the clock and of the processor, and the memory beyond what was there."""

    rows: int
    seconds: float
    cpu_s: float
    memory_mib: float


OPTIONS = (
    Option("--labels", 1_000_000, "labels of the store and of each file"),
    Option("--parts", PARTS, "what is measured", PARTS),
    Option("--formats", FORMATS, "that are written", FORMATS),
    Option("--imports", IMPORTS, "that are read", IMPORTS),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> list[Table]:
    tables = {"exports": _exports, "imports": _imports}
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as name:
        return [tables[part](Path(name), arguments) for part in PARTS if part in arguments.parts]


def _exports(folder: Path, arguments: argparse.Namespace) -> Table:
    taken_s = make_store(folder, arguments.labels)
    written = [_in_its_own(measure, folder, name) for name in arguments.formats]
    note = f"{arguments.labels:,} labels were taken in in {taken_s:.1f} s."
    return Table("Exports.", ("format", "rows", *COLUMNS), written, AIM, note=note)


def _imports(folder: Path, arguments: argparse.Namespace) -> Table:
    from benchmarks.known_pool import made_pool

    with own_process() as process:
        process.submit(made_pool, arguments.labels, DIM).result()
    read = [_in_its_own(measure_import, folder, name, arguments.labels) for name in arguments.imports]
    return Table("Imports.", ("format", "labels", *COLUMNS), read, AIM)


def _in_its_own(work: Callable[..., Measures], folder: Path, name: str, *more: object) -> tuple[object, ...]:
    began = time.perf_counter()
    with own_process() as process:
        found = process.submit(work, folder, name, *more).result()
    say(f"{name}: {found.seconds:.1f} s, {time.perf_counter() - began:.0f} s with its beginning")
    return (name, found.rows, round(found.seconds, 1), round(found.cpu_s, 1), round(found.memory_mib))


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


def measure(workdir: Path, name: str) -> Measures:
    """Of one export, in this process."""
    with open_stored(workdir / "work") as project:
        order = ExportOrder(name, Choice("all", STATES), only_names=True)
        return _counted(lambda: export(project, "", order, workdir / f"out-{name}").rows)


def measure_import(workdir: Path, name: str, labels: int) -> Measures:
    """Of one import into a pool that has as many items, in this process."""
    from benchmarks.known_pool import opened_made
    from fastlabel_gradio.server.import_job import import_labels

    format, suffix = ("csv", ".csv") if name == "paths" else (name, EXPORTERS.get(name).suffix)
    file = workdir / f"in-{name}{suffix}"
    with own_process() as process:
        process.submit(write_labels, file, format, labels, is_own=name != "paths").result()
    with opened_made(labels, dim=DIM) as project:
        project.labeler(ANNOTATOR)
        found = _counted(lambda: import_labels(project, ANNOTATOR, file, file.name).added)
    file.unlink()
    return found


def write_labels(file: Path, format: str, labels: int, *, is_own: bool) -> None:
    """A label for each item of a made-up pool: as FastLabel exports it, or paths of another machine with a class."""
    rows = (
        ExportRow(
            *(str(number), f"class-{number % 3}", ("ann", "bob")[number % 2], "2026-01-01T00:00:00.000+00:00"),
            state="label",
            source="person",
            stands=True,
            head_version=7,
            label_confidence=0.5,
        )
        for number in range(labels)
    )
    if is_own:
        EXPORTERS.get(format).write(rows, file)
        return
    with file.open("w", encoding="utf-8") as lines:
        lines.write("path,label\n")
        lines.writelines(f"/home/ann/pictures/{row.item_id},{row.label}\n" for row in rows)


def _counted(work: Callable[[], int]) -> Measures:
    before, _ = resident_mib()
    forget_peak_memory()
    begun, cpu = time.perf_counter(), time.process_time()
    rows = work()
    return Measures(rows, time.perf_counter() - begun, time.process_time() - cpu, peak_memory_mib() - before)


def _told(number: int) -> Told:
    said = Said(number % len(CLASSES), head_version=7, confidence=0.5)
    annotator = ("ann", "bob")[number // A_SUBMISSION % 2]
    said_at = 1_700_000_000.0 + number // A_SUBMISSION
    return Told(f"folder-{number % 97:02d}/picture-{number:07d}.jpg", annotator, said_at, said, "person")


if __name__ == "__main__":
    main()
