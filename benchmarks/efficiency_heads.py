"""The two heads that contestants learn with: ours, and the logistic regression that the peers' documents use.

Both as scikit-learn classifiers with `fit`, `predict`, `predict_proba` and `classes_`. The only place that trains.
"""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fastlabel_gradio.head import Head, HeadInfo, Spread, train_head
from fastlabel_gradio.types import Embeddings, Label, Rows

HEADS = ("mlp", "logistic")
STEPS = 1000


def trained_head(embeddings: Embeddings, targets: Rows, classes: int, seed: int, spread: Spread | None) -> Head:
    """The app's head for these labels, in the order in which they are given.

    It is not calibrated: that takes five more trainings, and changes no prediction.
    """
    schema = tuple(Label(number, str(number)) for number in range(classes))
    return train_head(embeddings, targets, HeadInfo(1, schema, "", len(targets), seed=seed), spread=spread)


def classifier(head: str, dim: int, classes: int, seed: int, spread: Spread | None = None) -> BaseEstimator:
    """An untrained head by its name, one of HEADS; `spread` is that of the pool, for ours."""
    if head == "mlp":
        return HeadClassifier(classes, seed, spread)
    # On vectors of length 1 this is scikit-learn's default, C = 1, on vectors whose numbers are about 1. C = 1 on length 1
    # itself hardly fits: it would make the peers look weaker than they are.
    return QuietLogisticRegression(C=dim, max_iter=STEPS, random_state=seed)


class HeadClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """The app's head. Its columns are always all classes, whichever were seen."""

    def __init__(self, classes: int = 2, seed: int = 0, spread: Spread | None = None) -> None:
        self.classes = classes
        self.seed = seed
        self.spread = spread

    def fit(self, X: np.ndarray, y: np.ndarray) -> "HeadClassifier":
        embeddings = np.ascontiguousarray(X, dtype=np.float32)
        targets = np.asarray(y, dtype=np.int64)
        self.classes_ = np.arange(self.classes)
        self.n_features_in_ = embeddings.shape[1]
        self.head_ = trained_head(embeddings, targets, self.classes, self.seed, self.spread)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.head_.predict_proba(np.ascontiguousarray(X, dtype=np.float32))

    def predict(self, X: np.ndarray) -> np.ndarray:
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class QuietLogisticRegression(LogisticRegression):  # type: ignore[misc]
    """Says nothing where it stops before the last digit has settled."""

    def fit(self, *args: object, **options: object) -> "QuietLogisticRegression":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            super().fit(*args, **options)
        return self
