"""Suspects: the lists of items to look at again, by the name of the order in which a query shows them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.explore.doubts import Doubted, Heads
from fastlabel_gradio.explore.known_labels import KnownLabels
from fastlabel_gradio.explore.mistakes import PATIENCE_S, Mistakes
from fastlabel_gradio.explore.near_duplicates import NearDuplicates
from fastlabel_gradio.imports.given_labels import ReferenceLabels
from fastlabel_gradio.inquiry import Finding
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import ListName, Rows


@dataclass(frozen=True, slots=True)
class Listing:
    """How a list stands.

    Attributes:
        doubted: items to look at.
        missing: labels that have no place yet; they are ranked in the background while `is_working`.
        right: labels of which somebody said that they are right.
        wrong: labels that a review, or who gave them, replaced by another one.
        problem: why they cannot be ranked; "" otherwise.
    """

    doubted: int
    missing: int
    is_working: bool
    right: int
    wrong: int
    problem: str


class Suspects:
    """The lists of one labeler. All methods may be called from any thread.

    Args:
        known: the labels that the source knows, or that were imported as references.
    """

    def __init__(
        self,
        desk: Desk,
        heads: Heads,
        known: ReferenceLabels,
    ) -> None:
        self._desk = desk
        self._label_store = desk.label_store
        self._known = known
        self._mistakes = Mistakes(desk.label_store, desk.ledger, heads)
        self._near_duplicates = NearDuplicates(desk.ledger, heads)
        self._known_labels = KnownLabels(desk.store, desk.ledger, heads, known)
        self._wrong: tuple[int, int] = (-1, 0)

    def keys(self, name: ListName, rows: int) -> np.ndarray:
        """float64[rows], by which a list is ordered, the smallest first; NaN for rows that are not on it."""
        found = self._doubted(name)
        keys = np.full(rows, np.nan)
        known = found.rows < rows
        keys[found.rows[known]] = found.keys[known]
        return keys

    def instead(self, name: ListName, rows: Rows) -> dict[int, str]:
        """By row the class that heads which did not see the label hold more likely, of those rows of a list that have one."""
        names = self._desk.schema.known_names
        found = self._doubted(name, patience_s=0.0).instead(rows)
        return {row: names[label_id] for row, label_id in found.items() if label_id in names}

    def listing(self, name: ListName) -> Listing:
        """How a list stands now."""
        self._desk.glance()
        found, finding = self._doubted(name), self._finding(name)
        right = sum(map(len, self._mistakes.checked().values()))
        is_working = finding.state == "running"
        return Listing(len(found.rows), found.missing, is_working, right, self._wrong_found(), finding.error)

    def confirm(self, annotator: str, labels: Sequence[tuple[str, str]], now: float) -> list[tuple[str, str]]:
        """Stores that the annotator looked at items and says that their labels, as (item id, class), are right.

        Raises InvalidLabelsError where another label stands by now, StoreError: nothing was stored.

        Returns:
            Those of which nothing was said, where the label is the one that the source knows.
        """
        schema = self._desk.schema
        names, standing = schema.known_names, self._label_store.standing([item_id for item_id, _ in labels])
        checked, unsaid = {}, []
        for item_id, name in labels:
            if names.get(standing.get(item_id, -1)) == name:
                checked[item_id] = standing[item_id]
            elif item_id not in standing and self._known.of(item_id, schema) == name:
                unsaid.append((item_id, name))
            else:
                raise InvalidLabelsError(
                    f"item {shown(item_id)} does not carry the label {shown(name)} (any more). Look at it again; nothing was "
                    "stored."
                )
        if checked:
            with self._desk.in_turn():
                self._label_store.check(annotator, checked, now=now)
                self._desk.follow()
        return unsaid

    def close(self) -> None:
        """Ends what is worked out."""
        for one in (self._mistakes, self._near_duplicates, self._known_labels):
            one.close()

    # Private

    def _doubted(self, name: ListName, patience_s: float = PATIENCE_S) -> Doubted:
        if name == "near_duplicates":
            return self._near_duplicates.doubted(patience_s)
        if name == "known_labels":
            return self._known_labels.doubted(self._desk.schema, patience_s)
        return self._mistakes.doubted(patience_s)

    def _finding(self, name: ListName) -> Finding[None]:
        if name == "near_duplicates":
            return self._near_duplicates.finding
        return self._known_labels.finding if name == "known_labels" else self._mistakes.finding

    def _wrong_found(self) -> int:
        newest = self._desk.ledger.position.submission
        if self._wrong[0] != newest:
            self._wrong = newest, self._label_store.corrected()
        return self._wrong[1]
