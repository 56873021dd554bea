"""Acceptance: which labels of a campaign can be accepted at a precision, and what is told of them once they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor
from typing import Any, NamedTuple

import numpy as np

from fastlabel_gradio.errors import FinishError
from fastlabel_gradio.finish.campaign import Campaign
from fastlabel_gradio.finish.campaign_files import Course
from fastlabel_gradio.finish.evidence import Evidence, Promise
from fastlabel_gradio.finish.report import Accepted, Others
from fastlabel_gradio.finish.tally import Answers, PartTally, by_class
from fastlabel_gradio.finish.words import floor_percent, percent
from fastlabel_gradio.types import Positions

LEAST = 0.5  # no smaller promise is told


class Provable(NamedTuple):
    """The first items of a part that keep a promise, by the checks of them."""

    part: PartTally
    items: int
    checked: int
    wrong: int
    left_open: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is accepted at once.

    Attributes:
        places: int64[items], in the ranking: the items that get their proposed label now.
        covered: how many items the promise is of; some of them have a label already, none of these another one that many
            items got at once.
        others: items of the set that do: the proof is of their proposed labels.
        left_open: of the wrong ones, those that nobody answered.
        classes: by label id: items, checks, wrong ones.
    """

    places: Positions
    covered: int
    promise: Promise
    classes: Mapping[int, tuple[int, int, int]]
    left_open: int
    others: int

    @property
    def details(self) -> dict[str, Any]:
        """As the journal tells it."""
        return {
            "items": len(self.places),
            "covered": self.covered,
            "precision": self.promise.precision,
            "checked": self.promise.checked,
            "wrong": self.promise.wrong,
            "left_open": self.left_open,
            "others": self.others,
            "classes": [[label_id, *figures] for label_id, figures in self.classes.items()],
        }


def provable(tallies: Sequence[PartTally], planned: float, precision: float | None) -> list[Provable]:
    """The parts that keep a promise: the planned one, or a smaller one."""
    if precision is None or precision == planned:
        proven = (one for one in tallies if one.proven_items)
        return [
            Provable(one, one.proven_items, one.proven_checked, one.proven_wrong, one.proven_left_open)
            for one in proven
        ]
    sure = (one for one in tallies if one.sure >= precision - 1e-9)
    return [Provable(one, one.items, one.checked, one.wrong, one.left_open) for one in sure]


def not_proven(tallies: Sequence[PartTally], precision: float) -> str:
    """Why nothing can be accepted at that precision."""
    sure = max((one.sure for one in tallies), default=0.0)
    return (
        f"{percent(precision)} % is not proven: sure so far is at least {floor_percent(sure)} %. Check more of the items, or "
        "accept them at a smaller promise."
    )


def acceptance_of(campaign: Campaign, answers: Answers, chosen: Sequence[Provable], precision: float) -> Acceptance:
    """All that is provable, but the items that somebody has labeled, or left open when asked.

    Raises:
        FinishError: most of it has other labels, which many items got at once, so nothing is promised of the rest.
    """
    others = others_among(answers, chosen, precision)
    if others.precision < LEAST:
        raise FinishError(
            f"{others.items:,} of the frozen items have another label, which many items got at once: too little can be "
            "promised of the rest. Take those labels back, or freeze another set."
        )
    checked, wrong = sum(one.checked for one in chosen), sum(one.wrong for one in chosen)
    promise = Promise(campaign.terms.number, others.precision, checked, wrong)
    classes = by_class(campaign, answers, [one.part for one in chosen])
    left_open = sum(one.left_open for one in chosen)
    covered = len(_covered(chosen)) - others.items
    return Acceptance(acceptable(answers, chosen), covered, promise, classes, left_open, others.items)


def others_among(answers: Answers, chosen: Sequence[Provable], precision: float) -> Others:
    """Items of what is provable with another label that many items got at once, and the promise of the rest.

    A promise of N labels lets (1 - precision) N of them be wrong. Without D of them, all of which may be right, as many of
    N - D may be: of each part for itself.
    """
    items, kept = 0, precision
    for one in chosen:
        others = int(answers.other[_covered([one])].sum())
        if others:
            rest = one.items - others
            items, kept = items + others, min(kept, 1 - (1 - precision) * one.items / rest) if rest else kept
    return Others(items, precision if kept == precision else max(floor((kept + 1e-9) * 1000) / 1000, 0.0))


def acceptable(answers: Answers, chosen: Sequence[Provable]) -> Positions:
    """int64[items], places in the ranking of the items of at least one part that would get their proposed label."""
    covered = _covered(chosen)
    return np.asarray(covered[~(answers.settled | answers.labeled)[covered]])


def _covered(chosen: Sequence[Provable]) -> Positions:
    return np.concatenate([np.arange(one.part.part.start, one.part.part.start + one.items) for one in chosen])


def evidence_of(course: Course, accepted: Accepted, class_names: Mapping[int, str], noun: str | None) -> Evidence:
    """The evidence for labels that stand accepted; `noun` is what items are grouped by, None without groups."""
    details = course.accepted
    assert details, "accepted labels stand, so the journal tells of them"
    promise = Promise(course.number, accepted.precision, accepted.checked, accepted.wrong)
    classes = {class_names.get(id_, ""): (n, checked, wrong) for id_, n, checked, wrong in details["classes"]}
    return Evidence(
        promise,
        details["covered"],
        accepted.items,
        accepted.at,
        accepted.by,
        accepted.head_version,
        classes,
        _in_words(promise, accepted.left_open, details["covered"], noun, of_classes=len(course.sizes) > 1),
    )


def _in_words(promise: Promise, left_open: int, items: int, noun: str | None, *, of_classes: bool) -> str:
    each, confidence = (" of each class", " a class") if of_classes else ("", "")
    unanswered = f", {left_open:,} were left open, which counts as wrong" if left_open else ""
    text = (
        f"Of {items:,} labels proposed by the head at least {percent(promise.precision)} %{each} are right (95 % confidence"
        f"{confidence}): {promise.checked:,} random ones were checked, {promise.wrong - left_open:,} were wrong and are "
        f"corrected{unanswered}. It holds for these items, by the judgement of who checked them."
    )
    return text if noun is None else f"{text} It says nothing of new {noun}."
