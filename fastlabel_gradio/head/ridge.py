"""Ridge regression on the classes, in closed form: the linear part of a head."""

import torch
from torch import Tensor

PENALTY = 0.2
MOST_LABELS = 4_096  # a random sample of more is as good, and takes 30 ms on one core


def ridge_regression(embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int) -> Tensor:
    """The map float32[classes, dim] W with the least sum of w_i |W x_i - y_i|² + 0.2 |W|², y_i = onehot - 1 / classes.

    Hoerl & Kennard (Technometrics 1970), solved in the smaller of labels and dim. It has no intercept: embeddings lie
    around the origin, and with few labels their own mean is further from the pool's. Least squares for classes does as
    well as logistic regression on the embeddings here, and takes milliseconds (`benchmarks/heads.py`).

    Args:
        embeddings: float32[labels, dim], unit vectors.
        targets: int64[labels], the class of each.
        weights: float32[labels], how much each counts, 1 on average.
    """
    goals = torch.nn.functional.one_hot(targets, classes) - 1 / classes
    roots = weights.sqrt()[:, None]
    inputs, goals = embeddings * roots, goals * roots
    labels, dim = inputs.shape
    if labels < dim:
        return (inputs.T @ _solved(inputs @ inputs.T, goals)).T
    return _solved(inputs.T @ inputs, inputs.T @ goals).T


def _solved(products: Tensor, goals: Tensor) -> Tensor:
    products.diagonal().add_(PENALTY)
    return torch.cholesky_solve(goals, torch.linalg.cholesky(products))
