"""How good the newest head is."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from fastlabel_gradio.head.evaluation import AuditReport, wilson_interval
from fastlabel_gradio.labeler import Evaluation
from fastlabel_gradio.loop.learning_record import LearningPoint
from fastlabel_gradio.opinions import ReliabilityReport
from fastlabel_gradio.server.api_models import (
    AuditAnswer,
    EvaluationAnswer,
    GainAnswer,
    PeopleAgreeAnswer,
    PointAnswer,
    RecallAnswer,
)
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.sources.groups import Grouping

POINTS_SHOWN = 1_000


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/evaluation")
    def evaluation(
        who: annotator,
        project: OfProject = None,
        target: Annotated[float | None, Query(gt=0, lt=1, description="the accuracy that is wanted")] = None,
    ) -> EvaluationAnswer:
        """How good the newest head is on random items that it never saw, how it got there, and whether that is enough."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        wanted = target or chosen.config.target
        people = _people_answer(labeler.reliability.report())
        evaluation = labeler.evaluation(wanted)
        return _evaluation_answer(evaluation, wanted, labeler.schema.names, chosen.source.grouping, people)


def _evaluation_answer(
    evaluation: Evaluation,
    target: float,
    names: Sequence[str],
    grouping: Grouping | None,
    people: PeopleAgreeAnswer | None,
) -> EvaluationAnswer:
    advice, brought = evaluation.advice, evaluation.brought
    return EvaluationAnswer(
        target=target,
        audit=_audit_answer(evaluation.report, names, grouping) if evaluation.report else None,
        curve=[point_answer(point) for point in evaluation.points[-POINTS_SHOWN:]],
        advice=advice.text,
        enough=advice.enough,
        reasons=list(advice.reasons),
        people=people,
        brought=GainAnswer(**asdict(brought)) if brought else None,
    )


def _people_answer(report: ReliabilityReport) -> PeopleAgreeAnswer | None:
    agreed, right = report.overall.agreed, report.label_accuracy.value
    if agreed.value is None or agreed.low is None or agreed.high is None or right is None:
        return None
    text = (
        f"Two people agree on {_percent(agreed.value)} of {report.overall.items:,} items that several judged (95 %: "
        f"{_percent(agreed.low)} to {_percent(agreed.high)}). About {_percent(right)} of the labels of one person are right "
        "by that, so no head can be measured much above it."
    )
    return PeopleAgreeAnswer(
        items=report.overall.items,
        agreed=round(agreed.value, 6),
        low=round(agreed.low, 6),
        high=round(agreed.high, 6),
        label_accuracy=round(right, 6),
        text=text,
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def point_answer(point: LearningPoint) -> PointAnswer:
    """With Wilson's interval where an earlier version measured it, which knew no groups."""
    low, high = point.low, point.high
    if low is None and point.audit_items:
        low, high = wilson_interval(point.correct, point.audit_items)
    return PointAnswer(
        labels=point.labels,
        audit_items=point.audit_items,
        correct=point.correct,
        agreement=point.agreement,
        low=low,
        high=high,
    )


def _audit_answer(report: AuditReport, names: Sequence[str], grouping: Grouping | None) -> AuditAnswer:
    return AuditAnswer(
        items=report.items,
        groups=report.groups,
        true_for="items like these" if grouping is None else f"new {grouping.noun}",
        correct=report.correct,
        accuracy=report.accuracy,
        low=report.low,
        high=report.high,
        calibration_error=report.calibration_error,
        recall=[
            RecallAnswer(label=name, correct=correct, items=items)
            for name, (correct, items) in zip(names, report.recall, strict=True)
        ],
    )
