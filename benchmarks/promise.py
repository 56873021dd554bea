"""How often a promise of the view Finish is false, how much it accepts, and what it costs in checks.

Heads are trained on some labels of a set, random ones, a tenth of them an audit. Each is played many times: the plan as the
app makes it, the set frozen, checks in random order until it is proven or given up, wrong ones corrected, the rest accepted.
With a careless checker one answer in fifty is wrong, either way. A promise is false where less of what was delivered is right
than was promised. `oracle`: the most of the pool that could be accepted by the same confidence if its labels were known.

    python -m benchmarks.promise --data DATA

Sets: digits, fsdd, cifar10 (`--encoder` embeds them), and cifar10_scarce, a pool in which one class is 1 %.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.data import OFFLINE, SETS, cached_splits, load_split
from benchmarks.report import DATA, Option, Table, run, say
from fastlabel_gradio.finish.plan import AUDIT_WEIGHT, OUT_OF_FOLD_WEIGHT, fit_right, plan
from fastlabel_gradio.finish.proof import alpha_of, is_futile, one_look_checks, proven_after, wrong_allowed
from fastlabel_gradio.head import Head, HeadMaker
from fastlabel_gradio.types import Embeddings, Label, Rows

PROMISES = (0.90, 0.95, 0.98)
CARELESS = 0.02
SCARCE = "cifar10_scarce"
SCARCE_SHARE = 0.01
AUDIT_SHARE = 0.1
OPTIONS = (
    DATA,
    Option("--sets", ("digits", "fsdd", "cifar10", SCARCE), "what is labeled", (*SETS, SCARCE)),
    Option("--encoder", OFFLINE, "its kind"),
    Option("--labels", int, "how many the heads are trained on (default: three numbers for each set)"),
    Option("--seeds", 4, "draws of labels at each number of them"),
    Option("--plays", 100, "runs of each head and promise"),
)
LABELS = {"digits": (100, 200, 400), "fsdd": (100, 200, 400), "cifar10": (300, 1000, 3000), SCARCE: (300, 1000, 3000)}


@dataclass(frozen=True, slots=True)
class Proposed:
    """What a head proposes for the unlabeled items of a pool, surest first.

    Attributes:
        wrong: bool[items]. errors: how likely each is wrong, as the plan has it.
    """

    wrong: np.ndarray
    errors: np.ndarray


@dataclass(frozen=True, slots=True)
class Play:
    """One promise: whether it was made, whether it is false, what it accepted of how many items, and its checks."""

    promised: bool
    false: bool
    share: float
    checks: int


def proposed_by_head(vectors: Embeddings, targets: Rows, labels: int, seed: int) -> Proposed:
    """Trains a head on random labels of a pool as the app does, and has it propose the rest."""
    order = np.random.default_rng(seed).permutation(len(vectors))
    audits = round(AUDIT_SHARE * labels)
    audit, trained, rest = np.split(order, [audits, labels])
    classes = int(targets.max()) + 1
    maker = HeadMaker(tuple(Label(number, str(number)) for number in range(classes)), "benchmark", seed=seed)
    head = maker.train(vectors[trained], targets[trained], None, 0.0)
    head = maker.calibrate(head, vectors[trained], targets[trained], lambda: False)
    confidences, right, weights = _known(maker, head, vectors, targets, audit, trained)
    said = head.predict_proba(vectors[rest])
    errors = 1 - fit_right(confidences, right, weights).chances(said.max(axis=1))
    surest = np.argsort(errors, kind="stable")
    return Proposed((said.argmax(axis=1) != targets[rest])[surest], errors[surest])


def played(proposed: Proposed, precision: float, careless: float, rng: np.random.Generator) -> Play:
    """One attempt at a promise: planned, checked, and accepted where it is proven."""
    alpha = alpha_of(1)
    planned = plan(proposed.errors, precision, alpha)
    if not planned.items:
        return Play(False, False, 0.0, 0)
    order = rng.permutation(planned.items)
    wrong = proposed.wrong[: planned.items][order]
    answers = wrong ^ (rng.random(planned.items) < careless)
    most = min(planned.items, 6 * one_look_checks(precision))
    proven = proven_after(planned.items, answers[:most], precision, alpha)
    given_up = _given_up_after(planned.items, answers[:most], precision, alpha)
    if proven is None or (given_up is not None and given_up < proven):
        return Play(False, False, 0.0, given_up or most)
    # Corrected is what was called wrong; what was right and was called wrong is spoiled.
    called = answers[:proven]
    left = int(wrong.sum()) - int((called & wrong[:proven]).sum()) + int((called & ~wrong[:proven]).sum())
    is_false = left > wrong_allowed(planned.items, precision)
    return Play(True, is_false, planned.items / len(proposed.wrong), proven)


def oracle_share(proposed: Proposed, precision: float) -> float:
    """The largest share of the items that keeps the promise, of the surest ones."""
    counts = np.arange(1, len(proposed.wrong) + 1)
    keeps = np.flatnonzero(np.cumsum(proposed.wrong) <= (1 - precision) * counts)
    return float(keeps[-1] + 1) / len(proposed.wrong) if len(keeps) else 0.0


def table_of(name: str, heads: Sequence[Proposed], plays: int) -> list[tuple[str | int | float, ...]]:
    """The rows of a set: one for each promise and checker."""
    rows: list[tuple[str | int | float, ...]] = []
    for precision in PROMISES:
        oracle = float(np.mean([oracle_share(one, precision) for one in heads]))
        for checker, careless in (("right", 0.0), ("2 % wrong", CARELESS)):
            found = [
                [played(one, precision, careless, np.random.default_rng([number, seed])) for seed in range(plays)]
                for number, one in enumerate(heads)
            ]
            rows.append((name, f"{100 * precision:.0f} %", checker, *_figures(found), f"{100 * oracle:.1f}"))
    return rows


def main() -> None:
    run(__doc__, OPTIONS, _measured)


def _measured(options: argparse.Namespace) -> list[Table]:
    rows = []
    for name in options.sets:
        heads = list(_heads(name, options))
        rows += table_of(name, heads, options.plays)
    columns = ("set", "promise", "checker", "runs", "promised, %", "false, % of runs", "worst head, %")
    more = ("accepted, % of the pool", "checks", "oracle, %")
    note = (
        f"Each set: {options.seeds} draws of labels at three numbers of them, {options.plays} runs of a head. `accepted` and "
        "`checks` are means over runs that promise, `oracle` over all."
    )
    aim = "a promise is false in 5 % of runs at most"
    return [Table("Promises", (*columns, *more), rows, aim, note)]


def _known(
    maker: HeadMaker, head: Head, vectors: Embeddings, targets: Rows, audit: Rows, trained: Rows
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Confidences, whether they were right, and weights: of the audit and of labels left out of the training."""
    said = [(head.predict_proba(vectors[audit]), targets[audit], AUDIT_WEIGHT)]
    found = maker.left_out(head, vectors[trained], targets[trained], lambda: False)
    if found is not None:
        logits, left_out = found
        powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / head.info.temperature)
        said.append((powers / powers.sum(axis=1, keepdims=True), left_out, OUT_OF_FOLD_WEIGHT))
    confidences = np.concatenate([one.max(axis=1) for one, _, _ in said]).astype(np.float32)
    right = np.concatenate([one.argmax(axis=1) == truth for one, truth, _ in said])
    weights = np.concatenate([np.full(len(truth), weight) for _, truth, weight in said])
    return confidences, right, weights


