"""Suggestions from the class names alone, and how labels take over from them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fastlabel_gradio.encoders.clip import ClipEncoder
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.head import HeadInfo, Spread, TextPrior, train_head, zero_shot_head
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Batch, Label
from tests.pools import COLOURS, make_config, true_labels, write_pictures
from tests.tiny_models import match_texts, write_tiny_clip

OpenProject = Callable[..., Project]
CLASSES = tuple(sorted(COLOURS))


@pytest.fixture(scope="module")
def colours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 pictures in three class folders."""
    return write_pictures(tmp_path_factory.mktemp("colours"), per_class=40)


@pytest.fixture(scope="module")
def knowing_clip(tmp_path_factory: pytest.TempPathFactory, colours: Path) -> Path:
    """A tiny CLIP whose text tower knows the colours."""
    folder = write_tiny_clip(tmp_path_factory.mktemp("clip"), seed=3)
    pictures = {name: [Image.open(path) for path in sorted((colours / name).iterdir())[:10]] for name in CLASSES}
    match_texts(folder, {f"a photo of a {name}.": of_class for name, of_class in pictures.items()})
    return folder


def _config(colours: Path, clip: Path, **settings: object):  # type: ignore[no-untyped-def]
    return make_config(colours, encoder={"kind": "clip", "model": f"local-dir:{clip}"}, **settings)


def _right(batch: Batch) -> float:
    pairs = zip(batch.items, batch.predictions, strict=True)
    return float(np.mean([CLASSES[said.index] == item.id.split("/")[0] for item, said in pairs if said]))


