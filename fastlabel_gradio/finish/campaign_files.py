"""Campaigns on disk: what was frozen in a file each, and a journal of what happened to them, one line a time.

A file is there, whole, before the journal names it, and a line is on the disk before anybody is told of it, so a stop at any
moment loses nothing. What people answered, and whether labels were accepted, is in the label store alone.
"""

import json
import logging
import os
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.finish.campaign import Campaign, Part, Ranking, Terms

JOURNAL = "journal.jsonl"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Course:
    """What the journal tells of one campaign; another one after each line of it.

    Attributes:
        sizes: of each part, the sets that were proposed, growing.
        open_rows: rows, as frozen, of checks that a person left open: they count as wrong.
        reviewed_rows: rows, as frozen, of checks that were answered over a label which was no judgement.
        ended: given up, or followed by another one; with the checks and whether it was proven by then.
        accepted: what was about to be accepted last; whether it was is known to the label store.
    """

    number: int
    sizes: tuple[tuple[int, ...], ...]
    open_rows: frozenset[int] = frozenset()
    reviewed_rows: frozenset[int] = frozenset()
    ended: bool = False
    checked: int = 0
    proven: bool = False
    accepted: dict[str, Any] | None = None


class CampaignFiles:
    """The campaigns of one project, or of one annotator of a private one. One thread at a time writes, any number read.

    Args:
        folder: made when the first campaign begins.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.courses = _read_journal(folder / JOURNAL)

    def freeze(self, terms: Terms, ranking: Ranking, item_ids: Sequence[str]) -> Campaign:
        """Brings a campaign to the disk. Raises StoreError; nothing has begun then.

        Args:
            item_ids: in the order of the ranking.
        """
        arrays = {name: np.ascontiguousarray(getattr(ranking, name)) for name in Ranking.__slots__}
        content = save(arrays | _packed(item_ids), metadata={"fastlabel": json.dumps(asdict(terms))})
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file(terms.number), content)
        except OSError as error:
            raise StoreError(f"{self._folder}: the set cannot be frozen: {error}. Free some space.") from error
        self.write(terms.number, "start", sizes=[[part.items] for part in terms.parts])
        return Campaign(terms, ranking, ranking.rows)

    def load(self, number: int) -> Campaign:
        """A campaign as it was frozen. Raises StoreError where its file is gone or damaged."""
        try:
            with safe_open(self._file(number), framework="numpy") as file:
                found = json.loads((file.metadata() or {})["fastlabel"])
                ranking = Ranking(*(file.get_tensor(name) for name in Ranking.__slots__))
            parts = tuple(Part(**part) for part in found.pop("parts"))
            return Campaign(Terms(**found, parts=parts), ranking, ranking.rows)
        except (OSError, SafetensorError, LookupError, TypeError, ValueError) as error:
            raise StoreError(
                f"{self._file(number)}: the frozen set cannot be read: {error}. Start another one."
            ) from error

    def item_ids(self, number: int) -> list[str]:
        """The ids of a campaign's items, in the order of the ranking. Raises StoreError."""
        try:
            with safe_open(self._file(number), framework="numpy") as file:
                found, ends = file.get_tensor("ids"), file.get_tensor("id_ends")
        except (OSError, SafetensorError) as error:
            raise StoreError(
                f"{self._file(number)}: the frozen set cannot be read: {error}. Start another one."
            ) from error
        return _unpacked(found, ends)

    def rows_of(self, number: int, item_ids: Collection[str]) -> list[int]:
        """The rows, as frozen, of those of the items that a campaign has. Raises StoreError."""
        wanted, rows = set(item_ids), self.load(number).ranking.rows
        return sorted(int(row) for row, one in zip(rows, self.item_ids(number), strict=True) if one in wanted)

    def write(self, number: int, event: str, **values: Any) -> None:
        """Appends a line to the journal and takes it in. Raises StoreError."""
        line = {"campaign": number, "event": event, **values}
        try:
            with (self._folder / JOURNAL).open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(f"{self._folder / JOURNAL} cannot be written: {error}. Free some space.") from error
        _take_in(self.courses, line)

    def _file(self, number: int) -> Path:
        return self._folder / f"frozen-{number:04d}.safetensors"


def _packed(item_ids: Sequence[str]) -> dict[str, np.ndarray]:
    """One text and where each id ends in it."""
    encoded = [item_id.encode() for item_id in item_ids]
    text = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    return {"ids": text, "id_ends": np.cumsum([len(one) for one in encoded], dtype=np.int64)}


def _unpacked(text: np.ndarray, ends: np.ndarray) -> list[str]:
    """What `_packed` was given. Decoded at once: a byte of UTF-8 that begins no character has 10 in front."""
    before = np.concatenate([[0], np.cumsum((text & 0xC0) != 0x80)])
    places = before[np.concatenate([[0], ends])].tolist()
    decoded = text.tobytes().decode()
    return [decoded[start:end] for start, end in pairwise(places)]


def _read_journal(path: Path) -> dict[int, Course]:
    """By number, in their order. A line that a stop cut off is left out, and ended before the next one begins."""
    courses: dict[int, Course] = {}
    if not path.exists():
        return courses
    content = path.read_bytes()
    if content and not content.endswith(b"\n"):
        with path.open("ab") as file:
            file.write(b"\n")
    for text in content.splitlines():
        try:
            _take_in(courses, json.loads(text))
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s: a line is left out: %s", path, error)
    return courses


def _take_in(courses: dict[int, Course], line: dict[str, Any]) -> None:
    number, event = line["campaign"], line["event"]
    if event == "start":
        courses[number] = Course(number, tuple(map(tuple, line["sizes"])))
    else:
        courses[number] = _after(courses[number], line)


def _after(course: Course, line: dict[str, Any]) -> Course:
    match line["event"]:
        case "open":
            return replace(course, open_rows=course.open_rows.union(line["rows"]))
        case "review":
            return replace(course, reviewed_rows=course.reviewed_rows.union(line["rows"]))
        case "grow":
            pairs = zip(course.sizes, line["items"], strict=True)
            return replace(course, sizes=tuple((*sizes, n) if n > sizes[-1] else sizes for sizes, n in pairs))
        case "accept":
            told = {name: value for name, value in line.items() if name not in ("campaign", "event")}
            return replace(course, accepted=told)
        case "end":
            return replace(course, ended=True, checked=line["checked"], proven=line["proven"])
    return course
