"""How likely labels are by answers that did not learn them, and which are probably wrong. Pure arithmetic.

A label is taken to be the right class, or with a small chance any class at random: symmetric label noise, whose share is
found together with the scale of the answers by maximum likelihood (Lawrence & Schölkopf, "Estimating a Kernel Fisher
Discriminant in the Presence of Label Noise", ICML 2001; the likelihood is that of Patrini et al., "Making Deep Neural
Networks Robust to Label Noise", CVPR 2017, arXiv 1609.03683).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

SHARES = (0.0, 0.02, 0.05, 0.1, 0.2)  # of labels that are any class at random
SURE_NATS = 2.0  # by which wrong labels must be the better explanation of all that were left out
FEWEST_OF_CLASS = 10  # labels; of a rarer class each one left out is missed too much to be judged
WEAKEST, STRONGEST, STEPS = 0.8, 80.0, 24  # scales that are tried, each a fifth above the one before


@dataclass(frozen=True, slots=True, order=True)
class Evidence:
    """The best explanation of labels that were left out.

    Attributes:
        loss: how unlikely they are, mean log loss in nats, and what believing in wrong ones costs.
        scale: what the answers are multiplied by to be logits.
        wrong: the share of labels that are any class at random, 0 to 0.2.
    """

    loss: float
    scale: float
    wrong: float


def evidence(answers: Tensor, goals: Tensor) -> Evidence:
    """The scale and the share of wrong labels at which the labels are most likely.

    Args:
        answers: float32[left_out, classes], what others say of each label that was left out, at least one.
        goals: int64[left_out], the class of each.
    """
    scales = torch.logspace(math.log10(WEAKEST), math.log10(STRONGEST), STEPS, device=answers.device)
    said = (answers * scales[:, None, None]).log_softmax(dim=2)
    of_goals = said.gather(2, goals[None, :, None].expand(STEPS, -1, 1))[:, :, 0]
    losses = torch.stack([_loss(of_goals, share, answers.shape[1]) for share in SHARES])
    share, scale = divmod(int(losses.argmin()), STEPS)
    return Evidence(float(losses[share, scale]), float(scales[scale]), SHARES[share])


def chances_right(logits: Tensor, goals: Tensor, wrong: float) -> Tensor:
    """float32[labels], how likely each label is right by what others say of it; 1 for those of a class with fewer than ten.

    Args:
        logits: float32[labels, classes], of others.
        wrong: the share of labels that are any class at random.
    """
    right = (1 - wrong) * logits.softmax(dim=1).gather(1, goals[:, None])[:, 0]
    is_rare = torch.bincount(goals, minlength=logits.shape[1])[goals] < FEWEST_OF_CLASS
    return torch.where(is_rare, 1.0, right / (right + wrong / logits.shape[1]))


def _loss(of_goals: Tensor, share: float, classes: int) -> Tensor:
    """float32[scales], of the logarithms of how probable each label is, float32[scales, left_out]."""
    if not share:
        return -of_goals.mean(dim=1)
    at_random = of_goals.new_tensor(math.log(share / classes))
    return SURE_NATS / of_goals.shape[1] - torch.logaddexp(of_goals + math.log1p(-share), at_random).mean(dim=1)
