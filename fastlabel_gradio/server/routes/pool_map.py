"""The map of the pool."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from fastlabel_gradio.explore.map_picture import as_bytes
from fastlabel_gradio.explore.pool_map import LayoutName
from fastlabel_gradio.server.access import Person, person_of
from fastlabel_gradio.server.routes.hidden import hidden_from
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    person = Annotated[Person, Depends(person_of)]

    @router.get("/api/map", response_class=Response)
    def pool_map(
        who: person,
        project: OfProject = None,
        layout: Annotated[LayoutName | None, Query(description="the better one that is there by default")] = None,
        since: Annotated[str, Query(max_length=64, description="a version whose points the caller has")] = "",
        points: Annotated[int, Query(ge=0, description="and how many")] = 0,
    ) -> Response:
        """Where the items lie on the map, and what they are coloured by, as bytes (docs/rest.md)."""
        chosen = project_of(project)
        name, version, places = chosen.map.points(layout)
        labeler = chosen.labeler(who.name)
        picture, schema = labeler.finder.drawn_map(places, hidden_from(chosen, labeler, who)), labeler.schema
        finding = chosen.map.finding
        about = {
            "layout": name,
            "version": version,
            "neighbours": finding.state,
            "done": finding.answer or 0.0,
            "problem": finding.error,
        }
        has_places = since == version and points == len(picture.rows)
        content = as_bytes(picture, schema, about, with_places=not has_places)
        return Response(content, media_type="application/octet-stream", headers=HEADERS)
