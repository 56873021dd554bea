"""The plan: what it fits, how large a set it dares, and what it says where nothing fits."""

import numpy as np
import pytest

from fastlabel_gradio.finish.plan import Fit, best_below, fit_right, plan
from fastlabel_gradio.finish.proof import one_look_checks
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
    below = best_below(errors, 0.98, 0.04)
    assert below is not None
    assert (below.precision, below.items) == (0.86, 500)  # at 0.9 it would take more checks than the budget has
    assert best_below(np.full(500, 0.4), 0.98, 0.04) is None
