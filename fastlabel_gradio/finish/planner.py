"""Planner: what could be accepted of a pool now, by the newest head, at every promise that can be chosen."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from fastlabel_gradio.finish.campaign import Ranking, Terms, ranked
from fastlabel_gradio.finish.plan import LEAST_ITEMS, STEPS, Fit, Plan, best_below, plan
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
    """

    rows: Rows
    label_ids: np.ndarray
    confidences: np.ndarray
    errors: Errors
    head_version: int
    unlabeled: int
    reserved: int

    @staticmethod
    def of(
        rows: Rows,
        label_ids: np.ndarray,
        confidences: np.ndarray,
        fit: Fit,
        head_version: int,
        unlabeled: int,
        reserved: int,
    ) -> "Candidates":
        """With the errors that a fit foresees."""
        errors = 1 - fit.chances(confidences)
        return Candidates(rows, label_ids, confidences, errors, head_version, unlabeled, reserved)


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
        below: the best promise below that can be kept; None where the wanted one can, and where there is none.
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


def nothing_planned(why: str, pool: int, reserved: int = 0) -> PlanReport:
    """The report where there is nothing to plan with, or nothing to plan for."""
    return PlanReport(0.0, 0, 0, 0, pool, reserved, None, (), (), (), (line(why),))


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
    total = Plan(precision, sum(one.items for one in chosen.values()), sum(one.checks for one in chosen.values()))
    below = None if total.items else best_below(errors, precision, alpha)
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
        _at_each_step(errors, alpha),
        tuple(ClassPlan(id_, len(its), acceptable[id_], _at_each_step(its, alpha)) for id_, its in of_class.items()),
        tuple((label_id, one.items) for label_id, one in chosen.items()),
        _lines(total, below, found, len(chosen) if per_class else 0, len(schema)),
    )


def _at_each_step(errors: Errors, alpha: float) -> tuple[Plan, ...]:
    return tuple(plan(errors, step, alpha) for step in STEPS)


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


def _lines(total: Plan, below: Plan | None, found: Candidates, parts: int, classes: int) -> tuple[Line, ...]:
    wanted = percent(total.precision)
    least = int(max(LEAST_ITEMS, one_look_checks(total.precision) / 2))
    if not total.items and below is None:
        return (line("plan_none", least=LEAST_ITEMS, lowest=percent(STEPS[0])),)
    if below is not None:
        figures = {"lower": percent(below.precision), "items": below.items, "checks": below.checks}
        return (line("plan_lower", least=least, percent=wanted, **figures),)
    if not total.is_worth_it:
        return (line("plan_small", items=total.items, checks=total.checks),)
    figures = {"items": total.items, "pool": found.unlabeled, "checks": total.checks, "minutes": total.minutes}
    first = (
        line("plan_classes", percent=wanted, parts=parts, classes=classes, **figures)
        if parts
        else line("plan", percent=wanted, **figures)
    )
    return (first, line("kept", kept=found.reserved)) if found.reserved else (first,)
