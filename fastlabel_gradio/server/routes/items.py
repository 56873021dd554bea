"""Items that a query names, page by page."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any, cast

import numpy as np
from fastapi import APIRouter, Depends

from fastlabel_gradio.explore.finder import FoundItem
from fastlabel_gradio.exports.row_stream import iso_time
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.access import Person, check_names, person_of, sees
from fastlabel_gradio.server.api_models import (
    FoundAnswer,
    ItemsAnswer,
    ItemsInput,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.hidden import hidden_from
from fastlabel_gradio.server.routes.items_shown import prediction_answer, row_now, shown_item
from fastlabel_gradio.server.routes.project_parameters import FindProject
from fastlabel_gradio.server.routes.queues import in_line
from fastlabel_gradio.types import ListName

LOOKING_FOR_ITEMS = 4  # each may look at all of the pool


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    person = Annotated[Person, Depends(person_of)]

    @router.post("/api/items")
    @in_line(LOOKING_FOR_ITEMS)
    def items(who: person, body: ItemsInput) -> ItemsAnswer:
        """A page of the items that a query names, with what was said of each and what the head says."""
        check_names(who, body.query.people)
        chosen = project_of(body.project)
        labeler = chosen.labeler(who.name)
        hidden = hidden_from(chosen, labeler, who)
        page = labeler.finder.page(body.query, body.offset, body.size, body.list_id, hidden)
        return ItemsAnswer(
            event=page.event,
            total=page.total,
            items=found_answers(chosen, labeler, page.items, who, hidden, body.query.of_list),
            list_id=page.list_id,
            head_version=page.head_version,
            scanned=page.scanned,
            rows=page.rows,
        )


def found_answers(
    project: Project,
    labeler: Labeler,
    found: Sequence[FoundItem],
    person: Person,
    hidden: Collection[str] = frozenset(),
    list_name: ListName | None = None,
) -> list[FoundAnswer]:
    """Items of a query as a person may see them: what was said of each, and what the head says.

    Args:
        hidden: items of which neither the head nor the source is shown to say anything.
        list_name: of doubted labels, where the query shows one.
    """
    schema = labeler.schema
    rows = np.array([one.row for one in found], dtype=np.int64)
    instead = labeler.suspects.instead(list_name, rows) if list_name else {}
    known = project.gallery.facts([one.item for one in found])
    predictions = labeler.predictions(rows, schema)
    return [
        FoundAnswer(
            **shown_item(project, one.item, row_now(project, one.row), facts),
            row=one.row,
            place=one.place,
            prediction=prediction_answer(prediction, schema.names)
            if prediction and one.item.id not in hidden
            else None,
            label=one.label,
            state=cast(Any, one.state.value) if one.state else None,  # what stands is never `clear`
            source=one.source,
            annotator=one.owner.annotator if one.owner and sees(person, one.owner.annotator) else None,
            known_label=None if one.item.id in hidden else labeler.known_label(one.item.id),
            instead=None if one.item.id in hidden else instead.get(one.row),
            created_at=iso_time(one.owner.said_at) if one.owner else None,
            similarity=None if one.similarity is None else round(one.similarity, 4),
        )
        for one, facts, prediction in zip(found, known, predictions, strict=True)
    ]
