"""Intervals and learning curves, checked by counting rather than by the formula again."""

import numpy as np
import pytest

from fastlabel_gradio.evaluation import (
    AuditReport,
    LearningCurve,
    advise,
    area_under_curve,
    audit,
    bootstrap_interval,
    cohen_kappa,
    expected_calibration_error,
    fit_learning_curve,
    labels_to_reach,
    wilson_interval,
)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(45, 50, 0.786, 0.957), (180, 200, 0.851, 0.934), (0, 10, 0.0, 0.278), (10, 10, 0.722, 1.0), (1, 1, 0.207, 1.0)],
)
def test_the_wilson_interval_is_the_published_one(successes: int, trials: int, low: float, high: float) -> None:
    assert wilson_interval(successes, trials) == pytest.approx((low, high), abs=0.001)


@pytest.mark.parametrize(("successes", "trials"), [(0, 0), (3, 2), (-1, 5)])
def test_a_share_of_nothing_has_no_interval(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="a share needs"):
        wilson_interval(successes, trials)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.97])
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


def test_a_learning_curve_is_found_again() -> None:
    true = LearningCurve(0.93, 1.4, 0.6)
    labels = [20, 40, 80, 160, 320]
    found = fit_learning_curve(labels, [true.accuracy(count) for count in labels], [100] * 5)
    assert found is not None
    assert found.accuracy(1000) == pytest.approx(true.accuracy(1000), abs=0.01)
    needed = true.labels_for(0.9)
    assert needed is not None
    assert true.accuracy(needed) >= 0.9 > true.accuracy(needed - 1)
    assert true.labels_for(0.95) is None


def test_no_curve_is_drawn_through_too_little_or_through_what_falls() -> None:
    assert fit_learning_curve([10, 20, 30], [0.5, 0.6, 0.7], [9, 9, 9]) is None
    assert fit_learning_curve([10, 20, 30, 40], [0.9, 0.8, 0.7, 0.6], [9, 9, 9, 9]) is None


def test_a_curve_never_promises_more_than_everything() -> None:
    found = fit_learning_curve([10, 20, 40, 80], [0.2, 0.5, 0.8, 1.0], [50, 50, 50, 50])
    assert found is not None
    assert found.limit <= 1
    assert found.accuracy(10**9) <= 1


def report(right: int, items: int) -> AuditReport:
    probabilities = np.tile(np.array([[0.9, 0.1]], dtype=np.float32), (items, 1))
    return audit(probabilities, np.array([0] * right + [1] * (items - right)))


GROWING, FLAT = LearningCurve(0.99, 2.0, 0.5), LearningCurve(0.86, 0.5, 1.0)


@pytest.mark.parametrize(
    ("found", "left", "curve", "agreements", "enough", "text"),
    [
        (None, 900, None, [], False, "too early"),
        (report(10, 10), 900, None, [1, 1, 1], False, "too early"),
        (report(10, 10), 0, None, [1, 1, 1], True, "Every item is labeled."),
        (report(195, 200), 900, GROWING, [0.9], True, "target of 90 % is reached"),
        (report(85, 100), 900, FLAT, [0.99, 0.995, 1.0], True, "more labels change little"),
        (report(85, 100), 900, FLAT, [0.9, 0.995, 1.0], False, "more labels still help"),
        (report(85, 100), 900, None, [1.0, 1.0, 1.0], False, "more labels still help"),
        (report(85, 100), 900, GROWING, [0.9], False, "about 300 more labels to 90 %"),
        (report(85, 100), 200, GROWING, [0.9], False, "more items than the pool has"),
        (report(85, 100), 0, GROWING, [0.9], True, "short of a sure 90 %"),
    ],
)
def test_the_advice_follows_the_three_signals(
    found: AuditReport | None,
    left: int,
    curve: LearningCurve | None,
    agreements: list[float],
    enough: bool,
    text: str,
) -> None:
    advice = advise(found, 0.9, 200, left, curve, agreements)
    assert advice.enough is enough
    assert text in advice.text
    assert advice.reasons


def test_the_labels_still_needed_include_those_of_the_audit() -> None:
    advice = advise(report(85, 100), 0.9, 200, 900, GROWING, [0.9], audit_share=0.5)
    assert "about 590 more labels" in advice.text
