"""Training a head from scratch on some labels.

A warm start generalises worse (Ash & Adams, "On Warm-Starting Neural Network Training", NeurIPS 2020, arXiv 1910.08475).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from fastlabel_gradio.devices import matmul_dtype
from fastlabel_gradio.head.model import HIDDEN_UNITS, Head, HeadInfo, MLPHead
from fastlabel_gradio.head.recipe import (
    DEFAULT_RECIPE,
    DROPOUT,
    HIDDEN_GAIN,
    PEAK_RATE,
    WEIGHT_DECAY,
    HeadRecipe,
    batch_rows,
    label_weights,
    learning_rate,
    ridge_weight,
    training_steps,
)
from fastlabel_gradio.head.ridge import MOST_LABELS, ridge_regression
from fastlabel_gradio.head.text_prior import TextPrior
from fastlabel_gradio.types import Embeddings


def train_head(
    embeddings: Embeddings,
    targets: np.ndarray,
    info: HeadInfo,
    *,
    recipe: HeadRecipe = DEFAULT_RECIPE,
    prior: TextPrior | None = None,
    device: str = "cpu",
    now: float | None = None,
) -> Head:
    """Trains a head from scratch: an MLP, and past it a linear map.

    The MLP learns by AdamW with warm-up and a cosine schedule; steps grow with the number of labels (`training_steps`).
    The linear map is the ridge regression on the same labels times `ridge_weight`, plus what the class names say
    (`TextPrior.weighted`), which the MLP is trained on top of. The same embeddings in the same order, targets and seed
    give the same head on the same machine.

    Args:
        embeddings: float32[n, dim], L2-normalised, n >= 1.
        targets: integers[n], the output column of each label, 0 <= target < len(info.labels).
        info: what to write into the checkpoint; `seconds` and `trained_at` are filled in here.
        prior: the embedded class names, where the encoder has a text tower.
        now: seconds since the epoch for `trained_at`; the clock's by default.
    """
    began = time.perf_counter()
    labels = _Labels.of(embeddings, targets, len(info.labels), recipe, device)
    generator = torch.Generator().manual_seed(info.seed)
    named = prior.weighted(labels.inputs.cpu(), labels.goals.cpu()).to(device) if prior else None
    members = [_trained_mlp(labels, named, generator, device) for _ in range(recipe.ensemble)]
    skip = _ridge(labels, generator) * ridge_weight(len(labels))
    module = _merged(members, skip if named is None else skip + named)
    trained_at = time.time() if now is None else now
    return Head(module.to("cpu"), replace(info, seconds=time.perf_counter() - began, trained_at=trained_at), device)


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labels on the device that trains.

    Attributes:
        inputs: float32[n, dim], unit vectors.
        goals: int64[n], the class of each.
        weights: float32[n], how much each counts.
    """

    inputs: Tensor
    goals: Tensor
    weights: Tensor
    classes: int

    @classmethod
    def of(
        cls, embeddings: Embeddings, targets: np.ndarray, classes: int, recipe: HeadRecipe, device: str
    ) -> "_Labels":
        goals = np.asarray(targets, dtype=np.int64)
        weights = label_weights(goals, classes, recipe.class_weighting)
        inputs = np.array(embeddings, copy=True)
        on_device = [torch.from_numpy(array).to(device) for array in (inputs, goals, weights)]
        return cls(on_device[0], on_device[1], on_device[2], classes)

    def __len__(self) -> int:
        return len(self.goals)


def _ridge(labels: _Labels, generator: torch.Generator) -> Tensor:
    some = torch.randperm(len(labels), generator=generator)[:MOST_LABELS].to(labels.goals.device)
    return ridge_regression(labels.inputs[some], labels.goals[some], labels.weights[some], labels.classes)


