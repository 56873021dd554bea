"""Predictions: what the newest head says of items, or other programs while there is no head."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.head import Head
from fastlabel_gradio.imports.given_labels import GivenLabels
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import LabelSchema, PoolItem, Prediction, Probabilities, Rows

RUNNERS_UP = 3  # that a person is offered beside the suggestion: nearly always the right class is among so many


class Predictions:
    """Of one pool. All methods may be called from any thread.

    Args:
        suggestions: labels of other programs, shown until there is a head.
    """

    def __init__(self, desk: Desk, learner: Learner, suggestions: GivenLabels | None) -> None:
        self._desk = desk
        self._learner = learner
        self._suggestions = suggestions

    def of_items(
        self, items: Sequence[PoolItem], schema: LabelSchema, head: Head | None
    ) -> Sequence[Prediction | None]:
        """What a head says of each, in positions of that schema; None where nothing is known."""
        said = self._by_head(np.array([item.row for item in items], dtype=np.int64), schema, head)
        return self._suggested([item.id for item in items], schema) if said is None else said

    def of_rows(self, rows: Rows, schema: LabelSchema) -> Sequence[Prediction | None]:
        """As `of_items`, of the items at some rows, by the newest head."""
        said = self._by_head(rows, schema, self._learner.head)
        if said is not None:
            return said
        if not self._suggestions:
            return [None] * len(rows)
        items = self._desk.store.items_at(rows)
        return self._suggested([items[row].id if row in items else "" for row in rows.tolist()], schema)

    def classes_of(self, rows: Rows, head: Head | None) -> list[tuple[str, float | None]]:
        """Predicted class and confidence of some rows by a head, as its scan has them; "" and None without one."""
        if head is None:
            return [("", None)] * len(rows)
        ground = self._learner.ground_of(head)
        said = ground.scan.said(head, ground.embeddings, rows)
        known = self._desk.schema.known_names
        names = [known.get(label.id, label.name) for label in head.info.classes]
        return [(names[index], float(confidence)) for index, confidence in zip(*said, strict=True)]

    def _by_head(self, rows: Rows, schema: LabelSchema, head: Head | None) -> list[Prediction] | None:
        """None without a head. One that was trained before classes were changed says nothing of those that are gone."""
        if head is not None and not head.fits(schema):
            head = head.seen_through(schema)
        if head is None:
            return None
        probabilities = self._learner.ground_of(head).says(head, rows)
        places = np.stack(most_probable(probabilities, 1 + RUNNERS_UP), axis=1)
        sure = probabilities[np.arange(len(places)), places[:, 0]]
        found = zip(places.tolist(), sure.tolist(), strict=True)
        return [Prediction(best, confidence, tuple(others)) for (best, *others), confidence in found]

    def _suggested(self, item_ids: Sequence[str], schema: LabelSchema) -> list[Prediction | None]:
        known = self._suggestions.of(item_ids) if self._suggestions else [None] * len(item_ids)
        names = schema.names
        return [
            Prediction(names.index(one.name), one.confidence) if one and one.name in names else None for one in known
        ]


def most_probable(probabilities: Probabilities, most: int) -> list[Int64[np.ndarray, " items"]]:
    """Of each item the most probable class, the second and so on: as many as there are, at most `most`."""
    left = probabilities.copy()
    found = []
    for _ in range(min(most, left.shape[1])):
        found.append(left.argmax(axis=1))
        left[np.arange(len(left)), found[-1]] = -1
    return found
