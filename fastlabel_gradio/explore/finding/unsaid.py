"""Rows that are found and shown as if nobody and no head had said anything of them: somebody is asked about them, blind."""

from dataclasses import replace

import numpy as np

from fastlabel_gradio.pool.scanned import UNSEEN, Scanned
from fastlabel_gradio.pool.standings import SAID, Standings
from fastlabel_gradio.types import Rows

NOTHING = np.array((0, 0, -1), dtype=SAID)  # stands of a row of which nobody said anything


def unsaid(standings: Standings, scanned: Scanned, rows: Rows) -> tuple[Standings, Scanned]:
    """What stands, and what heads say, without some rows."""
    if not len(rows):
        return standings, scanned
    heads = replace(
        scanned,
        classes=without(scanned.classes, rows, UNSEEN),
        confidences=without(scanned.confidences, rows, 0),
        margins=without(scanned.margins, rows, np.inf),
    )
    return standings._replace(said=without(standings.said, rows, NOTHING)), heads


def without(values: np.ndarray, rows: Rows, nothing: object) -> np.ndarray:
    """The values, `nothing` in place of those of some rows."""
    if not len(rows):
        return values
    left = values.copy()
    left[rows] = nothing
    return left
