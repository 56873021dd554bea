"""ModelKeeper: describes a project's newest head and keeps it as a bundle, after every training and on request."""

import logging
from pathlib import Path
from typing import Any

from fastlabel_gradio import __version__
from fastlabel_gradio.classifier.bundle import write_bundle
from fastlabel_gradio.classifier.bundle_config import (
    LEARNED,
    AuditPart,
    BundleConfig,
    CalibrationPart,
    EncoderPart,
    HeadPart,
    SoundPart,
)
from fastlabel_gradio.classifier.facts import HeadFacts
from fastlabel_gradio.classifier.loading import MODEL
from fastlabel_gradio.classifier.model_card import model_card
from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders.base import Encoder, FittedEncoder
from fastlabel_gradio.encoders.weights_named import options_to_take_along, weights_named
from fastlabel_gradio.errors import StoreError
from fastlabel_gradio.head import Head, HeadRecipe
from fastlabel_gradio.head.evaluation import AuditReport
from fastlabel_gradio.pool.encoder_in_use import recorded_encoder
from fastlabel_gradio.pool.pipeline import EmbeddingPipeline
from fastlabel_gradio.sources.base import Source

log = logging.getLogger(__name__)

Promised = dict[str, Any]  # as `BundleConfig.promise` has it


class ModelKeeper:
    """Writes the bundles of one project.

    Args:
        folder: of the project, where the encoder in use is recorded.
        tile_resolution: what items are read with at least, beside what the encoder needs.
    """

    def __init__(
        self,
        project: str,
        source: Source,
        folder: Path,
        pipeline: EmbeddingPipeline,
        tile_resolution: int,
        recipe: HeadRecipe,
    ) -> None:
        self._project = project
        self._source = source
        self._folder = folder
        self._pipeline = pipeline
        self._tile_resolution = tile_resolution
        self._recipe = recipe

    def keep(self, folder: Path, facts: HeadFacts, promise: Promised | None) -> None:
        """Writes the bundle behind a training. A disk that is full costs the bundle, not the head, which is kept beside."""
        try:
            self.write(folder / MODEL, facts, promise)
        except (OSError, StoreError) as error:
            log.warning("%s: the classifier's files are not written: %s", folder / MODEL, error)

    def write(self, folder: Path, facts: HeadFacts, promise: Promised | None) -> None:
        """Writes the bundle of a head.

        Args:
            promise: what was proven of labels that the program accepted; None where nothing was.

        Raises OSError; StoreError where another encoder is just taking over.
        """
        encoder = self._pipeline.encoder
        if encoder is None or encoder.space != facts.head.info.encoder_fingerprint:
            raise StoreError("Another encoder is taking over; a head for it is trained first. Try again in a moment.")
        if facts.head.columns is not None:
            raise StoreError("The classes were changed; a head for them is trained now. Try again in a moment.")
        config = self._config(encoder, facts, promise)
        learned = encoder if isinstance(encoder, FittedEncoder) else None
        write_bundle(folder, facts.head, config, model_card(config), learned)

    def _config(self, encoder: Encoder, facts: HeadFacts, promise: Promised | None) -> BundleConfig:
        info = facts.head.info
        return BundleConfig(
            fastlabel=__version__,
            project=self._project,
            kind=self._source.medium,
            classes=[label.name for label in info.classes],
            encoder=self._encoder_part(encoder),
            head=_head_part(facts.head, self._recipe),
            calibration=CalibrationPart(temperature=info.temperature),
            thresholds=list(facts.thresholds),
            audit=self._audit_part(facts.audit) if facts.audit else None,
            counts={name: dict(by_source) for name, by_source in facts.counts.items()},
            items=facts.items,
            sound=self._sound_part() if self._source.medium == "audio" else None,
            promise=promise,
        )

    def _encoder_part(self, encoder: Encoder) -> EncoderPart:
        name, options = recorded_encoder(self._folder) or (encoder.name, {})
        if name != encoder.name:  # it stands in for the recorded one
            name, options = encoder.name, {}
        device = pick_device()
        return EncoderPart(
            kind=name,
            options=options_to_take_along(options),
            weights=weights_named(name, options),
            fingerprint=encoder.space,
            dim=encoder.dim,
            licence=encoder.licence,
            learned=LEARNED if isinstance(encoder, FittedEncoder) else "",
            device=device,
            precision=str(matmul_dtype(device)).removeprefix("torch."),
            resolution=max(encoder.resolution, self._tile_resolution),
        )

    def _audit_part(self, report: AuditReport) -> AuditPart:
        grouping = self._source.grouping
        return AuditPart(
            items=report.items,
            right=report.correct,
            accuracy=report.accuracy,
            low=report.low,
            high=report.high,
            groups=report.groups,
            true_for="items like these" if grouping is None else f"new {grouping.noun}",
            calibration_error=report.calibration_error,
            recall=list(report.recall),
        )

    def _sound_part(self) -> SoundPart:
        view = self._source.sound_view
        window_s, hop_s = self._source.window
        return SoundPart(
            top_hz=view.top_hz,
            low_hz=view.low_hz,
            expand=view.expand,
            contrast=view.contrast,
            channel=view.channel,
            rate_hz=view.rate_hz,
            window_s=window_s,
            hop_s=hop_s,
        )


def _head_part(head: Head, recipe: HeadRecipe) -> HeadPart:
    info = head.info
    return HeadPart(
        version=info.version,
        labels=info.label_count,
        recipe=info.recipe,
        class_weighting=recipe.class_weighting,
        ensemble=recipe.ensemble,
        seed=info.seed,
        trained_at=info.trained_at,
        digest="",
    )
