"""The labels and claims of one project: what the labeler calls. Each call is one transaction."""

import dataclasses
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, insert, or_, select

from fastlabel_gradio.errors import ConfigError, InvalidLabelsError
from fastlabel_gradio.label_store.claims import (
    Claim,
    ClaimedBatch,
    add_batch,
    drop_batches,
    drop_claims_on,
    extend,
    held_items,
    newest_batch,
    open_claims,
)
from fastlabel_gradio.label_store.database import LabelDatabase, batches, labels, open_database, projects
from fastlabel_gradio.label_store.events import (
    all_events,
    annotated_labels,
    append_labels,
    append_submission,
    changes,
    events_of,
    labels_of,
    last_submission,
    opinions,
    standing_labels,
)
from fastlabel_gradio.types import Annotation, Label, LabelSchema


@dataclass(frozen=True, slots=True)
class Submission:
    """What a submit did.

    Attributes:
        accepted: labels in the request, those that were known already included.
        changed: items whose standing label is another than before, with the one that stands now.
        released: items whose claim was dropped, whoever held it.
    """

    accepted: int
    changed: dict[str, int | None]
    released: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """A submission that was taken back: its batch, its labels in order, and the items whose standing label changed."""

    batch_id: str
    labels: tuple[tuple[str, int], ...]
    changed: dict[str, int | None]


class LabelStore:
    """The labels and claims of one project. All methods may be called from several threads and processes at once.

    Times are seconds since the epoch.

    Args:
        url: any SQLAlchemy address, e.g. "sqlite:////data/labels.sqlite". Several projects may share a database.
        project: name of the project; made when it is new.

    Raises:
        StoreError: here and from every method, when the database cannot be opened, read or written.
        InvalidLabelsError: from every method, for a string that is no text (a lone surrogate, as undecodable file names
            have). After either, nothing of that call was stored.
    """

    def __init__(self, url: str, project: str) -> None:
        self._database = open_database(url)
        self._closing = ExitStack()
        self._closing.callback(self._database.close)
        with ExitStack() as undo:
            undo.push(self._closing)
            self._project = _project_id(self._database, project)
            undo.pop_all()

    def close(self) -> None:
        """Closes the database, unless others of this process use it too. What was answered is on disk already."""
        self._closing.close()

    def ensure_labels(self, names: Sequence[str]) -> LabelSchema:
        """The schema: `names` in their order, then stored labels that carry annotations and are not among them.

        A name keeps its id for ever, whatever its place, and a class dropped from `names` keeps its annotations. Names
        are compared after Unicode NFC and without the white space around them.

        Raises:
            ConfigError: fewer than two names, an empty one, or one that comes twice.
        """
        wanted = _clean_names(names)
        with self._writing() as connection:
            stored = self._label_ids(connection)
            first_id = max(stored.values(), default=-1) + 1
            fresh = {name: first_id + place for place, name in enumerate(n for n in wanted if n not in stored)}
            if fresh:
                rows = [{"project": self._project, "id": id_, "name": name} for name, id_ in fresh.items()]
                connection.execute(insert(labels), rows)
            dropped = {name: id_ for name, id_ in stored.items() if name not in wanted}
            annotated = annotated_labels(connection, self._project) if dropped else set()
        ids = stored | fresh
        kept = [name for name, id_ in dropped.items() if id_ in annotated]
        return LabelSchema(tuple(Label(ids[name], name) for name in (*wanted, *kept)))

    def known_labels(self) -> LabelSchema:
        """Every label that was ever used here, by id: changes nothing, where `ensure_labels` may."""
        with self._database.reading() as connection:
            return LabelSchema(tuple(Label(id_, name) for name, id_ in self._label_ids(connection).items()))

    def current(self) -> dict[str, int]:
        """Item id to the label id that stands for training, of every labeled item. One streamed query over all events.

        The first annotator of an item owns it: their latest label stands, later annotators are second opinions.
        """
        with self._database.reading() as connection:
            return standing_labels(all_events(connection, self._project))

    def standing(self, item_ids: Iterable[str]) -> dict[str, int]:
        """As `current`, of these items only: tells what another process made of items that `claim` did not get."""
        with self._database.reading() as connection:
            return standing_labels(events_of(connection, self._project, item_ids))

    def annotations(self) -> Iterator[Annotation]:
        """The opinion of every annotator of every item they labeled, oldest submission first, as a stream."""
        with self._database.reading() as connection:
            yield from opinions(connection, self._project)

    def submit(
        self, annotator: str, labels: Sequence[tuple[str, int]], batch_id: str = "", *, now: float
    ) -> Submission:
        """Stores what an annotator says of items, all or nothing, and drops the claims on these items.

        What the annotator said of an item before and says again is not stored twice; another label is a correction.

        Args:
            annotator: who says it.
            labels: pairs of item id and label id.
            batch_id: the annotator's open batch that this closes: its other items go back to the pool. A batch of
                somebody else, or one that is gone, is left as it is; the labels count all the same.
            now: when it was said.

        Raises:
            InvalidLabelsError: a label id that the project does not have, an empty item id, an item with two labels.
        """
        said = _one_label_each(labels)
        with self._writing() as connection:
            self._check_label_ids(connection, said.values())
            history = events_of(connection, self._project, said)
            own = {event.item_id: event.label_id for event in history if event.annotator == annotator}
            news = {item_id: label_id for item_id, label_id in said.items() if own.get(item_id) != label_id}
            appended = append_labels(connection, self._project, annotator, batch_id, news, now) if news else []
            released = drop_claims_on(connection, self._project, said)
            mine = (batches.c.annotator == annotator, batches.c.id == batch_id)
            released += drop_batches(connection, self._project, *mine)
        return Submission(len(labels), changes(history, [*history, *appended]), tuple(released))

    def undo(self, annotator: str, *, now: float) -> Undone | None:
        """Takes back the annotator's last submission that still stands, as a whole; None when there is none.

        An event too: the labels before it stand again, and the next undo takes back the submission before it. A submit
        that appended nothing is not seen by undo.
        """
        with self._writing() as connection:
            last = last_submission(connection, self._project, annotator)
            if last is None:
                return None
            number, batch_id = last
            pairs = labels_of(connection, number)
            history = events_of(connection, self._project, dict(pairs))
            append_submission(connection, self._project, annotator, batch_id, now, reverts=number)
        return Undone(batch_id, pairs, changes(history, [event for event in history if event.submission != number]))

    def claim(
        self, annotator: str, batch: ClaimedBatch, *, now: float, expires_at: float, replace: bool = False
    ) -> tuple[str, ...]:
        """Claims the batch's items that nobody holds and nobody labeled, in one transaction.

        Args:
            annotator: who will hold them.
            batch: with an id that is not in use.
            now: claims that ran out by then are dropped first, as are those of a clock that was ahead (`has_run_out`).
            expires_at: when these claims run out.
            replace: give back what the annotator holds first; otherwise that batch stays open beside this one.

        Returns:
            The ids that were claimed, in the order of the batch. Fewer than asked for where another process on the same
            database was faster; where none is left, no batch is opened.
        """
        with self._writing() as connection:
            ends = batches.c.expires_at
            drop_batches(connection, self._project, or_(ends <= now, ends > now + 2 * (expires_at - now)))
            if replace:
                drop_batches(connection, self._project, batches.c.annotator == annotator)
            held = held_items(connection, self._project, batch.item_ids)
            labeled = {event.item_id for event in events_of(connection, self._project, batch.item_ids)}
            got = tuple(item_id for item_id in dict.fromkeys(batch.item_ids) if item_id not in held | labeled)
            if got:
                taken = dataclasses.replace(batch, item_ids=got)
                add_batch(connection, self._project, annotator, taken, now, expires_at)
        return got

    def open_batch(self, annotator: str, *, now: float) -> ClaimedBatch | None:
        """The annotator's newest batch whose claims have not run out, without items that were labeled meanwhile."""
        with self._database.reading() as connection:
            return newest_batch(connection, self._project, annotator, now)

    def renew(self, annotator: str, batch_id: str, *, expires_at: float) -> bool:
        """Moves the end of a batch's claims; False when it is closed, or its claims ran out and were dropped."""
        with self._writing() as connection:
            return extend(connection, self._project, annotator, batch_id, expires_at)

    def release(self, annotator: str) -> tuple[str, ...]:
        """Gives back all that the annotator holds; returns the item ids."""
        with self._writing() as connection:
            return tuple(drop_batches(connection, self._project, batches.c.annotator == annotator))

    def claims(self, *, now: float) -> list[Claim]:
        """Every claim that has not run out, oldest batch first, in the order of the batch."""
        with self._database.reading() as connection:
            return open_claims(connection, self._project, now)

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            # Where rows can be locked this keeps other processes out of the project; SQLite has one writer anyway.
            connection.execute(select(projects.c.id).where(projects.c.id == self._project).with_for_update())
            yield connection

    def _label_ids(self, connection: Connection) -> dict[str, int]:
        query = select(labels.c.name, labels.c.id).where(labels.c.project == self._project).order_by(labels.c.id)
        return {row.name: row.id for row in connection.execute(query)}

    def _check_label_ids(self, connection: Connection, label_ids: Iterable[int]) -> None:
        known = set(self._label_ids(connection).values())
        unknown = set(label_ids) - known
        if unknown:
            raise InvalidLabelsError(
                f"label ids {sorted(unknown)} are not known. Known: {sorted(known)}. Nothing of the request was stored."
            )


