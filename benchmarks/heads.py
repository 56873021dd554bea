"""What the head's recipe is worth, trained as the app trains it (`HeadMaker`) on random labels of known sets.

    python -m benchmarks.heads --data DATA --json OUT
    python -m benchmarks.heads --data DATA --sets digits esc10 --tables accuracy noise --seeds 4

DATA holds `esc10`, `fsdd`, `waste` and `cifar10`, unpacked; digits need no folder. `--encoder pretrained` embeds them by that
encoder in place of `offline`, for which digits are raw pixels. Seed s has part s % parts of a set, labels and a
start of its own; every contestant gets the same. With 5,000 labels and more a quarter of the seeds is played.

- accuracy: the head, three networks in one (`ensemble`), and scikit-learn's LogisticRegression and RidgeClassifier on the
  same embeddings, scaled by sqrt(dim), whose C and alpha are the best ones of a grid on the test part itself, which favours
  them. A grid is left after two values in a row that are worse. `difference`: head less the better of the two, with the
  standard error of the paired seeds. Aims: from 20 labels on no more than half a point below; 100 ms at 1,000 labels, 1 s at
  20,000 (median of the head's own clock).
- noise: the head with 5 % of its labels wrong, another class at random. Aim: at most 3 points lost.
- calibration: the temperature that the app finds after a training, with the labels left out of five more, and the expected
  calibration error on the test part before and after. 1 is the recipe's own `usual_temperature`.
- weighting: `class_weighting` on the pool with two rare classes; accuracy on the balanced test part, recall of the two, and
  accuracy where each class counts as much as it has of the pool.
- names: class names as a text tower would embed them, MADE UP: class means of the pool plus noise, at a scale that makes
  their own probabilities about right. They show whether names and labels together are better than either, not what CLIP's
  names are worth.
"""

import argparse
import statistics
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

from benchmarks.efficiency_data import OFFLINE, SETS, Split, cached_splits, load_split, part_of
from benchmarks.report import Cell, Table, machine, parser, publish, say
from fastlabel_gradio.devices import use_one_thread_per_operation
from fastlabel_gradio.evaluation import expected_calibration_error
from fastlabel_gradio.head import (
    DEFAULT_RECIPE,
    SAMPLE_ROWS,
    Head,
    HeadMaker,
    HeadRecipe,
    TextPrior,
    fit_temperature,
)
from fastlabel_gradio.types import Embeddings, Label, Rows

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


@dataclass(frozen=True, slots=True)
class Lesson:
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


@dataclass(frozen=True, slots=True)
class Play:
    """What is asked for: the files of the parts of each set, and up to how many seeds and labels."""

    files: dict[str, list[Path]]
    seeds: int
    most: int

    def lessons(self, name: str, labels: int) -> list[Lesson]:
        return lessons(self.files[name], name, labels, self.seeds)

    def counts(self, name: str, counts: Sequence[int]) -> list[int]:
        """Those numbers of labels that every part has, and the whole of the smallest pool where one is more."""
        pool = min(len(load_split(file).pool) for file in self.files[name])
        return sorted({min(count, pool) for count in counts if count <= self.most})


