"""Events in the database: submissions and what hangs on them, how they are undone, as queries and inserts.

What stands after them is the subject of `resolve.py`, what class events say that of `classes.py`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, Table, and_, exists, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.labels.chunks import chunks
from fastlabel_gradio.labels.resolve import CLEAR, STATES, EventValues
from fastlabel_gradio.labels.shared_values import distinct
from fastlabel_gradio.labels.tables import annotations, checks, submissions
from fastlabel_gradio.types import Annotation, LabelSource, Said, State

STREAM_ROWS = 10_000
ROWS_AT_ONCE = 1_000  # of an insert: the time is the same from 500 on, and the driver keeps its last statements
NO_CONFIDENCES: Mapping[str, float | None] = MappingProxyType({})
MANY_ITEMS = 20_000  # from so many on, reading all events in order takes less time than looking up those of each item

SAID_COLUMNS = (
    "label_id",
    "state",
    "present",
    "source",
    "head_version",
    "confidence",
    "note",
)  # as `_values_of` has them

# Making a statement takes longer than running it: what all of them share is made once.
_turns = submissions.alias("turns")


def all_events(connection: Connection, project: int) -> Iterator[Any]:
    """Every event that was not undone, in order, as a stream of rows with the values of `Event`."""
    found = connection.execute(_events(project).execution_options(yield_per=STREAM_ROWS))
    return chain.from_iterable(found.partitions())  # fetched one by one each would cost as much again


def events_of(connection: Connection, project: int, item_ids: Iterable[str]) -> Iterator[EventValues]:
    """As `all_events`, of these items; those of one item are in order. Any number of items."""
    wanted = dict.fromkeys(item_ids)
    if len(wanted) >= MANY_ITEMS:
        yield from (tuple(row) for row in all_events(connection, project) if row[0] in wanted)
        return
    for chunk in chunks(wanted):
        query = _events(project).where(annotations.c.project == project, annotations.c.item_id.in_(chunk))
        yield from map(tuple, connection.execute(query))


def opinions(connection: Connection, project: int) -> Iterator[Annotation]:
    """The opinion of every annotator of every item, oldest submission first, as a stream.

    Where an annotator accepted what the head says of an item that they judged themselves, that is no opinion of theirs. Of
    what was said before an item was cleared nothing is left.
    """
    later, by = annotations.alias("later"), submissions.alias("later_submission")
    speaks_again = or_(later.c.source != "auto", annotations.c.source == "auto")
    overruled = exists().where(
        later.c.project == project,
        later.c.item_id == annotations.c.item_id,
        later.c.submission > annotations.c.submission,
        by.c.id == later.c.submission,
        or_(later.c.state == CLEAR, and_(later.c.present, speaks_again, by.c.annotator == submissions.c.annotator)),
        ~undone(by),
    )
    query = _events(project).add_columns(submissions.c.created_at).where(annotations.c.state != CLEAR, ~overruled)
    for item_id, annotator, label_id, state, source, _, created_at in connection.execute(
        query.execution_options(yield_per=STREAM_ROWS)
    ):
        yield Annotation(item_id, label_id, annotator, created_at, STATES[state], source)


def annotated_labels(connection: Connection, project: int) -> set[int]:
    """Label ids of all events that were not undone; also overruled ones, which undoing a correction brings back."""
    query = _events(project).with_only_columns(annotations.c.label_id).order_by(None).distinct()
    return {label_id for label_id in connection.scalars(query) if label_id is not None}


def newest_submission(connection: Connection, project: int) -> int:
    """The number of a project's newest submission; 0 while there is none."""
    return connection.scalar(newest_of(project)) or 0


def newest_of(project: int) -> Select[tuple[int]]:
    """The number of a project's newest submission, as a query of one row or none."""
    return select(submissions.c.id).where(submissions.c.project == project).order_by(submissions.c.id.desc()).limit(1)


def items_touched(
    connection: Connection, project: int, after: int, newest: int, *, but_by: str | None = None
) -> list[str]:
    """The items of all submissions of a project after one and up to another, and of those that these undo or bring back.

    Args:
        but_by: an annotator whose submissions are left out.
    """
    about = func.coalesce(submissions.c.original, submissions.c.id)
    query = (
        select(annotations.c.item_id)
        .join_from(submissions, annotations, annotations.c.submission == about)
        .where(submissions.c.project == project, submissions.c.id > after, submissions.c.id <= newest)
    )
    if but_by is not None:
        query = query.where(submissions.c.annotator != but_by)
    return list(connection.scalars(query.distinct()))


