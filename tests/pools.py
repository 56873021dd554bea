"""Small real pools for tests: folders of generated pictures, an encoder that needs no fitting, and running projects."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.project import Project
from fastlabel_gradio.types import Embeddings

COLOURS = {"red": (200, 40, 40), "green": (40, 180, 60), "blue": (50, 60, 210)}


@ENCODERS.register("pixels")
class PixelEncoder(Encoder):
    """Mean-pooled 4x4 pixels: a real, instant encoder that tells colours apart."""

    name = "pixels"
    kinds = ("image",)
    Options: ClassVar[type[EncoderOptions]] = EncoderOptions
    dim = 48
    fingerprint = "pixels-1"
    batch_size = 16
    input_px = 4

    def __init__(self, options: EncoderOptions | None = None) -> None:
        self.options = options

    def prepare(self, media: Image.Image) -> np.ndarray:
        return np.asarray(media.resize((4, 4), Image.Resampling.BOX), dtype=np.float32)

    def encode(self, batch: np.ndarray) -> Embeddings:
        flat = batch.reshape(len(batch), -1).astype(np.float32) - 127.5 if len(batch) else np.zeros((0, 48), np.float32)
        return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)


def write_pictures(folder: Path, per_class: int, seed: int = 0, side_px: int = 24) -> Path:
    """A folder of class folders of noisy one-colour pictures, PNG."""
    rng = np.random.default_rng(seed)
    for name, colour in COLOURS.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            pixels = np.clip(rng.normal(colour, 40, size=(side_px, side_px, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number:04d}.png")
    return folder


def wait_for(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    """Waits until a condition holds; fails the test where it does not in time."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def make_config(folder: Path, **settings: object) -> ProjectConfig:
    """A project over a folder of pictures with the instant encoder."""
    return ProjectConfig.model_validate(
        {"name": "images", "source": {"kind": "image_folder", "path": str(folder)}, "encoder": "pixels", **settings}
    )


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
