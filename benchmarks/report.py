"""What every benchmark shares: its command line, its figures as cells and tables (Markdown, and JSON), runs in processes.

Measures nothing itself. What is measured on stands in `data.py` (sets), `known_pool.py` (projects over vectors that are
known) and `workload.py` (pictures, sounds, the served app).
"""

import argparse
import json
import math
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from fastlabel_gradio.devices import use_one_thread_per_operation

Cell = str | int | float
GIB = 2**30
TELL_EVERY = 20  # runs
PACKAGES = ("torch", "gradio", "open_clip_torch", "scikit-learn")


Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Table:
    """Some figures of one run. `aim` and `note` are sentences; `rows` has one cell a column."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    aim: str = ""
    note: str = ""


class Option(NamedTuple):
    """An option of a command line.

    Attributes:
        default: also says the type; several values may be given where it is a tuple, none is needed where it is a type.
        choices: the values that are known; any where empty.
        count: how many values have to be given, where it is fixed.
    """

    name: str
    default: Any
    help: str
    choices: Collection[str] = ()
    count: int | None = None

    def add_to(self, made: argparse.ArgumentParser) -> None:
        """The option as argparse takes it."""
        is_needless, is_many = isinstance(self.default, type), isinstance(self.default, tuple)
        kind = self.default if is_needless else type(self.default[0] if is_many else self.default)
        default = None if is_needless else list(self.default) if is_many else self.default
        shown = "" if is_needless else f" (default: {' '.join(map(str, default)) if is_many else default})"
        values: dict[str, Any] = {"nargs": "+" if is_many else self.count, "choices": self.choices or None}
        name = self.name.strip("-").upper()
        made.add_argument(self.name, type=kind, default=default, help=f"{self.help}{shown}", metavar=name, **values)


DATA = Option("--data", Path("data"), "the folder of the unpacked sets")
WORKERS = Option("--workers", 1, "runs at the same time, one core each")
Measured = Sequence[Table] | tuple[Sequence[Table], Mapping[str, object]]


def run(doc: str | None, options: Sequence[Option], measure: Callable[[argparse.Namespace], Measured]) -> None:
    """The command line of a benchmark: `--help` is its docstring; what it measures is printed, and written as JSON.

    Args:
        measure: gives the tables, and by name what else belongs into the JSON.
    """
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    for option in options:
        option.add_to(made)
    arguments = made.parse_args()
    began_on = machine()
    found = measure(arguments)
    tables, more = found if isinstance(found, tuple) else (found, {})
    publish(began_on, tables, arguments.json, more)


def say(text: str) -> None:
    """One line of progress, on the error stream, so that the tables can be piped."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def use_one_thread() -> None:
    """As the app does; and BLAS and OpenMP, whose threads would wait for each other beside another worker."""
    import sklearn.cluster  # noqa: F401  # brings its OpenMP, which is then limited
    from threadpoolctl import threadpool_limits

    use_one_thread_per_operation()
    threadpool_limits(1)


def played(work: Callable[[Task], Outcome], tasks: Sequence[Task], workers: int) -> Iterator[tuple[Task, Outcome]]:
    """Each task with what came of it, in their order. One worker is this process itself."""
    began = time.perf_counter()
    for number, found in enumerate(_outcomes(work, tasks, workers)):
        if (number + 1) % TELL_EVERY == 0:
            left_s = (time.perf_counter() - began) / (number + 1) * (len(tasks) - number - 1)
            say(f"{number + 1} of {len(tasks)} runs, {left_s / 60:,.0f} min left")
        yield tasks[number], found


def own_process() -> ProcessPoolExecutor:
    """A process that waits for work; what this one holds in memory and has computed does not count there."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))


def _outcomes(work: Callable[[Task], Outcome], tasks: Sequence[Task], workers: int) -> Iterator[Outcome]:
    if workers == 1:
        use_one_thread()
        yield from map(work, tasks)
        return
    context = multiprocessing.get_context("spawn")  # a fork of a process in which torch has computed may hang
    with ProcessPoolExecutor(workers, context, use_one_thread) as processes:
        yield from processes.map(work, tasks)


def machine() -> dict[str, Cell]:
    """What the figures were measured on. Call it before the measurement: a busy machine shows in the load."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB),
        "load_at_start": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "gpu": _gpu_name(),
        "packages": ", ".join(filter(None, map(_with_version, PACKAGES))),
        "began_at": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def publish(began_on: dict[str, Cell], tables: Sequence[Table], out: Path | None, more: Mapping[str, object]) -> None:
    """Prints the tables, and writes them with the machine and the command to `out` if one is given, and `more` with them."""
    command = " ".join([f"python -m benchmarks.{Path(sys.argv[0]).stem}", *sys.argv[1:]])
    sys.stdout.write(f"`{command}`\n\n{_machine_line(began_on)}\n")
    for table in tables:
        sys.stdout.write(f"\n{_markdown(table)}\n")
    if out:
        content = {
            "command": command,
            "machine": began_on,
            "tables": [asdict(table) for table in tables],
            **more,
        }
        out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def median_and_p95(values: Sequence[float]) -> tuple[float, float]:
    """Both in the unit of the values, linearly interpolated."""
    middle, high = np.percentile(np.asarray(values), [50, 95])
    return round(float(middle), 1), round(float(high), 1)


def percentile_rows(parts: Mapping[str, Sequence[float]]) -> list[tuple[Cell, ...]]:
    """(name, median, 95th percentile) of each."""
    return [(name, *median_and_p95(values)) for name, values in parts.items()]


def milliseconds(
    work: Callable[[], object], rounds: int = 1, clock: Callable[[], float] = time.perf_counter
) -> list[float]:
    """How long each of some rounds takes; `clock` may be that of the CPU."""
    taken = []
    for _ in range(rounds):
        began = clock()
        work()
        taken.append(1000 * (clock() - began))
    return taken


def with_error(values: Sequence[float] | np.ndarray, scale: float = 1.0) -> str:
    """The mean with its sign and its standard error, which one value does not have; values that are nan are left out."""
    known = scale * np.array([value for value in values if not math.isnan(value)], dtype=np.float64)
    error = f" ± {known.std(ddof=1) / math.sqrt(len(known)):.1f}" if len(known) > 1 else ""
    return f"{known.mean():+.1f}{error}"


def percent(shares: Sequence[float] | np.ndarray) -> str:
    """The mean of shares of 0 to 1, in percent; "" of none."""
    return f"{100 * float(np.mean(shares)):.1f}" if len(shares) else ""


def _machine_line(found: dict[str, Cell]) -> str:
    gpu = f", {found['gpu']}" if found["gpu"] else ""
    return (
        f"{found['began_at']}: {found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB{gpu}, load "
        f"{found['load_at_start']} at the start; {found['system']}, Python {found['python']}, {found['packages']}"
    )


def _markdown(table: Table) -> str:
    lines = [f"**{table.title}**" + (f" Aim: {table.aim}." if table.aim else ""), ""]
    lines.append("| " + " | ".join(table.columns) + " |")
    lines.append("|" + "---|" * len(table.columns))
    lines += ["| " + " | ".join(map(_cell, row)) + " |" for row in table.rows]
    return "\n".join([*lines, "", table.note] if table.note else lines)


def _cell(value: Cell) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _with_version(package: str) -> str:
    """ "" where it is not installed: a benchmark of heads needs no Gradio."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return ""


def _gpu_name() -> str:
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else ""


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
