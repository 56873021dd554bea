"""Query: a set of items of one pool, named by what is true of them, and an order. Checked where it comes in.

`matching` finds its rows in columns of the whole pool, one array an attribute; where those come from is the finder's affair.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, cast, get_args

import numpy as np
from jaxtyping import Int64
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictStr, model_validator

from fastlabel_gradio.errors import InvalidQueryError, shown
from fastlabel_gradio.pool.scanned import UNSEEN, Scanned
from fastlabel_gradio.pool.standings import SOURCES, STATES, Standings
from fastlabel_gradio.sources.groups import group_key
from fastlabel_gradio.types import LabelSchema, LabelSource, ListName, Rows

MAX_VALUES = 10_000  # of a list, also of ids
MAX_SEEDS = 100
MAX_TEXT = 1_000
MAX_VECTORS = 10
MAX_VECTOR = 30_000  # characters of one
MAX_ITEM_ID = 5_000
MAX_CORNERS = 500
UNLABELED = "none"  # as a state: nothing was said

Order = Literal[
    "pool",
    "confidence",
    "-confidence",
    "margin",
    "-margin",
    "label_probability",
    "-label_probability",
    "time",
    "-time",
    "similarity",
    ListName,
]
BY_HEAD = ("confidence", "margin", "label_probability")


def _is_range(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] > limits[1]:
        raise ValueError("the lower limit comes first")
    return limits


Share = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Shares = Annotated[tuple[Share, Share], AfterValidator(_is_range)]
Name = Annotated[StrictStr, Field(max_length=MAX_TEXT)]
Names = Annotated[tuple[Name, ...], Field(max_length=MAX_VALUES, fail_fast=True)]
ItemIds = Annotated[
    tuple[Annotated[StrictStr, Field(max_length=MAX_ITEM_ID)], ...], Field(max_length=MAX_VALUES, fail_fast=True)
]
Seeds = Annotated[ItemIds, Field(max_length=MAX_SEEDS)]
States = Annotated[
    tuple[Literal["none", "label", "skip", "unsure", "bad"], ...], Field(max_length=MAX_VALUES, fail_fast=True)
]
Sources = Annotated[tuple[LabelSource, ...], Field(max_length=MAX_VALUES, fail_fast=True)]


class _Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Near(_Frozen):
    """What items shall be like: the mean of some items and of what was sent, a text, or both; and what not."""

    ids: Seeds = ()
    not_ids: Seeds = ()
    text: Name = ""
    not_text: Name = ""
    vectors: Annotated[
        tuple[Annotated[StrictStr, Field(max_length=MAX_VECTOR)], ...], Field(max_length=MAX_VECTORS, fail_fast=True)
    ] = Field(default=(), description="of pictures or sounds, as `POST /api/vector` gives them")

    @model_validator(mode="after")
    def _is_like_something(self) -> "Near":
        if not self.ids and not self.text and not self.vectors:
            raise ValueError("'near' needs 'ids', 'text' or 'vectors' that items shall be like")
        return self


Coordinate = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]


class Area(_Frozen):
    """A part of the map: the version of the layout that it was drawn on, and the corners of a polygon."""

    map: Annotated[StrictStr, Field(max_length=64)]
    polygon: Annotated[
        tuple[tuple[Coordinate, Coordinate], ...], Field(min_length=3, max_length=MAX_CORNERS, fail_fast=True)
    ]


class Query(_Frozen):
    """Which items, and in which order. What is left out does not matter; all that is named must be true of an item."""

    labels: Names | None = Field(default=None, description="the class that stands is one of these")
    states: States | None = Field(default=None, description="what stands is one of these; `none`: nothing was said")
    sources: Sources | None = Field(default=None, description="what stands came by one of these")
    annotators: Names | None = Field(default=None, description="what stands was said by one of these")
    time: tuple[datetime | None, datetime | None] | None = Field(
        default=None, description="what stands was said between these times, both included; without a zone they are UTC"
    )
    predicted: Names | None = Field(default=None, description="the head's most probable class is one of these")
    confidence: Shares | None = Field(
        default=None, description="the probability of that class is within these, both included"
    )
    margin: Shares | None = Field(default=None, description="that probability less the second largest is within these")
    agrees: StrictBool | None = Field(default=None, description="the label that stands is, or is not, the head's class")
    text: Name | None = Field(default=None, description="a part of the id, in either case of the letters A to Z")
    ids: ItemIds | None = Field(default=None, description="one of these items")
    group: Name | None = Field(default=None, description="of this recording, site, speaker or burst")
    folder: Name | None = Field(default=None, description="its id lies in this folder, or in one below it")
    near: Near | None = Field(default=None, description="what items shall be like; makes `similarity` the order")
    area: Area | None = Field(default=None, description="it lies within this part of the map")
    audited: StrictBool | None = Field(
        default=None, description="it is, or is not, a labeled item of the audit, which no head was trained on"
    )
    planted: Names | None = Field(
        default=None, description="one of these came to it as a planted check, in a batch that they submitted"
    )
    slipped: Names | None = Field(default=None, description="it slipped through one of these as a planted check")
    exclude: ItemIds = Field(default=(), description="none of these items")
    order: Order | None = Field(
        default=None,
        description="`-` puts the largest first; `pool`, the default, is a random order; `mistakes`, `near_duplicates` and "
        "`known_labels` give the items of that list only",
    )

    @model_validator(mode="after")
    def _orders_by_what_is_there(self) -> "Query":
        if self.order == "similarity" and self.near is None:
            raise ValueError("the order 'similarity' needs 'near'")
        if self.time and self.time[0] and self.time[1] and _seconds(self.time[0]) > _seconds(self.time[1]):
            raise ValueError("'time': the earlier limit comes first")
        return self

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody whom it names."""
        return (*(self.annotators or ()), *(self.planted or ()), *(self.slipped or ()))

    @property
    def ordered_by(self) -> Order:
        return self.order or ("similarity" if self.near else "pool")

    @property
    def of_list(self) -> ListName | None:
        """The list whose items alone it asks for, in the order of that."""
        return cast(ListName, self.order) if self.order in get_args(ListName) else None

    @property
    def needs_head(self) -> bool:
        """Whether it asks what a head says."""
        asked = (self.predicted, self.confidence, self.margin, self.agrees)
        return any(one is not None for one in asked) or self.ordered_by.strip("-") in BY_HEAD

    @property
    def needs_owners(self) -> bool:
        """Whether it asks who said something, or when."""
        return self.annotators is not None or self.time is not None or self.ordered_by.strip("-") == "time"


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """What is known of every row of a pool, as of one moment.

    Attributes:
        scanned: of as many rows.
        annotators: int32[rows], the number of who said what stands, -1 for nobody; None where nobody asked for it.
        said_at: float64[rows], seconds since the epoch, NaN for never; None likewise.
        names: the number of each annotator.
        rows_of: the row of each item that the query names.
        with_text: the rows whose id holds the query's text.
        in_area: bool[rows], whether a row lies in the query's part of the map.
        audited: the labeled rows of the audit, where the query asks for them.
        planted, slipped: the rows that people of the query came to as planted checks, and that slipped through them.
        on_list: float64[rows], by which the list that the query asks for is ordered; NaN for rows that are not on it.
        in_folder: the rows whose id lies in the query's folder.
        label_probabilities: float32[rows], what the head gives to the label that stands, NaN where none does or no head
            knows its class; None where nobody asked for it.
    """

    standings: Standings
    scanned: Scanned
    schema: LabelSchema
    annotators: np.ndarray | None = None
    said_at: np.ndarray | None = None
    names: Mapping[str, int] | None = None
    rows_of: Mapping[str, int] | None = None
    with_text: Rows | None = None
    in_area: np.ndarray | None = None
    audited: Rows | None = None
    planted: Rows | None = None
    slipped: Rows | None = None
    on_list: np.ndarray | None = None
    in_folder: Rows | None = None
    label_probabilities: np.ndarray | None = None

    @property
    def places(self) -> np.ndarray:
        """int64[rows], the position in the schema of the label that stands; -1 for none."""
        labels, positions = self.standings.said["label"], self.schema.positions
        table = np.full(max([*positions, int(labels.max(initial=0))]) + 2, -1, dtype=np.int64)
        table[list(positions)] = list(positions.values())
        return np.where(self.standings.said["state"] == 1, table[labels], -1)


