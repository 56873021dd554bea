"""Agreement against published values, against other implementations, and against what chance gives."""

import random

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from fastlabel_gradio.labels import Opinion, Standing
from fastlabel_gradio.opinions.agreement import (
    agreement,
    alpha_by_class,
    bootstrap_interval,
    cohen_kappas,
    krippendorff_alpha,
    label_accuracy,
)
from fastlabel_gradio.opinions.ratings import BAD, ratings_of
from fastlabel_gradio.opinions.reliability import report_of
from fastlabel_gradio.types import Label, LabelSchema, State


def counts_of(*people: str) -> np.ndarray:
    """int64[items, classes] of rows of signs, one row a person, `.` where they said nothing."""
    classes = sorted(set("".join(people)) - {"."})
    return np.array([[sum(row[item] == one for row in people) for one in classes] for item in range(len(people[0]))])


def noisy(rng: np.random.Generator, truth: np.ndarray, noise: float, classes: int) -> np.ndarray:
    """What somebody says who gives another class, evenly, with that probability."""
    wrong = rng.random(len(truth)) < noise
    return np.where(wrong, (truth + rng.integers(1, classes, len(truth))) % classes, truth)


def counts_of_two(first: np.ndarray, second: np.ndarray, classes: int) -> np.ndarray:
    return np.asarray((np.eye(classes)[first] + np.eye(classes)[second]).astype(np.int64))


def test_alpha_is_that_of_the_published_examples_also_where_values_are_missing() -> None:
    # K. Krippendorff (2011), sections A, B and C; the last one is that of the article on alpha in Wikipedia.
    published = [
        (("0100000010", "1110010000"), 1 - 19 * 4 / (14 * 6)),
        (("aabbdcccedda", "babbbccceddd"), 310 / 448),
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 113 / 152),
        ((".....34121133.3", "1.213343.......", "..21344.21133.4"), 56 / 81),
    ]
    rounded = [0.095, 0.692, 0.743, 0.691]
    for (people, exact), printed in zip(published, rounded, strict=True):
        [alpha] = krippendorff_alpha(counts_of(*people))
        assert alpha == pytest.approx(exact, abs=1e-6)
        assert round(alpha, 3) == printed


def test_alpha_of_perfect_agreement_is_one_and_that_of_one_class_or_one_person_is_not_defined() -> None:
    assert krippendorff_alpha(counts_of("abcab", "abcab")).tolist() == [1.0]
    for people in (("aaaa", "aaaa"), ("abab", "...."), ("ab..", "..ab")):
        assert np.isnan(krippendorff_alpha(counts_of(*people))).all()


def test_alpha_of_a_class_is_that_of_the_class_against_all_others() -> None:
    people = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    for place, one in enumerate("12345"):
        apart = ["".join(sign if sign in (".", one) else "x" for sign in row) for row in people]
        [alpha] = krippendorff_alpha(counts_of(*apart))
        assert alpha_by_class(counts_of(*people))[0, place] == pytest.approx(alpha)


def test_weights_are_items_that_come_more_than_once() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(3, size=(2, 40))
    weights = rng.integers(3, size=(1, 40)).astype(float)
    counts, times = counts_of_two(first, second, 3), weights[0].astype(int)
    repeated = np.repeat(counts, times, axis=0)
    for figure in (agreement, krippendorff_alpha, alpha_by_class):
        assert figure(counts, weights) == pytest.approx(figure(repeated))
    kappa = cohen_kappa_score(np.repeat(first, times), np.repeat(second, times))
    assert cohen_kappas(first, second, 3, weights) == pytest.approx([kappa])


def test_annotators_with_a_tenth_of_noise_come_out_at_the_expected_alpha_and_label_accuracy() -> None:
    rng, classes, noise = np.random.default_rng(0), 4, 0.1
    truth = rng.integers(classes, size=20_000)
    counts = counts_of_two(noisy(rng, truth, noise, classes), noisy(rng, truth, noise, classes), classes)
    agreed, by_chance = (1 - noise) ** 2 + noise**2 / (classes - 1), 1 / classes
    assert krippendorff_alpha(counts) == pytest.approx([(agreed - by_chance) / (1 - by_chance)], abs=0.01)
    assert agreement(counts) == pytest.approx([agreed], abs=0.01)
    assert label_accuracy(float(agreement(counts)[0]), classes) == pytest.approx(1 - noise, abs=0.01)
    assert label_accuracy(1.0, classes) == 1.0


def test_nine_of_ten_bootstrap_intervals_hold_the_expected_value() -> None:
    rng, classes, noise, held = np.random.default_rng(1), 3, 0.1, 0
    expected = ((1 - noise) ** 2 + noise**2 / 2 - 1 / 3) / (1 - 1 / 3)
    for trial in range(20):
        truth = rng.integers(classes, size=150)
        counts = counts_of_two(noisy(rng, truth, noise, classes), noisy(rng, truth, noise, classes), classes)
        low, high = bootstrap_interval(lambda weights, of=counts: krippendorff_alpha(of, weights), 150, trial)
        held += low < expected < high
        assert high - low < 0.3
    assert held >= 18


def test_a_report_names_classes_people_and_pairs_and_kappa_is_that_of_scikit_learn() -> None:
    rng = random.Random(0)
    schema = LabelSchema(tuple(Label(place, name) for place, name in enumerate("abc")), {7: 1})
    people = ("ann", "bob", "eve")

    def opinion(annotator: str) -> Opinion:
        said = rng.choice([0, 1, 2, 7, State.BAD, State.SKIP])
        state, label_id = (said, None) if isinstance(said, State) else (State.LABEL, said)
        return Opinion(annotator, Standing(state, label_id, "person"))

    opinions = {f"{n}.png": tuple(opinion(one) for one in people if rng.random() < 0.9) for n in range(200)}
    ratings = ratings_of(opinions, schema)
    report = report_of(ratings, len(schema))
    assert ratings.classes == ("a", "b", "c", BAD)
    assert [one.name for one in report.people] == list(people)
    assert [one.name for one in report.classes] == list(ratings.classes)
    assert {one.people for one in report.pairs} == {("ann", "bob"), ("ann", "eve"), ("bob", "eve")}
    for pair in report.pairs:
        answers = [
            [{one.annotator: one.standing[:2] for one in said}.get(name) for name in pair.people]
            for said in opinions.values()
        ]
        both = [[str(schema.aliases.get(one[1], one[1])) for one in two] for two in answers if _decided(two)]
        assert pair.items == len(both)
        assert pair.kappa.value == pytest.approx(cohen_kappa_score(*zip(*both, strict=True)))
        assert pair.kappa.low < pair.kappa.value < pair.kappa.high
        assert pair.agreed == pytest.approx(np.mean([one == other for one, other in both]))


def _decided(two: list[tuple[State, int | None] | None]) -> bool:
    return all(one is not None and one[0] in (State.LABEL, State.BAD) for one in two)


def test_without_shared_items_nothing_is_defined() -> None:
    report = report_of(ratings_of({}, LabelSchema((Label(0, "a"),))), 1)
    assert (report.overall.items, report.classes, report.people, report.pairs) == (0, (), (), ())
    assert report.overall.alpha.value is report.label_accuracy.value is None
