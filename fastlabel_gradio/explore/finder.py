"""Finder: counts and finds the items of a query in one pool, from the ledger's picture, the scan and the stores.

The only place where a query is evaluated: views, bulk actions and exports ask here.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.errors import InvalidQueryError, shown
from fastlabel_gradio.explore.area import is_within
from fastlabel_gradio.explore.doubts import Heads
from fastlabel_gradio.explore.finding.facets import Facets, count_facets
from fastlabel_gradio.explore.finding.folders import Folders
from fastlabel_gradio.explore.finding.found_lists import FoundList, FoundLists
from fastlabel_gradio.explore.finding.label_probability import LabelProbabilities
from fastlabel_gradio.explore.finding.sent_vectors import vector_of
from fastlabel_gradio.explore.finding.unsaid import unsaid, without
from fastlabel_gradio.explore.layout import Points
from fastlabel_gradio.explore.map_picture import MapPicture, draw_map
from fastlabel_gradio.explore.pool_map import PoolMap
from fastlabel_gradio.labels import LabelStore, Owner
from fastlabel_gradio.pool.desk import Desk
from fastlabel_gradio.pool.query import Area, Columns, Near, Query, in_order, matching, order_keys
from fastlabel_gradio.pool.scanned import NOTHING_SCANNED, UNSEEN, Scanned
from fastlabel_gradio.pool.scoring import similarities
from fastlabel_gradio.pool.space import EmbeddingSpace
from fastlabel_gradio.pool.standings import SOURCES, STATES
from fastlabel_gradio.types import Item, LabelSchema, LabelSource, ListName, Rows, State

SCANNED_AT_ONCE = 32_768  # rows that a query waits for; of more it takes what is there
NOT_LIKE = 0.5  # how much what items shall not be like counts
IDS_AT_ONCE = 10_000
LOADING = "'near': the encoder is still loading. Try again in a moment."


@dataclass(frozen=True, slots=True)
class FoundItem:
    """One item of a page. Of what stands all is None where nothing was said, `similarity` is None without `near`.

    Attributes:
        place: in the order of the query, from 0.
    """

    item: Item
    row: int
    place: int
    label: str | None
    state: State | None
    source: LabelSource | None
    owner: Owner | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a query in its order.

    Attributes:
        total: items that the query has.
        items: those of the page whose file did not change in this moment.
        list_id: names the list that this is a page of, for `Finder.page`.
        head_version, scanned, rows: of `rows` rows so many were looked at by the newest head, of that version; what a head
            says of the others is that of the heads before it, or not known.
        event: a submission of the label store: all up to it is told here.
    """

    total: int
    items: list[FoundItem]
    list_id: str
    head_version: int
    scanned: int
    rows: int
    event: int


