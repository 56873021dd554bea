"""Checkpoints: a head as a safetensors file with its info as JSON in the header, and which heads a project may use."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import CheckpointError
from fastlabel_gradio.head.model import Head, HeadInfo, MLPHead
from fastlabel_gradio.types import Label, LabelSchema

CHECKPOINT_FORMAT = 2


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
        hidden_units, dim = weights["hidden.weight"].shape
        module = MLPHead(dim, len(info.labels), hidden_units)
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
