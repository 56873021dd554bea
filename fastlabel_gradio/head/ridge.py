"""Ridge regression on the classes, in closed form: the linear part of a head, as strong as left-out labels ask for."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from fastlabel_gradio.head.calibration import fit_temperature

PENALTY = 0.2
PENALTIES = (0.02, PENALTY, 2.0)
SCALE = 8.0  # of logits to answers, which lie within -1 and 1: what left-out labels of most sets ask for
SURE_LABELS = 30  # weigh as much as those two numbers
MOST_LABELS = 4_096  # a random sample of more is as good, and takes 30 ms on one core
MOST_LEFT_OUT = 256  # to choose by; twice as many take some 7 ms more
HALVINGS = 12  # find the scale to a percent


def linear_part(embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int) -> Tensor:
    """The map float32[classes, dim] to logits: the ridge regression times what makes its probabilities about right.

    Both the penalty and the factor are those at which left-out labels are most likely, drawn towards 0.2 and 8 in the
    logarithm, the more the fewer labels there are. On features that tell the classes well it is strong; where it hardly
    does better than guessing it says little, and leaves the word to the MLP.

    Args:
        embeddings: float32[labels, dim], standardised.
        targets: int64[labels], the class of each.
        weights: float32[labels], how much each counts, 1 on average.
    """
    ridge = Ridge.of(embeddings, targets, weights, classes)
    scale, penalty = _most_likely(ridge, targets)
    trust = len(targets) / (len(targets) + SURE_LABELS)
    return ridge.solved(PENALTY * math.pow(penalty / PENALTY, trust)) * SCALE * math.pow(scale / SCALE, trust)


@dataclass(frozen=True, slots=True)
class Ridge:
    """The map W with the least sum of w_i |W x_i - y_i|² + penalty |W|², y_i = onehot - 1 / classes, for any penalty.

    Hoerl & Kennard (Technometrics 1970), solved in the smaller of labels and dim. It has no intercept: embeddings lie
    around the origin, and with few labels their own mean is further from the pool's.

    Attributes:
        inputs, goals: float32[labels, dim] and float32[labels, classes], times `roots`.
        roots: float32[labels, 1], the square roots of the weights.
        products: of all inputs with each other, or of all dimensions where those are fewer.
        sides: what the products are solved for: the goals, or their products with all dimensions.
    """

    inputs: Tensor
    goals: Tensor
    roots: Tensor
    products: Tensor
    sides: Tensor

    @staticmethod
    def of(embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int) -> "Ridge":
        roots = weights.sqrt()[:, None]
        inputs = embeddings * roots
        goals = (torch.nn.functional.one_hot(targets, classes) - 1 / classes) * roots
        if len(inputs) < inputs.shape[1]:
            return Ridge(inputs, goals, roots, inputs @ inputs.T, goals)
        return Ridge(inputs, goals, roots, inputs.T @ inputs, inputs.T @ goals)

    def solved(self, penalty: float) -> Tensor:
        """The map float32[classes, dim]."""
        found = torch.cholesky_solve(self.sides, self._factor(penalty))
        return (self.inputs.T @ found).T if self._in_labels else found.T

    def left_out(self, penalty: float) -> Tensor:
        """float32[left out, classes]: what is said of each of the first 256 labels by the map of all others.

        Exact, from the factor of all: PRESS (Allen, "The Relationship between Variable Selection and Data Augmentation and
        a Method for Prediction", Technometrics 1974).
        """
        some = slice(MOST_LEFT_OUT)
        if self._in_labels:
            inverse = torch.cholesky_inverse(self._factor(penalty))[some]
            off: Tensor = inverse @ self.goals / inverse.diagonal()[:, None]
            return (self.goals[some] - off) / self.roots[some]
        factor = self._factor(penalty)
        found = torch.cholesky_solve(self.sides, factor)
        own_share = torch.linalg.solve_triangular(factor, self.inputs[some].T, upper=False).square().sum(dim=0)[:, None]
        said: Tensor = (self.inputs[some] @ found - own_share * self.goals[some]) / (1 - own_share) / self.roots[some]
        return said

    @property
    def _in_labels(self) -> bool:
        return len(self.products) < self.inputs.shape[1]

    def _factor(self, penalty: float) -> Tensor:
        penalised = self.products.clone()
        penalised.diagonal().add_(penalty)
        factor: Tensor = torch.linalg.cholesky(penalised)
        return factor


def _most_likely(ridge: Ridge, targets: Tensor) -> tuple[float, float]:
    """The scale and the penalty at which left-out labels are most likely. The weakest is tried where more is worse."""
    low, usual, high = PENALTIES
    found = [(*_evidence(ridge.left_out(penalty), targets), penalty) for penalty in (usual, low)]
    if found[0] < found[1]:
        found.append((*_evidence(ridge.left_out(high), targets), high))
    _, scale, penalty = min(found)
    return scale, penalty


def _evidence(answers: Tensor, targets: Tensor) -> tuple[float, float]:
    """How unlikely left-out labels are (mean log loss) at the best scale of the answers, and that scale."""
    goals = targets[: len(answers)]
    temperature = fit_temperature((SCALE * answers).cpu().numpy(), goals.cpu().numpy(), HALVINGS)
    return float(torch.nn.functional.cross_entropy(answers * SCALE / temperature, goals)), SCALE / temperature
