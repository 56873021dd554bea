"""Steps: what an annotator did, one submission a step, told as numbers and in words. Most recent first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from fastlabel_gradio.labels.acts import BY_PEOPLE
from fastlabel_gradio.labels.classes import ClassEvent, class_events_of
from fastlabel_gradio.labels.events import undone
from fastlabel_gradio.labels.tables import annotations, checks, submissions
from fastlabel_gradio.types import LabelSource, State

CLASSES_NAMED = 3  # of a step, those with most items


class Part(NamedTuple):
    """Of how many items a step said the same. `label_id` is None where the state is no label.

    `predicted`: a person accepted what a head had said of them.
    """

    label_id: int | None
    state: State
    source: LabelSource
    items: int
    predicted: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One submission.

    Attributes:
        event: its number.
        said_at: seconds since the epoch.
        undone: whether it is taken back now.
        parts: what was said, of most items first.
        checks: labels that were found right.
        edits: of classes.
    """

    event: int
    said_at: float
    undone: bool
    parts: tuple[Part, ...] = ()
    checks: int = 0
    edits: tuple[ClassEvent, ...] = ()

    @property
    def items(self) -> int:
        """Items that it said something of."""
        return sum(part.items for part in self.parts) + self.checks

    @property
    def size(self) -> int:
        """Items, or edits where it is of classes: more than 0 for everything that can be undone."""
        return self.items + len(self.edits)


def read_steps(connection: Connection, project: int, annotator: str, most: int) -> list[Step]:
    """The annotator's newest steps, undone ones among them, undos and redos themselves left out."""
    mine = (submissions.c.project == project, submissions.c.annotator == annotator, submissions.c.reverts.is_(None))
    query = select(submissions.c.id).where(*mine).order_by(submissions.c.id.desc()).limit(most)
    return steps_of(connection, list(connection.scalars(query)))


def steps_of(connection: Connection, numbers: Sequence[int]) -> list[Step]:
    """The steps of these submissions, in their order."""
    query = select(submissions.c.id, submissions.c.created_at, undone(submissions))
    found = connection.execute(query.where(submissions.c.id.in_(numbers))).tuples()
    known = {number: (said_at, bool(is_undone)) for number, said_at, is_undone in found}
    parts, checked = _parts(connection, numbers), _checks(connection, numbers)
    edits = class_events_of(connection, numbers)
    return [
        Step(number, *known[number], tuple(parts.get(number, ())), checked.get(number, 0), tuple(edits.get(number, ())))
        for number in numbers
    ]


def in_words(step: Step, names: Mapping[int, str]) -> str:
    """What a step did, in a few words: "labeled 34 items: 30 cat, 4 dog".

    Args:
        names: what every class is called now, by id.
    """
    deeds = [(_deed(part), part) for part in step.parts if part.state is State.LABEL]
    told = [
        _labels_in_words([part for deed, part in deeds if deed == one], *one, names)
        for one in dict.fromkeys(deed for deed, _ in deeds)
    ]
    counts = {part.state: 0 for part in step.parts if part.state is not State.LABEL}
    for part in step.parts:
        if part.state in counts:
            counts[part.state] += part.items
    told += [_STATES[state].format(_items(count)) for state, count in counts.items()]
    told += [f"checked {_items(step.checks)}"] if step.checks else []
    told += [_edit_in_words(edit, names) for edit in step.edits]
    return "; ".join(dict.fromkeys(told))


_VERBS: dict[str, str] = {"review": "relabeled", "import": "imported", "auto": "accepted"}
_STATES = {
    State.SKIP: "skipped {}",
    State.UNSURE: "marked {} as unsure",
    State.BAD: "marked {} as bad",
    State.CLEAR: "cleared {}",
}


def _deed(part: Part) -> tuple[str, str]:
    """A verb, and what it was done to."""
    verb = _VERBS.get(part.source, "labeled")
    return ("accepted", "prediction") if part.predicted and verb == "labeled" else (verb, "item")


def _labels_in_words(parts: Sequence[Part], verb: str, noun: str, names: Mapping[int, str]) -> str:
    counts: dict[str, int] = {}
    for part in parts:
        if part.label_id is not None:
            name = names.get(part.label_id, str(part.label_id))
            counts[name] = counts.get(name, 0) + part.items
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    if len(most) == 1:
        return f"{verb} {_items(most[0][1], noun)} {most[0][0]}"
    listed = ", ".join(f"{count:,} {name}" for name, count in most[:CLASSES_NAMED])
    others = sum(count for _, count in most[CLASSES_NAMED:])
    return f"{verb} {_items(sum(counts.values()), noun)}: {listed}" + (f" and {others:,} others" if others else "")


def _edit_in_words(edit: ClassEvent, names: Mapping[int, str]) -> str:
    name = names.get(edit.label_id, str(edit.label_id))
    match edit.kind:
        case "add":
            return f"added the class {edit.value}"
        case "rename":
            return f"renamed {edit.before} to {edit.value}"
        case "merge":
            return f"merged {edit.before} into {names.get(edit.value, edit.value)}"
        case "archive":
            return f"archived the class {name}" if edit.value else f"took the class {name} back"
        case "order":
            return "ordered the classes"
    return f"changed the {edit.kind} of the class {name}"


def _items(count: int, noun: str = "item") -> str:
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _parts(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Part]]:
    what = (annotations.c.label_id, annotations.c.state, annotations.c.source, annotations.c.confidence.is_not(None))
    query = (
        select(annotations.c.submission, *what, func.count().label("items"))
        .where(annotations.c.submission.in_(numbers))
        .group_by(annotations.c.submission, *what)
        .order_by(func.count().desc(), annotations.c.label_id)
    )
    found: dict[int, list[Part]] = {}
    for number, label_id, state, source, has_confidence, items in connection.execute(query):
        predicted = bool(has_confidence) and source in BY_PEOPLE
        found.setdefault(number, []).append(Part(label_id, State(state), source, items, predicted))
    return found


def _checks(connection: Connection, numbers: Iterable[int]) -> dict[int, int]:
    query = select(checks.c.submission, func.count()).where(checks.c.submission.in_(numbers))
    return dict(connection.execute(query.group_by(checks.c.submission)).tuples().all())
