"""What CUDA computes is what a CPU computes: embeddings of every encoder, heads, scores. Skipped where there is no GPU.

python -m pytest -n 0 -m gpu
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from fastlabel_gradio.devices import computing_on
from fastlabel_gradio.encoders import Encoder, FittedEncoder, check_encoder
from fastlabel_gradio.head import Head, HeadMaker, TextPrior
from fastlabel_gradio.pool.device_rows import device_rows
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.scoring import score_rows
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Embeddings, Label, Medium, Waveform
from tests.checkpoints import superseded_after
from tests.finish_pools import teach
from tests.pools import make_config, wait_for, write_pictures
from tests.tiny_models import noisy_tone, write_tiny_clap, write_tiny_clip, write_tiny_timm, write_tiny_transformers

GPU = "cuda"
SAME_DIRECTION = 0.999  # cosine of an embedding in half precision and in fp32
DIM, CLASSES, LABELS = 64, 5, 300

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU that CUDA can use"),
    pytest.mark.usefixtures("computing_as_the_app", "whole_trainings"),
]


def pictures() -> list[Image.Image]:
    """Smooth ones: with noise in every pixel a random network tells one picture from another by the last bit."""
    rng = np.random.default_rng(5)
    shapes = [(40, 30), (32, 32), (64, 90), (300, 400)] * 8
    colours = [rng.integers(0, 255, (4, 4, 3), dtype=np.uint8) for _ in shapes]
    return [
        Image.fromarray(of).resize(shape, Image.Resampling.BICUBIC) for of, shape in zip(colours, shapes, strict=True)
    ]


def sounds() -> list[Waveform]:
    return [Waveform(noisy_tone(seed, 0.6 + 0.1 * (seed % 9), 16_000), 16_000) for seed in range(24)]


def options_of(kind: str, folder: Path) -> dict[str, Any]:
    """Those of an encoder whose weights, tiny and random, are written into a folder."""
    if kind == "clip":
        return {"model": f"local-dir:{write_tiny_clip(folder, seed=1)}"}
    if kind == "clap":
        return {"model": str(write_tiny_clap(folder, seed=1))}
    if kind == "timm":
        return {"model": f"local-dir:{write_tiny_timm(folder, seed=1)}"}
    if kind.startswith("transformers"):
        return {"model": str(write_tiny_transformers(folder, kind.partition(" ")[2]))}
    return {}


def opened(kind: str, options: dict[str, Any], medium: Medium, device: str, learned: Path) -> Encoder:
    """What learns from a pool does so on the CPU, and is read from its file here."""
    with computing_on(device, "float32" if device == "cpu" else ""):
        encoder, _ = check_encoder(kind.partition(" ")[0], options, medium).open()
    if isinstance(encoder, FittedEncoder):
        if not learned.exists():
            media = pictures() if medium == "image" else sounds()
            encoder.fit([encoder.prepare(one) for one in media], seed=0)
            encoder.save(learned)
        encoder.load(learned)
    return encoder


@pytest.mark.parametrize(
    ("kind", "medium"),
    [
        ("clip", "image"),
        ("pretrained", "image"),
        ("offline", "image"),
        ("timm", "image"),
        ("transformers dinov2", "image"),
        ("transformers vit", "image"),
        ("transformers siglip", "image"),
        ("clap", "audio"),
        ("pretrained", "audio"),
        ("offline", "audio"),
        ("transformers ast", "audio"),
        ("transformers wav2vec2", "audio"),
        ("transformers whisper", "audio"),
    ],
)
def test_an_encoder_gives_on_a_gpu_what_it_gives_on_a_cpu(kind: str, medium: Medium, tmp_path: Path) -> None:
    options, media = options_of(kind, tmp_path / "model"), pictures() if medium == "image" else sounds()
    on_cpu, on_gpu = (opened(kind, options, medium, device, tmp_path / "learned") for device in ("cpu", GPU))
    assert on_gpu.fingerprint == on_cpu.fingerprint
    vectors = [encoder.encode([encoder.prepare(one) for one in media]) for encoder in (on_cpu, on_gpu)]
    assert (vectors[0] * vectors[1]).sum(axis=1).min() >= SAME_DIRECTION
    assert on_gpu.encode([]).shape == (0, on_gpu.dim)
    if on_cpu.logit_scale is not None:
        texts = [encoder.encode_text(["a dog", "the sound of rain"]) for encoder in (on_cpu, on_gpu)]
        assert (texts[0] * texts[1]).sum(axis=1).min() >= SAME_DIRECTION


@pytest.fixture(scope="module")
def pool() -> tuple[Embeddings, np.ndarray]:
    """Unit vectors around five centres, read-only as the store's are, and the class of each."""
    rng = np.random.default_rng(0)
    targets = rng.integers(CLASSES, size=20_000)
    drawn = rng.normal(size=(CLASSES, DIM))[targets] + 1.2 * rng.normal(size=(len(targets), DIM))
    vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    vectors.flags.writeable = False
    return vectors, targets


