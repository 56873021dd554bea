"""Acts: who submitted how many labels, and when, without the items. What a pace of work is made of."""

from typing import NamedTuple

from sqlalchemy import Connection, func, select

from fastlabel_gradio.labels.tables import annotations, submissions

BY_PEOPLE = ("person", "group", "review", "search")


class Act(NamedTuple):
    """One submission.

    Attributes:
        created_at: seconds since the epoch.
        original: of an undo or redo, the submission that it takes back or brings back.
        label_count: labels that people gave in it; what the head said or a file brought is not counted, nor are states.
    """

    submission: int
    annotator: str
    created_at: float
    original: int | None
    label_count: int


def acts_since(connection: Connection, project: int, since: int) -> list[Act]:
    """The submissions of a project after that one, in order."""
    labels = (
        select(func.count())
        .where(annotations.c.submission == submissions.c.id, annotations.c.state == "label", annotations.c.present)
        .where(annotations.c.source.in_(BY_PEOPLE))
        .scalar_subquery()
    )
    query = (
        select(submissions.c.id, submissions.c.annotator, submissions.c.created_at, submissions.c.original, labels)
        .where(submissions.c.project == project, submissions.c.id > since)
        .order_by(submissions.c.id)
    )
    return [Act._make(row) for row in connection.execute(query)]
