"""Finishing a pool: the plan of a promise, its checks, what they prove, and accepting the labels that are proven."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool

from fastlabel_gradio.config import MAX_BATCH
from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.finish import FinishReport, Line, PlanReport
from fastlabel_gradio.finish.report import Accepted, FinishState
from fastlabel_gradio.finish.tally import PartState
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.server.api_models import MAX_LABEL, BatchAnswer, Model, ProjectInput
from fastlabel_gradio.server.routes.batches import batch_answer
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import in_line

PLANNING = 2  # each may score all of the pool
Precision = Annotated[float, Field(ge=0.5, le=0.999, description="share of right labels that is promised")]


class FinishInput(ProjectInput):
    precision: Precision = 0.95
    per_class: StrictBool = Field(False, description="a promise for each predicted class, proven by itself")


class AcceptInput(ProjectInput):
    precision: Precision | None = Field(
        None, description="a smaller promise than the planned one, where that is proven"
    )


class LineAnswer(Model):
    key: str = Field(description="which sentence; the page has it in other languages")
    values: dict[str, int | float | str]
    text: str


class PlannedAnswer(Model):
    precision: float
    items: int = Field(description="that can be accepted; 0: no such promise can be made yet")
    checks: int


class PlannedClassAnswer(Model):
    label: str
    unlabeled: int = Field(description="items that are predicted to be of it")
    items: int = Field(description="of these, how many the plan has")
    curve: list[int] = Field(description="items that a promise for this class alone has, at each precision of `curve`")


class PlanAnswer(Model):
    precision: float
    items: int = Field(description="that can probably be accepted")
    checks: int = Field(description="about how many that takes")
    minutes: int
    words: str
    lines: list[LineAnswer]
    possible: bool
    pool: int = Field(description="items without a label")
    kept: int = Field(description="of these, random ones that are kept to test the head on")
    below: PlannedAnswer | None = Field(description="the best smaller promise, where the wanted one cannot be kept")
    curve: list[PlannedAnswer] = Field(description="the plan at 80 to 99 %")
    classes: list[PlannedClassAnswer]


class CheckedClassAnswer(Model):
    label: str
    items: int
    checked: int
    wrong: int


class FinishPartAnswer(CheckedClassAnswer):
    state: PartState
    proven_precision: float
    more_checks: int


class LargerAnswer(Model):
    items: int
    checks: int = Field(description="about how many more")


class AcceptedAnswer(Model):
    items: int = Field(description="labels that were stored; those that a person gave are not among them")
    precision: float
    checked: int
    wrong: int
    others: int = Field(
        description="items of the set with another label, which many items got at once: not covered, and the precision is of "
        "the rest"
    )
    at: float = Field(description="seconds since the epoch")
    by: str
    head_version: int


class FinishAnswer(Model):
    state: FinishState
    attempt: int = Field(description="how many in a row are without success, this one counted")
    precision: float = Field(description="that was planned, or accepted")
    items: int
    checked: int
    wrong: int = Field(description="of those checked; they are corrected, or were left open")
    proven_precision: float = Field(description="what is sure so far, with 95 % confidence; 0 before that is something")
    more_checks: int = Field(description="until it is proven, if all are right")
    proven_items: int = Field(description="that the promise can be made of now")
    acceptable: int = Field(description="labels that accepting now would store: of those that nobody labeled")
    larger: LargerAnswer | None = Field(description="the next larger set of what is proven")
    classes: list[CheckedClassAnswer] = Field(description="by the class that is proposed")
    parts: list[FinishPartAnswer] = Field(description="where each class has a promise of its own")
    later: int = Field(description="items that came after these were frozen, and are not covered")
    accepted: AcceptedAnswer | None
    earlier: AcceptedAnswer | None = Field(
        description="what was accepted before this set and stands; it can be taken back"
    )
    words: str
    lines: list[LineAnswer]


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    _add_plan(router, project_of, who_asks)
    _add_batches(router, project_of, who_asks)
    _add_outcome(router, project_of, who_asks)


def _add_plan(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.post("/api/finish/plan")
    @in_line(PLANNING)
    def plan_finish(who: annotator, body: FinishInput) -> PlanAnswer:
        """How much can probably be accepted at a precision, and how many checks that takes."""
        labeler = project_of(body.project).labeler(who)
        return _plan_answer(labeler, labeler.finisher.plan(body.precision, per_class=body.per_class))

    @router.post("/api/finish/start")
    @in_line(PLANNING)
    def start_finish(who: annotator, body: FinishInput) -> PlanAnswer:
        """The same, and where it is possible the items and the labels proposed for them are frozen, to be checked."""
        labeler = project_of(body.project).labeler(who)
        return _plan_answer(labeler, labeler.finisher.start(who, body.precision, per_class=body.per_class))


def _add_batches(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/finish/checks")
    @in_line(PLANNING)
    def checks(
        who: annotator, project: OfProject = None, size: Annotated[int | None, Query(ge=1, le=MAX_BATCH)] = None
    ) -> BatchAnswer:
        """The next checks in random order, each with the label that is proposed; answered through `submit_labels`."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        return batch_answer(chosen, labeler, labeler.finisher.checks(who, size))

    @router.get("/api/finish/verify")
    @in_line(PLANNING)
    def verify(
        who: annotator,
        label: Annotated[str, Query(max_length=MAX_LABEL)],
        project: OfProject = None,
        size: Annotated[int | None, Query(ge=1, le=MAX_BATCH)] = None,
        teach: Annotated[bool, Query(description="train on the labels that stay as proposed, too")] = False,
    ) -> BatchAnswer:
        """The surest unlabeled items of one predicted class, to pick the wrong ones out; answered through `submit_labels`."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        return batch_answer(chosen, labeler, labeler.finisher.verify(who, _label_id(labeler, label), size, teach=teach))


def _add_outcome(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/finish")
    @in_line(PLANNING)
    def finish(who: annotator, project: OfProject = None) -> FinishAnswer:
        """Where the checks stand, and what they prove."""
        labeler = project_of(project).labeler(who)
        return _finish_answer(labeler, labeler.finisher.state())

    @router.post("/api/finish/grow")
    @in_line(PLANNING)
    def grow(who: annotator, body: ProjectInput | None = None) -> FinishAnswer:
        """Goes on from what is proven to a set that is 1.3 times as large, with the same checks."""
        labeler = project_of(body.project if body else None).labeler(who)
        return _finish_answer(labeler, labeler.finisher.grow())

    @router.post("/api/finish/give_up")
    @in_line(PLANNING)
    def give_up(who: annotator, body: ProjectInput | None = None) -> FinishAnswer:
        """Ends the checks; what was checked stays labeled."""
        labeler = project_of(body.project if body else None).labeler(who)
        return _finish_answer(labeler, labeler.finisher.give_up())

    @router.post("/api/finish/accept")
    @in_line(1)
    def accept(who: annotator, body: AcceptInput | None = None) -> FinishAnswer:
        """Stores the labels that are proven, with the source `auto`, as one step."""
        labeler = project_of(body.project if body else None).labeler(who)
        return _finish_answer(labeler, labeler.finisher.accept(who, body.precision if body else None))

    @router.post("/api/finish/take_back")
    @in_line(1)
    def take_back(who: annotator, body: ProjectInput | None = None) -> FinishAnswer:
        """Takes the labels that were accepted last back, as one step."""
        labeler = project_of(body.project if body else None).labeler(who)
        return _finish_answer(labeler, labeler.finisher.take_back(who))


def _label_id(labeler: Labeler, name: str) -> int:
    names = labeler.schema.names
    if name not in names:
        raise InvalidLabelsError(f"label {shown(name)} is not known. Known: {', '.join(names[:20])}.")
    return labeler.schema.ids[names.index(name)]


def _plan_answer(labeler: Labeler, found: PlanReport) -> PlanAnswer:
    names = labeler.schema.known_names
    below = found.below
    return PlanAnswer(
        precision=found.precision,
        items=found.items,
        checks=found.checks,
        minutes=found.minutes,
        words=_words(found.lines),
        lines=_line_answers(found.lines),
        possible=found.possible,
        pool=found.pool,
        kept=found.reserved,
        below=PlannedAnswer(precision=below.precision, items=below.items, checks=below.checks) if below else None,
        curve=[PlannedAnswer(precision=one.precision, items=one.items, checks=one.checks) for one in found.curve],
        classes=[
            PlannedClassAnswer(
                label=names.get(one.label_id, ""),
                unlabeled=one.unlabeled,
                items=one.items,
                curve=[step.items for step in one.curve],
            )
            for one in found.classes
        ],
    )


def _finish_answer(labeler: Labeler, found: FinishReport) -> FinishAnswer:
    names = labeler.schema.known_names
    return FinishAnswer(
        state=found.state,
        attempt=found.attempt,
        precision=found.precision,
        items=found.items,
        checked=found.checked,
        wrong=found.wrong,
        proven_precision=found.sure,
        more_checks=found.more,
        proven_items=found.proven_items,
        acceptable=found.acceptable,
        larger=LargerAnswer(items=found.larger.items, checks=found.larger.checks) if found.larger else None,
        classes=[
            CheckedClassAnswer(label=names.get(label_id, ""), items=items, checked=checked, wrong=wrong)
            for label_id, items, checked, wrong in found.classes
        ],
        parts=[
            FinishPartAnswer(
                label=names.get(one.part.label_id, "") if one.part.label_id is not None else "",
                items=one.items,
                checked=one.checked,
                wrong=one.wrong,
                state=one.state,
                proven_precision=one.sure,
                more_checks=one.more,
            )
            for one in found.parts
        ],
        later=found.later,
        accepted=_accepted_answer(found.accepted),
        earlier=_accepted_answer(found.earlier),
        words=_words(found.lines),
        lines=_line_answers(found.lines),
    )


def _accepted_answer(found: Accepted | None) -> AcceptedAnswer | None:
    if found is None:
        return None
    return AcceptedAnswer(**{name: getattr(found, name) for name in AcceptedAnswer.model_fields})


def _words(lines: Sequence[Line]) -> str:
    return " ".join(one.text for one in lines)


def _line_answers(lines: Sequence[Line]) -> list[LineAnswer]:
    return [LineAnswer(key=one.key, values=one.values, text=one.text) for one in lines]
