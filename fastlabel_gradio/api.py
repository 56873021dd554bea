"""The REST API and the media routes: whatever a button does, through the same methods of the labeler.

Requests are validated here; errors are JSON `{"error": …}` with a 4xx status and nothing stored. Who may come in is the
business of `access`, whose guard stands before all of this.
"""

import functools
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal

import anyio
import numpy as np
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as AnyHTTPException

from fastlabel_gradio import __version__
from fastlabel_gradio.access import annotator_of
from fastlabel_gradio.errors import (
    FastLabelError,
    InvalidLabelsError,
    InvalidQueryError,
    StoreError,
    UnreadableItemError,
    shown,
)
from fastlabel_gradio.evaluation import AuditReport, wilson_interval
from fastlabel_gradio.exports import EXPORTERS, harmless_rows
from fastlabel_gradio.finder import FoundItem
from fastlabel_gradio.gallery import SHEET_COLUMNS, SoundGallery
from fastlabel_gradio.gallery.tile_cache import Facts
from fastlabel_gradio.groups import Grouping
from fastlabel_gradio.labeler import Evaluation, Labeler, Status, iso_time
from fastlabel_gradio.learning_record import LearningPoint
from fastlabel_gradio.media.loudness import gain_db
from fastlabel_gradio.project import Project
from fastlabel_gradio.query import Query as ItemQuery
from fastlabel_gradio.types import Batch, Item, LabelSource, Prediction, Reopened, State, TimeSpan

MAX_BATCH = 1_000
MAX_LABELS = 10_000
MAX_NAME = 64  # characters of a project, a strategy, a format, a batch id
MAX_LABEL = 1_000
MAX_ITEM_ID = 5_000  # a path is 4,096 bytes at most
MAX_NUMBER = 2**63 - 1
UNREADABLE_SHOWN = 200
POINTS_SHOWN = 1_000
WAITING_FOR_A_BATCH = 64  # requests in threads; who comes later waits without one, and is served later
CHANGING_LABELS = 16
LOOKING_FOR_ITEMS = 4  # each may look at all of the pool
MEDIA_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PredictionAnswer(_Answer):
    label: str
    index: int
    confidence: float


class _MediaAnswer(_Answer):
    """An item, and how to show it."""

    id: str
    media_url: str = Field(description="the picture, or the sound")
    spectrogram_url: str | None = Field(
        None,
        description="of a sound: 1,200 x 480 pixels, on the mel scale; its range is that of `sound_view` in the status",
    )
    duration_s: float | None = Field(None, description="of a sound as it was recorded")
    peak_dbfs: float | None = Field(None, description="of a sound: its largest sample in decibels, 0 at full scale")
    gain_db: int = Field(0, description="of a quiet sound: by how many decibels `normalised=true` turns it up")
    note: str = Field("", description="what had to be done to read it, in one line")
    start_s: float = Field(0.0, description="of a sound that is a part of a file: where it begins there")
    group: str | None = Field(
        None, description="the recording, site, speaker or burst that it is of, where that is known"
    )
    prediction: PredictionAnswer | None


class ItemAnswer(_MediaAnswer):
    label: int | None = Field(None, description="set where an undo opened the item again")


class FoundAnswer(_MediaAnswer):
    label: str | None = Field(description="the class that stands")
    state: Literal["label", "skip", "unsure", "bad"] | None = Field(description="null where nothing was said")
    source: LabelSource | None
    annotator: str | None = Field(description="who said what stands")
    created_at: str | None = Field(description="and when, in UTC")
    similarity: float | None = Field(description="cosine with what `near` asks for, -1 to 1; null without it")


class ItemsAnswer(_Answer):
    total: int = Field(description="items that the query has")
    items: list[FoundAnswer]
    head_version: int = Field(description="of the newest head that looked at the pool")
    scanned: int = Field(description="rows of the pool that it has looked at; of the others earlier heads speak")
    rows: int = Field(description="items that are embedded, some of which may have left the source since")


