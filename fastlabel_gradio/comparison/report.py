"""Would another encoder be better? Each embeds the labeled items and a sample; the project's own head judges out of fold.

Works beside a running app: it reads the labels and the index of the pool, takes no lock and leaves no file behind.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event

import numpy as np

from fastlabel_gradio.comparison.judgement import MOST_JUDGED, Judgement, LabeledItems, check_enough, difference, judge
from fastlabel_gradio.config import PartConfig, ProjectConfig
from fastlabel_gradio.devices import lower_priority
from fastlabel_gradio.encoders import ENCODERS, Encoder, FittedEncoder, check_encoder
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.encoders.listed import MAIN_OPTIONS
from fastlabel_gradio.encoders.recorded_models import RecordedModels
from fastlabel_gradio.errors import ConfigError, FastLabelError, StoreError, TooFewLabelsError, UnreadableItemError
from fastlabel_gradio.head.evaluation import Gain
from fastlabel_gradio.labels import LabelStore
from fastlabel_gradio.loop.head_makers import head_maker
from fastlabel_gradio.pool.encoder_in_use import recorded_encoder, recorded_models
from fastlabel_gradio.pool.fitting import open_known, pool_sample
from fastlabel_gradio.pool.reader import PoolReader
from fastlabel_gradio.sources import open_source
from fastlabel_gradio.sources.base import Source
from fastlabel_gradio.types import Embeddings, Item, LabelSchema

FIT_SEED = 0
SPREAD_ITEMS = 512  # of the pool, which say how widely an encoder's embeddings lie: a head is trained on what is left

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EncoderRow:
    """What one encoder is worth on the labels so far.

    Attributes:
        encoder: as it was named. in_use: whether the project uses it.
        accuracy: out of fold, 0 to 1. low, high: its 95 % interval.
        change: of the accuracy against the encoder in use, on the same items; None for that one.
        items_per_s: read and embedded on this machine. pool_s: seconds that the whole pool would take.
        problem: why there are no figures; "" where there are.
    """

    encoder: str
    in_use: bool = False
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    change: Gain | None = None
    items_per_s: float | None = None
    pool_s: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class EncoderReport:
    """The rows, the encoder in use first.

    Attributes:
        labels: that were compared on. groups: how many groups their items are of; None without groups. items: of the pool.
        encoders: that are compared in all.
    """

    labels: int
    groups: int | None
    items: int
    encoders: int
    rows: list[EncoderRow]


@dataclass(frozen=True, slots=True, eq=False)
class _Labeled:
    """The labeled items of a pool, each target the column of its class in the schema, and others.

    Attributes:
        others: those of a random sample of the pool that have no label.
        sample: where the sample's items stand in the labeled ones and the others, one after another.
    """

    items: list[Item]
    targets: LabeledItems
    schema: LabelSchema
    others: list[Item]
    sample: list[int]


@dataclass(frozen=True, slots=True, eq=False)
class _Vectors:
    embeddings: Embeddings


def compare_encoders(
    config: ProjectConfig,
    base_dir: Path,
    workdir: Path,
    named: Mapping[str, PartConfig] | None = None,
    stop: Event | None = None,
    tell: Callable[[EncoderReport], None] = lambda report: None,
) -> EncoderReport:
    """The encoder in use and others, on the labels that people gave so far. Takes as long as embedding those items takes.

    Args:
        workdir: as that of the app. base_dir: relative paths are relative to this folder.
        named: the others; by default every encoder that is known by name alone.
        stop: set to end early, with the rows so far. tell: is given the report so far before every row.

    Raises:
        TooFewLabelsError: there are too few labels to compare by. ConfigError, SourceError, StoreError.
    """
    stop, folder = stop or Event(), workdir / config.name
    source = open_source(config.source.kind, config.source.options, base_dir, workdir / "downloads")
    pool = PoolReader(folder)
    labeled = _labeled(config, folder, pool)
    check_enough(labeled.targets)
    recorded = recorded_models(folder)
    used = recorded_encoder(folder) or (config.encoder.kind, config.encoder.options)
    parts = {_as_listed(*used, recorded): PartConfig.model_validate({**used[1], "kind": used[0]})}
    parts |= {name: part for name, part in (_known(source) if named is None else named).items() if name not in parts}
    groups = labeled.targets.groups
    group_count = None if groups is None else len(np.unique(groups))
    report = EncoderReport(len(labeled.items), group_count, pool.size, len(parts), [])
    before: Judgement | None = None
    for name, part in parts.items():
        if stop.is_set():
            break
        tell(replace(report, rows=list(report.rows)))
        log.info("%s embeds %d items", name, len(labeled.items) + len(labeled.others))
        row, judgement = _compared(name, part, recorded, config, base_dir, source, pool, labeled, stop)
        if before and judgement:
            row = replace(row, change=difference(before, judgement, labeled.targets))
        if not report.rows:
            before, row = judgement, replace(row, in_use=True)
        report.rows.append(row)
    return report


def _as_listed(kind: str, options: Mapping[str, object], recorded: RecordedModels) -> str:
    """The encoder in use as a list names it: with its model or path, unless it is had without naming that."""
    named = next((options[option] for option in MAIN_OPTIONS if option in options), None)
    return kind if named is None or kind in recorded else f"{kind}:{named}"


def _known(source: Source) -> dict[str, PartConfig]:
    """Encoders that need nothing but their name."""
    registry = ENCODERS[source.medium]
    optional = [
        name
        for name in registry.names()
        if not any(field.is_required() for field in registry.get(name).Options.model_fields.values())
    ]
    return {name: PartConfig(kind=name) for name in optional}


def _labeled(config: ProjectConfig, folder: Path, pool: PoolReader) -> _Labeled:
    """At most 2,000 labeled items that the pool has; a random sample of more, for their order is. Raises StoreError."""
    if config.sharing == "private":
        raise ConfigError(
            f"project '{config.name}' has labels of each visitor, and none in common to compare encoders by."
        )
    items = pool.items([])  # first: it says where there is no project at all
    url = config.database or f"sqlite:///{(folder / 'labels.sqlite').resolve()}"
    if not config.database and not (folder / "labels.sqlite").is_file():
        raise StoreError(f"{folder} has no labels yet. Label some items first.")
    with closing(LabelStore(url, config.name)) as labels:
        places, schema = labels.taught()
    items = sorted(
        pool.items(list(places))[:MOST_JUDGED], key=lambda one: one[0].id
    )  # as the verdict of a change has them
    targets = np.array([places[item.id] for item, _ in items], dtype=np.int64)
    groups = np.array([group for _, group in items], dtype=np.int64) if pool.has_groups else None
    place_of = {item.id: place for place, (item, _) in enumerate(items)}
    sample = [item for _, item in pool.in_order(-1, SPREAD_ITEMS)]
    others = [item for item in sample if item.id not in place_of]
    place_of |= {item.id: len(items) + place for place, item in enumerate(others)}
    in_sample = [place_of[item.id] for item in sample]
    known = LabeledItems(targets, groups, config.seed)
    return _Labeled([item for item, _ in items], known, schema, others, in_sample)


def _compared(
    name: str,
    part: PartConfig,
    recorded: RecordedModels,
    config: ProjectConfig,
    base_dir: Path,
    source: Source,
    pool: PoolReader,
    labeled: _Labeled,
    stop: Event,
) -> tuple[EncoderRow, Judgement | None]:
    """A row, with the reason where the encoder is not available or fails."""
    try:
        encoder, _ = check_encoder(part.kind, part.options, source.medium, base_dir, recorded).open()
        with ThreadPoolExecutor(os.cpu_count(), "compare", lower_priority) as workers:
            _learn(encoder, source, pool, workers, stop)
            began = time.perf_counter()
            items = [*labeled.items, *labeled.others]
            vectors = np.concatenate(list(_embedded(encoder, source, items, workers, stop)))
            items_per_s = len(vectors) / (time.perf_counter() - began)
        found = None if stop.is_set() else _judged(encoder, vectors, labeled, config, stop)
    except TooFewLabelsError:
        raise
    except FastLabelError as error:
        return EncoderRow(name, problem=str(error)), None
    except Exception as error:  # of an encoder that another package brought: the others are compared all the same
        log.exception("encoder %s failed", name)
        return EncoderRow(name, problem=f"{type(error).__name__}: {error}"), None
    if found is None:
        return EncoderRow(name, problem="stopped"), None
    row = EncoderRow(name, items_per_s=items_per_s, pool_s=pool.size / items_per_s)
    return replace(row, accuracy=found.accuracy, low=found.low, high=found.high), found


def _judged(
    encoder: Encoder, vectors: Embeddings, labeled: _Labeled, config: ProjectConfig, stop: Event
) -> Judgement | None:
    """By heads that, like the project's own, know from a sample of the pool how widely its embeddings lie."""
    maker, _ = head_maker(encoder, labeled.schema, _Vectors(vectors[labeled.sample]), config)
    return judge(vectors[: len(labeled.items)], labeled.targets, maker, stop.is_set)


