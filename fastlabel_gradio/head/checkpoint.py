"""Checkpoints: a head as a safetensors file with its info as JSON in the header, and which heads a project may use."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import CheckpointError
from fastlabel_gradio.head.model import Head, HeadInfo, MLPHead
from fastlabel_gradio.types import Label, LabelSchema

CHECKPOINT_FORMAT = 2
LARGEST_WEIGHT = 1e6  # far above any that was trained; no probability is NaN below it

_INFO = TypeAdapter(HeadInfo)


def save_head(head: Head, path: Path) -> None:
    """Writes the checkpoint atomically: safetensors with the head's info as JSON in the header. Raises OSError."""
    details = {"format": CHECKPOINT_FORMAT, **_INFO.dump_python(head.info, by_alias=True)}
    write_atomically(path, save(head.state_dict(), metadata={"fastlabel": json.dumps(details)}))


def load_head(path: Path, *, device: str = "cpu", dim: int | None = None) -> Head:
    """The head of a checkpoint.

    Args:
        dim: of the embeddings that it is for; any by default.

    Raises CheckpointError where the file is damaged, of another format, or holds what no training gives: numbers that are
    not finite, weights of a shape that does not fit the classes.
    """
    try:
        with safe_open(path, framework="pt") as file:
            details = json.loads((file.metadata() or {})["fastlabel"])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # safe_open is no mapping
        if details.pop("format") != CHECKPOINT_FORMAT:
            raise CheckpointError(f"{path}: written by another version of FastLabel. Train again from the labels.")
        info = _INFO.validate_python(details)
        return Head(_module(weights, len(info.classes), dim), info, device)
    except (OSError, SafetensorError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        reason = str(error)[:300]
        raise CheckpointError(f"{path}: not a readable checkpoint ({reason}). Train again from the labels.") from error


def _module(weights: Mapping[str, Tensor], classes: int, wanted_dim: int | None) -> MLPHead:
    """The network with those weights. Raises ValueError, KeyError, RuntimeError where they are not those of one."""
    hidden_units, dim = weights["hidden.weight"].shape
    for name, tensor in weights.items():
        if tensor.dtype != torch.float32 or not bool((tensor.abs() <= LARGEST_WEIGHT).all()):
            raise ValueError(f"'{name}' is not numbers in float32 of at most {LARGEST_WEIGHT:,.0f}")
    if dim != (wanted_dim or dim):
        raise ValueError(f"it is for embeddings of {dim} numbers, these have {wanted_dim}")
    if weights["skip.weight"].shape != (classes, dim):  # before memory is taken for a network of that size
        raise ValueError(f"'skip.weight' has the shape {tuple(weights['skip.weight'].shape)}, not {(classes, dim)}")
    module = MLPHead(dim, classes, hidden_units)
    module.load_state_dict(weights)
    return module


def check_head(info: HeadInfo, schema: LabelSchema, encoder_fingerprint: str) -> None:
    """Raises CheckpointError where a head cannot serve this encoder and schema, with both sides named."""
    if info.encoder_fingerprint != encoder_fingerprint:
        raise CheckpointError(
            f"The saved head was trained on embeddings of encoder {info.encoder_fingerprint}, "
            f"this project uses {encoder_fingerprint}. A new head is trained from the labels."
        )
    if info.classes != schema.classes:
        raise CheckpointError(
            f"The saved head knows the classes {_names(info.classes)}, the project has {_names(schema.classes)}. "
            "A new head is trained from the labels."
        )


def _names(classes: Sequence[Label]) -> str:
    return ", ".join(label.name for label in classes)
