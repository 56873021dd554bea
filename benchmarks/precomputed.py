"""How soon a file of vectors of one's own is ready to be labeled, and what the process holds in memory meanwhile.

    python -m benchmarks.precomputed --items 1000000 --formats npy-float32,npy-float16,parquet [--json OUT]

Each format is written once with 512 numbers an item (`benchmarks/vectors.py`) and ids; the app's own project then opens it
with `encoder: {kind: precomputed}` over a source that lists as many items, from an empty working directory.

- checked: until the file was read and checked, and the first batch may be drawn.
- ready: until every item has its vector in the store. Aim: 60 s for 1,000,000 on two cores.
- again: the same at a second start, when all is stored.
- resident memory: the highest from the start to ready, pages of mapped files included, and at the end without them. Aim:
  no more than labelling that pool takes (`benchmarks/scale.py`), 1.5 GB.
"""

import shutil
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

if not __package__:  # python benchmarks/precomputed.py
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import vectors
from benchmarks.memory import forget_peak_memory, peak_memory_mib, resident_mib
from benchmarks.report import Cell, Table, machine, parser, publish, say
from benchmarks.workload import CACHE, wait_until

FORMATS = ("npy-float32", "npy-float16", "parquet")
LONGEST_S = 1_800.0


def main() -> None:
    options = parser(__doc__ or "")
    options.add_argument("--items", type=int, default=1_000_000, help="(default: %(default)s)")
    options.add_argument("--formats", default=",".join(FORMATS), help="(default: %(default)s)")
    arguments = options.parse_args()
    began_on = machine()
    rows: list[tuple[Cell, ...]] = []
    for name in arguments.formats.split(","):
        say(f"{arguments.items:,} vectors as {name} …")
        encoder = _written(name, arguments.items)
        rows.append((name, *_started(encoder, arguments.items)))
    columns = ("format", "checked, s", "ready, s", "again, s", "highest memory, MiB", "at the end without files, MiB")
    table = Table(
        f"{arguments.items:,} vectors of {vectors.DIM} numbers.", columns, rows, aim="ready within 60 s at 1,000,000"
    )
    publish(began_on, [table], arguments.json)


def _written(name: str, items: int) -> dict[str, Any]:
    """The options of the encoder for a file that is written once."""
    folder = CACHE / f"precomputed-{vectors.RECIPE}-{items}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (f"{name}.npy" if name.startswith("npy") else f"{name}.parquet")
    if not path.exists():
        _write_parquet(path, items) if path.suffix == ".parquet" else _write_npy(path, items, name.removeprefix("npy-"))
    return {"kind": "precomputed", "path": str(path)}


def _write_npy(path: Path, items: int, dtype: str) -> None:
    path.with_suffix(".txt").write_text("\n".join(map(str, range(items))), encoding="utf-8")
    array = np.lib.format.open_memmap(path, "w+", dtype, (items, vectors.DIM))
    for start, block in vectors.blocks(items):
        array[start : start + len(block)] = block
    array.flush()


def _write_parquet(path: Path, items: int) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("vector", pa.list_(pa.float32(), vectors.DIM))])
    with pq.ParquetWriter(path, schema) as file:
        for start, block in vectors.blocks(items):
            ids = pa.array([str(start + row) for row in range(len(block))])
            file.write_table(
                pa.table([ids, pa.FixedSizeListArray.from_arrays(block.ravel(), vectors.DIM)], schema=schema)
            )


def _started(encoder: dict[str, Any], items: int) -> tuple[Cell, ...]:
    workdir = CACHE / f"precomputed-work-{items}"
    shutil.rmtree(workdir, ignore_errors=True)
    forget_peak_memory()
    checked_s, ready_s = _ready(encoder, items, workdir)
    highest = peak_memory_mib()
    whole, files = resident_mib()
    _, again_s = _ready(encoder, items, workdir)
    shutil.rmtree(workdir)
    return round(checked_s, 1), round(ready_s, 1), round(again_s, 1), round(highest), round(whole - files)


def _ready(encoder: dict[str, Any], items: int, workdir: Path) -> tuple[float, float]:
    """Seconds from the start of a project until its encoder is open, and until every item has its vector."""
    from fastlabel_gradio.config import ProjectConfig
    from fastlabel_gradio.project import Project

    source = {"kind": "made_vectors", "size": items}
    config = ProjectConfig.model_validate({"name": "own", "source": source, "encoder": encoder})
    began = time.perf_counter()
    with closing(Project(config, workdir, workdir)) as project:
        checked: list[float] = []
        project.pipeline.when_ready(lambda: checked.append(time.perf_counter() - began))
        project.start()
        wait_until(lambda: project.pipeline.progress.state in ("done", "failed"), LONGEST_S, "the vectors")
        ready_s = time.perf_counter() - began
        assert len(project.store) == items, project.pipeline.progress
    return checked[0], ready_s


if __name__ == "__main__":
    main()
