"""The classifier that a project leaves behind: its files, and that it says what the app says."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import soundfile
from huggingface_hub import ModelCard
from PIL import Image

from fastlabel_gradio import load_classifier
from fastlabel_gradio.classifier import Classifier
from fastlabel_gradio.classifier.bundle import pack
from fastlabel_gradio.classifier.model_card import SOURCES
from fastlabel_gradio.errors import CheckpointError, ConfigError, UnreadableItemError
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import LabelSource
from tests.classifier_pools import app_says, files_of, train
from tests.conftest import ROOT
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds
from tests.tiny_models import fill_cache

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


def opened(config: object, tmp_path: Path) -> Project:
    project = Project(config, tmp_path, tmp_path / "work")  # type: ignore[arg-type]
    project.start()
    wait_for(lambda: project.pipeline.progress.state in ("done", "failed"), 120)
    return project


def run_python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What a program of its own does in a folder."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """60 pictures in `pictures`, embedded by an encoder that learned from them, and a head."""
    folder = tmp_path_factory.mktemp("trained")
    write_pictures(folder / "pictures", per_class=20)
    project = opened(make_config(folder / "pictures", encoder="offline", audit_share=0.3, train_every=1000), folder)
    yield train(project)
    project.close()


@pytest.fixture(scope="module")
def pictures(trained: Project) -> list[Path]:
    return files_of(trained.folder.parent.parent / "pictures")


@pytest.fixture(scope="module")
def classifier(trained: Project) -> Classifier:
    return load_classifier(trained.folder.parent)


def of_files(classifier: Classifier, said: dict[str, tuple[str, float]], root: Path) -> None:
    """Asserts that the classifier says of files what the app said of the same items, to the last bit."""
    assert len(said) > 8
    found = [(one.label, one.confidence) for one in classifier.stream([root / item_id for item_id in said])]
    assert found == list(said.values())


def test_it_says_of_pictures_what_the_app_says_to_the_last_bit(
    classifier: Classifier, trained: Project, pictures: list[Path]
) -> None:
    of_files(classifier, app_says(trained), pictures[0].parents[1])
    ids = [f"{path.parent.name}/{path.name}" for path in pictures]
    rows = trained.store.rows_of(ids)
    assert trained.store.space
    vectors = trained.store.space.embeddings[[rows[item_id] for item_id in ids]]
    np.testing.assert_array_equal(classifier.embed(pictures), vectors)
    np.testing.assert_array_equal(classifier.predict_proba(pictures[:1]), classifier.predict_proba(pictures)[:1])


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [("image", {"kind": "joined", "of": ["pretrained", "offline"]}), ("audio", "pretrained")],
)
def test_other_encoders_and_sounds_say_what_the_app_says_too(kind: str, encoder: object, tmp_path: Path) -> None:
    folder = tmp_path / "items"
    if kind == "image":
        config = make_config(write_pictures(folder, per_class=8), encoder=encoder)
    else:
        source = {"kind": "audio_folder", "path": str(write_sounds(folder, per_class=8)), "low_hz": 100}
        config = make_sound_config(folder, encoder=encoder, source=source)
    project = opened(config, tmp_path)
    try:
        of_files(load_classifier(train(project, batches=1).folder), app_says(project), folder)
    finally:
        project.close()


def test_windows_of_recordings_are_those_of_the_pool(tmp_path: Path) -> None:
    folder = write_sounds(tmp_path / "sounds", per_class=4, seconds=1.0)
    source = {"kind": "audio_folder", "path": str(folder), "window_s": 0.5, "hop_s": 0.25}
    project = opened(make_sound_config(folder, source=source), tmp_path)
    try:
        classifier = load_classifier(train(project, batches=2).folder.parent)
        said = app_says(project)
        names = classifier.windows(files_of(folder))
        assert {str(Path(name).relative_to(folder)) for name in names} == {item.id for item in project.source.scan()}
        of_files(classifier, said, folder)
        assert classifier.window_s == 0.5
        assert len(classifier.windows(names[0].partition("#")[0], window_s=0.2)) > len(names) / 12
    finally:
        project.close()


def test_everything_that_holds_a_picture_is_taken(classifier: Classifier, pictures: list[Path]) -> None:
    path = pictures[0]
    with Image.open(path) as picture:
        array = np.asarray(picture.convert("RGB"))
        given = [path, str(path), picture, array, Image.fromarray(array).convert("RGBA")]
        probabilities = classifier.predict_proba(given)
    for row in probabilities:
        np.testing.assert_array_equal(row, probabilities[0])
    assert classifier.predict(np.stack([array, array])).tolist() == [classifier.predict(path)[0]] * 2
    assert classifier.predict_proba([]).shape == (0, 3)
    assert classifier.classes == tuple(classifier.classes_) == ("blue", "green", "red")
    assert classifier.score(pictures, [path.parent.name for path in pictures]) > 0.9


def test_everything_that_holds_a_sound_is_taken(tmp_path: Path) -> None:
    folder = write_sounds(tmp_path / "sounds", per_class=8)
    project = opened(make_sound_config(folder), tmp_path)
    try:
        classifier = load_classifier(train(project, batches=1).folder.parent)
    finally:
        project.close()
    samples, rate_hz = soundfile.read(files_of(folder)[0], dtype="float32")
    whole = soundfile.read(files_of(folder)[0], dtype="int16")[0]
    given = [files_of(folder)[0], (samples, rate_hz), (rate_hz, whole), (np.stack([samples] * 2, axis=1), rate_hz)]
    probabilities = classifier.predict_proba(given)
    for row in probabilities:
        np.testing.assert_array_equal(row, probabilities[0])
    for wrong, message in (
        (samples, "samples a second"),
        ((samples, 5), "5 samples a second"),
        ((samples[:9], rate_hz), "9 samples"),
    ):
        with pytest.raises(UnreadableItemError, match=message):
            classifier.predict([wrong])


def test_a_stream_comes_in_order_and_reads_no_further_than_it_must(
    classifier: Classifier, pictures: list[Path]
) -> None:
    taken: list[Path] = []

    def endless() -> Iterator[Path]:
        while True:
            taken.append(pictures[len(taken) % len(pictures)])
            yield taken[-1]

    stream = classifier.stream(endless())
    first = [next(stream) for _ in range(70)]
    stream.close()
    assert [one.item for one in first] == taken[:70]
    assert len(taken) < 70 + 200 * 5


def test_what_cannot_be_read_is_named_or_left_blank(
    classifier: Classifier, pictures: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    items = [pictures[0], broken, tmp_path / "missing.png", np.zeros((4, 4)), 7]
    with pytest.raises(UnreadableItemError, match=r"broken\.png: .*missing\.png: .*uint8.*int is no picture"):
        classifier.predict(items)
    labels = classifier.predict(items, unreadable="blank")
    assert labels.tolist() == [classifier.predict(pictures[0])[0], "", "", "", ""]
    assert np.isnan(classifier.predict_proba(items, unreadable="blank")[1:]).all()
    assert [bool(one.unreadable) for one in classifier.stream(items)] == [False, True, True, True, True]
    for wrong in (7, None):
        with pytest.raises(ConfigError, match="no list of items"):
            classifier.predict(wrong)
    with pytest.raises(ConfigError, match="pictures has no windows"):
        classifier.windows(pictures)


def test_the_configuration_says_what_it_is_made_of(trained: Project) -> None:
    config = json.loads((trained.folder / "model" / "config.json").read_text())
    facts = trained.labeler("ann").head_facts()
    assert facts
    assert facts.audit
    assert config["classes"] == ["blue", "green", "red"]
    assert config["encoder"]["kind"] == "offline"
    assert config["encoder"]["fingerprint"] == facts.head.info.encoder_fingerprint
    assert config["head"]["labels"] == facts.head.info.label_count
    assert config["calibration"]["temperature"] == facts.head.info.temperature
    assert (config["audit"]["items"], config["audit"]["right"]) == (facts.audit.items, facts.audit.correct)
    assert config["audit"]["low"] < config["audit"]["accuracy"] <= config["audit"]["high"]
    assert sum(sum(by_source.values()) for by_source in config["counts"].values()) == 36
    assert config["thresholds"][0]["items"] == facts.audit.items
    assert not [
        path.name for path in files_of(trained.folder / "model") if path.suffix in (".pkl", ".pt", ".bin", ".partial")
    ]


def test_the_model_card_has_words_for_labels_of_every_source() -> None:
    assert set(SOURCES) == set(get_args(LabelSource))


def test_the_model_card_is_filled_and_the_hub_can_read_it(
    trained: Project, pictures: list[Path], tmp_path: Path
) -> None:
    text = (trained.folder / "model" / "README.md").read_text()
    card = ModelCard(text)
    assert card.data.pipeline_tag == "image-classification"
    [result] = card.data.eval_results
    assert result.metric_type == "accuracy"
    facts = trained.labeler("ann").head_facts()
    assert facts
    assert facts.audit
    assert result.metric_value == round(facts.audit.accuracy, 4)
    for said in ("more information needed", "none", "null", "nan", "todo", "{", "}"):
        assert said not in text.lower().replace("none of them", ""), said
    for said in ("`blue`", "95 % interval", "true for items like these", "Limits", facts.head.info.encoder_fingerprint):
        assert said in text
    [snippet] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    shutil.copytree(trained.folder / "model", tmp_path / "model")
    for name in ("a.jpg", "b.jpg"):
        Image.open(pictures[0]).convert("RGB").save(tmp_path / name)
    code = snippet + "print(labels, probabilities.shape)"
    ran = run_python(code, tmp_path)
    assert ran.stdout.strip().endswith("(2, 3)"), ran.stderr


def test_it_is_found_in_a_folder_a_zip_a_working_directory_and_the_hub(
    trained: Project, pictures: list[Path], tmp_path: Path, no_network: None
) -> None:
    model = trained.folder / "model"
    expected = load_classifier(model).predict_proba(pictures)
    fill_cache("somebody/colours", {path.name: path for path in files_of(model)})
    places = [trained.folder, trained.folder.parent, str(pack(model, tmp_path / "model.zip")), "somebody/colours"]
    for place in places:
        np.testing.assert_array_equal(load_classifier(place).predict_proba(pictures), expected)
    (tmp_path / "empty").mkdir()
    (tmp_path / "no.zip").write_text("no zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("../evil.txt", "x")
    for wrong, message in (
        ("nowhere/at/all", "does not exist"),
        ("nobody/nothing", "is not available"),
        (tmp_path / "empty", "holds no classifier"),
        (tmp_path / "no.zip", "no zip that can be read"),
        (tmp_path / "other.zip", r"no config\.json"),
    ):
        with pytest.raises((ConfigError, CheckpointError), match=message):
            load_classifier(wrong)
    assert not (tmp_path.parent / "evil.txt").exists()
    with pytest.raises(ConfigError, match=r"no trained project 'birds'\. It has: images"):
        load_classifier(trained.folder.parent, project="birds")
    with pytest.raises(ConfigError, match="device 'tpu' is not known"):
        load_classifier(model, device="tpu")


def test_damaged_and_foreign_files_are_refused_with_what_to_do(trained: Project, tmp_path: Path) -> None:
    def damaged(name: str, change: Callable[[bytes], bytes]) -> Path:
        folder = tmp_path / f"{name}-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(trained.folder / "model", folder)
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        return folder

    for name, change, message in (
        ("config.json", lambda content: content[:50], "Export the classifier again"),
        ("config.json", lambda content: content.replace(b'"format": 1', b'"format": 2'), "format 2"),
        (
            "config.json",
            lambda content: content.replace(b'"kind": "offline"', b'"kind": "ofline"'),
            "Did you mean 'offline'",
        ),
        ("config.json", lambda content: content.replace(b'"blue"', b'"pink"', 1), "is for the classes"),
        ("head.safetensors", lambda content: content[:-4] + b"\0\0\0\0", "not the one that config.json describes"),
        ("encoder.safetensors", lambda content: content[:99], "not readable"),
    ):
        with pytest.raises((CheckpointError, ConfigError), match=message):
            load_classifier(damaged(name, change))


def test_a_newer_head_replaces_the_files_and_a_restart_brings_missing_ones_back(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "pictures", per_class=12)
    project = train(opened(make_config(folder), tmp_path), batches=1)
    model = project.folder / "model"
    before = json.loads((model / "config.json").read_text())["head"]["version"]
    train(project, batches=1)
    assert json.loads((model / "config.json").read_text())["head"]["version"] > before
    assert load_classifier(model).head.info == project.labeler("ann").head.info  # type: ignore[union-attr]
    project.close()
    shutil.rmtree(model)
    project = opened(make_config(folder), tmp_path)
    try:
        project.labeler("ann")
        wait_for(lambda: (model / "config.json").exists())
        load_classifier(model)
    finally:
        project.close()


def test_a_program_that_classifies_imports_neither_gradio_nor_a_web_server(trained: Project) -> None:
    code = (
        "import sys, fastlabel_gradio\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules\n"
        "from fastlabel_gradio import load_classifier\n"
        "assert not {'torch', 'scipy', 'PIL.ImageQt', 'pyarrow'} & set(sys.modules)\n"
        f"load_classifier({str(trained.folder / 'model')!r})\n"
        "heavy = {'gradio', 'fastapi', 'httpx', 'sklearn', 'transformers', 'timm', 'open_clip', 'sqlalchemy', "
        "'pandas', 'librosa'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    ran = run_python(code, ROOT)
    assert ran.stdout.strip() == "[]", ran.stderr