class BatchAnswer(_Answer):
    project: str
    kind: Literal["image", "audio"]
    batch_id: str = Field(description='"" where there is nothing to label; `notice` then says why')
    strategy: str
    head_version: int
    notice: str
    sheet_url: str
    columns: int
    classes: list[str]
    items: list[ItemAnswer]
    labeled: int
    unlabeled: int


class RecallAnswer(_Answer):
    label: str
    correct: int
    items: int


class AuditAnswer(_Answer):
    items: int = Field(description="labeled random items that no head was trained on")
    groups: int | None = Field(description="how many groups they are of; null where there are no groups")
    true_for: str = Field(
        description="what the accuracy is true for: new recordings, new groups, or, without groups, items like these"
    )
    correct: int
    accuracy: float
    low: float = Field(
        description="95 % interval of the accuracy, by Wilson; with groups it counts how alike their items are"
    )
    high: float
    calibration_error: float
    recall: list[RecallAnswer]


class PointAnswer(_Answer):
    labels: int
    audit_items: int
    correct: int
    agreement: float | None = Field(description="Cohen's kappa with the head before it")
    low: float | None = Field(description="95 % interval of the accuracy; null without audited items")
    high: float | None


class GainAnswer(_Answer):
    labels: int = Field(description="how many more the newest head was trained on than the one it is compared with")
    change: float = Field(
        description="accuracy of the newest head less that of the other one, on the same random items"
    )
    low: float = Field(description="95 % interval of the change")
    high: float


class EvaluationAnswer(_Answer):
    target: float
    audit: AuditAnswer | None
    curve: list[PointAnswer] = Field(description="one point a head, oldest first, the newest 1,000")
    advice: str
    enough: bool
    reasons: list[str]
    brought: GainAnswer | None = Field(
        description="by the last 100 labels, or the last fifth; null while no head since the start had so many less"
    )


class SubmitAnswer(_Answer):
    accepted: int
    training_triggered: bool
    labeled: int
    unlabeled: int
    head_version: int


class UndoAnswer(_Answer):
    undone: int
    batch: BatchAnswer | None
    labeled: int
    unlabeled: int
    head_version: int


class RedoAnswer(_Answer):
    redone: int = Field(description="of how many items; 0 where there was nothing to bring back")
    labeled: int
    unlabeled: int
    head_version: int


Number = Annotated[StrictInt, Field(ge=-MAX_NUMBER, le=MAX_NUMBER)]
ProjectName = Annotated[str | None, Field(max_length=MAX_NAME)]
BatchId = Annotated[str, Field(max_length=MAX_NAME)]


class LabelInput(_Answer):
    """What is said of one item: its label, or a state in place of one."""

    id: Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)] | Number = Field(
        description="the id that next_batch gave", examples=["cat/1.jpg", 1]
    )
    label: Annotated[StrictStr, Field(max_length=MAX_LABEL)] | Number | None = Field(
        None, description="a class name, or its index; left out where `state` says something else", examples=["cat", 3]
    )
    state: Literal["label", "skip", "unsure", "bad"] = Field(
        "label", description="why the item gets no label: it does not come again until that is undone"
    )

    @model_validator(mode="after")
    def _either_or(self) -> "LabelInput":
        if (self.label is None) == (self.state == "label"):
            raise ValueError("an item gets a label, or the state 'skip', 'unsure' or 'bad' in place of one")
        return self

    @property
    def said(self) -> str | int | State:
        """The label, or the state."""
        return State(self.state) if self.label is None else self.label


Labels = Annotated[list[LabelInput], Field(max_length=MAX_LABELS)]


class SubmitInput(_Answer):
    project: ProjectName = None
    batch_id: BatchId = Field("", description="closes that batch: its items without a label go back to the pool")
    labels: Labels


class ProjectInput(_Answer):
    project: ProjectName = None


class RenewInput(ProjectInput):
    batch_id: BatchId


