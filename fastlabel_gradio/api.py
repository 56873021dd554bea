"""The REST API and the media routes: whatever a button does, through the same methods of the labeler.

Requests are validated here; errors are JSON `{"error": …}` with a 4xx status and nothing stored. Who may come in is the
business of `access`.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Body, Depends, HTTPException, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException as AnyHTTPException

from fastlabel_gradio.access import Access, refuse_foreign_site
from fastlabel_gradio.errors import FastLabelError, InvalidLabelsError, StoreError, UnreadableItemError
from fastlabel_gradio.evaluation import AuditReport, wilson_interval
from fastlabel_gradio.exports import EXPORTERS
from fastlabel_gradio.gallery import SHEET_COLUMNS, SoundGallery
from fastlabel_gradio.groups import Grouping
from fastlabel_gradio.labeler import Evaluation, Labeler
from fastlabel_gradio.learning_record import LearningPoint
from fastlabel_gradio.project import Project
from fastlabel_gradio.types import Batch, Item, Prediction, Reopened, TimeSpan

MAX_BATCH = 1_000
MAX_LABELS = 10_000
UNREADABLE_SHOWN = 200
POINTS_SHOWN = 1_000
MEDIA_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PredictionAnswer(_Answer):
    label: str
    index: int
    confidence: float


class ItemAnswer(_Answer):
    id: str
    media_url: str = Field(description="the picture, or the sound")
    spectrogram_url: str | None = Field(
        None, description="of a sound: 1,200 x 480 pixels, 0 to 11,025 Hz on the mel scale"
    )
    duration_s: float | None = Field(None, description="of a sound, once it was read")
    start_s: float = Field(0.0, description="of a sound that is a part of a file: where it begins there")
    group: str | None = Field(
        None, description="the recording, site, speaker or burst that it is of, where that is known"
    )
    prediction: PredictionAnswer | None
    label: int | None = Field(None, description="set where an undo opened the item again")


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


class LabelInput(_Answer):
    id: StrictStr | StrictInt = Field(description="the id that next_batch gave", examples=["cat/1.jpg", 1])
    label: StrictStr | StrictInt = Field(description="a class name, or its index", examples=["cat", 3])


Labels = Annotated[list[LabelInput], Field(max_length=MAX_LABELS)]


class SubmitInput(_Answer):
    project: str | None = None
    batch_id: str = Field("", description="closes that batch: its items without a label go back to the pool")
    labels: Labels


class ProjectInput(_Answer):
    project: str | None = None


class RenewInput(ProjectInput):
    batch_id: str


FindProject = Callable[[str | None], Project]


def create_router(projects: Mapping[str, Project], access: Access) -> APIRouter:
    """The routes under /api and /media.

    Args:
        projects: by name; the first is meant where a request names none.
        access: says who sends a request. Every route asks it.
    """
    router = APIRouter(route_class=_JsonErrors, tags=["FastLabel"], dependencies=[Depends(refuse_foreign_site)])

    def project_of(name: str | None) -> Project:
        chosen = next(iter(projects)) if name is None else name
        if chosen not in projects:
            raise HTTPException(404, f"project {name!r} is not known. Known: {', '.join(projects)}.")
        return projects[chosen]

    for add_routes in (
        _add_batch_routes,
        _add_evaluation_route,
        _add_label_routes,
        _add_download_routes,
        _add_media_routes,
    ):
        add_routes(router, project_of, Depends(access.annotator))
    return router


def _add_batch_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/next_batch")
    def next_batch(
        who: annotator,
        project: str | None = None,
        size: Annotated[int | None, Query(ge=1, le=MAX_BATCH)] = None,
        strategy: str | None = None,
        fresh: Annotated[bool, Query(description="give the open batch back and claim another")] = False,
    ) -> BatchAnswer:
        """The caller's open batch; a newly claimed one if there is none."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        return _batch_answer(chosen, labeler, labeler.next_batch(who, size, strategy, fresh=fresh))

    @router.post("/api/renew")
    def renew(who: annotator, body: RenewInput) -> dict[str, bool]:
        """Keeps the caller's batch claimed for another while; false where it is not theirs any more."""
        return {"renewed": project_of(body.project).labeler(who).renew(who, body.batch_id)}

    @router.get("/api/status")
    def status(who: annotator, project: str | None = None) -> dict[str, Any]:
        """Counts, embedding progress, head and training of a project."""
        chosen = project_of(project)
        return _status_answer(chosen, chosen.labeler(who), who)


