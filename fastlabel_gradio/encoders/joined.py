"""Several encoders as one: their vectors side by side, each of length 1 times its weight.

Each part prepares and encodes for itself; a prepared item is the bundle of what the parts made of it. Where every part has
a text tower the joined one has, too: its logits are the mean of theirs, weighted by the squares of the weights.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, field_serializer, field_validator, model_validator

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions, FittedEncoder
from fastlabel_gradio.encoders.bundles import bundle, unbundled
from fastlabel_gradio.encoders.recorded_models import with_own_model
from fastlabel_gradio.errors import CheckpointError, EncoderUnavailableError
from fastlabel_gradio.media.sound_view import SoundView
from fastlabel_gradio.options import parse_options
from fastlabel_gradio.types import Embeddings, Medium

NOT_JOINED = ("auto", "joined", "precomputed")


@dataclass(frozen=True, slots=True)
class Part:
    """One of the encoders, before it is built."""

    name: str
    options: EncoderOptions


class JoinedOptions(EncoderOptions):
    """Which encoders.

    Attributes:
        of: names of encoders, or `{kind: name, …}` with their options; at least two.
        weights: how long the vector of each is beside the others; 1 for all by default.
    """

    medium: ClassVar[Medium]
    of: Annotated[tuple[Part, ...], Field(min_length=2)]
    weights: tuple[Annotated[float, Field(gt=0, le=1000)], ...] = ()

    @field_validator("of", mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        return tuple(_part(entry, cls.medium) for entry in value) if isinstance(value, list | tuple) else value

    @field_serializer("of")
    def _as_given(self, parts: tuple[Part, ...]) -> list[dict[str, object]]:
        return [{"kind": part.name, **with_own_model(part.options)} for part in parts]

    @model_validator(mode="after")
    def _a_weight_each(self) -> "JoinedOptions":
        if self.weights and len(self.weights) != len(self.of):
            raise ValueError(f"weights has {len(self.weights)} numbers for {len(self.of)} encoders: give one for each")
        return self

    def located(self, base_dir: Path) -> "JoinedOptions":
        return self.model_copy(
            update={"of": tuple(Part(part.name, part.options.located(base_dir)) for part in self.of)}
        )


class JoinedPictureOptions(JoinedOptions):
    """Encoders of pictures."""

    medium = "image"


class JoinedSoundOptions(JoinedOptions):
    """Encoders of sounds."""

    medium = "audio"


class JoinedEncoder(Encoder):
    """Encoders none of which learns from the pool; with one that does it is a `JoinedFittedEncoder`."""

    name = "joined"
    where_to_put_weights = "what its part asks for"
    Options: ClassVar[type[JoinedOptions]]

    def __new__(cls, options: JoinedOptions) -> "JoinedEncoder":
        registry = ENCODERS[options.medium]
        learns = any(issubclass(registry.get(part.name), FittedEncoder) for part in options.of)
        if learns and cls is not JoinedFittedEncoder:
            return JoinedFittedEncoder(options)
        return super().__new__(cls)

    def __init__(self, options: JoinedOptions) -> None:
        registry = ENCODERS[options.medium]
        self.parts = [registry.get(part.name)(part.options) for part in options.of]
        weights = np.array(options.weights or [1.0] * len(self.parts), dtype=np.float64)
        self._weights = weights / np.linalg.norm(weights)
        self.prompt = self.parts[0].prompt
        self.batch_size = min(part.batch_size for part in self.parts)
        self.licence = ", ".join(dict.fromkeys(part.licence for part in self.parts if part.licence))
        self.follows_view = any(part.follows_view for part in self.parts)
        self._read_parts()
        scales = [part.logit_scale for part in self.parts]
        if all(scale is not None for scale in scales):
            self._use_texts(np.array(scales, dtype=np.float64))
        if not isinstance(self, FittedEncoder):
            self._take_in()

    @classmethod
    def why_unavailable(cls, options: JoinedOptions) -> str | None:
        registry = ENCODERS[options.medium]
        reasons = {part.name: registry.get(part.name).why_unavailable(part.options) for part in options.of}
        return next((f"of its part '{name}', {reason}" for name, reason in reasons.items() if reason), None)

    @property
    def top_hz(self) -> float:
        return max(part.top_hz for part in self.parts)

    def attune(self, view: SoundView) -> None:
        for part in self.parts:
            part.attune(view)
        self._read_parts()

    def prepare(self, media: Any) -> np.ndarray:
        """The bundle of what each part makes of the item."""
        return bundle([part.prepare(media) for part in self.parts])

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return self._side_by_side([part.encode(arrays) for part, arrays in self._of_parts(batch)], self._weights)

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        """L2-normalised embeddings, float32[n, dim]. Raises EncoderUnavailableError unless every part has a text tower."""
        if self.logit_scale is None:
            return super().encode_text(prompts)
        return self._side_by_side([part.encode_text(prompts) for part in self.parts], self._text_weights)

    def _of_parts(self, batch: Sequence[np.ndarray]) -> list[tuple[Encoder, list[np.ndarray]]]:
        items = [unbundled(item) for item in batch]
        return [(part, [item[number] for item in items]) for number, part in enumerate(self.parts)]

    def _side_by_side(self, vectors: Sequence[np.ndarray], weights: np.ndarray) -> Embeddings:
        scaled = [weight * of_part for weight, of_part in zip(weights, vectors, strict=True)]
        return np.concatenate(scaled, axis=1).astype(np.float32)

    def _use_texts(self, scales: np.ndarray) -> None:
        """Texts get the weights with which the scaled cosine of both sides is the mean of the parts' own."""
        texts = self._weights * scales
        self.logit_scale = float(np.linalg.norm(texts))
        self._text_weights = texts / self.logit_scale

    def _read_parts(self) -> None:
        """What the parts say before they have learned."""
        self.resolution = max(part.resolution for part in self.parts)
        self.heard_as = "".join(dict.fromkeys(part.heard_as for part in self.parts))

    def _take_in(self) -> None:
        """What holds once every part has learned what it learns."""
        self.dim = sum(part.dim for part in self.parts)
        described = [[part.fingerprint for part in self.parts], self._weights.round(6).tolist()]
        self.fingerprint = "joined-" + blake2b(repr(described).encode(), digest_size=10).hexdigest()


