"""PlantedChecks: labeled items that stand in a group of another class now and then, to see whether somebody still looks.

What was planted and what became of it is appended to one JSONL file, so that an answer to a planted item is known as one
after a restart too: it never becomes a label. What annotators did is told by `counts`. Knows neither pool nor label store.
"""

import json
import logging
import os
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64
from pydantic import TypeAdapter, ValidationError

from fastlabel_gradio.types import (
    Batch,
    Card,
    Item,
    LabelSchema,
    PlantedCounts,
    PoolItem,
    Prediction,
    Rows,
    State,
    Targets,
)

MOST_PLANTED = 3
LEAST_GROUP = 6  # items; in a smaller group a planted one would be a large part
LOOKED_THROUGH = 60  # labeled items, of which some that the head agrees with are planted

Answer = int | State  # a label id, or the state in place of one

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Planted:
    """One planted item of a batch: the id of its label, that of the class it stands among, and where it stands.

    Attributes:
        runners_up: ids of the classes that are offered beside the one it stands among, as on any other card.
    """

    item_id: str
    label_id: int
    shown_as: int
    confidence: float
    place: int
    runners_up: tuple[int, ...] = ()


class Chosen(NamedTuple):
    """A row to plant, the ids of its label and of the class that it will stand among, and what is shown beside that."""

    row: int
    label_id: int
    shown_as: int
    confidence: float
    runners_up: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the file: what was planted in a batch, or, with `counts`, what became of that.

    Attributes:
        met, slipped: ids of the items that were come to, and of those that slipped through; None in a file of before they
            were written down.
    """

    batch_id: str
    annotator: str
    at: float
    planted: tuple[Planted, ...] = ()
    counts: PlantedCounts | None = None
    met: tuple[str, ...] | None = None
    slipped: tuple[str, ...] | None = None


_LINE = TypeAdapter(_Line)


class PlantedChecks:
    """The planted items of one project. Safe from several threads; a line of the file that cannot be read is left out.

    Args:
        share: of the batches that get planted items, 0 to 1.
    """

    def __init__(self, path: Path, share: float, seed: int = 0) -> None:
        self._path = path
        self._share = share
        self._rng = np.random.default_rng(seed)
        self._lock = threading.Lock()  # of what is kept here
        self._appending = threading.Lock()  # whoever asks does not wait for the disk
        self._planted: dict[str, _Line] = {}
        self._judged: dict[str, _Line] = {}
        for line in _read(path):
            self._keep(line)

    def is_due(self) -> bool:
        """Whether it is the turn of a new batch."""
        with self._lock:
            return bool(self._rng.random() < self._share)

    def chosen(
        self,
        picked: Int64[np.ndarray, " batch"],
        labeled: tuple[Rows, Targets, LabelSchema],
        says: Callable[[Rows], Sequence[Prediction | None]],
    ) -> list[Chosen]:
        """Up to MOST_PLANTED items for the largest group of a new batch.

        They are labeled items of other classes of which the head says the same as their label, with confidences as the
        group has them.

        Args:
            picked: for the batch, none of which is planted.
            labeled: rows, positions of their classes in a schema, and that schema.
            says: what the head says of rows.
        """
        rows, targets, schema = labeled
        others = ~np.isin(rows, picked)
        with self._lock:
            rng = self._rng.spawn(1)[0]
        return [
            Chosen(row, schema.ids[target], schema.ids[group], confidence, tuple(schema.ids[one] for one in runners_up))
            for row, target, group, confidence, runners_up in _chosen(
                says(picked), rows[others], targets[others], says, rng
            )
        ]

    def plant(
        self,
        annotator: str,
        batch: Batch,
        chosen: Sequence[Chosen],
        item_at: Callable[[Rows], Mapping[int, Item]],
        now: float,
    ) -> None:
        """Plants what was chosen at random places of a batch.

        Args:
            item_at: the items of rows.
        """
        items = item_at(np.array([one.row for one in chosen], dtype=np.int64))
        with self._lock:
            places = sorted(self._rng.integers(len(batch.cards) + 1, size=len(chosen)).tolist())
        planted = tuple(
            Planted(items[one.row].id, one.label_id, one.shown_as, one.confidence, place, one.runners_up)
            for one, place in zip(chosen, places, strict=True)
            if one.row in items
        )
        if planted:
            self._append(_Line(batch.id, annotator, now, planted))  # or it is not shown

    def into(
        self,
        batch: Batch,
        rows_of: Callable[[Sequence[str]], Mapping[str, int]],
        item_at: Callable[[Rows], Mapping[int, Item]],
    ) -> Batch:
        """The batch with its planted items; those that left the pool or whose class is gone are left out."""
        planted = self.of(batch.id)
        if not planted:
            return batch
        positions = batch.schema.positions
        rows = rows_of([one.item_id for one in planted])
        items = item_at(np.array(list(rows.values()), dtype=np.int64))
        cards = list(batch.cards)
        for one in reversed(planted):
            row = rows.get(one.item_id)
            if row is not None and row in items and one.shown_as in positions:
                runners_up = tuple(positions[label_id] for label_id in one.runners_up if label_id in positions)
                prediction = Prediction(positions[one.shown_as], one.confidence, runners_up)
                cards.insert(one.place, Card(PoolItem(row, one.item_id, items[row].stamp), prediction))
        return replace(batch, cards=tuple(cards))

    def of(self, batch_id: str) -> tuple[Planted, ...]:
        """What is planted in a batch, judged already or not."""
        line = self._planted.get(batch_id)
        return line.planted if line else ()

    def judge(
        self, annotator: str, batch_id: str, said: Mapping[str, int | State | None], now: float
    ) -> PlantedCounts | None:
        """What became of the planted items of a batch that is submitted; None where there are none or that was told before.

        One that got no answer counts as noticed where something was said to be of the class that it stood among.

        Args:
            said: label ids or states by item id, of the whole batch; None for no answer.
        """
        line = self._planted.get(batch_id)
        if line is None or line.annotator != annotator or batch_id in self._judged:
            return None
        used = set(said.values())
        met = [one for one in line.planted if said.get(one.item_id) is not None or one.shown_as in used]
        slipped = [one.item_id for one in met if said.get(one.item_id) == one.shown_as]
        counts = PlantedCounts(len(met), len(slipped))
        ids = tuple(one.item_id for one in met)
        self._append(_Line(batch_id, annotator, now, counts=counts, met=ids, slipped=tuple(slipped)))
        return counts if met else None

    def counts(self) -> dict[str, PlantedCounts]:
        """By annotator, of all batches that were submitted."""
        with self._lock:
            lines = list(self._judged.values())
        found: dict[str, PlantedCounts] = defaultdict(PlantedCounts)
        for line in lines:
            if line.counts:
                found[line.annotator] += line.counts
        return dict(found)

    def items_of(self, annotators: Collection[str], *, slipped: bool = False) -> set[str]:
        """Ids of the planted items that these people came to in batches that they submitted, or that slipped through.

        Of batches of which that was not written down yet: all that was planted, and nothing that slipped through.
        """
        with self._lock:
            lines = [line for line in self._judged.values() if line.annotator in annotators]
            found = [self._met(line, slipped=slipped) for line in lines]
        return {item_id for ids in found for item_id in ids}

    def _met(self, line: _Line, *, slipped: bool) -> tuple[str, ...]:
        if slipped:
            return line.slipped or ()
        return tuple(one.item_id for one in self.of(line.batch_id)) if line.met is None else line.met

    def _append(self, line: _Line) -> None:
        """Keeps what could be written, so that nothing is shown as planted that a restart would forget."""
        text = json.dumps(asdict(line))
        try:
            with self._appending, self._path.open("a", encoding="utf-8") as file:
                file.write(f"{text}\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            log.warning("%s cannot be written: %s. A planted check is left out.", self._path, error)
        else:
            with self._lock:
                self._keep(line)

    def _keep(self, line: _Line) -> None:
        (self._planted if line.counts is None else self._judged)[line.batch_id] = line


def _chosen(
    predictions: Sequence[Prediction | None],
    rows: Rows,
    targets: Targets,
    says: Callable[[Rows], Sequence[Prediction | None]],
    rng: np.random.Generator,
) -> list[tuple[int, int, int, float, tuple[int, ...]]]:
    """Rows to plant, each with its class, the class that it is shown as, a confidence, and the runners-up."""
    shown = [one for one in predictions if one is not None]
    groups = np.bincount([one.index for one in shown]) if shown else np.zeros(1, dtype=np.int64)
    group = int(groups.argmax())
    if groups[group] < LEAST_GROUP:
        return []
    others = np.flatnonzero(targets != group)
    looked = rng.permutation(others)[:LOOKED_THROUGH]
    said = says(rows[looked])
    agreed = [
        (place, one)
        for place, one in zip(looked.tolist(), said, strict=True)
        if one is not None and one.index == targets[place]
    ]
    confidences = [one.confidence for one in shown if one.index == group]
    return [
        (int(rows[place]), int(targets[place]), group, float(rng.choice(confidences)), _runners_up(one, group))
        for place, one in agreed[:MOST_PLANTED]
    ]


def _runners_up(said: Prediction, shown_as: int) -> tuple[int, ...]:
    """As many as any card has, its own class first: that of a card whose suggestion is wrong mostly stands there."""
    others = [one for one in said.runners_up if one != shown_as]
    return (said.index, *others)[: len(said.runners_up)]


def _read(path: Path) -> list[_Line]:
    if not path.exists():
        return []
    lines: list[_Line] = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            lines.append(_LINE.validate_json(text))
        except ValidationError:
            log.warning("%s: line %d cannot be read and is left out.", path, number)
    return lines