def _vectors(count: int, dim: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _prior(classes: int = 3, dim: int = 8, scale: float = 100.0) -> TextPrior:
    return TextPrior(_vectors(classes, dim, seed=1), scale)


def _info(classes: int = 3, labels: int = 0) -> HeadInfo:
    return HeadInfo(0, tuple(Label(number, str(number)) for number in range(classes)), "abc", labels)


def test_without_labels_a_head_is_the_softmax_of_the_scaled_cosines() -> None:
    prior, vectors = _prior(), _vectors(50, 8)
    expected = torch.from_numpy(100 * vectors @ prior.texts.T).softmax(dim=1).numpy()
    found = zero_shot_head(prior, _info()).predict_proba(vectors)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_suggestions_come_with_the_very_first_batch(
    colours: Path, knowing_clip: Path, open_project: OpenProject
) -> None:
    labeler = open_project(_config(colours, knowing_clip)).labeler("ann")
    batch = labeler.next_batch("ann", 30)
    assert all(batch.predictions)
    assert _right(batch) > 0.9
    assert (batch.head_version, batch.strategy, batch.notice) == (0, "auto", "")
    assert labeler.status().head is not None


def test_they_are_what_open_clip_gives_for_these_texts(
    colours: Path, knowing_clip: Path, open_project: OpenProject, in_fp32: None
) -> None:
    import open_clip

    labeler = open_project(_config(colours, knowing_clip)).labeler("ann")
    batch = labeler.next_batch("ann", 20)
    model, prepare = open_clip.create_model_from_pretrained(f"local-dir:{knowing_clip}")
    tokens = open_clip.get_tokenizer(f"local-dir:{knowing_clip}")([f"a photo of a {name}." for name in CLASSES])
    pictures = torch.stack([prepare(Image.open(colours / item.id)) for item in batch.items])
    with torch.no_grad():
        images, texts = model.encode_image(pictures, normalize=True), model.encode_text(tokens, normalize=True)
        expected = (model.logit_scale.exp() * images @ texts.T).softmax(dim=1)
    assert [said.index for said in batch.predictions if said] == expected.argmax(dim=1).tolist()
    confidences = [said.confidence for said in batch.predictions if said]
    np.testing.assert_allclose(confidences, expected.max(dim=1).values.numpy(), atol=2e-3)


def test_the_first_trained_head_takes_over_and_is_saved(
    colours: Path, knowing_clip: Path, open_project: OpenProject
) -> None:
    project = open_project(_config(colours, knowing_clip))
    labeler = project.labeler("ann")
    assert not labeler.checkpoint.exists()
    labeler.submit("ann", true_labels(labeler, "ann", 30))
    assert labeler.wait_for_training(30)
    batch = labeler.next_batch("ann", 30)
    assert batch.head_version == 1
    assert _right(batch) > 0.9
    project.close()
    again = open_project(_config(colours, knowing_clip)).labeler("ann")
    assert again.head is not None
    assert again.head.info.version == 1


def test_wrong_names_are_overruled_by_labels(colours: Path, knowing_clip: Path, open_project: OpenProject) -> None:
    swapped = {"red": "green", "green": "blue", "blue": "red"}
    labeler = open_project(_config(colours, knowing_clip)).labeler("ann")
    for _ in range(2):
        said = [(item_id, swapped[str(name)]) for item_id, name in true_labels(labeler, "ann", 30)]
        labeler.submit("ann", said)
        assert labeler.wait_for_training(30)
    batch = labeler.next_batch("ann", 40, "random", fresh=True)
    right = [
        CLASSES[prediction.index] == swapped[item.id.split("/")[0]]
        for item, prediction in zip(batch.items, batch.predictions, strict=True)
        if prediction
    ]
    assert np.mean(right) > 0.8


def test_an_empty_prompt_gives_no_suggestions(colours: Path, knowing_clip: Path, open_project: OpenProject) -> None:
    labeler = open_project(_config(colours, knowing_clip, prompt="")).labeler("ann")
    assert list(labeler.next_batch("ann", 5).predictions) == [None] * 5
    assert labeler.head is None


def test_prompts_hold_the_names_as_they_are(
    colours: Path, knowing_clip: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    encode = ClipEncoder.encode_text

    def listen(encoder: ClipEncoder, prompts: list[str]) -> np.ndarray:
        asked.extend(prompts)
        return encode(encoder, prompts)

    monkeypatch.setattr(ClipEncoder, "encode_text", listen)
    names = ["${x}", "{0}", "%s", "crying_baby"]
    project = open_project(_config(colours, knowing_clip, classes=names, prompt="one {label}, {please}"))
    assert project.labeler("ann").head is not None
    assert asked == [f"one {name}, {{please}}" for name in ("${x}", "{0}", "%s", "crying baby")]


def test_a_text_tower_that_cannot_be_used_is_told_and_labelling_goes_on(
    colours: Path, knowing_clip: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(encoder: ClipEncoder, prompts: list[str]) -> np.ndarray:
        raise EncoderUnavailableError("no tokenizer")

    monkeypatch.setattr(ClipEncoder, "encode_text", missing)
    labeler = open_project(_config(colours, knowing_clip)).labeler("ann")
    assert len(labeler.next_batch("ann", 5).items) == 5
    assert "no tokenizer" in labeler.status().notice


def test_names_count_less_the_more_labels_there_are_and_the_less_they_are_worth() -> None:
    prior, vectors = _prior(), _vectors(60, 8)
    said = (vectors @ prior.texts.T).argmax(axis=1)

    def alpha(targets: np.ndarray) -> float:
        weighted = prior.weighted(vectors[: len(targets)], targets)
        return float(np.linalg.norm(weighted) / np.linalg.norm(prior.scale * prior.texts))

    assert alpha(said[:0]) == pytest.approx(1)
    assert 1 > alpha(said[:6]) > alpha(said[:60]) > 0.2
    assert alpha((said[:60] + 1) % 3) < 0.5 * alpha(said[:60])


def test_few_labels_do_not_spoil_what_good_names_say_and_many_overrule_bad_ones() -> None:
    rng = np.random.default_rng(0)
    centres = _vectors(5, 32, seed=2)
    truth = rng.integers(5, size=2_000)
    vectors = centres[truth] + rng.normal(size=(2_000, 32)).astype(np.float32) * 0.35
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    spread = Spread.of(vectors)

    def accuracy(texts: np.ndarray | None, labels: int) -> float:
        prior = None if texts is None else TextPrior(texts, 15.0)
        shares = []
        for seed in range(3):
            rows = np.random.default_rng(seed).permutation(1_000)[:labels]
            head = train_head(vectors[rows], truth[rows], _info(5, labels), spread=spread, prior=prior)
            shares.append((head.predict_proba(vectors[1_000:]).argmax(axis=1) == truth[1_000:]).mean())
        return float(np.mean(shares))

    names_alone = zero_shot_head(TextPrior(centres, 15.0), _info(5)).predict_proba(vectors[1_000:]).argmax(axis=1)
    assert accuracy(centres, 5) > accuracy(None, 5) + 0.1
    assert accuracy(centres, 5) > (names_alone == truth[1_000:]).mean() - 0.05
    assert accuracy(np.roll(centres, 1, axis=0), 500) > accuracy(None, 500) - 0.02


def test_class_names_are_encoded_once_for_all_private_labelers(
    colours: Path, knowing_clip: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = ClipEncoder.encode_text

    def counted(encoder: ClipEncoder, texts: list[str]) -> np.ndarray:
        encoded.append(len(texts))
        return encode(encoder, texts)

    monkeypatch.setattr(ClipEncoder, "encode_text", counted)
    project = open_project(_config(colours, knowing_clip, sharing="private"))
    for guest in ("guest-one1", "guest-two2", "guest-three3"):
        assert project.labeler(guest).head is not None
    assert encoded == [len(project.schema)]
