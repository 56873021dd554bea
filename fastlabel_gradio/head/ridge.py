"""Ridge regression on the classes, in closed form: the linear part of a head, as strong as left-out labels ask for."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fastlabel_gradio.head.calibration import Groups
from fastlabel_gradio.head.wrong_labels import Evidence, evidence

PENALTY = 0.2
PENALTIES = (0.02, PENALTY, 2.0)
SCALE = 8.0  # of logits to answers, which lie within -1 and 1: what left-out labels of most sets ask for
SURE_LABELS = 30  # weigh as much as those two numbers
MOST_LABELS = 4_096  # a random sample of more is as good, and takes 30 ms on one core
MOST_LEFT_OUT = 256  # to choose by; twice as many take some 7 ms more
FEWEST_GROUPS = 10  # of fewer, as of three speakers, those left out say less of another one than single labels do


@dataclass(frozen=True, slots=True)
class LinearPart:
    """The linear part of a head.

    Attributes:
        weight: float32[classes, dim], the map to logits: the ridge regression times what makes its probabilities about right.
        left_out: float32[labels, classes], logits of each label by such a map of all others; None where no label is doubted.
        wrong: the share of labels that are probably any class at random, 0 to 0.2.
    """

    weight: Tensor
    left_out: Tensor | None
    wrong: float


def linear_part(
    embeddings: Tensor, targets: Tensor, weights: Tensor, classes: int, groups: Groups | None = None
) -> LinearPart:
    """The ridge regression, as strong as left-out labels ask for.

    The penalty, the factor and the share of wrong labels are those at which left-out labels are most likely (`evidence`),
    drawn towards 0.2, 8 and 0, the more the fewer labels there are. On features that tell the classes well it is strong;
    where it hardly does better than guessing it says little, and leaves the word to the MLP. Of ten groups or more whole
    ones are left out: windows of one recording would vouch for each other. Where none leaves enough to learn from, they are
    the usual ones.

    Args:
        embeddings: float32[labels, dim], standardised, in random order.
        targets: int64[labels], the class of each.
        weights: float32[labels], how much each counts, 1 on average.
        groups: int64[labels], the group of each; None where they are of none.
    """
    ridge = Ridge.of(embeddings, targets, weights, classes)
    held = Held.of(targets, groups)
    found, chosen = _most_likely(ridge, held, targets) if len(held.judged) else (Evidence(0.0, SCALE, 0.0), PENALTY)
    trust = held.known / (held.known + SURE_LABELS)
    penalty, scale = (usual * math.pow(one / usual, trust) for one, usual in ((chosen, PENALTY), (found.scale, SCALE)))
    left_out = ridge.left_out(penalty, Held.first(len(targets), len(targets))) * scale if found.wrong else None
    return LinearPart(ridge.solved(penalty) * scale, left_out, trust * found.wrong)


@dataclass(frozen=True, slots=True)
class Held:
    """Labels that are left out, to choose by.

    Attributes:
        rows: int64[held], which ones.
        same: bool[held, held], which of them are left out together; None where each is alone.
        judged: int64[judged], places in `rows` of those whose class somebody else has: no strength makes the others right.
        known: how many labels, or groups, there are altogether.
    """

    rows: Tensor
    same: Tensor | None
    judged: Tensor
    known: int

    @staticmethod
    def of(targets: Tensor, groups: Groups | None) -> "Held":
        """Whole groups where there are enough of them, else labels one by one."""
        if groups is None or len(np.unique(groups)) < FEWEST_GROUPS:
            return Held.first(len(targets))
        return Held.whole(targets.cpu().numpy(), groups, targets.device)

    @staticmethod
    def first(label_count: int, most: int = MOST_LEFT_OUT) -> "Held":
        """The first 256, or as many as that, each alone."""
        rows = torch.arange(min(label_count, most))
        return Held(rows, None, rows, label_count)

    @staticmethod
    def whole(targets: np.ndarray, groups: Groups, device: torch.device) -> "Held":
        """Whole groups, as they come, of 256 labels together at most; the smallest one where each has more than that."""
        _, first, group, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
        is_large = sizes > MOST_LEFT_OUT
        order = np.lexsort((np.where(is_large, sizes, first), is_large))
        count = max(1, int((np.cumsum(sizes[order]) <= MOST_LEFT_OUT).sum()))
        rows = np.flatnonzero(np.isin(group, order[:count]))
        pairs = np.stack([group, targets], axis=1)
        _, pair, of_pair = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
        elsewhere = np.bincount(targets)[targets] > of_pair[pair.ravel()]
        same = torch.from_numpy(group[rows][:, None] == group[rows])
        judged = torch.from_numpy(np.flatnonzero(elsewhere[rows]))
        return Held(torch.from_numpy(rows).to(device), same.to(device), judged.to(device), len(sizes))


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

    def left_out(self, penalty: float, held: Held) -> Tensor:
        """float32[held, classes]: what is said of each label that is held by the map of all labels but it and its group.

        Exact, from the factor of all: PRESS (Allen, "The Relationship between Variable Selection and Data Augmentation and
        a Method for Prediction", Technometrics 1974), in blocks where labels are left out together.
        """
        goals, factor = self.goals[held.rows], self._factor(penalty)
        if self._in_labels:
            inverse = torch.cholesky_inverse(factor)[held.rows]
            off, left = inverse @ self.goals, inverse[:, held.rows]
            alone = left.diagonal()
        else:
            inputs = self.inputs[held.rows]
            halves = torch.linalg.solve_triangular(factor, inputs.T, upper=False)
            off = goals - inputs @ torch.cholesky_solve(self.sides, factor)
            alone = 1 - halves.square().sum(dim=0)
            left = alone if held.same is None else torch.eye(len(goals), device=halves.device) - halves.T @ halves
        missed = off / alone[:, None] if held.same is None else torch.linalg.solve(left * held.same, off)
        said: Tensor = (goals - missed) / self.roots[held.rows]
        return said

    @property
    def _in_labels(self) -> bool:
        return len(self.products) < self.inputs.shape[1]

    def _factor(self, penalty: float) -> Tensor:
        penalised = self.products.clone()
        penalised.diagonal().add_(penalty)
        factor: Tensor = torch.linalg.cholesky(penalised)
        return factor


def _most_likely(ridge: Ridge, held: Held, targets: Tensor) -> tuple[Evidence, float]:
    """What left-out labels say at the best penalty, and that penalty. The weakest is tried where more is worse."""
    goals = targets[held.rows][held.judged]

    def found_at(penalty: float) -> tuple[Evidence, float]:
        return evidence(ridge.left_out(penalty, held)[held.judged], goals), penalty

    low, usual, high = PENALTIES
    found = [found_at(usual), found_at(low)]
    if found[0] < found[1]:
        found.append(found_at(high))
    return min(found)
