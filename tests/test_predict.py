"""`fastlabel predict` and `fastlabel export-model`: tables of predictions, files sorted, commands that go on."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from fastlabel_gradio.classifier import Classifier, export_command, load_classifier, predict_command
from fastlabel_gradio.classifier.journal import Entry, Journal
from fastlabel_gradio.command_line import main
from fastlabel_gradio.errors import ConfigError, FastLabelError
from fastlabel_gradio.server.project import Project
from tests.classifier_pools import files_of, train
from tests.conftest import ROOT
from tests.fork_server import Started, run
from tests.pools import make_config, make_sound_config, wait_for, write_pictures, write_sounds
from tests.test_api import free_port

PROGRAM_LINE = 'demo_of_bundle("model").launch()\n'  # of a Space: until it is stopped

pytestmark = pytest.mark.usefixtures("computing_as_the_app")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with `pictures`, `sounds`, and `work`, the working directory of two trained projects."""
    folder = tmp_path_factory.mktemp("predict")
    configs = (
        make_config(write_pictures(folder / "pictures", per_class=12), encoder="offline"),
        make_sound_config(write_sounds(folder / "sounds", per_class=6), encoder="bands"),
    )
    for config in configs:
        project = Project(config, folder, folder / "work")
        project.start()
        wait_for(lambda project=project: project.pipeline.progress.state == "done", 60)  # type: ignore[misc]
        train(project, batches=1)
        project.close()
    yield folder


@pytest.fixture(scope="module")
def model(place: Path) -> Path:
    """The exported classifier of pictures."""
    export(place, "--project", "images", "-o", str(place / "model"))
    return place / "model"


def export(place: Path, *options: str) -> str:
    """What the command says."""
    return export_command.main(["--workdir", str(place / "work"), *options])


def predict(*words: object) -> None:
    predict_command.main([str(word) for word in words])


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_folder_becomes_a_table_of_what_the_classifier_says(place: Path, model: Path, tmp_path: Path) -> None:
    files = files_of(place / "pictures")
    said = list(load_classifier(model).stream(files))
    predict(model, place / "pictures", "-o", tmp_path / "out.csv", "--all")
    rows = rows_of(tmp_path / "out.csv")
    assert list(rows[0]) == ["path", "label", "confidence", "blue", "green", "red"]
    assert [(row["path"], row["label"], float(row["confidence"])) for row in rows] == [
        (str(one.item), one.label, one.confidence) for one in said
    ]
    assert [float(row["red"]) for row in rows] == [float(one.probabilities[2]) for one in said]
    assert [path.name for path in files_of(tmp_path)] == ["out.csv"]
    for suffix in ("jsonl", "parquet"):
        predict(model, place / "pictures", "-o", tmp_path / f"out.{suffix}", "--top", 2)
    objects = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert objects == pyarrow.parquet.read_table(tmp_path / "out.parquet").to_pylist()
    best = said[0].best(2, load_classifier(model).classes)
    assert list(objects[0]) == ["path", "label", "confidence", "label_2", "confidence_2"]
    assert (objects[0]["label_2"], objects[0]["confidence_2"]) == best[1]


def test_files_tables_patterns_and_parts_are_taken_each_once(place: Path, model: Path, tmp_path: Path) -> None:
    files = files_of(place / "pictures")
    (tmp_path / "table.csv").write_text("path,label\n" + "".join(f"{file},x\n" for file in files[:3]))
    predict(model, files[1], tmp_path / "table.csv", place / "pictures/red/*.png", files[1], "-o", tmp_path / "out.csv")
    reds = [file for file in files if file.parent.name == "red"]
    assert [row["path"] for row in rows_of(tmp_path / "out.csv")] == [
        str(file) for file in [files[1], files[0], files[2], *reds]
    ]


