"""The script of the documents runs as it stands: the real app, over REST, and the commands."""

import csv
import runpy
import subprocess
from pathlib import Path

import pytest
from datasets import load_dataset

from fastlabel_gradio import load_classifier
from fastlabel_gradio.finish import Promise, promise_of
from tests.conftest import ROOT
from tests.documents import read
from tests.fork_server import Started
from tests.pools import write_pictures

SCRIPT = "docs/finish_a_pool.py"


def test_the_script_of_the_documents_finishes_a_pool(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(subprocess, "Popen", Started)  # of the app and the commands that the script starts
    pool, test = write_pictures(tmp_path / "pool", 80), write_pictures(tmp_path / "test", 5, seed=1)
    options = ("--labels", "45", "--encoder", "offline", "-o", str(tmp_path / "out"))
    runpy.run_path(str(ROOT / SCRIPT))["main"]([str(pool), str(test), *options])
    rows = [line.strip("| ").split(" | ") for line in capfd.readouterr().out.splitlines() if line.startswith("| ")]
    figures = dict(row for row in rows if len(row) == 2)
    assert figures["labels given"] == "45 of 240 items"
    assert figures["promised"] == "90 % of the accepted labels are right"
    assert int(figures["accepted"].split()[0]) > 50
    assert figures["right of those accepted"] == figures["right on 15 test items"] == "100.0 %"
    with (tmp_path / "out" / "labels.csv").open(newline="") as lines:
        said = list(csv.DictReader(lines))
    labels = {row["item_id"]: row["label"] for row in said}
    data = load_dataset("imagefolder", data_dir=str(tmp_path / "out" / "dataset"), split="train")
    assert {row["item_id"]: row["label"] for row in data} == labels
    config = load_classifier(tmp_path / "out" / "model").config
    assert config.promise is not None
    [promised] = config.promise["promises"]
    [note] = {row["promise"] for row in said if row["source"] == "auto"}
    assert promise_of(note) == Promise(1, 0.9, promised["checked"], promised["wrong"])
    assert {row["promise"] for row in said if row["source"] != "auto"} == {""}
    assert {row["item_id"]: row["promise"] or "" for row in data} == {row["item_id"]: row["promise"] for row in said}


def test_the_documents_name_it() -> None:
    for document in ("docs/finish.md", "docs/benchmarks.md"):
        assert SCRIPT in read(document).replace("(finish_a_pool.py)", f"({SCRIPT})")
