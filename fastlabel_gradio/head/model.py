"""What a head is: an MLP with a linear connection past it, and the face that it shows to the loop."""

import copy
import math
import warnings
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import torch
from jaxtyping import Float32, Int64
from pydantic import Field
from torch import Tensor, nn

from fastlabel_gradio.devices import matmul_dtype
from fastlabel_gradio.head.recipe import DROPOUT, RECIPE
from fastlabel_gradio.row_padding import padded
from fastlabel_gradio.types import Embeddings, Label, LabelSchema, Probabilities, Rows

HIDDEN_UNITS = 512
BLOCK_ROWS = 2048  # with 512 numbers a row 4 MiB of float32: a block stays in a core's cache on its way

# Checked where a head is read from a file.
Count = Annotated[int, Field(ge=0, le=2**53)]
Number = Annotated[float, Field(allow_inf_nan=False)]

# Memory-mapped embeddings are read-only, and only read.
warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)


class MLPHead(nn.Module):
    """Linear(dim, 512), ReLU, Dropout(0.2), Linear(512, classes) of x·sqrt(dim), plus Linear(dim, classes) of x.

    A wide and deep network (Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016, arXiv 1606.07792).
    float32[n, dim], unit vectors, to logits float32[n, classes]. Times sqrt(dim) each number is about 1: the default
    start and rate of training then fit.
    """

    def __init__(self, dim: int, classes: int, hidden_units: int = HIDDEN_UNITS) -> None:
        super().__init__()
        self.hidden = nn.Linear(dim, hidden_units)
        self.dropout = nn.Dropout(DROPOUT)
        self.output = nn.Linear(hidden_units, classes)
        self.skip = nn.Linear(dim, classes)
        self.input_scale = math.sqrt(dim)

    def forward(self, embeddings: Tensor) -> Tensor:
        logits: Tensor = self.output(self.dropout(self.activations(embeddings))).float() + self.skip(embeddings)
        return logits

    def activations(self, embeddings: Tensor) -> Tensor:
        """The hidden layer after ReLU, in the precision of its weights: [n, hidden]."""
        scaled = embeddings if self.input_scale == 1 else embeddings * self.input_scale
        return torch.relu_(self.hidden(scaled.to(self.hidden.weight.dtype)))

    def absorb_scale(self) -> None:
        """Takes the input's scale into the weights: the same network, one pass over its input less."""
        with torch.no_grad():
            self.hidden.weight *= self.input_scale
        self.input_scale = 1.0


@dataclass(frozen=True, slots=True)
class HeadInfo:
    """What a checkpoint says of the head inside.

    Attributes:
        version: counts the trainings of a project, from 1; 0 is the head of the class names alone (`zero_shot_head`).
        classes: the schema's in the order of the output columns.
        label_count: annotations it was trained on.
        seconds: how long the training took.
        trained_at: seconds since the epoch.
        temperature: what logits are divided by before the softmax; above 1 the head is less sure of itself.
        audit: the mark of the audit whose items it was not trained on; "" in checkpoints of earlier versions.
    """

    version: Count
    classes: Annotated[tuple[Label, ...], Field(alias="labels")]  # as checkpoints have called it from the first one on
    encoder_fingerprint: str
    label_count: Count
    seconds: Number = 0.0
    trained_at: Number = 0.0
    seed: int = 0
    recipe: str = RECIPE
    temperature: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    audit: str = ""

    @property
    def label_ids(self) -> tuple[int, ...]:
        """By output column the id of the class."""
        return tuple(label.id for label in self.classes)