def _add_evaluation_route(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/evaluation")
    def evaluation(
        who: annotator,
        project: str | None = None,
        target: Annotated[float | None, Query(gt=0, lt=1, description="the accuracy that is wanted")] = None,
    ) -> EvaluationAnswer:
        """How good the newest head is on random items that it never saw, how it got there, and whether that is enough."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        wanted = target or chosen.config.target
        return _evaluation_answer(labeler.evaluation(wanted), wanted, labeler.schema.names, chosen.source.grouping)


def _add_label_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.post("/api/submit_labels")
    def submit_labels(who: annotator, body: Annotated[SubmitInput | Labels, Body()]) -> SubmitAnswer:
        """Stores labels, all or none. Sending the same again changes nothing."""
        given = body if isinstance(body, SubmitInput) else SubmitInput(project=None, batch_id="", labels=body)
        labeler = project_of(given.project).labeler(who)
        receipt = labeler.submit(who, [(str(entry.id), entry.label) for entry in given.labels], given.batch_id)
        return SubmitAnswer(
            accepted=receipt.accepted, training_triggered=receipt.training_triggered, **_counts(labeler)
        )

    @router.post("/api/undo")
    def undo(who: annotator, body: ProjectInput | None = None) -> UndoAnswer:
        """Takes the caller's last submit back and opens a batch of its items."""
        chosen = project_of(body.project if body else None)
        labeler = chosen.labeler(who)
        reopened = labeler.undo(who)
        return UndoAnswer(undone=reopened.undone, batch=_reopened(chosen, labeler, reopened), **_counts(labeler))

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
        project: str | None = None,
        format: Annotated[str, Query(description=f"one of {', '.join(EXPORTERS.names())}")] = "csv",
        predictions: Annotated[bool, Query(description="also every unlabeled item with its prediction")] = False,
    ) -> FileResponse:
        """Every label as a file."""
        chosen = project_of(project)
        exporter = EXPORTERS.get(format)
        folder = tempfile.TemporaryDirectory(prefix="fastlabel-export-")
        rows = chosen.labeler(who).export_rows(include_predictions=predictions)
        path = exporter.write(rows, Path(folder.name) / f"{chosen.name}-labels{exporter.suffix}")
        return FileResponse(
            path, media_type=exporter.media_type, filename=path.name, background=BackgroundTask(folder.cleanup)
        )

    @router.get("/api/checkpoint", response_class=FileResponse)
    def checkpoint(who: annotator, project: str | None = None) -> FileResponse:
        """The newest trained head: safetensors with its classes and encoder in the header."""
        chosen = project_of(project)
        path = chosen.labeler(who).checkpoint
        if not path.exists():
            raise HTTPException(404, "There is no trained head yet. Label items of at least two classes first.")
        return FileResponse(path, media_type="application/octet-stream", filename=f"{chosen.name}-head.safetensors")


def _add_media_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/media/{project}/sheet/{batch_id}.jpg", response_class=Response)
    def sheet(who: annotator, project: str, batch_id: str) -> Response:
        """The pictures of a batch as one contact sheet; of sounds their spectrograms."""
        chosen = project_of(project)
        items = chosen.batch_items(batch_id)
        return _jpeg(chosen.gallery.contact_sheet(items))

    @router.get("/media/{project}/item/{row}", response_class=Response)
    def item(who: annotator, project: str, row: int, converted: bool = False) -> Response:
        """One picture, at most 1,280 pixels a side; or one sound, which answers Range requests.

        `converted` asks for a FLAC instead of the sound's own file, for a browser that cannot play that.
        """
        chosen = project_of(project)
        found = _item_at(chosen, row)
        if not isinstance(chosen.gallery, SoundGallery):
            return _jpeg(chosen.gallery.large_view(found))
        path, media_type = chosen.gallery.playable_file(found, converted)
        return FileResponse(path, media_type=media_type, headers=MEDIA_HEADERS)

    @router.get("/media/{project}/spectrogram/{row}", response_class=Response)
    def spectrogram(who: annotator, project: str, row: int) -> Response:
        """The spectrogram of one sound: time from left to right, the mel scale upwards."""
        chosen = project_of(project)
        if not isinstance(chosen.gallery, SoundGallery):
            raise HTTPException(404, f"project '{chosen.name}' holds pictures, which have no spectrogram.")
        return _jpeg(chosen.gallery.large_view(_item_at(chosen, row)))


class _JsonErrors(APIRoute):
    """Turns errors raised on purpose into JSON with a reason, for our routes only: Gradio keeps its own handlers."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        handle = super().get_route_handler()

        async def handle_with_reason(request: Request) -> Response:
            try:
                response: Response = await handle(request)
                return response
            except AnyHTTPException as error:
                return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
            except RequestValidationError as error:
                return JSONResponse({"error": _validation_reason(error)}, 422)
            except (InvalidLabelsError, UnreadableItemError) as error:
                return JSONResponse({"error": str(error)}, 422)
            except StoreError as error:
                return JSONResponse({"error": str(error)}, 503)
            except FastLabelError as error:
                return JSONResponse({"error": str(error)}, 400)

        return handle_with_reason


def _validation_reason(error: RequestValidationError) -> str:
    problems = []
    for detail in error.errors()[:3]:
        place = ".".join(str(part) for part in detail["loc"])
        problems.append(f"{place}: {detail['msg']}, got {str(detail.get('input'))[:80]!r}")
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
    seconds = project.gallery.seconds(batch.items)
    items = [
        ItemAnswer(
            id=item.id,
            **_media_answer(project, item, f"{row}?batch={batch.id}"),
            duration_s=duration,
            group=project.source.group_of(item),
            prediction=_prediction_answer(prediction, names) if prediction else None,
            label=(labels or {}).get(item.id),
        )
        for item, row, duration, prediction in zip(batch.items, batch.rows, seconds, batch.predictions, strict=True)
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


def _status_answer(project: Project, labeler: Labeler, annotator: str) -> dict[str, Any]:
    status = labeler.status()
    head, training = status.head, status.training
    return {
        "project": project.name,
        "kind": project.kind,
        "annotator": annotator,
        "classes": list(labeler.schema.names),
        "labeled": status.counts.labeled,
        "unlabeled": status.counts.unlabeled,
        "total": status.counts.labeled + status.counts.unlabeled,
        "claimed_by_others": labeler.claimed_by_others(annotator),
        "since_training": status.since_training,
        "train_every": labeler.settings.learner.train_every,
        "notice": status.notice,
        "embedding": asdict(status.embedding),
        "head": {
            "version": head.version if head else 0,
            "labels": head.label_count if head else 0,
            "seconds": round(head.seconds, 3) if head else 0.0,
            "trained_at": head.trained_at if head else None,
            "settled": status.settled,
            **asdict(training),
        },
        "unreadable_count": project.store.unreadable_count,
        "unreadable": [
            {"id": item_id, "reason": reason} for item_id, reason in project.store.unreadable(UNREADABLE_SHOWN)
        ],
    }
