"""Acting on all items of a query at once, and what one did."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi import Query as InQuery
from pydantic import Field, StrictBool, StrictStr, model_validator

from fastlabel_gradio.errors import InvalidQueryError, shown
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import Submission
from fastlabel_gradio.labels.news import one_each
from fastlabel_gradio.pool.query import ItemIds, Query
from fastlabel_gradio.server.access import Person, Role, check_names, person_of
from fastlabel_gradio.server.api_models import (
    MAX_ITEM_ID,
    MAX_LABEL,
    MAX_LABELS,
    MAX_NUMBER,
    HistoryAnswer,
    Model,
    Number,
    ProjectInput,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.hidden import OWN_FIRST, hidden_from
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line
from fastlabel_gradio.server.routes.steps import told
from fastlabel_gradio.types import Said, State

MOST_STEPS = 1_000


class AcceptedInput(Model):
    """A prediction that a person accepts."""

    id: Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)] | Number
    label: Annotated[StrictStr, Field(max_length=MAX_LABEL)] | Number
    confidence: Annotated[float, Field(ge=0, le=1)] = Field(description="with which it was shown")


class ApplyInput(ProjectInput):
    """What is to stand of all items of a query: a label, a state, or, with neither, nothing. Or predictions, item by item."""

    query: Query | None = Field(None, description="which items; left out with `accepted`")
    accepted: Annotated[list[AcceptedInput], Field(max_length=MAX_LABELS, fail_fast=True)] | None = Field(
        None, description="predictions as they were shown, of any classes, in place of a query and a label"
    )
    exclude: ItemIds = Field((), description="items that stay as they are")
    label: Annotated[StrictStr, Field(max_length=MAX_LABEL)] | Number | None = Field(
        None, description="a class name, or its index", examples=["cat"]
    )
    state: Literal["label", "skip", "unsure", "bad"] | None = Field(
        None,
        description="in place of a label; without either the items are cleared: what was said of them is taken back",
    )
    preview: StrictBool = Field(False, description="changes nothing, and says what would be changed")
    seen: Annotated[int, Field(ge=0, le=MAX_NUMBER)] | None = Field(
        None, description="`event` of the answer that showed the items: 409 where somebody else changed one since"
    )

    @model_validator(mode="after")
    def _either_or(self) -> "ApplyInput":
        if self.state == "label" if self.label is None else self.state not in (None, "label"):
            raise ValueError("items get a label, or the state 'skip', 'unsure' or 'bad' in place of one, or neither")
        if (self.query is None) == (self.accepted is None):
            raise ValueError("name items by a query, or give the predictions that are accepted")
        if self.accepted is not None and (self.label is not None or self.state is not None or self.exclude):
            raise ValueError("accepted predictions have their own labels: leave out 'label', 'state' and 'exclude'")
        return self


class OverruledAnswer(Model):
    annotator: str
    items: int


class ApplyAnswer(Model):
    changed: int = Field(description="items of which something else stands now, or would")
    event: int | None = Field(description="its number; null where nothing was changed, and in a preview")
    unlabeled: int = Field(description="in a preview: of the changed ones those that nobody had judged")
    overruled: list[OverruledAnswer] = Field(
        description="in a preview: whose labels and states would be changed, of most items first"
    )


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    person = Annotated[Person, Depends(person_of)]

    @router.post("/api/apply")
    @in_line(CHANGING_LABELS)
    def apply(who: person, body: ApplyInput) -> ApplyAnswer:
        """Gives a label or a state to all items of a query, or clears them, as one step; or says what that would change.

        An annotator may where nothing changes that others said.
        """
        check_names(who, body.query.people if body.query else ())
        chosen = project_of(body.project)
        labeler = chosen.labeler(who.name)
        own_only = not who.role.covers(Role.REVIEWER)
        named = [str(one.id) for one in body.accepted or []] if body.query is None else body.query.ids
        elsewhere = _answered_elsewhere(chosen, labeler, who, named)
        if named and elsewhere.issuperset(named) and not body.preview:
            raise InvalidQueryError(f"item {shown(named[0])} {OWN_FIRST}. Nothing was stored.")
        if body.query is None:
            each = {id_: one for id_, one in _accepted(labeler, body).items() if id_ not in elsewhere}
            if body.preview:
                return _preview_answer(labeler.actions.preview_each(who.name, each, own_only=own_only))
            return _done_answer(labeler.actions.apply_each(who.name, each, body.seen, own_only=own_only))
        said, exclude = _said(labeler, body), (*body.exclude, *elsewhere)
        if body.preview:
            return _preview_answer(labeler.actions.preview(who.name, body.query, exclude, said, own_only=own_only))
        return _done_answer(labeler.actions.apply(who.name, body.query, exclude, said, body.seen, own_only=own_only))

    @router.get("/api/history")
    def history(
        who: annotator, project: OfProject = None, size: Annotated[int, InQuery(ge=1, le=MOST_STEPS)] = 20
    ) -> HistoryAnswer:
        """The caller's newest steps, and which of them are taken back."""
        labeler = project_of(project).labeler(who)
        return HistoryAnswer(steps=[told(labeler, step) for step in labeler.actions.steps(who, size)])


def _answered_elsewhere(
    project: Project, labeler: Labeler, person: Person, ids: Sequence[str] | None
) -> frozenset[str]:
    """Items that the person is shown as if nobody had said anything, which acting on many of them leaves out.

    What people disagree on a reviewer decides by naming it, here as in adjudication.
    """
    hidden = hidden_from(project, labeler, person)
    if ids and person.role.covers(Role.REVIEWER):
        hidden -= labeler.disputes.undecided_by(person.name)
    return hidden


def _accepted(labeler: Labeler, body: ApplyInput) -> dict[str, Said]:
    """Raises InvalidLabelsError for an item that is given two labels."""
    given = body.accepted or []
    return one_each(
        (str(one.id), Said(labeler.actions.label_id(one.label), confidence=one.confidence)) for one in given
    )


def _done_answer(done: Submission) -> ApplyAnswer:
    return ApplyAnswer(changed=len(done.standing), event=done.event, unlabeled=0, overruled=[])


def _said(labeler: Labeler, body: ApplyInput) -> Said:
    if body.label is not None:
        return Said(labeler.actions.label_id(body.label))
    return Said(state=State(body.state) if body.state else State.CLEAR)


def _preview_answer(found: dict[str | None, int]) -> ApplyAnswer:
    people = sorted(
        ((count, name) for name, count in found.items() if name is not None), key=lambda one: (-one[0], one[1])
    )
    return ApplyAnswer(
        changed=sum(found.values()),
        event=None,
        unlabeled=found.get(None, 0),
        overruled=[OverruledAnswer(annotator=name, items=count) for count, name in people],
    )