class ItemsInput(ProjectInput):
    query: ItemQuery = ItemQuery()
    offset: Annotated[StrictInt, Field(ge=0, le=MAX_NUMBER)] = 0
    size: Annotated[StrictInt, Field(ge=1, le=MAX_BATCH)] = 100


FindProject = Callable[[str | None], Project]
OfProject = Annotated[str | None, Query(max_length=MAX_NAME)]
InProject = Annotated[str, InPath(max_length=MAX_NAME)]
Row = Annotated[int, InPath(ge=-MAX_NUMBER, le=MAX_NUMBER)]

STATUS_OF: dict[type[FastLabelError], int] = {
    InvalidLabelsError: 422,
    InvalidQueryError: 422,
    UnreadableItemError: 422,
    StoreError: 503,
    FastLabelError: 400,
}


def in_line(threads: int) -> Callable[[Callable[..., Any]], Callable[..., Awaitable[Any]]]:
    """Decorator: so many of a route's requests run at once, in threads of their own, the others wait in order of arrival.

    What waits for a pick or for the label store then takes no thread from routes that wait for neither.
    """
    limit = anyio.CapacityLimiter(threads)

    def queued(route: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        def answer(**arguments: Any) -> Response:
            said = route(**arguments)
            content = said if isinstance(said, dict) else said.model_dump(mode="json")
            return JSONResponse(content)

        @functools.wraps(route)
        async def answer_in_line(**arguments: Any) -> Response:
            return await anyio.to_thread.run_sync(functools.partial(answer, **arguments), limiter=limit)

        return answer_in_line

    return queued


def create_api(projects: Mapping[str, Project]) -> FastAPI:
    """What answers /api and /media, with its description at /docs and /openapi.json.

    It stands behind the guard of `access`, which says who sends a request.
    """
    api = FastAPI(title="FastLabel", version=__version__, redoc_url=None, swagger_ui_oauth2_redirect_url=None)
    api.include_router(_create_router(projects))
    _add_error_handlers(api)
    return api


def _create_router(projects: Mapping[str, Project]) -> APIRouter:
    """The routes. The first of the projects is meant where a request names none."""
    router = APIRouter(tags=["FastLabel"])

    def project_of(name: str | None) -> Project:
        chosen = next(iter(projects)) if name is None else name
        if chosen not in projects:
            raise HTTPException(404, f"project {shown(name)} is not known. Known: {', '.join(projects)}.")
        return projects[chosen]

    for add_routes in (
        _add_batch_routes,
        _add_items_route,
        _add_evaluation_route,
        _add_label_routes,
        _add_download_routes,
        _add_media_routes,
    ):
        add_routes(router, project_of, Depends(annotator_of))
    return router


def _add_batch_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/next_batch")
    @in_line(WAITING_FOR_A_BATCH)
    def next_batch(
        who: annotator,
        project: OfProject = None,
        size: Annotated[int | None, Query(ge=1, le=MAX_BATCH)] = None,
        strategy: Annotated[str | None, Query(max_length=MAX_NAME)] = None,
        fresh: Annotated[bool, Query(description="give the open batch back and claim another")] = False,
    ) -> BatchAnswer:
        """The caller's open batch; a newly claimed one if there is none."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        return _batch_answer(chosen, labeler, labeler.next_batch(who, size, strategy, fresh=fresh))

    @router.post("/api/renew")
    @in_line(CHANGING_LABELS)
    def renew(who: annotator, body: RenewInput) -> dict[str, bool]:
        """Keeps the caller's batch claimed for another while; false where it is not theirs any more."""
        return {"renewed": project_of(body.project).labeler(who).renew(who, body.batch_id)}

    @router.post("/api/rescan")
    def rescan(who: annotator, body: ProjectInput | None = None) -> dict[str, bool]:
        """Has the source listed again, for new, changed and removed files; `embedding` in the status tells how it goes."""
        return {"requested": project_of(body.project if body else None).pipeline.rescan()}

    @router.get("/api/status")
    def status(who: annotator, project: OfProject = None) -> dict[str, Any]:
        """Counts, embedding progress, head and training of a project."""
        chosen = project_of(project)
        return _status_answer(chosen, chosen.labeler(who), who)


def _add_items_route(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.post("/api/items")
    @in_line(LOOKING_FOR_ITEMS)
    def items(who: annotator, body: ItemsInput) -> ItemsAnswer:
        """A page of the items that a query names, with what was said of each and what the head says."""
        chosen = project_of(body.project)
        labeler = chosen.labeler(who)
        page = labeler.finder.page(body.query, body.offset, body.size)
        return ItemsAnswer(
            total=page.total,
            items=_found_answers(chosen, labeler, page.items),
            head_version=page.head_version,
            scanned=page.scanned,
            rows=page.rows,
        )


def _add_evaluation_route(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/evaluation")
    def evaluation(
        who: annotator,
        project: OfProject = None,
        target: Annotated[float | None, Query(gt=0, lt=1, description="the accuracy that is wanted")] = None,
    ) -> EvaluationAnswer:
        """How good the newest head is on random items that it never saw, how it got there, and whether that is enough."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        wanted = target or chosen.config.target
        return _evaluation_answer(labeler.evaluation(wanted), wanted, labeler.schema.names, chosen.source.grouping)


def _add_label_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    changing_labels = in_line(CHANGING_LABELS)

    @router.post("/api/submit_labels")
    @changing_labels
    def submit_labels(who: annotator, body: Annotated[SubmitInput | Labels, Body()]) -> SubmitAnswer:
        """Stores labels and states, all or none. Sending the same again changes nothing."""
        given = body if isinstance(body, SubmitInput) else SubmitInput(project=None, batch_id="", labels=body)
        labeler = project_of(given.project).labeler(who)
        receipt = labeler.submit(who, [(str(entry.id), entry.said) for entry in given.labels], given.batch_id)
        return SubmitAnswer(
            accepted=receipt.accepted, training_triggered=receipt.training_triggered, **_counts(labeler)
        )

    @router.post("/api/undo")
    @changing_labels
    def undo(who: annotator, body: ProjectInput | None = None) -> UndoAnswer:
        """Takes the caller's last submit back and opens a batch of its items."""
        chosen = project_of(body.project if body else None)
        labeler = chosen.labeler(who)
        reopened = labeler.undo(who)
        return UndoAnswer(undone=reopened.undone, batch=_reopened(chosen, labeler, reopened), **_counts(labeler))

    @router.post("/api/redo")
    @changing_labels
    def redo(who: annotator, body: ProjectInput | None = None) -> RedoAnswer:
        """Brings back what the caller's last undo took back, where they submitted nothing since."""
        labeler = project_of(body.project if body else None).labeler(who)
        return RedoAnswer(redone=labeler.redo(who), **_counts(labeler))

    @router.post("/api/train")
    def train(who: annotator, body: ProjectInput | None = None) -> dict[str, Any]:
        """Asks for a training now; `head` in the status tells how it goes."""
        labeler = project_of(body.project if body else None).labeler(who)
        labeler.train()
        return {"requested": True, **_counts(labeler)}


def _add_download_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/export", response_class=FileResponse)
    def export(
        who: annotator,
        project: OfProject = None,
        format: Annotated[
            str, Query(max_length=MAX_NAME, description=f"one of {', '.join(EXPORTERS.names())}")
        ] = "csv",
        predictions: Annotated[bool, Query(description="also every unlabeled item with its prediction")] = False,
        states: Annotated[
            bool, Query(description="also the columns `state` and `source`, and items that got a state and no label")
        ] = False,
        spreadsheet_safe: Annotated[
            bool, Query(description="of CSV: names that a spreadsheet would run as a formula begin with '")
        ] = True,
    ) -> FileResponse:
        """Every label as a file."""
        chosen = project_of(project)
        exporter = EXPORTERS.get(format)
        folder = tempfile.TemporaryDirectory(prefix="fastlabel-export-")
        rows = chosen.export_rows(who, include_predictions=predictions, include_states=states)
        if exporter.opens_in_spreadsheets and spreadsheet_safe:
            rows = harmless_rows(rows)
        path = exporter.write(rows, Path(folder.name) / f"{chosen.name}-labels{exporter.suffix}")
        return FileResponse(
            path, media_type=exporter.media_type, filename=path.name, background=BackgroundTask(folder.cleanup)
        )

    @router.get("/api/checkpoint", response_class=FileResponse)
    def checkpoint(who: annotator, project: OfProject = None) -> FileResponse:
        """The newest trained head: safetensors with its classes and encoder in the header."""
        chosen = project_of(project)
        path = chosen.labeler(who).checkpoint
        if not path.exists():
            raise HTTPException(404, "There is no trained head yet. Label items of at least two classes first.")
        return FileResponse(path, media_type="application/octet-stream", filename=f"{chosen.name}-head.safetensors")


def _add_media_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/media/{project}/sheet/{batch_id}.jpg", response_class=Response)
    def sheet(who: annotator, project: InProject, batch_id: Annotated[str, InPath(max_length=MAX_NAME)]) -> Response:
        """The pictures of a batch as one contact sheet; of sounds their spectrograms."""
        chosen = project_of(project)
        items = chosen.batch_items(batch_id)
        return _jpeg(chosen.gallery.contact_sheet(items))

    @router.get("/media/{project}/item/{row}", response_class=Response)
    def item(
        who: annotator, project: InProject, row: Row, converted: bool = False, normalised: bool = False
    ) -> Response:
        """One picture, at most 1,280 pixels a side; or one sound, which answers Range requests.

        `converted` asks for a FLAC instead of the sound's own file, for a browser that cannot play that; `normalised` for
        one in which a quiet sound is turned up by its `gain_db`.
        """
        chosen = project_of(project)
        found = _item_at(chosen, row)
        if not isinstance(chosen.gallery, SoundGallery):
            return _jpeg(chosen.gallery.large_view(found))
        path, media_type = chosen.gallery.playable_file(found, converted, normalised)
        return FileResponse(path, media_type=media_type, headers=MEDIA_HEADERS)

    @router.get("/media/{project}/spectrogram/{row}", response_class=Response)
    def spectrogram(who: annotator, project: InProject, row: Row) -> Response:
        """The spectrogram of one sound: time from left to right, the mel scale upwards."""
        chosen = project_of(project)
        if not isinstance(chosen.gallery, SoundGallery):
            raise HTTPException(404, f"project '{chosen.name}' holds pictures, which have no spectrogram.")
        return _jpeg(chosen.gallery.large_view(_item_at(chosen, row)))


def _add_error_handlers(api: FastAPI) -> None:
    """Every error is JSON with a reason, also of a path or a method that does not exist and of a bug."""

    @api.exception_handler(AnyHTTPException)
    async def refused(request: Request, error: AnyHTTPException) -> JSONResponse:
        reason = error.detail
        if reason == HTTPStatus(error.status_code).phrase:  # by a router, not on purpose
            reason = f"{reason}: {_asked(request)}. /docs lists the routes."
        return JSONResponse({"error": reason}, error.status_code, headers=error.headers)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": _validation_reason(error)}, 422)

    @api.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": f"{_asked(request)} failed. The program's log says why."}, 500)

    for kind, status in STATUS_OF.items():
        api.exception_handler(kind)(_answer_with(status))


def _asked(request: Request) -> str:
    return f"{request.method[:10]} {request.scope['path'][:100]}"


def _answer_with(status: int) -> Callable[[Request, FastLabelError], Awaitable[JSONResponse]]:
    async def answer(request: Request, error: FastLabelError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status)

    return answer


def _validation_reason(error: RequestValidationError) -> str:
    problems = []
    for detail in error.errors()[:3]:
        place = ".".join(str(part)[:80] for part in detail["loc"])
        problems.append(f"{place}: {detail['msg']}, got {shown(str(detail.get('input')))}")
    return "; ".join(problems) + ". /docs shows what is valid."


def _item_at(project: Project, row: int) -> Item:
    found = project.store.items_at(np.array([row], dtype=np.int64)) if 0 <= row < len(project.store) else {}
    if not found:
        raise HTTPException(404, f"There is no item {row} in project '{project.name}'.")
    return found[row]


def _jpeg(content: bytes) -> Response:
    return Response(content, media_type="image/jpeg", headers=MEDIA_HEADERS)


def _counts(labeler: Labeler) -> dict[str, int]:
    counts, head = labeler.counts(), labeler.head
    return {
        "labeled": counts.labeled,
        "unlabeled": counts.unlabeled,
        "head_version": head.info.version if head else 0,
    }


def _batch_answer(
    project: Project, labeler: Labeler, batch: Batch, labels: Mapping[str, int] | None = None
) -> BatchAnswer:
    names = labeler.schema.names
    known = project.gallery.facts(batch.items)
    items = [
        ItemAnswer(
            **_shown_item(project, item, f"{row}?batch={batch.id}", facts),
            prediction=_prediction_answer(prediction, names) if prediction else None,
            label=(labels or {}).get(item.id),
        )
        for item, row, facts, prediction in zip(batch.items, batch.rows, known, batch.predictions, strict=True)
    ]
    counts = labeler.counts()
    return BatchAnswer(
        project=project.name,
        kind=project.kind,
        batch_id=batch.id,
        strategy=batch.strategy,
        head_version=batch.head_version,
        notice=batch.notice,
        sheet_url=f"media/{project.name}/sheet/{batch.id}.jpg" if batch.id else "",
        columns=SHEET_COLUMNS,
        classes=list(names),
        items=items,
        labeled=counts.labeled,
        unlabeled=counts.unlabeled,
    )


def _found_answers(project: Project, labeler: Labeler, found: Sequence[FoundItem]) -> list[FoundAnswer]:
    names = labeler.schema.names
    known = project.gallery.facts([one.item for one in found])
    predictions = labeler.predictions(np.array([one.row for one in found], dtype=np.int64))
    return [
        FoundAnswer(
            **_shown_item(project, one.item, str(one.row), facts),
            prediction=_prediction_answer(prediction, names) if prediction else None,
            label=one.label,
            state=one.state.value if one.state else None,
            source=one.source,
            annotator=one.owner.annotator if one.owner else None,
            created_at=iso_time(one.owner.said_at) if one.owner else None,
            similarity=None if one.similarity is None else round(one.similarity, 4),
        )
        for one, facts, prediction in zip(found, known, predictions, strict=True)
    ]


def _shown_item(project: Project, item: Item, place: str, facts: Facts) -> dict[str, Any]:
    """The fields that say which item it is and how to show it."""
    return {
        "id": item.id,
        **_media_answer(project, item, place),
        "duration_s": None if facts.seconds is None else round(facts.seconds, 3),
        "peak_dbfs": None if facts.peak_dbfs is None else round(facts.peak_dbfs, 1),
        "gain_db": gain_db(facts.peak_dbfs),
        "note": facts.note,
        "group": project.source.group_of(item),
    }


def _media_answer(project: Project, item: Item, place: str) -> dict[str, Any]:
    media_url = f"media/{project.name}/item/{place}"
    if project.kind == "image":
        return {"media_url": media_url}
    _, span = TimeSpan.split(item.id)
    return {
        "media_url": media_url,
        "spectrogram_url": f"media/{project.name}/spectrogram/{place}",
        "start_s": span.start_s if span else 0.0,
    }


def _reopened(project: Project, labeler: Labeler, reopened: Reopened) -> BatchAnswer | None:
    if reopened.batch is None:
        return None
    return _batch_answer(project, labeler, reopened.batch, reopened.labels)


def _prediction_answer(prediction: Prediction, names: Sequence[str]) -> PredictionAnswer:
    return PredictionAnswer(
        label=names[prediction.index], index=prediction.index, confidence=round(prediction.confidence, 4)
    )


def _evaluation_answer(
    evaluation: Evaluation, target: float, names: Sequence[str], grouping: Grouping | None
) -> EvaluationAnswer:
    advice, brought = evaluation.advice, evaluation.brought
    return EvaluationAnswer(
        target=target,
        audit=_audit_answer(evaluation.report, names, grouping) if evaluation.report else None,
        curve=[_point_answer(point) for point in evaluation.points[-POINTS_SHOWN:]],
        advice=advice.text,
        enough=advice.enough,
        reasons=list(advice.reasons),
        brought=GainAnswer(**asdict(brought)) if brought else None,
    )


def _point_answer(point: LearningPoint) -> PointAnswer:
    """With Wilson's interval where an earlier version measured it, which knew no groups."""
    low, high = point.low, point.high
    if low is None and point.audit_items:
        low, high = wilson_interval(point.correct, point.audit_items)
    return PointAnswer(
        labels=point.labels,
        audit_items=point.audit_items,
        correct=point.correct,
        agreement=point.agreement,
        low=low,
        high=high,
    )


def _audit_answer(report: AuditReport, names: Sequence[str], grouping: Grouping | None) -> AuditAnswer:
    return AuditAnswer(
        items=report.items,
        groups=report.groups,
        true_for="items like these" if grouping is None else f"new {grouping.noun}",
        correct=report.correct,
        accuracy=report.accuracy,
        low=report.low,
        high=report.high,
        calibration_error=report.calibration_error,
        recall=[
            RecallAnswer(label=name, correct=correct, items=items)
            for name, (correct, items) in zip(names, report.recall, strict=True)
        ],
    )


def _given_contradiction(status: Status) -> str:
    return status.contradiction.text("The labels given") if status.contradiction else ""


def _status_answer(project: Project, labeler: Labeler, annotator: str) -> dict[str, Any]:
    status = labeler.status()
    left_out = project.source.left_out()
    left_out_count = sum(entry.count for entry in left_out)
    head, training = status.head, status.training
    set_aside = {"skip": status.counts.skip, "unsure": status.counts.unsure, "bad": status.counts.bad}
    return {
        "project": project.name,
        "kind": project.kind,
        "annotator": annotator,
        "classes": list(labeler.schema.names),
        "labeled": status.counts.labeled,
        "unlabeled": status.counts.unlabeled,
        "total": status.counts.labeled + status.counts.unlabeled + sum(set_aside.values()),
        "set_aside": set_aside,
        "claimed_by_others": labeler.claimed_by_others(annotator),
        "since_training": status.since_training,
        "train_every": labeler.settings.learner.train_every,
        "notice": " ".join(filter(None, (project.notice, status.notice, _given_contradiction(status)))),
        "contradictions": {
            "known": asdict(project.contradiction) if project.contradiction else None,
            "given": asdict(status.contradiction) if status.contradiction else None,
        },
        "embedding": asdict(status.embedding),
        "sound_view": asdict(project.source.sound_view) if project.kind == "audio" else None,
        "head": {
            "version": head.version if head else 0,
            "labels": head.label_count if head else 0,
            "seconds": round(head.seconds, 3) if head else 0.0,
            "trained_at": head.trained_at if head else None,
            "settled": status.settled,
            **asdict(training),
        },
        "missing_count": status.counts.missing,
        "left_out_count": left_out_count,
        "left_out_noun": project.source.left_out_nouns[left_out_count != 1],
        "left_out": [asdict(entry) for entry in left_out],
        "unreadable_count": project.store.unreadable_count,
        "unreadable": [
            {"id": item_id, "reason": reason} for item_id, reason in project.store.unreadable(UNREADABLE_SHOWN)
        ],
    }
