"""Labels on their way by the command line: export, merge, backup, restore, and --import at the start."""

import heapq
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fastlabel_gradio.command_line import main
from fastlabel_gradio.errors import ConfigError, StoreError
from fastlabel_gradio.exports.hub_folder import push_folder
from fastlabel_gradio.label_commands import merging
from fastlabel_gradio.label_commands.merging import merge
from fastlabel_gradio.labels import LabelStore, Told
from fastlabel_gradio.server.backups import back_up, restore
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.types import Said, State
from tests.hub_server import hub_on_this_machine
from tests.labels.test_migrations import write_layout_1
from tests.pools import make_config, wait_for

OpenProject = Callable[..., Project]


@pytest.fixture
def work(tmp_path: Path, pictures: Path, open_project: OpenProject) -> Path:
    """A working directory whose project is open, with labels of two annotators and a head."""
    project = open_project(make_config(pictures, train_every=1000))
    labeler = project.labeler("ann")
    labeler.submit("ann", [(f"{name}/{n:04d}.png", name) for name in ("red", "green", "blue") for n in range(3)])
    labeler.submit("bob", [("red/0000.png", "blue"), ("red/0005.png", State.SKIP)])
    labeler.train()
    assert labeler.wait_for_training(60)
    return tmp_path / "work"


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    main([str(word) for word in words])
    return capsys.readouterr().out


def refused(*words: object) -> str:
    with pytest.raises(SystemExit) as error:
        main([str(word) for word in words])
    return str(error.value)


def opinions(workdir: Path, name: str = "images") -> list[tuple[str, str, str, str, bool]]:
    store = LabelStore(f"sqlite:///{workdir / name / 'labels.sqlite'}", name)
    try:
        names = store.schema().known_names
        return [
            (one.item_id, one.annotator, one.said.state.value, names.get(one.said.label_id or 0, ""), one.stands)
            for one in store.told()
        ]
    finally:
        store.close()


