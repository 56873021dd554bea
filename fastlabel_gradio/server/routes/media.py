"""Pictures, sounds, spectrograms and contact sheets, by opaque ids."""

from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, HTTPException, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.gallery import SoundGallery
from fastlabel_gradio.server.api_models import (
    MAX_NAME,
    MAX_NUMBER,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.project_parameters import FindProject, InProject
from fastlabel_gradio.types import Item

MEDIA_HEADERS = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
NOT_CACHED = {**MEDIA_HEADERS, "Cache-Control": "no-store"}
MOST_ROWS = 200


def _rows(most: int) -> Any:
    """Up to so many numbers, such as `12,7,30`."""
    return InPath(pattern=rf"^[0-9]{{1,10}}(,[0-9]{{1,10}}){{0,{most - 1}}}$", max_length=11 * most)


BatchId = Annotated[str, InPath(max_length=MAX_NAME)]
Row = Annotated[int, InPath(ge=-MAX_NUMBER, le=MAX_NUMBER)]


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/media/{project}/sheet/{batch_id}.jpg", response_class=Response)
    def sheet(who: annotator, project: InProject, batch_id: BatchId, fill: bool = False) -> Response:
        """The pictures of a batch, as it is now, as one contact sheet; of sounds their spectrograms.

        `fill` asks for the middle square of each picture in place of the whole picture.
        """
        chosen = project_of(project)
        items = chosen.batch_items(batch_id)
        return _jpeg(chosen.gallery.contact_sheet(items, fill=fill), NOT_CACHED)

    @router.get("/media/{project}/sheet/{batch_id}/{rows}.jpg", response_class=Response)
    def cards_sheet(
        who: annotator,
        project: InProject,
        batch_id: BatchId,
        rows: Annotated[str, _rows(MAX_BATCH)],
        fill: bool = False,
    ) -> Response:
        """The pictures of a batch's cards as they were answered: what left the batch since then still has its tile."""
        return _sheet_of(project_of(project), rows, fill)

    @router.get("/media/{project}/rows/{rows}.jpg", response_class=Response)
    def rows_sheet(
        who: annotator, project: InProject, rows: Annotated[str, _rows(MOST_ROWS)], fill: bool = False
    ) -> Response:
        """The pictures of some rows, such as `12,7,30`, as one sheet in that order; 200 at most. `fill` as of a batch."""
        return _sheet_of(project_of(project), rows, fill)

    @router.get("/media/{project}/item/{row}", response_class=Response)
    def item(
        who: annotator, project: InProject, row: Row, converted: bool = False, normalised: bool = False
    ) -> Response:
        """One picture, at most 1,280 pixels a side; or one sound, which answers Range requests.

        `converted` asks for a FLAC instead of the sound's own file, for a browser that cannot play that; `normalised` for
        one in which a quiet sound is turned up by its `gain_db`.
        """
        chosen = project_of(project)
        found = _item_at(chosen, row)
        if not isinstance(chosen.gallery, SoundGallery):
            return _jpeg(chosen.gallery.large_view(found))
        path, media_type = chosen.gallery.playable_file(found, converted, normalised)
        return FileResponse(path, media_type=media_type, headers=MEDIA_HEADERS)

    @router.get("/media/{project}/spectrogram/{row}", response_class=Response)
    def spectrogram(who: annotator, project: InProject, row: Row) -> Response:
        """The spectrogram of one sound: time from left to right, the mel scale upwards."""
        chosen = project_of(project)
        if not isinstance(chosen.gallery, SoundGallery):
            raise HTTPException(404, f"project '{chosen.name}' holds pictures, which have no spectrogram.")
        return _jpeg(chosen.gallery.large_view(_item_at(chosen, row)))


def _sheet_of(project: Project, rows: str, fill: bool) -> Response:
    wanted = [int(row) for row in rows.split(",")]
    found = project.store.items_at(np.array([row for row in wanted if row < len(project.store)], dtype=np.int64))
    return _jpeg(project.gallery.contact_sheet([found.get(row) for row in wanted], fill=fill))


def _item_at(project: Project, row: int) -> Item:
    found = project.store.items_at(np.array([row], dtype=np.int64)) if 0 <= row < len(project.store) else {}
    if not found:
        raise HTTPException(404, f"There is no item {row} in project '{project.name}'.")
    return found[row]


def _jpeg(content: bytes, headers: dict[str, str] = MEDIA_HEADERS) -> Response:
    return Response(content, media_type="image/jpeg", headers=headers)