def append_annotations(
    connection: Connection,
    submission: int,
    project: int,
    said: Mapping[str, Said],
    source: LabelSource,
    confidences: Mapping[str, float | None] = NO_CONFIDENCES,
) -> None:
    """Appends what was said of items, one at least, to a submission.

    Args:
        source: of what has none of its own.
        confidences: of items that do not share theirs with others of which the same is said.

    Raises:
        InvalidLabelsError: a constraint fails.
    """
    said_as = {id(one): _values_of(one, source) for one in distinct(said.values())}
    values, different = list(map(said_as.__getitem__, map(id, said.values()))), list(said_as.values())
    shared: dict[str, Any] = {"submission": submission, "project": project}
    varying: dict[str, Iterable[Any]] = {"position": range(len(said)), "item_id": said}
    for place, name in enumerate(SAID_COLUMNS):
        column = map(itemgetter(place), values)
        if name == "confidence" and confidences:
            varying[name] = map(confidences.get, said, column)
        elif len({one[place] for one in different}) > 1:
            varying[name] = column
        else:
            shared[name] = different[0][place]
    _insert(connection, annotations, shared, varying)


def append_checks(connection: Connection, submission: int, project: int, labels: Mapping[str, int]) -> None:
    """Appends to a submission that these labels, by item, are right."""
    shared = {"submission": submission, "project": project}
    varying = {"position": range(len(labels)), "item_id": labels, "label_id": labels.values()}
    _insert(connection, checks, shared, varying)


def checked_labels(connection: Connection, project: int) -> dict[str, set[int]]:
    """By item the labels of which somebody said that they are right, and did not undo that."""
    query = (
        select(checks.c.item_id, checks.c.label_id)
        .join_from(submissions, checks, checks.c.submission == submissions.c.id)
        .where(submissions.c.project == project, ~undone(submissions))
    )
    found: dict[str, set[int]] = {}
    for item_id, label_id in connection.execute(query.execution_options(yield_per=STREAM_ROWS)):
        found.setdefault(item_id, set()).add(label_id)
    return found


def append_submission(
    connection: Connection,
    project: int,
    annotator: str,
    batch_id: str,
    now: float,
    reverts: int | None = None,
    original: int | None = None,
) -> int:
    """Appends a submission without events, an undo or redo where it `reverts` one; returns its number."""
    row = {
        "project": project,
        "annotator": annotator,
        "batch_id": batch_id,
        "created_at": now,
        "reverts": reverts,
        "original": original,
    }
    key: Any = connection.execute(insert(submissions).values(row)).inserted_primary_key
    return int(key.id)


