"""How a benchmark tells its figures: tables in Markdown on the terminal, and the same as JSON. Measures nothing itself."""

import argparse
import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import numpy as np

Cell = str | int | float
GIB = 2**30
PACKAGES = ("torch", "gradio", "open_clip_torch", "scikit-learn")


@dataclass(frozen=True, slots=True)
class Table:
    """Some figures of one run. `aim` and `note` are sentences; `rows` has one cell a column."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    aim: str = ""
    note: str = ""


def parser(doc: str) -> argparse.ArgumentParser:
    """A command line whose `--help` is the script's docstring, with the option that every benchmark has."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", type=Path, metavar="OUT", help="also write the figures to this file")
    return made


def say(text: str) -> None:
    """One line of progress, on the error stream, so that the tables can be piped."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def machine() -> dict[str, Cell]:
    """What the figures were measured on. Call it before the measurement: a busy machine shows in the load."""
    return {
        "cpu": _cpu_name(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB),
        "load_at_start": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "began_at": datetime.now(UTC).isoformat(timespec="minutes"),
    }


def publish(
    began_on: dict[str, Cell], tables: Sequence[Table], out: Path | None, more: Mapping[str, object] | None = None
) -> None:
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
            **(more or {}),
        }
        out.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def median_and_p95(milliseconds: Sequence[float]) -> tuple[float, float]:
    """Both in the unit of the values, linearly interpolated."""
    middle, high = np.percentile(np.asarray(milliseconds), [50, 95])
    return round(float(middle), 1), round(float(high), 1)


def percentile_rows(parts: dict[str, list[float]]) -> list[tuple[Cell, ...]]:
    """(name, median, 95th percentile) of each."""
    return [(name, *median_and_p95(values)) for name, values in parts.items()]


def _machine_line(found: dict[str, Cell]) -> str:
    return (
        f"{found['began_at']}: {found['cpu']}, {found['cores']} cores, {found['memory_gib']} GiB, load "
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


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
