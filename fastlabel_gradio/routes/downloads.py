"""Labels and head as files."""

import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from fastlabel_gradio.api_models import (
    MAX_NAME,
)
from fastlabel_gradio.exports import EXPORTERS, harmless_rows
from fastlabel_gradio.routes.common import FindProject, OfProject


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/export", response_class=FileResponse)
    def export(
        who: annotator,
        project: OfProject = None,
        format: Annotated[
            str, Query(max_length=MAX_NAME, description=f"one of {', '.join(EXPORTERS.names())}")
        ] = "csv",
        predictions: Annotated[bool, Query(description="also every unlabeled item with its prediction")] = False,
        states: Annotated[
            bool, Query(description="also the columns `state` and `source`, and items that got a state and no label")
        ] = False,
        class_names: Annotated[
            Literal["now", "as_made"],
            Query(
                description="what classes are called: as they are now, or as they were made, before renames and merges"
            ),
        ] = "now",
        spreadsheet_safe: Annotated[
            bool, Query(description="of CSV: names that a spreadsheet would run as a formula begin with '")
        ] = True,
    ) -> FileResponse:
        """Every label as a file."""
        chosen = project_of(project)
        exporter = EXPORTERS.get(format)
        folder = tempfile.TemporaryDirectory(prefix="fastlabel-export-")
        as_made = class_names == "as_made"
        rows = chosen.export_rows(who, include_predictions=predictions, include_states=states, as_made=as_made)
        if exporter.opens_in_spreadsheets and spreadsheet_safe:
            rows = harmless_rows(rows)
        path = exporter.write(rows, Path(folder.name) / f"{chosen.name}-labels{exporter.suffix}")
        return FileResponse(
            path, media_type=exporter.media_type, filename=path.name, background=BackgroundTask(folder.cleanup)
        )

    @router.get("/api/checkpoint", response_class=FileResponse)
    def checkpoint(who: annotator, project: OfProject = None) -> FileResponse:
        """The newest trained head: safetensors with its classes and encoder in the header."""
        chosen = project_of(project)
        path = chosen.labeler(who).checkpoint
        if not path.exists():
            raise HTTPException(404, "There is no trained head yet. Label items of at least two classes first.")
        return FileResponse(path, media_type="application/octet-stream", filename=f"{chosen.name}-head.safetensors")
