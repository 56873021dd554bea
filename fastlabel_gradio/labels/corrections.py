"""Corrections: labels that were put in place of others, counted."""

from sqlalchemy import Connection, exists, func, or_, select

from fastlabel_gradio.labels.events import undone
from fastlabel_gradio.labels.tables import annotations, submissions

NOT_BY_PEOPLE = ("auto", "import")


def count_corrected(connection: Connection, project: int) -> int:
    """Items that got another label than they had: by a review, or by who had said the other one. Nothing that was undone."""
    before, said_before = annotations.alias("before"), submissions.alias("said_before")
    another = exists().where(
        before.c.item_id == annotations.c.item_id,
        before.c.project == project,
        before.c.submission < annotations.c.submission,
        before.c.present,
        before.c.label_id != annotations.c.label_id,
        said_before.c.id == before.c.submission,
        or_(annotations.c.source == "review", said_before.c.annotator == submissions.c.annotator),
        ~undone(said_before),
    )
    in_question = select(annotations.c.item_id).where(annotations.c.project == project)  # few: most are said once
    query = (
        select(func.count(annotations.c.item_id.distinct()))
        .join_from(annotations, submissions, annotations.c.submission == submissions.c.id)
        .where(annotations.c.project == project, annotations.c.present, annotations.c.label_id.is_not(None))
        .where(annotations.c.item_id.in_(in_question.group_by(annotations.c.item_id).having(func.count() > 1)))
        .where(annotations.c.source.not_in(NOT_BY_PEOPLE), ~undone(submissions), another)
    )
    return connection.scalar(query) or 0
