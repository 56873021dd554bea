"""The REST API and the media routes: whatever a button does, through the same methods of the labeler.

Requests are validated at the routes; errors are JSON `{"error": …}` with a 4xx status and nothing stored. Who may come in is
the business of `access`, whose guard stands before all of this.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as AnyHTTPException

from fastlabel_gradio import __version__
from fastlabel_gradio.errors import (
    ChangedMeanwhileError,
    ExpiredListError,
    FastLabelError,
    FinishError,
    InvalidLabelsError,
    InvalidQueryError,
    OthersLabelsError,
    StoreError,
    UnreadableItemError,
    problem_of,
    shown,
)
from fastlabel_gradio.server.access import Role, RouteRole, RouteTable, annotator_of, role_named
from fastlabel_gradio.server.json_body import JsonRoute
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes import (
    actions,
    adjudication,
    agreement,
    batches,
    classes,
    clusters,
    downloads,
    encoders,
    evaluation,
    explore,
    finish,
    health,
    imports,
    invites,
    items,
    labels,
    me,
    media,
    model,
    pool_map,
    predict,
    progress,
    release,
    status,
    suspects,
)
from fastlabel_gradio.server.views import VIEWS

ROUTES = (
    *(batches, status, items, explore, evaluation, encoders, labels, actions),
    *(classes, clusters, downloads, imports, finish, model, predict, media),
    *(suspects, progress, pool_map, agreement, adjudication, release, me, invites),
)
STATUS_OF: dict[type[FastLabelError], int] = {
    InvalidLabelsError: 422,
    ExpiredListError: 410,
    InvalidQueryError: 422,
    OthersLabelsError: 403,
    FinishError: 409,
    UnreadableItemError: 422,
    StoreError: 503,
    FastLabelError: 400,
}


def create_api(projects: Mapping[str, Project]) -> FastAPI:
    """What answers /api and /media, with its description at /docs and /openapi.json.

    It stands behind the guard of `access`, which says who sends a request.
    """
    api = FastAPI(title="FastLabel", version=__version__, redoc_url=None, swagger_ui_oauth2_redirect_url=None)
    api.include_router(_create_router(projects))
    _add_error_handlers(api)
    return api


def route_table() -> RouteTable:
    """Which role each route needs, those of added views among them."""
    return RouteTable(row for name in VIEWS.names() for row in _rows_of_view(name))


def _rows_of_view(name: str) -> list[RouteRole]:
    view, router = VIEWS.get(name), APIRouter()
    view.add_routes(router, lambda _: None, Depends(annotator_of))  # type: ignore[arg-type, return-value]
    found = [
        (method, route.path) for route in router.routes if isinstance(route, APIRoute) for method in route.methods or ()
    ]
    return [
        RouteRole(method, path, role_named(view.roles.get(f"{method} {path}", Role.OWNER)), f"use the view {name!r}")
        for method, path in found
    ]


def _create_router(projects: Mapping[str, Project]) -> APIRouter:
    """The routes. The first of the projects is meant where a request names none."""
    router = APIRouter(tags=["FastLabel"], route_class=JsonRoute)

    def project_of(name: str | None) -> Project:
        chosen = next(iter(projects)) if name is None else name
        if chosen not in projects:
            raise HTTPException(404, f"project {shown(name)} is not known. Known: {', '.join(projects)}.")
        return projects[chosen]

    of_views = [VIEWS.get(name).add_routes for name in VIEWS.names()]
    for add_routes in (*(part.add_routes for part in ROUTES), *of_views):
        add_routes(router, project_of, Depends(annotator_of))
    health.add_health(router, projects)
    return router


def _add_error_handlers(api: FastAPI) -> None:
    """Every error is JSON with a reason, also of a path or a method that does not exist and of a bug."""

    @api.exception_handler(AnyHTTPException)
    async def refused(request: Request, error: AnyHTTPException) -> JSONResponse:
        reason = error.detail
        if reason == HTTPStatus(error.status_code).phrase:  # by a router, not on purpose
            reason = f"{reason}: {_asked(request)}. /docs lists the routes."
        return JSONResponse({"error": reason}, error.status_code, headers=error.headers)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": _validation_reason(error)}, 422)

    @api.exception_handler(Exception)
    async def failed(request: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": f"{_asked(request)} failed. The program's log says why."}, 500)

    @api.exception_handler(ChangedMeanwhileError)
    async def conflict(request: Request, error: ChangedMeanwhileError) -> JSONResponse:
        return JSONResponse({"error": str(error), "conflicts": error.conflicts, "count": error.count}, 409)

    for kind, code in STATUS_OF.items():
        api.exception_handler(kind)(_answer_with(code))


def _asked(request: Request) -> str:
    return f"{request.method[:10]} {request.scope['path'][:100]}"


def _answer_with(status: int) -> Callable[[Request, FastLabelError], Awaitable[JSONResponse]]:
    async def answer(request: Request, error: FastLabelError) -> JSONResponse:
        return JSONResponse({"error": str(error)}, status)

    return answer


def _validation_reason(error: RequestValidationError) -> str:
    problems = []
    for detail in error.errors()[:3]:
        problems.append(f"{problem_of(detail)}, got {shown(str(detail.get('input')))}")
    return "; ".join(problems) + ". /docs shows what is valid."
