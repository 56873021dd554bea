"""Owners: who said what stands of an item, and when. Beside `resolve`, which says what stands and shares it among items."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple, cast

from sqlalchemy import Connection, select

from fastlabel_gradio.labels.events import all_events, events_of, items_touched, newest_submission
from fastlabel_gradio.labels.resolve import CLEAR, STATES, Opinion, Opinions, Standing, opinion_of, with_opinion
from fastlabel_gradio.labels.tables import submissions
from fastlabel_gradio.types import LabelSource


class Owner(NamedTuple):
    """Who said what stands of an item, and when: seconds since the epoch."""

    annotator: str
    said_at: float


def read_owners(connection: Connection, project: int, since: int) -> tuple[int, dict[str, Owner | None]]:
    """The newest submission, and the owner of each item that was touched after submission `since`; None for nobody."""
    newest = newest_submission(connection, project)
    if newest == since:
        return newest, {}
    item_ids = items_touched(connection, project, since, newest) if since else None
    events = all_events(connection, project) if item_ids is None else events_of(connection, project, item_ids)
    found = owners_of(events, _times(connection, project))
    return newest, dict(found) if item_ids is None else {item_id: found.get(item_id) for item_id in item_ids}


def owners_of(
    events: Iterable[tuple[str, str, int | None, str, str, int]], times: Mapping[int, float]
) -> dict[str, Owner]:
    """The owner of every item that something was said of.

    Args:
        events: as `resolve` takes them.
        times: of the submissions.
    """
    said: dict[str, Opinions] = {}
    last: dict[tuple[str, str, str], int] = {}
    for item_id, annotator, label_id, state, source, submission in events:
        if state == CLEAR:
            said.pop(item_id, None)
            continue
        opinion = Opinion(annotator, Standing(STATES[state], label_id, cast(LabelSource, source)))
        said[item_id] = with_opinion(said.get(item_id, ()), opinion)
        last[item_id, annotator, opinion.kind] = submission
    owners = ((item_id, opinion_of(opinions)) for item_id, opinions in said.items())
    return {item_id: Owner(one.annotator, times[last[item_id, one.annotator, one.kind]]) for item_id, one in owners}


def _times(connection: Connection, project: int) -> dict[int, float]:
    query = select(submissions.c.id, submissions.c.created_at).where(submissions.c.project == project)
    return {row.id: row.created_at for row in connection.execute(query)}
