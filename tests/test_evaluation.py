"""Intervals and learning curves, checked by counting rather than by the formula again."""

import numpy as np
import pytest

from fastlabel_gradio.head.evaluation import (
    AuditReport,
    Gain,
    advise,
    area_under_curve,
    audit,
    bootstrap_interval,
    cohen_kappa,
    effective_size,
    expected_calibration_error,
    gain,
    labels_compared,
    labels_to_reach,
    mean_interval,
    wilson_interval,
)
from tests.cases import each


@each(
    "successes, trials, low, high",
    [(45, 50, 0.786, 0.957), (180, 200, 0.851, 0.934), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (1, 1, 0.207, 1.0)],
)
def test_the_wilson_interval_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=0.001)


@each("successes, trials", [(0, 0), (3, 2), (-1, 5)])
def test_a_share_of_nothing_has_no_interval(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="a share needs"):
        wilson_interval(successes, trials)


@each("share", [0.5, 0.9, 0.97])
def test_the_wilson_interval_holds_the_true_share_about_95_times_in_100(share: float) -> None:
    drawn = np.random.default_rng(0).binomial(120, share, size=4000)
    intervals = {count: wilson_interval(int(count), 120) for count in np.unique(drawn)}
    held = np.mean([intervals[count][0] <= share <= intervals[count][1] for count in drawn])
    assert 0.92 <= held <= 0.98


def test_a_target_counts_as_reached_only_where_it_holds() -> None:
    labels = [10, 20, 30, 40, 50, 60]
    assert labels_to_reach(labels, [0.5, 0.9, 0.7, 0.9, 0.9, 0.95], 0.9) == 40
    assert labels_to_reach(labels, [0.5, 0.6, 0.7, 0.8, 0.9, 0.95], 0.9) is None
    assert labels_to_reach(labels, [0.5, 0.6, 0.7, 0.8, 0.9, 0.95], 0.9, hold=1) == 50
    assert labels_to_reach(labels[:2], [0.9, 0.9], 0.9) is None


def test_the_area_is_the_mean_over_the_logarithm_of_the_labels() -> None:
    assert area_under_curve([10, 100, 1000], [0.4, 0.4, 0.4]) == pytest.approx(0.4)
    assert area_under_curve([10, 100], [0.0, 1.0]) == pytest.approx(0.5)
    assert area_under_curve([10, 100, 1000], [0.0, 1.0, 1.0]) == pytest.approx(0.75)
    with pytest.raises(ValueError, match="two checkpoints"):
        area_under_curve([10], [0.5])


def test_the_bootstrap_interval_is_about_two_standard_errors_wide_each_way() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(0.7, 0.1, size=(200, 2))
    low, high = bootstrap_interval(values, rng)
    np.testing.assert_allclose(high - low, 4 * 0.1 / np.sqrt(200) * 0.98, rtol=0.15)
    assert (low < values.mean(axis=0)).all()
    assert (high > values.mean(axis=0)).all()


def test_the_bootstrap_interval_of_the_median_does_not_follow_one_wild_sample() -> None:
    values = np.array([[0.7], [0.71], [0.72], [0.73], [0.74], [0.75], [0.76], [0.77], [0.78], [900.0]])
    low, high = bootstrap_interval(values, np.random.default_rng(0), statistic=np.median)
    assert 0.7 <= low[0] < np.median(values) < high[0] < 1
    _, high_of_mean = bootstrap_interval(values, np.random.default_rng(0))
    assert high_of_mean[0] > 100


def test_the_interval_of_a_mean_is_student_s() -> None:
    low, high = mean_interval(np.array([[0.6], [0.62]]))
    assert (low[0], high[0]) == pytest.approx((0.61 - 0.1271, 0.61 + 0.1271), abs=1e-3)
    for count, quantile in ((4, 3.182), (10, 2.262), (31, 2.042)):
        values = np.random.default_rng(0).normal(size=(count, 1))
        low, high = mean_interval(values)
        error = values.std(ddof=1) / np.sqrt(count)
        assert (high[0] - low[0]) / 2 == pytest.approx(quantile * error, rel=2e-3)
    assert np.isnan(mean_interval(np.array([[0.6]]))).all()


