"""The rows that labels leave a pool in, as a stream: what people said, then what the head says of the rest."""

from collections.abc import Iterator

import numpy as np

from fastlabel_gradio.explore.finder import Finder
from fastlabel_gradio.exports import ExportRow
from fastlabel_gradio.exports.row_stream import Choice, predicted_row, said_rows
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.loop.predictions import Predictions
from fastlabel_gradio.pool.desk import Desk


def export_stream(
    desk: Desk, finder: Finder, learner: Learner, predictions: Predictions, choice: Choice
) -> Iterator[ExportRow]:
    """What was chosen, as of now."""
    desk.follow()
    wanted = None if choice.query is None else frozenset(finder.item_ids(choice.query))
    rows = said_rows(desk.label_store, desk.schema, choice)
    yield from rows if wanted is None else (row for row in rows if row.item_id in wanted)
    if choice.predictions:
        yield from _predicted_rows(desk, learner, predictions, choice, wanted)


def _predicted_rows(
    desk: Desk, learner: Learner, predictions: Predictions, choice: Choice, wanted: frozenset[str] | None
) -> Iterator[ExportRow]:
    """What has no row yet: unlabeled items; where rows say their state only those of which nothing was said."""
    told = desk.ledger.labeled_ids() if choice.columns == "labels" else desk.ledger.judged_ids()
    head = learner.head
    for block in desk.store.item_blocks():
        rest = [(row, id_) for row, id_ in block if id_ not in told and (wanted is None or id_ in wanted)]
        said = predictions.classes_of(np.array([row for row, _ in rest], dtype=np.int64), head)
        for (_, item_id), (name, confidence) in zip(rest, said, strict=True):
            yield predicted_row(item_id, name, confidence, choice)
        learner.release_pages()
