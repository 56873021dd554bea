"""Encoders: frozen models that embed items. Importing this registers all of them.

`check_encoder` decides in seconds which encoder a project gets; `EncoderChoice.open` builds it, in the background.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastlabel_gradio.encoders import (  # noqa: F401  # they register themselves
    clap,
    clip,
    clip_spectrogram,
    joined,
    offline,
    offline_sound,
    precomputed,
    timm,
    transformers_pictures,
    transformers_sounds,
)
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions, FittedEncoder
from fastlabel_gradio.encoders.kept_models import KeptModels, with_kept_model
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.types import Kind

__all__ = ["ENCODERS", "Encoder", "EncoderChoice", "FittedEncoder", "check_encoder"]

AUTO = "auto"
STAND_IN = "offline"
PREFERRED: dict[Kind, str] = {"image": "clip", "audio": "clap"}


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The encoder that a project gets, before it is built.

    Attributes:
        media_kind: what the pool is made of.
        name: a registered name, never "auto".
        notice: what to say of the choice on screen; "" where the encoder is the wanted one.
        may_stand_in: whether the offline encoder takes over where this one turns out broken.
    """

    media_kind: Kind
    name: str
    options: EncoderOptions
    notice: str = ""
    may_stand_in: bool = False

    def open(self) -> tuple[Encoder, str]:
        """The encoder and the notice that holds for it. Builds the model; downloads its weights where they are missing.

        Raises:
            EncoderUnavailableError: the model cannot be built and nothing may stand in.
        """
        try:
            return ENCODERS[self.media_kind].get(self.name)(self.options), self.notice
        except EncoderUnavailableError as error:
            if not self.may_stand_in:
                raise _unavailable(self.media_kind, self.name, str(error)) from error
            return _stand_in(self.media_kind, self.name, str(error)).open()


def check_encoder(
    kind: str, options: Mapping[str, object], media_kind: Kind, base_dir: Path = Path(), kept: KeptModels | None = None
) -> EncoderChoice:
    """Decides within seconds which encoder to open: the named one, or for "auto" the best that can be had.

    Args:
        kind: a registered name, or "auto": CLIP or CLAP if its weights are here or can be fetched, else the offline encoder.
        options: the other keys of the `encoder:` block; with "auto", those of the encoder that it prefers.
        media_kind: what the pool is made of.
        base_dir: relative paths in the options are relative to this folder.
        kept: the models that the project goes on with, for options that name none.

    Raises:
        UnknownNameError: no such encoder for that kind of media. ConfigError: a wrong option.
        EncoderUnavailableError: the named encoder's weights cannot be had.
    """
    name = PREFERRED[media_kind] if kind == AUTO else kind
    encoder_type = ENCODERS[media_kind].get(name)
    given = with_kept_model(name, options, kept or {})
    parsed = parse_options(f"encoder '{name}'", encoder_type.Options, given).located(base_dir)
    reason = encoder_type.why_unavailable(parsed)
    if reason is None:
        return EncoderChoice(media_kind, name, parsed, may_stand_in=kind == AUTO)
    if kind == AUTO:
        return _stand_in(media_kind, name, reason)
    raise _unavailable(media_kind, name, reason)


def _stand_in(media_kind: Kind, wanted: str, reason: str) -> EncoderChoice:
    remedy = ENCODERS[media_kind].get(wanted).where_to_put_weights
    notice = (
        f"{wanted.upper()} could not be had: {reason}. The offline encoder is used: expect lower accuracy. "
        f"To use {wanted.upper()}, put {remedy}."
    )
    return EncoderChoice(media_kind, STAND_IN, ENCODERS[media_kind].get(STAND_IN).Options(), notice)


def _unavailable(media_kind: Kind, name: str, reason: str) -> EncoderUnavailableError:
    remedy = ENCODERS[media_kind].get(name).where_to_put_weights
    return EncoderUnavailableError(
        f"encoder '{name}' cannot be had: {reason}. Put {remedy}, "
        "or choose `encoder: {kind: offline}` (`--encoder offline`)."
    )