def test_an_audit_counts_what_is_right_in_all_and_in_each_class() -> None:
    probabilities = np.array([[0.9, 0.1, 0], [0.2, 0.8, 0], [0.6, 0.4, 0], [0.1, 0.9, 0]], dtype=np.float32)
    report = audit(probabilities, np.array([0, 1, 1, 1]))
    assert (report.items, report.correct, report.accuracy) == (4, 3, 0.75)
    assert report.recall == ((1, 1), (2, 3), (0, 0))
    assert report.low < 0.75 < report.high


def test_the_calibration_error_is_what_counting_gives() -> None:
    confident = np.tile(np.array([[0.95, 0.05]], dtype=np.float32), (100, 1))
    targets = np.array([0] * 80 + [1] * 20)
    assert expected_calibration_error(confident, targets) == pytest.approx(0.15, abs=1e-6)
    assert expected_calibration_error(confident, np.array([0] * 95 + [1] * 5)) == pytest.approx(0, abs=1e-6)
    mixed = np.concatenate([confident, np.tile(np.array([[0.55, 0.45]], dtype=np.float32), (100, 1))])
    assert expected_calibration_error(mixed, np.concatenate([targets, targets])) == pytest.approx(0.2, abs=1e-6)
    certain = np.array([[1.0, 0.0]], dtype=np.float32)
    assert expected_calibration_error(certain, np.array([0])) == 0


def test_kappa_is_one_for_equal_raters_and_nothing_for_independent_ones() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(3, size=(2, 20_000))
    assert cohen_kappa(first, first, 3) == 1
    assert abs(cohen_kappa(first, second, 3)) < 0.03
    assert cohen_kappa(np.zeros(5, np.int64), np.zeros(5, np.int64), 3) == 1
    table = np.array([[20, 5], [10, 15]])  # Cohen's kappa 0.4, the textbook's case
    pairs = np.repeat(np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), table.ravel(), axis=0)
    assert cohen_kappa(pairs[:, 0], pairs[:, 1], 2) == pytest.approx(0.4)


def test_items_of_no_group_and_groups_of_one_item_count_each() -> None:
    right = np.array([1.0] * 45 + [0.0] * 5)
    assert effective_size(right, None) == 50
    assert effective_size(right, np.arange(50)) == pytest.approx(50 * 50 / 51)


def test_a_group_whose_items_are_all_alike_counts_about_once() -> None:
    right = np.repeat(np.arange(30) % 2, 10).astype(np.float64)
    assert effective_size(right, np.repeat(np.arange(30), 10)) == pytest.approx(30 * 30 / 31)
    assert effective_size(np.ones(300), np.repeat(np.arange(30), 10)) == pytest.approx(30 * 30 / 31)


def test_groups_that_are_no_more_alike_than_others_count_nearly_all_their_items() -> None:
    right = np.random.default_rng(0).random(2000) < 0.6
    assert 1000 < effective_size(right.astype(np.float64), np.repeat(np.arange(200), 10)) <= 2000


@each("correlation", [0.1, 0.3, 1.0])
@each("share", [0.6, 0.9])
def test_the_interval_of_groups_holds_the_true_share_about_95_times_in_100(share: float, correlation: float) -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        groups = np.repeat(np.arange(12), rng.integers(1, 12, size=12))
        shape = (1 - correlation) / correlation
        of_group = rng.beta(share * shape, (1 - share) * shape, 12) if shape else (rng.random(12) < share).astype(float)
        right = rng.random(len(groups)) < of_group[groups]
        found = audit(np.eye(2, dtype=np.float32)[right.astype(int)], np.ones(len(right), dtype=np.int64), groups)
        held.append(found.low <= share <= found.high)
    assert np.mean(held) > 0.91


