"""Reliability: how far the people of a project agree, overall, by class, by person and by pair, and what that limits."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fastlabel_gradio.opinions.agreement import (
    agreement,
    alpha_by_class,
    bootstrap_interval,
    cohen_kappas,
    krippendorff_alpha,
    label_accuracy,
)
from fastlabel_gradio.opinions.followed import FollowedOpinions
from fastlabel_gradio.opinions.ratings import MISSING, Ratings, ratings_of
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.types import LabelSchema

MOST_PAIRS = 200  # those with most items in common
BOOTSTRAP_SEED = 0


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Agreeing:
    """How far people agree on some items.

    Attributes:
        name: of the class or the person; "" for all.
        items: that at least two people judged; of a class those to which somebody gave it.
        agreed: the share of pairs of answers that are the same.
        alpha: Krippendorff's, of the class against all others where it is of a class.
    """

    name: str
    items: int
    agreed: Estimate
    alpha: Estimate


@dataclass(frozen=True, slots=True)
class PairAgreeing:
    """How far two people agree on the items that both judged."""

    people: tuple[str, str]
    items: int
    agreed: float
    kappa: Estimate


@dataclass(frozen=True, slots=True)
class ReliabilityReport:
    """How far people agree.

    Attributes:
        label_accuracy: how many labels of one person are right by that, and so the most that a head can be measured at; not
            defined without items that several people judged.
    """

    overall: Agreeing
    classes: tuple[Agreeing, ...]
    people: tuple[Agreeing, ...]
    pairs: tuple[PairAgreeing, ...]
    label_accuracy: Estimate


class Reliability:
    """Works the report out where opinions or classes have changed. All methods may be called from any thread."""

    def __init__(self, desk: Desk, followed: FollowedOpinions) -> None:
        self._desk = desk
        self._followed = followed
        self._last: tuple[object, LabelSchema, ReliabilityReport] | None = None

    def report(self) -> ReliabilityReport:
        """As of now."""
        _, opinions = self._followed.look()
        schema, last = self._desk.schema, self._last
        if last is None or last[0] is not opinions or last[1] is not schema:
            report = report_of(ratings_of(opinions, schema), len(schema))
            last = self._last = opinions, schema, report
        return last[2]


def report_of(ratings: Ratings, classes: int) -> ReliabilityReport:
    """The report of some ratings, of items that could get so many classes."""
    counts = ratings.counts
    overall = _agreeing("", counts)
    people = tuple(
        _agreeing(name, counts[ratings.said[:, place] != MISSING]) for place, name in enumerate(ratings.people)
    )
    known = max(classes, len(ratings.classes), 2)
    accuracy = Estimate(*(None if end is None else label_accuracy(end, known) for end in _ends(overall.agreed)))
    return ReliabilityReport(overall, _classes(ratings, counts), people, _pairs(ratings), accuracy)


def _agreeing(name: str, counts: np.ndarray) -> Agreeing:
    return Agreeing(
        name,
        len(counts),
        _estimate(lambda weights: agreement(counts, weights), len(counts)),
        _estimate(lambda weights: krippendorff_alpha(counts, weights), len(counts)),
    )


def _classes(ratings: Ratings, counts: np.ndarray) -> tuple[Agreeing, ...]:
    """Of a class `agreed` is the share of the pairs with the class in them in which both have it."""
    if not len(counts):
        return ()
    ones = np.ones((1, len(counts)))
    values = alpha_by_class(counts)[0]
    ends = bootstrap_interval(lambda weights: alpha_by_class(counts, weights), len(counts), BOOTSTRAP_SEED)
    shared = _specific_agreement(counts, ones)[0]
    limits = bootstrap_interval(lambda weights: _specific_agreement(counts, weights), len(counts), BOOTSTRAP_SEED)
    items = (counts > 0).sum(axis=0).tolist()
    return tuple(
        Agreeing(name, items[n], _known(shared[n], *limits[:, n]), _known(values[n], *ends[:, n]))
        for n, name in enumerate(ratings.classes)
    )


def _specific_agreement(counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """float64[w, classes], of the answers that are a class, the share of the other answers that are it, too.

    Specific agreement: J. L. Fleiss, "Measuring agreement between two judges on the presence or absence of a trait" (1975);
    of more than two people each item counts as in alpha.
    """
    others = counts.sum(axis=1, keepdims=True) - 1
    same, given = weights @ (counts * (counts - 1) / others), weights @ counts
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(given > 0, same / given, np.nan))


def _pairs(ratings: Ratings) -> tuple[PairAgreeing, ...]:
    shared = [
        (int(both.sum()), one, other)
        for one, other in itertools.combinations(range(len(ratings.people)), 2)
        if (both := (ratings.said[:, one] != MISSING) & (ratings.said[:, other] != MISSING)).any()
    ]
    return tuple(_pair(ratings, one, other) for _, one, other in sorted(shared, key=lambda pair: -pair[0])[:MOST_PAIRS])


def _pair(ratings: Ratings, one: int, other: int) -> PairAgreeing:
    from sklearn.metrics import cohen_kappa_score

    both = (ratings.said[:, one] != MISSING) & (ratings.said[:, other] != MISSING)
    first, second = ratings.said[both, one], ratings.said[both, other]
    classes = len(ratings.classes)
    is_defined = len(set(first.tolist()) | set(second.tolist())) > 1
    kappa = float(cohen_kappa_score(first, second)) if is_defined else np.nan
    ends = bootstrap_interval(lambda weights: cohen_kappas(first, second, classes, weights), len(first), BOOTSTRAP_SEED)
    people = ratings.people[one], ratings.people[other]
    return PairAgreeing(people, len(first), float((first == second).mean()), _known(kappa, *ends))


def _estimate(figure: Callable[[np.ndarray], np.ndarray], items: int) -> Estimate:
    if not items:
        return Estimate(None, None, None)
    return _known(figure(np.ones((1, items)))[0], *bootstrap_interval(figure, items, BOOTSTRAP_SEED))


def _known(value: float, low: float, high: float) -> Estimate:
    """Without a value there is no interval, whatever resamples say."""
    ends = (None if np.isnan(end) else float(end) for end in (value, low, high))
    return Estimate(None, None, None) if np.isnan(value) else Estimate(*ends)


def _ends(one: Estimate) -> tuple[float | None, float | None, float | None]:
    return one.value, one.low, one.high
