"""Groups through the real loop: nothing of an audited recording is trained on, and the figure is true for new recordings."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.sources.groups import AUDITED, TRAINED, group_key
from tests.pools import make_config, make_sound_config, rescan, wait_for, write_pictures
from tests.source_data import save, write_csv

OpenProject = Callable[..., Project]
RATE_HZ = 8_000
RECORDINGS = 24


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 recordings of 10 s: noise, each in a band of its own, so that a second of it tells which recording it is."""
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(1)
    for number in range(RECORDINGS):
        spectrum = np.fft.rfft(rng.normal(size=10 * RATE_HZ))
        pitch = np.fft.rfftfreq(10 * RATE_HZ, 1 / RATE_HZ)
        sound = np.fft.irfft(spectrum * np.exp(-(((pitch - 200 - 140 * number) / rng.uniform(60, 500)) ** 2)))
        soundfile.write(folder / f"site{number:02d}.wav", sound / np.abs(sound).max() / 1.5, RATE_HZ)
    return folder


def windows(folder: Path, **settings: object) -> ProjectConfig:
    source = {"kind": "audio_folder", "path": str(folder), "window_s": 1.0}
    usual = {"source": source, "classes": ["heads", "tails"], "audit_share": 0.2, "batch_size": 40}
    return make_sound_config(folder, **{**usual, **settings})


