"""Planner: what could be accepted of a pool now, by the newest head, at every promise that can be chosen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from fastlabel_gradio.finish.campaign import Ranking, Terms, ranked
from fastlabel_gradio.finish.plan import (
    LEAST_ITEMS,
    STEPS,
    Fit,
    Plan,
    all_together,
    at_each_step,
    best_below,
    plan,
)
from fastlabel_gradio.finish.proof import one_look_checks
from fastlabel_gradio.finish.words import Line, line, percent
from fastlabel_gradio.types import LabelSchema, Rows

Errors = Float64[np.ndarray, " items"]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Unlabeled items that may be accepted, with what the head says of each.

    Attributes:
        label_ids: of the most probable class.
        errors: how likely that is wrong, as fitted.
        unlabeled: items of the pool without a label, those that may not be accepted among them.
        reserved: of these, random items that no head is trained on, to test it.
        held: of the others, those in somebody's batch or screen: they may not be accepted now.
    """

    rows: Rows
    label_ids: np.ndarray
    confidences: np.ndarray
    errors: Errors
    head_version: int
    unlabeled: int
    reserved: int
    held: int = 0

    @staticmethod
    def of(
        rows: Rows,
        label_ids: np.ndarray,
        confidences: np.ndarray,
        fit: Fit,
        head_version: int,
        unlabeled: int,
        reserved: int,
        held: int,
    ) -> "Candidates":
        """With the errors that a fit foresees."""
        errors = 1 - fit.chances(confidences)
        return Candidates(rows, label_ids, confidences, errors, head_version, unlabeled, reserved, held)


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """One predicted class: its unlabeled items, and a plan for it alone at each of STEPS."""

    label_id: int
    unlabeled: int
    items: int
    curve: tuple[Plan, ...]


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What a promise probably takes.

    Attributes:
        items, checks: of the plan; 0 where there is none.
        below: the best promise below that can be kept, of each class where that is wanted; None where the wanted one can,
            and where there is none.
        curve: the plan at each of STEPS.
        classes: the classes that the head predicts; `items` says how many of each the plan has.
        sizes: of the set of each part: of label None, or of the classes.
    """

    precision: float
    items: int
    checks: int
    minutes: int
    pool: int
    reserved: int
    below: Plan | None
    curve: tuple[Plan, ...]
    classes: tuple[ClassPlan, ...]
    sizes: tuple[tuple[int | None, int], ...]
    lines: tuple[Line, ...]

    @property
    def possible(self) -> bool:
        return self.items > 0


EMBEDDING, NO_HEAD, NO_ITEMS = "embedding", "no_head", "no_items"


def nothing_planned(why: str, pool: int, reserved: int = 0, held: int = 0) -> PlanReport:
    """The report where there is nothing to plan with, or nothing to plan for."""
    return PlanReport(0.0, 0, 0, 0, pool, reserved, None, (), (), (), (line(why), *_left_out(held)))


def plan_report(
    found: Candidates, precision: float, alpha: float, schema: LabelSchema, *, per_class: bool
) -> PlanReport:
    """The plan for a promise, of all items together or of each predicted class.

    Args:
        schema: the classes of now; the head predicts some of them.
    """
    order = np.argsort(found.errors, kind="stable")
    errors, label_ids = found.errors[order], found.label_ids[order]
    whole = plan(errors, precision, alpha)
    of_class = {label_id: errors[label_ids == label_id] for label_id in np.unique(label_ids).tolist()}
    own = {label_id: plan(its, precision, alpha) for label_id, its in of_class.items()}
    sets: dict[int | None, Plan] = {**own} if per_class else {None: whole}
    chosen = {label_id: one for label_id, one in sets.items() if one.items}
    total = all_together(list(chosen.values()), precision)
    curve = at_each_step(errors, alpha)
    curves = {label_id: at_each_step(its, alpha) for label_id, its in of_class.items()}
    below = None if total.items else best_below(list(curves.values()) if per_class else [curve], precision)
    of_whole = Counter(label_ids[: whole.items].tolist())
    acceptable = {label_id: one.items if per_class else of_whole[label_id] for label_id, one in own.items()}
    return PlanReport(
        precision,
        total.items,
        total.checks,
        total.minutes if total.items else 0,
        found.unlabeled,
        found.reserved,
        below,
        curve,
        tuple(ClassPlan(id_, len(its), acceptable[id_], curves[id_]) for id_, its in of_class.items()),
        tuple((label_id, one.items) for label_id, one in chosen.items()),
        (*_lines(total, below, found, (len(chosen), len(schema)) if per_class else None), *_left_out(found.held)),
    )


def frozen_ranking(
    found: Candidates, sizes: Sequence[tuple[int | None, int]], terms: Terms, rng: np.random.Generator
) -> tuple[Terms, Ranking]:
    """A plan's sets as they are frozen, with their parts in the terms."""
    ranking, parts = ranked(
        found.rows,
        found.label_ids.astype(np.int32),
        found.confidences.astype(np.float32),
        found.errors,
        sizes,
        rng,
    )
    return replace(terms, parts=parts), ranking


def _lines(total: Plan, below: Plan | None, found: Candidates, classes: tuple[int, int] | None) -> tuple[Line, ...]:
    """The sentences of a plan.

    Args:
        classes: where each has a promise of its own, how many do, and of how many.
    """
    if not total.items:
        return _refusal(total.precision, below, of_classes=classes is not None)
    if not total.is_worth_it:
        return (line("plan_small", items=total.items, checks=total.checks),)
    figures = {"items": total.items, "pool": found.unlabeled, "checks": total.checks, "minutes": total.minutes}
    wanted = percent(total.precision)
    first = (
        line("plan", percent=wanted, **figures)
        if classes is None
        else line("plan_classes", percent=wanted, parts=classes[0], classes=classes[1], **figures)
    )
    return (first, line("kept", kept=found.reserved)) if found.reserved else (first,)


def _left_out(held: int) -> tuple[Line, ...]:
    """That items which somebody has on the screen are not planned."""
    return (line("held", held=held),) if held else ()


def _refusal(precision: float, below: Plan | None, *, of_classes: bool) -> tuple[Line, ...]:
    """That a promise cannot be made, and what can be instead."""
    if below is None:
        key = "plan_none_classes" if of_classes else "plan_none"
        return (line(key, least=LEAST_ITEMS, lowest=percent(STEPS[0])),)
    least = int(max(LEAST_ITEMS, one_look_checks(precision) / 2))
    figures = {"lower": percent(below.precision), "items": below.items, "checks": below.checks}
    key = "plan_lower_classes" if of_classes else "plan_lower"
    first = line(key, least=least, percent=percent(precision), **figures)
    return (first,) if below.is_worth_it else (first, line("plan_not_worth"))