def _given_up_after(items: int, answers: np.ndarray, precision: float, alpha: float) -> int | None:
    """After how many checks the app calls the set futile; that changes only at wrong ones, and at the one look."""
    looks = sorted({*(np.flatnonzero(answers) + 1).tolist(), min(one_look_checks(precision), len(answers))})
    for checked in looks:
        if is_futile(items, checked, int(answers[:checked].sum()), precision, alpha):
            return checked
    return None


def _figures(found: Sequence[Sequence[Play]]) -> tuple[str | int, ...]:
    runs = [one for head in found for one in head]
    promised = [one for one in runs if one.promised]
    false = [100 * float(np.mean([one.false for one in head])) for head in found]
    shares = f"{100 * np.mean([one.share for one in promised]):.1f}" if promised else "–"
    checks = f"{np.mean([one.checks for one in promised]):.0f}" if promised else "–"
    made = f"{100 * len(promised) / len(runs):.0f}"
    return len(runs), made, f"{np.mean(false):.2f}", f"{max(false):.1f}", shares, checks


def _heads(name: str, options: argparse.Namespace) -> Iterator[Proposed]:
    vectors, targets = _pool(name, options.data, options.encoder)
    for labels in [options.labels] if options.labels else LABELS[name]:
        for seed in range(options.seeds):
            say(f"{name}: a head of {labels} labels, draw {seed} …")
            yield proposed_by_head(vectors, targets, labels, seed)


def _pool(name: str, data: Path, encoder: str) -> tuple[Embeddings, Rows]:
    """The pool of a set; of SCARCE the class 0 is cut to 1 %."""
    split = load_split(cached_splits("cifar10" if name == SCARCE else name, data, encoder)[0])
    if name != SCARCE:
        return split.pool, split.pool_targets
    first = np.flatnonzero(split.pool_targets == 0)
    others = np.flatnonzero(split.pool_targets != 0)
    few = np.random.default_rng(0).permutation(first)[: round(SCARCE_SHARE * len(others) / (1 - SCARCE_SHARE))]
    rows = np.sort(np.concatenate([others, few]))
    return split.pool[rows], split.pool_targets[rows]


if __name__ == "__main__":
    main()
