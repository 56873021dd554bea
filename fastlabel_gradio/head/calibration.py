"""Confidence that can be believed: the temperature of a head, from labels that it did not see.

Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017, arXiv 1706.04599), temperature scaling; out-of-fold
logits stand in for a validation set, so that no label is spent on it.
"""

from collections.abc import Callable, Iterable

import numpy as np
from jaxtyping import Float32, Int64

from fastlabel_gradio.head.model import Head
from fastlabel_gradio.superseded import Checkpoint, unhurried
from fastlabel_gradio.types import Embeddings

FEWEST_LABELS = 20
FOLDS = 5
ENOUGH_LOGITS = 1_000  # a temperature is known to a few percent then; larger sets leave only as many folds out
COOLEST, WARMEST = 0.1, 10.0
HALVINGS = 30

Logits = Float32[np.ndarray, "left_out classes"]
LeftOut = Int64[np.ndarray, " left_out"]  # positions of items
Targets = Int64[np.ndarray, " items"]
Groups = Int64[np.ndarray, " items"]  # a number for each group


def out_of_fold_logits(
    embeddings: Embeddings,
    targets: Targets,
    train: Callable[[Embeddings, Targets, Groups | None], Head],
    seed: int,
    checkpoint: Checkpoint = unhurried,
    groups: Groups | None = None,
    folds: Iterable[int] = range(FOLDS),
    enough: int = ENOUGH_LOGITS,
) -> tuple[Logits, LeftOut] | None:
    """Logits of labels by heads that were trained without them, and the positions of these labels.

    Each of five folds has the same share of every class and is left out once, as far as needed; with groups, whole groups
    are left out, and the shares are as equal as they can be. None where no group can be left out without leaving fewer than
    two classes.

    Args:
        train: gives a head for some of the labels, and their groups.
        groups: int64[items], the group of each; None where they are of none.
        folds: which are left out, in this order.
        enough: so many labels are left out, then no further fold is.

    Raises:
        Superseded: by `checkpoint`, before each fold.
    """
    fold = folds_of(targets, groups, seed)
    logits, left_out = [], []
    for number in folds:
        checkpoint()
        held = fold == number
        if not held.any() or len(np.unique(targets[~held])) < 2:
            continue
        of_others = None if groups is None else groups[~held]
        logits.append(train(embeddings[~held], targets[~held], of_others).logits(embeddings[held]))
        left_out.append(np.flatnonzero(held))
        if sum(map(len, left_out)) >= enough:
            break
    return (np.concatenate(logits), np.concatenate(left_out).astype(np.int64)) if logits else None


def folds_of(targets: Targets, groups: Groups | None, seed: int) -> Targets:
    """int64[items], a fold from 0 to 4 for each item, the same for all of a group; the same for the same seed."""
    rng = np.random.default_rng(seed)
    return _folds(targets, rng) if groups is None else _folds_of_groups(targets, groups, rng)


def _folds(targets: Targets, rng: np.random.Generator) -> Targets:
    """int64[items], a fold from 0 to 4 for each item."""
    shuffled = np.lexsort((rng.random(len(targets)), targets))
    fold = np.empty(len(targets), dtype=np.int64)
    fold[shuffled] = np.arange(len(targets)) % FOLDS
    return fold


def _folds_of_groups(targets: Targets, groups: Groups, rng: np.random.Generator) -> Targets:
    """As `_folds`, the same for all items of a group: the largest group first, to the fold that has least of its classes."""
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    classes, target = np.unique(targets, return_inverse=True)
    counts = np.zeros((len(sizes), len(classes)), dtype=np.int64)
    np.add.at(counts, (group, target), 1)
    filled = np.zeros((FOLDS, len(classes)), dtype=np.int64)
    fold_of = np.empty(len(sizes), dtype=np.int64)
    for number in np.lexsort((rng.random(len(sizes)), -sizes)):
        has = filled @ counts[number]
        fold_of[number] = np.lexsort((filled.sum(axis=1), has))[0]
        filled[fold_of[number]] += counts[number]
    return np.asarray(fold_of[group])


def fit_temperature(logits: Logits, targets: LeftOut, halvings: int = HALVINGS) -> float:
    """The temperature, 0.1 to 10, at which the targets are most likely under softmax(logits / temperature).

    The loss is convex in 1 / temperature; its slope, the expected logit less the target's, is halved in on.
    """
    of_target = logits[np.arange(len(targets)), targets].astype(np.float64)
    low, high = 1 / WARMEST, 1 / COOLEST
    for _ in range(halvings):
        middle = (low + high) / 2
        powers = np.exp(middle * (logits - logits.max(axis=1, keepdims=True)))
        expected = (powers * logits).sum(axis=1) / powers.sum(axis=1)
        low, high = (low, middle) if (expected - of_target).mean() > 0 else (middle, high)
    return float(1 / low)
