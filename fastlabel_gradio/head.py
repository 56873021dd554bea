"""The trainable part: a small MLP on frozen embeddings, its recipe, and its checkpoint.

Trained from scratch each round: a warm start generalises worse (Ash & Adams, "On Warm-Starting Neural Network Training",
NeurIPS 2020, arXiv 1910.08475). Nothing here knows of threads, items or the loop.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int64
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.optim.adamw import adamw

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.devices import matmul_dtype
from fastlabel_gradio.errors import CheckpointError
from fastlabel_gradio.types import Embeddings, Label, LabelSchema, Probabilities, Rows

HIDDEN_UNITS = 512
DROPOUT = 0.2
WEIGHT_DECAY = 1e-2
PEAK_RATE = 4e-3
# Times nn.Linear's own start. With few labels a head is little more than that: on scikit-learn's digits these gain 3
# points at 20 labels and 1 at 50, and cost nothing from 200 on.
HIDDEN_GAIN, OUTPUT_GAIN = 2.0, 0.25
RECIPE = "mlp512-2"  # part of every checkpoint; changes with anything below that changes a trained head
CHECKPOINT_FORMAT = 1
SCORE_BLOCK_ROWS = 8192


class MLPHead(nn.Module):
    """Linear(dim, 512), ReLU, Dropout(0.2), Linear(512, classes): float32[n, dim] to logits float32[n, classes]."""

    def __init__(self, dim: int, classes: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, HIDDEN_UNITS)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(HIDDEN_UNITS, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        logits: Tensor = self.output(self.dropout(torch.relu(self.hidden(inputs))))
        return logits


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a checkpoint says of the head inside.

    Attributes:
        version: counts the trainings of a project, from 1.
        labels: the schema's labels in the order of the output columns.
        label_count: annotations it was trained on.
        seconds: how long the training took.
        trained_at: seconds since the epoch.
    """

    version: int
    labels: tuple[Label, ...]
    encoder_fingerprint: str
    label_count: int
    seconds: float = 0.0
    trained_at: float = 0.0
    seed: int = 0
    recipe: str = RECIPE


class Head:
    """A trained head. Immutable; may be used from several threads at once."""

    def __init__(self, module: MLPHead, info: HeadInfo, device: str = "cpu") -> None:
        self.info = info
        self._device = device
        self._dtype = matmul_dtype(device)
        self._module = module.eval().requires_grad_(False).to(device)
        self._scorer = MLPHead(module.hidden.in_features, module.output.out_features).eval().requires_grad_(False)
        self._scorer.load_state_dict(self._module.state_dict())
        self._scorer.to(device, self._dtype)

    def predict_proba(self, embeddings: Embeddings) -> Probabilities:
        """Class probabilities float32[n, classes], each row summing to 1; n may be 0."""
        return self.predict_proba_rows(embeddings, np.arange(len(embeddings)))

    def predict_proba_rows(self, embeddings: Embeddings, rows: Rows) -> Float32[np.ndarray, "picked classes"]:
        """Probabilities of some rows of a larger, possibly memory-mapped array, gathered in blocks (bounded memory)."""
        probabilities = np.empty((len(rows), len(self.info.labels)), dtype=np.float32)
        for start in range(0, len(rows), SCORE_BLOCK_ROWS):
            block = rows[start : start + SCORE_BLOCK_ROWS]
            with torch.inference_mode():
                logits = self._scorer(self._inputs(embeddings[block]))
                probabilities[start : start + len(block)] = logits.float().softmax(dim=1).cpu().numpy()
        return probabilities

    def hidden(self, embeddings: Embeddings) -> Float32[np.ndarray, "items hidden"]:
        """The hidden layer after ReLU, float32[n, 512]."""
        with torch.inference_mode():
            activations: Tensor = torch.relu(self._scorer.hidden(self._inputs(embeddings)))
            return activations.float().cpu().numpy()

    def dropout_predictions(self, embeddings: Embeddings, passes: int, seed: int) -> Int64[np.ndarray, "passes items"]:
        """The predicted class of each item in each of some passes in which dropout stays on; the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        votes = np.empty((passes, len(embeddings)), dtype=np.int64)
        for start in range(0, len(embeddings), SCORE_BLOCK_ROWS):
            block = embeddings[start : start + SCORE_BLOCK_ROWS]
            with torch.inference_mode():
                activations = torch.relu(self._scorer.hidden(self._inputs(block)))
                for number in range(passes):
                    keep = (torch.rand((len(block), HIDDEN_UNITS), generator=generator) >= DROPOUT).to(activations)
                    logits = self._scorer.output(activations * keep * (1 / (1 - DROPOUT)))
                    votes[number, start : start + len(block)] = logits.argmax(dim=1).cpu().numpy()
        return votes

    def state_dict(self) -> dict[str, Tensor]:
        """The weights in float32, on the CPU."""
        return {name: tensor.detach().cpu().contiguous() for name, tensor in self._module.state_dict().items()}

    def _inputs(self, embeddings: Embeddings) -> Tensor:
        return _scaled(torch.from_numpy(np.array(embeddings, copy=True)).to(self._device, self._dtype))


def train_head(
    embeddings: Embeddings, targets: np.ndarray, info: HeadInfo, *, device: str = "cpu", now: float | None = None
) -> Head:
    """Trains a head from scratch.

    AdamW with warm-up and a cosine schedule; steps grow with the number of labels (`training_steps`). The same embeddings
    in the same order, targets and seed give the same head on the same machine.

    Args:
        embeddings: float32[n, dim], L2-normalised, n >= 1.
        targets: integers[n], the output column of each label, 0 <= target < len(info.labels).
        info: what to write into the checkpoint; `seconds` and `trained_at` are filled in here.
        now: seconds since the epoch for `trained_at`; the clock's by default.
    """
    began = time.perf_counter()
    generator = torch.Generator().manual_seed(info.seed)
    inputs = _scaled(torch.from_numpy(np.array(embeddings, copy=True)))
    goals = torch.from_numpy(np.asarray(targets, dtype=np.int64))
    module = _initialised(MLPHead(inputs.shape[1], len(info.labels)), generator)
    _optimise(module, inputs, goals, generator, matmul_dtype(device), device)
    trained_at = time.time() if now is None else now
    return Head(module.to("cpu"), replace(info, seconds=time.perf_counter() - began, trained_at=trained_at), device)


def training_steps(labels: int) -> int:
    """Optimiser steps for that many labels: 94 at 50, 68 at 1,000, 142 at 5,000, 420 at 20,000.

    They grow with the labels; below 300 or so there are more again, because the batches are small and so many passes gain
    half a point.
    """
    return max(100 - labels // 8, 50 + labels // 54)


def batch_rows(labels: int) -> int:
    """Rows of a training batch: all below 128, then 128, 256 from 10,000 labels on."""
    return min(labels, 256 if labels >= 10_000 else 128)


def learning_rate(step: int, steps: int, peak: float) -> float:
    """Linear warm-up over the first tenth of the steps, then a cosine to 0."""
    warm_up = max(1, steps // 10)
    if step < warm_up:
        return peak * (step + 1) / warm_up
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warm_up) / (steps - warm_up)))


def save_head(head: Head, path: Path) -> None:
    """Writes the checkpoint atomically: safetensors with the head's info as JSON in the header. Raises OSError."""
    details = {"format": CHECKPOINT_FORMAT, **asdict(head.info)}
    write_atomically(path, save(head.state_dict(), metadata={"fastlabel": json.dumps(details)}))


