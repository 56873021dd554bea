"""How far a project is, in figures."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from pydantic import Field

from fastlabel_gradio.explore.progress import Figures
from fastlabel_gradio.pool.progress import EmbeddingProgress
from fastlabel_gradio.pool.progress import State as EmbeddingState
from fastlabel_gradio.server.api_models import Model, PointAnswer
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.common import FindProject, OfProject
from fastlabel_gradio.server.routes.evaluation import POINTS_SHOWN, point_answer
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


class PersonAnswer(Model):
    annotator: str
    labels: int = Field(description="submitted and not undone")
    timed: int = Field(description="of those, the ones that `minutes` is about")
    minutes: float = Field(description="that they took, breaks left out")
    per_minute: float | None = Field(description="labels a minute; null where none was timed")
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
    people: list[PersonAnswer]
    embedding: EmbeddedAnswer


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/progress")
    def progress(who: annotator, project: OfProject = None) -> ProgressAnswer:
        """How far the project is: classes, confusions of the audit, what each head was worth, labels a minute."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        figures = labeler.progress.figures()
        return ProgressAnswer(
            target=chosen.config.target,
            curve=[point_answer(point) for point in labeler.points[-POINTS_SHOWN:]],
            classes=_classes(figures),
            looked_at=figures.looked_at,
            pool=figures.rows,
            confusion=_confusion(figures),
            people=_people(figures, labeler.planted.counts()),
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


def _people(figures: Figures, planted: Mapping[str, PlantedCounts]) -> list[PersonAnswer]:
    met = {one.annotator: planted.get(one.annotator, PlantedCounts()) for one in figures.people}
    return [
        PersonAnswer(
            annotator=one.annotator,
            labels=one.labels,
            timed=one.timed,
            minutes=round(one.seconds / 60, 4),
            planted=met[one.annotator].shown,
            slipped=met[one.annotator].slipped,
            per_minute=None if one.per_minute is None else round(one.per_minute, 3),
        )
        for one in figures.people
    ]


def _embedded(project: Project, progress: EmbeddingProgress) -> EmbeddedAnswer:
    unreadable = project.store.unreadable_count
    return EmbeddedAnswer(state=progress.state, done=progress.done, total=progress.total, unreadable=unreadable)
