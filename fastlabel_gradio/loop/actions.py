"""Actions: what changes the label store, whatever the number of items, and is taken into the books before the next change.

Labels of any number in one step, labels of all items of a query, changes of classes, and taking all of that back.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.explore.finder import Finder
from fastlabel_gradio.labels import ClassEdit, Classes, ClassInfo, Step, Submission, Undone, check_typed_name
from fastlabel_gradio.loop.learner import Learner
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.query import Query
from fastlabel_gradio.types import LabelSchema, LabelSource, Said, State

BY_HAND = ("person", "group", "verify")  # sources of labels that were given card by card


class Actions:
    """Acts on the labels and classes of one pool. All methods may be called from any thread.

    All of them raise StoreError where the label store cannot be written; nothing was stored then.

    Attributes:
        classes_version: another number whenever classes were changed, by whomever.
        renamed: what classes are called now, by names that they had before and that no class on the screen has.
        class_keys: the keys of classes on the screen that were given one of their own, by their names.
        class_colours: their colours, likewise.

    Args:
        finder: gives the items of a query.
        learner: has the kept classifier written again where labels were accepted or taken back, on which no training follows.
    """

    def __init__(self, desk: Desk, finder: Finder, learner: Learner) -> None:
        self._desk = desk
        self._label_store = desk.label_store
        self._finder = finder
        self._learner = learner
        self.classes_version = 0
        self.renamed: dict[str, str] = {}
        self.class_keys: dict[str, str] = {}
        self.class_colours: dict[str, str] = {}
        self._note_classes()
        desk.when_classes_change(self._note_classes)

    # Labels

    def write(
        self,
        annotator: str,
        item_ids: Sequence[str],
        label_ids: Sequence[int | None] | int | None,
        *,
        state: State = State.LABEL,
        source: LabelSource = "person",
        head_version: int | None = None,
        confidences: Sequence[float | None] | None = None,
        note: str = "",
        batch_id: str = "",
    ) -> Submission:
        """Stores what is said of any number of items as one step that one undo takes back (`LabelStore.submit_many`)."""
        with self._desk.in_turn():
            submission = self._label_store.submit_many(
                annotator,
                item_ids,
                label_ids,
                now=self._desk.clock(),
                state=state,
                source=source,
                head_version=head_version,
                confidences=confidences,
                note=note,
                batch_id=batch_id,
            )
            self._desk.take_in(submission)
            if source == "auto":
                self._learner.bundle_again()
        return submission

    def apply(
        self,
        annotator: str,
        query: Query,
        exclude: Collection[str],
        said: Said,
        seen: int | None = None,
        *,
        own_only: bool = False,
    ) -> Submission:
        """Has a label or a state stand of all items of a query, or clears them, as one step (`LabelStore.overrule`).

        Raises:
            InvalidQueryError: a query that names what is not there.
            ChangedMeanwhileError: somebody else said something of some of the items after submission `seen`.
            OthersLabelsError: with `own_only`, where what others said would be changed.
        """
        with self._desk.in_turn():
            item_ids = self._meant(query, exclude)
            submission = self._label_store.overrule(
                annotator, item_ids, said, now=self._desk.clock(), seen=seen, own_only=own_only
            )
            self._desk.take_in(submission)
        return submission

    def preview(
        self, annotator: str, query: Query, exclude: Collection[str], said: Said, *, own_only: bool = False
    ) -> dict[str | None, int]:
        """What `apply` would change: by annotator how many of their labels and states; None: items nobody judged.

        Raises as `apply` does.
        """
        return self._label_store.overruled(annotator, self._meant(query, exclude), said, own_only=own_only)

    def apply_each(
        self, annotator: str, said: Mapping[str, Said], seen: int | None = None, *, own_only: bool = False
    ) -> Submission:
        """As `apply`, with what is to stand of each item, by id.

        Raises:
            InvalidLabelsError: an item that is not in this project.
        """
        with self._desk.in_turn():
            self._check_known(said, "cannot be labeled")
            now = self._desk.clock()
            submission = self._label_store.overrule_each(annotator, said, now=now, seen=seen, own_only=own_only)
            self._desk.take_in(submission)
        return submission

    def preview_each(
        self, annotator: str, said: Mapping[str, Said], *, own_only: bool = False
    ) -> dict[str | None, int]:
        """What `apply_each` would change, as `preview` tells it. Raises as `apply_each` does."""
        self._check_known(said, "cannot be labeled")
        return self._label_store.overruled_each(annotator, said, own_only=own_only)

    def label_id(self, label: str | int, schema: LabelSchema | None = None) -> int:
        """The id of a class by a name that it has, or ever had, or by its position in a schema, that of now by default.

        Raises:
            InvalidLabelsError: no class has that name or position.
        """
        shown_with, schema = schema or self._desk.schema, self._desk.schema
        if isinstance(label, int) and 0 <= label < len(shown_with):
            return schema.aliases.get(shown_with.ids[label], shown_with.ids[label])
        if isinstance(label, str) and label in schema.names:
            return schema.ids[schema.names.index(label)]
        former = self._label_store.former_names().get(label) if isinstance(label, str) else None
        if former is not None:
            return schema.aliases.get(former, former)
        raise InvalidLabelsError(
            f"label {shown(label)} is not known. Use a name or an index: {_numbered(schema.names) or 'add a class first'}."
        )

    # Steps

    def undo(self, annotator: str) -> Undone | None:
        """Takes back the annotator's last step that stands; None where there is none.

        The caller may have the turn to change labels, and calls `wait_for_bundle` behind it.
        """
        with self._desk.in_turn():
            return self._reverted(self._label_store.undo(annotator, now=self._desk.clock()))

    def redo(self, annotator: str) -> Undone | None:
        """Brings back what the annotator's last undo took back; None where there is none, or they did something since."""
        with self._desk.in_turn():
            redone = self._reverted(self._label_store.redo(annotator, now=self._desk.clock()))
        self.wait_for_bundle(redone)
        return redone

    def take_back(self, annotator: str, submitter: str, batch_id: str) -> Undone | None:
        """Takes back what somebody submitted last under that batch id; None where nothing of it stands."""
        with self._desk.in_turn():
            return self._reverted(self._label_store.take_back(annotator, submitter, batch_id, now=self._desk.clock()))

    def wait_for_bundle(self, reverted: Undone | None) -> None:
        """Where accepted labels went or came back: waits, 5 s at most, until the kept classifier tells of it."""
        if reverted and _is_of_accepted(reverted.step):
            self._learner.wait_for_bundle()

    def steps(self, annotator: str, most: int) -> list[Step]:
        """What the annotator did, the newest first."""
        return self._label_store.steps(annotator, most)

    def step(self, event: int) -> Step:
        """The step of that number."""
        return self._label_store.step(event)

    # Classes

    def classes(self) -> list[ClassInfo]:
        """All classes: those on the screen in their order, then archived and merged ones by id."""
        places = {label_id: place for place, label_id in enumerate(self._desk.schema.ids)}
        known = [one for one in self._label_store.classes().values() if one.exists or one.id in places]
        return sorted(known, key=lambda one: (places.get(one.id, len(places)), one.id))

    def label_counts(self) -> Counter[int]:
        """How many items carry a label of each class, by its id; those of merged ones count for what they are part of."""
        aliases, counts = self._desk.schema.aliases, Counter[int]()
        for label_id, count in self._desk.ledger.label_counts().items():
            counts[aliases.get(label_id, label_id)] += count
        return counts

    def change_classes(self, annotator: str, edits_of: Callable[[Classes], list[ClassEdit]]) -> int:
        """Changes classes as one step; returns its number.

        Args:
            edits_of: gives the edits for the classes as they are.

        Raises:
            InvalidLabelsError: an unknown class, a name that another one has, or a value that makes no sense.
        """
        with self._desk.in_turn():
            edits = edits_of(self._label_store.classes())
            for edit in edits:
                if edit.kind in ("add", "rename"):
                    check_typed_name(edit.value)
            self._check_examples(edits)
            self._label_store.edit_classes(annotator, edits, now=self._desk.clock())
            self._desk.follow()
            return self.classes_version

    # Private

    def _note_classes(self) -> None:
        """Takes over what classes are called now, their keys and their colours."""
        schema = self._desk.schema
        names, places = schema.names, schema.positions
        former = {name: names[places[id_]] for name, id_ in self._label_store.former_names().items() if id_ in places}
        self.renamed = {name: now for name, now in former.items() if name not in names}
        classes = self._label_store.classes()
        now = [(name, classes[id_]) for id_, name in zip(schema.ids, names, strict=True)]
        self.class_keys = {name: one.key for name, one in now if one.key}
        self.class_colours = {name: one.colour for name, one in now if one.colour}
        self.classes_version = self._label_store.classes_version()

    def _meant(self, query: Query, exclude: Collection[str]) -> list[str]:
        left_out = set(exclude)
        in_any_order = query.model_copy(update={"order": "pool", "near": None})
        return [item_id for item_id in self._finder.item_ids(in_any_order) if item_id not in left_out]

    def _reverted(self, undone: Undone | None) -> Undone | None:
        if undone:
            self._desk.take_in(undone)
            if undone.step.edits:
                self._desk.follow()
            if _is_of_accepted(undone.step):
                self._learner.bundle_again()
        return undone

    def _check_examples(self, edits: Sequence[ClassEdit]) -> None:
        self._check_known(
            [str(id_) for edit in edits if edit.kind == "examples" for id_ in edit.value], "can be no example"
        )

    def _check_known(self, item_ids: Collection[str], otherwise: str) -> None:
        unknown = set(item_ids) - self._desk.store.known_ids(list(item_ids))
        if unknown:
            raise InvalidLabelsError(f"item {shown(min(unknown))} is not in this project and {otherwise}.")


def is_made_by_hand(step: Step) -> bool:
    """Whether all of it was said card by card."""
    return bool(step.parts) and all(part.source in BY_HAND for part in step.parts)


def _is_of_accepted(step: Step) -> bool:
    """Whether labels were accepted in it."""
    return any(part.source == "auto" for part in step.parts)


def _numbered(names: Sequence[str]) -> str:
    return ", ".join(f"{index} {name}" for index, name in enumerate(names[:20]))
