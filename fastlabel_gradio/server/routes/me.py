"""Who asks, and what they may."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field

from fastlabel_gradio.server.access import Person, Role, RouteTable, person_of
from fastlabel_gradio.server.api_models import Model


class MeAnswer(Model):
    annotator: str
    role: Role
    may: list[str] = Field(description='routes that are open to that role: "POST /api/undo"')


def routes(table: RouteTable) -> APIRouter:
    router = APIRouter(tags=["FastLabel"])

    @router.get("/api/me")
    async def me(who: Annotated[Person, Depends(person_of)]) -> MeAnswer:
        """The caller's name and role, and which routes that role opens."""
        return MeAnswer(annotator=who.name, role=who.role, may=table.of(who.role))

    return router
