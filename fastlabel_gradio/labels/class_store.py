"""The classes of one project in a database: what the label store, which stands on this, knows of them and changes of them."""

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, insert, select, update

from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.labels.classes import (
    ClassEdit,
    Classes,
    add_class,
    append_edit,
    checked_edit,
    clean_class_name,
    ids_by_name,
    make_schema,
    names_had,
    newest_edit,
    read_classes,
)
from fastlabel_gradio.labels.database import LabelDatabase, keep_others_out, open_database
from fastlabel_gradio.labels.events import annotated_labels, append_submission
from fastlabel_gradio.labels.tables import labels, projects
from fastlabel_gradio.types import LabelSchema


class ClassStore:
    """The classes of one project. All methods may be called from several threads and processes at once.

    Times are seconds since the epoch.

    Args:
        url: any SQLAlchemy address, e.g. "sqlite:////data/labels.sqlite". Several projects may share a database.
        project: name of the project; made when it is new.
        most_bytes: a SQLite file grows no further: what needs more is refused.

    Raises:
        StoreError: here and from every method, when the database cannot be opened, read or written.
        InvalidLabelsError: from every method, for a string that is no text (a lone surrogate, as undecodable file names
            have). After either, nothing of that call was stored.
    """

    def __init__(self, url: str, project: str, most_bytes: float | None = None) -> None:
        self._database = open_database(url, most_bytes)
        self._closing = ExitStack()
        self._closing.callback(self._database.close)
        with ExitStack() as undo:
            undo.push(self._closing)
            self._project = _project_id(self._database, project)
            self._names: tuple[str, ...] = ()
            undo.pop_all()

    def close(self) -> None:
        """Closes the database, unless others of this process use it too. What was answered is on disk already."""
        self._closing.close()

    def ensure_labels(self, names: Sequence[str]) -> LabelSchema:
        """The schema: `names` in their order, then classes that people added, and stored ones that carry annotations.

        A name keeps its id for ever, whatever its place, and a class dropped from `names` keeps its annotations. Names
        are compared after Unicode NFC and without the white space around them. One that was renamed since is found under
        both names; one that was archived is left out, and one that was merged counts as the class it is a part of.

        Raises:
            ConfigError: an empty name, or one that comes twice.
        """
        wanted = _clean_names(names)
        with self._writing() as connection:
            classes = read_classes(connection, self._project)
            known = ids_by_name(classes)
            fresh = [name for name in wanted if name not in known]
            if fresh:
                first_id = max(classes, default=-1) + 1
                rows = [{"project": self._project, "id": id_, "name": name} for id_, name in enumerate(fresh, first_id)]
                connection.execute(insert(labels), rows)
                self._count_change(connection)
        self._names = tuple(wanted)
        return self.schema()

    def schema(self) -> LabelSchema:
        """The schema as it is now, of the names that `ensure_labels` was given; of every class where it was given none."""
        with self._database.reading() as connection:
            return self._schema(connection, read_classes(connection, self._project))

    def classes(self) -> Classes:
        """Every class as it is now, by id: those of the configuration, and what people made of them."""
        with self._database.reading() as connection:
            return read_classes(connection, self._project)

    def classes_version(self) -> int:
        """The number of the newest submission that changed classes, or took that back or brought it back; 0 for none."""
        with self._database.reading() as connection:
            return newest_edit(connection, self._project)

    def former_names(self) -> dict[str, int]:
        """The class that had each name last, by every name that one had."""
        with self._database.reading() as connection:
            return names_had(connection, self._project)

    def edit_classes(self, annotator: str, edits: Sequence[ClassEdit], *, now: float) -> LabelSchema:
        """Changes classes, all or nothing, as one step that `undo` takes back; returns the schema after it.

        Raises:
            InvalidLabelsError: an unknown class, a name that another one has, or a value that makes no sense.
        """
        with self._writing() as connection:
            submission = append_submission(connection, self._project, annotator, "", now)
            for place, edit in enumerate(edits):
                classes = read_classes(connection, self._project)
                checked = checked_edit(classes, edit)
                if checked.label_id is None:
                    added = add_class(connection, self._project, classes, checked.value)
                    checked = dataclasses.replace(checked, label_id=added)
                append_edit(connection, submission, place, self._project, checked)
            self._count_change(connection)
            return self._schema(connection, read_classes(connection, self._project))

    def check_storing(self) -> None:
        """Raises StoreError where nothing can be stored now; changes nothing."""
        self._database.check()

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._database.writing() as connection:
            # Where rows can be locked this keeps other processes out of the project; SQLite has one writer anyway.
            connection.execute(select(projects.c.id).where(projects.c.id == self._project).with_for_update())
            yield connection

    def _count_change(self, connection: Connection) -> None:
        """So that whoever watches the project looks what happened."""
        here = projects.c.id == self._project
        connection.execute(update(projects).where(here).values(revision=projects.c.revision + 1))

    def _schema(self, connection: Connection, classes: Classes) -> LabelSchema:
        ids = ids_by_name(classes)
        wanted = [ids[name] for name in self._names] or [id_ for id_, one in classes.items() if one.exists]
        dropped = {id_ for id_, one in classes.items() if not one.added and not one.archived}.difference(wanted)
        annotated = annotated_labels(connection, self._project) & dropped if dropped else set()
        had = names_had(connection, self._project) | ids
        return dataclasses.replace(make_schema(classes, wanted, annotated), had=had)


def _project_id(database: LabelDatabase, name: str) -> int:
    """Makes the project where it is new; one that is known is found without waiting for a writer."""
    query = select(projects.c.id).where(projects.c.name == name)
    with database.reading() as connection:
        known = connection.scalar(query)
    if known is None:
        with database.writing() as connection:
            keep_others_out(connection)
            if connection.scalar(query) is None:
                connection.execute(insert(projects).values(name=name))
            known = connection.execute(query).scalar_one()
    return int(known)


def _clean_names(names: Sequence[str]) -> list[str]:
    clean = [clean_class_name(name) for name in names]
    if "" in clean:
        raise ConfigError(f"class {clean.index('') + 1} of {len(clean)} has an empty name. Name it or leave it out.")
    twice = next((name for place, name in enumerate(clean) if name in clean[:place]), None)
    if twice is not None:
        raise ConfigError(f"class {twice!r} is listed twice. Class names must differ; leave one out or rename it.")
    return clean
