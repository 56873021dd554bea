"""The newest head of a project as bytes, for every process on its database, and whose turn it is to train the next one.

What a head is is not known here. A turn ends by itself where its process does not renew it: a crash frees it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, exists, insert, or_, select, update

from fastlabel_gradio.labels.class_store import ClassStore
from fastlabel_gradio.labels.tables import heads


@dataclass(frozen=True, slots=True)
class StoredHead:
    """A head that some process trained.

    Attributes:
        revision: counts the heads that were stored for the project.
        event: the newest submission that was known when it was trained.
        checkpoint: the content of its file. record: that of the learning curve up to it.
    """

    revision: int
    event: int
    checkpoint: bytes
    record: bytes


class HeadStore(ClassStore):
    """The part of the label store that holds the newest head."""

    def head_after(self, revision: int) -> StoredHead | None:
        """The newest head, where it is not the one of that revision or an earlier one. Its bytes are read only then."""
        columns = (heads.c.revision, heads.c.event, heads.c.checkpoint, heads.c.record)
        with self._database.reading() as connection:
            found = connection.execute(
                select(*columns).where(heads.c.project == self._project, heads.c.revision > revision)
            ).one_or_none()
        return StoredHead(*found[:2], bytes(found.checkpoint), bytes(found.record)) if found else None

    def store_head(self, event: int, checkpoint: bytes, record: bytes) -> int:
        """Stores a head in place of one that knew no more; returns its revision, 0 where the one that is there knew more."""
        with self._writing() as connection:
            self._make_row(connection)
            mine = heads.c.project == self._project
            values = {"revision": heads.c.revision + 1, "event": event, "checkpoint": checkpoint, "record": record}
            if not connection.execute(update(heads).where(mine, heads.c.event <= event).values(values)).rowcount:
                return 0
            self._count_change(connection)
            return int(connection.execute(select(heads.c.revision).where(mine)).scalar_one())

    def begin_training(self, trainer: str, *, now: float, until: float) -> bool:
        """Takes the turn to train, or renews it; False while somebody else has it.

        Args:
            trainer: whose turn it is; another text for each labeler of each process.
            until: when it ends by itself. One that ends later than two turns from now is of a clock that was ahead.
        """
        ends, here = heads.c.trains_until, heads.c.project == self._project
        is_free = or_(heads.c.trainer == trainer, ends <= now, ends > now + 2 * (until - now))
        with self._database.reading() as connection:  # who waits for a turn asks often, and keeps nobody from writing
            if connection.scalar(select(exists().where(here, ~is_free))):
                return False
        with self._writing() as connection:
            self._make_row(connection)
            taken = update(heads).where(here, is_free)
            return connection.execute(taken.values(trainer=trainer, trains_until=until)).rowcount == 1

    def end_training(self, trainer: str) -> None:
        """Gives the turn back, where it is still the trainer's."""
        with self._writing() as connection:
            mine = update(heads).where(heads.c.project == self._project, heads.c.trainer == trainer)
            connection.execute(mine.values(trains_until=0))

    def _make_row(self, connection: Connection) -> None:
        if not connection.scalar(select(exists().where(heads.c.project == self._project))):
            connection.execute(insert(heads).values(project=self._project))