class JoinedFittedEncoder(JoinedEncoder, FittedEncoder):
    """Encoders of which some learn from the pool, each from its own share of the sample."""

    def __init__(self, options: JoinedOptions) -> None:
        super().__init__(options)
        self.learners = {
            f"{number}-{part.name}": part for number, part in enumerate(self.parts) if isinstance(part, FittedEncoder)
        }
        self.sample_size = max(part.sample_size for part in self.learners.values())

    @property
    def learned_file(self) -> str:
        """One for each set of parts."""
        return f"joined-{'-'.join(part.name for part in self.parts)}{self.heard_as}.safetensors"

    def fit(self, sample: Sequence[np.ndarray], seed: int) -> None:
        """Raises EncoderUnavailableError for an empty sample."""
        if not len(sample):
            raise EncoderUnavailableError("encoder 'joined' learns from the pool, which has no readable item yet")
        for part, arrays in self._of_parts(sample):
            if isinstance(part, FittedEncoder):
                part.fit(arrays[: part.sample_size], seed)
        self._take_in()

    def save(self, path: Path) -> None:
        """What each part writes, as bytes in one safetensors file."""
        from safetensors.numpy import save

        with TemporaryDirectory() as folder:
            written = {name: Path(folder) / name for name in self.learners}
            for name, part in self.learners.items():
                part.save(written[name])
            content = {name: np.frombuffer(file.read_bytes(), dtype=np.uint8) for name, file in written.items()}
        write_atomically(path, save(content))

    def load(self, path: Path) -> None:
        content = _written(path)
        if content.keys() != self.learners.keys():
            raise CheckpointError(
                f"{path}: what {', '.join(content) or 'nothing'} learned, now {', '.join(self.learners)} are joined."
            )
        with TemporaryDirectory() as folder:
            for name, part in self.learners.items():
                file = Path(folder) / name
                file.write_bytes(content[name].tobytes())
                part.load(file)
        self._take_in()


@ENCODERS["image"].register("joined")
class JoinedPictureEncoder(JoinedEncoder):
    """Several encoders of pictures."""

    Options = JoinedPictureOptions


@ENCODERS["audio"].register("joined")
class JoinedSoundEncoder(JoinedEncoder):
    """Several encoders of sounds."""

    Options = JoinedSoundOptions


def _part(entry: Any, medium: Medium) -> Part:
    """Raises UnknownNameError, ConfigError for what cannot be joined."""
    given = {"kind": entry} if isinstance(entry, str) else entry
    if not isinstance(given, Mapping) or not isinstance(name := given.get("kind"), str):
        raise ValueError(f"{entry!r} is no encoder: write its name, or {{kind: NAME, …}} with its options")
    if name in NOT_JOINED:
        raise ValueError(f"'{name}' cannot be a part: name encoders that embed items themselves")
    options = {key: value for key, value in given.items() if key != "kind"}
    return Part(name, parse_options(f"encoder '{name}'", ENCODERS[medium].get(name).Options, options))


def _written(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (OSError, SafetensorError, ValueError) as error:
        raise CheckpointError(f"{path}: not a readable joined encoder ({error}). Delete it; it learns anew.") from error
