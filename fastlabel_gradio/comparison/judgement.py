"""Which of several encoders is better on the labels that there are: out of fold, with the project's own head, in pairs.

Every label is left out of one of five trainings, and its group with it, and the head of that training is asked. The folds are
the same for every encoder, so that what two of them get right is compared item by item. Knows neither files nor threads.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from fastlabel_gradio.errors import TooFewLabelsError
from fastlabel_gradio.head import FEWEST_LABELS, HeadMaker, folds_of
from fastlabel_gradio.head.evaluation import Gain, audit, gain
from fastlabel_gradio.types import Embeddings, Targets

MOST_JUDGED = 2_000  # labels, a random sample of more; an accuracy is known to two points then


@dataclass(frozen=True, slots=True, eq=False)
class LabeledItems:
    """What people said of the pool so far.

    Attributes:
        targets: int64[items], the column of each label's class. groups: the group of each item; None without groups.
        seed: of folds and trainings.
    """

    targets: Targets
    groups: Targets | None = None
    seed: int = 0

    def __len__(self) -> int:
        return len(self.targets)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What an encoder is worth on labeled items that its head did not see.

    Attributes:
        accuracy: 0 to 1. low, high: its 95 % interval; with groups it counts how alike their items are.
        right: bool[items], which of the judged items the head gets right.
        judged: positions of these among the labeled items: all, unless leaving a group out left fewer than two classes.
    """

    accuracy: float
    low: float
    high: float
    right: Bool[np.ndarray, " judged"]
    judged: Int64[np.ndarray, " judged"]


def judge(
    embeddings: Embeddings, labeled: LabeledItems, maker: HeadMaker, stops: Callable[[], bool]
) -> Judgement | None:
    """The judgement of an encoder; None where `stops` says in between that nobody wants it any more.

    Args:
        embeddings: float32[items, dim], of the labeled items in their order.
        maker: makes the heads of that encoder.

    Raises:
        TooFewLabelsError: fewer than 20 labels or than two classes with two labels, or all of one group.
    """
    check_enough(labeled)
    fold = folds_of(labeled.targets, labeled.groups, labeled.seed)
    judged, said = [], []
    for number in range(fold.max() + 1):
        if stops():
            return None
        held = np.flatnonzero(fold == number)
        if len(probabilities := _left_out(embeddings, labeled, fold == number, maker)):
            judged.append(held)
            said.append(probabilities)
    if not judged:
        raise TooFewLabelsError(
            "All labeled items are of one group: none can be tested by a head that saw no other of it."
        )
    rows = np.concatenate(judged)
    groups = None if labeled.groups is None else labeled.groups[rows]
    probabilities = np.concatenate(said)
    report = audit(probabilities, labeled.targets[rows], groups)
    right = probabilities.argmax(axis=1) == labeled.targets[rows]
    return Judgement(report.accuracy, report.low, report.high, right, rows.astype(np.int64))


def difference(before: Judgement, after: Judgement, labeled: LabeledItems) -> Gain:
    """How much more an encoder gets right than another one of the same items, with its 95 % interval."""
    groups = None if labeled.groups is None else labeled.groups[before.judged]
    return gain(before.right, after.right, len(labeled), groups)


def check_enough(labeled: LabeledItems) -> None:
    """Raises TooFewLabelsError where labels are too few to leave some out."""
    classes, counts = np.unique(labeled.targets, return_counts=True)
    if len(labeled) < FEWEST_LABELS:
        raise TooFewLabelsError(
            f"{len(labeled)} labels are too few to compare encoders: {FEWEST_LABELS} are needed, some hundred tell more."
        )
    if (counts > 1).sum() < 2:
        raise TooFewLabelsError(
            f"Of {len(classes)} classes with labels {int((counts == 1).sum())} have only one, which cannot be left out of a "
            "training: label more items of at least two classes."
        )


def _left_out(
    embeddings: Embeddings, labeled: LabeledItems, held: Bool[np.ndarray, " items"], maker: HeadMaker
) -> Float32[np.ndarray, "held classes"]:
    """What a head trained without some items says of them; of none where fewer than two classes are left to train on."""
    targets = labeled.targets[~held]
    if len(np.unique(targets)) < 2:
        return np.empty((0, len(maker.classes)), dtype=np.float32)
    groups = None if labeled.groups is None else labeled.groups[~held]
    head = maker.train(embeddings[~held], targets, None, 0.0, groups)
    return head.predict_proba(embeddings[held])