Positions = Int64[np.ndarray, " most"]


def matching(query: Query, columns: Columns) -> Rows:
    """The rows of a query, ascending. Raises InvalidQueryError for a class that does not exist."""
    return np.flatnonzero(is_matching(query, columns)).astype(np.int64)


def is_matching(query: Query, columns: Columns) -> np.ndarray:
    """bool[rows], as `matching`."""
    found = columns.standings.in_pool.copy()
    for part in (_of_what_stands, _of_owners, _of_what_the_head_says, _of_the_item):
        for mask in part(query, columns):
            found &= mask
    return found


def order_keys(query: Query, columns: Columns, rows: Rows, similarity: np.ndarray | None) -> np.ndarray | None:
    """A number for each of the rows: those of the smallest come first. None where rows come in the order of the pool.

    Args:
        rows: ascending.
        similarity: of each of the rows, where that is the order.
    """
    order = query.ordered_by
    if order == "pool":
        return None
    keys = _keys(order, columns, rows, similarity)
    return -keys if order.startswith("-") or order == "similarity" else keys


def first_by(keys: np.ndarray, most: int) -> Positions:
    """Positions of the `most` smallest keys, those first; equal ones in their order, NaN last."""
    if most in (0, len(keys)):
        return np.argsort(keys, kind="stable")[:most].astype(np.int64)
    keys = np.where(np.isnan(keys), np.inf, keys)
    limit = np.partition(keys, most - 1)[most - 1]
    below, at = np.flatnonzero(keys < limit), np.flatnonzero(keys == limit)
    chosen = np.sort(np.concatenate([below, at[: most - len(below)]]))
    return chosen[np.argsort(keys[chosen], kind="stable")].astype(np.int64)


