"""What the head's recipe is worth, trained as the app trains it (`HeadMaker`) on random labels of known sets.

    python -m benchmarks.heads --data DATA --json OUT
    python -m benchmarks.heads --data DATA --sets digits esc10 --tables accuracy noise --seeds 4

`--encoder pretrained` embeds the sets by that encoder in place of `offline`, for which digits are raw pixels. Seed s has part
s % parts of a set, labels and a start of its own; every contestant gets the same. With 5,000 labels and more a quarter of the
seeds is played.

- accuracy: the head, and scikit-learn's LogisticRegression and RidgeClassifier on the same embeddings, scaled by sqrt(dim),
  whose C and alpha are the best ones of a grid on the test part itself, which favours them. A grid is left after two values
  in a row that are worse. `difference`: head less the better of the two, with the standard error of the paired seeds. Aims:
  from 20 labels on no more than half a point below; 100 ms at 1,000 labels, 1 s at 20,000 (median of the head's own clock).
- noise: the head with 5 % of its labels wrong, another class at random. Aim: at most 3 points lost.
- calibration: the temperature that the app finds after a training, with the labels left out of five more, and the expected
  calibration error on the test part before and after. 1 is the recipe's own `usual_temperature`.
- weighting: `class_weighting` on the pool with two rare classes; accuracy on the balanced test part, recall of the two, and
  accuracy where each class counts as much as it has of the pool.
- names: class names as a text tower would embed them, MADE UP: class means of the pool plus noise, at a scale that makes
  their own probabilities about right; with 0 labels the names alone. They show whether names and labels together are better
  than either, not what CLIP's names are worth.
"""

import argparse
import statistics
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

from benchmarks.data import OFFLINE, SETS, Split, cached_splits, load_split, part_of
from benchmarks.report import DATA, Cell, Measured, Option, Table, run, say, use_one_thread, with_error
from fastlabel_gradio.head import DEFAULT_RECIPE, SAMPLE_ROWS, Head, HeadMaker, HeadRecipe, TextPrior, fit_temperature
from fastlabel_gradio.head.evaluation import expected_calibration_error
from fastlabel_gradio.types import Embeddings, Groups, Label, Rows

SAME_ITEMS = ("cifar10_half", "esc10_windows")  # as another set
COUNTS = (20, 50, 100, 200, 500, 1_000, 1_500, 5_000, 20_000)
MANY = 5_000  # labels; from there on a quarter of the seeds
NOISE, NOISE_COUNTS = 0.05, (200, 1_000)
CALIBRATION_COUNTS = (20, 50, 200, 1_000)
WEIGHTINGS, WEIGHTING_COUNTS = (0.0, 0.5, 1.0), (300, 1_500)
NAMES_SETS, NAMES_COUNTS = ("digits", "esc10"), (10, 20, 50, 200)
NAMES_NOISE = {"weak": 4.0, "fair": 2.0, "good": 1.0}  # times the distance of the class means from their middle
GRID = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)  # of C; alpha's is the same times dim, on the same inputs
PATIENCE = 2  # so many worse values in a row, and the rest of the grid is left out

TableRows = Iterator[tuple[Cell, ...]]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """Random labels of one part of a set.

    Attributes:
        rows: int64[labels], positions in the pool, in random order.
        targets: int64[labels], what the annotator says of them.
    """

    split: Split
    rows: Rows
    targets: Rows
    seed: int

    @property
    def embeddings(self) -> Embeddings:
        return np.asarray(self.split.pool[self.rows])

    @property
    def groups(self) -> Groups | None:
        """int64[labels], the recording or speaker of each, as the labeler knows it; None where the set names none."""
        known = self.split.pool_groups
        return known[self.rows] if len(known) else None

    def maker(self, recipe: HeadRecipe = DEFAULT_RECIPE, prior: TextPrior | None = None) -> HeadMaker:
        """As the labeler makes it: it knows the spread of a random sample of the pool."""
        schema = tuple(Label(number, str(number)) for number in range(self.split.classes))
        some = np.random.default_rng([self.seed, 3]).permutation(len(self.split.pool))[:SAMPLE_ROWS]
        return HeadMaker(schema, "", recipe, prior, lambda: self.split.pool[some], self.seed)

    def head(self, recipe: HeadRecipe = DEFAULT_RECIPE, prior: TextPrior | None = None) -> Head:
        """The head that learned the labels, and the names of a prior; the names alone where there is no label."""
        made = self.maker(recipe, prior)
        head = made.train(self.embeddings, self.targets, None, 0.0, self.groups) if len(self.rows) else made.first()
        assert head, "neither labels nor names"
        return head

    def accuracy(self, head: Head) -> float:
        """On the test part, in percent."""
        return 100 * float(self.right(head).mean())

    def right(self, head: Head) -> np.ndarray:
        """bool[test], whether the head gets each test item right."""
        return np.asarray(head.predict_proba(self.split.test).argmax(axis=1) == self.split.test_targets)


