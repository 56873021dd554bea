"""Labeled copies: what labels of a pool say against each other, of items with the same content."""

from fastlabel_gradio.labels.contradictions import Contradiction, contradiction_among
from fastlabel_gradio.pool.desk import Desk


def contradiction_of(desk: Desk) -> Contradiction | None:
    """Items of one content that people labeled differently; None where there are none."""
    label_of = {
        int(row): labeled.schema.names[place]
        for labeled in (desk.ledger.training_set(), desk.ledger.audit_set())
        for row, place in zip(labeled.rows, labeled.targets, strict=True)
    }
    contents = desk.store.contents_of(list(label_of))
    return contradiction_among((key, item_id, label_of[row]) for key, item_id, row in contents)