class Finder:
    """Evaluates queries over one pool. All methods may be called from any thread.

    Args:
        list_keys: gives by what so many rows are ordered on a list, NaN for those that are not on it.
        pool_map: where items lie on the map; None where there is none.
    """

    def __init__(
        self,
        desk: Desk,
        heads: Heads,
        list_keys: Callable[[ListName, int], np.ndarray],
        pool_map: PoolMap | None = None,
    ) -> None:
        self._desk = desk
        self._store = desk.store
        self._ledger = desk.ledger
        self._heads = heads
        self._list_keys = list_keys
        self._map = pool_map
        self._owners = _Owners(desk.label_store)
        self._lists = FoundLists()
        self._folders = Folders(desk.store)
        self._label_probabilities = LabelProbabilities()

    def count(self, query: Query) -> int:
        """How many items a query has. Raises InvalidQueryError."""
        return len(matching(query, self._columns(query)))

    def page(
        self, query: Query, offset: int, size: int, list_id: str = "", hidden: Collection[str] = frozenset()
    ) -> Page:
        """Some items of a query, from the one at `offset` of its order on.

        Args:
            list_id: of an earlier page: this one is of the same list, with the items that the query had then.
            hidden: items that are found and shown as if nobody and no head had said anything of them.

        Raises:
            InvalidQueryError. ExpiredListError: that list is not kept any more.
        """
        columns = self._columns(Query() if list_id else query, hidden=hidden)
        found = self._lists.get(list_id) if list_id else self._found(query, columns)
        list_id = list_id or self._lists.keep(found)
        rows, likeness = found.part(offset, size)
        scanned = columns.scanned
        items = self._items(columns, rows, likeness, offset)
        return Page(
            found.size,
            items,
            list_id,
            scanned.head_version,
            scanned.done,
            len(columns.standings.in_pool),
            columns.standings.event,
        )

    def facets(self, query: Query, hidden: Collection[str] = frozenset()) -> Facets:
        """How many items of a query there are of each class, state, person and so on; `hidden` as of `page`.

        Raises InvalidQueryError.
        """
        columns = self._columns(query, all_of_them=True, hidden=hidden)
        return count_facets(query, columns, self._folders.column(len(columns.standings.in_pool)))

    def rows(self, query: Query, hidden: Collection[str] = frozenset()) -> Rows:
        """The rows of all items of a query in its order; `hidden` as of `page`. Raises InvalidQueryError."""
        columns = self._columns(query, hidden=hidden)
        rows = matching(query, columns)
        return np.asarray(rows[in_order(query, columns, rows, len(rows), self._similarities(query, rows))])

    def item_ids(self, query: Query) -> Iterator[str]:
        """The ids of all items of a query in its order, as of one moment, as a stream. Raises InvalidQueryError."""
        rows = self.rows(query)
        for start in range(0, len(rows), IDS_AT_ONCE):
            yield from (item.id for item in self._store.items_at(rows[start : start + IDS_AT_ONCE]).values())

    def unjudged_rows(self, most: int) -> Rows:
        """The first rows of which nobody said anything, ascending: a random sample of them."""
        self._desk.glance()
        standings = self._ledger.standings()
        return np.flatnonzero(standings.in_pool & (standings.said["state"] == 0))[:most].astype(np.int64)

    # Private

    def _found(self, query: Query, columns: Columns) -> FoundList:
        rows = matching(query, columns)
        likeness = self._similarities(query, rows)
        return FoundList(query, rows, order_keys(query, columns, rows, likeness), likeness)

    def _columns(self, query: Query, *, all_of_them: bool = False, hidden: Collection[str] = frozenset()) -> Columns:
        """What is known of every row, as far as the query asks for it."""
        self._desk.glance()
        standings, schema = self._ledger.standings(), self._desk.schema
        rows = len(standings.in_pool)
        named = list(dict.fromkeys([*(query.ids or ()), *query.exclude]))
        scanned = self._scanned(schema, rows, needed=query.needs_head or all_of_them)
        covered = self._rows_of(hidden, rows)
        columns = Columns(
            *unsaid(standings, scanned, covered),
            schema,
            rows_of=self._store.rows_of(named),
            with_text=None if query.text is None else self._store.rows_with(query.text),
            audited=None if query.audited is None else self._ledger.audit_set().rows,
            in_area=None if query.area is None else self._within(query.area, rows),
            on_list=None if query.of_list is None else without(self._list_keys(query.of_list, rows), covered, np.nan),
            in_folder=None if query.folder is None else self._store.rows_in(query.folder),
        )
        if query.ordered_by.strip("-") == "label_probability":
            columns = replace(columns, label_probabilities=self._probabilities_of_labels(columns))
        if not (query.needs_owners or all_of_them):
            return columns
        annotators, said_at, names = self._owners.columns(rows, self._ledger.judged_rows)
        annotators, said_at = without(annotators, covered, -1), without(said_at, covered, np.nan)
        return replace(columns, annotators=annotators, said_at=said_at, names=names)

    def drawn_map(self, points: Points, hidden: Collection[str] = frozenset()) -> MapPicture:
        """The map of the pool as of now; `hidden` as of `page`."""
        self._desk.glance()
        standings, schema = self._ledger.standings(), self._desk.schema
        rows = len(standings.in_pool)
        scanned = self._scanned(schema, rows, needed=False)
        return draw_map(points, *unsaid(standings, scanned, self._rows_of(hidden, rows)), schema)

    def _rows_of(self, item_ids: Collection[str], rows: int) -> Rows:
        """Those that are below `rows`, of items that are embedded."""
        found = self._store.rows_of(list(item_ids)).values() if item_ids else ()
        return np.array([row for row in found if row < rows], dtype=np.int64)

    def _within(self, area: Area, rows: int) -> np.ndarray:
        """bool[rows], False for a row that came a moment ago and has no place yet. Raises InvalidQueryError."""
        if self._map is None:
            raise InvalidQueryError("'area': there is no map here.")
        found = np.zeros(rows, dtype=bool)
        inside = is_within(self._map.points_of(area.map)[:rows], np.array(area.polygon))
        found[: len(inside)] = inside
        return found

    def _probabilities_of_labels(self, columns: Columns) -> np.ndarray:
        head = self._heads.head
        if head is not None and not head.fits(columns.schema):
            head = None  # classes have changed since: the next head knows them
        return self._label_probabilities.column(head, self._heads.ground_of(head), columns.places)

    def _scanned(self, schema: LabelSchema, rows: int, *, needed: bool) -> Scanned:
        """What heads say of so many rows; that of the newest one where little is missing, otherwise what is there."""
        head = self._heads.head
        ground = self._heads.ground_of(head)
        if needed and head and (missing := ground.scan.missing(head, rows)):
            if missing <= SCANNED_AT_ONCE:
                ground.scan.complete(head, ground.embeddings[:rows])
            else:
                self._heads.scan_soon()
        return _of_rows(ground.scan.view(schema.ids) if head else NOTHING_SCANNED, rows)

    def _similarities(self, query: Query, rows: Rows) -> Float32[np.ndarray, " rows"] | None:
        """Cosines in the space of the encoder in use, whichever head answers."""
        if query.near is None:
            return None
        space = self._store.space
        if space is None:
            raise InvalidQueryError(LOADING)
        return similarities(self._wanted(query.near, space), space.embeddings, rows, space.release_pages)

    def _wanted(self, near: Near, space: EmbeddingSpace) -> Float32[np.ndarray, " dim"]:
        """The unit vector of what items shall be like, less half of what they shall not be like.

        Each of the two is the sum of the mean of its items and of its text, as J. J. Rocchio has it ("Relevance Feedback in
        Information Retrieval", 1971) with the weights 1 and 0.5.
        """
        sent = [vector_of(text, space) for text in near.vectors]
        liked = self._meant(near.ids, near.text, space, sent)
        unliked = self._meant(near.not_ids, near.not_text, space)
        wanted = liked - NOT_LIKE * unliked
        length = float(np.linalg.norm(wanted))
        if length < 1e-6:
            raise InvalidQueryError("'near': what items shall be like and what not are the same. Leave one out.")
        return np.asarray(wanted / length, dtype=np.float32)

    def _meant(
        self, item_ids: Sequence[str], text: str, space: EmbeddingSpace, sent: Sequence[np.ndarray] = ()
    ) -> Float32[np.ndarray, " dim"]:
        embeddings = space.embeddings
        meant = np.zeros(space.dim, dtype=np.float32)
        found = self._store.rows_of(item_ids) if item_ids else {}
        unknown = next((item_id for item_id in item_ids if item_id not in found), None)
        if unknown is not None:
            raise InvalidQueryError(f"'near': item {shown(unknown)} is not in this project, or not embedded yet.")
        examples = [*(embeddings[row] for row in found.values()), *sent]
        if examples:
            meant += np.mean(examples, axis=0)
        if text:
            meant += self._text_vector(text, space)
        return meant

    def _text_vector(self, text: str, space: EmbeddingSpace) -> Float32[np.ndarray, " dim"]:
        """Raises InvalidQueryError while the encoder is loading, EncoderUnavailableError where it reads no texts."""
        encoder = self._desk.pipeline.encoder
        if encoder is None or encoder.space != space.name:  # in the last case another one is just taking over
            raise InvalidQueryError(LOADING)
        return np.asarray(encoder.encode_text([text])[0])

    def _items(self, columns: Columns, rows: Rows, likeness: np.ndarray | None, offset: int) -> list[FoundItem]:
        items = self._store.items_at(rows)
        names = columns.schema.known_names
        owners = self._owners.of([item.id for item in items.values()])
        found = []
        for place, row in enumerate(rows.tolist()):
            if row not in items:
                continue
            said = columns.standings.said[row]
            state, source, label = int(said["state"]), int(said["source"]), int(said["label"])
            found.append(
                FoundItem(
                    items[row],
                    row,
                    offset + place,
                    names.get(label) if state else None,
                    STATES[state - 1] if state else None,
                    SOURCES[source - 1] if source else None,
                    owners.get(items[row].id) if state else None,
                    None if likeness is None else float(likeness[place]),
                )
            )
        return found


