"""A simulated annotator: plays a source's reference labels through the Labeler that the page uses, and draws the curves.

`fastlabel simulate ~/pictures` tells which strategy would reach how much with how many labels.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from fastlabel_gradio.config import AppConfig, PartConfig, ProjectConfig
from fastlabel_gradio.devices import pick_device
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import ConfigError, FastLabelError
from fastlabel_gradio.evaluation import area_under_curve, audit, labels_to_reach, mean_interval
from fastlabel_gradio.head import Head
from fastlabel_gradio.label_store import LabelStore
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.learner import head_maker
from fastlabel_gradio.project import Project
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Batch, Embeddings, Item

ANNOTATOR = "simulated"
TRAINING_LIMIT_S = 600.0
TEST_SHARE = 0.2  # of the pool, or of its groups, where the source holds nothing out
SEEDS = 10
TELL_EVERY_S = 2.0
SHOWN_SHARES = (0.9, 0.95)

log = logging.getLogger(__name__)

Targets = Int64[np.ndarray, " items"]
Answers = list[tuple[str, str | int]]  # item id, position of a class


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the annotator does.

    Attributes:
        batch: items a batch.
        labels: after how many labels a run ends.
        noise: share of answers that are wrong, another class at random.
        leaves_open: share of the pool that is left open: the items that a head trained on every label is least sure of.
    """

    batch: int = 10
    labels: int = 300
    noise: float = 0.0
    leaves_open: float = 0.0


@dataclass(frozen=True, slots=True)
class Run:
    """One learning curve: the accuracy on the test part at each number of labels."""

    strategy: str
    seed: int
    labels: list[int] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Setting:
    """What was played on.

    Attributes:
        items: of the pool, those with a known label. test_items: of the test part.
        grouping: what items are grouped by, for people; "" without groups. test_groups: how many the test part has.
        shared_groups: how many of those the pool has too.
        low, high: 95 % interval of the accuracy with every label, for items, or groups, like those of the test part.
    """

    project: str
    encoder: str
    items: int
    classes: int
    test_items: int
    grouping: str
    test_groups: int
    shared_groups: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """All runs, and the accuracy of a head that was trained on every label of the pool."""

    full_supervision: float
    runs: list[Run]
    setting: Setting | None = None


