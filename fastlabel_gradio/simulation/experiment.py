"""The experiment: an annotator who knows every label, batch after batch, and a test part that measures each head."""

import logging
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from fastlabel_gradio.config import PartConfig, ProjectConfig
from fastlabel_gradio.devices import pick_device
from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.errors import ConfigError, FastLabelError
from fastlabel_gradio.head import Head
from fastlabel_gradio.head.evaluation import audit
from fastlabel_gradio.labeler import Labeler
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.loop.head_makers import head_maker
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.simulation.labelling import AppLabelling, answered
from fastlabel_gradio.simulation.runs import Behaviour, Run, Setting, Simulation
from fastlabel_gradio.simulation.table import describe
from fastlabel_gradio.simulation.test_vectors import saved_vectors
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.strategies import STRATEGIES
from fastlabel_gradio.types import Batch, Embeddings, Item, Targets

TEST_SHARE = 0.2  # of the pool, or of its groups, where the source holds nothing out
TELL_EVERY_S = 5.0

log = logging.getLogger(__name__)

Answers = list[tuple[str, int]]  # item id, position of a class


@dataclass(frozen=True, slots=True)
class Round:
    """A batch that was labeled, and learned by the head that the labeler has now."""

    labeler: Labeler
    batch: Batch
    answers: Answers


class Experiment:
    """A project whose pool is embedded, with the labels of all items known; plays runs over it.

    Args:
        project: started here; embedded to the end before the constructor returns.

    Raises:
        ConfigError: there are fewer than two classes, the source knows no reference labels, or holds no item out.
        FastLabelError: what a project may raise.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        if len(project.schema) < 2:
            raise ConfigError(
                f"project '{project.name}' cannot be simulated: it has {len(project.schema)} classes, and a head tells two "
                "or more apart. Name the reference labels as its classes."
            )
        project.start()
        self._encoder = encoder = _embedded(project)
        self._truth = {item.id: position for item, position in self._labeled_items(project.source.scan())}
        test = list(self._labeled_items(project.source.held_out()))
        if not self._truth or not test:
            raise ConfigError(
                f"project '{project.name}' cannot be simulated: its source gives no reference labels to "
                f"{'the pool' if not self._truth else 'a test part'}."
            )
        self._test_items = [item for item, _ in test]
        self._test, self._items_per_s = saved_vectors(
            project.folder, encoder, self._test_items, lambda items: _embed(project, encoder, items)
        )
        self._test_targets = np.array([position for _, position in test], dtype=np.int64)

    @cached_property
    def setting(self) -> Setting:
        """What is played on."""
        source, test = self._project.source, self._test_items
        of_test = [source.group_of(item) for item in test]
        known = set(of_test) - {None}
        of_pool = {source.group_of(Item(item_id)) for item_id in self._truth} if known else set()
        numbers = np.unique([group or "" for group in of_test], return_inverse=True)[1].astype(np.int64)
        report = audit(self._full.predict_proba(self._test), self._test_targets, numbers if known else None)
        return Setting(
            project=self._project.name,
            encoder=self._encoder.name,
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
        return self.accuracy(self._full)

    def truth(self, item_id: str) -> int | None:
        """The position of the class of an item of the pool; None where it is not known."""
        return self._truth.get(item_id)

    def accuracy(self, head: Head) -> float:
        """Share of the test part that the head gets right."""
        return float((head.predict_proba(self._test).argmax(axis=1) == self._test_targets).mean())

    def play(self, strategy: str, seed: int, behaviour: Behaviour) -> Run:
        """The learning curve of one run; while there is no head, that of the one class known so far."""
        run = Run(strategy, seed, encoder=self._encoder.name, items_per_s=self._items_per_s)
        for played in self.rounds(strategy, seed, behaviour):
            head, (_, said) = played.labeler.head, played.answers[0]
            run.labels.append(played.labeler.counts().labeled)
            run.accuracy.append(self.accuracy(head) if head else float((self._test_targets == said).mean()))
        return run

    def rounds(self, strategy: str, seed: int, behaviour: Behaviour) -> Iterator[Round]:
        """One run from no labels on, with a label store, a labeler and a head of its own, round by round."""
        answer = self._annotator(seed, behaviour)
        with self._labeler(strategy, seed, behaviour) as labeler:
            labelling = AppLabelling(labeler)
            for answers in answered(labelling, answer, behaviour.labels):
                yield Round(labeler, labelling.batch, answers)

    @contextmanager
    def _labeler(self, strategy: str, seed: int, behaviour: Behaviour) -> Iterator[Labeler]:
        usual, device = self._project.config, self._project.device
        settings = usual.model_copy(
            update={
                "strategy": strategy,
                "batch_size": behaviour.batch,
                "audit_share": usual.audit_share if behaviour.audited else 0.0,
                "train_every": behaviour.batch,
                "seed": seed,
            }
        )
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fastlabel-simulation-")))
            label_store = stack.enter_context(
                closing(LabelStore(f"sqlite:///{folder / 'labels.sqlite'}", "simulation"))
            )
            schema = label_store.ensure_labels(self._project.schema.names)
            labeler = Labeler(
                schema, self._project.store, self._project.pipeline, label_store, folder, settings, device
            )
            yield stack.enter_context(closing(labeler))

    def _annotator(self, seed: int, behaviour: Behaviour) -> Callable[[str], int | None]:
        """What the annotator says of an item: the position of a class, or None for nothing."""
        rng = np.random.default_rng([seed, 1])
        ignored, classes = self._hardest(behaviour.left_open_share), len(self._project.schema)

        def answer(item_id: str) -> int | None:
            position = self._truth.get(item_id)
            if position is None or item_id in ignored:
                return None
            if rng.random() < behaviour.noise:
                return int((position + rng.integers(1, classes)) % classes)
            return position

        return answer

    def _labeled_items(self, items: Iterator[Item]) -> Iterator[tuple[Item, int]]:
        """Items with the position of their class, of those that have one."""
        schema = self._project.schema
        positions = {name: position for position, name in enumerate(schema.names)}
        for item in items:
            name = self._project.reference_label(item, schema)
            if name in positions:
                yield item, positions[name]

    @cached_property
    def _full(self) -> Head:
        """The head that learned every label of the pool."""
        project = self._project
        assert project.store.space is not None
        rows, targets = self._known_rows()
        maker, _ = head_maker(self._encoder, project.schema, project.store.space, project.config, device=project.device)
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
        if not share:
            return set()
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
    told, told_at = -1, time.monotonic()
    while (progress := project.pipeline.progress).state not in ("done", "failed"):
        time.sleep(0.05)
        if progress.done != told and time.monotonic() - told_at > TELL_EVERY_S:
            told, told_at = progress.done, time.monotonic()
            log.info("embedding: %d of %d items, encoder %s", progress.done, progress.total, progress.encoder or "…")
    if project.pipeline.encoder is None or project.pipeline.progress.state == "failed":
        raise FastLabelError(project.pipeline.progress.error)
    return project.pipeline.encoder


def _embed(project: Project, encoder: Encoder, items: Sequence[Item]) -> Embeddings:
    if isinstance(encoder, KnownVectors):
        return encoder.every_vector_of([item.id for item in items])

    def embed(start: int) -> Embeddings:
        block = items[start : start + encoder.batch_size]
        return encoder.encode([encoder.prepare(project.source.read(item, encoder.resolution)) for item in block])

    with ThreadPoolExecutor() as threads:
        return np.concatenate(list(threads.map(embed, range(0, len(items), encoder.batch_size))))
