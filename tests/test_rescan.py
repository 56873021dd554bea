"""Files that come, change and go while people label: the pool follows, and no label is lost."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from fastlabel_gradio.errors import InvalidLabelsError
from fastlabel_gradio.media.pictures import FORMATS
from fastlabel_gradio.server.project import Project
from tests.pools import make_config, rescan, true_labels, wait_for, write_pictures
from tests.source_data import save, write_csv, write_esc50

OpenProject = Callable[..., Project]


@pytest.fixture
def project(pictures: Path, open_project: OpenProject) -> Project:
    """60 pictures, listed again when asked to only."""
    return open_project(make_config(pictures, rescan_minutes=0))


def _label(project: Project, *item_ids: str) -> None:
    project.labeler("ann").submit("ann", [(item_id, item_id.split("/")[0]) for item_id in item_ids])


def _exported(project: Project) -> dict[str, str]:
    return {row.item_id: row.label for row in project.labeler("ann").export_rows()}


def test_new_files_are_embedded_and_can_be_labeled(project: Project, pictures: Path, tmp_path: Path) -> None:
    shutil.copytree(write_pictures(tmp_path / "more", 4, seed=5) / "red", pictures / "red" / "more")
    rescan(project)
    progress = project.pipeline.progress
    assert (progress.done, progress.total, progress.scan_changes) == (64, 64, "4 new items")
    labeler = project.labeler("ann")
    assert labeler.counts().unlabeled == 64
    assert len({item.id for item in labeler.next_batch("ann", 100).items}) == 64


def test_a_class_folder_that_comes_is_named_on_the_page(project: Project, pictures: Path, tmp_path: Path) -> None:
    assert project.notice == ""
    shutil.copytree(write_pictures(tmp_path / "more", 2, seed=5) / "red", pictures / "violet")
    rescan(project)
    wait_for(lambda: "'violet'" in project.notice)
    assert "Restart" in project.notice


def test_a_file_that_was_half_copied_is_read_once_it_is_whole(project: Project, pictures: Path, tmp_path: Path) -> None:
    whole = save(tmp_path / "whole.png", 3).read_bytes()
    (pictures / "red" / "new.png").write_bytes(whole[:60])
    rescan(project)
    assert [item_id for item_id, _ in project.store.unreadable(9)] == ["red/new.png"]
    (pictures / "red" / "new.png").write_bytes(whole)
    rescan(project)
    assert project.store.unreadable_count == 0
    assert len(project.store.rows_of(["red/new.png"])) == 1


def test_a_changed_file_is_embedded_again_and_keeps_its_label(project: Project, pictures: Path) -> None:
    _label(project, "red/0000.png")
    before = project.store.rows_of(["red/0000.png"])
    shutil.copy(pictures / "blue" / "0003.png", pictures / "red" / "0000.png")
    rescan(project)
    assert project.pipeline.progress.scan_changes == "1 changed"
    assert project.store.rows_of(["red/0000.png"]) != before
    assert _exported(project) == {"red/0000.png": "red"}
    assert project.labeler("ann").counts().missing == 0


def test_labels_of_removed_files_are_missing_until_the_files_return(
    project: Project, pictures: Path, tmp_path: Path
) -> None:
    labeler = project.labeler("ann")
    _label(project, *(f"{name}/{number:04d}.png" for name in ("red", "blue") for number in range(6)))
    shutil.move(pictures / "red", tmp_path / "red")
    rescan(project)
    counts = labeler.counts()
    assert (counts.labeled, counts.unlabeled, counts.missing) == (12, 34, 6)
    assert project.pipeline.progress.scan_changes == "20 gone"
    assert not any(item.id.startswith("red") for item in labeler.next_batch("ann", 100, fresh=True).items)
    assert len(_exported(project)) == 12
    _label(project, "green/0000.png")
    labeler.train()
    assert labeler.wait_for_training(30)
    assert labeler.head is not None
    assert labeler.head.info.label_count == 7, "what is gone is not trained on"
    shutil.move(tmp_path / "red", pictures / "red")
    rescan(project)
    assert labeler.counts().missing == 0
    assert labeler.wait_for_training(30)
    assert labeler.head.info.label_count == 13
    assert len(labeler.next_batch("ann", 100, fresh=True).items) == 47


def test_a_label_counts_also_where_its_file_went_while_it_was_on_screen(project: Project, pictures: Path) -> None:
    labels = true_labels(project.labeler("ann"), "ann", 6)
    (pictures / labels[0][0]).unlink()
    (pictures / labels[1][0]).write_bytes(b"")
    rescan(project)
    assert project.labeler("ann").submit("ann", labels).accepted == 6
    assert project.labeler("ann").counts().missing == 1
    with pytest.raises(InvalidLabelsError, match=r"red/9999\.png"):
        _label(project, "red/9999.png")


def test_a_folder_that_is_away_for_a_moment_costs_nothing(project: Project, pictures: Path, tmp_path: Path) -> None:
    _label(project, "red/0000.png")
    pictures.rename(tmp_path / "away")
    for make in (lambda: None, pictures.mkdir):
        make()
        rescan(project)
        assert "nothing left the pool" in project.pipeline.progress.scan_notice
        assert (project.store.total, project.labeler("ann").counts().missing) == (60, 0)
    pictures.rmdir()
    (tmp_path / "away").rename(pictures)
    rescan(project)
    assert (project.pipeline.progress.scan_notice, project.pipeline.progress.scan_changes) == ("", "")


def test_a_rescan_without_news_writes_nothing(project: Project) -> None:
    before = project.store._writer.total_changes
    rescan(project)
    assert project.store._writer.total_changes == before
    assert project.pipeline.progress.scans == 1


def test_folders_whose_names_differ_by_white_space_or_form_are_one_class(
    tmp_path: Path, open_project: OpenProject
) -> None:
    for number, folder in enumerate(("cat", "cat ", "caf\u00e9", "cafe\u0301", " ")):
        (tmp_path / "pool" / folder).mkdir(parents=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "pool" / folder / "1.png")
    project = open_project(make_config(tmp_path / "pool"))
    assert sorted(project.schema.names) == ["caf\u00e9", "cat"]
    known = {name: project.pipeline.known_label(f"{name}/1.png") for name in ("cat ", "cafe\u0301", " ")}
    assert known == {"cat ": "cat", "cafe\u0301": "caf\u00e9", " ": None}
    assert project.new_classes == ()


def test_rescans_come_by_themselves(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures, rescan_minutes=0.001))
    (pictures / "red" / "0000.png").unlink()
    wait_for(lambda: project.store.total == 59)


def test_a_rescan_asked_for_during_another_follows_it(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = []
    scan = type(project.source).scan

    def watched(source: object) -> object:
        under_way.append(1)
        project.pipeline.rescan() if len(under_way) == 1 else None
        assert sum(under_way) <= 2
        yield from scan(source)  # type: ignore[arg-type]

    monkeypatch.setattr(type(project.source), "scan", watched)
    project.pipeline.rescan()
    wait_for(lambda: project.pipeline.progress.scans == 2)
    assert len(under_way) == 2


def test_a_stop_ends_the_threads_of_a_pool_that_is_listed_again(project: Project) -> None:
    project.pipeline.stop()
    assert not any(thread.is_alive() for thread in project.pipeline._threads)
    assert not project.pipeline.rescan()


def test_a_closed_labeler_is_not_called_back(project: Project, pictures: Path) -> None:
    labeler = project._new_labeler("guest-1")
    labeler.close()
    shutil.copy(pictures / "blue" / "0003.png", pictures / "red" / "new.png")
    rescan(project)
    assert project.pipeline.progress.state == "done"


def test_a_table_is_read_again_where_it_changed(tmp_path: Path, open_project: OpenProject) -> None:
    names = [save(tmp_path / "data" / f"{seed}.png", seed).name for seed in range(6)]
    table = write_csv(tmp_path / "data" / "t.csv", [["path", "label"], *([name, "a"] for name in names[:4])])
    source = {"kind": "table", "path": str(table)}
    project = open_project(make_config(table, source=source, classes=("a", "b"), rescan_minutes=0))
    write_csv(table, [["path", "label"], *([name, "a"] for name in names[1:])])
    rescan(project)
    assert project.pipeline.progress.scan_changes == "2 new items, 1 gone"
    table.write_text("nothing,of,use\n1,2,3\n")
    rescan(project)
    assert "no column 'path'" in project.pipeline.progress.scan_notice
    assert project.store.total == 5


def test_the_table_of_a_folded_set_is_read_again_where_it_changed(tmp_path: Path, open_project: OpenProject) -> None:
    folder = write_esc50(tmp_path / "esc")
    table = folder / "meta" / "esc50.csv"
    first, *rows = table.read_text().splitlines()
    table.write_text("\n".join([first, *rows[:12]]))
    source = {"kind": "esc50", "path": str(folder), "test_fold": 1}
    project = open_project(make_config(folder, name="audio", source=source, encoder="bands", rescan_minutes=0))
    assert project.store.total == 9
    table.write_text("\n".join([first, *rows]))
    rescan(project)
    assert (project.store.total, project.pipeline.progress.scan_changes) == (12, "3 new items")
    for text, said in (
        ("filename,fold\na.wav,2\n", "no column 'category'"),
        ("\n".join([first, *rows[:3]]), "test_fold 1"),
    ):
        table.write_text(text)
        rescan(project)
        assert said in project.pipeline.progress.scan_notice
        assert project.store.total == 12


def test_labels_of_test_items_are_kept_not_missing_and_not_trained_on(
    tmp_path: Path, open_project: OpenProject
) -> None:
    for part in ("train", "test"):
        write_pictures(tmp_path / "pictures" / part, per_class=4)
    source = {"kind": "image_folder", "path": str(tmp_path / "pictures")}
    project = open_project(make_config(tmp_path, source={**source, "take_test": True}))
    labels = [(f"{part}/{name}/0000.png", name) for part in ("train", "test") for name in ("red", "blue", "green")]
    project.labeler("ann").submit("ann", labels)
    project.close()
    project = open_project(make_config(tmp_path, source=source))
    labeler = project.labeler("ann")
    counts = labeler.counts()
    assert (counts.labeled, counts.unlabeled, counts.missing) == (6, 9, 0)
    assert _exported(project) == dict(labels)
    labeler.train()
    assert labeler.wait_for_training(30)
    assert labeler.head is not None
    assert labeler.head.info.label_count == 3


def test_a_store_of_an_earlier_version_keeps_what_it_knew_of_scans(pictures: Path, open_project: OpenProject) -> None:
    """Earlier versions numbered their scans; what only an older one had found was gone."""
    config = make_config(pictures, rescan_minutes=0)
    project = open_project(config)
    folder = project.folder
    project.close()
    with sqlite3.connect(folder / "pool.sqlite") as database:
        database.execute("UPDATE items SET scan = CASE WHEN id = 'red/0000.png' THEN 2 ELSE 3 END")
        database.execute("INSERT INTO completed_scans VALUES (2), (3)")
    store = open_project(config, embed=False).store
    assert store.former_ids(["red/0000.png", "red/0001.png"]) <= {"red/0000.png"}
    wait_for(lambda: store.known_ids(["red/0000.png"]) == {"red/0000.png"})
    assert store.total == 60


@pytest.mark.parametrize("encoder", ["pixels", "offline"])
def test_a_table_whose_files_come_later_comes_to_life(
    pictures: Path, tmp_path: Path, open_project: OpenProject, encoder: str
) -> None:
    rows = [[f"{name}/{number:04d}.png", name] for name in ("red", "blue") for number in range(20)]
    table = write_csv(tmp_path / "later" / "pictures.csv", [["path", "label"], *rows])
    source = {"kind": "table", "path": str(table)}
    project = open_project(make_config(table, source=source, encoder=encoder, rescan_minutes=0))
    assert ("press Rescan" in project.pipeline.progress.error) == (encoder == "offline")
    assert project.store.unreadable_count == 40
    shutil.copytree(pictures, table.parent, dirs_exist_ok=True)
    rescan(project)
    assert (project.pipeline.progress.error, project.store.unreadable_count) == ("", 0)
    assert len(project.labeler("ann").next_batch("ann", 100).items) == 40


@pytest.mark.parametrize("encoder", ["pixels", "offline"])
def test_a_folder_that_was_away_at_the_start_comes_to_life(pictures: Path, tmp_path: Path, encoder: str) -> None:
    config = make_config(pictures, encoder=encoder, rescan_minutes=0.001)
    with closing(Project(config, tmp_path, tmp_path / "work")) as project:
        pictures.rename(tmp_path / "away")
        project.start()
        wait_for(lambda: "does not exist" in project.pipeline.progress.error)
        assert project.pipeline.progress.state == "failed"
        (tmp_path / "away").rename(pictures)
        wait_for(lambda: project.pipeline.progress.done == 60 and project.pipeline.progress.state == "done")
        assert project.pipeline.progress.error == ""


def test_a_pool_without_a_readable_item_ends_at_once_when_it_is_closed(
    pictures: Path, open_project: OpenProject
) -> None:
    for path in pictures.rglob("*.png"):
        path.write_bytes(b"")
    project = open_project(make_config(pictures, encoder="offline", rescan_minutes=0))
    assert project.pipeline.progress.state == "failed"
    project.close()
    assert not any(thread.is_alive() for thread in project.pipeline._threads)


def test_unreadable_items_are_tried_again_where_a_rescan_is_asked_for(
    project: Project, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (9, 9), "red").save(pictures / "red" / "new.bmp")
    formats = tuple(kind for kind in FORMATS if kind not in ("BMP", "DIB"))
    monkeypatch.setattr("fastlabel_gradio.media.pictures.FORMATS", formats)
    rescan(project)
    assert project.store.unreadable_count == 1
    monkeypatch.undo()
    rescan(project)
    assert (project.store.unreadable_count, project.pipeline.progress.done) == (0, 61)
