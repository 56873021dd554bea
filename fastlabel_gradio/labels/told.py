"""What everybody says of each item, item by item, with all that was stored beside it; and how that is taken in elsewhere.

Who takes in what was told, in that order, has the same opinions afterwards, and the same of them stand.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select, true

from fastlabel_gradio.labels.chunks import chunks
from fastlabel_gradio.labels.claims import drop_claims_on
from fastlabel_gradio.labels.events import STREAM_ROWS, append_annotations, append_submission, undone
from fastlabel_gradio.labels.resolve import (
    CLEAR,
    STATES,
    Opinion,
    Opinions,
    Standing,
    kind_of,
    opinion_of,
    with_opinion,
)
from fastlabel_gradio.labels.tables import annotations, submissions
from fastlabel_gradio.types import LabelSource, Said


class Told(NamedTuple):
    """One opinion on one item. `said_at` is in seconds since the epoch; `stands` whether it is what counts of the item."""

    item_id: str
    annotator: str
    said_at: float
    said: Said
    source: LabelSource
    stands: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of opinions that were taken in.

    Attributes:
        added: opinions that are new, corrections of the same annotator among them.
        known: those that the annotator has already.
        older: those of an annotator who said something else since.
    """

    added: int = 0
    known: int = 0
    older: int = 0

    def __add__(self, other: "Taken") -> "Taken":
        return Taken(self.added + other.added, self.known + other.known, self.older + other.older)


def told_by_item(connection: Connection, project: int) -> Iterator[Told]:
    """Every opinion, those of one item one after the other in the order of `resolve`, as a stream."""
    return _told_where(connection, project, true())


def told_of(connection: Connection, project: int, item_ids: Iterable[str]) -> Iterator[Told]:
    """As `told_by_item`, of these items."""
    for chunk in chunks(item_ids):
        yield from _told_where(connection, project, annotations.c.item_id.in_(chunk))


def take_in(connection: Connection, project: int, told: Sequence[Told], batch_id: str) -> Taken:
    """Appends opinions, each under its annotator, time and source; what the annotator said of an item later on stays.

    Claims on items of which something new is said are dropped.

    Args:
        told: those of one item in the order of `told_by_item`.
        batch_id: of the submissions, by which all of it can be found again.
    """
    before = _newest(connection, project, {one.item_id for one in told})
    fresh, counts = [], Counter[str]()
    for one in told:
        last = before.get((one.item_id, one.annotator, kind_of(one.source)))
        outcome = "added" if last is None else _against(one, last)
        counts[outcome] += 1
        if outcome == "added":
            fresh.append(one)
    for (_, said_at, annotator, source), said in sorted(_submissions(fresh).items()):
        submission = append_submission(connection, project, annotator, batch_id, said_at)
        append_annotations(connection, submission, project, said, source)
    drop_claims_on(connection, project, {one.item_id for one in fresh})
    return Taken(**counts)


def take_back_all(connection: Connection, project: int, annotator: str, batch_id: str, now: float) -> int:
    """Undoes every submission of that batch that stands, in the name of the annotator; returns how many there were."""
    standing = select(submissions.c.id).where(
        submissions.c.project == project,
        submissions.c.batch_id == batch_id,
        submissions.c.reverts.is_(None),
        ~undone(submissions),
    )
    found = list(connection.scalars(standing.order_by(submissions.c.id)))
    for original in found:
        newest = select(func.max(submissions.c.id)).where(submissions.c.original == original)
        append_submission(connection, project, annotator, "", now, connection.scalar(newest) or original, original)
    return len(found)


def notes_brought(connection: Connection, project: int, made_here: str) -> dict[str, int]:
    """How many labels of the program that were not undone carry each note, of those that were brought from elsewhere.

    Args:
        made_here: how the batch ids of submissions begin that are none of these.
    """
    query = (
        select(annotations.c.note, func.count())
        .join_from(submissions, annotations, annotations.c.submission == submissions.c.id)
        .where(
            submissions.c.project == project,
            ~submissions.c.batch_id.startswith(made_here, autoescape=True),
            annotations.c.source == "auto",
            annotations.c.present,
            annotations.c.note != "",
            ~undone(submissions),
        )
        .group_by(annotations.c.note)
        .order_by(func.min(submissions.c.id))
    )
    return dict(connection.execute(query).tuples().all())


def _told_where(connection: Connection, project: int, condition: ColumnElement[bool]) -> Iterator[Told]:
    query = (
        select(
            annotations.c.item_id,
            submissions.c.annotator,
            submissions.c.created_at,
            annotations.c.label_id,
            annotations.c.state,
            annotations.c.source,
            annotations.c.head_version,
            annotations.c.confidence,
            annotations.c.note,
        )
        .join_from(annotations, submissions, annotations.c.submission == submissions.c.id)
        .where(annotations.c.project == project, annotations.c.present, ~undone(submissions), condition)
        .order_by(annotations.c.item_id, annotations.c.submission, annotations.c.position)
    )
    rows = connection.execute(query.execution_options(yield_per=STREAM_ROWS))
    for _, events in groupby(rows, itemgetter(0)):
        yield from _opinions_of(list(events))


def _opinions_of(events: Sequence[Any]) -> Iterator[Told]:
    """Those of one item, of its events in order."""
    opinions: Opinions = ()
    newest: dict[tuple[str, str], Any] = {}
    for event in events:
        if event.state == CLEAR:
            opinions = ()
            continue
        opinion = Opinion(event.annotator, Standing(STATES[event.state], event.label_id, event.source))
        opinions = with_opinion(opinions, opinion)
        newest[opinion.annotator, opinion.kind] = event
    standing = opinion_of(opinions) if opinions else None
    for one in opinions:
        yield _told(newest[one.annotator, one.kind], stands=one is standing)


def _told(event: Any, *, stands: bool) -> Told:
    item_id, annotator, said_at, label_id, state, source, head_version, confidence, note = event
    said = Said(label_id, STATES[state], True, head_version, confidence, note)
    return Told(item_id, annotator, said_at, said, source, stands)


def _newest(connection: Connection, project: int, item_ids: set[str]) -> dict[tuple[str, str, str], Told]:
    """By item, annotator and kind of source what was said last."""
    told = told_of(connection, project, item_ids)
    return {(one.item_id, one.annotator, kind_of(one.source)): one for one in told}


def _against(one: Told, last: Told) -> str:
    """What becomes of an opinion beside what its annotator said last; times leave as milliseconds."""
    if (one.said.label_id, one.said.state) == (last.said.label_id, last.said.state):
        return "known"
    return "older" if last.said_at > one.said_at else "added"


def _submissions(told: Iterable[Told]) -> dict[tuple[int, float, str, LabelSource], dict[str, Said]]:
    """Opinions together that may be one submission: of one annotator, time and source, and as many were said of their items.

    Submissions by their key leave the opinions of each item in their order.
    """
    said_of: Counter[str] = Counter()
    found: dict[tuple[int, float, str, LabelSource], dict[str, Said]] = {}
    for one in told:
        found.setdefault((said_of[one.item_id], one.said_at, one.annotator, one.source), {})[one.item_id] = one.said
        said_of[one.item_id] += 1
    return found
