"""Which encoder a project uses, kept beside its embeddings, and which one a start begins with where another is asked for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.encoders import Encoder, EncoderChoice, check_encoder
from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError, UnknownNameError
from fastlabel_gradio.options import parse_options

RECORD = "encoder_in_use.json"

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
    used = recorded_encoder(folder)
    if used is None or _is_same(used, choice):
        return EncoderPlan(choice)
    if not is_auto and not keeps_serving:
        return EncoderPlan(choice)
    try:
        before = check_encoder(*used, choice.media_kind, base_dir)
    except (EncoderUnavailableError, UnknownNameError) as error:
        notice = f"The encoder of before cannot be had ({error}), so all is embedded again with '{choice.name}'."
        return EncoderPlan(replace(choice, notice=f"{choice.notice} {notice}".strip()))
    if not is_auto:
        return EncoderPlan(before, choice)
    notice = (
        f"'{choice.name}' can be had; this project keeps '{before.name}', which it began with. --encoder changes it."
    )
    return EncoderPlan(replace(before, notice=notice))


def keep_encoder_in_use(folder: Path, encoder: Encoder, choice: EncoderChoice) -> None:
    """Records the encoder that a project uses from now on. One that only stands in for another replaces no record.

    Raises OSError.
    """
    is_choice = encoder.name == choice.name
    record = folder / RECORD
    if is_choice or not record.exists():
        options = choice.options.model_dump(mode="json", exclude_unset=True) if is_choice else {}
        content = json.dumps({"kind": encoder.name, **options}, indent=2)
        if not (record.exists() and record.read_text(encoding="utf-8") == content):
            write_atomically(record, content.encode())


def recorded_encoder(folder: Path) -> Named | None:
    """The encoder that a project used last; None before its first start with this version. Raises ConfigError."""
    record = folder / RECORD
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
        return str(content.pop("kind")), dict(content)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RecursionError) as error:
        raise ConfigError(
            f"{record} is damaged ({type(error).__name__}): it says which encoder made the embeddings beside it. Delete it; "
            "the encoder that you name is then used."
        ) from error


def _is_same(used: Named, choice: EncoderChoice) -> bool:
    """Whether options differ in nothing; those that are left out are the defaults."""
    name, options = used
    if name != choice.name:
        return False
    given = parse_options(f"{RECORD}: encoder '{name}'", ENCODERS[choice.media_kind].get(name).Options, options)
    return given.model_dump() == choice.options.model_dump()
