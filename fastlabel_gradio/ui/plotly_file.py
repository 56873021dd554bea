"""Plotly's script, which draws the map: out of the plotly wheel, served by this app when somebody opens a map."""

from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException
from fastapi.responses import FileResponse

from fastlabel_gradio.ui.web_files import HEADERS

NAME = "plotly.min.js"


@cache
def plotly_url() -> str:
    """Its address relative to the page: another one with every version, so that browsers keep it."""
    return f"web/plotly-{version('plotly')}/{NAME}"


def plotly_routes() -> APIRouter:
    """The route of the script. To be included before that of the other scripts, whose addresses look alike."""
    router = APIRouter(include_in_schema=False)

    @router.get("/web/plotly-{number}/plotly.min.js")
    def script(number: str) -> FileResponse:
        if number != version("plotly"):
            raise HTTPException(404, f"There is no plotly {number[:20]!r} here. Reload the page.")
        return FileResponse(_file(), media_type="text/javascript", headers=HEADERS)

    return router


@cache
def _file() -> Path:
    """Without importing plotly, which takes longer than sending the file."""
    found = find_spec("plotly")
    assert found is not None and found.origin is not None
    return Path(found.origin).parent / "package_data" / NAME
