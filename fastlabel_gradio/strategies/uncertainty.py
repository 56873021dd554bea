"""Uncertainty sampling: the items that the head is least sure of (Settles, "Active Learning Literature Survey", 2009, 3.1).

A score is a function of probabilities alone, kept apart from the selection; higher is more wanted.
"""

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.strategies.base import PoolView, strategy
from fastlabel_gradio.strategies.near_duplicates import OVERDRAW, without_near_duplicates
from fastlabel_gradio.types import Positions, Probabilities

Scores = Float32[np.ndarray, " items"]

POWER = 4.0


@strategy("entropy", needs="probabilities")
def entropy(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """Highest Shannon entropy of the predicted distribution. A weak choice while labels are few."""
    return _top_distinct(pool, entropy_score(pool.known_probabilities), n, rng)


@strategy("margin", needs="probabilities")
def margin(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """Smallest difference between the two most probable classes (Scheffer et al., IDA 2001)."""
    return _top_distinct(pool, margin_score(pool.known_probabilities), n, rng)


@strategy("least_confidence", needs="probabilities")
def least_confidence(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """Lowest probability of the most probable class (Lewis & Gale, SIGIR 1994)."""
    return _top_distinct(pool, least_confidence_score(pool.known_probabilities), n, rng)


@strategy("power_margin", needs="probabilities")
def power_margin(pool: PoolView, n: int, rng: np.random.Generator) -> Positions:
    """A random sample without replacement in which each item's weight is its margin score to the power of 4.

    The top n of 4 ln u + Gumbel noise, so every item has a chance, as unbiased estimates from chosen labels need it; near
    duplicates stay in for the same reason. Kirsch et al., "Stochastic Batch Acquisition" (TMLR 2023, arXiv 2106.12059),
    power acquisition.
    """
    certain = np.finfo(np.float32).tiny
    probabilities = pool.known_probabilities[: pool.uniform]
    weights = POWER * np.log(np.maximum(margin_score(probabilities), certain))
    return top((weights + rng.gumbel(size=len(weights))).astype(np.float32), n, rng)


def entropy_score(probabilities: Probabilities) -> Scores:
    """-sum p ln p in nats, 0 to ln(classes); p = 0 counts as 0."""
    logarithms = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
    return np.asarray(-(probabilities * logarithms).sum(axis=1), dtype=np.float32)


def margin_score(probabilities: Probabilities) -> Scores:
    """1 - (p1 - p2) of the two largest probabilities, 0 (certain) to 1 (a tie). At least two classes."""
    largest = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(1 - (largest[:, 1] - largest[:, 0]), dtype=np.float32)


def least_confidence_score(probabilities: Probabilities) -> Scores:
    """1 - p1, 0 (certain) to 1 - 1/classes."""
    return np.asarray(1 - probabilities.max(axis=1), dtype=np.float32)


def top(scores: Scores, n: int, rng: np.random.Generator) -> Positions:
    """Positions of the n highest scores, highest first; ties in random order."""
    shuffled = rng.permutation(len(scores))
    return shuffled[np.argsort(-scores[shuffled])[:n]].astype(np.int64)  # any order of ties is random after the shuffle


def _top_distinct(pool: PoolView, scores: Scores, n: int, rng: np.random.Generator) -> Positions:
    return without_near_duplicates(pool, top(scores, OVERDRAW * n, rng), n)
