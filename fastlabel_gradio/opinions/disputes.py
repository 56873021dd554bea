"""Disputes: items of which people say different things, and what a reviewer decided of them."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastlabel_gradio.labels import Opinion, Opinions, judgements_of, review_of
from fastlabel_gradio.opinions.followed import FollowedOpinions
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import LabelSchema


@dataclass(frozen=True, slots=True)
class Dispute:
    """An item of which people say different things.

    Attributes:
        said: what each of them says, whoever said it first first.
        decided: what a reviewer said of it; None where none did.
    """

    item_id: str
    said: Opinions
    decided: Opinion | None

    def is_party(self, annotator: str) -> bool:
        """Whether one of the answers is theirs."""
        return any(one.annotator == annotator for one in self.said)


class Disputes:
    """The disputes of one project; two classes that were merged are one. All methods may be called from any thread."""

    def __init__(self, desk: Desk, followed: FollowedOpinions) -> None:
        self._desk = desk
        self._followed = followed
        self._last: tuple[int, LabelSchema, list[Dispute]] | None = None

    def open(self, annotator: str) -> list[Dispute]:
        """Those that no reviewer decided: first those to which the annotator is no party, then by item."""
        waiting = [one for one in self._all() if one.decided is None]
        return sorted(waiting, key=lambda one: one.is_party(annotator))

    def undecided_by(self, annotator: str) -> frozenset[str]:
        """Items of disputes that no reviewer decided and to which the annotator is no party."""
        return frozenset(one.item_id for one in self._all() if one.decided is None and not one.is_party(annotator))

    def decided(self) -> list[Dispute]:
        """Those that a reviewer decided, by item."""
        return [one for one in self._all() if one.decided is not None]

    def of(self, item_id: str) -> Dispute | None:
        """That of one item, decided or not; None where people agree on it, or one alone judged it."""
        return next((one for one in self._all() if one.item_id == item_id), None)

    # Private

    def _all(self) -> list[Dispute]:
        newest, opinions = self._followed.look()
        schema, last = self._desk.schema, self._last
        if last is None or last[0] != newest or last[1] is not schema:
            last = self._last = newest, schema, _disputes(opinions, schema.aliases)
        return last[2]


def _disputes(opinions: Mapping[str, Opinions], aliases: Mapping[int, int]) -> list[Dispute]:
    found = []
    for item_id in sorted(opinions):
        said = tuple(one for one in judgements_of(opinions[item_id]) if one.decides)
        labels = (one.standing.label_id for one in said)
        if len({None if label_id is None else aliases.get(label_id, label_id) for label_id in labels}) > 1:
            found.append(Dispute(item_id, said, review_of(opinions[item_id])))
    return found
