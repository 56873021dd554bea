"""What is known of a trained head: the labels that it stands on, and what the audit says. For configuration and card."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from fastlabel_gradio.classifier.bundle_config import ThresholdPart
from fastlabel_gradio.head import Head
from fastlabel_gradio.head.evaluation import AuditReport, Groups, Targets, audit, share_interval
from fastlabel_gradio.pool.ground import Ground
from fastlabel_gradio.pool.ledger import PoolLedger
from fastlabel_gradio.pool.standings import SOURCES, STATES
from fastlabel_gradio.types import LabelSchema, Probabilities, State

THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
FEWEST_ITEMS = 10  # of the audit; of fewer nothing is said


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """A head, and what is known of it.

    Attributes:
        audit: None where it was never measured.
        thresholds: what the audit says of its surest predictions.
        counts: labels by class and source.
        items: of the pool, embedded.
    """

    head: Head
    audit: AuditReport | None = None
    thresholds: tuple[ThresholdPart, ...] = ()
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    items: int = 0


def facts_of(head: Head, ledger: PoolLedger, ground: Ground, *, is_honest: bool) -> HeadFacts:
    """What is known of a head now.

    Args:
        ground: of that head. is_honest: whether the audit's items are none that it was trained on.
    """
    rows, targets, groups, schema, _ = ledger.audit_set()
    standings = ledger.standings()
    items, counts = int(standings.in_pool.sum()), _counts(standings.said, schema)
    if not len(rows) or not is_honest or schema.classes != head.info.classes:
        return HeadFacts(head, counts=counts, items=items)
    said = ground.says(head, rows)
    return HeadFacts(head, audit(said, targets, groups), thresholds(said, targets, groups), counts, items)


def thresholds(probabilities: Probabilities, targets: Targets, groups: Groups | None) -> tuple[ThresholdPart, ...]:
    """Of the audit's predictions those that are at least so sure: how many there are, and how many of them are right."""
    best = probabilities.argmax(axis=1)
    confidences, right = probabilities[np.arange(len(best)), best], best == targets
    found = (_threshold(least, confidences >= least, right, groups) for least in THRESHOLDS)
    return tuple(one for one in found if one.items >= FEWEST_ITEMS)


def _threshold(least: float, sure: np.ndarray, right: np.ndarray, groups: Groups | None) -> ThresholdPart:
    items, correct = int(sure.sum()), int(right[sure].sum())
    low, high = share_interval(right[sure], None if groups is None else groups[sure]) if items else (0.0, 1.0)
    coverage = items / max(len(sure), 1)
    return ThresholdPart(confidence=least, coverage=coverage, items=items, right=correct, low=low, high=high)


def _counts(said: np.ndarray, schema: LabelSchema) -> dict[str, dict[str, int]]:
    """Labels by the class's name and what they came by, in the order of the schema; of items in the pool."""
    counts: dict[str, dict[str, int]] = {name: {} for name in schema.names}
    labeled = said[said["state"] == 1 + STATES.index(State.LABEL)]
    # One number a pair: of a million pairs the different ones are found a hundred times as fast.
    pairs, sizes = np.unique(labeled["label"].astype(np.int64) << 8 | labeled["source"], return_counts=True)
    for label_id, source, size in zip((pairs >> 8).tolist(), (pairs & 0xFF).tolist(), sizes.tolist(), strict=True):
        if (place := schema.positions.get(label_id)) is not None:
            by_source = counts[schema.names[place]]
            name = SOURCES[source - 1]
            by_source[name] = by_source.get(name, 0) + size
    return counts
