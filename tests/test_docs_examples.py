"""The examples of the documents run: curl against a real server, Python as it stands, plugins from another package."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.app import App, create_app
from fastlabel_gradio.config import AppConfig, ProjectConfig
from fastlabel_gradio.encoders import ENCODERS
from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.exports import EXPORTERS, ExportRow
from fastlabel_gradio.gallery import SoundGallery
from fastlabel_gradio.server.views import VIEWS
from fastlabel_gradio.sources import SOURCES, open_source
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Waveform
from tests import test_strategies
from tests.documents import blocks, first_table, read
from tests.pools import wait_for
from tests.test_api import free_port

REST = read("docs/rest.md")
LOGIN = "Login"
LOGINS = {"ann": "secret"}
DEMO = {"images": "demo", "audio": "demo_sounds"}
TAUGHT = 300
needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")

# Reports the status of every request on stderr, as "200 http://…", and the answer on stdout as before.
COUNTING_CURL = r"""
set -euo pipefail
curl() { command curl --silent --show-error --write-out '%{stderr}%{http_code} %{url_effective}\n' "$@"; echo; }
"""


def _serve(tmp_path: Path, logins: dict[str, str] | None = None, **encoders: str) -> tuple[App, str]:
    """The projects of the demo that are named, embedded, in `tmp_path/work`."""
    projects = tuple(
        ProjectConfig.model_validate({"name": name, "source": DEMO[name], "encoder": encoder})
        for name, encoder in encoders.items()
    )
    app = create_app(AppConfig(projects=projects), tmp_path / "work", logins)
    address = app.serve(host="127.0.0.1", port=free_port(), share=False, open_browser=False, quiet=True)
    for project in app.projects.values():
        wait_for(lambda project=project: project.pipeline.progress.state == "done", timeout=60)  # type: ignore[misc]
    return app, address.rstrip("/")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, str]]:
    app, address = _serve(tmp_path_factory.mktemp("demo"), images="offline", audio="bands")
    yield app, address
    app.close()


def _run_blocks(headings: set[str] | None, without: str, folder: Path, **environment: str) -> tuple[str, str]:
    """Runs the bash blocks of the REST page as one script; returns what it wrote to stdout and stderr."""
    chosen = [
        block
        for block in blocks(REST, "bash")
        if (not headings or block.heading in headings) and block.heading != without
    ]
    script = COUNTING_CURL + "".join(block.text for block in chosen)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def _expected_statuses(text: str) -> list[set[str]]:
    """For each curl of a script the statuses that its comment names, 200 without one."""
    lines = [line for line in text.splitlines() if "curl" in line]
    return [set(re.findall(r"\d{3}", line.rpartition("#")[2])) if "  # " in line else {"200"} for line in lines]


def _assert_statuses(errors: str, text: str) -> None:
    got = re.findall(r"^(\d{3}) http", errors, re.MULTILINE)
    expected = _expected_statuses(text)
    assert len(got) == len(expected)
    assert all(status in allowed for status, allowed in zip(got, expected, strict=True)), errors


# REST


@needs_curl
def test_every_curl_of_the_rest_page_is_answered_as_it_says(demo: tuple[App, str], tmp_path: Path) -> None:
    _, errors = _run_blocks(None, LOGIN, tmp_path, FASTLABEL=demo[1])
    _assert_statuses(errors, "".join(block.text for block in blocks(REST, "bash") if block.heading != LOGIN))
    assert Image.open(tmp_path / "sheet.jpg").width > Image.open(tmp_path / "picture.jpg").width == 32
    assert (tmp_path / "sound.flac").read_bytes()[:4] == b"fLaC"
    assert (tmp_path / "start.flac").stat().st_size == 1000
    assert Image.open(tmp_path / "spectrogram.jpg").size == (1200, 480)
    assert (tmp_path / "all.jsonl").read_text(encoding="utf-8").count("\n") == 1200


@needs_curl
def test_the_answers_of_the_rest_page_have_the_fields_that_come(demo: tuple[App, str], tmp_path: Path) -> None:
    sections = {"A batch", "Find items", "Labels", "Labels to look at again", "Finish", "Errors"}
    others = {LOGIN, "Training and status"}  # below, and tests/test_health.py
    assert {block.heading for block in blocks(REST, "json")} == sections | others
    shown = [json.loads(block.text) for block in blocks(REST, "json") if block.heading in sections]
    output, _ = _run_blocks(sections, LOGIN, tmp_path, FASTLABEL=demo[1])
    answers = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    for example in shown:
        [alike] = [answer for answer in answers if set(answer) == set(example)][-1:]
        if isinstance(example.get("items"), list):
            assert set(alike["items"][0]) == set(example["items"][0])
        if "error" in example:
            assert alike == example


@needs_curl
def test_the_logins_of_the_rest_page_work(tmp_path: Path) -> None:
    app, address = _serve(tmp_path, LOGINS, images="pixels")
    try:
        output, errors = _run_blocks({LOGIN}, "", tmp_path, FASTLABEL=address, TOKEN=app.access.token("ann"))
    finally:
        app.close()
    _assert_statuses(errors, "".join(block.text for block in blocks(REST, "bash") if block.heading == LOGIN))
    [me] = [json.loads(block.text) for block in blocks(REST, "json") if block.heading == LOGIN]
    assert set(me) in [set(json.loads(line)) for line in output.splitlines() if line.startswith("{")]
    assert output.count('"annotator":"ann"') == 3  # twice the status, once /api/me


# The working directory, and the trained head outside the app


def test_the_readme_lists_what_is_kept_in_the_working_directory(demo: tuple[App, str]) -> None:
    app, _ = demo
    _train(app)
    assert app.projects["images"].labeler("ann").finisher.start("ann", 0.8).possible
    sounds = app.projects["audio"]
    assert isinstance(sounds.gallery, SoundGallery)
    sounds.gallery.playable_file(next(sounds.source.scan()))
    workdir, encoder = app.workdir, app.projects["images"].pipeline.encoder
    assert encoder is not None
    files = {str(path.relative_to(workdir)) for path in workdir.rglob("*") if path.is_file()}
    own = {name for name in files if not name.startswith("audio/") or name.startswith("audio/sounds/")}
    hashes = {re.sub("[0-9a-f]{32}", "<hash>", name).replace(encoder.fingerprint, "<encoder>") for name in own}
    named = {name.replace(f"/{encoder.name}.safetensors", "/<kind>.safetensors") for name in hashes}
    kept = {re.sub("/model/.*", "/model/", name) for name in named if not name.endswith(("-wal", "-shm"))}
    listed = {row[0] for row in first_table(read("docs/files.md"))}
    not_always = {
        "downloads/",
        "tokens",
        "invites.json",
        "images/rescan.wanted",
        "images/planted.jsonl",
        "images/map.safetensors",
    }
    assert kept <= listed
    assert listed - kept <= not_always


def test_the_trained_head_is_used_as_the_loop_page_says(demo: tuple[App, str], monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = demo
    _train(app)
    project = app.projects["images"]
    item = next(project.source.scan())
    project.source.read(item).save(project.folder / "picture.png")
    monkeypatch.chdir(project.folder)
    [example] = blocks(read("docs/how-to.md"), "python")
    found = _execute(example.text)
    assert found["probabilities"].sum() == pytest.approx(1, abs=1e-3)
    assert found["best"] == project.source.reference_label(item)
    (project.folder / "picture.png").unlink()


def _train(app: App) -> None:
    """Labels some of the digits as the data has them, and waits for a head that was trained on them."""
    project = app.projects["images"]
    labeler = project.labeler("teacher")
    items = list(project.source.scan())[:TAUGHT]
    labeler.submit("teacher", [(item.id, str(project.source.reference_label(item))) for item in items])
    wait_for(lambda: labeler.head is not None and labeler.status().since_training == 0)
    assert labeler.wait_for_training(30)  # the head serves before it is saved


# Extending


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is forgotten after it."""
    for registry in (SOURCES, *ENCODERS.values(), STRATEGIES, EXPORTERS, VIEWS):
        monkeypatch.setattr(registry, "_parts", dict(registry._parts))