def last_submission(connection: Connection, project: int, annotator: str) -> tuple[int, int, str] | None:
    """Of the annotator's last submission that is not undone: its number, what to revert to undo it, its batch id."""
    query = select(submissions.c.id, submissions.c.batch_id).where(
        *_by(project, annotator), submissions.c.reverts.is_(None), ~undone(submissions)
    )
    row = connection.execute(query.order_by(submissions.c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    newest = select(func.max(submissions.c.id)).where(submissions.c.original == row.id)
    return row.id, connection.scalar(newest) or row.id, row.batch_id


def submission_of(connection: Connection, project: int, annotator: str, batch_id: str) -> tuple[int, int, str] | None:
    """As `last_submission`, of the annotator's last one with that batch id."""
    found = submissions.c.batch_id == batch_id
    query = select(submissions.c.id).where(
        *_by(project, annotator), found, submissions.c.reverts.is_(None), ~undone(submissions)
    )
    number = connection.scalar(query.order_by(submissions.c.id.desc()).limit(1))
    if number is None:
        return None
    newest = select(func.max(submissions.c.id)).where(submissions.c.original == number)
    return number, connection.scalar(newest) or number, batch_id


def standing_among(connection: Connection, project: int, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the annotators and batch ids under which something was submitted that is not undone."""
    annotators = {annotator for annotator, _ in wanted}
    found: set[tuple[str, str]] = set()
    for chunk in chunks({batch_id for _, batch_id in wanted}):
        query = select(submissions.c.annotator, submissions.c.batch_id).where(
            submissions.c.project == project,
            submissions.c.annotator.in_(annotators),
            submissions.c.batch_id.in_(chunk),
            submissions.c.reverts.is_(None),
            ~undone(submissions),
        )
        found.update(connection.execute(query).tuples())
    return {pair for pair in wanted if pair in found}


def last_undo(connection: Connection, project: int, annotator: str) -> tuple[int, int, str] | None:
    """As `last_submission`, of the annotator's last undo that stands; None where they submitted something since."""
    again, undid, newer = (submissions.alias(name) for name in ("again", "undid", "newer"))
    query = (
        select(undid.c.id, submissions.c.id.label("reverts"), undid.c.batch_id)
        .join_from(submissions, undid, undid.c.id == submissions.c.original)
        .where(
            *_by(project, annotator),
            undone(undid),
            ~exists().where(again.c.reverts == submissions.c.id),
            ~exists().where(
                newer.c.project == project,
                newer.c.annotator == annotator,
                newer.c.reverts.is_(None),
                newer.c.id > submissions.c.id,
            ),
        )
    )
    row = connection.execute(query.order_by(submissions.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row.id, row.reverts, row.batch_id)


def labels_of(connection: Connection, submission: int) -> tuple[tuple[str, int | None], ...]:
    """Pairs of item id and label id that a submission appended, in its order; None for a state without a label."""
    query = (
        select(annotations.c.item_id, annotations.c.label_id)
        .where(annotations.c.submission == submission)
        .order_by(annotations.c.position)
    )
    return tuple((item_id, label_id) for item_id, label_id in connection.execute(query).all())


def states_of(connection: Connection, submission: int) -> dict[str, State]:
    """Skip, unsure or bad, by the items that a submission said it of."""
    aside = (State.SKIP.value, State.UNSURE.value, State.BAD.value)
    query = select(annotations.c.item_id, annotations.c.state).where(
        annotations.c.submission == submission, annotations.c.state.in_(aside)
    )
    return {row.item_id: State(row.state) for row in connection.execute(query)}


def undone(submission: FromClause) -> ColumnElement[bool]:
    """Whether a submission is undone: by an undo that no redo reverted."""
    count = select(func.count()).where(_turns.c.original == submission.c.id).correlate(submission).scalar_subquery()
    return count % 2 == 1


@lru_cache
def _events(project: int) -> Select[Any]:
    """The columns are the fields of `Event`."""
    return (
        select(
            annotations.c.item_id,
            submissions.c.annotator,
            annotations.c.label_id,
            annotations.c.state,
            annotations.c.source,
            submissions.c.id,
        )
        .join_from(submissions, annotations, annotations.c.submission == submissions.c.id)
        .where(submissions.c.project == project, annotations.c.present, ~undone(submissions))
        .order_by(submissions.c.id, annotations.c.position)
    )


def _values_of(one: Said, source: LabelSource) -> tuple[Any, ...]:
    came_by = one.source or source
    return (one.label_id, one.state.value, one.present, came_by, one.head_version, one.confidence, one.note)


def _by(project: int, annotator: str) -> Sequence[ColumnElement[bool]]:
    return submissions.c.project == project, submissions.c.annotator == annotator


def _insert(
    connection: Connection, table: Table, shared: Mapping[str, Any], varying: Mapping[str, Iterable[Any]]
) -> None:
    """Rows by column: what is the same in all of them is sent once a statement, and a statement has many rows.

    Row by row a million would take twice the time, and as long again while other threads run, which SQLite lets in between
    two statements. Every value is cast: of a list of values PostgreSQL takes the type from these, not from the column.
    """
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    given = [*[mark] * len(shared), *[f"column{place}" for place in range(1, len(varying) + 1)]]
    names = [*shared, *varying]
    types = [table.columns[name].type.compile(connection.dialect) for name in names]
    wanted = ", ".join(f"CAST({value} AS {type_})" for value, type_ in zip(given, types, strict=True))
    one, rows = f"({', '.join([mark] * len(varying))})", zip(*varying.values(), strict=True)
    while block := list(islice(rows, ROWS_AT_ONCE)):
        statement = f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {wanted} FROM (VALUES "
        statement += f"{', '.join([one] * len(block))}) AS given"
        try:
            connection.exec_driver_sql(statement, (*shared.values(), *chain.from_iterable(block)))
        except IntegrityError as error:
            raise InvalidLabelsError(
                f"the label store refused the labels ({error.orig}). Nothing was stored. Check for an empty item id."
            ) from error