def trained(
    pool: tuple[Embeddings, np.ndarray], device: str, prior: TextPrior | None = None, labels: int = LABELS
) -> Head:
    vectors, targets = pool
    schema = tuple(Label(number, str(number)) for number in range(CLASSES))
    maker = HeadMaker(schema, "test", prior=prior, sample=lambda: vectors[:2_000], device=device)
    first = maker.train(vectors[:labels], targets[:labels], None, 0.0)
    return maker.calibrate(first, vectors[:labels], targets[:labels], superseded_after(1000))


@pytest.mark.parametrize("labels", [12, LABELS, 5_000])
def test_a_head_that_a_gpu_trained_is_as_good(pool: tuple[Embeddings, np.ndarray], labels: int) -> None:
    vectors, targets = pool
    on_cpu, on_gpu = (trained(pool, device, labels=labels) for device in ("cpu", GPU))
    right = [float((head.predict_proba(vectors).argmax(axis=1) == targets).mean()) for head in (on_cpu, on_gpu)]
    assert right[1] == pytest.approx(right[0], abs=0.01)
    assert on_gpu.info.temperature == pytest.approx(on_cpu.info.temperature, rel=0.1)


def test_a_head_with_class_names_says_on_a_gpu_what_it_says_on_a_cpu(pool: tuple[Embeddings, np.ndarray]) -> None:
    vectors, targets = pool
    names = np.stack([vectors[targets == number].mean(axis=0) for number in range(CLASSES)])
    prior = TextPrior((names / np.linalg.norm(names, axis=1, keepdims=True)).astype(np.float32), 20.0)
    head = trained(pool, GPU, prior, labels=20)
    np.testing.assert_allclose(head.predict_proba(vectors), head.on("cpu").predict_proba(vectors), atol=0.03)


def test_every_figure_of_a_head_is_the_same_on_both(pool: tuple[Embeddings, np.ndarray]) -> None:
    head, some = trained(pool, GPU), pool[0][:3_000]
    other = head.on("cpu")
    np.testing.assert_allclose(head.predict_proba(some), other.predict_proba(some), atol=0.03)
    np.testing.assert_allclose(head.logits(some), other.logits(some), atol=0.2)
    np.testing.assert_allclose(head.hidden(some), other.hidden(some), atol=0.1)
    votes = [one.dropout_predictions(some, 4, seed=0) for one in (head, other)]
    assert (votes[0] == votes[1]).mean() > 0.98


@pytest.mark.parametrize("share", [0.5, 0.0])
def test_rows_on_a_gpu_are_scored_as_on_a_cpu(pool: tuple[Embeddings, np.ndarray], share: float) -> None:
    vectors, head = pool[0], trained(pool, GPU)
    scan = Scan(None, device_rows(GPU, share))
    scan.refresh(head, vectors, lambda: None, superseded_after(1000))
    expected, found = head.on("cpu").predict_proba(vectors), scan.view(tuple(range(CLASSES)))
    np.testing.assert_allclose(found.confidences, expected.max(axis=1), atol=0.04)
    assert (found.classes == expected.argmax(axis=1)).mean() > 0.99
    some = np.array([19_999, 3, 500, 500])
    np.testing.assert_allclose(score_rows(head, vectors, some, scan.on_device), expected[some], atol=0.04)


def test_a_cleared_copy_gives_its_memory_back(pool: tuple[Embeddings, np.ndarray]) -> None:
    before, copy = torch.cuda.memory_allocated(), device_rows(GPU, 0.5)
    assert copy is not None
    copy.fill(pool[0])
    assert torch.cuda.memory_allocated() - before >= 2 * pool[0].size
    copy.clear()
    assert torch.cuda.memory_allocated() == before


def test_a_project_labels_on_a_gpu_and_clears_its_copy(tmp_path: Path) -> None:
    """From pictures to a head and the next batch, with class names of CLIP's text tower."""
    folder = write_pictures(tmp_path / "pictures", per_class=20)
    encoder = {"kind": "clip", "model": f"local-dir:{write_tiny_clip(tmp_path / 'clip', seed=1)}"}
    config = make_config(folder, encoder=encoder, gpu_share=0.1)
    with closing(Project(config, tmp_path, tmp_path / "work", GPU)) as project:
        project.start()
        wait_for(lambda: project.pipeline.progress.state in ("done", "failed"))
        assert project.pipeline.progress.error == ""
        labeler = project.labeler("ann")
        teach(labeler)
        batch = labeler.next_batch("ann", 10, "auto", fresh=True)
        assert batch.head_version == 1
        assert all(prediction is not None for prediction in batch.predictions)
        space = project.store.space
        assert space is not None and space.on_device is not None
        assert len(space.on_device) == len(project.store)
    assert len(space.on_device) == 0