class _Owners:
    """Who said what stands of each item, and when, kept up to date with the label store from the first question on."""

    def __init__(self, label_store: LabelStore) -> None:
        self._label_store = label_store
        self._lock = threading.Lock()
        self._newest = 0
        self._owners: dict[str, Owner] = {}

    def of(self, item_ids: Sequence[str]) -> dict[str, Owner]:
        """Those of some items."""
        with self._lock:
            self._look()
            return {item_id: self._owners[item_id] for item_id in item_ids if item_id in self._owners}

    def columns(
        self, rows: int, rows_of: Callable[[Sequence[str]], Rows]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
        """`annotators`, `said_at` and `names` as `Columns` has them.

        Args:
            rows_of: gives the row of each item, -1 for none.
        """
        with self._lock:
            self._look()
            item_ids, owners = list(self._owners), list(self._owners.values())
        names = {name: number for number, name in enumerate(dict.fromkeys(owner.annotator for owner in owners))}
        annotators, said_at = np.full(rows, -1, dtype=np.int32), np.full(rows, np.nan)
        places = rows_of(item_ids)
        known = (places >= 0) & (places < rows)
        annotators[places[known]] = np.array([names[owner.annotator] for owner in owners], dtype=np.int32)[known]
        said_at[places[known]] = np.array([owner.said_at for owner in owners], dtype=np.float64)[known]
        return annotators, said_at, names

    def _look(self) -> None:
        self._newest, changed = self._label_store.owners(self._newest)
        for item_id, owner in changed.items():
            if owner is None:
                self._owners.pop(item_id, None)
            else:
                self._owners[item_id] = owner


def _of_rows(scanned: Scanned, rows: int) -> Scanned:
    """Of exactly so many rows."""
    more = max(rows - len(scanned.classes), 0)
    return Scanned(
        np.concatenate([scanned.classes[:rows], np.full(more, UNSEEN, dtype=np.int16)]),
        np.concatenate([scanned.confidences[:rows], np.zeros(more, dtype=np.float32)]),
        np.concatenate([scanned.margins[:rows], np.full(more, np.inf, dtype=np.float16)]),
        scanned.head_version,
        min(scanned.done, rows),
    )
