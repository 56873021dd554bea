"""ItemIndex: which items the pool has, in which fixed random order, which cannot be read, and of which group each is.

Of embeddings nothing is known here; `store` has them.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.pool.index_file import IndexFile
from fastlabel_gradio.sources.groups import AuditGroups, group_key
from fastlabel_gradio.types import Item

BLOCK_ITEMS = 10_000
END_OF_POOL = 2**63 - 1  # above every shuffle key
GONE = -1  # as an item's `scan`: the source has it no more

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")  # no UTF-8, so no id


@dataclass(frozen=True, slots=True)
class ScanChanges:
    """What a scan found: items that are new or back, items with other content, items that are gone."""

    new: int = 0
    changed: int = 0
    gone: int = 0

    @property
    def text(self) -> str:
        """`12 new items, 1 changed, 2 gone`; "" for none."""
        new = f"{self.new:,} new item{'' if self.new == 1 else 's'}" if self.new else ""
        others = [f"{count:,} {what}" for count, what in ((self.changed, "changed"), (self.gone, "gone")) if count]
        return ", ".join([new, *others] if new else others)


class ItemIndex:
    """The items of one project. One writer thread at a time; readers in any number of threads.

    Attributes:
        folder: of the project.
        groups: on which side of the audit each group is; an item's own group is a key in the index.

    Args:
        folder: made if missing. Raises StoreError where it cannot be written or was made by another version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = IndexFile(folder)
        self._writer = self._index.writer
        self.groups = AuditGroups(self._writer, self._index.lock)
        self._forget_scan_numbers()
        self._seen: list[np.ndarray] = []  # shuffle keys of the items of the running scan
        self._found = ScanChanges()
        self._has_new_groups = False  # whether the running scan found groups of items
        self._revision = 0
        self._arrivals = 0
        self._recount()

    @property
    def total(self) -> int:
        """Items that the last scan found, or the running one so far where that is more; unreadable ones included."""
        return self._total

    @property
    def unreadable_count(self) -> int:
        return self._unreadable

    @property
    def revision(self) -> int:
        """Another number once items left the pool or came back."""
        return self._revision

    @property
    def arrivals(self) -> int:
        """How many items the scans of this process found that were new, back, or had other content."""
        return self._arrivals

    def group_by(self, rule: str) -> None:
        """Takes in how the items are grouped, "" for not at all. Where that is new, the next scan gives them their groups.

        To be called before a scan and before embeddings are used; a second call with the same rule changes nothing.
        """
        with self._index.lock:
            if rule != self.groups.rule:
                with self._index.writing():
                    self._writer.execute("UPDATE items SET group_key = NULL WHERE group_key IS NOT NULL")
                    self.groups.regroup(rule)

    def begin_scan(self) -> None:
        """Starts a scan: items that it does not add again count as gone once it ends."""
        with self._index.lock:
            self._seen = []
            self._found = ScanChanges()
            self._has_new_groups = False
            self.groups.begin()

    def add_items(self, items: Sequence[Item], group_of: Callable[[Item], str | None] | None = None) -> list[Item]:
        """Adds items of the running scan. What is known and unchanged is only read, so a scan without news writes nothing.

        Args:
            group_of: the group of an item; asked for those that are new or changed, or whose group is not known yet.

        Raises:
            StoreError: they cannot be written.

        Returns:
            Those that are new, have another stamp, or are back; each is pending unless it was embedded with that stamp.
        """
        keys = shuffle_keys([item.id for item in items])
        rows = self._index.read_many(
            "SELECT id, stamp, scan, group_key FROM items WHERE id IN ({})", [item.id for item in items]
        )
        there = {item_id: stamp for item_id, stamp, _, _ in rows}
        gone = {item_id for item_id, _, scan, _ in rows if scan == GONE}
        added = [(item, key) for item, key in zip(items, keys.tolist(), strict=True) if item.id not in there]
        back = [item for item in items if item.id in gone]
        changed = [item for item in items if there.get(item.id, item.stamp) != item.stamp and item.id not in gone]
        groups = {item_id: group for item_id, _, _, group in rows if group is not None}
        asked = [item for item in items if item.id not in groups] + changed if group_of else []
        found = _group_keys_of(asked, group_of) if group_of else {}
        with self._index.lock:
            with self._index.writing():
                new = self._insert(added, found) + len(back)
                self._renew(back + changed, {item_id: group for item_id, group in found.items() if item_id in there})
            # Counted once they can be read: who walks the pool by these counts would miss them.
            self._seen.append(keys)
            self.groups.count({**groups, **found}.values())
            self._has_new_groups |= bool(found)
            self._total += new
            self._arrivals += new + len(changed)
            self._found = replace(self._found, new=self._found.new + new, changed=self._found.changed + len(changed))
        return [item for item, _ in added] + back + changed

    def end_scan(self, *, is_complete: bool = True, audit_share: float = 0.0) -> ScanChanges:
        """Ends a scan; what a complete one did not find leaves the pool, and its embeddings stay for a return.

        Args:
            audit_share: of the groups that are new to a complete scan, how many are for the audit.
        """
        gone = self._not_seen() if is_complete else []
        found = replace(self._found, gone=len(gone))
        self._seen = []
        if found != ScanChanges():
            with self._index.lock:
                with self._index.writing():
                    self._index.write_many(f"UPDATE items SET scan = {GONE} WHERE id IN ({{}})", gone)
                self._recount()
            self._revision += bool(found.new or found.gone)
        with self._index.writing():
            self.groups.end(audit_share if is_complete else 0, has_news=self._has_new_groups)
        return found

    def mark_unreadable(self, reasons: Sequence[tuple[Item, str]]) -> None:
        """Lists items, as (item, reason), as unreadable; each is tried again when its stamp changes, or after a retry.

        What was replaced while it was read, and has another stamp by now, is not listed: only its old content was tried.
        """
        with self._index.lock:
            with self._index.writing():
                before = self._writer.total_changes
                self._writer.executemany(
                    "UPDATE items SET reason = ?3 WHERE id = ?1 AND stamp = ?2 AND reason IS NULL",
                    [(item.id, item.stamp, why) for item, why in reasons],
                )
            self._unreadable += self._writer.total_changes - before

    def retry(self, item_ids: Sequence[str]) -> None:
        """Lists some items as unreadable no more."""
        with self._index.lock:
            with self._index.writing():
                before = self._writer.total_changes
                self._index.write_many(
                    "UPDATE items SET reason = NULL WHERE reason IS NOT NULL AND id IN ({})", item_ids
                )
            self._unreadable -= self._writer.total_changes - before

    def retry_all(self) -> None:
        """Lists no item as unreadable any more: a reader may have been installed since, or this version may read more."""
        with self._index.lock:
            with self._index.writing():
                self._writer.execute("UPDATE items SET reason = NULL WHERE reason IS NOT NULL")
            self._unreadable = 0

    def unreadable(self, limit: int) -> list[tuple[str, str]]:
        """Up to `limit` unreadable items as (id, reason), by id."""
        return self._index.read(
            "SELECT id, reason FROM items WHERE reason IS NOT NULL AND scan >= 0 ORDER BY id LIMIT ?", limit
        )

    def known_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the pool has, embedded or not; unreadable and removed items do not count."""
        return self._ids_where("reason IS NULL AND scan >= 0", item_ids)

    def listed_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the source has, readable or not."""
        return self._ids_where("scan >= 0", item_ids)

    def former_ids(self, item_ids: Sequence[str]) -> set[str]:
        """Those of the ids that the source had at an earlier scan, and has no more."""
        return self._ids_where(f"scan = {GONE}", item_ids)

    def in_order(self, after: int, limit: int) -> list[tuple[int, Item]]:
        """Readable items in shuffled order, as (shuffle key, item), from the first key above `after`."""
        found = self._index.read(
            "SELECT shuffle_key, id, stamp FROM items WHERE shuffle_key > ? AND reason IS NULL AND scan >= 0"
            " ORDER BY shuffle_key LIMIT ?",
            after,
            limit,
        )
        return [(key, Item(item_id, stamp)) for key, item_id, stamp in found]

    def items_of(self, item_ids: Sequence[str]) -> list[Item]:
        """Those of the ids that the source has, readable or not, each with its stamp of the last scan; in any order."""
        found = self._index.read_many("SELECT id, stamp FROM items WHERE scan >= 0 AND id IN ({})", item_ids)
        return [Item(item_id, stamp) for item_id, stamp in found]

    def close(self) -> None:
        self._index.close()

    def _forget_scan_numbers(self) -> None:
        """Stores of earlier versions numbered their scans; an item of none since the last complete one is gone."""
        with self._writer:
            if self._index.count("SELECT count(*) FROM completed_scans"):
                self._writer.execute(
                    f"UPDATE items SET scan = {GONE} WHERE scan < (SELECT max(number) FROM completed_scans)"
                )
                self._writer.execute("DELETE FROM completed_scans")

    def _insert(self, items: Sequence[tuple[Item, int]], groups: Mapping[str, int]) -> int:
        """Adds items with their shuffle keys; returns how many are new, for a source may list an item twice."""
        before = self._writer.total_changes
        self._index.insert(
            "INSERT INTO items (id, stamp, shuffle_key, group_key, scan) SELECT *, 0 FROM (VALUES {}) WHERE true"
            " ON CONFLICT (id) DO NOTHING",
            [(item.id, item.stamp, key, groups.get(item.id)) for item, key in items],
        )
        return self._writer.total_changes - before

    def _renew(self, items: Sequence[Item], groups: Mapping[str, int]) -> None:
        """Known items that are back, or have another stamp; and groups of known items."""
        self._writer.executemany(
            "UPDATE items SET reason = CASE WHEN stamp = ?2 THEN reason END, stamp = ?2, scan = 0 WHERE id = ?1",
            [(item.id, item.stamp) for item in items],
        )
        self._writer.executemany(
            "UPDATE items SET group_key = ?2 WHERE id = ?1 AND group_key IS NOT ?2", list(groups.items())
        )

    def _not_seen(self) -> list[str]:
        """Ids of the pool that the running scan did not add."""
        seen = np.concatenate([*self._seen, np.empty(0, dtype=np.int64)])
        seen.sort()  # np.unique takes seconds for a million
        if len(seen) - np.count_nonzero(seen[1:] == seen[:-1]) == self._total:
            return []
        gone: list[str] = []
        after = ""
        while block := self._index.read(
            "SELECT id, shuffle_key, scan FROM items WHERE id > ? ORDER BY id LIMIT ?", after, BLOCK_ITEMS
        ):
            after = block[-1][0]
            keys = np.array([key for _, key, _ in block], dtype=np.int64)
            is_seen = np.searchsorted(seen, keys, "right") > np.searchsorted(seen, keys, "left")
            gone += [
                item_id for (item_id, _, scan), found in zip(block, is_seen, strict=True) if scan >= 0 and not found
            ]
        return gone

    def _recount(self) -> None:
        self._total = self._index.count("SELECT count(*) FROM items WHERE scan >= 0")
        self._unreadable = self._index.count("SELECT count(*) FROM items WHERE reason IS NOT NULL AND scan >= 0")

    def _ids_where(self, condition: str, item_ids: Sequence[str]) -> set[str]:
        ids = [item_id for item_id in item_ids if item_id.isascii() or not _LONE_SURROGATE.search(item_id)]
        found = self._index.read_many(f"SELECT id FROM items WHERE {condition} AND id IN ({{}})", ids)
        return {item_id for (item_id,) in found}


def _group_keys_of(items: Iterable[Item], group_of: Callable[[Item], str | None]) -> dict[str, int]:
    """By item id, of those that are of a group."""
    return {item.id: group_key(group) for item in items if (group := group_of(item)) is not None}


def shuffle_keys(item_ids: Sequence[str]) -> Int64[np.ndarray, " items"]:
    """A fixed pseudo-random place for each item, 0 to 2^62: the same order after every restart."""
    digests = (blake2b(item_id.encode("utf-8", "surrogateescape"), digest_size=8).digest() for item_id in item_ids)
    return (np.frombuffer(b"".join(digests), dtype=">u8") >> 2).astype(np.int64)


def shuffle_key(item_id: str) -> int:
    """That of one item."""
    return int(shuffle_keys([item_id])[0])
