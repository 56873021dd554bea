"""Label files of other programs for sounds, recognised by their columns: what one is, and how it can be read."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

_SECONDS = re.compile(r"-?\d+([.,]\d+)?( \(2\))?")  # the second of two equal names of columns has a number
_PARTS = (
    "A part of a sound is a row of a table with the columns path and label, its path written with the seconds at which it "
    "begins and ends: rec.wav#t=1.5,3.0"
)


def other_program(table: Path, columns: Sequence[str], labels: Sequence[str]) -> str | None:
    """What a file of another program is and what can be done with it, as one line; None for any other table.

    Args:
        columns: the names in the first line, or what stands there.
        labels: columns that may hold labels, for the advice.
    """
    known = (_raven, _kaleidoscope, _birdnet, *((_audacity,) if table.suffix.lower() == ".txt" else ()))
    found = next(filter(None, (named(columns, labels) for named in known)), None)
    return f"{table} is {found}" if found else None


def time_columns(columns: Sequence[str]) -> tuple[str, str] | None:
    """Columns that say where a part begins and ends, in seconds; None where there are none."""
    begin = _first(columns, r"(start|begin|onset|from)([ _]?(time|at|s|sec|seconds))?([ _]?\(?(s|sec)\)?)?")
    end = _first(columns, r"(end|stop|offset|to)([ _]?(time|at|s|sec|seconds))?([ _]?\(?(s|sec)\)?)?")
    return (begin, end) if begin and end else None


def _raven(columns: Sequence[str], labels: Sequence[str]) -> str | None:
    if not {"Selection", "Begin Time (s)", "End Time (s)"}.issubset(columns):
        return None
    file = next((name for name in ("Begin Path", "Begin File") if name in columns), None)
    if file is None:
        return f"a selection table of Raven without a column of files. Export it with one, or write it anew: {_PARTS}."
    return "a selection table of Raven. " + _options(file, "Begin Time (s)", "End Time (s)", labels)


def _birdnet(columns: Sequence[str], labels: Sequence[str]) -> str | None:
    if not {"Start (s)", "End (s)"}.issubset(columns):
        return None
    file = _first(columns, r"(begin )?(file|filepath|path)")
    if file is None:
        return f"a table of detections as BirdNET writes it, without a column of files. Write it anew: {_PARTS}."
    return "a table of detections as BirdNET writes it. " + _options(file, "Start (s)", "End (s)", labels)


def _kaleidoscope(columns: Sequence[str], labels: Sequence[str]) -> str | None:
    if not {"IN FILE", "OFFSET", "DURATION"}.issubset(columns):
        return None
    return f"a table of Kaleidoscope, which gives lengths instead of ends. Write it anew: {_PARTS}."


def _audacity(columns: Sequence[str], labels: Sequence[str]) -> str | None:
    """Two numbers and a label, without a header."""
    if len(columns) not in (2, 3) or not all(map(_SECONDS.fullmatch, columns[:2])):
        return None
    return f"a label file of Audacity, which does not name its sound. Write it anew: {_PARTS}."


def _options(file: str, begin: str, end: str, labels: Iterable[str]) -> str:
    label = next(iter(labels), "Label")
    return (
        f'Its parts are read with --path-column "{file}" --label-column "{label}" --set "start_column={begin}" --set '
        f'"end_column={end}", where the sounds lie beside it or in the folder of --set root=…'
    )


def _first(columns: Sequence[str], pattern: str) -> str | None:
    matches: Callable[[str], object] = re.compile(pattern, re.IGNORECASE).fullmatch
    return next((name for name in columns if matches(name.strip())), None)
