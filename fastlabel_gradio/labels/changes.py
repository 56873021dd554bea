"""What a reader of a project knows, and what happened since, whoever wrote it: this process, or another one on the database.

A `Position` is where a reader is. Submissions of one project are written one after the other, so whoever has read up to one
has missed none before it; claims come and go without a trace, so all of them are read again once anything was changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from fastlabel_gradio.labels.claims import Claim, open_claims
from fastlabel_gradio.labels.classes import has_edits
from fastlabel_gradio.labels.events import all_events, events_of, items_touched, newest_of, newest_submission
from fastlabel_gradio.labels.resolve import Standing, resolve
from fastlabel_gradio.labels.tables import projects


@dataclass(frozen=True, slots=True)
class Position:
    """How far a reader of a project is: the project's count of changes, and the newest submission that was read."""

    revision: int = -1
    submission: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What happened to a project since a position.

    Attributes:
        position: from which to ask next.
        standing: of each item that something was said of, or taken back: what stands now; None for nothing.
        claims: all that are open now; None where the project was not changed.
        classes_changed: whether a class was added, changed or merged, or that was undone.
    """

    position: Position
    standing: Mapping[str, Standing | None]
    claims: list[Claim] | None
    classes_changed: bool = False


def read_changes(connection: Connection, project: int, since: Position, now: float) -> Changes:
    """What happened since. Claims that ran out by `now` are left out."""
    revision = connection.scalar(select(projects.c.revision).where(projects.c.id == project))
    if revision is None or revision == since.revision:
        return Changes(since, {}, None)
    newest = newest_submission(connection, project)
    item_ids = items_touched(connection, project, since.submission, newest)
    found = resolve(events_of(connection, project, item_ids))
    standing = {item_id: found.get(item_id) for item_id in item_ids}
    edited = newest > since.submission and has_edits(connection, project, since.submission)
    return Changes(Position(revision, newest), standing, open_claims(connection, project, now), edited)


def read_everything(connection: Connection, project: int, now: float) -> Changes:
    """As `read_changes` from the beginning, in one pass over the events."""
    position = read_position(connection, project)
    standing = resolve(all_events(connection, project))
    return Changes(position, standing, open_claims(connection, project, now))


def read_position(connection: Connection, project: int) -> Position:
    """Where the project is now."""
    found = connection.execute(
        select(projects.c.revision, newest_of(project).scalar_subquery()).where(projects.c.id == project)
    ).first()
    return Position(found[0], found[1] or 0) if found else Position(0, 0)
