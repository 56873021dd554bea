"""The plan: what it fits, how large a set it dares, and what it says where nothing fits."""

import numpy as np
import pytest

from fastlabel_gradio.finish.plan import Fit, at_each_step, best_below, fit_right, plan
from fastlabel_gradio.finish.planner import Candidates, plan_report
from fastlabel_gradio.finish.proof import one_look_checks
from fastlabel_gradio.types import Label, LabelSchema
from tests.cases import each


def test_without_labels_the_confidence_is_believed() -> None:
    none = np.zeros(0)
    fit = fit_right(none.astype(np.float32), none.astype(bool), none)
    assert (fit.offset, fit.slope) == pytest.approx((0, 1))
    confidences = np.array([0.2, 0.5, 0.99], dtype=np.float32)
    assert Fit().chances(confidences) == pytest.approx(confidences)


def test_the_fit_finds_how_sure_a_head_may_be() -> None:
    rng = np.random.default_rng(0)
    confidences = rng.uniform(0.3, 0.99, 4_000).astype(np.float32)
    logits = np.log(confidences / (1 - confidences))
    right = rng.random(4_000) < 1 / (1 + np.exp(-(-0.5 + 0.7 * logits)))
    fit = fit_right(confidences, right, np.ones(4_000))
    assert (fit.offset, fit.slope) == pytest.approx((-0.5, 0.7), abs=0.1)
    weak = fit_right(confidences[:8], right[:8], np.full(8, 0.5))
    assert abs(weak.slope - 1) < 0.6  # a few labels move it little


@each("all_right", [True, False])
def test_one_sided_labels_give_a_fit_all_the_same(all_right: bool) -> None:
    confidences = np.full(200, 0.999999, dtype=np.float32)
    fit = fit_right(confidences, np.full(200, all_right), np.ones(200))
    chances = fit.chances(np.array([0.9, 1.0], dtype=np.float32))
    assert np.isfinite(chances).all()
    assert (chances[1] > 0.9) == all_right


def test_the_largest_set_within_the_budget_is_planned() -> None:
    errors = np.concatenate([np.zeros(1_000), np.full(1_000, 0.5)])
    found = plan(errors, 0.95, 0.04)
    share = float(errors[: found.items].mean())
    assert 1_000 < found.items < 1_111  # 50 of 1,050 were 4.8 %: no budget proves that
    assert 0 < share < 0.05
    assert found.checks < 4 * one_look_checks(0.95)
    assert plan(errors, 0.9, 0.04).items > found.items > plan(errors, 0.99, 0.04).items


def test_a_clean_pool_is_planned_whole_with_the_fewest_checks() -> None:
    assert plan(np.zeros(300), 0.98, 0.05).items == 300
    assert plan(np.zeros(300), 0.98, 0.05).checks == 116


def test_too_few_items_are_no_plan() -> None:
    assert plan(np.zeros(49), 0.9, 0.04).items == 0
    assert plan(np.zeros(50), 0.9, 0.04).items == 50
    assert plan(np.zeros(74), 0.98, 0.04).items == 0
    assert plan(np.zeros(0), 0.9, 0.04).items == 0


def test_a_plan_says_whether_it_saves_work() -> None:
    assert not plan(np.zeros(100), 0.98, 0.04).is_worth_it
    assert plan(np.zeros(1_000), 0.98, 0.04).is_worth_it


def test_where_nothing_fits_the_best_promise_that_does_is_found() -> None:
    errors = np.full(500, 0.03)
    assert plan(errors, 0.98, 0.04).items == 0
    below = best_below([at_each_step(errors, 0.04)], 0.98)
    assert below is not None
    assert (below.precision, below.items) == (0.86, 500)  # at 0.9 it would take more checks than the budget has
    assert best_below([at_each_step(np.full(500, 0.4), 0.04)], 0.98) is None


def test_where_nothing_fits_a_promise_that_saves_work_goes_before_a_larger_one() -> None:
    errors = np.concatenate([np.zeros(60), np.full(600, 0.12)])  # 60 of which most would be checked
    curve = at_each_step(errors, 0.04)
    largest = next(one for one in reversed(curve) if one.items)
    assert not largest.is_worth_it
    below = best_below([curve], 0.99)
    assert below is not None
    assert below.is_worth_it
    assert below.precision < largest.precision
    few = at_each_step(np.zeros(52), 1e-12)
    assert best_below([few], 0.99) == next(one for one in reversed(few) if one.items)  # none saves work


def _candidates(errors: np.ndarray, label_ids: np.ndarray) -> Candidates:
    sure = (1 - errors).astype(np.float32)
    return Candidates(np.arange(len(errors)), label_ids, sure, errors, 1, len(errors), 0)


SCHEMA = LabelSchema(tuple(Label(place, name) for place, name in enumerate(("red", "green", "blue"))))


def test_what_fits_instead_of_a_promise_for_each_class_is_one_for_each_class() -> None:
    """All together more would fit than each class has by itself."""
    found = _candidates(np.full(180, 0.002), np.repeat([0, 1, 2], 60))
    by_class = plan_report(found, 0.99, 0.04, SCHEMA, per_class=True)
    whole = plan_report(found, 0.99, 0.04, SCHEMA, per_class=False)
    assert not by_class.possible
    assert whole.possible
    assert by_class.below is not None
    again = plan_report(found, by_class.below.precision, 0.04, SCHEMA, per_class=True)
    assert again.possible
    assert (again.items, again.checks) == (by_class.below.items, by_class.below.checks)
    assert by_class.lines[0].key == "plan_lower_classes"
    nothing = plan_report(_candidates(np.full(90, 0.02), np.repeat([0, 1, 2], 30)), 0.99, 0.04, SCHEMA, per_class=True)
    assert (nothing.below, nothing.lines[0].key) == (None, "plan_none_classes")


def test_a_smaller_promise_that_saves_no_work_is_not_advised() -> None:
    few = _candidates(np.zeros(52), np.zeros(52, dtype=int))
    told = plan_report(few, 0.99, 1e-12, SCHEMA, per_class=False)
    assert [one.key for one in told.lines] == ["plan_lower", "plan_not_worth"]
