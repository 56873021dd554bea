"""What the newest head says of items, and of a picture or sound that somebody sends; and taking that into the pool.

What is sent comes as the body of a request of its own, so that it is bounded, and is hostile until it is decoded.
"""

from collections.abc import Collection, Sequence
from typing import Annotated, Any

import anyio
import numpy as np
from fastapi import APIRouter, Depends, HTTPException, Query, Request
from pydantic import Field, StrictStr

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.errors import InvalidQueryError, StoreError, shown
from fastlabel_gradio.explore.finder import LOADING
from fastlabel_gradio.explore.finding.sent_media import embed_sent
from fastlabel_gradio.explore.finding.sent_vectors import text_of
from fastlabel_gradio.head import Head
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.pool.query import Near
from fastlabel_gradio.pool.query import Query as ItemQuery
from fastlabel_gradio.server.access import Person, person_of
from fastlabel_gradio.server.api_models import MAX_ITEM_ID, MAX_NAME, FoundAnswer, Model, ProjectInput
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.hidden import OWN_FIRST, hidden_from
from fastlabel_gradio.server.routes.items import found_answers
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import in_line
from fastlabel_gradio.server.visitors import PRIVATE
from fastlabel_gradio.types import Probabilities

PREDICTING = 4
EMBEDDING_WHAT_IS_SENT = 2
NEAREST = 8
NO_HEAD = "There is no trained head yet. Label items of at least two classes first."
_MEDIA_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class PredictInput(ProjectInput):
    ids: Annotated[
        list[Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)]],
        Field(min_length=1, max_length=MAX_BATCH, fail_fast=True),
    ]


class ShareAnswer(Model):
    label: str
    confidence: float = Field(description="probability, 0 to 1")


class SaidAnswer(Model):
    id: str
    label: str = Field(description="the most probable class")
    confidence: float
    classes: list[ShareAnswer] = Field(description="every class, the most probable first")


class PredictAnswer(Model):
    head_version: int
    predictions: list[SaidAnswer] = Field(description="in the order of the ids")


class SentAnswer(Model):
    head_version: int
    label: str = Field(description="the most probable class")
    confidence: float
    classes: list[ShareAnswer] = Field(description="every class, the most probable first")
    nearest: list[FoundAnswer] = Field(description="labeled items that are most like it, the nearest first")
    why_not_taken: str = Field(description="why `POST /api/predict/take` takes no file here; empty where it does")


class TakenAnswer(Model):
    id: str = Field(description="of the new item")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    person = Annotated[Person, Depends(person_of)]
    sent = anyio.CapacityLimiter(EMBEDDING_WHAT_IS_SENT)

    @router.post("/api/predict")
    @in_line(PREDICTING)
    def predict(who: person, body: PredictInput) -> PredictAnswer:
        """What the newest head says of items of the pool."""
        chosen = project_of(body.project)
        labeler = chosen.labeler(who.name)
        _refuse_hidden(hidden_from(chosen, labeler, who), body.ids)
        head, probabilities = _of_items(chosen, labeler, body.ids)
        said = [_said(head, row) for row in probabilities]
        predictions = [
            SaidAnswer(id=item_id, label=best[0].label, confidence=best[0].confidence, classes=best)
            for item_id, best in zip(body.ids, said, strict=True)
        ]
        return PredictAnswer(head_version=head.info.version, predictions=predictions)

    @router.post("/api/predict/media", openapi_extra=_MEDIA_BODY)
    async def predict_media(who: person, request: Request, project: OfProject = None) -> SentAnswer:
        """What the newest head says of a picture or a sound, the body of the request. It is not kept."""
        chosen = project_of(project)
        content = await request.body()
        return await anyio.to_thread.run_sync(_of_sent, chosen, chosen.labeler(who.name), content, who, limiter=sent)

    @router.post("/api/predict/take", openapi_extra=_MEDIA_BODY)
    async def take(
        who: annotator,
        request: Request,
        name: Annotated[str, Query(max_length=MAX_NAME, description="of the file, for its suffix")],
        project: OfProject = None,
    ) -> TakenAnswer:
        """Puts a picture or a sound, the body of the request, into the source's folder, as a new item of the pool."""
        chosen = project_of(project)
        if chosen.config.sharing == "private":
            raise HTTPException(403, PRIVATE)
        content = await request.body()
        return TakenAnswer(id=await anyio.to_thread.run_sync(chosen.take, name, content, limiter=sent))


def _refuse_hidden(hidden: Collection[str], ids: Sequence[str]) -> None:
    if asked := [item_id for item_id in ids if item_id in hidden]:
        raise InvalidQueryError(f"'ids': {shown(asked[0])} {OWN_FIRST}. Give that first, or leave it out.")


def _of_items(project: Project, labeler: Labeler, ids: Sequence[str]) -> tuple[Head, Probabilities]:
    """Raises InvalidQueryError for an item that is not embedded, StoreError where there is no head."""
    rows = project.store.rows_of(ids)
    if missing := [item_id for item_id in ids if item_id not in rows]:
        raise InvalidQueryError(
            f"'ids': {shown(missing[0])} is no item that is embedded. `POST /api/items` lists them."
        )
    head = labeler.head
    if head is None:
        raise StoreError(NO_HEAD)
    return head, labeler.says(head, np.array([rows[item_id] for item_id in ids], dtype=np.int64))


def _of_sent(project: Project, labeler: Labeler, content: bytes, person: Person) -> SentAnswer:
    encoder, head = project.pipeline.encoder, labeler.head
    if encoder is None:
        raise InvalidQueryError(LOADING)
    if head is None:
        raise StoreError(NO_HEAD)
    if head.info.encoder_fingerprint != encoder.space:
        raise StoreError("Another encoder is taking over; a head for it is trained first. Try again in a moment.")
    vector = embed_sent(content, project.medium, project.source.sound_view, encoder)
    best = _said(head, head.predict_proba(vector[None])[0])
    near = Near(vectors=(text_of(vector, encoder.space),))
    hidden = hidden_from(project, labeler, person)
    labeled = ItemQuery(near=near, states=("label",), order="similarity")
    nearest = labeler.finder.page(labeled, 0, NEAREST, hidden=hidden)
    return SentAnswer(
        head_version=head.info.version,
        label=best[0].label,
        confidence=best[0].confidence,
        classes=best,
        nearest=found_answers(project, labeler, nearest.items, person, hidden),
        why_not_taken=_why_not_taken(project),
    )


def _why_not_taken(project: Project) -> str:
    if project.config.sharing == "private":
        return PRIVATE
    return project.source.why_takes_none()


def _said(head: Head, probabilities: np.ndarray) -> list[ShareAnswer]:
    order = np.argsort(-probabilities, kind="stable")
    classes = head.info.classes
    return [ShareAnswer(label=classes[place].name, confidence=float(probabilities[place])) for place in order]