class Head:
    """A trained head. Immutable; may be used from several threads at once.

    Attributes:
        device: that it computes on.
        columns: where classes were changed since it was trained: of each of its outputs the position in `info.classes` of
            the class that it counts for now, -1 for none; None where its outputs are these classes.
    """

    def __init__(self, module: MLPHead, info: HeadInfo, device: str = "cpu") -> None:
        self.info = info
        self.columns: tuple[int, ...] | None = None
        self._classes = info.classes
        self.device = device
        self._module = module.eval().requires_grad_(False).to(device)
        # The skip connection stays in float32: it carries cosines times 100, which bf16 would round to eighths.
        self._scorer = copy.deepcopy(self._module)
        self._scorer.absorb_scale()
        self._scorer.hidden.to(matmul_dtype(device))
        self._scorer.output.to(matmul_dtype(device))

    def at_temperature(self, temperature: float) -> "Head":
        """The same head, surer of itself (below 1) or less sure (above); its predictions stay the same."""
        other = copy.copy(self)
        other.info = replace(self.info, temperature=temperature)
        return other

    def on(self, device: str) -> "Head":
        """The same head on that device, in the precision that is wanted there now."""
        other = Head(copy.deepcopy(self._module).cpu(), replace(self.info, classes=self._classes), device)
        other.info, other.columns = self.info, self.columns
        return other

    def fits(self, schema: LabelSchema) -> bool:
        """Whether its columns are the classes of a schema, whatever they are called."""
        return self.info.label_ids == schema.ids

    def seen_through(self, schema: LabelSchema) -> "Head | None":
        """The same head with the classes of a schema as its columns; None where it tells fewer than two of them apart.

        The probabilities of classes that were merged are added up, those of archived ones are shared out among the others
        in proportion, and a class that it was not trained on has none. Its outputs stay as they are, so that a change of
        classes that is taken back brings back what it said.
        """
        places = schema.positions
        columns = tuple(places.get(label.id, -1) for label in self._classes)
        if len({*columns} - {-1}) < 2:
            return None
        other = copy.copy(self)
        is_as_trained = columns == tuple(range(len(schema.classes)))
        other.info = replace(self.info, classes=self._classes if is_as_trained else schema.classes)
        other.columns = None if is_as_trained else columns
        return other

    def predict_proba(self, embeddings: Embeddings) -> Probabilities:
        """Class probabilities float32[n, classes], each row summing to 1; n may be 0.

        Those of an item are the same to the last bit in a batch of any size.
        """
        probabilities = np.empty((len(embeddings), len(self.info.classes)), dtype=np.float32)
        for start in range(0, len(embeddings), BLOCK_ROWS):
            block = self._inputs(embeddings[start : start + BLOCK_ROWS])
            probabilities[start : start + BLOCK_ROWS] = self.said(block).cpu().numpy()
        return probabilities

    def said(self, embeddings: Tensor) -> Tensor:
        """The same of a tensor on the head's device, float32[n, dim], in one piece and as a tensor there."""
        with torch.inference_mode():
            logits = self._scorer(padded(embeddings))[: len(embeddings)]
            return self._of_classes((logits / self.info.temperature).softmax(dim=1))

    def probabilities_of(self, embeddings: Tensor) -> Tensor:
        """As `predict_proba`, in float32, of and as a tensor: a function that an exporter can follow."""
        logits: Tensor = self._module(embeddings)
        return (logits / self.info.temperature).softmax(dim=1)

    def predict_proba_rows(self, embeddings: Embeddings, rows: Rows) -> Float32[np.ndarray, "picked classes"]:
        """Probabilities of some rows of a larger, possibly memory-mapped array, gathered in blocks (bounded memory)."""
        probabilities = np.empty((len(rows), len(self.info.classes)), dtype=np.float32)
        for start in range(0, len(rows), BLOCK_ROWS):
            block = rows[start : start + BLOCK_ROWS]
            probabilities[start : start + len(block)] = self.predict_proba(np.asarray(embeddings[block]))
        return probabilities

    def logits(self, embeddings: Embeddings) -> Float32[np.ndarray, "items classes"]:
        """What the softmax is taken of at temperature 1, float32[n, classes]."""
        with torch.inference_mode():
            logits: Tensor = self._scorer(self._inputs(embeddings))
            return logits.cpu().numpy()

    def hidden(self, embeddings: Embeddings) -> Float32[np.ndarray, "items hidden"]:
        """The hidden layer after ReLU, float32[n, hidden]."""
        with torch.inference_mode():
            return self._scorer.activations(self._inputs(embeddings)).float().cpu().numpy()

    def dropout_predictions(self, embeddings: Embeddings, passes: int, seed: int) -> Int64[np.ndarray, "passes items"]:
        """The predicted class of each item in each of some passes in which dropout stays on; the same for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        votes = np.empty((passes, len(embeddings)), dtype=np.int64)
        for start in range(0, len(embeddings), BLOCK_ROWS):
            inputs = self._inputs(embeddings[start : start + BLOCK_ROWS])
            with torch.inference_mode():
                activations, skipped = self._scorer.activations(inputs), self._scorer.skip(inputs)
                for number in range(passes):
                    keep = (torch.rand(activations.shape, generator=generator) >= DROPOUT).to(activations)
                    logits = self._scorer.output(activations * keep * (1 / (1 - DROPOUT))) + skipped
                    said = self._of_classes(logits.softmax(dim=1))
                    votes[number, start : start + len(inputs)] = said.argmax(dim=1).cpu().numpy()
        return votes

    def state_dict(self) -> dict[str, Tensor]:
        """The weights in float32, on the CPU."""
        return {name: tensor.detach().cpu().contiguous() for name, tensor in self._module.state_dict().items()}

    def _of_classes(self, said: Tensor) -> Tensor:
        """Probabilities of the outputs as those of `info.classes`, each row summing to 1."""
        if self.columns is None:
            return said
        summed = said.new_zeros(len(said), len(self.info.classes))
        for place, column in enumerate(self.columns):
            if column >= 0:
                summed[:, column] += said[:, place]
        return summed / summed.sum(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)

    def _inputs(self, embeddings: Embeddings) -> Tensor:
        """Without a copy where the device is the CPU; only read."""
        return torch.from_numpy(embeddings).to(self.device)
