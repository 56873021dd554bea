"""The status of a project."""

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from fastlabel_gradio.labeler import Labeler, Status
from fastlabel_gradio.labels.contradictions import Contradiction
from fastlabel_gradio.server.access import Person, person_of, sees
from fastlabel_gradio.server.api_models import (
    ContradictionAnswer,
    ContradictionsAnswer,
    EmbeddingAnswer,
    HeadAnswer,
    LeftOutAnswer,
    SecondOpinionsAnswer,
    SetAsideAnswer,
    SoundViewAnswer,
    StatusAnswer,
    TakenBackAnswer,
    UnreadableAnswer,
)
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.hidden import hidden_from
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject

UNREADABLE_SHOWN = 200


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    person = Annotated[Person, Depends(person_of)]

    @router.get("/api/status")
    def status(who: person, project: OfProject = None) -> StatusAnswer:
        """Counts, embedding progress, head and training of a project."""
        chosen = project_of(project)
        return _status_answer(chosen, chosen.labeler(who.name), who)


def without_hidden(contradiction: Contradiction | None, hidden: Collection[str]) -> Contradiction | None:
    """None where its example tells what somebody, or the source, says of a hidden item."""
    example = contradiction.example if contradiction else ()
    return None if any(item_id in hidden for item_id, _ in example) else contradiction


def _notices(project: Project, labeler: Labeler, status: Status, known: Contradiction | None) -> str:
    """Everything that is to be told beside the cards; "" where there is nothing."""
    given = status.contradiction.text("The labels given") if status.contradiction else ""
    told = (project.advice(labeler.schema), project.notice_with(known), status.notice, given)
    return " ".join(filter(None, told))


def _status_answer(project: Project, labeler: Labeler, who: Person) -> StatusAnswer:
    annotator = who.name
    status, hidden = labeler.status(), hidden_from(project, labeler, who)
    status = replace(status, contradiction=without_hidden(status.contradiction, hidden))
    known = without_hidden(project.contradiction, hidden)
    left_out = project.source.left_out()
    left_out_count = sum(entry.count for entry in left_out)
    set_aside = {"skip": status.counts.skip, "unsure": status.counts.unsure, "bad": status.counts.bad}
    return StatusAnswer(
        project=project.name,
        kind=project.medium,
        annotator=annotator,
        classes=list(labeler.schema.names),
        classes_version=labeler.actions.classes_version,
        renamed=labeler.actions.renamed,
        class_keys=labeler.actions.class_keys,
        class_colours=labeler.actions.class_colours,
        labeled=status.counts.labeled,
        unlabeled=status.counts.unlabeled,
        total=status.counts.labeled + status.counts.unlabeled + sum(set_aside.values()),
        set_aside=SetAsideAnswer(**set_aside),
        claimed_by_others=labeler.claimed_by_others(annotator),
        second_opinions=SecondOpinionsAnswer(
            share=labeler.second_opinions.share, **asdict(labeler.second_opinions.counts(annotator))
        ),
        batches=labeler.batches_of(annotator),
        taken_back=_taken_back(labeler, who),
        since_training=status.since_training,
        train_every=labeler.settings.train_every,
        notice=_notices(project, labeler, status, known),
        contradictions=ContradictionsAnswer(
            known=_contradiction_answer(known), given=_contradiction_answer(status.contradiction)
        ),
        embedding=EmbeddingAnswer(**asdict(status.embedding)),
        known_labels=labeler.knows_labels(),
        sound_view=SoundViewAnswer(**asdict(project.source.sound_view)) if project.medium == "audio" else None,
        head=_head_answer(status),
        missing_count=status.counts.missing,
        left_out_count=left_out_count,
        left_out_noun=project.source.left_out_nouns[left_out_count != 1],
        left_out=[LeftOutAnswer(**asdict(entry)) for entry in left_out],
        unreadable_count=project.store.unreadable_count,
        unreadable=[UnreadableAnswer(id=id_, reason=why) for id_, why in project.store.unreadable(UNREADABLE_SHOWN)],
    )


def _taken_back(labeler: Labeler, who: Person) -> list[TakenBackAnswer]:
    """The batches that somebody took back from a person, by whom where they may know that."""
    taken = labeler.taken_back.of(who.name).items()
    return [TakenBackAnswer(batch_id=batch_id, by=by if sees(who, by) else None) for batch_id, by in taken]


def _head_answer(status: Status) -> HeadAnswer:
    head = status.head
    return HeadAnswer(
        version=head.version if head else 0,
        labels=head.label_count if head else 0,
        seconds=round(head.seconds, 3) if head else 0.0,
        trained_at=head.trained_at if head else None,
        settled=status.settled,
        **asdict(status.training),
    )


def _contradiction_answer(contradiction: Contradiction | None) -> ContradictionAnswer | None:
    return ContradictionAnswer(**asdict(contradiction)) if contradiction else None