def _execute(text: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(compile(text, "example", "exec"), names)
    return names


def _example(heading: str) -> str:
    [block] = [block for block in blocks(read("docs/extending.md"), "python") if block.heading == heading]
    return block.text


@pytest.mark.usefixtures("registries")
def test_the_example_of_a_strategy_passes_the_contract() -> None:
    _execute(_example("A strategy"))
    test_strategies.test_a_strategy_picks_distinct_positions_of_the_pool.__wrapped__("margin_of_an_eighth")
    test_strategies.test_the_same_seed_gives_the_same_picks_and_leaves_the_pool_untouched.__wrapped__(
        "margin_of_an_eighth"
    )


@pytest.mark.usefixtures("registries")
def test_the_example_of_an_export_format_writes_labels(tmp_path: Path) -> None:
    _execute(_example("An export format"))
    rows = [ExportRow("a.png", "cat", "ann", "2026-01-31"), ExportRow("b.png"), ExportRow("c\td.png", "dog")]
    path = EXPORTERS.get("tsv").write(iter(rows), tmp_path / "labels.tsv")
    assert path.read_bytes() == b'a.png\tcat\r\n"c\td.png"\tdog\r\n'


@pytest.mark.usefixtures("registries")
def test_the_example_of_a_source_reads_an_array(tmp_path: Path) -> None:
    _execute(_example("A source"))
    pictures = np.random.default_rng(0).integers(0, 256, size=(5, 8, 6, 3), dtype=np.uint8)
    np.save(tmp_path / "pictures.npy", pictures)
    np.save(tmp_path / "grey.npy", pictures[..., 0])
    source = open_source("numpy_array", {"path": "pictures.npy"}, tmp_path, tmp_path)
    items = list(source.scan())
    assert [item.id for item in items] == ["0", "1", "2", "3", "4"]
    np.testing.assert_array_equal(np.asarray(source.read(items[3])), pictures[3])
    assert len({source.content_key(item) for item in items}) == 5
    for name, says in (("missing.npy", "not a file"), ("grey.npy", "not uint8")):
        with pytest.raises(SourceError, match=says):
            open_source("numpy_array", {"path": name}, tmp_path, tmp_path)


@pytest.mark.usefixtures("registries")
def test_the_example_of_an_encoder_gives_unit_vectors() -> None:
    names = _execute(_example("An encoder"))
    encoder = ENCODERS["image"].get("colours")(names["EncoderOptions"]())
    pictures = [Image.new("RGB", (40, 20), colour) for colour in ("black", "white", "red")]
    vectors = encoder.encode([encoder.prepare(picture) for picture in pictures])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors @ vectors.T, np.eye(3), atol=1e-6)
    assert encoder.encode([]).shape == (0, encoder.dim)