def _project_id(database: LabelDatabase, name: str) -> int:
    """Makes the project where it is new; one that is known is found without waiting for a writer."""
    query = select(projects.c.id).where(projects.c.name == name)
    with database.reading() as connection:
        known = connection.scalar(query)
    if known is None:
        with database.writing() as connection:
            if connection.scalar(query) is None:
                connection.execute(insert(projects).values(name=name))
            known = connection.execute(query).scalar_one()
    return int(known)


def _clean_names(names: Sequence[str]) -> list[str]:
    clean = [unicodedata.normalize("NFC", name).strip() for name in names]
    if len(clean) < 2:
        raise ConfigError(f"classes {clean!r}: a classifier needs two or more. Add a class, e.g. 'other'.")
    if "" in clean:
        raise ConfigError(f"class {clean.index('') + 1} of {len(clean)} has an empty name. Name it or leave it out.")
    twice = next((name for place, name in enumerate(clean) if name in clean[:place]), None)
    if twice is not None:
        raise ConfigError(f"class {twice!r} is listed twice. Class names must differ; leave one out or rename it.")
    return clean


def _one_label_each(pairs: Sequence[tuple[str, int]]) -> dict[str, int]:
    said: dict[str, int] = {}
    for item_id, label_id in pairs:
        if said.setdefault(item_id, label_id) != label_id:
            raise InvalidLabelsError(f"item {item_id!r} has two labels in one request. Send one; nothing was stored.")
    return said