def _learn(encoder: Encoder, source: Source, pool: PoolReader, workers: ThreadPoolExecutor, stop: Event) -> None:
    """What the project has it learned, or, of an encoder that it never used, from a sample of the pool."""
    encoder.attune(source.sound_view)
    if isinstance(encoder, KnownVectors):
        open_known(encoder, pool.folder, pool.in_order, await_scan=lambda: None)
    elif not isinstance(encoder, FittedEncoder):
        return
    elif (learned := pool.folder / encoder.learned_file).exists():
        encoder.load(learned)
    else:
        encoder.fit(pool_sample(source, encoder, pool.in_order, workers, stop).prepared, FIT_SEED)


def _embedded(
    encoder: Encoder, source: Source, items: Sequence[Item], workers: ThreadPoolExecutor, stop: Event
) -> Iterator[Embeddings]:
    """In blocks. Raises StoreError for an item that cannot be read: every encoder must be judged by the same ones."""

    def embed(start: int) -> Embeddings:
        block = [] if stop.is_set() else items[start : start + encoder.batch_size]
        if isinstance(encoder, KnownVectors):
            return encoder.every_vector_of([item.id for item in block])
        return encoder.encode([_prepared(item, encoder, source) for item in block])

    yield from workers.map(embed, range(0, len(items), encoder.batch_size))