def load_head(path: Path, *, device: str = "cpu") -> Head:
    """The head of a checkpoint. Raises CheckpointError where the file is damaged or of another format."""
    try:
        with safe_open(path, framework="pt") as file:
            details = json.loads((file.metadata() or {})["fastlabel"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # safe_open is no mapping
        if details.pop("format") != CHECKPOINT_FORMAT:
            raise CheckpointError(f"{path}: written by another version of FastLabel. Train again from the labels.")
        info = HeadInfo(**{**details, "labels": tuple(Label(**label) for label in details["labels"])})
        module = MLPHead(weights["hidden.weight"].shape[1], len(info.labels))
        module.load_state_dict(weights)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(f"{path}: not a readable checkpoint ({error}). Train again from the labels.") from error
    return Head(module, info, device)


def check_head(info: HeadInfo, schema: LabelSchema, encoder_fingerprint: str) -> None:
    """Raises CheckpointError where a head cannot serve this encoder and schema, with both sides named."""
    if info.encoder_fingerprint != encoder_fingerprint:
        raise CheckpointError(
            f"The saved head was trained on embeddings of encoder {info.encoder_fingerprint}, "
            f"this project uses {encoder_fingerprint}. A new head is trained from the labels."
        )
    if info.labels != schema.labels:
        raise CheckpointError(
            f"The saved head knows the classes {_names(info.labels)}, the project has {_names(schema.labels)}. "
            "A new head is trained from the labels."
        )


def _names(labels: Sequence[Label]) -> str:
    return ", ".join(label.name for label in labels)


def _scaled(embeddings: Tensor) -> Tensor:
    """Unit vectors times sqrt(dim), so that each number is about 1: default initialisation and rate then fit."""
    return embeddings * math.sqrt(embeddings.shape[1])


def _initialised(module: MLPHead, generator: torch.Generator) -> MLPHead:
    """nn.Linear's own distribution times the gains, drawn from `generator` instead of the process-wide one."""
    with torch.no_grad():
        for layer, gain in ((module.hidden, HIDDEN_GAIN), (module.output, OUTPUT_GAIN)):
            bound = gain / math.sqrt(layer.in_features)
            for parameter in (layer.weight, layer.bias):
                parameter.copy_((torch.rand(parameter.shape, generator=generator) * 2 - 1) * bound)
    return module


def _optimise(
    module: MLPHead, inputs: Tensor, goals: Tensor, generator: torch.Generator, dtype: torch.dtype, device: str
) -> None:
    steps, rows = training_steps(len(goals)), batch_rows(len(goals))
    order = _batches(len(goals), steps, rows, generator)
    module.to(device).train()
    inputs, goals = inputs.to(device, dtype), goals.to(device)
    optimiser = _AdamW(list(module.parameters()))
    for step in range(steps):
        picked = order[step].to(device)
        # One uniform draw a step serves as the dropout mask: Tensor.bernoulli_ costs more than the matrix product.
        keep = (torch.rand((rows, HIDDEN_UNITS), generator=generator) >= DROPOUT).to(device)
        loss = nn.functional.cross_entropy(_training_logits(module, inputs[picked], keep, dtype), goals[picked])
        gradients = torch.autograd.grad(loss, optimiser.parameters)
        optimiser.step(list(gradients), learning_rate(step, steps, PEAK_RATE))


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
