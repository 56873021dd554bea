"""LearningRecord: what each trained head of a project was worth, one line a head, kept over restarts."""

import json
import logging
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, TypeAdapter

from fastlabel_gradio.atomic_file import write_atomically

# Checked where a point is read from the file.
Count = Annotated[int, Field(ge=0, le=2**53, strict=True)]
Share = Annotated[float, Field(ge=0, le=1, strict=True)]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LearningPoint:
    """One head.

    Attributes:
        labels: what it was trained on.
        audit_items, correct: random items that were labeled by then, and how many of them it got right.
        agreement: Cohen's kappa with the head before it on a sample of the pool; None for the first one.
        low, high: 95 % interval of its accuracy, 0 to 1; None without audited items, and in records of earlier versions.
        audit: the mark of the audit that it was measured on: points of another one are not comparable.
    """

    labels: Count
    audit_items: Count
    correct: Count
    agreement: Annotated[float, Field(ge=-1, le=1, strict=True)] | None
    low: Share | None = None
    high: Share | None = None
    audit: str = ""

    def __post_init__(self) -> None:
        if not (self.correct <= self.audit_items and self.labels):
            raise ValueError(f"{self.labels} labels, {self.correct} right of {self.audit_items}: that cannot be")


_POINT = TypeAdapter(LearningPoint)


class LearningRecord:
    """The points of one project in a JSONL file. Safe from several threads. A line that cannot be read is left out."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()  # of the points in memory
        self._writing = threading.Lock()  # whoever asks does not wait for the disk
        self._points = _read(path)

    @property
    def points(self) -> list[LearningPoint]:
        """Oldest first."""
        with self._lock:
            return list(self._points)

    @property
    def content(self) -> bytes:
        """All of it, as it is kept; `replace` takes it."""
        return "".join(f"\n{json.dumps(asdict(point))}" for point in self.points).encode()

    def replace(self, content: bytes) -> None:
        """Takes in the record of another process in place of this one. Raises OSError."""
        with self._writing:
            write_atomically(self._path, content)
            points = _read(self._path)
            with self._lock:
                self._points = points

    def add(self, point: LearningPoint) -> None:
        """Appends a point; on a full disk it is kept in memory only, and the log says so."""
        with self._writing:
            with self._lock:
                self._points.append(point)
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write("\n" + json.dumps(asdict(point)))  # the line end first: one cut short spoils only itself
            except OSError as error:
                log.warning("%s: a point of the learning curve is not kept: %s", self._path, error)


def _read(path: Path) -> list[LearningPoint]:
    points = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        log.warning("%s: the learning curve cannot be read: %s", path, error)
        return []
    for line in filter(None, text.split("\n")):
        try:
            points.append(_POINT.validate_python(json.loads(line)))
        except (ValueError, RecursionError) as error:  # a power cut in the middle of a line, or numbers that cannot be
            log.warning("%s: a line is left out: %s", path, str(error)[:300])
    return points
