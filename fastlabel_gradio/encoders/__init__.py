"""Encoders: frozen models that embed items. Importing this registers all of them.

`check_encoder` decides in seconds which encoder a project gets; `EncoderChoice.open` builds it, in the background.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fastlabel_gradio.encoders import (  # noqa: F401  # they register themselves
    clap,
    clip,
    clip_spectrogram,
    offline,
    offline_sound,
    pretrained_pictures,
    pretrained_sounds,
)
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions, FittedEncoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.types import Kind

__all__ = ["ENCODERS", "Encoder", "EncoderChoice", "FittedEncoder", "check_encoder"]

AUTO = "auto"
OFFLINE = "offline"
IN_THE_BOX = "pretrained"
PREFERRED: dict[Kind, str] = {"image": "clip", "audio": "clap"}


@dataclass(frozen=True, slots=True)
class EncoderChoice:
    """The encoder that a project gets, before it is built.

    Attributes:
        media_kind: what the pool is made of.
        name: a registered name, never "auto".
        stand_ins: what takes over where this one turns out broken, the best first.
        refused: what was preferred to it, each with why it could not be had.
        is_kept: whether the pool was begun with it, so that it goes on where another would be taken for a new one.
    """

    media_kind: Kind
    name: str
    options: EncoderOptions
    stand_ins: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    is_kept: bool = False

    @property
    def notice(self) -> str:
        """A line for the screen, which encoder is used and what that means, and below it why; "" for the wanted one."""
        if not self.refused:
            return ""
        best = self.refused[0][0].upper()
        used = f"This project goes on with encoder '{self.name}'" if self.is_kept else f"Encoder '{self.name}' is used"
        line = f"{used}: expect lower accuracy than with {best}, and no suggestions before the first labels."
        reasons = [_reason(self.media_kind, name, why) for name, why in self.refused]
        anew = f"`--encoder {IN_THE_BOX}` embeds its pool anew and keeps its labels." if self.is_kept else ""
        return f"{line}\n{' '.join(filter(None, [*reasons, anew]))}"

    def open(self) -> tuple[Encoder, str]:
        """The encoder and the notice that holds for it. Builds the model; downloads its weights where they are missing.

        Raises:
            EncoderUnavailableError: the model cannot be built and nothing may stand in.
        """
        try:
            return ENCODERS[self.media_kind].get(self.name)(self.options), self.notice
        except EncoderUnavailableError as error:
            if not self.stand_ins:
                raise _unavailable(self.media_kind, self.name, str(error)) from error
            return _stand_in(self, str(error)).open()


def check_encoder(
    kind: str,
    options: Mapping[str, object],
    media_kind: Kind,
    base_dir: Path = Path(),
    embedded_by: Sequence[str] = (),
) -> EncoderChoice:
    """Decides within seconds which encoder to open: the named one, or for "auto" the best that can be had.

    Args:
        kind: a registered name, or "auto": CLIP or CLAP if its weights are here or can be fetched, else `pretrained`, and
            `offline` where that cannot be had either, or where the pool was begun with it.
        options: the other keys of the `encoder:` block; with "auto", those of the encoder that it prefers.
        media_kind: what the pool is made of.
        base_dir: relative paths in the options are relative to this folder.
        embedded_by: fingerprints of the encoders whose embeddings the project has.

    Raises:
        UnknownNameError: no such encoder for that kind of media. ConfigError: a wrong option.
        EncoderUnavailableError: the named encoder's weights cannot be had.
    """
    name = PREFERRED[media_kind] if kind == AUTO else kind
    encoder_type = ENCODERS[media_kind].get(name)
    parsed = parse_options(f"encoder '{name}'", encoder_type.Options, options).located(base_dir)
    is_kept = kind == AUTO and _began_offline(embedded_by)
    stand_ins = () if kind != AUTO else (OFFLINE,) if is_kept else (IN_THE_BOX, OFFLINE)
    choice = EncoderChoice(media_kind, name, parsed, stand_ins, is_kept=is_kept)
    reason = encoder_type.why_unavailable(parsed)
    if reason is None:
        return choice
    if stand_ins:
        return _stand_in(choice, reason)
    raise _unavailable(media_kind, name, reason)


def _began_offline(embedded_by: Sequence[str]) -> bool:
    """Whether `offline` embedded the pool, and `pretrained` did not: versions before it had no other encoder to stand in."""
    return any(name.startswith(f"{OFFLINE}-") for name in embedded_by) and not any(
        name.startswith(f"{IN_THE_BOX}-") for name in embedded_by
    )


def _stand_in(choice: EncoderChoice, reason: str) -> EncoderChoice:
    """The first that can be had of those that may stand in."""
    name, *others = choice.stand_ins
    encoder_type = ENCODERS[choice.media_kind].get(name)
    options = encoder_type.Options()
    refused = (*choice.refused, (choice.name, reason))
    found = replace(choice, name=name, options=options, stand_ins=tuple(others), refused=refused)
    missing = encoder_type.why_unavailable(options)
    return found if missing is None else _stand_in(found, missing)


def _reason(media_kind: Kind, name: str, why: str) -> str:
    remedy = ENCODERS[media_kind].get(name).where_to_put_weights
    wanted = name.upper() if name == PREFERRED[media_kind] else f"Encoder '{name}'"
    return f"{wanted} could not be had: {why}. To use it, put {remedy}."


def _unavailable(media_kind: Kind, name: str, reason: str) -> EncoderUnavailableError:
    remedy = ENCODERS[media_kind].get(name).where_to_put_weights
    others = [f"`--encoder {other}`" for other in (IN_THE_BOX, OFFLINE) if other != name]
    return EncoderUnavailableError(
        f"encoder '{name}' cannot be had: {reason}. Put {remedy}, or choose {' or '.join(others)}."
    )
