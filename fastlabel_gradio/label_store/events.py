"""What the events say: the fold from events to standing labels, and the queries and inserts around it.

An annotator's opinion of an item is what they last said and did not undo. The label that stands for training is the
opinion of the annotator who spoke first; what others say later is kept as a second opinion and never overwrites it.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from sys import intern
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, FromClause, Select, exists, insert, select
from sqlalchemy.exc import IntegrityError

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.label_store.database import annotations, submissions
from fastlabel_gradio.types import Annotation

# Databases limit the parameters of a statement, the tightest to 999.
CHUNK = 500
STREAM_ROWS = 10_000


class Event(NamedTuple):
    """One annotator said one label of one item, in the submission of that number."""

    item_id: str
    annotator: str
    label_id: int
    submission: int


def standing_labels(events: Iterable[Event]) -> dict[str, int]:
    """The fold over events in order: the first annotator of an item owns it, and their latest label stands."""
    owners: dict[str, str] = {}
    standing: dict[str, int] = {}
    for item_id, annotator, label_id, _ in events:
        if owners.setdefault(item_id, intern(annotator)) == annotator:
            standing[item_id] = label_id
    return standing


def changes(before: Iterable[Event], after: Iterable[Event]) -> dict[str, int | None]:
    """Items whose standing label differs, with the one after; None where no label is left."""
    old, new = standing_labels(before), standing_labels(after)
    return {item_id: new.get(item_id) for item_id in {**old, **new} if old.get(item_id) != new.get(item_id)}


def all_events(connection: Connection, project: int) -> Iterator[Event]:
    """Every event that was not undone, in order, as a stream."""
    query = _events(project).execution_options(yield_per=STREAM_ROWS)
    return (Event._make(row) for row in connection.execute(query))


def events_of(connection: Connection, project: int, item_ids: Iterable[str]) -> list[Event]:
    """The events of these items that were not undone; those of one item are in order."""
    queries = (
        _events(project).where(annotations.c.project == project, annotations.c.item_id.in_(chunk))
        for chunk in chunks(item_ids)
    )
    return [Event._make(row) for query in queries for row in connection.execute(query)]


def opinions(connection: Connection, project: int) -> Iterator[Annotation]:
    """The opinion of every annotator of every item, oldest submission first, as a stream."""
    later, by = annotations.alias("later"), submissions.alias("later_submission")
    overruled = exists().where(
        later.c.project == project,
        later.c.item_id == annotations.c.item_id,
        later.c.submission > annotations.c.submission,
        by.c.id == later.c.submission,
        by.c.annotator == submissions.c.annotator,
        ~_undone(by),
    )
    query = _events(project).add_columns(submissions.c.created_at).where(~overruled)
    for item_id, annotator, label_id, _, created_at in connection.execute(
        query.execution_options(yield_per=STREAM_ROWS)
    ):
        yield Annotation(item_id, label_id, annotator, created_at)


def annotated_labels(connection: Connection, project: int) -> set[int]:
    """Label ids of all events that were not undone; also overruled ones, which undoing a correction brings back."""
    query = _events(project).with_only_columns(annotations.c.label_id).order_by(None).distinct()
    return set(connection.scalars(query))


def append_labels(
    connection: Connection, project: int, annotator: str, batch_id: str, news: Mapping[str, int], now: float
) -> list[Event]:
    """Appends a submission of these labels, item id to label id. Raises InvalidLabelsError where a constraint fails."""
    submission = append_submission(connection, project, annotator, batch_id, now)
    rows = [
        {"submission": submission, "position": position, "project": project, "item_id": item_id, "label_id": label_id}
        for position, (item_id, label_id) in enumerate(news.items())
    ]
    try:
        connection.execute(insert(annotations), rows)
    except IntegrityError as error:
        raise InvalidLabelsError(
            f"the label store refused the labels ({error.orig}). Nothing was stored. Check for an empty item id."
        ) from error
    return [Event(item_id, annotator, label_id, submission) for item_id, label_id in news.items()]


def append_submission(
    connection: Connection, project: int, annotator: str, batch_id: str, now: float, reverts: int | None = None
) -> int:
    """Appends a submission without labels, an undo where it `reverts` one; returns its number."""
    row = {"project": project, "annotator": annotator, "batch_id": batch_id, "created_at": now, "reverts": reverts}
    key: Any = connection.execute(insert(submissions).values(row)).inserted_primary_key
    return int(key.id)


def last_submission(connection: Connection, project: int, annotator: str) -> tuple[int, str] | None:
    """Number and batch id of the annotator's last submission that was not undone."""
    query = select(submissions.c.id, submissions.c.batch_id).where(
        submissions.c.project == project,
        submissions.c.annotator == annotator,
        submissions.c.reverts.is_(None),
        ~_undone(submissions),
    )
    row = connection.execute(query.order_by(submissions.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.id, row.batch_id)


def labels_of(connection: Connection, submission: int) -> tuple[tuple[str, int], ...]:
    """Pairs of item id and label id that a submission appended, in its order."""
    query = (
        select(annotations.c.item_id, annotations.c.label_id)
        .where(annotations.c.submission == submission)
        .order_by(annotations.c.position)
    )
    return tuple((row.item_id, row.label_id) for row in connection.execute(query))


def chunks(item_ids: Iterable[str]) -> Iterator[list[str]]:
    """The ids in lists short enough for one statement's parameters."""
    rest = iter(item_ids)
    while chunk := list(islice(rest, CHUNK)):
        yield chunk


def _events(project: int) -> Select[Any]:
    return (
        select(annotations.c.item_id, submissions.c.annotator, annotations.c.label_id, submissions.c.id)
        .join_from(submissions, annotations, annotations.c.submission == submissions.c.id)
        .where(submissions.c.project == project, ~_undone(submissions))
        .order_by(submissions.c.id, annotations.c.position)
    )


def _undone(submission: FromClause) -> ColumnElement[bool]:
    undoing = submissions.alias("undoing")
    return exists().where(undoing.c.reverts == submission.c.id)