@pytest.mark.usefixtures("registries")
def test_the_example_of_an_encoder_of_sounds_tells_high_from_low() -> None:
    names = _execute(_example("An encoder of sounds"))
    encoder = ENCODERS["audio"].get("mel_bands")(names["EncoderOptions"]())
    times = np.arange(16_000) / 16_000
    sounds = [np.sin(2 * np.pi * hz * times[:samples]) for hz, samples in ((200, 16_000), (200, 8_000), (3000, 16_000))]
    vectors = encoder.encode([encoder.prepare(Waveform(sound.astype(np.float32), 16_000)) for sound in sounds])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors[0] @ vectors[1] > 0.9 > 0.5 > vectors[0] @ vectors[2]
    assert encoder.encode([]).shape == (0, encoder.dim)


@pytest.mark.usefixtures("registries")
def test_another_package_adds_parts_by_its_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tomllib

    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    for name, heading in (
        ("numpy_array", "A source"),
        ("colours", "An encoder"),
        ("mel_bands", "An encoder of sounds"),
        ("tsv", "An export format"),
        ("margin", "A strategy"),
        ("counts", "A view"),
    ):
        (package / f"{name}.py").write_text(_example(heading), encoding="utf-8")
    [example] = blocks(read("docs/extending.md"), "toml")
    groups: dict[str, dict[str, str]] = tomllib.loads(example.text)["project"]["entry-points"]
    lines = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in parts.items())
        for group, parts in groups.items()
    ]
    installed = tmp_path / "my_package-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n", encoding="utf-8")
    (installed / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for registry in (SOURCES, *ENCODERS.values(), STRATEGIES, EXPORTERS, VIEWS):
        monkeypatch.setattr(registry, "_plugins_loaded", False)
    assert "numpy_array" in SOURCES.names()
    assert "colours" in ENCODERS["image"].names()
    assert "mel_bands" in ENCODERS["audio"].names()
    assert "margin_of_an_eighth" in STRATEGIES.names()
    assert "tsv" in EXPORTERS.names()
    assert "counts" in VIEWS.names()
