"""Which encoder a project uses, kept beside its embeddings, and which one a start begins with where another is asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.encoders import OFFLINE, EncoderChoice, check_encoder
from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.encoders.recorded_models import MODEL_OPTIONS, RecordedModels, with_own_model
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError, UnknownNameError
from fastlabel_gradio.options import parse_options

RECORD = "encoder_in_use.json"
IS_MODEL_OPEN = "is_model_open"  # in the record: no model was named, so the one in it goes on under a later default
# The default of versions that kept no record.
EARLIER_MODEL = {"model": "ViT-B-32", "pretrained": "laion2b_s34b_b79k"}
OF_EARLIER_MODEL = ("clip", "clip_spectrogram")

ChangeRule = Literal["better", "always", "at_once"]
Named = tuple[str, Mapping[str, object]]  # a registered name and options


@dataclass(frozen=True, slots=True)
class EncoderPlan:
    """The encoder that a start begins with, and the one that embeds the pool behind it; None for no change."""

    begins_with: EncoderChoice
    changes_to: EncoderChoice | None = None


def plan_encoder(
    folder: Path, choice: EncoderChoice, base_dir: Path, *, is_auto: bool, keeps_serving: bool
) -> EncoderPlan:
    """What a project that asks for an encoder begins with: the one that it used last where that goes on meanwhile.

    "auto" changes no project that has begun: it says in the notice what could be had.

    Args:
        folder: of the project.
        choice: what `check_encoder` gives for the one that is asked for. is_auto: whether none is asked for by name.
        base_dir: relative paths in recorded options are relative to this folder.
        keeps_serving: whether the encoder used last goes on until the other one has embedded the pool.

    Raises:
        ConfigError: the record is damaged.
    """
    used = recorded_encoder(folder) or (_earlier_stand_in(folder, choice) if is_auto else None)
    if used is None or _is_same(used, choice):
        return EncoderPlan(choice)
    if not is_auto and not keeps_serving:
        return EncoderPlan(choice)
    try:
        before = check_encoder(*used, choice.medium, base_dir)
    except (EncoderUnavailableError, UnknownNameError) as error:
        remark = f"The encoder used before is not available ({error}), so all is embedded again with '{choice.name}'."
        return EncoderPlan(replace(choice, remark=remark))
    if not is_auto:
        return EncoderPlan(before, choice)
    return EncoderPlan(replace(before, refused=choice.refused, instead_of=choice.name))


def keep_encoder_in_use(folder: Path, name: str, choice: EncoderChoice) -> None:
    """Records the encoder that a project uses from now on. One that only stands in for another replaces no record.

    Args:
        name: of the encoder that came of the choice.

    Raises OSError.
    """
    is_choice, used = name == choice.name, recorded_encoder(folder)
    if used is not None and (not is_choice or _is_same(used, choice)):
        return
    content: dict[str, object] = {"kind": name}
    if is_choice:
        content |= with_own_model(choice.options) | ({IS_MODEL_OPEN: True} if choice.is_model_open else {})
    write_atomically(folder / RECORD, json.dumps(content, indent=2).encode())


def recorded_models(folder: Path) -> RecordedModels:
    """The model that a project goes on with where an encoder is named without one. Raises ConfigError: damaged record.

    Args:
        folder: of the project; one that has embeddings of CLIP and no record is of a version with the default of then.
    """
    if content := _record(folder):
        model = {key: content[key] for key in MODEL_OPTIONS if key in content}
        return {content["kind"]: model} if content.get(IS_MODEL_OPEN) else {}
    return {name: EARLIER_MODEL for name in OF_EARLIER_MODEL if any(folder.glob(f"{name}-*.f32"))}


def recorded_encoder(folder: Path) -> Named | None:
    """The encoder that a project used last; None before its first start with this version. Raises ConfigError."""
    if (content := _record(folder)) is None:
        return None
    return content["kind"], {key: value for key, value in content.items() if key not in ("kind", IS_MODEL_OPEN)}


def _record(folder: Path) -> dict[str, Any] | None:
    record = folder / RECORD
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        return {**content, "kind": str(content["kind"])}
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"{record} is damaged ({type(error).__name__}): it says which encoder made the embeddings beside it. Delete it; "
            "the encoder that you name is then used."
        ) from error


def _earlier_stand_in(folder: Path, choice: EncoderChoice) -> Named | None:
    """`offline`, where a version that kept no record embedded the pool with it, and nothing did with the chosen one."""
    names = {file.stem.split("-")[0] for file in folder.glob("*.f32")}
    return (OFFLINE, {}) if OFFLINE in names and choice.name not in names else None


def _is_same(used: Named, choice: EncoderChoice) -> bool:
    """Whether options differ in nothing; those that are left out are the defaults."""
    name, options = used
    if name != choice.name:
        return False
    given = parse_options(f"{RECORD}: encoder '{name}'", ENCODERS[choice.medium].get(name).Options, options)
    return given == choice.options
