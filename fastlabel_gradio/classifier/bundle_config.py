"""What `config.json` of a bundle says: checked once where it is read, for a bundle may come from anywhere."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fastlabel_gradio.errors import CheckpointError, problem_of
from fastlabel_gradio.media.channels import Channel
from fastlabel_gradio.media.sound_view import Contrast, SoundView
from fastlabel_gradio.types import Medium

BUNDLE_FORMAT = 1
CONFIG, HEAD, CARD = "config.json", "head.safetensors", "README.md"
LEARNED: Literal["encoder.safetensors"] = "encoder.safetensors"
HEAD_ONNX, MODEL_ONNX = "head.onnx", "model.onnx"
MAX_CONFIG_BYTES = 20_000_000  # of thousands of classes

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class EncoderPart(_Strict):
    """Which encoder embeds items.

    Attributes:
        kind, options: as in a project's configuration, the model named. A file or folder is one beside, `./weights.pt`: where
            it lies on somebody's machine is nobody else's business.
        weights: what the pretrained weights are called; "" where it has none. Their hash is part of the fingerprint.
        fingerprint: of model, every weight, preprocessing, and what it learned from the pool.
        dim: numbers of an embedding.
        licence: of the weights; "" where none is named.
        learned: the file beside with what it learned from the pool; "" where it learns nothing.
        device, precision: that the embeddings of the pool were computed on and in.
        resolution: pixels on the shorter side, or samples a second, that an item is read with at least.
    """

    kind: str
    options: dict[str, Any] = {}
    weights: str = ""
    fingerprint: str
    dim: Annotated[int, Field(ge=1, le=1_000_000)]
    licence: str = ""
    learned: Literal["", "encoder.safetensors"] = ""
    device: str = "cpu"
    precision: str = "float32"
    resolution: Annotated[int, Field(ge=0)] = 0


class HeadPart(_Strict):
    """The trained head beside. `labels`: how many it was trained on. `trained_at`: seconds since the epoch.

    `digest` is of its file: both are of one training.
    """

    version: Count
    labels: Count
    recipe: str
    class_weighting: float
    ensemble: int
    seed: int
    trained_at: float
    digest: str


class CalibrationPart(_Strict):
    """`temperature`: what logits are divided by before the softmax, by labels that the head did not see."""

    method: Literal["temperature"] = "temperature"
    temperature: float


class ThresholdPart(_Strict):
    """What the audit says of predictions that are at least so sure: `right` of `items`, with a 95 % interval.

    `coverage`: their share of the audit.
    """

    confidence: Share
    coverage: Share
    items: Count
    right: Count
    low: Share
    high: Share


class AuditPart(_Strict):
    """The head on random items that it never saw, with a 95 % interval. `recall`: right and items of each class."""

    items: Count
    right: Count
    accuracy: Share
    low: Share
    high: Share
    groups: int | None
    true_for: str
    calibration_error: float
    recall: list[tuple[int, int]]


class SoundPart(_Strict):
    """How sounds are taken, see `SoundView`, and cut: `window_s` None where items are whole files."""

    top_hz: int
    low_hz: int
    expand: int
    contrast: Contrast
    channel: Channel
    rate_hz: int
    window_s: float | None = None
    hop_s: float | None = None

    @property
    def view(self) -> SoundView:
        return SoundView(self.top_hz, self.low_hz, self.expand, self.contrast, self.channel, self.rate_hz)


class BundleConfig(_Strict):
    """A bundle's `config.json`.

    Attributes:
        counts: labels by class and source; of which items is said in the model card.
        promise: what was proven of labels that the program accepted by itself, None where nothing was.
    """

    format: Literal[1] = 1
    fastlabel: str
    project: str
    kind: Medium
    classes: Annotated[list[str], Field(min_length=1)]
    encoder: EncoderPart
    head: HeadPart
    calibration: CalibrationPart
    thresholds: list[ThresholdPart] = []
    audit: AuditPart | None = None
    counts: dict[str, dict[str, int]] = {}
    items: Count = 0
    sound: SoundPart | None = None
    promise: dict[str, Any] | None = None


def read_config(folder: Path) -> BundleConfig:
    """The configuration of a bundle. Raises CheckpointError with what is wrong and what to do."""
    path = folder / CONFIG
    try:
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise CheckpointError(f"{path}: more than {MAX_CONFIG_BYTES:,} bytes. Export the classifier again.")
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict) and content.get("format") not in (None, BUNDLE_FORMAT):
            raise CheckpointError(
                f"{path}: format {content['format']!r}, this version of FastLabel reads {BUNDLE_FORMAT}. Use the version "
                f"that wrote it ({str(content.get('fastlabel'))[:20]}) or a newer one."
            )
        return BundleConfig.model_validate(content)
    except ValidationError as error:
        raise CheckpointError(
            f"{path}: no configuration of a classifier ({problem_of(error.errors()[0])}). Export the classifier again."
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: cannot be read ({error}). Export the classifier again.") from error