def in_order(query: Query, columns: Columns, rows: Rows, most: int, similarity: np.ndarray | None) -> Positions:
    """Positions in `rows` of the first `most` in the order of the query. Equal ones come by row.

    Args:
        rows: ascending.
        similarity: of each of the rows, where that is the order.
    """
    keys = order_keys(query, columns, rows, similarity)
    return np.arange(min(most, len(rows))) if keys is None else first_by(keys, most)


def _keys(order: Order, columns: Columns, rows: Rows, similarity: np.ndarray | None) -> np.ndarray:
    if order == "similarity":
        assert similarity is not None
        return similarity
    if columns.on_list is not None:
        return np.asarray(columns.on_list[rows])
    if order.endswith("time"):
        assert columns.said_at is not None
        return np.asarray(columns.said_at[rows])
    if order.endswith("label_probability"):
        assert columns.label_probabilities is not None
        return np.asarray(columns.label_probabilities[rows], dtype=np.float64)
    scanned = columns.scanned
    values = (scanned.confidences if order.endswith("confidence") else scanned.margins)[rows].astype(np.float64)
    return np.where(scanned.classes[rows] == UNSEEN, np.nan, values)


def _of_what_stands(query: Query, columns: Columns) -> list[np.ndarray]:
    said, masks = columns.standings.said, []
    if query.states is not None:
        numbers = {UNLABELED: 0, **{state.value: number for number, state in enumerate(STATES, 1)}}
        masks.append(np.isin(said["state"], [numbers[state] for state in query.states]))
    if query.sources is not None:
        masks.append(np.isin(said["source"], [SOURCES.index(source) + 1 for source in query.sources]))
    if query.labels is not None:
        masks.append((said["state"] == 1) & np.isin(said["label"], _ids_of(query.labels, columns.schema)))
    return masks


