"""A set that is checked follows its items: a restored project has embedded them anew, in other rows."""

from pathlib import Path

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.project import Project
from tests.finish_pools import answer, config_of, teach, true_class, wait_until_ready
from tests.pools import wait_for, write_pictures


def _opened(folder: Path) -> tuple[Project, Labeler]:
    project = Project(config_of(folder), folder, folder / "work")
    project.start()
    wait_for(lambda: project.pipeline.progress.state == "done")
    return project, project.labeler("ann")


def _rows_are_other_ones(folder: Path) -> None:
    """What a backup leaves out is gone, and the folder has more pictures than at the time of the backup."""
    for pattern in ("pool.sqlite*", "*.f32", "scan*.safetensors"):
        for file in (folder / "work").rglob(pattern):
            file.unlink()
    write_pictures(folder / "pool" / "red", per_class=20, seed=7, side_px=8)


def test_checks_answers_and_what_was_left_open_are_of_the_same_items_after_a_restore(tmp_path: Path) -> None:
    write_pictures(tmp_path / "pool", per_class=60, side_px=8)
    project, labeler = _opened(tmp_path)
    teach(labeler)
    labeler.finisher.start("ann", 0.8)
    answer(labeler, labeler.finisher.checks("ann", 5))
    batch = labeler.finisher.checks("ann", 5)
    labeler.submit("ann", [(item.id, true_class(item.id)) for item in batch.items[:3]], batch.id)  # two are left open
    before, waiting = labeler.finisher.state(), labeler.finisher.checks("ann", 5)
    rows = project.store.rows_of([item.id for item in waiting.items])
    project.close()

    _rows_are_other_ones(tmp_path)
    project, labeler = _opened(tmp_path)
    wait_until_ready(labeler)
    after = labeler.finisher.state()
    again = labeler.finisher.checks("ann", 5)
    assert project.store.rows_of([item.id for item in waiting.items]) != rows
    assert (after.items, after.checked, after.wrong, after.more) == (
        before.items,
        before.checked,
        before.wrong,
        before.more,
    )
    assert before.wrong >= 2
    assert [(card.item.id, card.prediction) for card in again.cards] == [
        (card.item.id, card.prediction) for card in waiting.cards
    ]
    project.close()
