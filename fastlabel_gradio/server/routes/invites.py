"""Invites: making, listing and revoking them, and the page that a link opens."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field, StrictStr

from fastlabel_gradio.server.access import Access, Invite, Invites, Role, access_of
from fastlabel_gradio.server.api_models import MAX_NAME, Model, ProjectInput
from fastlabel_gradio.server.routes.invite_page import INVITE_PAGE
from fastlabel_gradio.server.routes.project_parameters import FindProject

NO_LOGINS = (
    "This app asks nobody for a login, so an invite closes nothing. Start it with --auth NAME:PASSWORD, or --share."
)
PAGE_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


class InviteInput(ProjectInput):
    role: Role = Role.ANNOTATOR
    days: Annotated[float, Field(gt=0, le=365, description="until it expires")] = 7
    name: Annotated[
        StrictStr, Field(max_length=MAX_NAME, description="who comes in by it; made up where it is empty")
    ] = ""


class InviteAnswer(Model):
    id: str
    name: str
    role: Role
    made_at: str
    expires_at: str
    state: Literal["open", "expired", "revoked"]


class MadeInviteAnswer(InviteAnswer):
    link: str = Field(description="relative to the app's address; whoever has it comes in")


class InvitesAnswer(Model):
    invites: list[InviteAnswer] = Field(description="the newest first")


class RevokeInput(ProjectInput):
    id: Annotated[StrictStr, Field(max_length=MAX_NAME, description="of the invite, or the name in it")]


class EnterInput(Model):
    token: Annotated[StrictStr, Field(max_length=200, description="what stands behind the # of a link")]


class EnteredAnswer(Model):
    annotator: str
    role: Role


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    access = Annotated[Access, Depends(access_of)]

    @router.get("/invite", response_class=HTMLResponse, include_in_schema=False)
    def invite_page() -> HTMLResponse:
        """The page that a link opens. What stands behind the # of the link never leaves the browser but by POST."""
        return HTMLResponse(INVITE_PAGE, headers=PAGE_HEADERS)

    @router.post("/invite")
    async def enter(request: Request, response: Response, door: access, body: EnterInput) -> EnteredAnswer:
        """Lets a browser in by an invite: the answer sets the cookie that all other routes know it by."""
        invite = await door.enter(body.token)
        response.headers.append("set-cookie", door.invite_cookie(request, body.token, invite))
        return EnteredAnswer(annotator=invite.name, role=invite.role)

    @router.get("/api/invites")
    def listed(door: access) -> InvitesAnswer:
        """All invites."""
        invites = _invites(door)
        return InvitesAnswer(invites=[InviteAnswer(**_told(door, one)) for one in invites.all()])

    @router.post("/api/invites")
    def make(door: access, body: InviteInput) -> MadeInviteAnswer:
        """Makes an invite: a link for one person, without a password."""
        invite, token = _invites(door).add(body.name, body.role, body.days, {*door.logins, *door.hub_users})
        return MadeInviteAnswer(**_told(door, invite), link=f"invite#{token}")

    @router.post("/api/invites/revoke")
    def revoke(door: access, body: RevokeInput) -> InvitesAnswer:
        """Ends an invite: whoever came in by it is out with their next request."""
        return InvitesAnswer(invites=[InviteAnswer(**_told(door, one)) for one in _invites(door).revoke(body.id)])


def _invites(door: Access) -> Invites:
    if door.invites is None or not door.asks:
        raise HTTPException(409, NO_LOGINS)
    return door.invites


def _told(door: Access, invite: Invite) -> dict[str, Any]:
    assert door.invites is not None
    return {
        "id": invite.id,
        "name": invite.name,
        "role": invite.role,
        "made_at": _iso(invite.made_at),
        "expires_at": _iso(invite.expires_at),
        "state": door.invites.state(invite),
    }


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