def test_unreadable_files_have_blank_labels_and_unsure_ones_too(
    place: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    (folder / "broken.png").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("not an item")
    Image.new("RGB", (24, 24), (128, 110, 120)).save(folder / "grey.png")
    Image.open(files_of(place / "pictures")[0]).save(folder / "blue.png")
    predict(model, folder, "-o", tmp_path / "out.csv", "--min-confidence", 0.99, "--sort-into", tmp_path / "sorted")
    rows = {Path(row["path"]).name: row for row in rows_of(tmp_path / "out.csv")}
    assert (rows["broken.png"]["label"], rows["broken.png"]["confidence"]) == ("", "")
    said = {name: row["label"] for name, row in rows.items() if float(row["confidence"] or 0) >= 0.99}
    assert all(rows[name]["label"] == "" for name in rows.keys() - said.keys())
    assert {path.relative_to(tmp_path / "sorted") for path in files_of(tmp_path / "sorted")} == {
        Path(label) / name for name, label in said.items()
    }
    told = capsys.readouterr().err
    assert "broken.png: " in told
    assert "1 of them unreadable" in told
    assert ".txt" in told


def test_all_files_that_cannot_be_read_are_listed_with_the_reasons(
    place: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, listed = tmp_path / "new", tmp_path / "out.csv.unreadable.txt"
    folder.mkdir()
    broken = [folder / f"{number:03d}.png" for number in range(predict_command.SHOWN + 3)]
    for path in broken:
        path.write_bytes(b"no picture")
    readable = files_of(place / "pictures")[0]
    predict(model, folder, readable, "-o", tmp_path / "out.csv")
    names, reasons = zip(*(line.split(": ", 1) for line in listed.read_text().splitlines()), strict=True)
    assert list(names) == [str(path) for path in broken]
    [reason] = set(reasons)
    told = capsys.readouterr().err
    assert f"{broken[99]}: {reason}\nand 3 more that cannot be read\n{listed}: " in told
    predict(model, readable, "-o", tmp_path / "out.csv", "--overwrite")
    assert not listed.exists()


def test_a_command_that_can_read_nothing_fails_and_its_table_says_so(place: Path, model: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("path\nred/0000.png\nblue/0000.png\n")
    with pytest.raises(FastLabelError, match="none of the 2 items can be read"):
        predict(model, tmp_path / "elsewhere.csv", "-o", tmp_path / "out.csv")
    assert [row["label"] for row in rows_of(tmp_path / "out.csv")] == ["", ""]


def test_files_are_sorted_by_copies_or_links_under_names_of_their_own(place: Path, model: Path, tmp_path: Path) -> None:
    for name, options in (("copies", []), ("links", ["--link"])):
        sorted_into = tmp_path / name
        for again in ("one", "two"):
            predict(
                model, place / "pictures", "-o", tmp_path / f"{name}-{again}.csv", "--sort-into", sorted_into, *options
            )
        rows = rows_of(tmp_path / f"{name}-one.csv")
        placed = files_of(sorted_into)
        assert len(placed) == len(rows) == 36
        for label in ("blue", "green", "red"):
            held = {path.read_bytes() for path in (sorted_into / label).iterdir()}
            assert held == {Path(row["path"]).read_bytes() for row in rows if row["label"] == label}
        assert all(path.is_symlink() == (name == "links") for path in placed)


def test_a_command_that_is_killed_goes_on_where_it_was(place: Path, model: Path, tmp_path: Path) -> None:
    folder = write_pictures(tmp_path / "many", per_class=250)
    command = [
        sys.executable,
        str(ROOT / "launch.py"),
        "predict",
        str(model),
        str(folder),
        "-o",
        str(tmp_path / "out.csv"),
        "--batch-size",
        "16",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    part = tmp_path / "out.csv.part"
    began = Started(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (part.exists() and part.stat().st_size > 10_000):
        assert began.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    os.kill(began.pid, signal.SIGKILL)
    assert began.wait() == -signal.SIGKILL
    kept = part.read_bytes().count(b"\n") - 1
    assert 0 < kept < 750
    with part.open("ab") as file:
        file.write(b'["half a li')
    assert not (tmp_path / "out.csv").exists()
    finished = run(command, cwd=ROOT, env=environment)
    assert finished.returncode == 0
    assert f"{kept:,} of 750 are done already" in finished.stderr
    predict(model, folder, "-o", tmp_path / "whole.csv")
    assert (tmp_path / "out.csv").read_text() == (tmp_path / "whole.csv").read_text()
    assert not part.exists()


def test_ctrl_c_ends_a_command_in_one_line_and_keeps_what_is_done(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, add = write_pictures(tmp_path / "many", per_class=2), Journal.add

    def add_and_press(journal: Journal, entry: Entry) -> None:
        add(journal, entry)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Journal, "add", add_and_press)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background ignore it
    try:
        with pytest.raises(SystemExit) as stopped:
            main(["predict", str(model), str(folder), "-o", str(tmp_path / "out.csv")])
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.value.code == 130
    assert capsys.readouterr().err.endswith("\nfastlabel: stopped. The same command goes on where it was.\n")
    assert (tmp_path / "out.csv.part").exists()
    monkeypatch.undo()
    main(["predict", str(model), str(folder), "-o", str(tmp_path / "out.csv")])
    assert "1 of 6 are done already" in capsys.readouterr().err
    assert len(rows_of(tmp_path / "out.csv")) == 6


def test_sounds_are_cut_into_windows(place: Path, tmp_path: Path) -> None:
    work = place / "work"
    predict(work, place / "sounds", "--project", "audio", "-o", tmp_path / "whole.csv")
    assert len(rows_of(tmp_path / "whole.csv")) == 18
    predict(work, place / "sounds", "--project", "audio", "--window", 0.25, "--hop", 0.1, "-o", tmp_path / "parts.csv")
    rows = rows_of(tmp_path / "parts.csv")
    assert list(rows[0]) == ["path", "label", "confidence", "start_s", "end_s"]
    assert [(float(row["start_s"]), float(row["end_s"])) for row in rows[:2]] == [(0.0, 0.25), (0.1, 0.35)]
    named = [f"{row['path']}#t={float(row['start_s'])},{float(row['end_s'])}" for row in rows[:20]]
    assert load_classifier(work, project="audio").predict(named).tolist() == [row["label"] for row in rows[:20]]


def test_labels_of_sounds_open_in_raven_and_audacity(place: Path, tmp_path: Path) -> None:
    cut = (place / "work", place / "sounds", "--project", "audio", "--window", 0.25)
    predict(*cut, "-o", tmp_path / "parts.csv")
    said = {
        (Path(row["path"]).relative_to(place / "sounds").as_posix(), float(row["start_s"])): row
        for row in rows_of(tmp_path / "parts.csv")
    }
    predict(*cut, "-o", tmp_path / "tables", "--format", "raven")
    with (tmp_path / "tables" / "all.selections.txt").open(newline="") as lines:
        selections = list(csv.DictReader(lines, delimiter="\t"))
    assert {(row["Begin Path"], float(row["Begin Time (s)"])) for row in selections} == said.keys()
    for row in selections:
        one = said[row["Begin Path"], float(row["Begin Time (s)"])]
        assert (row["Label"], float(row["End Time (s)"])) == (one["label"], float(one["end_s"]))
        assert float(row["Confidence"]) == pytest.approx(float(one["confidence"]), abs=1e-4)
        assert (row["High Freq (Hz)"], row["Source"]) == ("4000.0", "prediction")
    name = selections[0]["Begin Path"]
    assert (tmp_path / "tables" / f"{name}.Table.1.selections.txt").is_file()
    least = sorted(float(row["confidence"]) for row in said.values())[8]
    predict(*cut, "-o", tmp_path / "tracks.zip", "--format", "audacity", "--min-confidence", least)
    with zipfile.ZipFile(tmp_path / "tracks.zip") as archive:
        tracks = {track: archive.read(track).decode().splitlines() for track in archive.namelist()}
    sure = {place: row for place, row in said.items() if float(row["confidence"]) >= least}
    assert sum(map(len, tracks.values())) == len(sure) < len(said)
    name = min(sure)[0]
    begins, ends, label = tracks[f"{name}.txt"][0].split("\t")
    one = next(row for place, row in sorted(sure.items()) if place[0] == name)
    assert (float(begins), float(ends), label) == (float(one["start_s"]), float(one["end_s"]), one["label"])
    predict(place / "work", place / "sounds", "--project", "audio", "-o", tmp_path / "whole", "--format", "raven")
    with (tmp_path / "whole" / "all.selections.txt").open(newline="") as lines:
        assert {row["Begin Time (s)"] for row in csv.DictReader(lines, delimiter="\t")} == {"0.000000"}


def test_what_cannot_be_done_is_said_before_anything_is_done(place: Path, model: Path, tmp_path: Path) -> None:
    pictures, sounds = place / "pictures", place / "work" / "audio" / "model"
    (tmp_path / "there.csv").write_text("")
    (tmp_path / "begun.csv.part").write_text('{"model": "another"}\n')
    for words, message in (
        ([model, pictures, "-o", tmp_path / "out.xls"], "'.xls' is no format of predictions"),
        ([model, pictures, "-o", tmp_path / "no" / "out.csv"], "does not exist"),
        ([model, pictures, "-o", tmp_path / "there.csv"], "is there already"),
        ([model, pictures, "-o", tmp_path / "begun.csv"], "begun with another model"),
        ([model, tmp_path / "nothing", "-o", tmp_path / "out.csv"], "does not exist"),
        ([model, tmp_path / "*.jpg", "-o", tmp_path / "out.csv"], "fits no file"),
        ([model, pictures, "-o", tmp_path / "out.csv", "--window", 3], "for sounds"),
        ([model, pictures, "-o", tmp_path / "out", "--format", "raven"], "--format raven is for labels of sounds"),
        ([sounds, place / "sounds", "-o", tmp_path / "out", "--format", "raven", "--all"], "has one label a part"),
        ([sounds, place / "sounds", "-o", model, "--format", "raven", "--overwrite"], "a folder with files in it"),
        ([model, pictures, "-o", tmp_path / "out.csv", "--link"], "--link needs --sort-into"),
        ([place / "work", pictures, "-o", tmp_path / "out.csv"], "several projects: audio, images"),
        (
            [place / "work", pictures, "-o", tmp_path / "out.csv", "--project", "audio", "--hop", 1],
            "--hop needs --window",
        ),
    ):
        with pytest.raises(FastLabelError, match=message):
            predict(*words)
    for wrong in ("--top 0", "--min-confidence 2", "--window -1"):
        with pytest.raises(SystemExit):
            predict_command.parser().parse_args([str(model), str(pictures), "-o", "out.csv", *wrong.split()])


def test_the_classifier_is_exported_as_a_folder_a_zip_and_a_space(place: Path, model: Path, tmp_path: Path) -> None:
    files = files_of(place / "pictures")[:3]
    expected = load_classifier(model).predict(files).tolist()
    assert sorted(path.name for path in files_of(model)) == [
        "README.md",
        "config.json",
        "encoder.safetensors",
        "head.safetensors",
    ]
    export(place, "--project", "images", "-o", str(model))
    export(place, "--project", "images", "-o", str(tmp_path / "model.zip"))
    said = export(place, "--project", "images", "--space", "-o", str(tmp_path / "space"))
    assert "3 classes, head" in said
    for exported in (model, tmp_path / "model.zip", tmp_path / "space"):
        assert load_classifier(exported).predict(files).tolist() == expected
    assert (tmp_path / "space" / "README.md").read_text().startswith("---\ntitle: images\n")
    assert "asks the package index for fastlabel-gradio>=" in said  # a folder of this machine is no place for a Space
    wheel = tmp_path / "fastlabel_gradio-9-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    git = "git+https://example.org/ann/fastlabel@0a1b2c"
    for package, line in ((str(wheel), f"./{wheel.name}"), (git, f"fastlabel-gradio @ {git}")):
        said = export(place, "--project", "images", "--space", "--package", package, "-o", str(tmp_path / "space"))
        assert (tmp_path / "space" / "requirements.txt").read_text() == f"{line}\n"
        assert "package index" not in said
    assert (tmp_path / "space" / wheel.name).read_bytes() == b"a wheel"
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").write_text("years of work")
    (tmp_path / "another").mkdir()
    (tmp_path / "another" / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "photos.zip").write_bytes(b"years of photos")
    for options, message in (
        (["-o", str(tmp_path / "taken")], "no export of a classifier"),
        (["-o", str(tmp_path / "another")], "no export of a classifier"),
        (["-o", str(tmp_path / "photos.zip")], "no export of a classifier"),
        (["-o", str(tmp_path / "no" / "model")], "does not exist"),
        (["--space", "--package", "nothing.whl", "-o", str(tmp_path / "new")], "is no wheel and no address"),
        (["--package", git, "-o", str(tmp_path / "new")], "needs --space"),
    ):
        with pytest.raises(ConfigError, match=message):
            export(place, "--project", "images", *options)
    with pytest.raises(SystemExit, match=r"fastlabel: .* holds no classifier"):
        main(["export-model", "--workdir", str(tmp_path / "taken"), "-o", str(tmp_path / "model")])


def test_an_export_leaves_nothing_of_an_earlier_one_and_keeps_weights_that_lie_beside(
    place: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model"
    export(place, "--project", "images", "-o", str(model))
    for name in ("head.onnx", "model.onnx", "weights.pt"):  # of the head before; put there by hand
        (model / name).write_bytes(b"earlier")
    export(place, "--project", "images", "-o", str(model))
    left = sorted(path.name for path in files_of(model))
    assert left == ["README.md", "config.json", "encoder.safetensors", "head.safetensors", "weights.pt"]
    export(place, "--project", "images", "--space", "-o", str(tmp_path / "space"))
    (tmp_path / "space" / "model" / "head.onnx").write_bytes(b"earlier")
    export(place, "--project", "images", "--space", "-o", str(tmp_path / "space"))
    assert not (tmp_path / "space" / "model" / "head.onnx").exists()


def test_an_upload_that_fails_says_why_and_keeps_the_files(
    place: Path, tmp_path: Path, no_network: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    with pytest.raises(FastLabelError, match=r"the hub did not take 'somebody/colours': .*The files are in .*model"):
        export(place, "--project", "images", "-o", str(tmp_path / "model"), "--push", "somebody/colours")
    load_classifier(tmp_path / "model")


@contextmanager
def demo_of(model: Path) -> Iterator[Client]:
    """`fastlabel demo` as a program of its own, and a client of its page."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, str(ROOT / "launch.py"), "demo", str(model), "--no-browser", "--port", str(port)]
    demo = Started(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: demo.poll() is not None or serves(address), 60)
        yield Client(address, verbose=False)
    finally:
        demo.terminate()
        demo.wait(20)


def serves(address: str) -> bool:
    try:
        return httpx.get(f"{address}/config").is_success
    except httpx.TransportError:
        return False


def assert_says(client: Client, classifier: Classifier, file: Path) -> None:
    """The page says of a file what the classifier says of it."""
    answer = client.predict(handle_file(file), api_name="/predict")
    [said] = classifier.stream([file])
    assert [(one["label"], one["confidence"]) for one in answer["confidences"]] == said.best(5, classifier.classes)
    assert answer["label"] == said.label


def test_a_demo_says_of_a_picture_what_the_classifier_says(model: Path, tmp_path: Path) -> None:
    Image.new("RGBA", (24, 24), (40, 30, 200, 60)).save(tmp_path / "glass.png")
    with demo_of(model) as client:
        assert_says(client, load_classifier(model), tmp_path / "glass.png")
        assert client.config["analytics_enabled"] is False


def test_what_a_space_runs_says_of_a_sound_what_the_classifier_says(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(place, "--project", "audio", "--space", "-o", str(tmp_path / "space"))
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    monkeypatch.chdir(tmp_path / "space")
    program = Path("app.py").read_text(encoding="utf-8")
    assert program.endswith(PROGRAM_LINE)
    launch = f"page.launch(server_port={free_port()}, prevent_thread_lock=True, quiet=True, _frontend=False)"
    names: dict[str, Any] = {}
    exec(program.replace(PROGRAM_LINE, f'page = demo_of_bundle("model")\n{launch}'), names)
    try:
        client = Client(names["page"].local_url, verbose=False)
        classifier = load_classifier("model")
        assert_says(client, classifier, files_of(place / "sounds")[0])
        [broken] = classifier.stream([tmp_path / "broken.wav"])
        with pytest.raises(AppError, match=re.escape(broken.unreadable)):
            client.predict(handle_file(tmp_path / "broken.wav"), api_name="/predict")
    finally:
        names["page"].close()
