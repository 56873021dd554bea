"""Second opinions: which labeled items another person is asked about, blind, and which of them somebody holds.

An item's id alone decides whether it is drawn, so that a restart and every process ask about the same ones.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from hashlib import blake2b

from fastlabel_gradio.labels import judgements_of, may_be_asked, waits_for_second
from fastlabel_gradio.opinions.followed import FollowedOpinions
from fastlabel_gradio.pool.ledger import PoolLedger

CATCHING_UP = 2.0  # times their share: of a batch so many at most are second opinions, while there are others


def drawn_by(project: str, item_id: str) -> float:
    """Where an item is in the order of drawing, evenly from 0 to 1: it is drawn where this is below its share."""
    digest = blake2b(f"{project}\0{item_id}".encode(), digest_size=8, person=b"second").digest()
    return float(int.from_bytes(digest)) / 2**64


def shares_of(share: float, audit_share: float) -> tuple[float, float]:
    """The share that is drawn of labeled items of the audit, and of others: `share` in all, the audit's first.

    With 5 % of all and an audit of 10 % half of the audit is drawn and nothing else: it is a random sample, and every
    measured accuracy hangs on its labels. Without an audit all items are alike.
    """
    if not audit_share:
        return share, share
    return min(1.0, share / audit_share), max(0.0, (share - audit_share) / (1 - audit_share))


def may_be_drawn(project: str, share: float, audit_share: float) -> Callable[[str], bool]:
    """Whether an item is drawn where it is of the audit, or not: which of both it is need not be known yet."""
    most = max(shares_of(share, audit_share))
    return lambda item_id: most > 0 and drawn_by(project, item_id) < most


@dataclass(frozen=True, slots=True)
class SecondOpinionCounts:
    """How many items a second person judged, how many are drawn and wait for one, and how many of these for one person."""

    given: int
    waiting: int
    for_annotator: int


class SecondOpinions:
    """The second opinions of one project. All methods may be called from any thread.

    Args:
        project: the same items are drawn wherever it has the same name.
        share: of the labeled items, 0 to 1.
        audit_share: that of the pool which is kept for the audit.
    """

    def __init__(
        self, followed: FollowedOpinions, ledger: PoolLedger, project: str, share: float, audit_share: float
    ) -> None:
        self._followed = followed
        self._ledger = ledger
        self._project = project
        self._of_audit, self._of_others = shares_of(share, audit_share)
        self.share = share

    def due(self, annotator: str, most: int) -> list[str]:
        """Items to ask the annotator about, the audit's first, then in the order of drawing; none that somebody holds."""
        if not self.share or not most:
            return []
        _, opinions = self._followed.look()
        drawn = self._drawn(item_id for item_id, one in opinions.items() if may_be_asked(one, annotator))
        return sorted(drawn, key=drawn.__getitem__)[:most]

    def wanted(self, size: int, chance: float) -> int:
        """How many of a batch of that size are second opinions, where so many are due.

        Args:
            chance: 0 to 1, at random: what is left of a whole number is rounded by it.
        """
        return min(size, int(CATCHING_UP * self.share * size + chance))

    def held_by(self, annotator: str) -> frozenset[str]:
        """Items that the annotator was asked about and has not answered: of these they shall see nothing that was said."""
        return frozenset(self._ledger.judged_among(claim.item_id for claim in self._ledger.held.of(annotator)))

    def may_come_to(self, annotator: str) -> frozenset[str]:
        """Items that the annotator may be asked about, now or once whoever is asked now gives them back."""
        if not self.share:
            return frozenset()
        _, opinions = self._followed.look()
        asked = (item_id for item_id, one in opinions.items() if may_be_asked(one, annotator))
        return frozenset(self._drawn(asked, held_too=True))

    def among(self, item_ids: Collection[str]) -> set[str]:
        """Those of a batch's items that somebody labeled already."""
        return self._ledger.judged_among(item_ids)

    def counts(self, annotator: str) -> SecondOpinionCounts:
        """As of now."""
        if not self.share:
            return SecondOpinionCounts(0, 0, 0)
        _, opinions = self._followed.look()
        waiting = self._drawn(item_id for item_id, one in opinions.items() if waits_for_second(one))
        mine = sum(may_be_asked(opinions[item_id], annotator) for item_id in waiting)
        given = sum(sum(said.decides for said in judgements_of(one)) > 1 for one in opinions.values())
        return SecondOpinionCounts(given, len(waiting), mine)

    # Private

    def _drawn(self, item_ids: Iterable[str], *, held_too: bool = False) -> dict[str, tuple[bool, float]]:
        """Those that are drawn, each with its place in the order of asking."""
        found = {}
        for item_id, is_audited in self._ledger.judged(item_ids, held_too=held_too).items():
            place = drawn_by(self._project, item_id)
            if place < (self._of_audit if is_audited else self._of_others):
                found[item_id] = (not is_audited, place)
        return found
