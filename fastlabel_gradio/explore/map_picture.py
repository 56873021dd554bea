"""MapPicture: the map as the page draws it, in one run of bytes: rows, where they lie, and what they are coloured by."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastlabel_gradio.explore.layout import Points
from fastlabel_gradio.pool.scanned import UNSEEN, Scanned
from fastlabel_gradio.pool.standings import STATES, Standings
from fastlabel_gradio.types import LabelSchema, State

MOST_POINTS = 300_000  # of a larger pool the first rows are drawn, which are a random part
UNKNOWN_CONFIDENCE = 255
MAGIC = b"FLM1"


@dataclass(frozen=True, slots=True, eq=False)
class MapPicture:
    """One byte array a colouring, `points` each.

    Attributes:
        rows: uint32, ascending. places: float32[points, 2].
        labels, predicted: int16, positions in the schema; -1 for none.
        confidences: uint8, 254 times the probability; 255 where no head has looked yet.
        states: uint8, 0 for nothing, then `label`, `skip`, `unsure`, `bad`.
        items: of the pool, drawn or not.
    """

    rows: np.ndarray
    places: Points
    labels: np.ndarray
    predicted: np.ndarray
    confidences: np.ndarray
    states: np.ndarray
    items: int


def draw_map(points: Points, standings: Standings, scanned: Scanned, schema: LabelSchema) -> MapPicture:
    """The items that are in the pool and have a place."""
    known = min(len(points), len(standings.in_pool))
    rows = np.flatnonzero(standings.in_pool[:known])
    items, rows = len(rows), rows[:MOST_POINTS]
    said = standings.said[rows]
    classes, confidences = np.full(len(rows), UNSEEN, dtype=np.int16), np.full(len(rows), UNKNOWN_CONFIDENCE, np.uint8)
    looked = np.flatnonzero(rows < len(scanned.classes))
    classes[looked] = scanned.classes[rows[looked]]
    seen = np.flatnonzero(classes != UNSEEN)
    confidences[seen] = np.round(254 * scanned.confidences[rows[seen]].astype(np.float64))
    labels = np.where(said["state"] == 1, _places_of(said["label"], schema), -1).astype(np.int16)
    places = np.ascontiguousarray(points[rows], dtype=np.float32)
    return MapPicture(
        rows.astype(np.uint32), places, labels, classes, confidences, said["state"].astype(np.uint8), items
    )


def as_bytes(picture: MapPicture, schema: LabelSchema, about: dict[str, Any], *, with_places: bool) -> bytes:
    """`FLM1`, the length of the header (uint32), the header (JSON, padded with blanks to a multiple of four bytes), then the
    arrays `rows`, `x` and `y` (left out without places), `labels`, `predicted`, `confidences`, `states`, each padded to a
    multiple of four bytes. All numbers are little-endian.
    """
    header = {
        **about,
        "points": len(picture.rows),
        "items": picture.items,
        "places": with_places,
        "classes": list(schema.names),
        "states": ["none", *(state.value for state in STATES if state is not State.CLEAR)],
    }
    text = json.dumps(header, ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    x, y = picture.places[:, 0], picture.places[:, 1]
    arrays = [picture.rows, x, y] if with_places else []
    arrays += [picture.labels, picture.predicted, picture.confidences, picture.states]
    return b"".join([MAGIC, np.uint32(len(text)).tobytes(), text, *map(_padded, arrays)])


def _padded(values: np.ndarray) -> bytes:
    content = values.astype(values.dtype.newbyteorder("<")).tobytes()
    return content + b"\0" * (-len(content) % 4)


def _places_of(label_ids: np.ndarray, schema: LabelSchema) -> np.ndarray:
    """The position in the schema of each label id; -1 where it has none."""
    positions = schema.positions
    table = np.full(max([*positions, int(label_ids.max(initial=0))]) + 2, -1, dtype=np.int64)
    table[list(positions)] = list(positions.values())
    return np.asarray(table[label_ids])
