"""Encoders: frozen models that embed items. Importing this registers all of them.

`check_encoder` decides in seconds which encoder a project gets; `EncoderChoice.open` builds it, in the background.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fastlabel_gradio.encoders import (  # noqa: F401  # they register themselves
    clap,
    clip,
    clip_spectrogram,
    joined,
    offline,
    offline_sound,
    precomputed,
    pretrained_pictures,
    pretrained_sounds,
    timm,
    transformers_pictures,
    transformers_sounds,
)
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions, FittedEncoder
from fastlabel_gradio.encoders.recorded_models import RecordedModels, with_recorded_model
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.types import Medium

__all__ = ["ENCODERS", "Encoder", "EncoderChoice", "FittedEncoder", "check_encoder"]

AUTO = "auto"
OFFLINE = "offline"
IN_THE_BOX = "pretrained"
PREFERRED: dict[Medium, str] = {"image": "clip", "audio": "clap"}


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The encoder that a project gets, before it is built.

    Attributes:
        medium: what the pool is made of.
        name: a registered name, never "auto".
        stand_ins: what takes over where this one turns out broken, the best first.
        refused: what was preferred to it, each with why it is not available.
        instead_of: what a new pool would get, where this one was begun with another encoder and goes on with it.
        remark: more to say of it on screen, a sentence.
        is_model_open: whether its options were given without the model that it has.
    """

    medium: Medium
    name: str
    options: EncoderOptions
    stand_ins: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    instead_of: str = ""
    remark: str = ""
    is_model_open: bool = False

    @property
    def notice(self) -> str:
        """A line for the screen, which encoder is used and what that means, and below it why; "" for the wanted one."""
        line = " ".join(filter(None, [self._line, self.remark]))
        reasons = [_reason(self.medium, name, why) for name, why in self.refused]
        anew = f"`--encoder {self.instead_of}` embeds its pool anew and keeps its labels." if self.instead_of else ""
        return "\n".join(filter(None, [line, " ".join(filter(None, [*reasons, anew]))]))

    @property
    def _line(self) -> str:
        used = (
            f"This project goes on with encoder '{self.name}'" if self.instead_of else f"Encoder '{self.name}' is used"
        )
        if self.refused and self.name in (IN_THE_BOX, OFFLINE):
            best = self.refused[0][0].upper()
            return f"{used}: expect lower accuracy than with {best}, and no suggestions before the first labels."
        if self.instead_of:
            return f"'{self.instead_of}' is available; this project keeps '{self.name}', which it began with."
        return ""

    def open(self) -> tuple[Encoder, str]:
        """The encoder and the notice that holds for it. Builds the model; downloads its weights where they are missing.

        Raises:
            EncoderUnavailableError: the model cannot be built and nothing may stand in.
        """
        try:
            return ENCODERS[self.medium].get(self.name)(self.options), self.notice
        except EncoderUnavailableError as error:
            if not self.stand_ins:
                raise _unavailable(self.medium, self.name, str(error)) from error
            return _stand_in(self, str(error)).open()


def check_encoder(
    kind: str,
    options: Mapping[str, object],
    medium: Medium,
    base_dir: Path = Path(),
    recorded: RecordedModels | None = None,
) -> EncoderChoice:
    """Decides within seconds which encoder to open: the named one, or for "auto" the best that is available.

    Args:
        kind: a registered name, or "auto": CLIP or CLAP if its weights are here or can be fetched, else `pretrained`, and
            `offline` where that is not available either.
        options: the other keys of the `encoder:` block; with "auto", those of the encoder that it prefers.
        medium: what the pool is made of.
        base_dir: relative paths in the options are relative to this folder.
        recorded: the models that the project goes on with, for options that name none.

    Raises:
        UnknownNameError: no such encoder for that kind of media. ConfigError: a wrong option.
        EncoderUnavailableError: the named encoder's weights are not available.
    """
    name = PREFERRED[medium] if kind == AUTO else kind
    encoder_type = ENCODERS[medium].get(name)
    given = with_recorded_model(name, options, recorded or {})
    parsed = parse_options(f"encoder '{name}'", encoder_type.Options, given).located(base_dir)
    stand_ins = (IN_THE_BOX, OFFLINE) if kind == AUTO else ()
    is_model_open = "model" in encoder_type.Options.model_fields and "model" not in options
    choice = EncoderChoice(medium, name, parsed, stand_ins, is_model_open=is_model_open)
    reason = encoder_type.why_unavailable(parsed)
    if reason is None:
        return choice
    if stand_ins:
        return _stand_in(choice, reason)
    raise _unavailable(medium, name, reason)


def _stand_in(choice: EncoderChoice, reason: str) -> EncoderChoice:
    """The first that is available of those that may stand in."""
    name, *others = choice.stand_ins
    encoder_type = ENCODERS[choice.medium].get(name)
    options = encoder_type.Options()
    refused = (*choice.refused, (choice.name, reason))
    found = replace(choice, name=name, options=options, stand_ins=tuple(others), refused=refused, is_model_open=False)
    missing = encoder_type.why_unavailable(options)
    return found if missing is None else _stand_in(found, missing)


def _reason(medium: Medium, name: str, why: str) -> str:
    remedy = ENCODERS[medium].get(name).where_to_put_weights
    wanted = name.upper() if name == PREFERRED[medium] else f"Encoder '{name}'"
    return f"{wanted} is not available: {why}. To use it, put {remedy}."


def _unavailable(medium: Medium, name: str, reason: str) -> EncoderUnavailableError:
    remedy = ENCODERS[medium].get(name).where_to_put_weights
    others = [f"`--encoder {other}`" for other in (IN_THE_BOX, OFFLINE) if other != name]
    return EncoderUnavailableError(
        f"encoder '{name}' is not available: {reason}. Put {remedy}, or choose {' or '.join(others)}."
    )
