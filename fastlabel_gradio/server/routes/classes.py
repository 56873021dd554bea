"""Classes: what they are, and changing them."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StrictStr, model_validator

from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import ClassEdit, Classes, ClassInfo, class_changes
from fastlabel_gradio.server.api_models import MAX_ITEM_ID, Model, ProjectInput
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.server.routes.items_shown import row_now
from fastlabel_gradio.server.routes.project_parameters import FindProject, OfProject
from fastlabel_gradio.server.routes.queues import CHANGING_LABELS, in_line

MOST_LISTED = 10_000
LONGEST = 20_000  # characters that are read at all; the store says which are too many

Text = Annotated[StrictStr, Field(max_length=LONGEST)]
CHANGES = ("add", "rename", "merge", "archive", "restore", "order", "set")


class ClassLook(Model):
    """What is set of a class; what is left out stays."""

    name: Text
    colour: Text | None = Field(None, description='as "#1f77b4"; "" for none of its own')
    key: Text | None = Field(None, description='one character; "" for none of its own')
    description: Text | None = None
    examples: (
        Annotated[list[Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)]], Field(max_length=100, fail_fast=True)]
        | None
    ) = Field(None, description="up to four items that show what is meant")


class ClassesInput(ProjectInput):
    """One change of classes, which are named."""

    add: Text | None = Field(None, description="a new class, or an archived one that comes back")
    rename: tuple[Text, Text] | None = Field(None, description="the old name and the new one")
    merge: tuple[Text, Text] | None = Field(None, description="a class, and the one that it becomes a part of")
    archive: Text | None = Field(None, description="leaves the screen and teaches nothing; its labels are kept")
    restore: Text | None = Field(None, description="an archived class that comes back")
    order: Annotated[list[Text], Field(max_length=MOST_LISTED, fail_fast=True)] | None = Field(
        None, description="classes in the order of the screen; others come after them"
    )
    set: ClassLook | None = None

    @model_validator(mode="after")
    def _is_one_change(self) -> "ClassesInput":
        if sum(getattr(self, name) is not None for name in CHANGES) != 1:
            raise ValueError(f"one change at a time: {', '.join(CHANGES)}")
        return self

    def edits(self, classes: Classes) -> list[ClassEdit]:
        if self.add is not None:
            return class_changes.add(self.add)
        if self.rename is not None:
            return class_changes.rename(classes, *self.rename)
        if self.merge is not None:
            return class_changes.merge(classes, *self.merge)
        if self.order is not None:
            return class_changes.order(classes, self.order)
        if self.set is not None:
            return class_changes.look(classes, self.set.name, self.set.model_dump(exclude={"name"}))
        name = self.archive if self.archive is not None else self.restore
        assert name is not None
        return class_changes.archive(classes, name, archived=self.archive is not None)


class ExampleAnswer(Model):
    id: str
    media_url: str | None = Field(description="how to show it; null where it is not in the pool any more")
    spectrogram_url: str | None = Field(None, description="of a sound")


class ClassAnswer(Model):
    id: int = Field(description="never changes")
    name: str
    index: int | None = Field(description="its place on the screen; null where it is archived or a part of another one")
    labels: int = Field(description="items that carry its label, those of classes that were merged into it among them")
    colour: str
    key: str
    description: str
    examples: list[ExampleAnswer]
    archived: bool
    part_of: str | None = Field(description="the class that it was merged into")
    made_as: str = Field(description="the name that it was made with")


class ClassesAnswer(Model):
    classes: list[ClassAnswer] = Field(description="those on the screen in their order, then archived and merged ones")
    event: int = Field(description="the number of the newest change of them; `classes_version` in the status")


def add_routes(router: APIRouter, project_of: FindProject, who_asks: Any) -> None:
    annotator = Annotated[str, who_asks]

    @router.get("/api/classes")
    def classes(who: annotator, project: OfProject = None) -> ClassesAnswer:
        """All classes, as they are now."""
        chosen = project_of(project)
        labeler = chosen.labeler(who)
        return _answer(chosen, labeler, labeler.actions.classes_version)

    @router.post("/api/classes")
    @in_line(CHANGING_LABELS)
    def change(who: annotator, body: ClassesInput) -> ClassesAnswer:
        """Changes classes, as a step that undo takes back; open batches stay as they are."""
        chosen = project_of(body.project)
        labeler = chosen.labeler(who)
        return _answer(chosen, labeler, labeler.actions.change_classes(who, body.edits))


def _answer(project: Project, labeler: Labeler, event: int) -> ClassesAnswer:
    found = labeler.actions.classes()
    counts, places = labeler.actions.label_counts(), {id_: place for place, id_ in enumerate(labeler.schema.ids)}
    names = {one.id: one.name for one in found}
    media = _media(project, found)
    return ClassesAnswer(
        classes=[
            ClassAnswer(
                id=one.id,
                name=one.name,
                index=places.get(one.id),
                labels=counts[one.id],
                colour=one.colour,
                key=one.key,
                description=one.description,
                examples=[
                    ExampleAnswer(id=item_id, **media.get(item_id, {"media_url": None})) for item_id in one.examples
                ],
                archived=one.archived,
                part_of=None if one.part_of is None else names[one.part_of],
                made_as=one.made_as,
            )
            for one in found
        ],
        event=event,
    )


def _media(project: Project, classes: Sequence[ClassInfo]) -> dict[str, dict[str, str]]:
    """How to show the examples that are in the pool, by id."""
    rows = project.store.rows_of([item_id for one in classes for item_id in one.examples])
    kinds = (
        {"media_url": "item"} if project.medium == "image" else {"media_url": "item", "spectrogram_url": "spectrogram"}
    )
    return {
        item_id: {field: f"media/{project.name}/{kind}/{row_now(project, row)}" for field, kind in kinds.items()}
        for item_id, row in rows.items()
    }
