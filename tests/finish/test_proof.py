"""The proof: published figures, boundary cases, and that at the boundary it is wrong as rarely as it says."""

import math

import numpy as np
import pytest

from fastlabel_gradio.finish.proof import (
    alpha_of,
    checks_expected,
    checks_needed,
    is_futile,
    is_proven,
    log_evidence,
    one_look_checks,
    proven_after,
    proven_precision,
    wrong_allowed,
)
from tests.cases import each


def test_attempts_together_are_wrong_once_in_twenty_at_most() -> None:
    assert [alpha_of(number) for number in (1, 2, 3)] == pytest.approx([0.04, 0.008, 0.0016])
    assert sum(alpha_of(number) for number in range(1, 50)) == pytest.approx(0.05)


@each(
    "precision, one_look, needed",
    [
        (0.99, 299, [363]),
        (0.98, 149, [181, 311, 422, 523]),
        (0.95, 59, [71, 123, 167, 207, 245, 281]),
        (0.9, 29, [35, 60, 82, 102, 121, 138]),
        (0.8, 14, [17]),
    ],
)
def test_a_large_set_takes_so_many_checks(precision: float, one_look: int, needed: list[int]) -> None:
    assert one_look_checks(precision) == one_look
    assert [checks_needed(1_000_000, wrong, precision, 0.05) for wrong in range(len(needed))] == needed


def test_a_small_set_takes_fewer_and_never_more_than_it_has() -> None:
    for precision, needed in {0.98: [40, 66, 98, 116], 0.95: [33, 43, 54, 59], 0.9: [21, 26, 30, 32]}.items():
        assert [checks_needed(items, 0, precision, 0.05) for items in (50, 100, 200, 300)] == needed
    assert checks_needed(10, 10, 0.95, 0.05) <= 10
    assert checks_needed(0, 0, 0.95, 0.05) == 0


def test_a_promise_of_a_decimal_allows_what_it_says() -> None:
    assert [wrong_allowed(100, 0.9), wrong_allowed(1_000_000, 0.98), wrong_allowed(40, 0.975)] == [10, 20_000, 1]
    assert [wrong_allowed(99, 0.9), wrong_allowed(7, 0.9), wrong_allowed(0, 0.9)] == [9, 0, 0]


def test_nothing_is_proven_before_the_first_check() -> None:
    assert not is_proven(2_000, 0, 0, 0.95, 0.04)
    assert log_evidence(2_000, 0, 0, 100, 0.95) == pytest.approx(0, abs=1e-9)
    assert proven_precision(2_000, 0, 0, 0.95, 0.04) == 0


def test_far_too_many_errors_prove_nothing_though_the_evidence_grows() -> None:
    items, checked, wrong = 2_000, 100, 40
    assert log_evidence(items, checked, wrong, wrong_allowed(items, 0.95), 0.95) > math.log(1 / 0.04)
    assert not is_proven(items, checked, wrong, 0.95, 0.04)


def test_the_first_condition_is_the_point_where_the_likelihood_falls() -> None:
    items, checked, wrong = 1_000, 60, 4
    likelihood = [
        math.comb(bad, wrong) * math.comb(items - bad, checked - wrong)
        for bad in range(wrong, items - checked + wrong + 1)
    ]
    peak = wrong + int(np.argmax([float(one / max(likelihood)) for one in likelihood]))
    falls = [bad for bad in range(wrong, items) if (bad + 1) * checked >= wrong * (items + 1)]
    assert falls[0] == peak


def test_what_is_left_to_be_wrong_is_certain_where_too_few_items_are() -> None:
    assert is_proven(20, 19, 0, 0.95, 1e-300)  # of 20 one may be wrong; one is left
    assert not is_proven(20, 18, 0, 0.95, 1e-300)
    assert is_proven(20, 20, 20, 0.95, 1e-300)  # all were wrong, and are corrected
    assert is_proven(1, 1, 0, 0.99, 1e-300)
    assert is_proven(0, 0, 0, 0.95, 0.04)