def test_one_group_says_next_to_nothing() -> None:
    found = audit(
        np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (60, 1)),
        np.zeros(60, dtype=np.int64),
        np.ones(60, dtype=np.int64),
    )
    assert found.low < 0.2
    assert found.high == 1


def test_the_report_of_groups_says_how_many_and_is_less_sure() -> None:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (60, 1))
    targets = np.repeat([0, 0, 0, 0, 0, 1], 10)
    alone, grouped = audit(probabilities, targets), audit(probabilities, targets, np.repeat(np.arange(6), 10))
    assert (alone.groups, grouped.groups) == (None, 6)
    assert alone.accuracy == grouped.accuracy
    assert grouped.low < alone.low < alone.high < grouped.high


def test_a_gain_is_the_difference_of_two_heads_on_the_same_items() -> None:
    before, after = np.array([True] * 70 + [False] * 30), np.array([True] * 78 + [False] * 22)
    found = gain(before, after, 120)
    assert (found.labels, found.change) == (120, pytest.approx(0.08))
    assert 0 < found.low < 0.08 < found.high < 0.16
    assert gain(before, before, 5).change == 0
    wide = gain(before, after, 120, np.repeat(np.arange(10), 10))
    assert wide.high - wide.low > found.high - found.low


def test_the_interval_of_a_gain_holds_the_true_one_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(1000):
        before, after = rng.random((2, 60)) < np.array([[0.7], [0.75]])
        found = gain(before, after, 100)
        held.append(found.low <= 0.05 <= found.high)
    assert np.mean(held) > 0.93


def test_heads_are_compared_over_a_hundred_labels_or_a_fifth_of_all() -> None:
    assert labels_compared(90) < 0
    assert labels_compared(300) == 200
    assert labels_compared(1000) == 800


def report(right: int, items: int) -> AuditReport:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (items, 1))
    return audit(probabilities, np.array([0] * right + [1] * (items - right)))


GROWING, FLAT = Gain(100, 0.03, -0.01, 0.07), Gain(100, 0.002, -0.01, 0.014)


@each(
    "found, left, brought, agreements, enough, text",
    [
        (None, 900, None, [], False, "too early"),
        (report(10, 10), 900, None, [1, 1, 1], False, "too early"),
        (report(10, 10), 0, None, [1, 1, 1], True, "Every item is labeled."),
        (report(195, 200), 900, GROWING, [0.9], True, "target of 90 % is reached"),
        (report(85, 100), 900, FLAT, [0.99, 0.995, 1.0], True, "the last labels changed little"),
        (report(85, 100), 900, FLAT, [0.9, 0.995, 1.0], False, "90 % is not sure yet"),
        (report(85, 100), 900, GROWING, [1.0, 1.0, 1.0], False, "90 % is not sure yet"),
        (report(85, 100), 900, None, [1.0, 1.0, 1.0], False, "90 % is not sure yet"),
        (report(85, 100), 0, GROWING, [0.9], True, "short of a sure 90 %"),
    ],
)
def test_the_advice_follows_the_three_signals(
    found: AuditReport | None, left: int, brought: Gain | None, agreements: list[float], enough: bool, text: str
) -> None:
    advice = advise(found, 0.9, left, brought, agreements)
    assert advice.enough is enough
    assert text in advice.text
    assert advice.reasons


def test_the_reasons_say_what_the_last_labels_brought_and_nothing_of_those_to_come() -> None:
    reasons = advise(report(85, 100), 0.9, 900, Gain(100, 0.012, -0.005, 0.029), [0.9]).reasons
    assert reasons[-1] == "the last 100 labels brought +1.2 points (-0.5 to 2.9)"
    assert "no head of 100 labels less" in advise(report(85, 100), 0.9, 900, None, [0.9]).reasons[-1]
