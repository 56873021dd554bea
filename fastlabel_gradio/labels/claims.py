"""Who holds what: batches and their claims, as statements inside a transaction of the store.

A batch is open while it has claims and has not run out. Claims that ran out are dropped by whoever claims next.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, insert, select, update

from fastlabel_gradio.labels.chunks import CHUNK, chunks
from fastlabel_gradio.labels.tables import batches, claims

CHECKING = ("check", "verify")  # strategies of batches that stay open beside the one that is labeled


@dataclass(frozen=True, slots=True)
class ClaimedBatch:
    """The items that an annotator holds, in the order of the screen, and how they were picked."""

    id: str
    item_ids: tuple[str, ...]
    strategy: str
    head_version: int
    notice: str = ""


class _Facts(NamedTuple):
    id: str
    strategy: str
    head_version: int
    notice: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One item held by one annotator until `expires_at` (seconds since the epoch)."""

    item_id: str
    annotator: str
    batch_id: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """Who holds how many items since when, and until when. Times are seconds since the epoch."""

    id: str
    annotator: str
    strategy: str
    items: int
    opened_at: float
    expires_at: float


def has_run_out(expires_at: float, now: float, claim_s: float) -> bool:
    """Whether a claim is over. One that ends later than two claims from now was made by a clock that was ahead."""
    return not now < expires_at <= now + 2 * claim_s


def add_batch(
    connection: Connection, project: int, annotator: str, batch: ClaimedBatch, now: float, expires_at: float
) -> None:
    """Opens a batch and claims its items, which nobody may hold."""
    connection.execute(
        insert(batches).values(
            project=project,
            id=batch.id,
            annotator=annotator,
            strategy=batch.strategy,
            head_version=batch.head_version,
            notice=batch.notice,
            opened_at=now,
            expires_at=expires_at,
        )
    )
    rows = [
        {"project": project, "item_id": item_id, "batch_id": batch.id, "position": position}
        for position, item_id in enumerate(batch.item_ids)
    ]
    connection.execute(insert(claims), rows)


def batches_of(
    connection: Connection, project: int, annotator: str, now: float, strategy: str | None = None
) -> list[ClaimedBatch]:
    """The annotator's open batches, the newest first; of that strategy, or of none of CHECKING."""
    kind = batches.c.strategy.not_in(CHECKING) if strategy is None else batches.c.strategy == strategy
    query = _open_claims(project, now).where(batches.c.annotator == annotator, kind)
    rows = connection.execute(query.order_by(batches.c.opened_at.desc(), batches.c.id, claims.c.position)).all()
    return [
        ClaimedBatch(one.id, tuple(row.item_id for row in rows if row.id == one.id), *one[1:])
        for one in dict.fromkeys((_Facts(row.id, row.strategy, row.head_version, row.notice)) for row in rows)
    ]


def put_behind(connection: Connection, project: int, annotator: str, batch_id: str, other: str) -> None:
    """Has a batch of the annotator come after another one, as if it had been opened before that."""
    mine = (batches.c.project == project, batches.c.annotator == annotator)
    opened_at = connection.scalar(select(batches.c.opened_at).where(*mine, batches.c.id == other))
    if opened_at is not None:
        before = update(batches).where(*mine, batches.c.id == batch_id).values(opened_at=opened_at - 0.001)
        connection.execute(before)


def open_claims(connection: Connection, project: int, now: float) -> list[Claim]:
    """Every claim that has not run out, by age of the batch and position."""
    query = _open_claims(project, now).order_by(batches.c.opened_at, batches.c.id, claims.c.position)
    return [Claim(row.item_id, row.annotator, row.id, row.expires_at) for row in connection.execute(query)]


def all_batches(connection: Connection, project: int, now: float) -> list[OpenBatch]:
    """The open batches of everybody, the oldest first."""
    columns = (batches.c.id, batches.c.annotator, batches.c.strategy)
    times = (batches.c.opened_at, batches.c.expires_at)
    query = _open_claims(project, now).with_only_columns(*columns, func.count(), *times).group_by(*columns, *times)
    rows = connection.execute(query.order_by(batches.c.opened_at, batches.c.id)).tuples()
    return [OpenBatch(*row) for row in rows]


def held_items(connection: Connection, project: int, item_ids: Collection[str]) -> set[str]:
    """Those of the items that somebody holds."""
    query = select(claims.c.item_id).where(claims.c.project == project)
    if len(item_ids) > CHUNK:  # people hold some batches, never so many
        held = set(connection.scalars(query))
        return held.intersection(item_ids) if held else held
    return set(connection.scalars(query.where(claims.c.item_id.in_(item_ids))))


def extend(connection: Connection, project: int, annotator: str, batch_id: str, expires_at: float) -> bool:
    """Moves the end of a batch; False where the annotator has no such batch."""
    mine = (batches.c.project == project, batches.c.id == batch_id, batches.c.annotator == annotator)
    return connection.execute(update(batches).where(*mine).values(expires_at=expires_at)).rowcount == 1


def drop_claims_on(connection: Connection, project: int, item_ids: Collection[str]) -> list[str]:
    """Drops the claims on these items and the batches that have none left; returns the items that were held."""
    dropped = held_items(connection, project, item_ids)
    if not dropped:
        return []
    for chunk in chunks(dropped):
        connection.execute(delete(claims).where(claims.c.project == project, claims.c.item_id.in_(chunk)))
    left = exists().where(claims.c.project == batches.c.project, claims.c.batch_id == batches.c.id)
    connection.execute(delete(batches).where(batches.c.project == project, ~left))
    return [item_id for item_id in item_ids if item_id in dropped]


def drop_batches(connection: Connection, project: int, *which: ColumnElement[bool]) -> list[str]:
    """Drops the batches for which all conditions hold, and their claims; returns the items that were held."""
    chosen = (batches.c.project == project, *which)
    theirs = (claims.c.project == project, claims.c.batch_id.in_(select(batches.c.id).where(*chosen)))
    query = select(claims.c.item_id).where(*theirs).order_by(claims.c.batch_id, claims.c.position)
    item_ids = list(connection.scalars(query))
    if item_ids:  # no batch stands without a claim
        connection.execute(delete(claims).where(*theirs))
        connection.execute(delete(batches).where(*chosen))
    return item_ids


def _open_claims(project: int, now: float) -> Select[Any]:
    belongs = and_(claims.c.project == batches.c.project, claims.c.batch_id == batches.c.id)
    opened = (batches.c.project == project, batches.c.expires_at > now)
    return select(batches, claims.c.item_id).join_from(batches, claims, belongs).where(*opened)