class Experiment:
    """A project whose pool is embedded, with the labels of all items known; plays runs over it.

    Args:
        project: started here; embedded to the end before the constructor returns.

    Raises:
        ConfigError: the source knows no reference labels, or holds no item out.
        FastLabelError: what a project may raise.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        project.start()
        encoder = _embedded(project)
        self._truth = {item.id: position for item, position in self._labeled_items(project.source.scan())}
        test = list(self._labeled_items(project.source.held_out()))
        if not self._truth or not test:
            raise ConfigError(
                f"project '{project.name}' cannot be simulated: its source gives no reference labels to "
                f"{'the pool' if not self._truth else 'a test part'}."
            )
        self._test = _embed(project, encoder, [item for item, _ in test])
        self._test_targets = np.array([position for _, position in test], dtype=np.int64)
        self._full = self._train_on_everything(encoder)
        self.setting = self._setting(encoder, [item for item, _ in test])

    def _setting(self, encoder: Encoder, test: Sequence[Item]) -> Setting:
        source = self._project.source
        of_test = [source.group_of(item) for item in test]
        known = set(of_test) - {None}
        of_pool = {source.group_of(Item(item_id)) for item_id in self._truth} if known else set()
        numbers = np.unique([group or "" for group in of_test], return_inverse=True)[1].astype(np.int64)
        report = audit(self._full.predict_proba(self._test), self._test_targets, numbers if known else None)
        return Setting(
            project=self._project.name,
            encoder=encoder.name,
            items=len(self._truth),
            classes=len(self._project.schema),
            test_items=len(test),
            grouping=source.grouping.noun if source.grouping else "",
            test_groups=len(known),
            shared_groups=len(known & of_pool),
            low=report.low,
            high=report.high,
        )

    @property
    def full_supervision(self) -> float:
        """Accuracy on the test part with every label of the pool."""
        return self._accuracy(self._full)

    def play(self, strategy: str, seed: int, behaviour: Behaviour) -> Run:
        """One run from no labels on, with a label store, a labeler and a head of its own."""
        run = Run(strategy, seed)
        rng = np.random.default_rng([seed, 1])
        ignored = self._hardest(behaviour.leaves_open)
        usual = self._project.settings
        learner = replace(usual.learner, train_every=behaviour.batch, seed=seed)
        settings = replace(usual, strategy=strategy, batch_size=behaviour.batch, audit_share=0.0, learner=learner)
        with tempfile.TemporaryDirectory(prefix="fastlabel-simulation-") as name:
            folder = Path(name)
            with closing(LabelStore(f"sqlite:///{folder / 'labels.sqlite'}", "simulation")) as labels:
                schema = labels.ensure_labels(self._project.schema.names)
                labeler = Labeler(schema, self._project.store, self._project.pipeline, labels, folder, settings)
                with closing(labeler):
                    for batch, answers in self._answered(labeler, behaviour, ignored, rng):
                        self._teach(labeler, batch, answers)
                        run.labels.append(labeler.counts().labeled)
                        run.accuracy.append(self._accuracy(labeler.head, answers))
        return run

    def _answered(
        self, labeler: Labeler, behaviour: Behaviour, ignored: set[str], rng: np.random.Generator
    ) -> Iterator[tuple[Batch, Answers]]:
        """Batches with what the annotator says of them, until there are enough labels or only items that stay open."""
        seen: set[str] = set()
        while labeler.counts().labeled < behaviour.labels:
            batch = labeler.next_batch(ANNOTATOR, fresh=True)
            shown = {item.id for item in batch.items}
            if answers := self._answers(batch, behaviour, ignored, rng):
                yield batch, answers
            elif shown <= seen:
                return
            seen |= shown

    def _answers(self, batch: Batch, behaviour: Behaviour, ignored: set[str], rng: np.random.Generator) -> Answers:
        """(item id, position of a class) of what the annotator says; [] where all are left open."""
        classes = len(self._project.schema)
        answers: Answers = []
        for item in batch.items:
            position = self._truth.get(item.id)
            if position is None or item.id in ignored:
                continue
            if rng.random() < behaviour.noise:
                position = int((position + rng.integers(1, classes)) % classes)
            answers.append((item.id, position))
        return answers

    def _teach(self, labeler: Labeler, batch: Batch, answers: Answers) -> None:
        if not labeler.submit(ANNOTATOR, answers, batch.id).training_triggered:
            labeler.train()
        if not labeler.wait_for_training(TRAINING_LIMIT_S):
            raise FastLabelError(f"a training took longer than {TRAINING_LIMIT_S:.0f} s")
        if labeler.status().training.state == "failed":
            raise FastLabelError(f"a training failed: {labeler.status().training.error}")

    def _accuracy(self, head: Head | None, answers: Answers | None = None) -> float:
        """Share of the test part that the head gets right; while there is none, that of the one class known so far."""
        if head is None:
            assert answers
            return float((self._test_targets == answers[0][1]).mean())
        return float((head.predict_proba(self._test).argmax(axis=1) == self._test_targets).mean())

    def _labeled_items(self, items: Iterator[Item]) -> Iterator[tuple[Item, int]]:
        """Items with the position of their class, of those that have one."""
        positions = {name: position for position, name in enumerate(self._project.schema.names)}
        for item in items:
            name = self._project.source.reference_label(item)
            if name in positions:
                yield item, positions[name]

    def _train_on_everything(self, encoder: Encoder) -> Head:
        project = self._project
        rows, targets = self._known_rows()
        maker, _ = head_maker(encoder, project.schema, project.store, project.settings.learner)
        return maker.train(project.store.embeddings[rows], targets, None, time.time())

    def _known_rows(self) -> tuple[Int64[np.ndarray, " rows"], Targets]:
        found = [
            (row, self._truth[item_id])
            for block in self._project.store.item_blocks()
            for row, item_id in block
            if item_id in self._truth
        ]
        rows, targets = zip(*found, strict=True)
        return np.array(rows, dtype=np.int64), np.array(targets, dtype=np.int64)

    def _hardest(self, share: float) -> set[str]:
        """Ids of the share of the pool that the head with every label is least sure of, by the margin."""
        rows, _ = self._known_rows()
        probabilities = np.sort(self._full.predict_proba_rows(self._project.store.embeddings, rows), axis=1)
        margins = probabilities[:, -1] - probabilities[:, -2]
        hardest = rows[np.argsort(margins, kind="stable")[: int(share * len(rows))]]
        return {item.id for item in self._project.store.items_at(hardest).values()}


def simulate(
    config: ProjectConfig, base_dir: Path, workdir: Path, strategies: Sequence[str], seeds: int, behaviour: Behaviour
) -> Simulation:
    """Plays every strategy with every seed. Raises FastLabelError where the project cannot be simulated."""
    for strategy in strategies:
        STRATEGIES.get(strategy)
    config = _with_test_part(config, base_dir, workdir)
    # One worker: several store the rows in the order in which they happen to end, and with it the picks would vary.
    with closing(Project(config, base_dir, workdir, pick_device(), embedding_workers=1)) as project:
        experiment = Experiment(project)
        for line in describe(experiment.setting):
            log.info("%s", line)
        runs, began = [], time.perf_counter()
        for number, (strategy, seed) in enumerate(product(strategies, range(seeds)), start=1):
            runs.append(experiment.play(strategy, seed, behaviour))
            left_s = (time.perf_counter() - began) / number * (len(strategies) * seeds - number)
            log.info("run %d of %d: %s, seed %d; %.0f s left", number, len(strategies) * seeds, strategy, seed, left_s)
        return Simulation(experiment.full_supervision, runs, experiment.setting)


def describe(setting: Setting) -> list[str]:
    """What is played on, in lines."""
    grouped = f" of {setting.test_groups:,} {setting.grouping}" if setting.grouping else ""
    lines = [
        f"{setting.project}: {setting.items:,} items of {setting.classes} classes, encoder {setting.encoder}; "
        f"the test part has {setting.test_items:,} items{grouped}"
    ]
    if setting.shared_groups:
        lines.append(
            f"{setting.shared_groups:,} of these {setting.grouping} are in the pool too: the accuracy is higher than on new "
            f"{setting.grouping}. Hold out whole ones."
        )
    return lines


def main(
    argv: Sequence[str],
    add_data_arguments: Callable[[argparse.ArgumentParser], None],
    config_of: Callable[[argparse.Namespace], AppConfig],
) -> None:
    """The command line of `fastlabel simulate`. Exits with the error's text and 1 where something cannot be used.

    Args:
        add_data_arguments: adds the options that say what to label, those of the app.
        config_of: the configuration that they name.
    """
    arguments = _parser(add_data_arguments).parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    behaviour = Behaviour(arguments.batch, arguments.labels, arguments.noise, arguments.leaves_open)
    try:
        if arguments.plot:
            _require_matplotlib()
        config = config_of(arguments)
        project = _chosen(config.projects, arguments.project)
        strategies = arguments.strategy or list(dict.fromkeys((project.strategy, "random")))
        with tempfile.TemporaryDirectory(prefix="fastlabel-simulation-") as folder:
            workdir = arguments.workdir or Path(folder)
            simulation = simulate(project, config.base_dir, workdir, strategies, arguments.seeds, behaviour)
    except FastLabelError as error:
        sys.exit(f"fastlabel: {error}")
    sys.stdout.write(table(simulation))
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(simulation)) + "\n", encoding="utf-8")
    if arguments.plot:
        plot(simulation, arguments.plot)


def table(simulation: Simulation) -> str:
    """The runs as a Markdown table: mean accuracy with its 95 % interval at some checkpoints, and labels to a target."""
    targets = [share * simulation.full_supervision for share in SHOWN_SHARES]
    lines = [*(describe(simulation.setting) if simulation.setting else ()), ""]
    lines += [
        _full_line(simulation),
        f"In brackets: 95 % interval of the mean of {_count_of_runs(simulation.runs)}.",
        "",
    ]
    by_strategy = _by_strategy(simulation.runs)
    counts = _common_counts(simulation.runs)
    checkpoints = _shown_checkpoints(len(counts))
    header = ["strategy", *(f"{counts[place]} labels" for place in checkpoints), "area"]
    header += [f"labels to {share:.0%} of it" for share in SHOWN_SHARES]
    lines += ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    for strategy, runs in by_strategy.items():
        curves = _curves(runs, counts)
        cells = [_mean_cell(curves[:, place]) for place in checkpoints]
        cells.append(
            f"{np.mean([area_under_curve(run.labels, run.accuracy) for run in runs]):.3f}" if len(counts) > 1 else ""
        )
        cells += [_median_labels(runs, target) for target in targets]
        lines.append(f"| {strategy} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def plot(simulation: Simulation, destination: Path) -> None:
    """Learning curves with 95 % bands of the mean over seeds, none for one seed, as a PNG. Needs matplotlib."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    for strategy, runs in _by_strategy(simulation.runs).items():
        counts = _common_counts(runs)
        curves = _curves(runs, counts)
        low, high = mean_interval(curves)
        [line] = axes.plot(counts, curves.mean(axis=0), label=strategy)
        axes.fill_between(counts, low, high, color=line.get_color(), alpha=0.2, linewidth=0)
    axes.axhline(
        simulation.full_supervision, color="grey", linestyle="--", linewidth=1, label="every label of the pool"
    )
    axes.set(xlabel="labels", ylabel="accuracy on the test part")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(destination, dpi=120, format="png")


