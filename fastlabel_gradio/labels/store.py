"""The labels and claims of one project: what the labeler calls. Each call is one transaction."""

import dataclasses
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from sqlalchemy import Connection, select

from fastlabel_gradio.errors import InvalidLabelsError, shown
from fastlabel_gradio.labels import events
from fastlabel_gradio.labels.acts import Act, acts_since
from fastlabel_gradio.labels.changes import (
    Changes,
    Position,
    read_changes,
    read_everything,
    read_position,
)
from fastlabel_gradio.labels.claim_store import ClaimStore
from fastlabel_gradio.labels.claims import (
    drop_batches,
    drop_claims_on,
)
from fastlabel_gradio.labels.classes import (
    read_classes,
)
from fastlabel_gradio.labels.corrections import count_corrected
from fastlabel_gradio.labels.events import (
    NO_CONFIDENCES,
    all_events,
    append_annotations,
    append_checks,
    append_submission,
    checked_labels,
    events_of,
    items_touched,
    labels_of,
    last_submission,
    last_undo,
    newest_submission,
    standing_among,
    states_of,
    submission_of,
)
from fastlabel_gradio.labels.judgements import read_opinions
from fastlabel_gradio.labels.news import (
    News,
    changed_meanwhile,
    changing_own,
    check_numbers,
    effect,
    labels_of_standing,
    not_said_yet,
    one_each,
    overruling,
    the_same_of_many,
)
from fastlabel_gradio.labels.owners import Owner, read_owners
from fastlabel_gradio.labels.resolve import Event, Opinions, opinion_of, opinions_after, opinions_of, resolve
from fastlabel_gradio.labels.steps import Step, read_steps, steps_of
from fastlabel_gradio.labels.submissions import NOWHERE, Submission, Undone
from fastlabel_gradio.labels.tables import batches, labels
from fastlabel_gradio.labels.told import Taken, Told, notes_brought, take_back_all, take_in, told_by_item, told_of
from fastlabel_gradio.types import Annotation, LabelSchema, LabelSource, Said, State

TAKEN_AT_ONCE = 50_000  # opinions; about a second
SUBMISSION = Event._fields.index("submission")