def test_the_evidence_is_that_of_the_hypergeometric_distribution() -> None:
    items, checked, wrong, allowed, precision = 300, 40, 2, 15, 0.95
    bad, prior = allowed + 1 + wrong, 4 / 0.05 - 1
    rates = (np.arange(200_000) + 0.5) / 200_000
    density = prior * (1 - rates) ** (prior - 1)
    # Of one order of the draws, without the number of orders, which both sides have.
    mixture = float(np.mean(density * rates**wrong * (1 - rates) ** (checked - wrong)))
    exact = math.comb(bad, wrong) * math.comb(items - bad, checked - wrong) / math.comb(items, checked)
    exact /= math.comb(checked, wrong)
    assert log_evidence(items, checked, wrong, allowed, precision) == pytest.approx(math.log(mixture / exact), abs=1e-4)


def test_a_proof_once_reached_stays() -> None:
    clean = checks_needed(2_000, 0, 0.95, 0.04)
    assert proven_after(2_000, np.zeros(clean, dtype=bool), 0.95, 0.04) == clean
    later = np.arange(clean + 20) >= clean
    assert proven_after(2_000, later, 0.95, 0.04) == clean
    assert proven_after(2_000, later[1:], 0.95, 0.04) is None
    for wrong in np.random.default_rng(0).random((50, 300)) < 0.02:
        counts = np.concatenate([[0], np.cumsum(wrong)]).tolist()
        proven = [number for number, k in enumerate(counts) if is_proven(2_000, number, k, 0.95, 0.04)]
        assert proven_after(2_000, wrong, 0.95, 0.04) == (proven[0] if proven else None)


def test_what_is_sure_so_far_grows_to_the_promise() -> None:
    checks = [20, 40, 60, checks_needed(4_100, 0, 0.95, 0.04)]
    sure = [proven_precision(4_100, count, 0, 0.95, 0.04) for count in checks]
    assert sure == sorted(sure)
    assert sure[-1] >= 0.95 > sure[-2]
    for precision, count in zip(sure, checks, strict=True):
        allowed = wrong_allowed(4_100, precision)
        assert is_proven(4_100, count, 0, 0.95, 0.04, allowed)
        assert not is_proven(4_100, count, 0, 0.95, 0.04, allowed - 1)


def test_a_hopeless_set_is_given_up() -> None:
    assert not is_futile(4_000, 58, 20, 0.95, 0.04) or checks_needed(4_000, 20, 0.95, 0.04) > 6 * 59
    assert is_futile(4_000, 59, 3, 0.95, 0.04)
    assert not is_futile(4_000, 59, 2, 0.95, 0.04)
    assert is_futile(4_000, 20, 12, 0.95, 0.04)  # it would take more than six times as many
    assert not is_futile(60, 20, 3, 0.9, 0.04)


def test_errors_that_are_expected_take_more_checks() -> None:
    expected = [checks_expected(5_000, share * 0.05, 0.95, 0.05) for share in (0, 1 / 8, 1 / 4, 1 / 2)]
    assert expected[0] == 70
    assert expected == sorted(expected)
    assert checks_expected(500, 0.2, 0.95, 0.05) == 500


@each("precision", [0.98, 0.95, 0.9])
@each("items", [300, 2_000])
def test_at_the_boundary_a_broken_promise_is_delivered_as_rarely_as_it_may_be(items: int, precision: float) -> None:
    """Looked at after every check up to six times one look; of 400 runs 5.5 % is two standard errors above 0.04."""
    runs, most = 400, min(items, 6 * one_look_checks(precision))
    allowed = wrong_allowed(items, precision)
    rng = np.random.default_rng(20_261_126)
    for bad in (allowed + 1, int(1.5 * allowed), 3 * allowed):
        broken = 0
        for _ in range(runs):
            wrong = np.zeros(items, dtype=bool)
            wrong[rng.choice(items, bad, replace=False)] = True
            count = proven_after(items, wrong[:most], precision, 0.04)
            broken += count is not None and bad - int(wrong[:count].sum()) > allowed
        assert broken / runs <= 0.055
