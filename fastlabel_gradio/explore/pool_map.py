"""PoolMap: where every item of a pool lies on its map. Two layouts of one encoder's vectors, kept over restarts.

`pca` is there at once. `neighbours` is worked out in the background when somebody opens the map, of 100,000 rows at most; all
others, and items that come later, are placed by their neighbours among them.
"""

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Literal

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import InvalidQueryError, shown
from fastlabel_gradio.explore.layout import Points, Projection, fit_projection, neighbour_layout, placed
from fastlabel_gradio.inquiry import Finding, Inquiry
from fastlabel_gradio.pool.space import EmbeddingSpace
from fastlabel_gradio.pool.store import EmbeddingStore
from fastlabel_gradio.types import Embeddings

LayoutName = Literal["pca", "neighbours"]

FITTED_ROWS = 20_000  # the first ones, which are a random sample
LAID_OUT_ROWS = 100_000
ANCHOR_ROWS = 20_000  # of those laid out, by which others are placed
PLACED_AT_ONCE = 20_000  # rows
GROWTH = 2  # a layout of fewer rows is made anew once the pool has so many times as many
FORMAT = 1
NO_POINTS: Points = np.zeros((0, 2), dtype=np.float32)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Map:
    """Of the vectors of one space.

    Attributes:
        pca, neighbours: points of the first rows. laid_out: rows of `neighbours` that were laid out, not placed.
        version: of each layout that is there: another one where points have moved.
    """

    space: str
    projection: Projection
    pca: Points
    neighbours: Points = field(default_factory=lambda: NO_POINTS)
    laid_out: int = 0

    def version(self, layout: LayoutName) -> str:
        digest = blake2b(self.space.encode(), digest_size=6)
        digest.update(self.projection.axes.tobytes())
        digest.update(self.neighbours[: self.laid_out].tobytes() if layout == "neighbours" else b"")
        return f"{layout}-{digest.hexdigest()}"