def tossed(item_id: str) -> str:
    """One coin for each recording, as many heads as tails: nothing in the sound tells what is right."""
    coins = np.random.default_rng(3).permutation([0, 1] * (RECORDINGS // 2))
    return ("heads", "tails")[coins[int(item_id[4:6])]]


def label(labeler: Labeler, batches: int, size: int = 40) -> list[str]:
    """Labels batches by the recordings' coins; the ids in the order of the batches."""
    shown = []
    for _ in range(batches):
        batch = labeler.next_batch("ann", size, fresh=True)
        shown += [item.id for item in batch.items]
        labeler.submit("ann", [(item.id, tossed(item.id)) for item in batch.items], batch.id)
        assert labeler.wait_for_training(60)
    return shown


def sides(labeler: Labeler, project: Project) -> dict[str, int]:
    """The side of each recording; fails where its windows are on two."""
    found: dict[str, set[int]] = {}
    ledger = labeler._ledger
    ledger.catch_up(project.pipeline.progress)
    for row, item_id in project.store.items_between(0, len(project.store)):
        found.setdefault(item_id[:6], set()).add(ledger._sides.of(int(row)))
    assert all(len(of_group) == 1 for of_group in found.values())
    return {name: of_group.pop() for name, of_group in found.items()}


def test_what_cannot_be_told_is_reported_as_a_coin_toss(recordings: Path, open_project: OpenProject) -> None:
    labeler = open_project(windows(recordings)).labeler("ann")
    label(labeler, 4)
    report = labeler.evaluation(0.9).report
    assert report is not None
    assert report.groups == 8
    assert 0.25 <= report.accuracy <= 0.75
    assert report.low < 0.5 < report.high
    assert report.high - report.low > 0.3
    assert labeler.head is not None
    assert (
        labeler.head.info.temperature > 3
    )  # the folds are of whole recordings too: it is not sure of what it cannot know


def test_whole_recordings_are_audited_and_many_of_them_are_seen_at_once(
    recordings: Path, open_project: OpenProject
) -> None:
    project = open_project(windows(recordings))
    labeler = project.labeler("ann")
    of_recording = sides(labeler, project)
    assert Counter(of_recording.values()) == {AUDITED: 8, TRAINED: 16}
    batch = labeler.next_batch("ann", 40)
    audited = [item.id[:6] for item in batch.items if of_recording[item.id[:6]] == AUDITED]
    assert len(audited) == 8
    assert len(set(audited)) == 8


def test_nothing_of_an_audited_recording_is_trained_on(recordings: Path, open_project: OpenProject) -> None:
    project = open_project(windows(recordings))
    labeler = project.labeler("ann")
    shown = label(labeler, 2)
    of_recording = sides(labeler, project)
    trained = [item_id for item_id in shown if of_recording[item_id[:6]] == TRAINED]
    assert labeler.head is not None
    assert labeler.head.info.label_count == len(trained) == 64
    ids = dict(project.store.items_between(0, len(project.store)))
    assert {of_recording[ids[int(row)][:6]] for row in labeler._ledger.training_set()[0]} == {TRAINED}


def test_the_whole_pool_can_be_labeled(recordings: Path, open_project: OpenProject) -> None:
    labeler = open_project(windows(recordings)).labeler("ann")
    while batch := labeler.next_batch("ann", 200, fresh=True):
        if not batch.items:
            break
        labeler.submit("ann", [(item.id, tossed(item.id)) for item in batch.items], batch.id)
    assert labeler.counts().labeled == 240


def test_recordings_keep_their_side_over_a_restart_with_new_ones(
    recordings: Path, tmp_path: Path, open_project: OpenProject
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    files = sorted(recordings.iterdir())
    for file in files[::2]:
        shutil.copy(file, folder)
    project = open_project(windows(folder))
    before = sides(project.labeler("ann"), project)
    project.close()
    for file in files[1::2]:
        shutil.copy(file, folder)
    again = open_project(windows(folder))
    after = sides(again.labeler("ann"), again)
    assert len(after) == RECORDINGS
    assert {name: after[name] for name in before} == before
    assert Counter(after.values()) == {AUDITED: 8, TRAINED: 16}


def test_labels_of_a_project_that_had_no_groups_go_to_the_side_of_their_group(
    tmp_path: Path, open_project: OpenProject
) -> None:
    pictures = write_pictures(tmp_path / "pictures", per_class=40)
    project = open_project(make_config(pictures, audit_share=0.2))
    labeler = project.labeler("ann")
    batch = labeler.next_batch("ann", 60)
    labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    assert labeler.wait_for_training(60)
    assert labeler.head is not None
    taught = labeler.head.info
    project.close()
    source = {"kind": "image_folder", "path": str(pictures), "group_pattern": r"\d\d(?=\d\.png)"}  # tens: a burst
    again = open_project(make_config(pictures, audit_share=0.2, source=source)).labeler("ann")
    wait_for(lambda: again.head is not None and again.head.info.version > taught.version)
    assert again.wait_for_training(60)
    assert again.head is not None
    report = again.evaluation(0.9).report
    assert report is not None
    assert again.head.info.label_count + report.items == 60
    assert report.groups == 2
    assert [point.labels for point in again.evaluation(0.9).points] == [again.head.info.label_count]


def test_a_head_of_another_audit_is_not_measured(recordings: Path, open_project: OpenProject) -> None:
    project = open_project(windows(recordings))
    labeler = project.labeler("ann")
    label(labeler, 1)
    head = labeler.head
    assert head is not None
    assert labeler._learner.measures.audit(head, labeler._learner.says) is not None
    head.info = replace(head.info, audit="0.2 of another drawing")
    assert labeler._learner.measures.audit(head, labeler._learner.says) is None


def test_of_a_single_recording_nothing_is_kept_for_an_audit(tmp_path: Path, open_project: OpenProject) -> None:
    (tmp_path / "one").mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 40 * RATE_HZ)
    soundfile.write(tmp_path / "one" / "site00.wav", noise, RATE_HZ)
    labeler = open_project(windows(tmp_path / "one")).labeler("ann")
    assert len(labeler.next_batch("ann", 40).items) == 40
    assert "one recording" in labeler.status().notice


def test_recordings_that_a_rescan_finds_are_drawn_and_the_others_keep_their_side(
    recordings: Path, tmp_path: Path, open_project: OpenProject
) -> None:
    folder = tmp_path / "some"
    folder.mkdir()
    files = sorted(recordings.iterdir())
    for file in files[:12]:
        shutil.copy(file, folder)
    project = open_project(windows(folder, rescan_minutes=0))
    labeler = project.labeler("ann")
    before = sides(labeler, project)
    for file in files[12:]:
        shutil.copy(file, folder)
    rescan(project)
    after = sides(labeler, project)
    assert {name: after[name] for name in before} == before
    assert Counter(after.values()) == {AUDITED: 8, TRAINED: 16}
    assert len(labeler.next_batch("ann", 300, fresh=True).items) == 240


def test_new_items_of_a_known_group_go_to_its_side_and_a_rescan_without_news_writes_nothing(
    tmp_path: Path, open_project: OpenProject
) -> None:
    pictures = tmp_path / "pictures"
    write_pictures(pictures / "more", per_class=2, seed=7)
    for site in range(12):
        for number in range(3):
            save(pictures / f"site{site:02d}_{number}.png", 10 * site + number)
    source = {"kind": "image_folder", "path": str(pictures), "group_pattern": r"site\d\d|more"}
    config = make_config(pictures, source=source, classes=("a", "b"), audit_share=0.2, rescan_minutes=0)
    project = open_project(config)
    labeler = project.labeler("ann")
    before = sides(labeler, project)
    for site in range(12):
        save(pictures / f"site{site:02d}_9.png", 10 * site + 9)
    rescan(project)
    assert project.pipeline.progress.scan_changes == "12 new items"
    assert sides(labeler, project) == before
    written = project.store._writer.total_changes
    rescan(project)
    assert project.store._writer.total_changes == written


def test_a_pool_of_a_version_without_groups_is_opened_and_grouped(recordings: Path, open_project: OpenProject) -> None:
    config = windows(recordings)
    project = open_project(config)
    rows, folder = len(project.store), project.folder
    project.close()
    with closing(sqlite3.connect(folder / "pool.sqlite")) as database:
        database.executescript(
            "ALTER TABLE items DROP COLUMN group_key; DROP TABLE grouping; DROP TABLE drawn_groups; VACUUM;"
        )
    again = open_project(config)
    assert len(again.store) == rows
    assert Counter(sides(again.labeler("ann"), again).values()) == {AUDITED: 8, TRAINED: 16}


@pytest.mark.parametrize("options", [{"group_column": "site"}, {"group_pattern": r"^\d"}])
def test_the_groups_of_a_table_may_be_named_later(
    tmp_path: Path, open_project: OpenProject, options: dict[str, str]
) -> None:
    names = [save(tmp_path / "data" / f"{seed}.png", seed).name for seed in range(12)]
    rows = [[name, f"site {number % 6}", "a"] for number, name in enumerate(names)]
    table = write_csv(tmp_path / "data" / "t.csv", [["path", "site", "label"], *rows])
    source = {"kind": "table", "path": str(table)}
    project = open_project(make_config(table, source=source, classes=("a", "b"), audit_share=0.2))
    project.labeler("ann").submit("ann", [(names[0], "a")])
    project.close()
    again = open_project(make_config(table, source={**source, **options}, classes=("a", "b"), audit_share=0.2))
    assert again.labeler("ann").counts().labeled == 1
    keys = np.array([group_key(str(again.source.group_of(item))) for item in again.source.scan()])
    assert set(again.store.groups.sides(keys).tolist()) == {AUDITED, TRAINED}
