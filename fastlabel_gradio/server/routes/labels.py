"""Labels: submit, undo, redo, and a training that somebody asks for."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.api_models import (
    Labels,
    PlantedAnswer,
    ProjectInput,
    RedoAnswer,
    SubmitAnswer,
    SubmitInput,
    TrainAnswer,
    UndoAnswer,
)
from fastlabel_gradio.server.routes.batches import reopened_answer
from fastlabel_gradio.server.routes.project_parameters import FindProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line
from fastlabel_gradio.server.routes.steps import step_answer, told


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    changing_labels = in_line(CHANGING_LABELS)

    @router.post("/api/submit_labels")
    @changing_labels
    def submit_labels(who: annotator, body: Annotated[SubmitInput | Labels, Body()]) -> SubmitAnswer:
        """Stores labels and states, all or none. Sending the same again changes nothing."""
        given = body if isinstance(body, SubmitInput) else SubmitInput(project=None, batch_id="", labels=body)
        return _submitted(project_of(given.project).labeler(who), who, given)

    @router.post("/api/undo")
    @changing_labels
    def undo(who: annotator, body: ProjectInput | None = None) -> UndoAnswer:
        """Takes the caller's last step back, whatever it was; of labels that were given card by card it opens a batch."""
        chosen = project_of(body.project if body else None)
        labeler = chosen.labeler(who)
        reopened = labeler.undo(who)
        batch = reopened_answer(chosen, labeler, reopened)
        step = step_answer(labeler, reopened.event)
        return UndoAnswer(undone=reopened.undone, step=step, batch=batch, **_counts(labeler))

    @router.post("/api/redo")
    @changing_labels
    def redo(who: annotator, body: ProjectInput | None = None) -> RedoAnswer:
        """Brings back what the caller's last undo took back, where they did nothing since."""
        labeler = project_of(body.project if body else None).labeler(who)
        redone = labeler.actions.redo(who)
        step = told(labeler, redone.step) if redone else None
        return RedoAnswer(redone=redone.step.size if redone else 0, step=step, **_counts(labeler))

    @router.post("/api/train")
    def train(who: annotator, body: ProjectInput | None = None) -> TrainAnswer:
        """Asks for a training now; `head` in the status tells how it goes."""
        labeler = project_of(body.project if body else None).labeler(who)
        labeler.train()
        return TrainAnswer(requested=True, **_counts(labeler))


def _submitted(labeler: Labeler, who: str, given: SubmitInput) -> SubmitAnswer:
    said = [(str(entry.id), entry.said) for entry in given.labels]
    # Many labels that answer no batch were on no screen: a program sent them, or somebody who chose them by a search.
    are_together = not given.batch_id and len(given.labels) > 1
    together = {str(entry.id) for entry in given.labels if are_together or entry.source == "group"}
    receipt = labeler.submit(who, said, given.batch_id, together)
    counted = receipt.planted
    return SubmitAnswer(
        accepted=receipt.accepted,
        training_triggered=receipt.training_triggered,
        planted=PlantedAnswer(shown=counted.shown, slipped=counted.slipped) if counted else None,
        **_counts(labeler),
    )


def _counts(labeler: Labeler) -> dict[str, int]:
    counts, head = labeler.counts(), labeler.head
    return {
        "labeled": counts.labeled,
        "unlabeled": counts.unlabeled,
        "head_version": head.info.version if head else 0,
    }
