"""Who asks, and what they may."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from fastlabel_gradio.server.access import Person, Role, RouteTable, person_of
from fastlabel_gradio.server.api_models import Model
from fastlabel_gradio.server.routes.project_parameters import FindProject


class MeAnswer(Model):
    annotator: str
    role: Role
    may: list[str] = Field(description='routes that are open to that role: "POST /api/undo"')


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    @router.get("/api/me")
    async def me(request: Request, who: Annotated[Person, Depends(person_of)]) -> MeAnswer:
        """The caller's name and role, and which routes that role opens."""
        table: RouteTable = request.state.table
        return MeAnswer(annotator=who.name, role=who.role, may=table.of(who.role))