def _trained_mlp(labels: _Labels, named: Tensor | None, generator: torch.Generator, device: str) -> MLPHead:
    """An MLP without a map past it, trained so that its logits and those of the class names together are right."""
    module = _initialised(MLPHead(labels.inputs.shape[1], labels.classes), generator).to(device)
    offsets = None if named is None else labels.inputs @ named.T
    steps, rows = training_steps(len(labels)), batch_rows(len(labels))
    order = _batches(len(labels), steps, rows, generator)
    dtype = matmul_dtype(device)
    inputs = (labels.inputs * math.sqrt(labels.inputs.shape[1])).to(dtype)
    optimiser = _AdamW([*module.hidden.parameters(), *module.output.parameters()])
    for step in range(steps):
        picked = order[step].to(device)
        # One uniform draw a step serves as the dropout mask: Tensor.bernoulli_ costs more than the matrix product.
        keep = (torch.rand((rows, HIDDEN_UNITS), generator=generator) >= DROPOUT).to(device)
        logits = _training_logits(module, inputs[picked], keep, dtype)
        logits = logits if offsets is None else logits + offsets[picked]
        losses = nn.functional.cross_entropy(logits, labels.goals[picked], reduction="none")
        gradients = torch.autograd.grad((losses * labels.weights[picked]).mean(), optimiser.parameters)
        optimiser.step(list(gradients), learning_rate(step, steps, PEAK_RATE))
    return module


def _merged(members: Sequence[MLPHead], skip: Tensor) -> MLPHead:
    """One network with the mean of the logits of all: their hidden units side by side. `skip` is its map past them."""
    merged = MLPHead(skip.shape[1], len(skip), HIDDEN_UNITS * len(members))
    with torch.no_grad():
        merged.hidden.weight.copy_(torch.cat([member.hidden.weight for member in members]))
        merged.hidden.bias.copy_(torch.cat([member.hidden.bias for member in members]))
        merged.output.weight.copy_(torch.cat([member.output.weight for member in members], dim=1) / len(members))
        merged.output.bias.copy_(torch.stack([member.output.bias for member in members]).mean(dim=0))
        merged.skip.weight.copy_(skip)
    return merged


def _initialised(module: MLPHead, generator: torch.Generator) -> MLPHead:
    """The hidden layer as nn.Linear starts it times the gain, drawn from `generator`; the output layer starts at zero."""
    bound = HIDDEN_GAIN / math.sqrt(module.hidden.in_features)
    with torch.no_grad():
        for parameter in module.hidden.parameters():
            parameter.copy_((torch.rand(parameter.shape, generator=generator) * 2 - 1) * bound)
        for parameter in module.output.parameters():
            parameter.zero_()
    return module


class _AdamW:
    """torch's own fused AdamW, called as a function: making a `torch.optim.AdamW` first imports torch's compiler, 3 s."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self._means = [torch.zeros_like(parameter) for parameter in parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in parameters]
        self._steps = [torch.zeros((), device=parameter.device) for parameter in parameters]

    @torch.no_grad()
    def step(self, gradients: list[Tensor], rate: float) -> None:
        adamw(
            self.parameters,
            gradients,
            self._means,
            self._squares,
            [],
            self._steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=WEIGHT_DECAY,
            eps=1e-8,
            maximize=False,
        )


def _training_logits(module: MLPHead, inputs: Tensor, keep: Tensor, dtype: torch.dtype) -> Tensor:
    """Products in `dtype`, weights and optimiser in float32."""
    hidden, output = module.hidden, module.output
    activations = torch.relu(nn.functional.linear(inputs, hidden.weight.to(dtype), hidden.bias.to(dtype)))
    activations = activations * keep.to(dtype) * (1 / (1 - DROPOUT))
    return nn.functional.linear(activations, output.weight.to(dtype), output.bias.to(dtype)).float()


def _batches(labels: int, steps: int, rows: int, generator: torch.Generator) -> Tensor:
    """Positions int64[steps, rows]: whole shuffled passes over the labels, one after the other."""
    passes = math.ceil(steps * rows / labels)
    order = torch.cat([torch.randperm(labels, generator=generator) for _ in range(passes)])
    return order[: steps * rows].reshape(steps, rows)
