"""What the share of a head's linear part would be worth if labels left out of trainings chose it, in place of a fixed curve.

    python -m benchmarks.linear_share --data DATA --json OUT
    python -m benchmarks.linear_share --data DATA --sets digits --encoder pretrained --labels 50 200 --seeds 8

Each fifth of random labels, whole groups where the set knows some, is left out of a training, as the app does for the
temperature. `factor` is what the linear part's share (`linear_weight`) times that makes these labels most likely, at the best
temperature of each; where there are few labels it is drawn towards 1. `curve` is the head as it is, `evidence` the same
head with that factor, both on the test part.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.data import OFFLINE, SETS, cached_splits
from benchmarks.heads import KNOWN_SETS, Play, TrainingRun
from benchmarks.report import DATA, Cell, Measured, Option, Table, run, use_one_thread, with_error
from fastlabel_gradio.head import FOLDS, Head, fit_temperature, folds_of
from fastlabel_gradio.types import Embeddings, Rows

FACTORS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
SURE_LABELS = 50  # draw as much as the factor that the labels ask for


def parts(head: Head, embeddings: Embeddings) -> tuple[np.ndarray, np.ndarray]:
    """float32[items, classes] each: the logits of the MLP, and of the linear map past it."""
    weights = {name: tensor.numpy() for name, tensor in head.state_dict().items()}
    linear = embeddings @ weights["skip.weight"].T + weights["skip.bias"]
    return head.logits(embeddings) - linear, linear


def log_loss(logits: np.ndarray, targets: Rows) -> float:
    """How unlikely the targets are, mean in nats, at the best temperature."""
    cooled = logits / fit_temperature(logits, targets)
    cooled = cooled - cooled.max(axis=1, keepdims=True)
    return float(np.mean(np.log(np.exp(cooled).sum(axis=1)) - cooled[np.arange(len(targets)), targets]))


def chosen_factor(training: TrainingRun) -> float:
    """What the left-out labels of a training run make of the linear part's share."""
    fold = folds_of(training.targets, training.groups, training.seed)
    found, goals = [], []
    for number in range(FOLDS):
        held = fold == number
        if held.any() and len(np.unique(training.targets[~held])) > 1:
            head = replace(training, rows=training.rows[~held], targets=training.targets[~held]).head()
            found.append(parts(head, training.embeddings[held]))
            goals.append(training.targets[held])
    if not found:
        return 1.0
    mlp, linear = (np.concatenate(one) for one in zip(*found, strict=True))
    losses = [log_loss(mlp + factor * linear, np.concatenate(goals)) for factor in FACTORS]
    trust = len(training.targets) / (len(training.targets) + SURE_LABELS)
    return float(FACTORS[int(np.argmin(losses))] ** trust)


def row_of(name: str, labels: int, trainings: Sequence[TrainingRun]) -> tuple[Cell, ...]:
    """One line of the table."""
    factors: list[float] = []
    curve: list[float] = []
    evidence: list[float] = []
    for training in trainings:
        mlp, linear = parts(training.head(), training.split.test)
        factors.append(chosen_factor(training))
        for accuracies, factor in ((curve, 1.0), (evidence, factors[-1])):
            said = (mlp + factor * linear).argmax(axis=1)
            accuracies.append(100 * float((said == training.split.test_targets).mean()))
    means = (round(float(np.mean(one)), 1) for one in (curve, evidence))
    spread = f"{min(factors):.1f} to {max(factors):.1f}"
    return name, labels, *means, with_error(np.subtract(evidence, curve)), spread


def main() -> None:
    run(__doc__, OPTIONS, measure)


def measure(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    counted = Play(files, arguments.seeds, max(arguments.labels)).counted("share", arguments.labels)
    rows = [row_of(*one) for one in counted]
    columns = ("set", "labels", "curve", "evidence", "difference", "factors")
    return [Table("Accuracy, %, by what chooses the share of the linear part.", columns, rows)]


OPTIONS = (
    DATA,
    Option("--encoder", OFFLINE, "kind of the encoder of what is embedded"),
    Option("--sets", KNOWN_SETS, "what is learned", tuple(SETS)),
    Option("--labels", (50, 100, 200), "how many"),
    Option("--seeds", 8, "training runs of each"),
)


if __name__ == "__main__":
    main()