class LabelStore(ClaimStore):
    """The labels and claims of one project, and its classes (`ClassStore`), of which arguments and errors are the same."""

    def current(self) -> dict[str, int]:
        """Item id to the label id that stands, of every labeled item; `resolve` says whose. One pass over all events."""
        with self._database.reading() as connection:
            return labels_of_standing(resolve(all_events(connection, self._project)))

    def taught(self) -> tuple[dict[str, int], LabelSchema]:
        """What heads are trained on: by item the position of its class in the schema, and that schema, as they are now."""
        with self._database.reading() as connection:
            schema = self._schema(connection, read_classes(connection, self._project))
            standing = resolve(all_events(connection, self._project))
        places = schema.positions
        label_ids = {item_id: one.label_id for item_id, one in standing.items() if one.teaches}
        return {item_id: places[id_] for item_id, id_ in label_ids.items() if id_ is not None and id_ in places}, schema

    def standing(self, item_ids: Iterable[str]) -> dict[str, int]:
        """As `current`, of these items only."""
        with self._database.reading() as connection:
            return labels_of_standing(resolve(events_of(connection, self._project, item_ids)))

    def everything(self, *, now: float) -> Changes:
        """What stands of every item and who holds what, as `changes_since` from the beginning."""
        with self._database.reading() as connection:
            return read_everything(connection, self._project, now)

    def changes_since(self, position: Position, *, now: float) -> Changes:
        """What happened since, whoever wrote it: labels, undos, claims, classes. One small row is read where nothing did."""
        with self._database.reading() as connection:
            return read_changes(connection, self._project, position, now)

    def owners(self, since: int = 0) -> tuple[int, dict[str, Owner | None]]:
        """The newest submission, and who said what stands of each item touched after `since`; None for nobody."""
        with self._database.reading() as connection:
            return read_owners(connection, self._project, since)

    def opinions(self, since: int = 0) -> tuple[int, Mapping[str, Opinions]]:
        """The newest submission, and all opinions on each item touched after `since`; () where nobody has one."""
        with self._database.reading() as connection:
            return read_opinions(connection, self._project, since)

    def watch(self, tell: Callable[[], None]) -> Callable[[], None]:
        """Has `tell` called within a second of a change by any process, in a thread; what is returned ends that."""
        return self._database.watcher.add(self._project, tell)

    def annotations(self) -> Iterator[Annotation]:
        """The opinion of every annotator of every item they labeled, oldest submission first, as a stream."""
        with self._database.reading() as connection:
            yield from events.opinions(connection, self._project)

    def told(self) -> Iterator[Told]:
        """Every opinion with all that was stored beside it, item by item in the order of `resolve`, as a stream."""
        with self._database.reading() as connection:
            yield from told_by_item(connection, self._project)

    def said_by(self, annotator: str, item_ids: Iterable[str]) -> dict[str, Said]:
        """What the annotator says of these items, but for labels that were accepted unseen."""
        with self._database.reading() as connection:
            told = told_of(connection, self._project, item_ids)
            return {one.item_id: one.said for one in told if one.annotator == annotator and one.source != "auto"}

    def take_in(self, told: Iterable[Told], batch_id: str) -> Taken:
        """Stores opinions of others, each under its annotator, time and source; `take_back_all` undoes all of a batch id.

        What the annotator said of the same item later stays. After every TAKEN_AT_ONCE others may write.

        Args:
            told: those of one item in the order of `told`.
            batch_id: not in use.

        Raises:
            InvalidLabelsError: a label id that the project does not have, an empty item id. What came before it is stored.
        """
        taken, rest = Taken(), iter(told)
        while part := list(islice(rest, TAKEN_AT_ONCE)):
            with self._writing() as connection:
                label_ids = {one.said.label_id for one in part if one.said.label_id is not None}
                self._check_label_ids(connection, label_ids)
                taken += take_in(connection, self._project, part, batch_id)
                self._count_change(connection)
        return taken

    def take_back_all(self, annotator: str, batch_id: str, *, now: float) -> int:
        """Undoes what was taken in under a batch id, as far as it stands; returns how many submissions that were."""
        with self._writing() as connection:
            count = take_back_all(connection, self._project, annotator, batch_id, now)
            if count:
                self._count_change(connection)
        return count

    def notes_brought(self, made_here: str) -> dict[str, int]:
        """How many labels of the program carry each note, without those of batches whose id begins with `made_here`."""
        with self._database.reading() as connection:
            return notes_brought(connection, self._project, made_here)

    def checked(self) -> dict[str, set[int]]:
        """By item the labels of which somebody said that they are right (`check`)."""
        with self._database.reading() as connection:
            return checked_labels(connection, self._project)

    def acts(self, since: int = 0) -> list[Act]:
        """Who submitted how many labels, and when, after the submission of that number."""
        with self._database.reading() as connection:
            return acts_since(connection, self._project, since)

    def corrected(self) -> int:
        """How many items got another label than they had, by a review or by who had said the other one."""
        with self._database.reading() as connection:
            return count_corrected(connection, self._project)

    def submit(
        self,
        annotator: str,
        labels: Sequence[tuple[str, int | State | Said]],
        batch_id: str = "",
        *,
        now: float,
        source: LabelSource = "person",
    ) -> Submission:
        """Stores what an annotator says of items, all or nothing, and drops the claims on these items.

        What the annotator said of an item before and says again is not stored twice; another label is a correction.

        Args:
            annotator: who says it.
            labels: pairs of item id and label id, or a state that is no label, or all that is said in a `Said`.
            batch_id: the annotator's open batch that this closes: its other items go back to the pool. A batch of
                somebody else, or one that is gone, is left as it is; the labels count all the same.
            now: when it was said.
            source: what all of it came by.

        Raises:
            InvalidLabelsError: a label id that the project does not have, an empty item id, an item with two labels.
        """
        submission = self._submit(annotator, one_each(labels), batch_id, now, source)
        return dataclasses.replace(submission, accepted=len(labels))

    def submit_many(
        self,
        annotator: str,
        item_ids: Sequence[str],
        label_ids: Sequence[int | None] | int | None,
        *,
        now: float,
        state: State = State.LABEL,
        source: LabelSource = "person",
        head_version: int | None = None,
        confidences: Sequence[float | None] | None = None,
        note: str = "",
        batch_id: str = "",
    ) -> Submission:
        """As `submit`, of any number of items, in the order of their ids, as one step that one `undo` takes back.

        Args:
            item_ids: each once.
            label_ids: one for each item, or one for all; None where the state is no label.
            state: what is said of all of them.
            head_version: of the head whose predictions are accepted.
            confidences: of these predictions, 0 to 1, one for each item.
            note: why, in the annotator's or the program's words.
        """
        one = Said(state=state, head_version=head_version, note=note)
        said = the_same_of_many(item_ids, label_ids, one)
        check_numbers(item_ids, item_ids if confidences is None else confidences)
        own = {} if confidences is None else dict(zip(item_ids, confidences, strict=True))
        return self._submit(annotator, said, batch_id, now, source, confidences=own)

    def overrule(
        self,
        annotator: str,
        item_ids: Sequence[str],
        one: Said,
        *,
        now: float,
        source: LabelSource = "search",
        seen: int | None = None,
        own_only: bool = False,
    ) -> Submission:
        """Has one label or state stand of any number of items, or clears them, whoever said what of them before.

        Where the annotator's own word would not stand it is that of a reviewer; items of which it stands already stay as
        they are.

        Args:
            seen: the newest submission that the annotator knew of when they looked at the items.
            own_only: nothing may change that others said.

        Raises:
            ChangedMeanwhileError: somebody else said something of some of the items after that.
            OthersLabelsError: something would change that others said, which was not to be; nothing was stored.
        """
        said = the_same_of_many(item_ids, one.label_id, one)
        return self.overrule_each(annotator, said, now=now, source=source, seen=seen, own_only=own_only)

    def overrule_each(
        self,
        annotator: str,
        said: Mapping[str, Said],
        *,
        now: float,
        source: LabelSource = "search",
        seen: int | None = None,
        own_only: bool = False,
    ) -> Submission:
        """As `overrule`, with what is to stand of each item."""
        return self._submit(annotator, said, "", now, source, changing_own if own_only else overruling, seen)

    def overruled(
        self, annotator: str, item_ids: Sequence[str], one: Said, *, own_only: bool = False
    ) -> dict[str | None, int]:
        """What `overrule` would change: by annotator how many of their labels and states; None: items nobody judged."""
        return self.overruled_each(annotator, the_same_of_many(item_ids, one.label_id, one), own_only=own_only)

    def overruled_each(
        self, annotator: str, said: Mapping[str, Said], *, own_only: bool = False
    ) -> dict[str | None, int]:
        """What `overrule_each` would change, as `overruled` tells it."""
        with self._database.reading() as connection:
            opinions = opinions_of(events_of(connection, self._project, said))
        news = (changing_own if own_only else overruling)(said, opinions, annotator, "search")
        owners = (opinion_of(opinions[item_id]).annotator if item_id in opinions else None for item_id in news)
        return dict(Counter(owners))

    def _submit(
        self,
        annotator: str,
        said: Mapping[str, Said],
        batch_id: str,
        now: float,
        source: LabelSource,
        news_of: News = not_said_yet,
        seen: int | None = None,
        confidences: Mapping[str, float | None] = NO_CONFIDENCES,
    ) -> Submission:
        with self._writing() as connection:
            since = read_position(connection, self._project)
            self._check_label_ids(connection, {one.label_id for one in said.values() if one.label_id is not None})
            opinions = opinions_of(events_of(connection, self._project, said))
            news = news_of(said, opinions, annotator, source)
            if seen is not None:
                self._check_seen(connection, annotator, news, opinions, seen)
            submission, after = None, opinions
            if news:
                submission = append_submission(connection, self._project, annotator, batch_id, now)
                append_annotations(connection, submission, self._project, news, source, confidences)
                after = opinions_after(news, annotator, source, opinions)
            released = drop_claims_on(connection, self._project, said)
            mine = (batches.c.annotator == annotator, batches.c.id == batch_id)
            released += drop_batches(connection, self._project, *mine)
            if news or released:
                self._count_change(connection)
        position = Position(since.revision + bool(news or released), submission or since.submission)
        return Submission(len(said), tuple(released), *effect(opinions, after), submission, since, position)

    def check(self, annotator: str, labels: Mapping[str, int], *, now: float) -> None:
        """Stores that the annotator looked at items again and says that these labels, by item, are right.

        Raises:
            InvalidLabelsError: a label that does not stand (any more), which somebody may have changed meanwhile.
        """
        with self._writing() as connection:
            standing = labels_of_standing(resolve(events_of(connection, self._project, labels)))
            wrong = [item_id for item_id, label_id in labels.items() if standing.get(item_id) != label_id]
            if wrong:
                raise InvalidLabelsError(
                    f"item {shown(wrong[0])} does not carry the label that was checked (any more). Look at it again; nothing "
                    "was stored."
                )
            submission = append_submission(connection, self._project, annotator, "", now)
            append_checks(connection, submission, self._project, labels)
            self._count_change(connection)

    def steps(self, annotator: str, most: int) -> list[Step]:
        """The annotator's newest steps, the newest first."""
        with self._database.reading() as connection:
            return read_steps(connection, self._project, annotator, most)

    def step(self, event: int) -> Step:
        """The step of that number, which must be one."""
        with self._database.reading() as connection:
            return steps_of(connection, [event])[0]

    def undo(self, annotator: str, *, now: float) -> Undone | None:
        """Takes back the annotator's last submission that still stands, as a whole; None when there is none.

        An event too: what stood before it stands again, and the next undo takes back the submission before it. A submit
        that appended nothing is not seen by undo. Edits of classes and checks are submissions as labels are.
        """
        return self._revert(annotator, now, last_submission, undoes=True)

    def standing_batches(self, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of these annotators and batch ids under which something was submitted that is not undone."""
        if not wanted:
            return set()
        with self._database.reading() as connection:
            return standing_among(connection, self._project, wanted)

    def take_back(self, annotator: str, submitter: str, batch_id: str, *, now: float) -> Undone | None:
        """As `undo`, of what somebody submitted last under that batch id; None where nothing of it stands."""

        def find(connection: Connection, project: int, annotator: str) -> tuple[int, int, str] | None:
            return submission_of(connection, project, submitter, batch_id)

        return self._revert(annotator, now, find, undoes=True)

    def redo(self, annotator: str, *, now: float) -> Undone | None:
        """Brings back what the annotator's last undo took back; None where there is none, or they did something since."""
        return self._revert(annotator, now, last_undo, undoes=False)

    def _revert(
        self,
        annotator: str,
        now: float,
        find: Callable[[Connection, int, str], tuple[int, int, str] | None],
        *,
        undoes: bool,
    ) -> Undone | None:
        with self._writing() as connection:
            found = find(connection, self._project, annotator)
            if found is None:
                return None
            original, reverts, batch_id = found
            since = read_position(connection, self._project)
            pairs, states = labels_of(connection, original), states_of(connection, original)
            item_ids = [item_id for item_id, _ in pairs]
            # What the submission said is read while it stands: before an undo of it, after a redo.
            events = list(events_of(connection, self._project, item_ids)) if undoes else []
            submission = append_submission(connection, self._project, annotator, batch_id, now, reverts, original)
            events = events or list(events_of(connection, self._project, item_ids))
            self._count_change(connection)
            step = steps_of(connection, [original])[0]
        whole = opinions_of(events)
        without = opinions_of(event for event in events if event[SUBMISSION] != original)
        changes = effect(whole, without) if undoes else effect(without, whole)
        moved = (NOWHERE, NOWHERE) if step.edits else (since, Position(since.revision + 1, submission))
        return Undone(batch_id, pairs, *changes, step, *moved, states)

    def _check_seen(
        self,
        connection: Connection,
        annotator: str,
        news: Mapping[str, Said],
        opinions: Mapping[str, Opinions],
        seen: int,
    ) -> None:
        newest = newest_submission(connection, self._project)
        touched = items_touched(connection, self._project, seen, newest, but_by=annotator) if newest > seen else []
        changed = [item_id for item_id in touched if item_id in news]
        if changed:
            names = self._schema(connection, read_classes(connection, self._project)).known_names
            raise changed_meanwhile(changed, news, opinions, names)

    def _check_label_ids(self, connection: Connection, label_ids: Iterable[int]) -> None:
        known = set(connection.scalars(select(labels.c.id).where(labels.c.project == self._project)))
        unknown = set(label_ids) - known
        if unknown:
            raise InvalidLabelsError(
                f"label ids {sorted(unknown)} are not known. Known: {sorted(known)}. Nothing of the request was stored."
            )
