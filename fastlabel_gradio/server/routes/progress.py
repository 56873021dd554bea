"""How far a project is, in figures."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends
from pydantic import Field

from fastlabel_gradio.explore.pace import PersonPace
from fastlabel_gradio.explore.progress import Figures
from fastlabel_gradio.exports.row_stream import iso_time
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import OpenBatch
from fastlabel_gradio.opinions.reliability import Agreeing
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.pool.progress import State as EmbeddingState
from fastlabel_gradio.server.access import Person, Role, person_of, sees
from fastlabel_gradio.server.api_models import Model, PointAnswer
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.evaluation import POINTS_SHOWN, point_answer
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.types import PlantedCounts


class ClassFigures(Model):
    label: str
    labels: int = Field(description="items that carry it")
    predicted: int = Field(description="items of the pool whose most probable class it is")


class ConfusionAnswer(Model):
    items: int = Field(description="labeled items of the audit")
    cells: list[tuple[int, int, int]] = Field(
        description="label, head's class, items: positions in `classes`; cells without items are left out"
    )


class OpenBatchAnswer(Model):
    batch_id: str
    strategy: str
    items: int
    opened_at: str = Field(description="in UTC")
    expires_at: str = Field(description="when it goes back to the pool unless the page that shows it keeps it, in UTC")


class PersonAnswer(Model):
    annotator: str
    labels: int = Field(description="submitted and not undone")
    timed: int = Field(description="of those, the ones that `minutes` is about")
    minutes: float = Field(description="that they took, breaks left out")
    per_minute: float | None = Field(description="labels a minute; null where none was timed")
    shared: int = Field(description="items that they and somebody else gave a class")
    agreed: float | None = Field(
        description="of pairs of answers on those, the share that are the same; null without any"
    )
    batches: list[OpenBatchAnswer] = Field(
        description="that they hold, the oldest first; of others only where the caller is the owner"
    )
    planted: int = Field(description="planted items that they came to")
    slipped: int = Field(description="of those, the ones that they took for what they were shown as")


class EmbeddedAnswer(Model):
    state: EmbeddingState
    done: int
    total: int
    unreadable: int


class ProgressAnswer(Model):
    target: float
    curve: list[PointAnswer] = Field(description="one point a head, oldest first, the newest 1,000")
    classes: list[ClassFigures]
    looked_at: int = Field(description="items of the pool that a head has looked at")
    pool: int = Field(description="items that are embedded and still in the source")
    confusion: ConfusionAnswer | None = Field(description="null without a head, or labels of the audit")
    people: list[PersonAnswer] = Field(
        description="who labeled, or holds a batch that is shown, by name; a reviewer sees everybody, others themselves"
    )
    embedding: EmbeddedAnswer


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    person = Annotated[Person, Depends(person_of)]

    @router.get("/api/progress")
    def progress(who: person, project: OfProject = None) -> ProgressAnswer:
        """How far the project is: classes, confusions of the audit, what each head was worth, labels a minute."""
        chosen = project_of(project)
        labeler = chosen.labeler(who.name)
        figures, is_owner = labeler.progress.figures(), who.role.covers(Role.OWNER)
        held = [one for one in labeler.open_batches() if is_owner or one.annotator == who.name]
        return ProgressAnswer(
            target=chosen.config.target,
            curve=[point_answer(point) for point in labeler.points[-POINTS_SHOWN:]],
            classes=_classes(figures),
            looked_at=figures.looked_at,
            pool=figures.rows,
            confusion=_confusion(figures),
            people=[one for one in _people(labeler, figures, held) if sees(who, one.annotator)],
            embedding=_embedded(chosen, chosen.pipeline.progress),
        )


def _classes(figures: Figures) -> list[ClassFigures]:
    counts = zip(figures.schema.names, figures.labeled.tolist(), figures.predicted.tolist(), strict=True)
    return [ClassFigures(label=name, labels=labels, predicted=predicted) for name, labels, predicted in counts]


def _confusion(figures: Figures) -> ConfusionAnswer | None:
    found = figures.confusions
    if found is None:
        return None
    cells = [(int(label), int(said), int(found[label, said])) for label, said in np.argwhere(found)]
    return ConfusionAnswer(items=int(found.sum()), cells=cells)


def _people(labeler: Labeler, figures: Figures, batches: Sequence[OpenBatch]) -> list[PersonAnswer]:
    paces = {one.annotator: one for one in figures.people}
    agreeing = {one.name: one for one in labeler.reliability.report().people}
    met, held = labeler.planted.counts(), _held(batches)
    return [
        _person(
            paces.get(name, PersonPace(name, 0, 0, 0.0)),
            agreeing.get(name),
            met.get(name, PlantedCounts()),
            held.get(name, []),
        )
        for name in sorted({*paces, *held})
    ]


def _person(
    pace: PersonPace, agreeing: Agreeing | None, planted: PlantedCounts, batches: list[OpenBatchAnswer]
) -> PersonAnswer:
    agreed = agreeing.agreed.value if agreeing else None
    return PersonAnswer(
        annotator=pace.annotator,
        labels=pace.label_count,
        timed=pace.timed,
        minutes=round(pace.seconds / 60, 4),
        per_minute=None if pace.per_minute is None else round(pace.per_minute, 3),
        shared=agreeing.items if agreeing else 0,
        agreed=None if agreed is None else round(agreed, 6),
        batches=batches,
        planted=planted.shown,
        slipped=planted.slipped,
    )


def _held(batches: Sequence[OpenBatch]) -> dict[str, list[OpenBatchAnswer]]:
    found: dict[str, list[OpenBatchAnswer]] = {}
    for one in batches:
        answer = OpenBatchAnswer(
            batch_id=one.id,
            strategy=one.strategy,
            items=one.items,
            opened_at=iso_time(one.opened_at),
            expires_at=iso_time(one.expires_at),
        )
        found.setdefault(one.annotator, []).append(answer)
    return found


def _embedded(project: Project, progress: EmbeddingProgress) -> EmbeddedAnswer:
    unreadable = project.store.unreadable_count
    return EmbeddedAnswer(state=progress.state, done=progress.done, total=progress.total, unreadable=unreadable)
