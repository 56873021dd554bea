"""The trained classifier as a file."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from fastlabel_gradio.classifier.bundle import pack
from fastlabel_gradio.classifier.loading import MODEL
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/model", response_class=FileResponse)
    def model(
        who: annotator,
        project: OfProject = None,
        onnx: Annotated[
            bool, Query(description="also ONNX files; takes a minute, and the packages of the extra")
        ] = False,
    ) -> FileResponse:
        """The classifier with its model card as a zip, which `load_classifier` and `fastlabel predict` take."""
        chosen = project_of(project)
        made = tempfile.TemporaryDirectory(prefix="fastlabel-model-")
        try:
            folder = Path(made.name) / "model"
            chosen.write_model(who, folder)
            if onnx:
                from fastlabel_gradio.classifier.onnx_files import write_onnx

                write_onnx(folder, chosen.folder / MODEL)
            archive = pack(folder, Path(made.name) / f"{chosen.name}-model.zip")
        except BaseException:
            made.cleanup()
            raise
        return FileResponse(
            archive, media_type="application/zip", filename=archive.name, background=BackgroundTask(made.cleanup)
        )
