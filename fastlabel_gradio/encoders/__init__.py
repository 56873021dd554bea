"""Encoders: frozen models that embed items. Importing this registers all of them.

`check_encoder` decides in seconds which encoder a project gets; `EncoderChoice.open` builds it, in the background.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastlabel_gradio.encoders import clip, offline  # noqa: F401  # they register themselves
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions, FittedEncoder
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.types import Kind

__all__ = ["ENCODERS", "Encoder", "EncoderChoice", "FittedEncoder", "check_encoder"]

AUTO = "auto"
STAND_IN = "offline"
PREFERRED: dict[Kind, str] = {"image": "clip"}


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The encoder that a project gets, before it is built.

    Attributes:
        name: a registered name, never "auto".
        notice: what to say of the choice on screen; "" where the encoder is the wanted one.
        may_stand_in: whether the offline encoder takes over where this one turns out broken.
    """

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
            return ENCODERS.get(self.name)(self.options), self.notice
        except EncoderUnavailableError as error:
            if not self.may_stand_in:
                raise _unavailable(self.name, str(error)) from error
            return _stand_in(self.name, str(error)).open()


def check_encoder(kind: str, options: Mapping[str, object], media_kind: Kind, base_dir: Path = Path()) -> EncoderChoice:
    """Decides within seconds which encoder to open: the named one, or for "auto" the best that can be had.

    Args:
        kind: a registered name, or "auto": CLIP if its weights are here or can be fetched, else the offline encoder.
        options: the other keys of the `encoder:` block; with "auto", those of the encoder that it prefers.
        media_kind: what the pool is made of.
        base_dir: relative paths in the options are relative to this folder.

    Raises:
        UnknownNameError: no such encoder. ConfigError: a wrong option, or an encoder for another kind of media.
        EncoderUnavailableError: the named encoder's weights cannot be had.
    """
    name = _preferred(media_kind) if kind == AUTO else kind
    encoder_type = ENCODERS.get(name)
    if media_kind not in encoder_type.kinds:
        raise ConfigError(f"encoder '{name}' cannot embed {media_kind} items. {_encoders_for(media_kind)}")
    parsed = parse_options(f"encoder '{name}'", encoder_type.Options, options).located(base_dir)
    reason = encoder_type.why_unavailable(parsed)
    if reason is None:
        return EncoderChoice(name, parsed, may_stand_in=kind == AUTO)
    if kind == AUTO:
        return _stand_in(name, reason)
    raise _unavailable(name, reason)


def _preferred(media_kind: Kind) -> str:
    if media_kind not in PREFERRED:
        raise ConfigError(f"encoder 'auto' knows none for {media_kind} items. {_encoders_for(media_kind)}")
    return PREFERRED[media_kind]


def _encoders_for(media_kind: Kind) -> str:
    fitting = [name for name in ENCODERS.names() if media_kind in ENCODERS.get(name).kinds]
    return f"Encoders for {media_kind}: {', '.join(fitting) or 'none'}."


def _stand_in(wanted: str, reason: str) -> EncoderChoice:
    notice = (
        f"{wanted.upper()} could not be had: {reason}. The offline encoder is used: expect lower accuracy. "
        f"To use {wanted.upper()}, put the path of a checkpoint file in the encoder's option `pretrained`."
    )
    return EncoderChoice(STAND_IN, ENCODERS.get(STAND_IN).Options(), notice)


def _unavailable(name: str, reason: str) -> EncoderUnavailableError:
    return EncoderUnavailableError(
        f"encoder '{name}' cannot be had: {reason}. Put the path of a checkpoint file in its option `pretrained`, "
        "or choose `encoder: {kind: offline}` (`--encoder offline`)."
    )
