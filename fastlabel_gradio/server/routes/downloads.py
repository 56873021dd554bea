"""Labels and head as files."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi import Path as InPath
from fastapi.responses import FileResponse
from pydantic import BaseModel, ValidationError
from starlette.background import BackgroundTask

from fastlabel_gradio.errors import InvalidQueryError, problem_of
from fastlabel_gradio.exports import EXPORTERS, parse_shares
from fastlabel_gradio.exports.prepared import Prepared, PreparedExports
from fastlabel_gradio.exports.row_stream import SOURCES, STATES, Choice, parse_names, plain_choice
from fastlabel_gradio.pool.query import Query as ItemQuery
from fastlabel_gradio.server.api_models import MAX_NAME
from fastlabel_gradio.server.export_job import ExportOrder, export
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject

MAX_TEXT = 100_000


class ExportAnswer(BaseModel):
    """How far a prepared export is; its file is at `url` once it is ready.

    `unreadable`: items whose file could not be added, with the reason, the first 100 of them.
    """

    id: str
    state: Literal["running", "ready", "failed"]
    rows: int
    error: str
    url: str | None
    unreadable_count: int
    unreadable: list[tuple[str, str]]


def _order(
    format: Annotated[str, Query(max_length=MAX_NAME, description=f"one of {', '.join(EXPORTERS.names())}")] = "csv",
    predictions: Annotated[bool, Query(description="also every unlabeled item with its prediction")] = False,
    states: Annotated[
        bool, Query(description="also the columns `state` and `source`, and items that got a state and no label")
    ] = False,
    evidence: Annotated[
        bool, Query(description="as `states`, with all that is known of each label; can be imported as it was")
    ] = False,
    only_states: Annotated[
        str | None, Query(max_length=MAX_NAME, description=f"of {', '.join(STATES)}, between commas")
    ] = None,
    only_sources: Annotated[
        str | None, Query(max_length=MAX_NAME, description=f"of {', '.join(SOURCES)}, between commas")
    ] = None,
    standing: Annotated[bool, Query(description="only what stands of each item, no second opinions")] = False,
    query: Annotated[
        str | None, Query(max_length=MAX_TEXT, description="only the items of this query, as JSON; see /api/items")
    ] = None,
    class_names: Annotated[
        Literal["now", "as_made"],
        Query(description="what classes are called: as they are now, or as they were made, before renames and merges"),
    ] = "now",
    splits: Annotated[
        str | None, Query(max_length=MAX_NAME, description="parts of the data with their shares: train=0.8,test=0.2")
    ] = None,
    seed: Annotated[int, Query(description="another one draws other parts")] = 0,
    files: Annotated[bool, Query(description="of `tree`: with the files, not only the list of what lies where")] = True,
    spreadsheet_safe: Annotated[
        bool, Query(description="of CSV: names that a spreadsheet would run as a formula begin with '")
    ] = True,
) -> ExportOrder:
    """What a request asks for. Raises ConfigError, InvalidQueryError, UnknownNameError."""
    EXPORTERS.get(format)
    usual = plain_choice(predictions=predictions, states=states or evidence)
    choice = Choice(
        "all" if evidence else usual.columns,
        usual.states if only_states is None else parse_names(only_states, STATES, "only_states"),
        None if only_sources is None else parse_names(only_sources, SOURCES, "only_sources"),
        standing,
        predictions,
        None if query is None else _parsed(query),
        class_names == "as_made",
    )
    shares = {} if splits is None else parse_shares(splits)
    return ExportOrder(format, choice, shares, seed, spreadsheet_safe, only_names=not files)


Order = Annotated[ExportOrder, Depends(_order)]


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]
    prepared = PreparedExports()

    @router.get("/api/export", response_class=FileResponse)
    def export_now(who: annotator, order: Order, project: OfProject = None) -> FileResponse:
        """Every label as a file; a format that is a folder as a zip."""
        return _exported(project_of(project), who, order)

    @router.post("/api/export")
    def prepare_export(who: annotator, order: Order, project: OfProject = None) -> ExportAnswer:
        """Begins to prepare the same file in the background."""
        chosen = project_of(project)
        media_type = EXPORTERS.get(order.format).media_type
        one = prepared.begin(
            who,
            _file_name(chosen, order),
            media_type,
            lambda path, tell: export(chosen, who, order, path, tell),
        )
        return _answer(one)

    @router.get("/api/export/{export_id}")
    def export_progress(who: annotator, export_id: Annotated[str, InPath(max_length=MAX_NAME)]) -> ExportAnswer:
        """How far a prepared export is."""
        return _answer(_known(prepared.get(who, export_id)))

    @router.get("/api/export/{export_id}/file", response_class=FileResponse)
    def export_file(who: annotator, export_id: Annotated[str, InPath(max_length=MAX_NAME)]) -> FileResponse:
        """A prepared export, or a part of it (`Range`): a download that broke off goes on."""
        one = _known(prepared.get(who, export_id))
        if one.state != "ready":
            raise HTTPException(409, one.error or "The export is not ready yet. Ask for its progress.")
        return FileResponse(one.path, media_type=one.media_type, filename=one.path.name)

    @router.get("/api/checkpoint", response_class=FileResponse)
    def checkpoint(who: annotator, project: OfProject = None) -> FileResponse:
        """The newest trained head: safetensors with its classes and encoder in the header."""
        chosen = project_of(project)
        path = chosen.labeler(who).checkpoint
        if not path.exists():
            raise HTTPException(404, "There is no trained head yet. Label items of at least two classes first.")
        return FileResponse(path, media_type="application/octet-stream", filename=f"{chosen.name}-head.safetensors")


def _exported(project: Project, who: str, order: ExportOrder) -> FileResponse:
    """The file, which is deleted once it is sent."""
    folder = tempfile.TemporaryDirectory(prefix="fastlabel-export-")
    path = Path(folder.name) / _file_name(project, order)
    try:
        export(project, who, order, path)
    except BaseException:
        folder.cleanup()
        raise
    media_type = EXPORTERS.get(order.format).media_type
    return FileResponse(path, media_type=media_type, filename=path.name, background=BackgroundTask(folder.cleanup))


def _parsed(query: str) -> ItemQuery:
    try:
        return ItemQuery.model_validate_json(query)
    except ValidationError as error:
        raise InvalidQueryError(f"query: {problem_of(error.errors()[0])}. /docs shows what is valid.") from error


def _file_name(project: Project, order: ExportOrder) -> str:
    """Of a folder also what it is, so that two of them beside each other are told apart."""
    suffix = EXPORTERS.get(order.format).suffix
    return f"{project.name}-labels{f'-{order.format}' if suffix == '.zip' else ''}{suffix}"


def _known(one: Prepared | None) -> Prepared:
    if one is None:
        raise HTTPException(404, "There is no such export (any more). Prepare it again.")
    return one


def _answer(one: Prepared) -> ExportAnswer:
    unreadable = one.exported.unreadable if one.exported else ()
    return ExportAnswer(
        id=one.id,
        state=one.state,
        rows=one.rows,
        error=one.error,
        url=f"api/export/{one.id}/file" if one.state == "ready" else None,
        unreadable_count=len(unreadable),
        unreadable=list(unreadable[:100]),
    )