def lessons(files: Sequence[Path], name: str, labels: int, seeds: int) -> list[Lesson]:
    """One for each seed; all labels of the pool where it has no more."""
    count = seeds if labels < MANY else max(1, seeds // 4)
    return [_lesson(load_split(files[part_of(name, seed)]), labels, seed) for seed in range(count)]


def with_wrong_labels(lesson: Lesson, share: float) -> Lesson:
    """The same, where each label is with this probability another class at random."""
    rng = np.random.default_rng([lesson.seed, 1])
    shift = rng.integers(1, lesson.split.classes, size=len(lesson.targets))
    wrong = rng.random(len(lesson.targets)) < share
    return replace(lesson, targets=np.where(wrong, (lesson.targets + shift) % lesson.split.classes, lesson.targets))


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
    arguments = _arguments()
    began_on = machine()
    use_one_thread_per_operation()  # as the app does
    files = {name: cached_splits(name, arguments.data, arguments.encoder) for name in arguments.sets}
    play = Play(files, arguments.seeds, arguments.most)
    tables = [TABLES[name](play) for name in arguments.tables]
    publish(began_on, [table for table in tables if table.rows], arguments.json)


def _arguments() -> argparse.Namespace:
    made = parser(__doc__ or "")
    sets = [name for name in SETS if name not in SAME_ITEMS]
    made.add_argument("--data", type=Path, default=Path(), metavar="DATA", help="the folder with the unpacked sets")
    made.add_argument("--encoder", default=OFFLINE, metavar="KIND", help=f"of what is embedded (default: {OFFLINE})")
    made.add_argument("--sets", nargs="+", choices=sets, default=sets, metavar="SET", help=f"of {', '.join(sets)}")
    made.add_argument("--tables", nargs="+", choices=list(TABLES), default=list(TABLES), metavar="TABLE")
    made.add_argument("--seeds", type=int, default=8, metavar="N", help=f"up to {MANY:,} labels (default: 8)")
    made.add_argument("--most", type=int, default=COUNTS[-1], metavar="N", help="labels at most (default: 20,000)")
    return made.parse_args()


def _lesson(split: Split, labels: int, seed: int) -> Lesson:
    rows = np.random.default_rng(seed).permutation(len(split.pool))[:labels]
    return Lesson(split, rows, split.pool_targets[rows], seed)


def _maker(lesson: Lesson, recipe: HeadRecipe = DEFAULT_RECIPE, prior: TextPrior | None = None) -> HeadMaker:
    """As the labeler makes it: it knows the spread of a random sample of the pool."""
    split = lesson.split
    schema = tuple(Label(number, str(number)) for number in range(split.classes))
    some = split.pool[np.random.default_rng([lesson.seed, 3]).permutation(len(split.pool))[:SAMPLE_ROWS]]
    return HeadMaker(schema, "", recipe, prior, lambda: some, lesson.seed)


def _trained(lesson: Lesson, recipe: HeadRecipe = DEFAULT_RECIPE, prior: TextPrior | None = None) -> Head:
    return _maker(lesson, recipe, prior).train(lesson.embeddings, lesson.targets, None, 0.0)


def _right(head: Head, split: Split) -> np.ndarray:
    return np.asarray(head.predict_proba(split.test).argmax(axis=1) == split.test_targets)


def _accuracy(head: Head, split: Split) -> float:
    return 100 * float(_right(head, split).mean())


# Accuracy


def _accuracy_table(play: Play) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in play.files:
        for labels in play.counts(name, COUNTS):
            say(f"accuracy: {name}, {labels:,} labels …")
            rows.append((name, *_accuracy_row(play.lessons(name, labels), labels)))
    columns = (
        "set",
        "labels",
        "head",
        "ensemble",
        "logistic",
        "best C",
        "ridge",
        "difference",
        "head, ms",
        "ensemble, ms",
    )
    aim = "from 20 labels on no more than 0.5 below; 100 ms at 1,000 labels, 1 s at 20,000"
    return Table("Accuracy on the test part, %, of heads and of regressions.", columns, rows, aim=aim)


def _accuracy_row(of_seeds: Sequence[Lesson], labels: int) -> tuple[Cell, ...]:
    heads = [_trained(lesson) for lesson in of_seeds]
    ensembles = [_trained(lesson, HeadRecipe(ensemble=3)) for lesson in of_seeds]
    ours, merged = (
        np.array([_accuracy(head, lesson.split) for head, lesson in zip(made, of_seeds, strict=True)])
        for made in (heads, ensembles)
    )
    (best, logistic), (_, ridge) = (_best_regression(of_seeds, fit) for fit in (_logistic, _ridge))
    theirs = max(logistic, ridge, key=np.mean)
    means = (round(float(values.mean()), 1) for values in (ours, merged, logistic))
    times = (_milliseconds(made) for made in (heads, ensembles))
    return labels, *means, best, round(float(ridge.mean()), 1), _with_error(ours - theirs), *times


def _best_regression(
    of_seeds: Sequence[Lesson], accuracy: Callable[[Lesson, float], float]
) -> tuple[float, np.ndarray]:
    """The value of the grid that is best on the test parts, and the accuracy of each seed with it."""
    best_value, best, worse = GRID[0], np.zeros(len(of_seeds)), 0
    for value in GRID:
        found = np.array([accuracy(lesson, value) for lesson in of_seeds])
        if found.mean() > best.mean():
            best_value, best, worse = value, found, 0
        else:
            worse += 1
        if worse == PATIENCE:
            break
    return best_value, best


def _logistic(lesson: Lesson, c: float) -> float:
    from sklearn.linear_model import LogisticRegression

    return _regression(lesson, LogisticRegression(C=c, max_iter=300, tol=1e-3))


def _ridge(lesson: Lesson, penalty: float) -> float:
    """`penalty` for vectors of length 1."""
    from sklearn.linear_model import RidgeClassifier

    return _regression(lesson, RidgeClassifier(alpha=penalty * lesson.split.pool.shape[1]))


def _regression(lesson: Lesson, model: BaseEstimator) -> float:
    """Accuracy on the test part, in percent."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    scale = np.sqrt(lesson.split.pool.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # large C: 300 steps are plenty for the accuracy
        with threadpool_limits(1):  # threads of BLAS would wait for each other where the cores are busy
            model.fit(lesson.embeddings * scale, lesson.targets)
    return 100 * float(model.score(lesson.split.test * scale, lesson.split.test_targets))


def _milliseconds(heads: Sequence[Head]) -> float:
    return round(1000 * statistics.median(head.info.seconds for head in heads), 1)


def _with_error(differences: np.ndarray) -> str:
    """The mean and its standard error, which one seed does not have."""
    mean = f"{differences.mean():+.1f}"
    return f"{mean} ± {differences.std(ddof=1) / np.sqrt(len(differences)):.1f}" if len(differences) > 1 else mean


# Wrong labels


def _noise_table(play: Play) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in play.files:
        for labels in play.counts(name, NOISE_COUNTS):
            say(f"noise: {name}, {labels:,} labels …")
            rows.append((name, labels, *_noise_cells(play.lessons(name, labels))))
    columns = ("set", "labels", "all right", f"{NOISE:.0%} wrong", "difference")
    return Table("Accuracy of the head, %, with wrong labels.", columns, rows, aim="at most 3 points lost")


def _noise_cells(of_seeds: Sequence[Lesson]) -> tuple[Cell, ...]:
    clean = np.array([_accuracy(_trained(lesson), lesson.split) for lesson in of_seeds])
    noisy = np.array([_accuracy(_trained(with_wrong_labels(lesson, NOISE)), lesson.split) for lesson in of_seeds])
    return round(float(clean.mean()), 1), round(float(noisy.mean()), 1), _with_error(noisy - clean)


# Calibration


def _calibration_table(play: Play) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in play.files:
        for labels in play.counts(name, CALIBRATION_COUNTS):
            say(f"calibration: {name}, {labels:,} labels …")
            found = np.array([_calibration(lesson) for lesson in play.lessons(name, labels)])
            temperature, *errors = found.mean(axis=0).tolist()
            spread = f"{found[:, 0].min():.2f} to {found[:, 0].max():.2f}"
            rows.append((name, labels, round(temperature, 2), spread, *(round(error, 1) for error in errors)))
    columns = ("set", "labels", "temperature", "of all seeds", "error before", "error after")
    note = "A part that is not like the pool (an unknown speaker) cannot be calibrated on labels of the pool."
    return Table("Expected calibration error on the test part, in points.", columns, rows, note=note)


def _calibration(lesson: Lesson) -> tuple[float, float, float]:
    """The temperature, and the error before and after."""
    maker, split = _maker(lesson), lesson.split
    before = maker.train(lesson.embeddings, lesson.targets, None, 0.0)
    after = maker.calibrate(before, lesson.embeddings, lesson.targets, lambda: False)
    errors = (
        expected_calibration_error(head.predict_proba(split.test), split.test_targets) for head in (before, after)
    )
    first, second = errors
    return after.info.temperature, 100 * first, 100 * second


# Class weighting


def _weighting_table(play: Play) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in play.files:
        if not len(load_split(play.files[name][0]).rare):
            continue
        for labels in WEIGHTING_COUNTS:
            say(f"weighting: {name}, {labels:,} labels …")
            of_seeds = play.lessons(name, labels)
            rows += [(name, labels, power, *_weighting_cells(of_seeds, power)) for power in WEIGHTINGS]
    columns = ("set", "labels", "class_weighting", "balanced", "recall of the rare", "weighted as the pool is")
    return Table("Accuracy, %, where two classes are rare, by class weighting.", columns, rows)


def _weighting_cells(of_seeds: Sequence[Lesson], power: float) -> list[float]:
    found = [_weighting(lesson, power) for lesson in of_seeds]
    return [round(value, 1) for value in np.mean(found, axis=0).tolist()]


def _weighting(lesson: Lesson, power: float) -> tuple[float, float, float]:
    split = lesson.split
    right = _right(_trained(lesson, HeadRecipe(class_weighting=power)), split)
    rare = right[np.isin(split.test_targets, split.rare)]
    in_pool = weighted_accuracy(right, split.test_targets, split.pool_targets)
    return 100 * float(right.mean()), 100 * float(rare.mean()), 100 * in_pool


# Class names


def _names_table(play: Play) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in play.files:
        if name in NAMES_SETS:
            say(f"names: {name} …")
            rows += [(name, *cells) for cells in _names_rows(play, name)]
    columns = ("set", "labels", "labels alone", *(f"and {quality} names" for quality in NAMES_NOISE))
    note = "Made-up names: class means of the pool plus noise. With 0 labels: the names alone."
    return Table("Accuracy, %, of labels and class names.", columns, rows, note=note)


def _names_rows(play: Play, name: str) -> Iterator[tuple[Cell, ...]]:
    for labels in (0, *NAMES_COUNTS):
        of_seeds = play.lessons(name, labels)
        without = _mean_accuracy([(lesson, None) for lesson in of_seeds]) if labels else ""
        both = [
            _mean_accuracy([(lesson, made_up_names(lesson.split, noise, lesson.seed)) for lesson in of_seeds])
            for noise in NAMES_NOISE.values()
        ]
        yield labels, without, *both


def _mean_accuracy(taught: Sequence[tuple[Lesson, TextPrior | None]]) -> float:
    """Of heads that have the labels and the names of each lesson, or the names alone where it has no label."""
    shares = []
    for lesson, prior in taught:
        head = _trained(lesson, prior=prior) if len(lesson.rows) else _maker(lesson, prior=prior).first()
        assert head, "neither labels nor names"
        shares.append(_accuracy(head, lesson.split))
    return round(statistics.mean(shares), 1)


TABLES: dict[str, Callable[[Play], Table]] = {
    "accuracy": _accuracy_table,
    "noise": _noise_table,
    "calibration": _calibration_table,
    "weighting": _weighting_table,
    "names": _names_table,
}


if __name__ == "__main__":
    main()
