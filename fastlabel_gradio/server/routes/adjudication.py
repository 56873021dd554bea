"""Adjudication: items of which people say different things, and what a reviewer decides of them."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query
from pydantic import Field, StrictStr, model_validator

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import Opinion
from fastlabel_gradio.opinions import Dispute
from fastlabel_gradio.server.api_models import (
    MAX_ITEM_ID,
    MAX_LABEL,
    MAX_NUMBER,
    MediaAnswer,
    Model,
    Number,
    ProjectInput,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.items_shown import prediction_answer, row_now, shown_item
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line
from fastlabel_gradio.types import State

MOST_DISPUTES = 200


class OpinionAnswer(Model):
    annotator: str
    label: str | None = Field(description="the class, as it is called now; null where `state` is bad")
    state: Literal["label", "bad", "skip", "unsure"]


class DisputeAnswer(MediaAnswer):
    opinions: list[OpinionAnswer] | None = Field(
        description="what people say of it; null until the item is decided, where `blind`. So is the prediction then"
    )
    decided: OpinionAnswer | None = Field(description="what a reviewer said of it")


class AdjudicationAnswer(Model):
    blind: bool = Field(description="`adjudication_blind`: what people say is told only of decided items")
    waiting: int = Field(description="items of which people say different things and no reviewer decided")
    decided: int = Field(description="such items that a reviewer decided")
    classes: list[str]
    items: list[DisputeAnswer] = Field(
        description="of those that wait, the caller's own disputes last; or of the decided ones. None that left the pool"
    )


class DecisionInput(ProjectInput):
    """What a reviewer says of an item: its label, or that it is bad."""

    id: Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)] | Number
    label: Annotated[StrictStr, Field(max_length=MAX_LABEL)] | Number | None = Field(
        None, description="a class name, or its index; left out where `state` is bad", examples=["cat"]
    )
    state: Literal["label", "bad"] = "label"

    @model_validator(mode="after")
    def _either_or(self) -> "DecisionInput":
        if (self.label is None) == (self.state == "label"):
            raise ValueError("a decision is a label, or the state 'bad' in place of one")
        return self


class DecisionAnswer(Model):
    event: int | None = Field(description="its number; null where the caller had decided the same already")
    opinions: list[OpinionAnswer] = Field(description="what people had said")
    decided: OpinionAnswer
    waiting: int = Field(description="items that are left")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/adjudication")
    def adjudication(
        who: annotator,
        project: OfProject = None,
        decided: Annotated[
            bool, Query(description="those that a reviewer decided in place of those that wait")
        ] = False,
        offset: Annotated[int, Query(ge=0, le=MAX_NUMBER)] = 0,
        size: Annotated[int, Query(ge=1, le=MOST_DISPUTES)] = 20,
    ) -> AdjudicationAnswer:
        """Items of which people say different things, for a reviewer to decide."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        labeler.catch_up()
        waiting, settled = labeler.disputes.open(who), labeler.disputes.decided()
        blind = chosen.config.adjudication_blind and not decided
        wanted = (settled if decided else waiting)[offset : offset + size]
        return AdjudicationAnswer(
            blind=chosen.config.adjudication_blind,
            waiting=len(waiting),
            decided=len(settled),
            classes=list(labeler.schema.names),
            items=_dispute_answers(chosen, labeler, wanted, blind=blind),
        )

    @router.post("/api/adjudication")
    @in_line(CHANGING_LABELS)
    def decide(who: annotator, body: DecisionInput) -> DecisionAnswer:
        """Decides what stands of an item that people disagree on; one undo takes it back."""
        return _decided(project_of(body.project).labeler(who), who, body)


def _decided(labeler: Labeler, who: str, body: DecisionInput) -> DecisionAnswer:
    labeler.catch_up()
    dispute = labeler.disputes.of(str(body.id))
    if dispute is None:
        raise InvalidLabelsError(
            f"people do not disagree on item {shown(body.id)} (any more). GET /api/adjudication lists the items that "
            "wait; nothing was stored."
        )
    label_id = None if body.label is None else labeler.actions.label_id(body.label)
    written = labeler.actions.write(who, [dispute.item_id], label_id, state=State(body.state), source="review")
    labeler.catch_up()
    return DecisionAnswer(
        event=written.event,
        opinions=[_opinion_answer(labeler, one) for one in dispute.said],
        decided=OpinionAnswer(annotator=who, label=_name(labeler, label_id), state=body.state),
        waiting=len(labeler.disputes.open(who)),
    )


def _dispute_answers(
    project: Project, labeler: Labeler, disputes: Sequence[Dispute], *, blind: bool
) -> list[DisputeAnswer]:
    by_id = {one.item_id: one for one in disputes}
    rows = project.store.rows_of(list(by_id))
    items = project.store.items_at(np.array([rows[id_] for id_ in by_id if id_ in rows], dtype=np.int64))
    known = project.gallery.facts(list(items.values()))
    schema = labeler.schema
    predictions = labeler.predictions(np.array(list(items), dtype=np.int64), schema)
    return [
        DisputeAnswer(
            **shown_item(project, item, row_now(project, row), facts),
            prediction=prediction_answer(said, schema.names) if said and not blind else None,
            opinions=None if blind else [_opinion_answer(labeler, one) for one in by_id[item.id].said],
            decided=_opinion_answer(labeler, done) if (done := by_id[item.id].decided) else None,
        )
        for (row, item), facts, said in zip(items.items(), known, predictions, strict=True)
    ]


def _opinion_answer(labeler: Labeler, opinion: Opinion) -> OpinionAnswer:
    state: Any = opinion.standing.state.value  # what somebody says is never `clear`
    return OpinionAnswer(annotator=opinion.annotator, label=_name(labeler, opinion.standing.label_id), state=state)


def _name(labeler: Labeler, label_id: int | None) -> str | None:
    return None if label_id is None else labeler.schema.known_names[label_id]
