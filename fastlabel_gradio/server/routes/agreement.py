"""How far people agree on the items that several of them judged."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import Field

from fastlabel_gradio.opinions.reliability import Agreeing, Estimate, PairAgreeing
from fastlabel_gradio.server.access import Person, person_of, sees
from fastlabel_gradio.server.api_models import Model, SecondOpinionsAnswer
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import in_line

WORKING_OUT = 2


class EstimateAnswer(Model):
    """null where it is not defined: without shared items, or where all answers are of one class."""

    value: float | None
    low: float | None = Field(description="95 % interval, by bootstrap over the items")
    high: float | None


class AgreeingAnswer(Model):
    name: str = Field(description='the class or the person; "" for all')
    items: int = Field(
        description="that at least two people gave a class; of a class those to which one of them gave it"
    )
    agreed: EstimateAnswer = Field(description="share of the pairs of answers on one item that are the same, 0 to 1")
    alpha: EstimateAnswer = Field(description="Krippendorff's, nominal; of a class against all others")


class PairAnswer(Model):
    people: tuple[str, str]
    items: int = Field(description="that both gave a class")
    agreed: float
    kappa: EstimateAnswer = Field(description="Cohen's")


class AgreementAnswer(Model):
    overall: AgreeingAnswer
    classes: list[AgreeingAnswer] = Field(description="that somebody gave; `bad` where somebody found an item bad")
    people: list[AgreeingAnswer] = Field(
        description="each on the items that they judged; a reviewer sees everybody, others themselves"
    )
    pairs: list[PairAnswer] = Field(description="those with most items in common, 200 at most; for reviewers")
    label_accuracy: EstimateAnswer = Field(
        description="how many labels of one person are right by that: the most that a head can be measured at"
    )
    disputes: int = Field(description="items of which people say different things and no reviewer decided")
    decided: int = Field(description="such items that a reviewer decided")
    second_opinions: SecondOpinionsAnswer


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    person = Annotated[Person, Depends(person_of)]

    @router.get("/api/agreement")
    @in_line(WORKING_OUT)
    def agreement(who: person, project: OfProject = None) -> AgreementAnswer:
        """How far people agree on the items that several of them judged: overall, by class, by person, by pair."""
        labeler = project_of(project).labeler(who.name)
        labeler.catch_up()
        report, opinions = labeler.reliability.report(), labeler.second_opinions
        return AgreementAnswer(
            overall=_agreeing_answer(report.overall),
            classes=[_agreeing_answer(one) for one in report.classes],
            people=[_agreeing_answer(one) for one in report.people if sees(who, one.name)],
            pairs=[_pair_answer(one) for one in report.pairs if all(sees(who, name) for name in one.people)],
            label_accuracy=estimate_answer(report.label_accuracy),
            disputes=len(labeler.disputes.open(who.name)),
            decided=len(labeler.disputes.decided()),
            second_opinions=SecondOpinionsAnswer(share=opinions.share, **asdict(opinions.counts(who.name))),
        )


def estimate_answer(estimate: Estimate) -> EstimateAnswer:
    """Rounded to six places."""
    value, low, high = (None if one is None else round(one, 6) for one in (estimate.value, estimate.low, estimate.high))
    return EstimateAnswer(value=value, low=low, high=high)


def _agreeing_answer(one: Agreeing) -> AgreeingAnswer:
    return AgreeingAnswer(
        name=one.name, items=one.items, agreed=estimate_answer(one.agreed), alpha=estimate_answer(one.alpha)
    )


def _pair_answer(one: PairAgreeing) -> PairAnswer:
    return PairAnswer(people=one.people, items=one.items, agreed=round(one.agreed, 6), kappa=estimate_answer(one.kappa))
