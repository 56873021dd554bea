"""What somebody did, as REST tells it."""

from fastlabel_gradio.exports.row_stream import iso_time
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import Step, in_words
from fastlabel_gradio.server.api_models import ClassEditAnswer, PartAnswer, StepAnswer


def step_answer(labeler: Labeler, event: int | None) -> StepAnswer | None:
    """The step of that number; None for none."""
    return None if event is None else told(labeler, labeler.actions.step(event))


def told(labeler: Labeler, step: Step) -> StepAnswer:
    names = labeler.schema.known_names
    return StepAnswer(
        event=step.event,
        created_at=iso_time(step.said_at),
        what=in_words(step, names),
        undone=step.undone,
        items=step.items,
        parts=[
            PartAnswer(
                label=None if part.label_id is None else names[part.label_id],
                state=part.state.value,
                source=part.source,
                items=part.items,
                predicted=part.predicted,
            )
            for part in step.parts
        ],
        checks=step.checks,
        edits=[
            ClassEditAnswer(
                kind=edit.kind,
                label=names[edit.label_id],
                value=_value(edit.kind, edit.value, names),
                before=edit.before or None,
            )
            for edit in step.edits
        ],
    )


def _value(kind: str, value: object, names: dict[int, str]) -> object:
    """Classes by their names."""
    if kind == "merge" and isinstance(value, int):
        return names[value]
    return [names[id_] for id_ in value] if kind == "order" and isinstance(value, list) else value
