"""Trained projects over small real pools, for tests of what is taken along."""

from collections.abc import Callable
from pathlib import Path

from fastlabel_gradio.server.project import Project


def train(project: Project, batches: int = 3, size: int = 12, annotator: str = "ann") -> Project:
    """The project, once some batches were labeled as their class folders say and a head was trained, measured and kept."""
    labeler = project.labeler(annotator)
    for _ in range(batches):
        batch = labeler.next_batch(annotator, size, fresh=True)
        labeler.submit(annotator, [(item.id, item.id.split("/")[0]) for item in batch.items], batch.id)
    labeler.train()
    assert labeler.wait_for_training(120)
    return project


def app_says(project: Project, annotator: str = "ann") -> dict[str, tuple[str, float]]:
    """Of every item of the pool the class and the confidence that the app gives: what an export with predictions says."""
    rows = project.export_rows(annotator, include_predictions=True)
    said = {row.item_id: (row.predicted_label, row.confidence) for row in rows if row.confidence is not None}
    return {item_id: (label, float(confidence)) for item_id, (label, confidence) in said.items()}


def files_of(folder: Path) -> list[Path]:
    """The files below, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


OpenProject = Callable[..., Project]