def test_export_writes_files_and_folders_beside_the_running_app(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "11 rows are in" in said(capsys, "export", "--workdir", work, "-o", tmp_path / "labels.csv")
    assert (tmp_path / "labels.csv").read_text(encoding="utf-8").count("\n") == 12
    out = tmp_path / "tree"
    words = (
        "export",
        "--workdir",
        work,
        "--format",
        "tree",
        "--files",
        "link",
        "--splits",
        "train=2,test=1",
        "-o",
        out,
    )
    assert "9 rows are in" in said(capsys, *words)
    assert (out / "train").is_dir()
    assert sum(path.is_symlink() for path in out.rglob("*.png")) == 9
    said(capsys, "export", "--workdir", work, "--format", "hf", "-o", tmp_path / "hf.zip")
    assert "README.md" in zipfile.ZipFile(tmp_path / "hf.zip").namelist()
    assert "is there already" in refused(*words)
    assert "-o OUT, or --push" in refused("export", "--workdir", work)
    assert "--push needs --format hf" in refused("export", "--workdir", work, "--push", "a/b")
    assert "no working directory of FastLabel" in refused("export", "--workdir", tmp_path, "-o", "x.csv")
    assert "is not in" in refused("export", "--workdir", work, "--project", "x", "-o", "x.csv")


def test_nothing_is_pushed_without_a_login_or_with_too_many_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "none"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a").write_text("a")
    with pytest.raises(ConfigError, match="hf auth login"):
        push_folder(tmp_path / "out", "ann/x", "dataset", is_private=True)
    monkeypatch.setattr("fastlabel_gradio.exports.hub_folder.MOST_FILES", 0)
    with pytest.raises(ConfigError, match="has 1 files, the hub takes 0"):
        push_folder(tmp_path / "out", "ann/x", "dataset", is_private=True)


def test_a_folder_is_pushed_in_commits_of_100_files_and_goes_on_after_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    (folder / "train" / "00000").mkdir(parents=True)
    for number in range(230):
        (folder / "train" / "00000" / f"{number:03d}.png").write_bytes(f"picture {number}".encode())
    (folder / "train" / "metadata.parquet").write_bytes(b"table")
    (folder / "README.md").write_text("# 230 labeled pictures", encoding="utf-8")
    with hub_on_this_machine() as hub:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
        monkeypatch.setenv("HF_TOKEN", "hf_none")
        hub.fails_at = 1
        with pytest.raises(StoreError, match="1 of 3 commits are there; the same command goes on"):
            push_folder(folder, "ann/x", "dataset", is_private=True)
        assert len(hub.files) == 100
        assert "ann/x" in push_folder(folder, "ann/x", "dataset", is_private=True)
    assert all(one.get("private") or one.get("visibility") == "private" for one in hub.made)
    assert [len(names) for names in hub.commits] == [100, 100, 32]
    assert hub.commits[-1][-2:] == ["README.md", "train/metadata.parquet"]  # once all that they name is there
    written = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert hub.files == written


def test_a_backup_is_restored_whole_and_overwrites_nothing(
    work: Path, tmp_path: Path, open_project: OpenProject, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, other = tmp_path / "images.fastlabel", tmp_path / "other"
    assert "'images': " in said(capsys, "backup", "--workdir", work, "-o", file)
    names = zipfile.ZipFile(file).namelist()
    assert {"project/labels.sqlite", "project/head.safetensors", "project/source.json"} <= set(names)
    assert not [name for name in names if name.endswith((".f32", "-wal", "in-use.lock")) or "pool.sqlite" in name]
    assert "Start with --workdir" in said(capsys, "restore", file, "--workdir", other)
    assert opinions(other) == opinions(work)
    assert (other / "images/head.safetensors").read_bytes() == (work / "images/head.safetensors").read_bytes()
    assert (other / "images/labels.sqlite").stat().st_mode & 0o077 == 0
    assert "is there already, and nothing is overwritten" in refused("restore", file, "--workdir", other)
    project = Project(make_config(pictures), tmp_path, other)
    try:
        project.start()
        wait_for(lambda: project.pipeline.progress.state == "done")
        labeler = project.labeler("ann")
        assert labeler.counts().labeled == 9
        assert labeler.head is not None and labeler.head.info.version == 1
    finally:
        project.close()


def test_a_backup_of_an_earlier_layout_is_brought_up_to_date(tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite"
    write_layout_1(f"sqlite:///{old}")
    with zipfile.ZipFile(tmp_path / "old.fastlabel", "w") as archive:
        archive.writestr("backup.json", json.dumps({"format": 1, "project": "birds", "fastlabel": "0.1"}))
        archive.write(old, "project/labels.sqlite")
    restore(tmp_path / "old.fastlabel", tmp_path / "work")
    store = LabelStore(f"sqlite:///{tmp_path}/work/birds/labels.sqlite", "birds")
    assert list(store.told())
    store.close()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ({}, "it has no backup.json"),
        ({"backup.json": "[]"}, "it has no backup.json"),
        ({"backup.json": '{"format": 1, "project": "../x"}'}, "it has no backup.json"),
        ({"backup.json": '{"format": 9, "project": "x"}'}, "of a later FastLabel"),
        ({"backup.json": '{"format": 1, "project": "x"}'}, "holds no labels.sqlite"),
        (
            {"backup.json": '{"format": 1, "project": "x"}', "project/../../evil": "x"},
            r"it holds 'project/\.\./\.\./evil'",
        ),
    ],
)
def test_what_is_no_backup_is_refused_and_leaves_nothing(tmp_path: Path, entries: dict[str, str], says: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    with pytest.raises(ConfigError, match=says):
        restore(tmp_path / "a.zip", tmp_path / "work")
    assert not any((tmp_path / "work").glob("*")) and not (tmp_path / "evil").exists()


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("x")
    with pytest.raises(ConfigError, match="is no backup of FastLabel, or damaged"):
        restore(tmp_path / "text", tmp_path / "work")
    with pytest.raises(StoreError, match="No such file"):
        restore(tmp_path / "missing", tmp_path / "work")
    with pytest.raises(ConfigError, match="no working directory of FastLabel"):
        back_up(tmp_path, None, tmp_path / "x")


def test_two_working_directories_become_one_and_conflicts_second_opinions(
    work: Path, tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    second = tmp_path / "second"
    project = Project(make_config(pictures, classes=["blue", "lilac", "red"]), tmp_path, second)
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done")
    labeler = project.labeler("ann")
    labeler.submit("ann", [("red/0000.png", "lilac"), ("blue/0010.png", "blue")])
    labeler.submit("cyd", [("red/0001.png", "red"), ("green/0011.png", "lilac")])
    project.close()
    before = opinions(work)
    told = said(capsys, "merge", work, second, "-o", tmp_path / "both")
    assert "4 opinions taken into" in told
    assert "Items on which people differ: 1." in told
    assert "'ann' are two people: the second one is 'ann (2)'." in told
    assert "New classes: lilac." in told
    assert opinions(work) == before
    merged = {(item_id, who): (label, stands) for item_id, who, _, label, stands in opinions(tmp_path / "both")}
    assert merged["red/0000.png", "ann"] == ("red", True)
    assert merged["red/0000.png", "ann (2)"] == ("lilac", False)
    assert merged["green/0011.png", "cyd"] == ("lilac", True)
    assert len(merged) == len(before) + 4
    again = merge(tmp_path / "both", second, tmp_path / "both", None, now=2.0)
    assert (again.taken.added, again.taken.known, again.renamed) == (0, 4, {"ann": "ann (2)"})
    assert "are the same working directory" in refused("merge", work, work)
    assert "no working directory" in refused("merge", work, tmp_path / "none")


def test_labels_are_imported_at_the_start(tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from fastlabel_gradio import app, serve_command

    file = tmp_path / "labels.csv"
    file.write_text("path,label\nred/0000.png,red\nnone.png,red\n", encoding="utf-8")
    arguments = serve_command.parser().parse_args([str(pictures), "--encoder", "offline", "--import", f"images={file}"])
    opened = app.create_app(serve_command._config(arguments), tmp_path / "work", None)
    try:
        serve_command._import_files(opened, arguments)
        assert "images: labels.csv: 1 labels taken in; 1 left out." in capsys.readouterr().out
        assert opened.projects["images"].labeler("local").counts().labeled == 1
    finally:
        opened.close()


def test_a_merge_reads_both_item_by_item() -> None:
    read = Counter[str]()

    def told(who: str, wrong: int) -> Iterator[Told]:
        for number in range(3_000):
            read[who] += 1
            yield Told(f"{number:05d}", "ann", 1.0, Said(number % 3 if number != wrong else 7), "person")

    ids = {number: number for number in range(8)}
    same = merging._said_of_same(told("ours", -1), told("theirs", 900), ids)
    next(same)
    assert read == {"ours": 2, "theirs": 2}
    assert merging._two_people(same) == {"ann": "ann (2)"}
    of_item = heapq.merge(told("ours", -1), told("theirs", 900), key=lambda one: one.item_id)
    assert merging._conflicts(of_item) == 1