class PoolMap:
    """The map of one pool. All methods may be called from any thread.

    Args:
        folder: where it is kept.
        is_whole: whether the pool is embedded: a neighbour layout waits for that.
    """

    def __init__(self, store: EmbeddingStore, folder: Path, is_whole: Callable[[], bool]) -> None:
        self._store = store
        self._path = folder / "map.safetensors"
        self._is_whole = is_whole
        self._lock = threading.Lock()
        self._map: _Map | None = None
        self._laying_out: Inquiry[float] = Inquiry(self._lay_out)

    @property
    def finding(self) -> Finding[float]:
        """How the neighbour layout goes: what share of it is done."""
        return self._laying_out.finding

    def points(self, layout: LayoutName | None = None) -> tuple[LayoutName, str, Points]:
        """The layout, its version, and where each row lies; the better one that is there where none is named.

        Begins to work out the neighbour layout where there is none yet, or one of half as many rows.

        Raises:
            InvalidQueryError: nothing is embedded yet, or that layout is not there yet.
        """
        found = self._of_now()
        if found.laid_out * GROWTH <= min(len(found.pca), LAID_OUT_ROWS) and self._is_whole():
            self._laying_out.ask()
        chosen: LayoutName = layout or ("neighbours" if found.laid_out else "pca")
        if chosen == "neighbours" and not found.laid_out:
            raise InvalidQueryError("The neighbour layout is not there yet. 'pca' is.")
        return chosen, found.version(chosen), found.pca if chosen == "pca" else found.neighbours

    def points_of(self, version: str) -> Points:
        """Where each row lies in a layout of that version. Raises InvalidQueryError where points have moved since."""
        found = self._of_now()
        for layout in ("neighbours", "pca"):
            if found.version(layout) == version and (layout == "pca" or found.laid_out):
                return found.pca if layout == "pca" else found.neighbours
        raise InvalidQueryError(f"the map {shown(version)} was laid out anew. Open the map and draw the area again.")

    def paused(self) -> AbstractContextManager[None]:
        """Meanwhile the neighbour layout waits, a few iterations later: somebody waits for a batch."""
        return self._laying_out.paused()

    def close(self) -> None:
        self._laying_out.close()

    # Private

    def _of_now(self) -> _Map:
        """With a place for every row. Raises InvalidQueryError while nothing is embedded."""
        with self._lock:
            space = self._store.space
            if space is None or not len(space):
                raise InvalidQueryError("Nothing is embedded yet. Try again in a moment.")
            found = self._map or self._read()
            if found is None or found.space != space.name or self._has_outgrown(found, space):
                found = _begun(space)
            self._map = _grown(found, space)
            return self._map

    def _has_outgrown(self, found: _Map, space: EmbeddingSpace) -> bool:
        """Whether its components are of a few rows of a pool that was only begun."""
        return found.projection.fitted < FITTED_ROWS and len(space) >= 4 * found.projection.fitted

    def _lay_out(self, tell: Callable[[float], None], stop: threading.Event) -> float:
        """In the inquiry's thread, of low priority; the threads that it starts are so too."""
        space, found = self._store.space, self._of_now()
        assert space is not None
        reduced = found.projection.of(space.embeddings[:LAID_OUT_ROWS])
        threads = max(1, (os.cpu_count() or 2) // 2)
        points = neighbour_layout(reduced, 0, threads, tell, stop.is_set)
        if not stop.is_set():
            points = _with_others(found, space, points, stop)
        if not stop.is_set():
            self._take(found, points, len(reduced))
        return 1.0

    def _take(self, found: _Map, points: Points, laid_out: int) -> None:
        with self._lock:
            if self._map is None or self._map.projection is not found.projection:
                return  # another encoder took over meanwhile
            self._map = replace(self._map, neighbours=points, laid_out=laid_out)
            self._write(self._map)

    def _write(self, found: _Map) -> None:
        details = {
            "format": FORMAT,
            "space": found.space,
            "fitted": found.projection.fitted,
            "laid_out": found.laid_out,
        }
        arrays = {"mean": found.projection.mean, "axes": found.projection.axes, "points": found.neighbours}
        try:
            write_atomically(self._path, save(arrays, metadata={"fastlabel": json.dumps(details)}))
        except OSError as error:
            log.warning("%s: the map is not kept: %s", self._path, error)

    def _read(self) -> _Map | None:
        if not self._path.exists():
            return None
        try:
            with safe_open(self._path, framework="numpy") as file:
                details = json.loads((file.metadata() or {})["fastlabel"])
                mean, axes, points = (file.get_tensor(name) for name in ("mean", "axes", "points"))
            projection = Projection(mean, axes, int(details["fitted"]))
            is_whole = axes.ndim == 2 and mean.shape == axes.shape[:1] and points.shape[1:] == (2,)
            if (
                details["format"] != FORMAT
                or not is_whole
                or not all(np.isfinite(a).all() for a in (mean, axes, points))
            ):
                raise ValueError("the file is damaged")
            if not 0 < int(details["laid_out"]) <= len(points):
                raise ValueError("the file is damaged")
            return _Map(str(details["space"]), projection, NO_POINTS, points, int(details["laid_out"]))
        except (OSError, SafetensorError, LookupError, ValueError, TypeError) as error:
            log.info("%s: the map is made anew: %s", self._path, str(error)[:300])
            return None


def _begun(space: EmbeddingSpace) -> _Map:
    return _Map(space.name, fit_projection(np.asarray(space.embeddings[:FITTED_ROWS])), NO_POINTS)


def _grown(found: _Map, space: EmbeddingSpace) -> _Map:
    """With a place for every row that came since."""
    rows = len(space)
    if len(found.pca) < rows:
        more = [found.projection.of(part)[:, :2].copy() for part in _parts(space, len(found.pca), rows)]
        found = replace(found, pca=np.concatenate([found.pca, *more]))
    if found.laid_out and len(found.neighbours) < rows:
        anchors = _anchors(found, space, found.neighbours)
        more = [placed(found.projection.of(part), *anchors) for part in _parts(space, len(found.neighbours), rows)]
        found = replace(found, neighbours=np.concatenate([found.neighbours, *more]))
    return found


def _with_others(found: _Map, space: EmbeddingSpace, points: Points, stop: threading.Event) -> Points:
    """With a place for every row that was not laid out."""
    parts, rows = [points], len(space)
    anchors = _anchors(replace(found, laid_out=len(points)), space, points)
    for part in _parts(space, len(points), rows):
        if stop.is_set():
            break
        parts.append(placed(found.projection.of(part), *anchors))
    return np.concatenate(parts)


def _parts(space: EmbeddingSpace, start: int, stop: int) -> Iterator[Embeddings]:
    """The embeddings of a range of rows, so many at a time that a large pool does not stay in memory."""
    for first in range(start, stop, PLACED_AT_ONCE):
        yield space.embeddings[first : min(first + PLACED_AT_ONCE, stop)]
        space.release_pages()


def _anchors(found: _Map, space: EmbeddingSpace, points: Points) -> tuple[np.ndarray, Points]:
    """The reduced vectors and the points of the first rows, which are a random sample of those laid out."""
    count = min(found.laid_out, ANCHOR_ROWS)
    return found.projection.of(space.embeddings[:count]), points[:count]
