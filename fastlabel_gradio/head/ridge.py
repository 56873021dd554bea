"""Ridge regression on the classes, in closed form: the linear part of a head, as strong as left-out labels ask for."""

import math

import torch
from torch import Tensor

from fastlabel_gradio.head.calibration import fit_temperature

PENALTY = 0.2
PENALTIES = (0.02, PENALTY, 2.0)
SCALE = 8.0  # of logits to answers, which lie within -1 and 1: what left-out labels of most sets ask for
SURE_LABELS = 30  # weigh as much as those two numbers
MOST_LABELS = 4_096  # a random sample of more is as good, and takes 30 ms on one core
MOST_LEFT_OUT = 512  # are enough to choose by
HALVINGS = 12  # find the scale to a percent


def linear_part(embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int) -> Tensor:
    """The map float32[classes, dim] to logits: the ridge regression times what makes its probabilities about right.

    Both the penalty and the factor are those at which left-out labels are most likely, drawn towards 0.2 and 8 in the
    logarithm, the more the fewer labels there are. On features that tell the classes well it is strong; where it hardly
    does better than guessing it says little, and leaves the word to the MLP.

    Args: as of `ridge_regression`.
    """
    tried = [(*_evidence(embeddings, targets, weights, classes, penalty), penalty) for penalty in PENALTIES]
    _, found_scale, found_penalty = min(tried)
    trust = len(targets) / (len(targets) + SURE_LABELS)
    penalty = PENALTY * math.pow(found_penalty / PENALTY, trust)
    scale = SCALE * math.pow(found_scale / SCALE, trust)
    return ridge_regression(embeddings, targets, weights, classes, penalty)[0] * scale


def ridge_regression(
    embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int, penalty: float = PENALTY
) -> tuple[Tensor, Tensor]:
    """The map float32[classes, dim] W with the least sum of w_i |W x_i - y_i|² + penalty |W|², y_i = onehot - 1 / classes.

    And float32[left out, classes], what it would say of each of the first 512 labels had that one been left out: exact,
    from the same factor (Allen, "The Relationship between Variable Selection and Data Augmentation and a Method for
    Prediction", Technometrics 1974). Hoerl & Kennard (Technometrics 1970), solved in the smaller of labels and dim. It has
    no intercept: embeddings lie around the origin, and with few labels their own mean is further from the pool's.

    Args:
        embeddings: float32[labels, dim], unit vectors.
        targets: int64[labels], the class of each.
        weights: float32[labels], how much each counts, 1 on average.
    """
    roots = weights.sqrt()[:, None]
    inputs = embeddings * roots
    goals = (torch.nn.functional.one_hot(targets, classes) - 1 / classes) * roots
    labels, dim = inputs.shape
    if labels < dim:
        inverse = torch.cholesky_inverse(_factor(inputs @ inputs.T, penalty))
        duals = inverse @ goals
        said = goals - duals / inverse.diagonal()[:, None]
        return (inputs.T @ duals).T, (said / roots)[:MOST_LEFT_OUT]
    factor = _factor(inputs.T @ inputs, penalty)
    found = torch.cholesky_solve(inputs.T @ goals, factor)
    some, their_goals, their_roots = inputs[:MOST_LEFT_OUT], goals[:MOST_LEFT_OUT], roots[:MOST_LEFT_OUT]
    own_share = torch.linalg.solve_triangular(factor, some.T, upper=False).square().sum(dim=0)[:, None]
    return found.T, (some @ found - own_share * their_goals) / (1 - own_share) / their_roots


def _factor(products: Tensor, penalty: float) -> Tensor:
    """The Cholesky factor of products + penalty · identity; overwrites its argument."""
    products.diagonal().add_(penalty)
    return torch.linalg.cholesky(products)


def _evidence(
    embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int, penalty: float
) -> tuple[float, float]:
    """How unlikely left-out labels are (mean log loss) at the best scale of the answers, and that scale."""
    answers = ridge_regression(embeddings, targets, weights, classes, penalty)[1]
    goals = targets[: len(answers)]
    usual = SCALE * answers
    scale = SCALE / fit_temperature(usual.cpu().numpy(), goals.cpu().numpy(), HALVINGS)
    return float(torch.nn.functional.cross_entropy(scale * answers, goals)), scale
