"""Tally: what the answers of people say of a campaign so far. Pure; the answers are the labels that stand of its items."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64

from fastlabel_gradio.finish.campaign import Campaign, Part
from fastlabel_gradio.finish.proof import (
    checks_needed,
    is_futile,
    proven_after,
    proven_precision,
)
from fastlabel_gradio.pool.standings import SOURCES, STATES, Standings
from fastlabel_gradio.types import State

PartState = Literal["checking", "proven", "futile"]

# As in SAID: sources of labels that many items got at once, or may have got so.
BULK = tuple(n for n, source in enumerate(SOURCES, 1) if source not in ("person", "auto"))
_PERSON = SOURCES.index("person") + 1
_REVIEW = SOURCES.index("review") + 1
_LABEL = STATES.index(State.LABEL) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What people said of each item of a ranking.

    Attributes:
        told: somebody judged it, by itself: no label that many items got at once.
        wrong: judged, and not by the proposed label; left open where it was checked; or no more to be checked.
        labeled: a label, or a state in place of one, stands, however it was given.
        other: of these, one that many items got at once and that is not the proposed label.
        settled: told or wrong.
    """

    told: Bool[np.ndarray, " items"]
    wrong: Bool[np.ndarray, " items"]
    labeled: Bool[np.ndarray, " items"]
    other: Bool[np.ndarray, " items"]

    @property
    def settled(self) -> Bool[np.ndarray, " items"]:
        return np.asarray(self.told | self.wrong)


@dataclass(frozen=True, slots=True, eq=False)
class PartTally:
    """How a part stands.

    Attributes:
        items: of the set that is checked now.
        checked, wrong: of its items in the order of the draw up to the first one that is not settled, and so the evidence.
        sure: the precision that they prove.
        more: checks until the promise is proven if all are right; 0 where it is.
        proven_items: of the largest set that is proven; 0 for none.
        proven_checked, proven_wrong: the evidence for that.
        unproven_items: of the larger set that turned out not to be provable; 0 for none.
        left_open, proven_left_open: of the wrong ones, and of those in the evidence for what is proven, those that nobody
            answered: they were left open, or left the pool, and are not corrected.
    """

    part: Part
    state: PartState
    items: int
    checked: int
    wrong: int
    sure: float
    more: int
    proven_items: int
    proven_checked: int
    proven_wrong: int
    unproven_items: int = 0
    left_open: int = 0
    proven_left_open: int = 0


def answers_of(
    campaign: Campaign,
    standings: Standings,
    open_rows: Collection[int],
    reviewed_rows: Collection[int],
    aliases: Mapping[int, int],
) -> Answers:
    """The answers to a campaign, as of now.

    Of labels that stand, those that a person gave one by one are answers. What was let pass, accepted in a group, given to
    all that a search found, or imported, is none: such an item is checked like any other.

    Args:
        open_rows: rows, as frozen, of checks that were left open.
        reviewed_rows: rows, as frozen, of checks that were answered over such a label. Another review may be of many items.
        aliases: of classes that were merged since, the class that they are part of.
    """
    rows, proposed = campaign.rows, campaign.ranking.label_ids.astype(np.int64)
    known = (rows >= 0) & (rows < len(standings.in_pool))
    places = np.where(known, rows, 0)
    said = standings.said[places] if len(standings.said) else np.zeros(len(rows), dtype=standings.said.dtype)
    labeled = known & (said["state"] > 0)
    is_reviewed = (said["source"] == _REVIEW) & _among(campaign, reviewed_rows)
    told = labeled & ((said["source"] == _PERSON) | is_reviewed)
    given = said["label"].astype(np.int64)
    for merged, target in aliases.items():
        proposed[proposed == merged], given[given == merged] = target, target
    gone = ~known if not len(standings.in_pool) else ~known | ~standings.in_pool[places]
    differs = labeled & ((said["state"] != _LABEL) | (given != proposed))
    wrong = (differs & told) | (~told & (gone | _among(campaign, open_rows)))
    return Answers(told, wrong, labeled, differs & ~told)


def tally(campaign: Campaign, answers: Answers, part: Part, sizes: Sequence[int]) -> PartTally:
    """How a part stands, of which these sets were proposed, each larger than the one before it.

    A set is judged once the one before is proven (fixed sequence: Maurer, Hothorn & Lehmacher 1995), so no evidence is spent
    on choosing among them. A larger one that turns out not to be provable leaves the one before it as it is.
    """
    proven, proven_open, terms = (0, 0, 0), 0, campaign.terms
    for items in sizes:
        drawn, wrong = _checks(campaign, answers, part, items)
        after = proven_after(items, wrong, terms.precision, terms.alpha)
        if after is None:
            break
        proven = (items, after, int(wrong[:after].sum()))
        proven_open = int((~answers.told[drawn[:after]]).sum())
    state, unproven = _state(items, wrong, campaign, proven[0]), 0
    if state == "proven" and items > proven[0]:
        items, unproven = proven[0], items
        drawn, wrong = _checks(campaign, answers, part, items)
    checked, found = len(wrong), int(wrong.sum())
    opened = int((~answers.told[drawn[:checked]]).sum()), proven_open
    sure = proven_precision(items, checked, found, terms.precision, terms.alpha)
    if state == "proven":
        return PartTally(part, state, items, checked, found, max(sure, terms.precision), 0, *proven, unproven, *opened)
    needed = checks_needed(items, found, terms.precision, terms.alpha)
    more = int((~answers.settled[drawn[:needed]]).sum())
    return PartTally(part, state, items, checked, found, sure, more, *proven, 0, *opened)


def by_class(campaign: Campaign, answers: Answers, tallies: Sequence[PartTally]) -> dict[int, tuple[int, int, int]]:
    """By the id of the proposed label: items, checks and wrong ones of the sets that are checked now."""
    found: dict[int, tuple[int, int, int]] = {}
    for one in tallies:
        drawn = campaign.order(one.part, one.items)
        labels, checked = campaign.ranking.label_ids[drawn], np.arange(len(drawn)) < one.checked
        wrong = checked & answers.wrong[drawn]
        for label_id in np.unique(labels).tolist():
            its = labels == label_id
            figures = (int(its.sum()), int((its & checked).sum()), int((its & wrong).sum()))
            before = found.get(label_id, (0, 0, 0))
            found[label_id] = (before[0] + figures[0], before[1] + figures[1], before[2] + figures[2])
    return found


def _among(campaign: Campaign, rows: Collection[int]) -> Bool[np.ndarray, " items"]:
    return np.asarray(np.isin(campaign.ranking.rows, np.array(sorted(rows), dtype=np.int64)))


def _checks(
    campaign: Campaign, answers: Answers, part: Part, items: int
) -> tuple[Int64[np.ndarray, " drawn"], Bool[np.ndarray, " checks"]]:
    """The order of a set, and whether each item up to the first that is not settled is wrong."""
    drawn = campaign.order(part, items)
    unsettled = np.flatnonzero(~answers.settled[drawn])
    checked = int(unsettled[0]) if len(unsettled) else len(drawn)
    return drawn, answers.wrong[drawn[:checked]]


def _state(items: int, wrong: Bool[np.ndarray, " checks"], campaign: Campaign, proven_items: int) -> PartState:
    """Where a larger set turned out not to be provable the part is proven as it was."""
    if proven_items == items:
        return "proven"
    if is_futile(items, len(wrong), int(wrong.sum()), campaign.terms.precision, campaign.terms.alpha):
        return "proven" if proven_items else "futile"
    return "checking"
