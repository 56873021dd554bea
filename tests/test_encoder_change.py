"""Another encoder embeds the pool while people go on with the one in use, and the better one takes over."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import ClassEdit, LabelStore
from fastlabel_gradio.pool import encoder_change
from fastlabel_gradio.pool.encoder_in_use import RECORD
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.pool.scan import Scan
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.server.project import Project
from tests.grey_encoder import ColourEncoder, GreyEncoder
from tests.pools import COLOURS, make_config, rescan, true_labels, wait_for, write_pictures

OpenProject = Callable[..., Project]


@pytest.fixture(autouse=True)
def _nobody_is_held(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(encoder_change, "BATCHES_AT_ONCE", 1)
    monkeypatch.setattr(encoder_change, "FREE_BYTES", 0)
    for encoder in (GreyEncoder, ColourEncoder):
        monkeypatch.setattr(encoder, "go_on", threading.Event())
        monkeypatch.setattr(encoder, "encoded", 0)
        monkeypatch.setattr(encoder, "holds_after", 10**9)
    yield
    for encoder in (GreyEncoder, ColourEncoder):
        encoder.go_on.set()


def hold(monkeypatch: pytest.MonkeyPatch, encoder: type[GreyEncoder], after: int) -> None:
    monkeypatch.setattr(encoder, "holds_after", after)


def labeled_project(open_project: OpenProject, config: ProjectConfig, labels: int = 30) -> Project:
    project = open_project(config)
    labeler = project.labeler("ann")
    if not labeler.submit("ann", true_labels(labeler, "ann", labels)).training_triggered:
        labeler.train()
    assert labeler.wait_for_training(30)
    return project


def head_on(labeler: Labeler, space: str) -> None:
    """Waits for a head of that encoder, and until it is saved."""
    wait_for(lambda: labeler.head is not None and labeler.head.info.encoder_fingerprint == space)
    assert labeler.wait_for_training(30)


def state_of(project: Project) -> str:
    change = project.pipeline.progress.change
    return change.state if change else ""


def changed(open_project: OpenProject, pictures: Path, before: str, after: str, **settings: object) -> Project:
    """A project of 30 labels that began with one encoder, opened with another, once that is through."""
    labeled_project(open_project, make_config(pictures, encoder=before, **settings)).close()
    project = open_project(make_config(pictures, encoder=after, **settings))
    wait_for(lambda: state_of(project) in ("taken", "stays", "failed") or project.pipeline.progress.state == "failed")
    return project


def test_people_go_on_with_the_encoder_in_use_until_the_better_one_takes_over(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    hold(monkeypatch, ColourEncoder, after=32)
    project = open_project(make_config(pictures, encoder="full_colour"))
    labeler = project.labeler("ann")
    wait_for(lambda: ColourEncoder.encoded == 32 and len(project.store.embeddings) == 60)
    batch = labeler.next_batch("ann", 8, fresh=True)
    assert (batch.head_version, None in batch.predictions) == (1, False)
    assert labeler.head is not None
    assert labeler.head.info.encoder_fingerprint == "grey-1"
    assert "grey is used meanwhile" in project.notice
    ColourEncoder.go_on.set()
    wait_for(lambda: state_of(project) == "taken")
    head_on(labeler, "colours-1")
    assert project.store.items_at(np.array(batch.rows)) == dict(zip(batch.rows, batch.items, strict=True))
    labeler.submit("ann", [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    assert labeler.counts().labeled == 38
    assert labeler.wait_for_training(30)
    rows = np.arange(60)
    predicted = [labeler.schema.names[said.index] for said in labeler.predictions(rows) if said]
    assert predicted == [item.id.split("/")[0] for item in project.store.items_at(rows).values()]
    assert project.notice.startswith("full_colour embedded all 60 items: 100.0 % of 30 labels out of fold against ")
    assert project.notice.endswith("it is used from now on.")
    assert (project.pipeline.progress.encoder, project.pipeline.progress.state) == ("full_colour", "done")


def test_scans_of_two_encoders_never_mix(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def assert_found_as_predicted(project: Project) -> None:
        labeler, rows = project.labeler("ann"), np.arange(60)
        said = dict(zip(rows.tolist(), labeler.predictions(rows), strict=True))
        for place, name in enumerate(labeler.schema.names):
            found = labeler.finder.page(Query(predicted=(name,)), 0, 60)
            assert found.scanned == 60
            assert {one.row for one in found.items} == {row for row, one in said.items() if one and one.index == place}
        ids = {item.id: row for row, item in project.store.items_at(rows).items()}
        exported = [row for row in labeler.export_rows(include_predictions=True) if row.confidence is not None]
        assert len(exported) == 30
        for row in exported:
            one = said[ids[row.item_id]]
            assert one is not None
            assert (row.predicted_label, row.confidence) == (
                labeler.schema.names[one.index],
                pytest.approx(one.confidence, abs=1e-5),
            )

    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    hold(monkeypatch, ColourEncoder, after=32)
    project = open_project(make_config(pictures, encoder="full_colour"))
    wait_for(lambda: ColourEncoder.encoded == 32 and len(project.store.embeddings) == 60)
    near = Query.model_validate({"near": {"ids": [project.store.items_at(np.array([0]))[0].id]}})
    assert_found_as_predicted(project)
    ColourEncoder.go_on.set()
    wait_for(lambda: state_of(project) == "taken")
    head_on(project.labeler("ann"), "colours-1")
    assert_found_as_predicted(project)
    vectors = project.store.embeddings
    for one in project.labeler("ann").finder.page(near, 0, 60).items:
        assert one.similarity == pytest.approx(float(vectors[one.row] @ vectors[0]), abs=1e-5)
    head = project.labeler("ann").head
    assert head is not None
    kept = Scan(project.folder / "scan.safetensors")
    kept.load(head, vectors)
    assert kept.missing(head, 60) == 0, "what is on disk is of the encoder in use"


def test_the_one_that_takes_over_knows_the_classes_that_there_are_by_then(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    hold(monkeypatch, ColourEncoder, after=32)
    project = open_project(make_config(pictures, encoder="full_colour"))
    labeler = project.labeler("ann")
    wait_for(lambda: ColourEncoder.encoded == 32 and len(project.store.embeddings) == 60)
    # As another process would. The first change is seen before encoders are compared, the second at any time.
    with closing(LabelStore(f"sqlite:///{project.folder / 'labels.sqlite'}", project.name)) as other:
        ids = {label.name: label.id for label in other.schema().classes}
        other.edit_classes("bob", [ClassEdit("add", value="violet")], now=1.0)
        violet = dict.fromkeys(sorted(labeler._ledger.labeled_ids())[:4], 3)
        other.submit("bob", list(violet.items()), now=2.0, source="review")
        wait_for(lambda: labeler.schema.names == ("blue", "green", "red", "violet"))
        ColourEncoder.go_on.set()
        other.edit_classes("bob", [ClassEdit("merge", ids["red"], ids["blue"])], now=3.0)
    wait_for(lambda: state_of(project) == "taken" and project.pipeline.progress.state == "done")
    wait_for(lambda: labeler.head is not None and len(labeler.head.info.classes) == 3)
    head_on(labeler, "colours-1")
    assert labeler.head is not None
    assert [label.name for label in labeler.head.info.classes] == ["blue", "green", "violet"]
    assert labeler.head.info.label_count == 30
    assert None not in labeler.predictions(np.arange(60))
    assert "of 30 labels out of fold" in project.notice
    assert labeler.status().training.error == ""


def test_a_labeler_that_is_opened_after_a_change_of_classes_knows_them(
    pictures: Path, open_project: OpenProject
) -> None:
    project = open_project(make_config(pictures))
    project._label_store.edit_classes("bob", [ClassEdit("add", value="violet")], now=1.0)
    assert project.labeler("ann").schema.names == ("blue", "green", "red", "violet")


def test_a_start_after_that_begins_with_the_new_encoder_and_embeds_nothing(
    pictures: Path, open_project: OpenProject
) -> None:
    project = changed(open_project, pictures, "grey", "full_colour")
    head_on(project.labeler("ann"), "colours-1")
    project.close()
    encoded = ColourEncoder.encoded
    again = open_project(make_config(pictures, encoder="full_colour"))
    assert (again.pipeline.progress.encoder, state_of(again), ColourEncoder.encoded) == ("full_colour", "", encoded)
    labeler = again.labeler("ann")
    head_on(labeler, "colours-1")
    assert labeler.status().notice == ""
    assert labeler.counts().labeled == 30


def test_a_worse_encoder_leaves_the_one_in_use_and_says_so_at_each_start(
    pictures: Path, open_project: OpenProject
) -> None:
    project = changed(open_project, pictures, "full_colour", "grey")
    assert state_of(project) == "stays"
    assert project.notice.endswith("it stays with full_colour.")
    assert project.store.space is not None
    assert project.store.space.name == "colours-1"
    project.close()
    encoded = GreyEncoder.encoded
    again = open_project(make_config(pictures, encoder="grey"))
    wait_for(lambda: state_of(again) == "stays")
    assert GreyEncoder.encoded == encoded, "its vectors were kept"


def test_a_worse_encoder_takes_over_where_that_is_asked_for_in_any_case(
    pictures: Path, open_project: OpenProject
) -> None:
    project = changed(open_project, pictures, "full_colour", "grey", encoder_change="always")
    assert (state_of(project), project.pipeline.progress.encoder) == ("taken", "grey")
    head_on(project.labeler("ann"), "grey-1")


def test_at_once_nothing_is_served_by_the_encoder_of_before(pictures: Path, open_project: OpenProject) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    project = open_project(make_config(pictures, encoder="full_colour", encoder_change="at_once"))
    assert (project.pipeline.progress.encoder, state_of(project)) == ("full_colour", "")


def test_a_project_without_labels_has_nothing_to_go_on_with(pictures: Path, open_project: OpenProject) -> None:
    open_project(make_config(pictures, encoder="grey")).close()
    project = open_project(make_config(pictures, encoder="full_colour"))
    assert (project.pipeline.progress.encoder, state_of(project)) == ("full_colour", "")


def test_too_few_labels_to_compare_leave_it_to_the_one_who_asked(pictures: Path, open_project: OpenProject) -> None:
    labeled_project(open_project, make_config(pictures, encoder="full_colour"), labels=6).close()
    project = open_project(make_config(pictures, encoder="grey"))
    wait_for(lambda: state_of(project) == "taken")
    assert "cannot be compared with full_colour yet (6 labels are too few" in project.notice


def test_a_change_that_was_cut_off_goes_on_where_it_was(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    hold(monkeypatch, ColourEncoder, after=32)
    project = open_project(make_config(pictures, encoder="full_colour"))
    wait_for(lambda: (change := project.pipeline.progress.change) is not None and change.done == 32)
    project.pipeline._stop.set()
    ColourEncoder.go_on.set()
    project.close()
    encoded = ColourEncoder.encoded
    hold(monkeypatch, ColourEncoder, after=10**9)
    again = open_project(make_config(pictures, encoder="full_colour"))
    assert again.labeler("ann").counts().labeled == 30
    wait_for(lambda: state_of(again) == "taken")
    assert ColourEncoder.encoded - encoded <= 60 - 32


def test_items_that_come_change_and_go_meanwhile_are_as_they_are_afterwards(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    hold(monkeypatch, ColourEncoder, after=32)
    project = open_project(make_config(pictures, encoder="full_colour"))
    wait_for(lambda: ColourEncoder.encoded == 32)
    first, last = (project.store.items_at(np.array([row]))[row].id for row in (0, 59))
    write_one(pictures / "red" / "new.png", COLOURS["red"])
    write_one(pictures / first, COLOURS["blue"])
    (pictures / last).unlink()
    assert project.pipeline.rescan()
    wait_for(lambda: project.pipeline.progress.scans == 1)
    ColourEncoder.go_on.set()
    wait_for(lambda: state_of(project) == "taken" and project.pipeline.progress.state == "done")
    rows = project.store.rows_of([first, "red/new.png"])
    assert len(rows) == 2
    expected = ColourEncoder().encode(np.stack([ColourEncoder().prepare(Image.open(pictures / name)) for name in rows]))
    np.testing.assert_allclose(project.store.embeddings[list(rows.values())], expected, atol=1e-5)
    assert project.store.total == 60
    labeler = project.labeler("ann")
    shown = {item.id for item in labeler.next_batch("ann", 60, fresh=True).items}
    assert last not in shown
    assert len(shown) == labeler.counts().unlabeled


def write_one(path: Path, colour: tuple[int, int, int]) -> None:
    Image.new("RGB", (24, 24), colour).save(path)


def test_an_item_that_the_new_encoder_could_not_read_comes_when_it_can_be_read_again(
    pictures: Path, open_project: OpenProject
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    away = pictures / "red" / "0003.png"
    content = away.read_bytes()
    away.write_bytes(b"no picture")
    project = open_project(make_config(pictures, encoder="full_colour"))
    wait_for(lambda: state_of(project) == "taken" and project.pipeline.progress.state == "done")
    assert not project.store.rows_of(["red/0003.png"])
    away.write_bytes(content + b"\0")
    rescan(project)
    assert project.store.rows_of(["red/0003.png"])


def test_a_pool_is_not_done_before_the_encoder_that_took_over_has_tried_what_the_other_one_could_not_read(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    states: list[tuple[str, str]] = []
    opened, retry_all = threading.Event(), EmbeddingStore.retry_all

    def watched(store: EmbeddingStore) -> None:
        if threading.current_thread().name == "embed":
            assert opened.wait(30)
            states.append((state_of(project), project.pipeline.progress.state))
        retry_all(store)

    monkeypatch.setattr(EmbeddingStore, "retry_all", watched)
    project = open_project(make_config(pictures, encoder="full_colour"))
    opened.set()
    wait_for(lambda: state_of(project) == "taken" and project.pipeline.progress.state == "done")
    assert states == [("taken", "embedding")]


def test_a_disk_without_room_says_so_and_people_go_on(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    monkeypatch.setattr(encoder_change, "FREE_BYTES", 10**18)
    monkeypatch.setattr(encoder_change, "FIRST_PAUSE_S", 0.02)
    project = open_project(make_config(pictures, encoder="full_colour"))
    wait_for(lambda: "MB are free. Make room." in project.notice)
    assert "grey is used meanwhile" in project.notice
    assert project.labeler("ann").next_batch("ann", 5).head_version == 1
    monkeypatch.setattr(encoder_change, "FREE_BYTES", 0)
    wait_for(lambda: state_of(project) == "taken")


def test_embeddings_of_encoders_before_the_last_two_are_deleted(pictures: Path, open_project: OpenProject) -> None:
    changed(open_project, pictures, "pixels", "grey", encoder_change="always").close()
    project = open_project(make_config(pictures, encoder="full_colour"))
    wait_for(lambda: state_of(project) == "taken")
    assert {path.stem for path in project.folder.glob("*.f32")} == {"grey-1", "colours-1"}
    project.close()
    back = open_project(make_config(pictures, encoder="grey", encoder_change="always"))
    wait_for(lambda: state_of(back) == "taken")
    assert GreyEncoder.encoded == 60, "the vectors of before were kept"
    assert (change := back.pipeline.progress.change) is not None
    assert (change.done, change.total) == (60, 60), "also of what was embedded before"


def test_auto_changes_no_project_that_has_begun(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fastlabel_gradio.encoders.PREFERRED", {"image": "grey"})
    labeled_project(open_project, make_config(pictures, encoder="auto")).close()
    monkeypatch.setattr("fastlabel_gradio.encoders.PREFERRED", {"image": "full_colour"})
    project = open_project(make_config(pictures, encoder="auto"))
    assert (project.pipeline.progress.encoder, state_of(project)) == ("grey", "")
    assert "keeps 'grey', which it began with" in project.pipeline.progress.notice


def test_a_damaged_record_says_what_to_do(pictures: Path, open_project: OpenProject) -> None:
    project = open_project(make_config(pictures))
    record = project.folder / RECORD
    assert json.loads(record.read_text()) == {"kind": "pixels"}
    project.close()
    for damage in ("{", "[]", "{}", '{"kind": "pixels", "colour": 1}'):
        record.write_text(damage)
        with pytest.raises(ConfigError, match=r"Delete it|colour"):
            open_project(make_config(pictures))


def test_an_encoder_that_cannot_be_opened_leaves_the_one_in_use(
    pictures: Path, open_project: OpenProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fastlabel_gradio.errors import EncoderUnavailableError

    def broken(self: ColourEncoder, options: object = None) -> None:
        raise EncoderUnavailableError("the weights are damaged")

    monkeypatch.setattr(ColourEncoder, "__init__", broken)
    project = changed(open_project, pictures, "grey", "full_colour")
    assert state_of(project) == "failed"
    assert "It stays with grey: encoder 'full_colour' is not available: the weights are damaged" in project.notice
    assert project.labeler("ann").next_batch("ann", 5).head_version == 1


def test_vectors_of_ones_own_take_over_by_the_names_of_files_and_leave_again(
    pictures: Path, tmp_path: Path, open_project: OpenProject
) -> None:
    for path in list(pictures.rglob("*.png")):
        path.rename(path.with_name(f"{path.parent.name}{path.name}"))
    names = sorted(path.relative_to(pictures).as_posix() for path in pictures.rglob("*.png"))
    classes = [list(COLOURS).index(name.split("/")[0]) for name in names]
    noise = np.random.default_rng(0).normal(0, 0.05, (60, 3))
    np.save(tmp_path / "own.npy", (np.eye(3)[classes] + noise)[1:])
    (tmp_path / "own.txt").write_text("".join(f"else/{name.split('/')[1]}\n" for name in names[1:]), encoding="utf-8")
    own = {"kind": "precomputed", "path": str(tmp_path / "own.npy")}
    labeled_project(open_project, make_config(pictures, encoder="grey")).close()
    project = open_project(make_config(pictures, encoder=own))
    wait_for(lambda: "without one" in project.pipeline.progress.notice)
    assert (project.pipeline.progress.encoder, len(project.store.rows_of(names))) == ("precomputed", 59)
    assert f"items of the pool without one: 1 ({names[0]})" in project.pipeline.progress.notice
    project.close()
    back = open_project(make_config(pictures, encoder="full_colour", encoder_change="always"))
    wait_for(lambda: len(back.store.rows_of(names)) == 60)
    assert state_of(back) == "taken"


def test_an_encoder_that_learns_from_the_pool_learns_before_it_takes_over(
    pictures: Path, open_project: OpenProject
) -> None:
    write_pictures(pictures, per_class=20, seed=1)
    project = changed(open_project, pictures, "grey", "offline")
    assert state_of(project) == "taken"
    assert project.store.space is not None
    fingerprint = project.store.space.name
    project.close()
    again = open_project(make_config(pictures, encoder="offline"))
    assert again.store.space is not None
    assert (again.store.space.name, len(again.store)) == (fingerprint, 60)