def _full_line(simulation: Simulation) -> str:
    """The accuracy with every label, with how sure the test part makes it."""
    setting, line = simulation.setting, f"Accuracy with every label of the pool: {simulation.full_supervision:.1%}"
    if setting is None:
        return line
    kind = f"new {setting.grouping}" if setting.grouping and not setting.shared_groups else "items like these"
    return f"{line}, {setting.low:.1%} to {setting.high:.1%} for {kind} (95 % interval by the size of the test part)"


def _count_of_runs(runs: Sequence[Run]) -> str:
    seeds = len({run.seed for run in runs})
    return f"{seeds} runs, on this test part" if seeds > 1 else "the runs; one run has none, two seeds or more do"


def _mean_cell(accuracy: Float64[np.ndarray, " runs"]) -> str:
    """The mean in percent, with its interval where there are two runs or more."""
    mean, (low, high) = accuracy.mean(), mean_interval(accuracy[:, None])
    if np.isnan(low[0]):
        return f"{100 * mean:.1f}"
    return f"{100 * mean:.1f} ({100 * max(low[0], 0):.1f} to {100 * min(high[0], 1):.1f})"


def _parser(add_data_arguments: Callable[[argparse.ArgumentParser], None]) -> argparse.ArgumentParser:
    usual = Behaviour()
    parser = argparse.ArgumentParser(
        "fastlabel simulate",
        description="Labels a pool whose labels are known as a person would, and tells how fast the classifier gets good.",
    )
    add_data_arguments(parser)
    parser.add_argument("--project", metavar="NAME", help="which of its projects, if it has several")
    parser.add_argument(
        "--strategy",
        action="append",
        metavar="S",
        help="a query strategy, once for each (default: the project's own, and random)",
    )
    parser.add_argument(
        "--batch", type=int, default=usual.batch, metavar="N", help="items a batch (default: %(default)s)"
    )
    parser.add_argument(
        "--labels", type=int, default=usual.labels, metavar="N", help="labels a run (default: %(default)s)"
    )
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help="runs of each strategy (default: %(default)s)"
    )
    parser.add_argument(
        "--noise",
        type=float,
        default=usual.noise,
        metavar="P",
        help="share of wrong answers, 0 to 1 (default: %(default)s)",
    )
    parser.add_argument(
        "--leaves-open",
        type=float,
        default=usual.leaves_open,
        metavar="P",
        help="share of the pool, the hardest, that gets no answer (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="write every learning curve to this file")
    parser.add_argument(
        "--plot", type=Path, metavar="OUT", help="draw the learning curves to this PNG; needs matplotlib"
    )
    parser.add_argument("--workdir", type=Path, metavar="D", help="keep the embeddings there for another time")
    return parser


def _require_matplotlib() -> None:
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ConfigError("--plot needs matplotlib: pip install 'fastlabel-gradio[bench]'.") from error


def _chosen(projects: Sequence[ProjectConfig], name: str | None) -> ProjectConfig:
    for project in projects:
        if name in (None, project.name):
            return project
    raise ConfigError(f"project '{name}' is not in the configuration. It has: {', '.join(p.name for p in projects)}.")


def _with_test_part(config: ProjectConfig, base_dir: Path, workdir: Path) -> ProjectConfig:
    """The project itself where its source holds items out, otherwise one that holds out a random share."""
    source = open_source(config.source.kind, config.source.options, base_dir, workdir / "downloads")
    if next(source.held_out(), None) is not None:
        return config
    whole = {"kind": config.source.kind, **config.source.options}
    split = PartConfig.model_validate({"kind": "split", "of": whole, "test_share": TEST_SHARE})
    return config.model_copy(update={"source": split})


def _embedded(project: Project) -> Encoder:
    """The project's encoder, once every item is embedded. Raises FastLabelError where that fails."""
    told_at = time.monotonic()
    while (progress := project.pipeline.progress).state not in ("done", "failed"):
        time.sleep(0.05)
        if time.monotonic() - told_at > TELL_EVERY_S:
            told_at = time.monotonic()
            log.info("embedding: %d of %d items, encoder %s", progress.done, progress.total, progress.encoder or "…")
    if project.pipeline.encoder is None or project.pipeline.progress.state == "failed":
        raise FastLabelError(project.pipeline.progress.error)
    return project.pipeline.encoder


def _embed(project: Project, encoder: Encoder, items: Sequence[Item]) -> Embeddings:
    if isinstance(encoder, KnownVectors):
        _, vectors, missing = encoder.vectors_of([item.id for item in items])
        if missing:
            raise FastLabelError(
                f"{len(missing)} items of the test part have no vector: {missing[0][0]} ({missing[0][1]})."
            )
        return vectors

    def embed(start: int) -> Embeddings:
        block = items[start : start + encoder.batch_size]
        return encoder.encode([encoder.prepare(project.source.read(item, encoder.resolution)) for item in block])

    with ThreadPoolExecutor() as threads:
        return np.concatenate(list(threads.map(embed, range(0, len(items), encoder.batch_size))))


def _by_strategy(runs: Sequence[Run]) -> Mapping[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.strategy, []).append(run)
    return found


def _common_counts(runs: Sequence[Run]) -> list[int]:
    """Numbers of labels at which curves can be compared: those of the run that ends first, from where all have begun."""
    first, last = max(run.labels[0] for run in runs), min(run.labels[-1] for run in runs)
    shortest = min(runs, key=lambda run: run.labels[-1])
    return [count for count in shortest.labels if first <= count <= last] or [last]


def _curves(runs: Sequence[Run], counts: Sequence[int]) -> Float64[np.ndarray, "runs counts"]:
    """The accuracy of each run at those numbers of labels, on the line between its own checkpoints.

    Where some items are left open, the batches of two runs do not end at the same numbers of labels.
    """
    return np.array([np.interp(counts, run.labels, run.accuracy) for run in runs], dtype=np.float64)


def _shown_checkpoints(count: int) -> list[int]:
    """Places of up to five checkpoints, each twice as far as the one before, the last one the end."""
    places = {count - 1, *((count - 1) >> step for step in range(1, 5))}
    return sorted(place for place in places if place >= 0)


def _median_labels(runs: Sequence[Run], target: float) -> str:
    """Median over the runs, the higher of the two middle ones; one that never gets there counts as more than any."""
    reached = [labels_to_reach(run.labels, run.accuracy, target) for run in runs]
    numbers = sorted(float("inf") if labels is None else labels for labels in reached)
    middle = numbers[len(numbers) // 2]
    most = max(run.labels[-1] for run in runs)
    return f"more than {most}" if middle == float("inf") else f"{middle:.0f}"
