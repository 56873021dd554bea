"""Training a head from scratch on some labels.

A warm start generalises worse (Ash & Adams, "On Warm-Starting Neural Network Training", NeurIPS 2020, arXiv 1910.08475).
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor, nn
from torch.optim.adamw import adamw

from fastlabel_gradio.devices import matmul_dtype
from fastlabel_gradio.head.calibration import Groups
from fastlabel_gradio.head.model import HIDDEN_UNITS, Head, HeadInfo, MLPHead
from fastlabel_gradio.head.recipe import (
    DEFAULT_RECIPE,
    DROPOUT,
    HIDDEN_GAIN,
    WEIGHT_DECAY,
    HeadRecipe,
    batch_rows,
    label_weights,
    learning_rate,
    linear_weight,
    names_lead,
    peak_rate,
    sum_temperature,
    training_steps,
    usual_temperature,
)
from fastlabel_gradio.head.ridge import MOST_LABELS, LinearPart, linear_part
from fastlabel_gradio.head.spread import Spread
from fastlabel_gradio.head.text_prior import TextPrior
from fastlabel_gradio.head.wrong_labels import chances_right
from fastlabel_gradio.types import Embeddings

Targets = Int64[np.ndarray, " items"]


def train_head(
    embeddings: Embeddings,
    targets: Targets,
    info: HeadInfo,
    *,
    recipe: HeadRecipe = DEFAULT_RECIPE,
    spread: Spread | None = None,
    prior: TextPrior | None = None,
    groups: Groups | None = None,
    device: str = "cpu",
    now: float | None = None,
) -> Head:
    """Trains a head from scratch: an MLP, and past it a linear map.

    The MLP learns by AdamW with warm-up and a cosine schedule; how many steps depends on the labels (`training_steps`), and
    one peak rate fits all numbers of them; its logits are divided by `usual_temperature`. The linear map is the ridge
    regression on the same labels, as strong as each of them, left out, asks for (`linear_part`), times `linear_weight`.
    Where some of the labels left out look wrong, both learn these less (`wrong_labels`).
    Both together are divided by `sum_temperature`. What the class names say (`TextPrior.weighted`) is added, and leads
    while labels are few (`names_lead`); the MLP is trained on top of it. The same embeddings in the same order, targets and
    seed give the same head on the same machine.

    Args:
        embeddings: float32[n, dim], L2-normalised, n >= 1.
        targets: int64[n], the output column of each label, 0 <= target < len(info.classes).
        info: what to write into the checkpoint; `seconds` and `trained_at` are filled in here.
        spread: where the pool lies and how wide; around the origin at distance 1 by default. It is folded into the weights.
        prior: the embedded class names, where the encoder has a text tower.
        groups: int64[n], the group of each label, by which `linear_part` leaves them out; None where they are of none.
        now: seconds since the epoch for `trained_at`; the clock's by default.
    """
    began = time.perf_counter()
    spread = spread or Spread.around_origin(embeddings.shape[1])
    generator = torch.Generator().manual_seed(info.seed)
    named = prior.weighted(embeddings, targets) if prior else np.zeros((len(info.classes), embeddings.shape[1]), "f4")
    weights = label_weights(targets, len(named), recipe.class_weighting)
    columns = (spread.standardised(embeddings), targets, weights, embeddings @ named.T)
    labels = _Labels(*(torch.from_numpy(column).to(device) for column in columns))
    weight, believed = _linear(labels, groups, info.seed)
    members = [_trained_mlp(believed, generator, device) for _ in range(recipe.ensemble)]
    count, usual = labels.inputs.shape, usual_temperature(len(labels))
    linear = weight * linear_weight(*count) * usual
    lead = names_lead(len(labels), labels.classes) if prior else 1.0
    learned = _tempered(_merged(members, linear), usual * sum_temperature(*count) * lead)
    module = _for_raw_inputs(learned, spread, named)
    trained_at = time.time() if now is None else now
    return Head(module.to("cpu"), replace(info, seconds=time.perf_counter() - began, trained_at=trained_at), device)


@dataclass(frozen=True, slots=True)
class _Labels:
    """Labels on the device that trains.

    Attributes:
        inputs: float32[n, dim], standardised embeddings.
        goals: int64[n], the class of each.
        weights: float32[n], how much each counts.
        offsets: float32[n, classes], logits of the class names; zeros where those say nothing.
    """

    inputs: Tensor
    goals: Tensor
    weights: Tensor
    offsets: Tensor

    @property
    def classes(self) -> int:
        return self.offsets.shape[1]

    def __len__(self) -> int:
        return len(self.goals)


def _linear(labels: _Labels, groups: Groups | None, seed: int) -> tuple[Tensor, _Labels]:
    """The linear map, and the labels to train on: those that are probably wrong by what the others say of them count less."""
    chosen = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[:MOST_LABELS]
    some = chosen.to(labels.goals.device)
    of_groups = None if groups is None else groups[chosen.numpy()]

    def fitted(weights: Tensor) -> LinearPart:
        return linear_part(labels.inputs[some], labels.goals[some], weights[some], labels.classes, of_groups)

    found = fitted(labels.weights)
    if found.left_out is None:
        return found.weight, labels
    logits = labels.inputs @ found.weight.T
    logits[some] = found.left_out
    weights = labels.weights * chances_right(logits, labels.goals, found.wrong)
    weights = weights / weights.mean()
    return fitted(weights).weight, replace(labels, weights=weights)


@torch.no_grad()
def _trained_mlp(labels: _Labels, generator: torch.Generator, device: str) -> MLPHead:
    """An MLP without a map past it, trained so that its logits and those of the class names together are right."""
    module = _initialised(MLPHead(labels.inputs.shape[1], labels.classes), generator).to(device)
    steps, rows, peak = training_steps(len(labels)), batch_rows(len(labels)), peak_rate(labels.inputs.shape[1])
    order = _batches(len(labels), steps, rows, generator).to(device)
    dtype = matmul_dtype(device)
    inputs = (labels.inputs * math.sqrt(labels.inputs.shape[1])).to(dtype)
    dropping = generator if device == "cpu" else _generator_on(device, generator)
    optimiser = _AdamW([*module.hidden.parameters(), *module.output.parameters()])
    for step in range(steps):
        batch, offsets, goals, weights = (
            column.index_select(0, order[step]) for column in (inputs, labels.offsets, labels.goals, labels.weights)
        )
        gradients = _gradients(module, batch, offsets, goals, weights / rows, _dropout_mask(rows, dropping, dtype))
        optimiser.step(gradients, learning_rate(step, steps, peak))
    return module


def _merged(members: Sequence[MLPHead], linear: Tensor) -> MLPHead:
    """One network with the mean of the logits of all: their hidden units side by side, and the linear map past them."""
    merged = MLPHead(linear.shape[1], len(linear), HIDDEN_UNITS * len(members))
    with torch.no_grad():
        merged.hidden.weight.copy_(torch.cat([member.hidden.weight for member in members]))
        merged.hidden.bias.copy_(torch.cat([member.hidden.bias for member in members]))
        merged.output.weight.copy_(torch.cat([member.output.weight for member in members], dim=1) / len(members))
        merged.output.bias.copy_(torch.stack([member.output.bias for member in members]).mean(dim=0))
        merged.skip.weight.copy_(linear)
        merged.skip.bias.zero_()
    return merged


def _tempered(module: MLPHead, temperature: float) -> MLPHead:
    """The same network with its logits divided by that."""
    with torch.no_grad():
        for layer in (module.output, module.skip):
            layer.weight.div_(temperature)
            layer.bias.div_(temperature)
    return module


def _for_raw_inputs(module: MLPHead, spread: Spread, named: Embeddings) -> MLPHead:
    """The same network on embeddings as they are: standardising is folded into its weights, the class names are added."""
    mean = torch.from_numpy(spread.mean).to(module.skip.weight)
    with torch.no_grad():
        for layer, gain in ((module.hidden, math.sqrt(len(mean))), (module.skip, 1.0)):
            layer.weight.div_(spread.distance)
            layer.bias.sub_(gain * (layer.weight @ mean))
        module.skip.weight.add_(torch.from_numpy(named).to(module.skip.weight))
    return module


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


def _gradients(
    module: MLPHead, inputs: Tensor, offsets: Tensor, goals: Tensor, weights: Tensor, mask: Tensor
) -> list[Tensor]:
    """Of the weighted sum of the log losses, float32, in the order of the parameters, by hand: autograd takes more calls.

    Products are in the precision of `inputs`, weights and optimiser in float32.

    Args:
        mask: the dropout mask.
    """
    hidden, output, dtype = module.hidden, module.output, inputs.dtype
    activations = torch.relu_(nn.functional.linear(inputs, hidden.weight.to(dtype), hidden.bias.to(dtype))).mul_(mask)
    to_logits = output.weight.to(dtype)
    logits = nn.functional.linear(activations, to_logits, output.bias.to(dtype)).float() + offsets
    missed = (logits.softmax(dim=1) - nn.functional.one_hot(goals, logits.shape[1])) * weights[:, None]
    of_output = missed.to(dtype)
    of_hidden = (of_output @ to_logits).mul_(mask).mul_(activations > 0)
    found = (of_hidden.T @ inputs, of_hidden.sum(dim=0), of_output.T @ activations, missed.sum(dim=0))
    return [gradient.float() for gradient in found]


def _generator_on(device: str, generator: torch.Generator) -> torch.Generator:
    """One there, so that no mask has to be sent; what it draws follows from the generator of the CPU."""
    seed = int(torch.randint(2**62, (), generator=generator))
    return torch.Generator(device).manual_seed(seed)


def _dropout_mask(rows: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    """The dropout mask of a batch, on the generator's device: 0 where a unit is dropped, else 1 / the share that is kept.

    A random byte a unit, eight at once: a uniform float each costs as much as the matrix products of the step.
    """
    numbers = torch.empty((rows, HIDDEN_UNITS // 8), dtype=torch.int64, device=generator.device)
    drawn = numbers.random_(-(2**63), None, generator=generator).view(torch.uint8)
    dropped = round(256 * DROPOUT)
    if generator.device.type == "cpu":  # NumPy compares bytes ten times as fast as torch
        return torch.from_numpy((drawn.numpy() >= dropped).view(np.uint8)).to(dtype) * (256 / (256 - dropped))
    return (drawn >= dropped).to(dtype) * (256 / (256 - dropped))


def _batches(label_count: int, steps: int, rows: int, generator: torch.Generator) -> Tensor:
    """Positions int64[steps, rows]: whole shuffled passes over the labels, one after the other."""
    passes = math.ceil(steps * rows / label_count)
    order = torch.cat([torch.randperm(label_count, generator=generator) for _ in range(passes)])
    return order[: steps * rows].reshape(steps, rows)
