"""Giving a batch of somebody else back to the pool."""

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictStr

from fastlabel_gradio.server.api_models import MAX_LABEL, BatchId, Model, ProjectInput
from fastlabel_gradio.server.routes.project_parameters import FindProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line


class ReleaseInput(ProjectInput):
    annotator: Annotated[StrictStr, Field(max_length=MAX_LABEL, description="who holds the batch")]
    batch_id: BatchId


class ReleaseAnswer(Model):
    released: int = Field(description="items that others get now; 0 where the batch is not open any more")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.post("/api/release")
    @in_line(CHANGING_LABELS)
    def release(who: annotator, body: ReleaseInput) -> ReleaseAnswer:
        """Gives a batch back to the pool. Its holder's page says so; answers that they submit later still count."""
        labeler = project_of(body.project).labeler(who)
        return ReleaseAnswer(released=labeler.release(body.annotator, body.batch_id, by=who))
