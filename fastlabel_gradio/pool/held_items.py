"""HeldItems: which items are in somebody's batch, by whom and until when, in memory. The claims are the label store's own."""

from collections.abc import Iterable, KeysView
from contextlib import AbstractContextManager
from dataclasses import replace

from fastlabel_gradio.labels import Claim, has_run_out


class HeldItems:
    """Those of one pool. All methods may be called from any thread; the ledger changes them together with what is free.

    Args:
        lock: the ledger's, which the thread that has it may take again.
    """

    def __init__(self, lock: AbstractContextManager[bool]) -> None:
        self._lock = lock
        self._claims: dict[str, Claim] = {}

    def __contains__(self, item_id: str) -> bool:
        return item_id in self._claims

    def __len__(self) -> int:
        return len(self._claims)

    def of(self, annotator: str) -> list[Claim]:
        """What the annotator holds."""
        with self._lock:
            return [claim for claim in self._claims.values() if claim.annotator == annotator]

    def count_of_others(self, annotator: str) -> int:
        """How many items other annotators hold."""
        with self._lock:
            return sum(claim.annotator != annotator for claim in self._claims.values())

    @property
    def holders(self) -> int:
        """How many annotators hold items."""
        with self._lock:
            return len({claim.annotator for claim in self._claims.values()})

    # For the ledger, which has the lock

    @property
    def item_ids(self) -> KeysView[str]:
        return self._claims.keys()

    def take(self, claims: Iterable[Claim]) -> None:
        """Adds claims; another one on the same item ends."""
        self._claims.update((claim.item_id, claim) for claim in claims)

    def replace(self, claims: Iterable[Claim]) -> set[str]:
        """Takes over the label store's claims; returns the items that are held now and were not, or the other way round."""
        before = self._claims
        self._claims = {claim.item_id: claim for claim in claims}
        return before.keys() ^ self._claims.keys()

    def renew(self, batch_id: str, expires_at: float) -> None:
        claims = [claim for claim in self._claims.values() if claim.batch_id == batch_id]
        self.take(replace(claim, expires_at=expires_at) for claim in claims)

    def let_go(self, item_ids: Iterable[str]) -> None:
        for item_id in item_ids:
            self._claims.pop(item_id, None)

    def run_out(self, now: float, claim_s: float) -> list[str]:
        """Items whose claims have run out, and those held for longer than a claim lasts: the clock went back."""
        return [item_id for item_id, claim in self._claims.items() if has_run_out(claim.expires_at, now, claim_s)]
