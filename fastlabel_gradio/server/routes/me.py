"""Who asks, and what they may."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from fastlabel_gradio.server.access import Access, Person, Role, RouteTable, access_of, person_of
from fastlabel_gradio.server.api_models import Model
from fastlabel_gradio.server.routes.project_parameters import FindProject

INVITES = (
    "/api/invites",
    "/api/invites/revoke",
)  # an app that asks nobody for a login refuses them: they close nothing


class MeAnswer(Model):
    annotator: str
    role: Role
    may: list[str] = Field(
        description='routes that are open to that role: "POST /api/undo"; none of invites where nobody is asked for a login'
    )


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    @router.get("/api/me")
    async def me(
        request: Request,
        who: Annotated[Person, Depends(person_of)],
        door: Annotated[Access, Depends(access_of)],
    ) -> MeAnswer:
        """The caller's name and role, and which routes that role opens."""
        table: RouteTable = request.state.table
        may = [route for route in table.of(who.role) if door.asks or not route.endswith(INVITES)]
        return MeAnswer(annotator=who.name, role=who.role, may=may)
