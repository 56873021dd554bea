"""KnownLabels: labels that the source knows of items nobody judged yet, as of class folders, the most doubtful first.

A head is trained five times on these labels, each time without a fifth of them, and judges the ones that it did not see.
"""

import threading
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from fastlabel_gradio.explore.doubts import NOTHING_DOUBTED, Doubted, Heads, logit_margins, rivals
from fastlabel_gradio.explore.mistakes import MOST_TRAINED
from fastlabel_gradio.head import FOLDS, HeadMaker
from fastlabel_gradio.imports.given_labels import ReferenceLabels
from fastlabel_gradio.inquiry import Finding, Inquiry
from fastlabel_gradio.pool.ledger import PoolLedger
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.superseded import until
from fastlabel_gradio.types import Groups, LabelSchema, Rows, Targets

PATIENCE_S = 0.8

_State = tuple[str, int, int, tuple[int, ...], int, tuple[str, ...]]


class KnownLabels:
    """The list of one labeler. All methods may be called from any thread; the ledger has caught up.

    Args:
        known: the labels that the source knows.
    """

    def __init__(
        self,
        store: EmbeddingStore,
        ledger: PoolLedger,
        heads: Heads,
        known: ReferenceLabels,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._heads = heads
        self._known = known
        self._judging: Inquiry[None] = Inquiry(lambda tell, stop: self._judge(stop))
        self._last: tuple[_State, Doubted] | None = None

    @property
    def finding(self) -> Finding[None]:
        return self._judging.finding

    def doubted(self, schema: LabelSchema, patience_s: float = PATIENCE_S) -> Doubted:
        """Those of items of which nothing was said; judged in the background where the pool or the classes changed."""
        state = self._state(schema)
        if self._last is None or self._last[0] != state:
            self._judging.ask()
            self._judging.wait(patience_s)
        found = self._last[1] if self._last and self._last[0][3] == state[3] else NOTHING_DOUBTED
        said = self._ledger.standings().said["state"]
        known = found.rows < len(said)
        open_ = known.copy()
        open_[known] = said[found.rows[known]] == 0
        missing = 0 if self._last and self._last[0] == state else len(self._store)
        return replace(found.only(open_), missing=missing)

    def close(self) -> None:
        self._judging.close()

    # Private

    def _state(self, schema: LabelSchema) -> _State:
        """Another one where there is something else to judge."""
        space = self._store.space
        pool = space.name if space else "", len(self._store), self._store.revision
        return (*pool, schema.ids, self._known.version, schema.names)

    def _judge(self, stop: threading.Event) -> None:
        ground = self._heads.ground_of(None)
        maker, schema = ground.maker, self._ledger.training_set().schema
        state = self._state(schema)
        if maker is None or tuple(label.id for label in maker.classes) != schema.ids:
            return
        rows, targets = self._labeled(schema, stop)
        groups = self._ledger.groups_of(rows)
        vectors = np.asarray(ground.embeddings[rows]) if len(rows) else np.zeros((0, 1), dtype=np.float32)
        found = _left_out(maker, vectors, targets, groups, stop)
        if not stop.is_set():
            positions, margins, others = found
            self._last = state, Doubted(rows[positions], margins, np.array(schema.ids, dtype=np.int64)[others])

    def _labeled(self, schema: LabelSchema, stop: threading.Event) -> tuple[Rows, Rows]:
        """The rows of items of which the source knows a class that the project has, and its place in the schema."""
        in_pool = self._ledger.standings().in_pool
        places: dict[str | None, int] = {name: place for place, name in enumerate(schema.names)}
        rows, targets = [], []
        for row, item_id in self._items(stop):
            place = places.get(self._known.of(item_id, schema))
            if place is not None and row < len(in_pool) and in_pool[row]:
                rows.append(row)
                targets.append(place)
        return np.array(rows, dtype=np.int64), np.array(targets, dtype=np.int64)

    def _items(self, stop: threading.Event) -> Iterable[tuple[int, str]]:
        for block in self._store.item_blocks():
            if stop.is_set():
                return
            yield from block


def _left_out(
    maker: HeadMaker, vectors: np.ndarray, targets: Targets, groups: Groups | None, stop: threading.Event
) -> tuple[Rows, np.ndarray, np.ndarray]:
    """Positions of labels that could be left out of a training, ascending, their margins, and positions of their rivals."""
    none = np.zeros(0, dtype=np.int64)
    if len(np.unique(targets)) < 2:
        return none, np.zeros(0), none
    folds = list(range(FOLDS))
    found = maker.out_of_fold(vectors, targets, until(stop), groups, folds, len(targets), MOST_TRAINED)
    if found is None:
        return none, np.zeros(0), none
    logits, positions = found
    order = np.argsort(positions)
    targets = targets[positions]
    return positions[order], logit_margins(logits, targets)[order], rivals(logits, targets)[order]
