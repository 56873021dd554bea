"""How soon a file of vectors of one's own is ready to be labeled, and what the process holds in memory meanwhile.

    python -m benchmarks.precomputed --items 1000000 --formats npy-float32,npy-float16,parquet [--json OUT]

Each format is written once with 512 numbers an item (`benchmarks/known_pool.py`) and ids; the app's own project then opens it
with `encoder: {kind: precomputed}` over a source that lists as many items, from an empty working directory.

- checked: until the file was read and checked, and the first batch may be drawn.
- ready: until every item has its vector in the store. Aim: 60 s for 1,000,000 on two cores.
- again: the same at a second start, when all is stored.
- processor: seconds of all threads from the start to ready, which a busy machine changes less than the time.
- resident memory: the highest from the start to ready, pages of mapped files included, and at the end without them. Aim:
  no more than labelling that pool takes (`benchmarks/scale.py`), 1.5 GB, pages of mapped files included.
"""

import argparse
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from benchmarks.data import made_once
from benchmarks.known_pool import DIM, KIND, RECIPE, blocks, made_vectors, started
from benchmarks.memory import forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Cell, Measured, Option, Table, run, say

FORMATS = ("npy-float32", "npy-float16", "parquet")


OPTIONS = (
    Option("--items", 1_000_000, "vectors"),
    Option("--formats", ",".join(FORMATS), "of their files"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    rows: list[tuple[Cell, ...]] = []
    for name in arguments.formats.split(","):
        say(f"{arguments.items:,} vectors as {name} …")
        rows.append((name, *_started(_written(name, arguments.items), arguments.items)))
    columns = (
        "format",
        "checked, s",
        "ready, s",
        "processor, s",
        "again, s",
        "highest memory, MiB",
        "at the end without files, MiB",
    )
    title = f"{arguments.items:,} vectors of {DIM} numbers."
    return [Table(title, columns, rows, aim="ready within 60 s at 1,000,000")]


def _written(name: str, items: int) -> Path:
    """The file, which is written once."""

    def write(folder: Path) -> None:
        if name == "parquet":
            _write_parquet(folder / "vectors.parquet", items)
        else:
            _write_npy(folder / "vectors.npy", items, name.removeprefix("npy-"))

    folder = made_once(f"precomputed-{name}-{RECIPE}-{items}", write)
    return folder / f"vectors.{name.partition('-')[0]}"


def _write_npy(path: Path, items: int, dtype: str) -> None:
    path.with_suffix(".txt").write_text("\n".join(map(str, range(items))), encoding="utf-8")
    array = np.lib.format.open_memmap(path, "w+", dtype, (items, DIM))
    for start, block in blocks(items):
        array[start : start + len(block)] = block
    array.flush()


def _write_parquet(path: Path, items: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), DIM))])
    with pq.ParquetWriter(path, schema) as file:
        for start, block in blocks(items):
            ids = pa.array([str(start + row) for row in range(len(block))])
            vectors = pa.FixedSizeListArray.from_arrays(block.ravel(), DIM)
            file.write_table(pa.table([ids, vectors], schema=schema))


def _started(path: Path, items: int) -> tuple[Cell, ...]:
    pool = made_vectors(items)
    with tempfile.TemporaryDirectory(prefix="fastlabel-precomputed-") as workdir:
        forget_peak_memory()
        began_s = time.process_time()
        checked_s, ready_s = _ready(pool, path, items, Path(workdir))
        processor_s = time.process_time() - began_s
        highest = peak_memory_mib()
        whole, files = resident_mib()
        _, again_s = _ready(pool, path, items, Path(workdir))
    return (
        round(checked_s, 1),
        round(ready_s, 1),
        round(processor_s, 1),
        round(again_s, 1),
        round(highest),
        round(whole - files),
    )


def _ready(pool: Path, path: Path, items: int, workdir: Path) -> tuple[float, float]:
    """Seconds from the start of a project until its encoder is open, and until every item has its vector."""
    from fastlabel_gradio.config import ProjectConfig
    from fastlabel_gradio.server.project import Project

    source, encoder = {"kind": KIND, "path": pool}, {"kind": "precomputed", "path": path}
    config = ProjectConfig.model_validate({"name": "own", "source": source, "encoder": encoder})
    began = time.perf_counter()
    with closing(Project(config, workdir, workdir)) as project:
        checked: list[float] = []
        project.pipeline.ready.call_back(lambda: checked.append(time.perf_counter() - began))
        started(project)
        ready_s = time.perf_counter() - began
        assert len(project.store) == items, project.pipeline.progress
    return checked[0], ready_s


if __name__ == "__main__":
    main()
