"""`fastlabel predict` over a bucket, a web server and tables that name their files, here and on a Ray cluster."""

import csv
import json
import os
import pickle
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from fastlabel_gradio.classifier import load_classifier, predict_command
from fastlabel_gradio.classifier.listing import listed_files
from fastlabel_gradio.data_options import WORKDIR_VARIABLE
from fastlabel_gradio.errors import ConfigError, FastLabelError, UnreadableItemError
from fastlabel_gradio.server.project import Project
from tests.classifier_pools import train
from tests.conftest import ROOT
from tests.fork_server import run
from tests.pools import make_config, make_sound_config, write_sounds
from tests.remote import BUCKET, S3, WebServer, s3, web  # noqa: F401

pytestmark = pytest.mark.usefixtures("computing_as_the_app")

Cells = list[list[object]]


@pytest.fixture(autouse=True)
def workdirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is fetched is kept."""
    monkeypatch.setenv(WORKDIR_VARIABLE, str(tmp_path / "workdirs"))
    return tmp_path / "workdirs"


@pytest.fixture
def model(pictures: Path, tmp_path: Path, open_project: Callable[..., Project]) -> Path:
    project = train(open_project(make_config(pictures, encoder="offline")), batches=1)
    project.write_model("ann", tmp_path / "model")
    project.close()
    return tmp_path / "model"


def predict(*words: object) -> None:
    predict_command.main([str(word) for word in words])


def predict_on_ray(workdirs: Path, *words: object) -> str:
    """As a program of its own: workers see the environment that their cluster was started in. What it tells."""
    command = [sys.executable, ROOT / "launch.py", "predict", *words, "--ray", "local", "--workers", "1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), WORKDIR_VARIABLE: str(workdirs)}
    done = run([*map(str, command)], cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stderr


def said(table: Path, place: object) -> Cells:
    """The rows with their paths relative to a place."""
    return [[row.pop("path").removeprefix(f"{place}/"), *row.values()] for row in pq.read_table(table).to_pylist()]


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'fastlabel-gradio[ray]'")
def test_a_bucket_is_predicted_as_the_folder_that_was_put_into_it_here_and_on_ray(
    model: Path,
    pictures: Path,
    tmp_path: Path,
    s3: S3,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    (pictures / "broken.png").write_bytes(b"no picture")
    (pictures / "notes.txt").write_text("not an item")
    s3.put(pictures, "deep/")
    place = f"s3://{BUCKET}/deep"
    predict(model, pictures, "-o", tmp_path / "folder.parquet", "--all", "--batch-size", 4)
    expected = said(tmp_path / "folder.parquet", pictures)
    assert len(expected) == 61
    for name in ("here", "ray"):
        out = tmp_path / f"{name}.parquet"
        words = (model, f"{place}/", "-o", out, "--all", "--batch-size", 4)
        if name == "ray":
            told = predict_on_ray(tmp_path / "on-ray", *words)
        else:
            predict(*words)
            told = capsys.readouterr().err
        assert said(out, place) == expected
        [line] = out.with_name(f"{out.name}.unreadable.txt").read_text().splitlines()
        assert line.startswith(f"{place}/broken.png: ")
        assert not out.with_name(f"{out.name}.part").exists()
        assert ".txt" in told


def test_what_a_store_could_not_give_is_tried_again_alone(
    model: Path,
    pictures: Path,
    tmp_path: Path,
    web: WebServer,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    pictures.rename(tmp_path / "web" / "photos")
    place = f"{web.address}/photos"
    web.torn.add("/photos/red/0003.png")
    out, part = tmp_path / "out.csv", tmp_path / "out.csv.part"
    predict(model, place, "-o", out)
    rows = list(csv.DictReader(out.open(newline="")))
    assert [row["path"] for row in rows if not row["label"]] == [f"{place}/red/0003.png"]
    assert "1 could not be read now. The same command with --overwrite tries those alone" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="is there already"):
        predict(model, place, "-o", out)
    web.torn.clear()
    web.asked.clear()
    predict(model, place, "-o", out, "--overwrite")
    assert [path for path, _ in web.asked if path.endswith(".png")] == ["/photos/red/0003.png"]
    again = {row["path"]: row for row in csv.DictReader(out.open(newline=""))}
    assert all(row["label"] for row in again.values())
    assert {**again, f"{place}/red/0003.png": None} == {
        **{row["path"]: row for row in rows},
        f"{place}/red/0003.png": None,
    }
    assert not part.exists()
    assert not Path(f"{out}.unreadable.txt").exists()


def test_a_login_and_a_signature_reach_the_server_and_no_file_that_is_written(
    model: Path,
    pictures: Path,
    tmp_path: Path,
    web: WebServer,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    pictures.rename(tmp_path / "web" / "photos")
    (tmp_path / "web" / "photos" / "broken.png").write_bytes(b"no picture")
    web.login = "Basic YW5uOmdlaGVpbQ=="
    address = f"http://ann:geheim@{web.address[7:]}/photos/?sig=deadbeef"
    predict(model, address, "-o", tmp_path / "out.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [row["path"] for row in rows if not row["label"]] == [f"{web.address}/photos/broken.png"]
    assert len(rows) == 61
    names, _ = listed_files([address], "image")
    assert pickle.loads(pickle.dumps(names)) == names, "what a worker of a cluster gets"
    pages = [path for path, _ in web.asked]
    assert all(path.endswith("?sig=deadbeef") for path in pages)
    with pytest.raises(FastLabelError) as refused:
        load_classifier(model).predict(f"http://ann:geheim@{web.address[7:]}/photos/none.png?sig=deadbeef")
    written = [path.read_text(errors="replace") for path in tmp_path.glob("*.*") if path.is_file()]
    for text in (*written, capsys.readouterr().err, str(refused.value)):
        assert "geheim" not in text and "deadbeef" not in text


def test_files_and_tables_of_a_bucket_and_tables_that_name_addresses(
    model: Path,
    pictures: Path,
    tmp_path: Path,
    s3: S3,  # noqa: F811
) -> None:
    names = ["red/0002.png", "blue/0000.png", "green/0001.png"]
    (pictures / "list.csv").write_text("path,label\n" + "".join(f"{name},x\n" for name in names))
    s3.put(pictures)
    (tmp_path / "mixed.csv").write_text(f"path\n{pictures}/{names[0]}\ns3://{BUCKET}/{names[1]}\n")
    classifier = load_classifier(model)
    expected = classifier.predict([pictures / name for name in names]).tolist()
    for words, paths in (
        ([f"s3://{BUCKET}/list.csv"], [f"s3://{BUCKET}/{name}" for name in names]),
        ([f"s3://{BUCKET}/{name}" for name in names], [f"s3://{BUCKET}/{name}" for name in names]),
        ([tmp_path / "mixed.csv"], [str(pictures / names[0]), f"s3://{BUCKET}/{names[1]}"]),
    ):
        predict(model, *words, "-o", tmp_path / "out.csv", "--overwrite")
        rows = list(csv.DictReader((tmp_path / "out.csv").open(newline="")))
        assert [row["path"] for row in rows] == paths
        assert [row["label"] for row in rows] == expected[: len(rows)]
    assert classifier.predict(f"s3://{BUCKET}/{names[0]}").tolist() == expected[:1]
    with pytest.raises(UnreadableItemError, match=f"s3://{BUCKET}/no.png: .*there is no such file"):
        classifier.predict([f"s3://{BUCKET}/no.png"])


def test_recordings_of_a_bucket_are_cut_into_windows(
    tmp_path: Path,
    s3: S3,  # noqa: F811
    open_project: Callable[..., Project],
) -> None:
    sounds = write_sounds(tmp_path / "sounds", per_class=6)
    project = train(open_project(make_sound_config(sounds, encoder="bands")), batches=1)
    project.write_model("ann", tmp_path / "model")
    project.close()
    (sounds / "low" / "broken.wav").write_bytes(b"no sound")
    s3.put(sounds)
    for name, place in (("here", sounds), ("far", f"s3://{BUCKET}")):
        predict(tmp_path / "model", place, "--window", 0.25, "--hop", 0.1, "-o", tmp_path / f"{name}.parquet")
    assert said(tmp_path / "far.parquet", f"s3://{BUCKET}") == said(tmp_path / "here.parquet", sounds)


def test_what_cannot_be_done_with_files_elsewhere_is_said_first(
    model: Path,
    tmp_path: Path,
    s3: S3,  # noqa: F811
) -> None:
    s3.client.put_object(Bucket=BUCKET, Key="a.png", Body=b"x")
    for words, message in (
        (["s3://"], "s3://: s3:// names no bucket"),
        (
            [f"s3://{BUCKET}/none"],
            "does not exist, is empty or is no folder. Give the address of a folder with pictures",
        ),
        (["s3://no-such-bucket-here/"], "cannot be listed"),
        (
            [f"s3://{BUCKET}", "--sort-into", tmp_path / "sorted"],
            f"--sort-into needs files of this machine.*s3://{BUCKET}/a",
        ),
    ):
        with pytest.raises(FastLabelError, match=message):
            predict(model, *words, "-o", tmp_path / "out.csv")
        assert not (tmp_path / "out.csv.part").exists()
