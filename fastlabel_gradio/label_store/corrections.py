"""Corrections: labels that a review put in place of others, counted."""

from sqlalchemy import Connection, exists, func, select

from fastlabel_gradio.label_store.events import undone
from fastlabel_gradio.label_store.tables import annotations, submissions


def count_corrected(connection: Connection, project: int) -> int:
    """Items of which a review said another label than somebody had said before, and neither was undone."""
    before, said_before = annotations.alias("before"), submissions.alias("said_before")
    another = exists().where(
        before.c.item_id == annotations.c.item_id,
        before.c.project == project,
        before.c.submission < annotations.c.submission,
        before.c.present,
        before.c.label_id != annotations.c.label_id,
        said_before.c.id == before.c.submission,
        ~undone(said_before),
    )
    query = (
        select(func.count(annotations.c.item_id.distinct()))
        .join_from(annotations, submissions, annotations.c.submission == submissions.c.id)
        .where(annotations.c.project == project, annotations.c.source == "review", annotations.c.present)
        .where(annotations.c.label_id.is_not(None), ~undone(submissions), another)
    )
    return connection.scalar(query) or 0
