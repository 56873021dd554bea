"""What the view `explore` asks beside pages of items: counts by facet, a batch of what was found, vectors of what is sent,
and saved filters.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import anyio
import numpy as np
from fastapi import APIRouter, Depends, Request
from pydantic import Field, StrictInt, StrictStr

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.errors import InvalidQueryError
from fastlabel_gradio.explore.finder import LOADING
from fastlabel_gradio.explore.finding.facets import Facets
from fastlabel_gradio.explore.finding.sent_media import embed_sent
from fastlabel_gradio.explore.finding.sent_vectors import text_of
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.server.access import Person, check_names, person_of, sees
from fastlabel_gradio.server.api_models import MAX_NAME, BatchAnswer, Model, ProjectInput
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.batches import batch_answer
from fastlabel_gradio.server.routes.hidden import hidden_from
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line
from fastlabel_gradio.types import Rows

LOOKING_FOR_ITEMS = 4  # each may look at all of the pool
EMBEDDING_WHAT_IS_SENT = 2


class CountsInput(ProjectInput):
    query: Query = Query()


class CountAnswer(Model):
    value: str
    count: int


class FacetsAnswer(Model):
    """Each facet counts what everything else of the query holds: what another choice of it would bring."""

    total: int = Field(description="items of the query")
    labels: list[CountAnswer] = Field(description="most frequent first, as all that are of names; 200 at most")
    states: list[CountAnswer]
    sources: list[CountAnswer]
    annotators: list[CountAnswer]
    predicted: list[CountAnswer]
    agrees: list[CountAnswer] = Field(description="`true` and `false`")
    confidence: list[int] = Field(description="by tenth of the probability, from 0 to 1")
    days: list[CountAnswer] = Field(description="days on which what stands was said, in UTC, the newest first")
    folders: list[CountAnswer] = Field(description="directly below the query's own, or below where all of them part")
    groups: list[CountAnswer] = Field(description="the largest ones")
    reads_texts: bool = Field(description="whether `near` takes texts with this encoder")


class ClaimInput(CountsInput):
    size: Annotated[StrictInt, Field(ge=1, le=MAX_BATCH)] = 100


class ClaimAnswer(Model):
    batch: BatchAnswer | None = Field(description="null where none of the items can be given out")
    left_out: int = Field(description="items of the query that are not in the batch")


class VectorAnswer(Model):
    vector: str = Field(description="for `near.vectors` of a query; good as long as the encoder stays the same")


class FilterInput(ProjectInput):
    name: Annotated[StrictStr, Field(min_length=1, max_length=MAX_NAME)]
    query: Query | None = Field(None, description="kept under that name; null drops it")


class FilterAnswer(Model):
    name: str
    query: dict[str, Any] = Field(description="as `POST /api/items` takes it")


class FiltersAnswer(Model):
    filters: list[FilterAnswer] = Field(description="in the order of their names, for everybody of this project")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    person = Annotated[Person, Depends(person_of)]
    sent = anyio.CapacityLimiter(EMBEDDING_WHAT_IS_SENT)

    @router.post("/api/items/counts")
    @in_line(LOOKING_FOR_ITEMS)
    def counts(who: person, body: CountsInput) -> FacetsAnswer:
        """How many items of a query there are of each class, state, person, folder and so on."""
        check_names(who, body.query.people)
        chosen = project_of(body.project)
        labeler = chosen.labeler(who.name)
        return _facets_answer(chosen, labeler.finder.facets(body.query, hidden_from(chosen, labeler, who)), who)

    @router.post("/api/items/claim")
    @in_line(CHANGING_LABELS)
    def claim(who: person, body: ClaimInput) -> ClaimAnswer:
        """Gives the caller a batch of the first items of a query that nobody judged or holds, none of them of the audit."""
        check_names(who, body.query.people)
        chosen = project_of(body.project)
        labeler = chosen.labeler(who.name)
        rows = labeler.finder.rows(body.query, hidden_from(chosen, labeler, who))
        batch = labeler.batch_of(who.name, rows, body.size)
        answer = batch_answer(chosen, labeler, batch) if batch.items else None
        return ClaimAnswer(batch=answer, left_out=len(rows) - len(batch.items))

    @router.post("/api/vector", openapi_extra=_MEDIA_BODY)
    async def vector(who: annotator, request: Request, project: OfProject = None) -> VectorAnswer:
        """The vector of a picture or a sound, the body of the request, to find items that are like it. It is not kept."""
        chosen = project_of(project)
        content = await request.body()
        return VectorAnswer(vector=await anyio.to_thread.run_sync(_vector_of, chosen, content, limiter=sent))

    @router.get("/api/filters")
    def filters(who: person, project: OfProject = None) -> FiltersAnswer:
        """The saved filters."""
        return _filters_answer(project_of(project).labeler(who.name).filters.all(), who)

    @router.post("/api/filters")
    def save_filter(who: person, body: FilterInput) -> FiltersAnswer:
        """Saves a query under a name, or drops it."""
        return _filters_answer(project_of(body.project).labeler(who.name).filters.put(body.name, body.query), who)


_MEDIA_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _facets_answer(project: Project, facets: Facets, person: Person) -> FacetsAnswer:
    encoder = project.pipeline.encoder
    return FacetsAnswer(
        total=facets.total,
        labels=_counted(facets.labels),
        states=_counted(facets.states),
        sources=_counted(facets.sources),
        annotators=_counted({name: count for name, count in facets.annotators.items() if sees(person, name)}),
        predicted=_counted(facets.predicted),
        agrees=_counted(facets.agrees),
        confidence=list(facets.confidence),
        days=_counted(facets.days),
        folders=_counted(facets.folders),
        groups=_counted(_group_names(project, facets.groups)),
        reads_texts=encoder is not None and encoder.logit_scale is not None,
    )


def _counted(counts: Mapping[str, int]) -> list[CountAnswer]:
    return [CountAnswer(value=value, count=count) for value, count in counts.items()]


def _group_names(project: Project, groups: Sequence[tuple[int, int]]) -> dict[str, int]:
    rows: Rows = np.array([row for row, _ in groups], dtype=np.int64)
    items = project.store.items_at(rows)
    named = ((project.source.group_of(items[row]), count) for row, count in groups if row in items)
    return {name: count for name, count in named if name is not None}


def _vector_of(project: Project, content: bytes) -> str:
    encoder = project.pipeline.encoder
    if encoder is None:
        raise InvalidQueryError(LOADING)
    return text_of(embed_sent(content, project.medium, project.source.sound_view, encoder), encoder.space)


def _filters_answer(filters: Mapping[str, Query], person: Person) -> FiltersAnswer:
    """Those that a person may use: none that asks for what others said, by their name."""
    known = (
        (name, query.model_dump(mode="json", exclude_defaults=True))
        for name, query in filters.items()
        if all(sees(person, one) for one in query.people)
    )
    return FiltersAnswer(filters=[FilterAnswer(name=name, query=query) for name, query in known])