def _of_owners(query: Query, columns: Columns) -> list[np.ndarray]:
    masks = []
    if query.annotators is not None:
        assert columns.annotators is not None and columns.names is not None
        masks.append(
            np.isin(columns.annotators, [columns.names[one] for one in query.annotators if one in columns.names])
        )
    if query.time is not None:
        assert columns.said_at is not None
        earliest, latest = query.time
        masks.append(~np.isnan(columns.said_at))
        if earliest:
            masks.append(columns.said_at >= _seconds(earliest))
        if latest:
            masks.append(columns.said_at <= _seconds(latest))
    return masks


def _of_what_the_head_says(query: Query, columns: Columns) -> list[np.ndarray]:
    scanned, masks = columns.scanned, []
    if query.needs_head and (query.predicted, query.confidence, query.margin) != (None, None, None):
        masks.append(scanned.classes != UNSEEN)
    if query.predicted is not None:
        known = _places_of(query.predicted, columns.schema)
        masks.append(np.isin(scanned.classes, known))
    for limits, values in ((query.confidence, scanned.confidences), (query.margin, scanned.margins)):
        if limits is not None:
            exact = values.astype(np.float64)
            masks.append((exact >= limits[0]) & (exact <= limits[1]))
    if query.agrees is not None:
        places = columns.places
        masks.append((places >= 0) & (scanned.classes != UNSEEN) & ((places == scanned.classes) == query.agrees))
    return masks


def _of_the_item(query: Query, columns: Columns) -> list[np.ndarray]:
    rows_of, rows, masks = columns.rows_of or {}, len(columns.standings.in_pool), []
    if query.area is not None:
        assert columns.in_area is not None
        masks.append(columns.in_area)
    if query.audited is not None:
        assert columns.audited is not None
        masks.append(_only(columns.audited, rows) == query.audited)
    masks += [_only(chosen, rows) for chosen in (columns.planted, columns.slipped) if chosen is not None]
    if columns.on_list is not None:
        masks.append(~np.isnan(columns.on_list))
    if query.ids is not None:
        masks.append(_only([rows_of[item_id] for item_id in query.ids if item_id in rows_of], rows))
    if query.exclude:
        masks.append(~_only([rows_of[item_id] for item_id in query.exclude if item_id in rows_of], rows))
    if query.text is not None:
        assert columns.with_text is not None
        masks.append(_only(columns.with_text, rows))
    if query.folder is not None:
        assert columns.in_folder is not None
        masks.append(_only(columns.in_folder, rows))
    if query.group is not None:
        groups = columns.standings.groups
        masks.append(np.zeros(rows, dtype=bool) if groups is None else groups == group_key(query.group))
    return masks


def _only(wanted: "np.ndarray | list[int]", rows: int) -> np.ndarray:
    mask = np.zeros(rows, dtype=bool)
    chosen = np.asarray(wanted, dtype=np.int64)
    mask[chosen[chosen < rows]] = True
    return mask


def _ids_of(names: tuple[str, ...], schema: LabelSchema) -> list[int]:
    known = schema.known_names
    _check_names(names, tuple(known.values()))
    return [label_id for label_id, name in known.items() if name in names]


def _places_of(names: tuple[str, ...], schema: LabelSchema) -> list[int]:
    _check_names(names, schema.names)
    return [schema.names.index(name) for name in names]


def _check_names(names: tuple[str, ...], known: tuple[str, ...]) -> None:
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None:
        raise InvalidQueryError(f"class {shown(unknown)} is not known. Known: {', '.join(dict.fromkeys(known))}.")


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
