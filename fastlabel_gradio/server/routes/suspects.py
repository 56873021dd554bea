"""Lists of labels to look at again, and what was found to be right. The items themselves: POST /api/items, by `order`."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field, StrictStr

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.server.access import Person, person_of
from fastlabel_gradio.server.api_models import MAX_ITEM_ID, MAX_LABEL, MAX_LABELS, Model, Number, ProjectInput
from fastlabel_gradio.server.routes.hidden import OWN_FIRST, hidden_from
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line
from fastlabel_gradio.types import ListName

LISTING = 4  # each may rank all labels


class ListingAnswer(Model):
    list: ListName
    doubted: int = Field(description="items to look at: POST /api/items gives them, with the list as `order`")
    missing: int = Field(description="labels that have no place yet")
    working: bool = Field(description="they are being ranked in the background: ask again")
    right: int = Field(description="labels that somebody looked at again and found right")
    wrong: int = Field(description="labels that a review, or who gave them, replaced by another one")
    known: bool = Field(description="the source knows labels, as class folders do")
    problem: str = Field(description='why they cannot be ranked; ""')


class CheckedLabel(Model):
    id: Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)] | Number
    label: Annotated[StrictStr, Field(max_length=MAX_LABEL, description="the class that it carries")]


class ChecksInput(ProjectInput):
    labels: Annotated[list[CheckedLabel], Field(min_length=1, max_length=MAX_LABELS, fail_fast=True)]


class ChecksAnswer(Model):
    right: int = Field(description="labels that are right, of this request")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    person = Annotated[Person, Depends(person_of)]

    @router.get("/api/mistakes")
    @in_line(LISTING)
    def mistakes(
        who: annotator,
        project: OfProject = None,
        list: Annotated[ListName, Query(description="which list")] = "mistakes",
    ) -> ListingAnswer:
        """How a list of labels to look at again stands: how long it is, how many were right and wrong so far."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        found = labeler.suspects.listing(list)
        return ListingAnswer(
            list=list,
            doubted=found.doubted,
            missing=found.missing,
            working=found.is_working,
            right=found.right,
            wrong=found.wrong,
            known=labeler.knows_labels(),
            problem=found.problem,
        )

    @router.post("/api/checks")
    @in_line(CHANGING_LABELS)
    def checks(who: person, body: ChecksInput) -> ChecksAnswer:
        """Says that labels are right, all or none: they are not on the lists any more. One undo takes it back."""
        chosen = project_of(body.project)
        labeler = chosen.labeler(who.name)
        labels = [(str(one.id), one.label) for one in body.labels]
        _refuse_hidden(hidden_from(chosen, labeler, who), [item_id for item_id, _ in labels])
        labeler.confirm(who.name, labels)
        return ChecksAnswer(right=len(body.labels))


def _refuse_hidden(hidden: Collection[str], item_ids: Sequence[str]) -> None:
    asked = next((item_id for item_id in item_ids if item_id in hidden), None)
    if asked is not None:
        raise InvalidLabelsError(f"item {shown(asked)} {OWN_FIRST}. Give that first; nothing was stored.")
