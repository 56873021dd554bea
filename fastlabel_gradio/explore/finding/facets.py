"""Facets: how many items of a query there are of each class, state, person, folder and so on, in passes over its columns.

Each facet is counted among the items that everything else of the query holds: what another choice of it would bring.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from fastlabel_gradio.explore.finding.folders import FolderColumn
from fastlabel_gradio.pool.query import UNLABELED, Columns, Query, is_matching
from fastlabel_gradio.pool.scanned import UNSEEN
from fastlabel_gradio.pool.standings import SOURCES, STATES

SHOWN = 200  # values of a facet at most, the most frequent ones
CONFIDENCE_BINS = 10
DAY_S = 86_400

Counted = dict[str, int]


@dataclass(frozen=True, slots=True)
class Facets:
    """By facet its values with their counts; those that no item has are left out.

    Attributes:
        total: items of the query.
        labels, predicted, annotators, folders: most frequent first, `SHOWN` at most. Folders are those directly below the
            query's own, or below the lowest one that holds all of its items, each with all that lies in it.
        agrees: items whose label is and is not the head's class, as "true" and "false".
        confidence: by tenth of the probability, from 0 to 1.
        days: by day of what stands, in UTC, the newest first.
        groups: a row of each of the largest groups, with how many items it has.
    """

    total: int
    labels: Counted
    states: Counted
    sources: Counted
    annotators: Counted
    predicted: Counted
    agrees: Counted
    confidence: tuple[int, ...]
    days: Counted
    folders: Counted
    groups: tuple[tuple[int, int], ...]


def count_facets(query: Query, columns: Columns, folders: FolderColumn) -> Facets:
    """Counts of a query, of columns that know everything about every row. Raises InvalidQueryError."""
    base = is_matching(query, columns)

    def without(*keys: str) -> np.ndarray:
        if all(getattr(query, key) is None for key in keys):
            return base
        return is_matching(query.model_copy(update=dict.fromkeys(keys)), columns)

    return Facets(
        total=int(base.sum()),
        labels=_labels(columns, without("labels")),
        states=_states(columns, without("states")),
        sources=_sources(columns, without("sources")),
        annotators=_annotators(columns, without("annotators")),
        predicted=_predicted(columns, without("predicted")),
        agrees=_agrees(columns, without("agrees")),
        confidence=_confidence(columns, without("confidence")),
        days=_days(columns, without("time")),
        folders=folders.count(without("folder"), query.folder),
        groups=_groups(columns, without("group")),
    )


def _labels(columns: Columns, mask: np.ndarray) -> Counted:
    said = columns.standings.said
    counts = np.bincount(said["label"][mask & (said["state"] == 1)])
    return _named(counts, columns.schema.known_names)


def _states(columns: Columns, mask: np.ndarray) -> Counted:
    counts = np.bincount(columns.standings.said["state"][mask], minlength=len(STATES) + 1)
    names = [UNLABELED, *(state.value for state in STATES)]
    return {name: int(count) for name, count in zip(names, counts, strict=True) if count}


def _sources(columns: Columns, mask: np.ndarray) -> Counted:
    counts = np.bincount(columns.standings.said["source"][mask], minlength=len(SOURCES) + 1)[1:]
    return {name: int(count) for name, count in zip(SOURCES, counts, strict=True) if count}


def _annotators(columns: Columns, mask: np.ndarray) -> Counted:
    assert columns.annotators is not None and columns.names is not None
    numbers = columns.annotators[mask]
    return _named(np.bincount(numbers[numbers >= 0]), {number: name for name, number in columns.names.items()})


def _predicted(columns: Columns, mask: np.ndarray) -> Counted:
    classes = columns.scanned.classes[mask]
    return _named(np.bincount(classes[classes != UNSEEN]), dict(enumerate(columns.schema.names)))


def _agrees(columns: Columns, mask: np.ndarray) -> Counted:
    places, classes = columns.places[mask], columns.scanned.classes[mask]
    known = (places >= 0) & (classes != UNSEEN)
    agreeing = int((places[known] == classes[known]).sum())
    counts = {"true": agreeing, "false": int(known.sum()) - agreeing}
    return {name: count for name, count in counts.items() if count}


def _confidence(columns: Columns, mask: np.ndarray) -> tuple[int, ...]:
    known = mask & (columns.scanned.classes != UNSEEN)
    tenths = (columns.scanned.confidences[known] * CONFIDENCE_BINS).astype(np.int64)
    counts = np.bincount(np.minimum(tenths, CONFIDENCE_BINS - 1), minlength=CONFIDENCE_BINS)
    return tuple(counts.tolist())


def _days(columns: Columns, mask: np.ndarray) -> Counted:
    assert columns.said_at is not None
    said_at = columns.said_at[mask]
    days, counts = np.unique(said_at[~np.isnan(said_at)] // DAY_S, return_counts=True)
    newest = list(zip(days.tolist(), counts.tolist(), strict=True))[: -SHOWN - 1 : -1]
    return {name: count for day, count in newest if (name := _day(day))}


def _day(number: float) -> str:
    """In UTC; "" for a day that no calendar has, of a clock that was wrong."""
    try:
        return datetime.fromtimestamp(number * DAY_S, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _groups(columns: Columns, mask: np.ndarray) -> tuple[tuple[int, int], ...]:
    groups = columns.standings.groups
    if groups is None:
        return ()
    rows = np.flatnonzero(mask & (groups != 0))
    keys, counts = np.unique(groups[rows], return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:SHOWN]
    count_of = dict(zip(keys[largest].tolist(), counts[largest].tolist(), strict=True))
    rows = rows[np.isin(groups[rows], keys[largest])]
    of_rows, first = np.unique(groups[rows], return_index=True)
    row_of = dict(zip(of_rows.tolist(), rows[first].tolist(), strict=True))
    return tuple((row_of[key], count) for key, count in count_of.items())


def _named(counts: Sequence[int] | np.ndarray, names: Mapping[int, str]) -> Counted:
    """By name, the most frequent first; numbers of one name are one."""
    found: Counted = {}
    for number in np.flatnonzero(counts).tolist():
        if number in names:
            found[names[number]] = found.get(names[number], 0) + int(counts[number])
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0]))[:SHOWN])
