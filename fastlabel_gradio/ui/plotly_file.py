"""Plotly's script, which draws the map: out of the plotly wheel, served by this app when somebody opens a map."""

from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

from fastlabel_gradio.ui.web_files import packed_answer

NAME = "plotly.min.js"


@cache
def plotly_url() -> str:
    """Its address relative to the page: another one with every version, so that browsers keep it."""
    return f"web/plotly-{version('plotly')}/{NAME}"


def plotly_routes() -> APIRouter:
    """The route of the script. To be included before that of the other scripts, whose addresses look alike."""
    router = APIRouter(include_in_schema=False)

    @router.get("/web/plotly-{number}/plotly.min.js")
    def script(number: str, request: Request) -> Response:
        if number != version("plotly"):
            raise HTTPException(404, f"There is no plotly {number[:20]!r} here. Reload the page.")
        return packed_answer(_script(), request)

    return router


@cache
def _script() -> bytes:
    """Without importing plotly, which takes longer than sending its script."""
    found = find_spec("plotly")
    assert found is not None and found.origin is not None
    return (Path(found.origin).parent / "package_data" / NAME).read_bytes()
