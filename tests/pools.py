"""Small real pools for tests: folders of generated pictures and sounds, encoders without fitting, running projects."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile
from PIL import Image

from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Embeddings, Waveform

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 210)}
MADE_ONCE = 16  # sets of pictures, and of sounds, that are not made again for the next test
LONGEST_PAUSE_S = 0.1  # of `wait_for`: most conditions ask a server
PITCHES_HZ = {"low": 220, "middle": 880, "high": 2600}


@ENCODERS["image"].register("pixels")
class PixelEncoder(Encoder):
    """Mean-pooled 4x4 pixels: a real, instant encoder that tells colours apart."""

    name = "pixels"
    Options: ClassVar[type[EncoderOptions]] = EncoderOptions
    dim = 48
    fingerprint = "pixels-1"
    batch_size = 16
    resolution = 4

    def __init__(self, options: EncoderOptions | None = None) -> None:
        self.options = options

    def prepare(self, media: Image.Image) -> np.ndarray:
        return np.asarray(media.resize((4, 4), Image.Resampling.BOX), dtype=np.float32)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        flat = np.array([array.ravel() for array in batch], dtype=np.float32).reshape(-1, self.dim) - 127.5
        return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


@ENCODERS["audio"].register("bands")
class BandEncoder(Encoder):
    """Power in 24 frequency bands: a real, instant encoder that tells pitches apart."""

    name = "bands"
    Options: ClassVar[type[EncoderOptions]] = EncoderOptions
    dim = 24
    fingerprint = "bands-1"
    batch_size = 16
    resolution = 8000

    def __init__(self, options: EncoderOptions | None = None) -> None:
        self.options = options

    def prepare(self, media: Waveform) -> np.ndarray:
        power = np.abs(np.fft.rfft(media.samples[: self.resolution], self.resolution)) ** 2
        return np.array([band.sum() for band in np.array_split(power[:3600], self.dim)], dtype=np.float32)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        levels = np.log10(np.array(batch, dtype=np.float32).reshape(-1, self.dim) + 1e-3)
        return levels / np.maximum(np.linalg.norm(levels, axis=1, keepdims=True), 1e-6)


def write_pictures(folder: Path, per_class: int, seed: int = 0, side_px: int = 24) -> Path:
    """A folder of class folders of noisy one-colour pictures, PNG."""
    return _write(folder, _pictures(per_class, seed, side_px))


def write_sounds(folder: Path, per_class: int, seed: int = 0, seconds: float = 0.5, rate_hz: int = 8000) -> Path:
    """A folder of class folders of noisy tones, WAV, each of that length or up to twice as long."""
    return _write(folder, _sounds(per_class, seed, seconds, rate_hz))


def _write(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(content)
    return folder


@lru_cache(MADE_ONCE)
def _pictures(per_class: int, seed: int, side_px: int) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    made = {}
    for name, colour in COLOURS.items():
        for number in range(per_class):
            pixels = np.clip(rng.normal(colour, 40, size=(side_px, side_px, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(file := BytesIO(), "PNG")
            made[f"{name}/{number:04d}.png"] = file.getvalue()
    return made


@lru_cache(MADE_ONCE)
def _sounds(per_class: int, seed: int, seconds: float, rate_hz: int) -> dict[str, bytes]:
    rng = np.random.default_rng(seed)
    made = {}
    for name, pitch_hz in PITCHES_HZ.items():
        for number in range(per_class):
            length = int(rng.uniform(seconds, 2 * seconds) * rate_hz)
            tone = np.sin(2 * np.pi * pitch_hz * rng.uniform(0.9, 1.1) * np.arange(length) / rate_hz)
            noise = rng.normal(0, 0.02, length)
            soundfile.write(file := BytesIO(), (tone * 0.3 + noise), rate_hz, subtype="PCM_16", format="WAV")
            made[f"{name}/{number:04d}.wav"] = file.getvalue()
    return made


def wait_for(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    """Waits until a condition holds, asking ever less often; fails the test where it does not in time."""
    deadline, pause_s = time.monotonic() + timeout, 0.005
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, LONGEST_PAUSE_S)


def make_config(folder: Path, **settings: object) -> ProjectConfig:
    """A project over a folder of pictures with the instant encoder, and without an audit."""
    project = {"name": "images", "source": {"kind": "image_folder", "path": str(folder)}, "encoder": "pixels"}
    return ProjectConfig.model_validate({**project, "audit_share": 0.0, **settings})


def make_sound_config(folder: Path, **settings: object) -> ProjectConfig:
    """A project over a folder of sounds with the instant encoder, and without an audit."""
    project = {"name": "audio", "source": {"kind": "audio_folder", "path": str(folder)}, "encoder": "bands"}
    return ProjectConfig.model_validate({**project, "audit_share": 0.0, **settings})


def true_labels(labeler: Labeler, annotator: str, size: int = 12) -> list[tuple[str, str | int]]:
    """The next batch of an annotator, labeled as the class folders say."""
    batch = labeler.next_batch(annotator, size, fresh=True)
    return [(item.id, item.id.split("/")[0]) for item in batch.items]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """60 pictures in three class folders."""
    return write_pictures(tmp_path / "pictures", per_class=20)


@pytest.fixture
def open_project(tmp_path: Path) -> Iterator[Callable[..., Project]]:
    """Opens projects that work in `tmp_path/work`, embeds all of each, closes them at the end."""
    opened: list[Project] = []

    def open_one(config: ProjectConfig, embed: bool = True) -> Project:
        project = Project(config, tmp_path, tmp_path / "work")
        opened.append(project)
        project.start()
        if embed:
            wait_for(lambda: project.pipeline.progress.state in ("done", "failed"))
        return project

    yield open_one
    for project in opened:
        project.close()


def rescan(project: Project) -> None:
    """Has the source listed again, and waits until what it found is embedded."""
    before = project.pipeline.progress.scans
    assert project.pipeline.rescan()
    wait_for(lambda: project.pipeline.progress.scans > before and project.pipeline.progress.state == "done")
