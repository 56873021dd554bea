"""How long a million tiny items in tars take to be found, and what the process holds in memory meanwhile.

    python -m benchmarks.tars --items 1000000 --tars 100 [--json OUT]

Tars as WebDataset writes them, a tiny picture and its label a sample, are written once. The app's own source is then opened
over them and lists every item, from an empty working directory and again when what it found is kept. Aim: 60 s the first
time on two cores. Then some items are read in random order.
"""

import argparse
import io
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.data import made_once
from benchmarks.memory import forget_peak_memory, peak_memory_mib
from benchmarks.report import Measured, Option, Table, run, say

AIM_S = 60
CLASSES = 10

OPTIONS = (
    Option("--items", 1_000_000, "samples in all"),
    Option("--tars", 100, "tars that they lie in"),
    Option("--read", 2_000, "items that are read"),
)


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    items, tars = arguments.items, arguments.tars
    folder = made_once(f"tars-{items}-{tars}", lambda place: _write(place, items, tars))
    with tempfile.TemporaryDirectory() as cache:
        say("first look …")
        forget_peak_memory()
        began_cpu = time.process_time()
        first_s, found = _listed(folder, Path(cache))
        first_cpu_s = time.process_time() - began_cpu
        peak = peak_memory_mib()
        again_s, again = _listed(folder, Path(cache))
        read_s = _read(folder, Path(cache), arguments.read)
    assert found == again == items
    figures = {
        "first_s": first_s,
        "first_cpu_s": first_cpu_s,
        "again_s": again_s,
        "items": found,
        "peak_mib": peak,
        "items_read_per_s": read_s,
    }
    row = (f"{found:,}", tars, round(first_s, 1), round(first_cpu_s, 1), round(again_s, 1), round(peak), round(read_s))
    columns = ("items", "tars", "first look, s", "of CPU", "again, s", "resident memory, MiB", "items read a second")
    return [Table("Items in tars", columns, [row], aim=f"{AIM_S} s for the first look")], figures


def _listed(folder: Path, cache: Path) -> tuple[float, int]:
    """Seconds and items."""
    from fastlabel_gradio.sources import open_source

    began = time.perf_counter()
    source = open_source("webdataset", {"path": str(folder)}, Path(), cache)
    count = sum(1 for _ in source.scan())
    return time.perf_counter() - began, count


def _read(folder: Path, cache: Path, count: int) -> float:
    """Items a second, in random order."""
    from fastlabel_gradio.sources import open_source

    source = open_source("webdataset", {"path": str(folder)}, Path(), cache)
    items = list(source.scan())
    chosen = np.random.default_rng(0).integers(0, len(items), count)
    began = time.perf_counter()
    for row in chosen.tolist():
        source.read(items[row])
    return count / (time.perf_counter() - began)


def _write(folder: Path, items: int, tars: int) -> None:
    rng = np.random.default_rng(0)
    content = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(content, "JPEG")
    folder.mkdir(parents=True, exist_ok=True)
    for tar, numbers in enumerate(np.array_split(np.arange(items), tars)):
        with tarfile.open(folder / f"{tar:05d}.tar", "w", format=tarfile.USTAR_FORMAT) as file:
            for number in numbers.tolist():
                _add(file, f"{number:08d}.jpg", content.getvalue())
                _add(file, f"{number:08d}.cls", str(number % CLASSES).encode())


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


if __name__ == "__main__":
    main()
