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
from typing import Annotated, Any

import anyio
import numpy as np
from fastapi import APIRouter, Body, Depends, FastAPI, HTTPException, Query, Request, Response
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as AnyHTTPException

from fastlabel_gradio import __version__
from fastlabel_gradio.access import annotator_of
from fastlabel_gradio.api_models import (
    MAX_BATCH,
    MAX_NAME,
    MAX_NUMBER,
    AuditAnswer,
    BatchAnswer,
    ContradictionAnswer,
    ContradictionsAnswer,
    EmbeddingAnswer,
    EncoderChangeAnswer,
    EncoderRowAnswer,
    EncodersAnswer,
    EncodersAskedAnswer,
    EvaluationAnswer,
    FoundAnswer,
    GainAnswer,
    HeadAnswer,
    ItemAnswer,
    ItemsAnswer,
    ItemsInput,
    Labels,
    LeftOutAnswer,
    PointAnswer,
    PredictionAnswer,
    ProjectInput,
    RecallAnswer,
    RedoAnswer,
    RenewAnswer,
    RenewInput,
    RescanAnswer,
    SetAsideAnswer,
    SoundViewAnswer,
    StatusAnswer,
    SubmitAnswer,
    SubmitInput,
    TrainAnswer,
    UndoAnswer,
    UnreadableAnswer,
)
from fastlabel_gradio.contradictions import Contradiction
from fastlabel_gradio.encoder_report import EncoderReport, EncoderRow
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
from fastlabel_gradio.inquiry import Finding
from fastlabel_gradio.labeler import Evaluation, Labeler, Status, iso_time
from fastlabel_gradio.learning_record import LearningPoint
from fastlabel_gradio.media.loudness import gain_db
from fastlabel_gradio.project import Project
from fastlabel_gradio.types import Batch, Item, Prediction, Reopened, TimeSpan
from fastlabel_gradio.views import VIEWS

UNREADABLE_SHOWN = 200
POINTS_SHOWN = 1_000
WAITING_FOR_A_BATCH = 64  # requests in threads; who comes later waits without one, and is served later
CHANGING_LABELS = 16
LOOKING_FOR_ITEMS = 4  # each may look at all of the pool
MEDIA_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}


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
            return JSONResponse(route(**arguments).model_dump(mode="json"))

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
        _add_encoder_routes,
        _add_label_routes,
        _add_download_routes,
        _add_media_routes,
        *(VIEWS.get(name).add_routes for name in VIEWS.names()),
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
    def renew(who: annotator, body: RenewInput) -> RenewAnswer:
        """Keeps the caller's batch claimed for another while; false where it is not theirs any more."""
        return RenewAnswer(renewed=project_of(body.project).labeler(who).renew(who, body.batch_id))

    @router.post("/api/rescan")
    def rescan(who: annotator, body: ProjectInput | None = None) -> RescanAnswer:
        """Has the source listed again, for new, changed and removed files; `embedding` in the status tells how it goes."""
        return RescanAnswer(requested=project_of(body.project if body else None).pipeline.rescan())

    @router.get("/api/status")
    def status(who: annotator, project: OfProject = None) -> StatusAnswer:
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


def _add_encoder_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.post("/api/encoders/compare")
    def compare(who: annotator, body: ProjectInput | None = None) -> EncodersAskedAnswer:
        """Begins to compare encoders on the labels so far, in the background; the GET tells how it goes."""
        return EncodersAskedAnswer(requested=project_of(body.project if body else None).encoders_compared.ask())

    @router.get("/api/encoders/compare")
    def compared(who: annotator, project: OfProject = None) -> EncodersAnswer:
        """Would another encoder be better? What was found since somebody asked."""
        return _encoders_answer(project_of(project).encoders_compared.finding)


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
    def train(who: annotator, body: ProjectInput | None = None) -> TrainAnswer:
        """Asks for a training now; `head` in the status tells how it goes."""
        labeler = project_of(body.project if body else None).labeler(who)
        labeler.train()
        return TrainAnswer(requested=True, **_counts(labeler))


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


def _encoders_answer(finding: Finding[EncoderReport]) -> EncodersAnswer:
    report = finding.answer or EncoderReport(0, None, 0, 0, [])
    return EncodersAnswer(
        state=finding.state,
        error=finding.error,
        labels=report.labels,
        groups=report.groups,
        items=report.items,
        encoders=report.encoders,
        rows=[_encoder_row_answer(row) for row in report.rows],
    )


def _encoder_row_answer(row: EncoderRow) -> EncoderRowAnswer:
    change = EncoderChangeAnswer(**asdict(row.change)) if row.change else None
    return EncoderRowAnswer(**{**asdict(row), "change": change})


def _given_contradiction(status: Status) -> str:
    return status.contradiction.text("The labels given") if status.contradiction else ""


def _status_answer(project: Project, labeler: Labeler, annotator: str) -> StatusAnswer:
    status = labeler.status()
    left_out = project.source.left_out()
    left_out_count = sum(entry.count for entry in left_out)
    set_aside = {"skip": status.counts.skip, "unsure": status.counts.unsure, "bad": status.counts.bad}
    return StatusAnswer(
        project=project.name,
        kind=project.kind,
        annotator=annotator,
        classes=list(labeler.schema.names),
        labeled=status.counts.labeled,
        unlabeled=status.counts.unlabeled,
        total=status.counts.labeled + status.counts.unlabeled + sum(set_aside.values()),
        set_aside=SetAsideAnswer(**set_aside),
        claimed_by_others=labeler.claimed_by_others(annotator),
        since_training=status.since_training,
        train_every=labeler.settings.learner.train_every,
        notice=" ".join(filter(None, (project.notice, status.notice, _given_contradiction(status)))),
        contradictions=ContradictionsAnswer(
            known=_contradiction_answer(project.contradiction), given=_contradiction_answer(status.contradiction)
        ),
        embedding=EmbeddingAnswer(**asdict(status.embedding)),
        sound_view=SoundViewAnswer(**asdict(project.source.sound_view)) if project.kind == "audio" else None,
        head=_head_answer(status),
        missing_count=status.counts.missing,
        left_out_count=left_out_count,
        left_out_noun=project.source.left_out_nouns[left_out_count != 1],
        left_out=[LeftOutAnswer(**asdict(entry)) for entry in left_out],
        unreadable_count=project.store.unreadable_count,
        unreadable=[
            UnreadableAnswer(id=item_id, reason=reason)
            for item_id, reason in project.store.unreadable(UNREADABLE_SHOWN)
        ],
    )


def _head_answer(status: Status) -> HeadAnswer:
    head = status.head
    return HeadAnswer(
        version=head.version if head else 0,
        labels=head.label_count if head else 0,
        seconds=round(head.seconds, 3) if head else 0.0,
        trained_at=head.trained_at if head else None,
        settled=status.settled,
        **asdict(status.training),
    )


def _contradiction_answer(contradiction: Contradiction | None) -> ContradictionAnswer | None:
    return ContradictionAnswer(**asdict(contradiction)) if contradiction else None