@dataclass(frozen=True, slots=True)
class Play:
    """What is asked for: the files of the parts of each set, and up to how many seeds and labels."""

    files: dict[str, list[Path]]
    seeds: int
    most: int

    def trainings(self, name: str, labels: int) -> list[TrainingRun]:
        """One for each seed; all labels of the pool where it has no more."""
        count = self.seeds if labels < MANY else max(1, self.seeds // 4)
        return [_training_run(load_split(self.files[name][part_of(name, seed)]), labels, seed) for seed in range(count)]

    def counted(self, table: str, counts: Sequence[int]) -> Iterator[tuple[str, int, list[TrainingRun]]]:
        """Each set with those numbers of labels that every part has, and the whole of the smallest pool where one is more."""
        for name, files in self.files.items():
            pool = min(len(load_split(file).pool) for file in files)
            for labels in sorted({min(count, pool) for count in counts if count <= self.most}):
                say(f"{table}: {name}, {labels:,} labels …")
                yield name, labels, self.trainings(name, labels)


def with_wrong_labels(training: TrainingRun, share: float) -> TrainingRun:
    """The same, where each label is with this probability another class at random."""
    rng = np.random.default_rng([training.seed, 1])
    shift = rng.integers(1, training.split.classes, size=len(training.targets))
    wrong = rng.random(len(training.targets)) < share
    return replace(
        training, targets=np.where(wrong, (training.targets + shift) % training.split.classes, training.targets)
    )


def made_up_names(split: Split, noise: float, seed: int) -> TextPrior:
    """Texts that are no texts: the pool's class means, away from them by `noise` times their own distance from their middle.

    The scale is what makes the probabilities of the names alone about right on the pool.
    """
    means = np.stack([split.pool[split.pool_targets == number].mean(axis=0) for number in range(split.classes)])
    distance = np.sqrt(np.square(means - means.mean(axis=0)).sum(axis=1).mean())
    away = np.random.default_rng([seed, 2]).standard_normal(means.shape) / np.sqrt(means.shape[1])
    texts = means + noise * distance * away
    texts = (texts / np.linalg.norm(texts, axis=1, keepdims=True)).astype(np.float32)
    return TextPrior(texts, 100 / fit_temperature(100 * split.pool @ texts.T, split.pool_targets))


def weighted_accuracy(right: np.ndarray, targets: Rows, pool_targets: Rows) -> float:
    """Accuracy on a test part whose classes count as much as they have of the pool.

    Args:
        right: bool[test], whether each test item is.
    """
    classes = np.unique(targets)
    shares = np.array([(pool_targets == number).mean() for number in classes])
    recalls = np.array([right[targets == number].mean() for number in classes])
    return float(shares @ recalls / shares.sum())


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(arguments: argparse.Namespace) -> Measured:
    use_one_thread()
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    play = Play(files, arguments.seeds, arguments.most)
    chosen = [TABLES[name] for name in arguments.tables]
    tables = [Table(title, columns, list(rows(play)), aim=aim) for title, aim, columns, rows in chosen]
    return [table for table in tables if table.rows]


def _training_run(split: Split, labels: int, seed: int) -> TrainingRun:
    rows = np.random.default_rng(seed).permutation(len(split.pool))[:labels]
    return TrainingRun(split, rows, split.pool_targets[rows], seed)


def _mean(values: Sequence[float] | np.ndarray) -> float:
    return round(float(np.mean(values)), 1)


def _accuracy_rows(play: Play) -> TableRows:
    for name, labels, trainings in play.counted("accuracy", COUNTS):
        heads = [training.head() for training in trainings]
        ours = np.array([training.accuracy(head) for training, head in zip(trainings, heads, strict=True)])
        (best, logistic), (_, ridge) = (_best_regression(trainings, fit) for fit in (_logistic, _ridge))
        taken = round(1000 * statistics.median(head.info.seconds for head in heads), 1)
        difference = with_error(ours - max(logistic, ridge, key=np.mean))
        yield name, labels, _mean(ours), _mean(logistic), best, _mean(ridge), difference, taken


def _best_regression(
    trainings: Sequence[TrainingRun], accuracy: Callable[[TrainingRun, float], float]
) -> tuple[float, np.ndarray]:
    """The value of the grid that is best on the test parts, and the accuracy of each seed with it."""
    best_value, best, worse = GRID[0], np.zeros(len(trainings)), 0
    for value in GRID:
        found = np.array([accuracy(training, value) for training in trainings])
        if found.mean() > best.mean():
            best_value, best, worse = value, found, 0
        else:
            worse += 1
        if worse == PATIENCE:
            break
    return best_value, best


def _logistic(training: TrainingRun, c: float) -> float:
    from sklearn.linear_model import LogisticRegression

    return _regression(training, LogisticRegression(C=c, max_iter=300, tol=1e-3))


def _ridge(training: TrainingRun, penalty: float) -> float:
    """`penalty` for vectors of length 1."""
    from sklearn.linear_model import RidgeClassifier

    return _regression(training, RidgeClassifier(alpha=penalty * training.split.pool.shape[1]))


def _regression(training: TrainingRun, model: BaseEstimator) -> float:
    """Accuracy on the test part, in percent."""
    from sklearn.exceptions import ConvergenceWarning

    scale = np.sqrt(training.split.pool.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # large C: 300 steps are plenty for the accuracy
        model.fit(training.embeddings * scale, training.targets)
    return 100 * float(model.score(training.split.test * scale, training.split.test_targets))


def _noise_rows(play: Play) -> TableRows:
    for name, labels, trainings in play.counted("noise", NOISE_COUNTS):
        clean = np.array([training.accuracy(training.head()) for training in trainings])
        noisy = np.array([training.accuracy(with_wrong_labels(training, NOISE).head()) for training in trainings])
        yield name, labels, _mean(clean), _mean(noisy), with_error(noisy - clean)


def _calibration_rows(play: Play) -> TableRows:
    for name, labels, trainings in play.counted("calibration", CALIBRATION_COUNTS):
        found = np.array([_calibration(training) for training in trainings])
        temperature, *errors = found.mean(axis=0).tolist()
        spread = f"{found[:, 0].min():.2f} to {found[:, 0].max():.2f}"
        yield name, labels, round(temperature, 2), spread, *(round(error, 1) for error in errors)


def _calibration(training: TrainingRun) -> tuple[float, float, float]:
    """The temperature, and the error before and after."""
    before, split = training.head(), training.split
    after = training.maker().calibrate(before, training.embeddings, training.targets, lambda: False, training.groups)
    first, second = (
        100 * expected_calibration_error(head.predict_proba(split.test), split.test_targets) for head in (before, after)
    )
    return after.info.temperature, first, second


def _weighting_rows(play: Play) -> TableRows:
    rare = {name: files for name, files in play.files.items() if len(load_split(files[0]).rare)}
    for name in rare:
        for labels in WEIGHTING_COUNTS:
            say(f"weighting: {name}, {labels:,} labels …")
            trainings = play.trainings(name, labels)
            for power in WEIGHTINGS:
                yield name, labels, power, *map(_mean, zip(*(_weighting(one, power) for one in trainings), strict=True))


def _weighting(training: TrainingRun, power: float) -> tuple[float, float, float]:
    split = training.split
    right = training.right(training.head(HeadRecipe(class_weighting=power)))
    rare = right[np.isin(split.test_targets, split.rare)]
    in_pool = weighted_accuracy(right, split.test_targets, split.pool_targets)
    return 100 * float(right.mean()), 100 * float(rare.mean()), 100 * in_pool


def _names_rows(play: Play) -> TableRows:
    for name in (name for name in play.files if name in NAMES_SETS):
        say(f"names: {name} …")
        for labels in (0, *NAMES_COUNTS):
            trainings = play.trainings(name, labels)
            alone = _mean([training.accuracy(training.head()) for training in trainings]) if labels else ""
            yield (
                name,
                labels,
                alone,
                *(_mean([_named(one, noise) for one in trainings]) for noise in NAMES_NOISE.values()),
            )


def _named(training: TrainingRun, noise: float) -> float:
    return training.accuracy(training.head(prior=made_up_names(training.split, noise, training.seed)))


TABLES: dict[str, tuple[str, str, tuple[str, ...], Callable[[Play], TableRows]]] = {
    "accuracy": (
        "Accuracy on the test part, %, of heads and of regressions.",
        "from 20 labels on no more than 0.5 below; 100 ms at 1,000 labels, 1 s at 20,000",
        ("set", "labels", "head", "logistic", "best C", "ridge", "difference", "head, ms"),
        _accuracy_rows,
    ),
    "noise": (
        "Accuracy of the head, %, with wrong labels.",
        "at most 3 points lost",
        ("set", "labels", "all right", f"{NOISE:.0%} wrong", "difference"),
        _noise_rows,
    ),
    "calibration": (
        "Expected calibration error on the test part, in points.",
        "",
        ("set", "labels", "temperature", "of all seeds", "error before", "error after"),
        _calibration_rows,
    ),
    "weighting": (
        "Accuracy, %, where two classes are rare, by class weighting.",
        "",
        ("set", "labels", "class_weighting", "balanced", "recall of the rare", "weighted as the pool is"),
        _weighting_rows,
    ),
    "names": (
        "Accuracy, %, of labels and class names.",
        "",
        ("set", "labels", "labels alone", *(f"and {quality} names" for quality in NAMES_NOISE)),
        _names_rows,
    ),
}

KNOWN_SETS = tuple(name for name in SETS if name not in SAME_ITEMS)
OPTIONS = (
    DATA,
    Option("--encoder", OFFLINE, "kind of the encoder of what is embedded"),
    Option("--sets", KNOWN_SETS, "what is learned", KNOWN_SETS),
    Option("--tables", tuple(TABLES), "what is measured", tuple(TABLES)),
    Option("--seeds", 8, f"up to {MANY:,} labels"),
    Option("--most", COUNTS[-1], "labels at most"),
)


if __name__ == "__main__":
    main()
