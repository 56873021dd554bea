"""Whether another encoder takes over from the one in use: by the labels that people gave so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from fastlabel_gradio.comparison.judgement import MOST_JUDGED, Judgement, LabeledItems, difference, judge
from fastlabel_gradio.config import LoopSettings
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.errors import TooFewLabelsError
from fastlabel_gradio.loop.head_makers import head_maker
from fastlabel_gradio.pool.encoder_change import Verdict
from fastlabel_gradio.pool.space import EmbeddingSpace
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.pool.successor import Successor
from fastlabel_gradio.types import LabelSchema, Rows

STOPPED = Verdict(False, "stopped")


@dataclass(frozen=True, slots=True)
class EncoderJudge:
    """Compares the encoder in use with its successor, out of fold.

    Attributes:
        taught: gives by item the position of its class in the schema, and that schema, as they are then
            (`LabelStore.taught`).
        is_forced: the successor takes over whatever they say.
    """

    store: EmbeddingStore
    settings: LoopSettings
    taught: Callable[[], tuple[Mapping[str, int], LabelSchema]]
    is_forced: bool
    device: str = "cpu"

    def __call__(self, in_use: Encoder, other: Encoder, successor: Successor, stops: Callable[[], bool]) -> Verdict:
        """The other one takes over where it gets at least as many right, and where labels are too few to tell."""
        places, schema = self.taught()
        rows, labeled = self._labeled(successor, places)
        try:
            before = self._judged(in_use, successor.in_use, schema, rows, labeled, stops)
            after = self._judged(other, successor.space, schema, rows, labeled, stops)
        except TooFewLabelsError as error:
            return Verdict(True, f"it cannot be compared with {in_use.name} yet ({error})")
        if before is None or after is None:
            return STOPPED
        is_better = after.accuracy >= before.accuracy
        why = f"{_compared(in_use.name, before, after, labeled)}{' (it was asked for in any case)' if self.is_forced else ''}"
        return Verdict(is_better or self.is_forced, why)

    def _labeled(self, successor: Successor, places: Mapping[str, int]) -> tuple[Rows, LabeledItems]:
        """Labeled rows that have a vector of both encoders, by id, at most 2,000 of them, with what they are labeled."""
        row_of = dict(sorted(self.store.rows_of(list(places)).items()))
        place_of = {row: places[item_id] for item_id, row in row_of.items()}
        rows = np.array([row for row in place_of if row < len(successor.space)], dtype=np.int64)
        rows = rows[np.abs(successor.space.embeddings[rows]).max(axis=1, initial=0) > 0]
        rng = np.random.default_rng(self.settings.seed)
        rows = rows[np.sort(rng.choice(len(rows), min(MOST_JUDGED, len(rows)), replace=False))]
        groups = self.store.group_keys(0, len(self.store))[rows] if self.store.groups.rule else None
        targets = np.array([place_of[int(row)] for row in rows], dtype=np.int64)
        return rows, LabeledItems(targets, groups, self.settings.seed)

    def _judged(
        self,
        encoder: Encoder,
        space: EmbeddingSpace,
        schema: LabelSchema,
        rows: Rows,
        labeled: LabeledItems,
        stops: Callable[[], bool],
    ) -> Judgement | None:
        maker, _ = head_maker(encoder, schema, space, self.settings, device=self.device)
        return judge(np.asarray(space.embeddings[rows]), labeled, maker, stops)


def _compared(name: str, before: Judgement, after: Judgement, labeled: LabeledItems) -> str:
    found = difference(before, after, labeled)
    low, high = 100 * found.low, 100 * found.high
    return (
        f"{100 * after.accuracy:.1f} % of {len(after.judged):,} labels out of fold against {100 * before.accuracy:.1f} with "
        f"{name} ({100 * found.change:+.1f} points, {low:.1f} to {high:.1f})"
    )
