"""Query strategies of scikit-activeml and modAL on the same embeddings, behind one function each.

A peer's name is that of its package and of the strategy, `skactiveml.badge`. Importing this does not import the peers.

Of what `skactiveml.pool` 1.0.1 exports for classification are not here: strategies that need a Parzen window, a mixture model
or a committee instead of a head (EpistemicUncertaintySampling, ProbabilisticAL, FourDs, QueryByCommittee, BatchBALD,
GreedyBALD), that train for each candidate or pick (MonteCarloEER, ValueOfInformationEER, DiscriminativeAL), and
CostEmbeddingAL, which needs the costs of mistakes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastlabel_gradio.types import Embeddings, Rows

# Places in the pool of the rows to label next: (pool, labels with nan where there is none, fitted classifier or None, n).
Query = Callable[[Embeddings, np.ndarray, Any, int], np.ndarray]


@dataclass(frozen=True, slots=True)
class Peer:
    """A strategy of another program.

    Attributes:
        query: makes the query function of one run, from the number of classes and a seed.
        begins: whether it picks the first batch too, as its paper has it; else that one is random.
        wraps: whether classifiers are wrapped for scikit-activeml.
    """

    query: Callable[[int, int], Query]
    begins: bool = False
    wraps: bool = True


def prepared(peer: Peer, estimator: Any, classes: int, seed: int) -> Any:
    """An untrained scikit-learn classifier as that peer takes it."""
    if not peer.wraps:
        return estimator
    from skactiveml.classifier import SklearnClassifier

    return SklearnClassifier(estimator, classes=np.arange(classes), random_state=seed)


def ask(query: Query, pool: Embeddings, labels: np.ndarray, fitted: Any, n: int) -> Rows:
    """Places of n distinct unlabeled rows. Raises RuntimeError where the peer gives anything else."""
    picked = np.asarray(query(pool, labels, fitted, n), dtype=np.int64).ravel()
    if len(np.unique(picked)) != n or not np.isnan(labels[picked]).all():
        raise RuntimeError(f"asked for {n} distinct unlabeled rows, got {len(picked)}: {picked[:10]}")
    return picked


def _skactiveml(strategy: str, takes: str = "", **options: Any) -> Callable[[int, int], Query]:
    """A query by a class of `skactiveml.pool`; `takes` is the name under which it wants a fitted classifier, if any."""

    def of_run(classes: int, seed: int) -> Query:
        from skactiveml import pool as strategies

        needed = {name: value(classes) if callable(value) else value for name, value in options.items()}
        asked = getattr(strategies, strategy)(random_state=seed, **needed)

        def query(pool: Embeddings, labels: np.ndarray, fitted: Any, n: int) -> np.ndarray:
            with_classifier = {takes: fitted, f"fit_{takes}": False} if takes else {}
            return np.asarray(asked.query(pool, labels, batch_size=n, **with_classifier))

        return query

    return of_run


def _modal(module: str, strategy: str) -> Callable[[int, int], Query]:
    """A query by a function of modAL, through its ActiveLearner."""

    def of_run(classes: int, seed: int) -> Query:
        from importlib import import_module

        from modAL.models import ActiveLearner

        asked = getattr(import_module(f"modAL.{module}"), strategy)

        def query(pool: Embeddings, labels: np.ndarray, fitted: Any, n: int) -> np.ndarray:
            learner = ActiveLearner(
                estimator=fitted, query_strategy=asked
            )  # without labels, so that it does not fit again
            known = ~np.isnan(labels)
            learner.X_training, learner.y_training = pool[known], labels[known]
            picked, _ = learner.query(pool[~known], n_instances=n)
            return np.flatnonzero(~known)[picked]

        return query

    return of_run


PEERS = {
    "skactiveml.random": Peer(_skactiveml("RandomSampling")),
    "skactiveml.margin": Peer(_skactiveml("UncertaintySampling", "clf", method="margin_sampling")),
    "skactiveml.entropy": Peer(_skactiveml("UncertaintySampling", "clf", method="entropy")),
    "skactiveml.least_confident": Peer(_skactiveml("UncertaintySampling", "clf", method="least_confident")),
    "skactiveml.badge": Peer(_skactiveml("Badge", "clf")),
    "skactiveml.clue": Peer(_skactiveml("Clue", "estimator")),
    "skactiveml.dropquery": Peer(_skactiveml("DropQuery", "clf")),
    "skactiveml.falcun": Peer(_skactiveml("Falcun", "clf")),
    "skactiveml.contrastive": Peer(_skactiveml("ContrastiveAL", "clf")),
    "skactiveml.coreset": Peer(_skactiveml("CoreSet")),
    "skactiveml.typiclust": Peer(_skactiveml("TypiClust"), begins=True),
    "skactiveml.probcover": Peer(_skactiveml("ProbCover", n_classes=int), begins=True),
    "skactiveml.maxherding": Peer(_skactiveml("MaxHerding"), begins=True),
    "skactiveml.quire": Peer(_skactiveml("Quire", classes=np.arange)),
    "modal.margin": Peer(_modal("uncertainty", "margin_sampling"), wraps=False),
    "modal.entropy": Peer(_modal("uncertainty", "entropy_sampling"), wraps=False),
    "modal.uncertainty": Peer(_modal("uncertainty", "uncertainty_sampling"), wraps=False),
    "modal.ranked_batch": Peer(_modal("batch", "uncertainty_batch_sampling"), wraps=False),
}
