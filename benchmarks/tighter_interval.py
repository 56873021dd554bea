"""How much narrower the reported interval would be if the head's confidence in the whole reserve had its say.

    python -m benchmarks.tighter_interval --data DATA --json OUT

Prediction-powered inference (Angelopoulos et al., Science 2023, arXiv 2301.09633): the accuracy of the audited items is
corrected by how sure the head is of them and of all the reserve that they were drawn from; the correction's weight and both
variances are drawn towards what the confidence itself says, and Wilson's interval is taken at the effective number of items.
Heads learn random labels of one half of a set, made-up items (`known_pool`) or CIFAR-10, and are calibrated. Reserves and
audits are drawn from the other half, whose whole is the truth. `held`: how often the interval holds it, of all heads and of
the worst one; `width`: that of the new interval as a share of Wilson's.
"""

import argparse
from collections.abc import Sequence

import numpy as np

from benchmarks.data import OFFLINE, Split, cached_splits, load_split
from benchmarks.heads import TrainingRun
from benchmarks.known_pool import made_split
from benchmarks.report import DATA, Cell, Measured, Option, Table, run, say, use_one_thread
from fastlabel_gradio.head.evaluation import share_interval, wilson_of
from fastlabel_gradio.superseded import unhurried
from fastlabel_gradio.types import Probabilities, Rows

MADE = "made"
MADE_ITEMS = 50_000
COVARIANCE_ITEMS, VARIANCE_ITEMS = 30, 10  # weigh as much as what the confidence says of covariance and variances


def effective_share(right: np.ndarray, sure: np.ndarray, of_reserve: np.ndarray) -> tuple[float, float]:
    """The corrected share that is right, 0 to 1, and of how many independent items it is worth as much.

    Args:
        right, sure: of the audited items, whether the head is right (0 or 1), and its confidence.
        of_reserve: its confidence in all items that they were drawn from.
    """
    items, share = len(right), right.mean()
    mean, spread = of_reserve.mean(), of_reserve.var()
    within = (of_reserve * (1 - of_reserve)).mean()
    together = ((right - share) * (sure - sure.mean())).sum() + COVARIANCE_ITEMS * spread
    weight = np.clip(together / (np.square(sure - sure.mean()).sum() + COVARIANCE_ITEMS * spread), 0, 1)
    corrected = np.clip(share + weight * (mean - sure.mean()), 0, 1)
    plain = (items * share * (1 - share) + VARIANCE_ITEMS * mean * (1 - mean)) / (items + VARIANCE_ITEMS)
    left = (items * (right - weight * sure).var() + VARIANCE_ITEMS * within) / (items + VARIANCE_ITEMS)
    gained = np.clip(plain / left, 1, 1 + spread / within)
    size = 1 / (1 / (items * gained) + weight**2 * spread / (len(of_reserve) * plain))
    return float(corrected), float(size)


def played(said: Probabilities, targets: Rows, reserve: int, audited: int, draws: int) -> np.ndarray:
    """float[3]: how often the new interval holds the truth, how often Wilson's, and the mean of the widths' ratio."""
    right, sure = (said.argmax(axis=1) == targets).astype(np.float64), said.max(axis=1).astype(np.float64)
    truth, rng, found = right.mean(), np.random.default_rng(0), []
    for _ in range(draws):
        drawn = rng.choice(len(right), reserve, replace=False)
        items = drawn[:audited]
        share, size = effective_share(right[items], sure[items], sure[drawn])
        new, old = wilson_of(share, size), share_interval(right[items].astype(bool))
        found.append([low <= truth <= high for low, high in (new, old)] + [(new[1] - new[0]) / (old[1] - old[0])])
    return np.asarray(np.mean(found, axis=0))


def split_of(name: str, arguments: argparse.Namespace) -> Split:
    """One half to learn from, in random order; the other is the test part."""
    if name == MADE:
        return made_split(MADE_ITEMS)
    split = load_split(cached_splits(name, arguments.data, arguments.encoder)[0])
    order = np.random.default_rng(0).permutation(len(split.pool))
    half = len(order) // 2
    first, second = order[:half], order[half:]
    return Split(split.pool[first], split.pool_targets[first], split.pool[second], split.pool_targets[second])


def main() -> None:
    run(__doc__, OPTIONS, measure)


def measure(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    rows: list[tuple[Cell, ...]] = []
    for name in arguments.sets:
        split = split_of(name, arguments)
        heads = [_said(split, labels, seed) for labels in arguments.labels for seed in range(arguments.seeds)]
        for reserve in (size for size in arguments.reserves if size < len(split.test)):
            for audited in arguments.audited:
                say(f"{name}, {audited} of {reserve:,} …")
                found = [played(said, split.test_targets, reserve, audited, arguments.draws) for said in heads]
                rows.append((name, reserve, audited, *_columns(found)))
    columns = ("set", "reserve", "audited", "held, %", "of the worst head", "Wilson's, %", "width", "of heads")
    return [Table("An interval that knows the head's confidence in the reserve, beside Wilson's.", columns, rows)]


def _said(split: Split, labels: int, seed: int) -> Probabilities:
    """What a head of random labels says of the test part, at its own temperature."""
    chosen = np.random.default_rng([seed, 9]).permutation(len(split.pool))[:labels]
    training = TrainingRun(split, chosen, split.pool_targets[chosen], seed)
    head = training.maker().calibrate(training.head(), training.embeddings, training.targets, unhurried)
    return head.predict_proba(split.test)


def _columns(found: Sequence[np.ndarray]) -> tuple[Cell, ...]:
    held, wilson, width = np.transpose(found)
    shares = (round(100 * float(share), 1) for share in (held.mean(), held.min(), wilson.mean()))
    return *shares, round(float(width.mean()), 3), f"{width.min():.2f} to {width.max():.2f}"


OPTIONS = (
    DATA,
    Option("--encoder", OFFLINE, "kind of the encoder of what is embedded"),
    Option("--sets", (MADE, "cifar10_half"), "what is played", (MADE, "cifar10_half", "cifar10")),
    Option("--labels", (100, 300, 1_000, 3_000), "of the heads"),
    Option("--reserves", (1_000, 2_000, 10_000), "items that audits are drawn from"),
    Option("--audited", (100, 300), "items of an audit"),
    Option("--seeds", 2, "heads of each number of labels"),
    Option("--draws", 300, "audits of each head"),
)


if __name__ == "__main__":
    main()