def _prepared(item: Item, encoder: Encoder, source: Source) -> np.ndarray:
    try:
        return encoder.prepare(source.read(item, encoder.resolution))
    except UnreadableItemError as error:
        raise StoreError(
            f"{item.id} cannot be read ({error}). Press Rescan on the page, then compare again."
        ) from error


def table_of(report: EncoderReport) -> str:
    """The report as a Markdown table with a line above."""
    groups = f" of {report.groups:,} groups" if report.groups is not None else ""
    lines = [
        f"{report.labels:,} labeled items{groups}, each judged by a head that did not see it"
        f"{' nor its group' if groups else ''}. In brackets: 95 % interval.",
        "Items that were picked because the head in use was unsure of them count against its encoder.",
        "",
        f"| encoder | right | against the one in use | items a second | all {report.items:,} items take |",
        "|---|---|---|---|---|",
    ]
    return "\n".join([*lines, *map(_line, report.rows)]) + "\n"


def _line(row: EncoderRow) -> str:
    name = f"{row.encoder} (in use)" if row.in_use else row.encoder
    if row.accuracy is None or row.low is None or row.high is None or not row.items_per_s:
        return f"| {name} | {row.problem} | | | |"
    right = f"{100 * row.accuracy:.1f} % ({100 * row.low:.1f} to {100 * row.high:.1f})"
    change = ""
    if row.change:
        points = [100 * share for share in (row.change.change, row.change.low, row.change.high)]
        change = f"{points[0]:+.1f} points ({points[1]:.1f} to {points[2]:.1f})"
    return f"| {name} | {right} | {change} | {row.items_per_s:,.0f} | {duration(row.pool_s or 0.0)} |"


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.1f} h"
