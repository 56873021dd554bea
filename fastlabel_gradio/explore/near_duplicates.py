"""Near-duplicates: items that are almost the same to the encoder and carry different labels. One of the two is wrong."""

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.explore.doubts import NOTHING_DOUBTED, Doubted, Heads
from fastlabel_gradio.inquiry import Finding, Inquiry
from fastlabel_gradio.pool.ledger import PoolLedger
from fastlabel_gradio.pool.standings import LabeledSet
from fastlabel_gradio.types import Embeddings, Rows

ALIKE = 0.99  # the cosine of two near-duplicates is above
BLOCK = 2_048
MOST_PAIRS = 100_000  # that are kept, the most alike ones
PATIENCE_S = 0.8

Pairs = Int64[np.ndarray, "pairs 2"]


def conflicting_pairs(
    vectors: Embeddings, targets: Rows, is_stopped: Callable[[], bool] = lambda: False
) -> tuple[Pairs, Float32[np.ndarray, " pairs"]]:
    """Positions of two items each whose cosine is above 0.99 and whose labels differ, and the cosines; the largest first.

    Every pair is looked at, in blocks of 2,048 x 2,048; of more than 100,000 pairs the most alike ones are given.

    Args:
        vectors: of length 1.
        is_stopped: asked between blocks; what was found by then is given.
    """
    pairs, cosines = [np.zeros((0, 2), dtype=np.int64)], [np.zeros(0, dtype=np.float32)]
    for first in range(0, len(vectors), BLOCK):
        for second in range(first, len(vectors), BLOCK):
            if is_stopped():
                break
            found, alike = _of_blocks(vectors, targets, first, second)
            pairs.append(found)
            cosines.append(alike)
        if sum(map(len, cosines)) > 2 * MOST_PAIRS:
            best = _most_alike(np.concatenate(pairs), np.concatenate(cosines))
            pairs, cosines = [best[0]], [best[1]]
    return _most_alike(np.concatenate(pairs), np.concatenate(cosines))


def _of_blocks(
    vectors: Embeddings, targets: Rows, first: int, second: int
) -> tuple[Pairs, Float32[np.ndarray, " pairs"]]:
    left, right = slice(first, first + BLOCK), slice(second, second + BLOCK)
    products = vectors[left] @ vectors[right].T
    above = products > ALIKE
    if first == second:
        above = np.triu(above, 1)
    places = np.argwhere(above)
    places = places[targets[left][places[:, 0]] != targets[right][places[:, 1]]]
    cosines = products[places[:, 0], places[:, 1]].astype(np.float32)
    return places.astype(np.int64) + np.array([first, second]), cosines


def _most_alike(
    pairs: Pairs, cosines: Float32[np.ndarray, " pairs"]
) -> tuple[Int64[np.ndarray, "most_alike 2"], Float32[np.ndarray, " most_alike"]]:
    order = np.lexsort((pairs[:, 1], pairs[:, 0], -cosines))[:MOST_PAIRS]
    return pairs[order], cosines[order]


class NearDuplicates:
    """The labeled near-duplicates of one labeler that carry different labels, both of a pair side by side.

    All methods may be called from any thread; the ledger has caught up.
    """

    def __init__(self, ledger: PoolLedger, heads: Heads) -> None:
        self._ledger = ledger
        self._heads = heads
        self._comparing: Inquiry[None] = Inquiry(lambda tell, stop: self._compare(stop))
        self._last: tuple[tuple[LabeledSet, LabeledSet], Doubted] | None = None

    @property
    def finding(self) -> Finding[None]:
        return self._comparing.finding

    def doubted(self, patience_s: float = PATIENCE_S) -> Doubted:
        """What is known; looks again in the background where labels changed, and waits a moment for that."""
        if not self._is_known():
            self._comparing.ask()
            self._comparing.wait(patience_s)
        found = self._last[1] if self._last else NOTHING_DOUBTED
        return found if self._is_known() else replace(found, missing=self._count())

    def close(self) -> None:
        self._comparing.close()

    # Private

    def _labeled(self) -> tuple[LabeledSet, LabeledSet]:
        return self._ledger.training_set(), self._ledger.audit_set()

    def _count(self) -> int:
        return sum(len(one.rows) for one in self._labeled())

    def _is_known(self) -> bool:
        return self._last is not None and all(
            one is other for one, other in zip(self._last[0], self._labeled(), strict=True)
        )

    def _compare(self, stop: threading.Event) -> None:
        labeled = self._labeled()
        rows = np.concatenate([one.rows for one in labeled])
        targets = np.concatenate([one.targets for one in labeled])
        embeddings = self._heads.ground_of(None).embeddings
        if not len(embeddings):
            return
        pairs, _ = conflicting_pairs(np.asarray(embeddings[rows]), targets, stop.is_set)
        if not stop.is_set():
            places = _side_by_side(pairs)
            self._last = (
                labeled,
                Doubted(rows[places], np.arange(len(places), dtype=np.float64), np.full(len(places), -1)),
            )


def _side_by_side(pairs: Pairs) -> Rows:
    """Each item once, where the most alike pair that it is of stands."""
    flat = pairs.ravel()
    _, first = np.unique(flat, return_index=True)
    return np.asarray(flat[np.sort(first)])
