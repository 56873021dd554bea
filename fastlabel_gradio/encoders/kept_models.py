"""With which model a project began, for encoders that are named without one.

A later version may have another default model. A project goes on with its own: its vectors stay, and what was learned on
them.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.encoders.base import EncoderOptions
from fastlabel_gradio.errors import ConfigError

RECORD = "encoders.json"
MODEL_OPTIONS = ("model", "pretrained")
EARLIER = {"model": "ViT-B-32", "pretrained": "laion2b_s34b_b79k"}  # of 'clip' before a project recorded its model
EARLIER_CLIPS = ("clip", "clip_spectrogram")

KeptModels = Mapping[str, Mapping[str, object]]


def kept_models(folder: Path) -> KeptModels:
    """The options that name the model, by encoder, with which a project began. Raises ConfigError for a damaged record.

    Args:
        folder: of the project; one that has embeddings of CLIP and no record is of a version with the default of then.
    """
    earlier = {name: EARLIER for name in EARLIER_CLIPS if any(folder.glob(f"{name}-*.f32"))}
    return {**earlier, **_recorded(folder / RECORD)}


def keep_model(folder: Path, name: str, options: EncoderOptions) -> None:
    """Records the model of an encoder where its options leave it open, the first time."""
    chosen = {key: getattr(options, key) for key in MODEL_OPTIONS if key in type(options).model_fields}
    kept = kept_models(folder)
    if name in kept or not chosen or "model" in options.model_fields_set:
        return
    text = json.dumps({**kept, name: chosen}, indent=2, sort_keys=True)
    write_atomically(folder / RECORD, text.encode())


def with_kept_model(name: str, options: Mapping[str, object], kept: KeptModels) -> Mapping[str, object]:
    """The options, with the model that the project began with where they name none."""
    return options if "model" in options else {**kept.get(name, {}), **options}


def _recorded(record: Path) -> KeptModels:
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(record, f" ({error})") from error
    if not (isinstance(content, dict) and all(isinstance(model, dict) for model in content.values())):
        raise _damaged(record, "")
    return content


def _damaged(record: Path, reason: str) -> ConfigError:
    return ConfigError(
        f"{record} is damaged{reason}: it says with which model the embeddings beside it were made. Name the model in the "
        "encoder's options and delete the file."
    )
