"""Would another encoder be better?"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter

from fastlabel_gradio.comparison.report import EncoderReport, EncoderRow
from fastlabel_gradio.inquiry import Finding
from fastlabel_gradio.server.api_models import (
    EncoderChangeAnswer,
    EncoderRowAnswer,
    EncodersAnswer,
    EncodersAskedAnswer,
    ProjectInput,
)
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.post("/api/encoders/compare")
    def compare(who: annotator, body: ProjectInput | None = None) -> EncodersAskedAnswer:
        """Begins to compare encoders on the labels so far, in the background; the GET tells how it goes."""
        return EncodersAskedAnswer(requested=project_of(body.project if body else None).encoders_compared.ask())

    @router.get("/api/encoders/compare")
    def compared(who: annotator, project: OfProject = None) -> EncodersAnswer:
        """Would another encoder be better? What was found since somebody asked."""
        return _encoders_answer(project_of(project).encoders_compared.finding)


def _encoders_answer(finding: Finding[EncoderReport]) -> EncodersAnswer:
    report = finding.answer or EncoderReport(0, None, 0, 0, [])
    return EncodersAnswer(
        state=finding.state,
        error=finding.error,
        labels=report.labels,
        groups=report.groups,
        items=report.items,
        encoders=report.encoders,
        rows=[_encoder_row_answer(row) for row in report.rows],
    )


def _encoder_row_answer(row: EncoderRow) -> EncoderRowAnswer:
    change = EncoderChangeAnswer(**asdict(row.change)) if row.change else None
    return EncoderRowAnswer(**{**asdict(row), "change": change})
