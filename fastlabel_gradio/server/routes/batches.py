"""Batches: the next one, keeping it claimed, and a new listing of the source."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.gallery import SHEET_COLUMNS
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.api_models import (
    MAX_NAME,
    BatchAnswer,
    ItemAnswer,
    ProjectInput,
    RenewAnswer,
    RenewInput,
    RescanAnswer,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.items_shown import prediction_answer, shown_item
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line
from fastlabel_gradio.types import Batch, Reopened

WAITING_FOR_A_BATCH = 64  # requests in threads; who comes later waits without one, and is served later


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/next_batch")
    @in_line(WAITING_FOR_A_BATCH)
    def next_batch(
        who: annotator,
        project: OfProject = None,
        size: Annotated[int | None, Query(ge=1, le=MAX_BATCH)] = None,
        strategy: Annotated[str | None, Query(max_length=MAX_NAME)] = None,
        fresh: Annotated[bool, Query(description="give the open batch back and claim another")] = False,
        after: Annotated[
            str | None,
            Query(max_length=MAX_NAME, description="an open batch: the one that comes after it, claimed ahead"),
        ] = None,
        go_on: Annotated[
            bool, Query(description="claim also where the caller gave `labels_per_person` labels")
        ] = False,
    ) -> BatchAnswer:
        """The caller's open batch; a newly claimed one if there is none."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        held_back = "" if go_on else _limit_reached(labeler, who, chosen.config.labels_per_person)
        with chosen.map.paused():
            if after is not None:
                batch = labeler.batch_after(who, after, size, strategy, fresh=fresh, held_back=held_back)
            else:
                batch = labeler.next_batch(who, size, strategy, fresh=fresh, held_back=held_back)
        return batch_answer(chosen, labeler, batch, at_limit=bool(held_back) and not batch.id)

    @router.post("/api/renew")
    @in_line(CHANGING_LABELS)
    def renew(who: annotator, body: RenewInput) -> RenewAnswer:
        """Keeps the caller's batch claimed for another while; false where it is not theirs any more."""
        return RenewAnswer(renewed=project_of(body.project).labeler(who).renew(who, body.batch_id))

    @router.post("/api/rescan")
    def rescan(who: annotator, body: ProjectInput | None = None) -> RescanAnswer:
        """Has the source listed again, for new, changed and removed files; `embedding` in the status tells how it goes."""
        return RescanAnswer(requested=project_of(body.project if body else None).pipeline.rescan())


def _limit_reached(labeler: Labeler, annotator: str, limit: int | None) -> str:
    """That the annotator gave as many labels as are asked of one person, in a sentence; "" while they did not."""
    given = labeler.progress.labels_of(annotator) if limit else 0
    if limit is None or given < limit:
        return ""
    return f"You gave {given:,} labels; {limit:,} are asked of one person. Choose to go on (go_on) to label more."


def batch_answer(
    project: Project, labeler: Labeler, batch: Batch, reopened: Reopened | None = None, *, at_limit: bool = False
) -> BatchAnswer:
    names = batch.schema.names
    shown = batch.items
    items = [
        ItemAnswer(
            **shown_item(project, item, f"{card.item.row}?batch={batch.id}", facts),
            prediction=prediction_answer(card.prediction, names) if card.prediction else None,
            label=reopened.positions.get(item.id) if reopened else None,
            state=_state(reopened, item.id),
        )
        for card, item, facts in zip(batch.cards, shown, project.gallery.facts(shown), strict=True)
    ]
    counts = labeler.counts()
    return BatchAnswer(
        project=project.name,
        kind=project.medium,
        batch_id=batch.id,
        strategy=batch.strategy,
        head_version=batch.head_version,
        notice=batch.notice,
        sheet_url=_sheet_url(project, batch) if batch.id else "",
        columns=SHEET_COLUMNS,
        classes=list(names),
        renamed=labeler.actions.renamed,
        items=items,
        labeled=counts.labeled,
        unlabeled=counts.unlabeled,
        at_limit=at_limit,
    )


def _sheet_url(project: Project, batch: Batch) -> str:
    """Of the cards as they are answered: the tiles of a batch that lost an item meanwhile would stand at other places."""
    rows = ",".join(str(card.item.row) for card in batch.cards)
    return f"media/{project.name}/sheet/{batch.id}/{rows}.jpg"


def reopened_answer(project: Project, labeler: Labeler, reopened: Reopened) -> BatchAnswer | None:
    if reopened.batch is None:
        return None
    return batch_answer(project, labeler, reopened.batch, reopened)


def _state(reopened: Reopened | None, item_id: str) -> Any:
    state = reopened.states.get(item_id) if reopened else None
    return state and state.value
