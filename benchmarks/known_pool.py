"""A project of the app's own over vectors that are known: those of a set of `data.py`, or made up, of any size.

Nothing is drawn, read or encoded; store, pipeline, labeler and label store are the real ones. `opened_split` has the labels
known too, for `fastlabel_gradio.simulation.Experiment`; `open_made` has a million items where that many are asked for.

A made-up item is a point of one of 20 classes on the unit sphere of 512 numbers: a class is a dozen clusters in a space of 64
dimensions, turned into 512 at random, with noise in all of them. Two classes, of one cluster each, are rare: one item in
1,000 and one in 10,000.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.data import Split, made_once
from benchmarks.pool_store import write_store
from benchmarks.workload import wait_until
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from fastlabel_gradio.encoders.known_vectors import KnownVectors
from fastlabel_gradio.server.project import Project
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.types import Embeddings, Item, Rows

KIND = "known_pool"
SETTLED_S = 1_800.0
DIM, LATENT_DIM, CLASSES, CLUSTERS = 512, 64, 20, 12  # clusters of each class
RARE_SHARES = (0.001, 0.0001)  # of the last two classes
LATENT_NOISE, NOISE = 1.6, 0.45  # beside cluster centres whose numbers have a deviation of 0.6 and 1
SEED = 0
BLOCK_ITEMS = 50_000
TEST_ITEMS, TEST_BLOCK = 20_000, 1_000_000_000
RECIPE = 1  # names the cache; changes with anything above


@contextmanager
def opened_split(split: Split, salt: str = "", grouped: bool = False, **settings: Any) -> Iterator[Project]:
    """A project whose pool and held-out part are those of a split, not started, in a folder that is gone afterwards.

    Args:
        salt: begins every item's id, which is `salt-number`, and every group's; another salt gives another audit.
        grouped: whether the project knows the groups.
        settings: of the project's configuration.
    """
    with tempfile.TemporaryDirectory(prefix="fastlabel-benchmark-") as name:
        folder = Path(name)
        groups = np.concatenate([split.pool_groups, split.test_groups]) if grouped else np.zeros(0, dtype=np.int64)
        np.save(folder / "vectors.npy", np.concatenate([split.pool, split.test]))
        _write_labels(folder, np.concatenate([split.pool_targets, split.test_targets]), groups, len(split.pool))
        with closing(_project(folder, folder, {"path": folder, "salt": salt}, **settings)) as project:
            yield project


@contextmanager
def opened_made(
    size: int, device: str = "cpu", dim: int = DIM, *, waits: bool = True, **settings: Any
) -> Iterator[Project]:
    """A project over `size` made-up items, started, all of them embedded, with no labels yet; its ids are "0", "1", …

    Args:
        waits: until the source was listed and compared with what is embedded.
    """
    folder, made = made_pool(size, dim)
    with _copied(made) as work:
        settings = {"sharing": "private", **settings}
        with closing(_project(folder, work, {"path": folder}, device, **settings)) as project:
            project.start()
            if waits:
                wait_for_embeddings(project)
            yield project


def made_pool(size: int, dim: int = DIM) -> tuple[Path, Path]:
    """The folder of the vectors, and the working directory in which all of them are embedded; made the first time."""
    folder = made_vectors(size, dim)
    return folder, made_once(f"made-store-{_recipe(dim)}-{size}", lambda work: _fill(folder, work))


def started(project: Project) -> Project:
    """The project, once all of its items are embedded."""
    project.start()
    wait_for_embeddings(project)
    return project


def wait_for_embeddings(project: Project) -> None:
    """Until all items are listed and embedded. Raises RuntimeError where that fails."""
    wait_until(lambda: project.pipeline.progress.state in ("done", "failed"), SETTLED_S, "the embeddings")
    if project.pipeline.progress.state == "failed":
        raise RuntimeError(project.pipeline.progress.error)


def made_vectors(size: int, dim: int = DIM) -> Path:
    """The folder of `vectors.npy`, float32[size, dim], and of the classes."""

    def write(folder: Path) -> None:
        array = np.lib.format.open_memmap(folder / "vectors.npy", "w+", "float32", (size, dim))
        for start, block in blocks(size, dim):
            array[start : start + len(block)] = block
        array.flush()
        _write_labels(folder, targets(size), np.zeros(0, dtype=np.int64), size)

    return made_once(f"made-{_recipe(dim)}-{size}", write)


def _recipe(dim: int) -> str:
    return str(RECIPE) if dim == DIM else f"{RECIPE}-{dim}d"


def number_of(item_id: str) -> int:
    """The place of an item in its pool."""
    return int(item_id.rpartition("-")[2])


def targets(size: int) -> np.ndarray:
    """uint8[size], the class of each made-up item by its number."""
    blocks = [_classes_of_block(start // BLOCK_ITEMS) for start in range(0, size, BLOCK_ITEMS)]
    return np.concatenate(blocks)[:size]


def embeddings(size: int) -> Embeddings:
    """float32[size, 512], the embedding of each made-up item by its number, in memory."""
    return np.concatenate([block for _, block in blocks(size)])


def blocks(size: int, dim: int = DIM) -> Iterator[tuple[int, Embeddings]]:
    """The same in blocks, each with the number of its first item."""
    for start in range(0, size, BLOCK_ITEMS):
        yield start, _vectors_of_block(start // BLOCK_ITEMS, dim)[: size - start]


def made_split(size: int) -> Split:
    """Made-up items as a set, in memory, tested on up to 20,000 further ones."""
    tested = slice(TEST_ITEMS)
    test, of_test = _vectors_of_block(TEST_BLOCK)[tested], _classes_of_block(TEST_BLOCK)[tested].astype(np.int64)
    rare = np.arange(CLASSES - len(RARE_SHARES), CLASSES)
    return Split(embeddings(size), targets(size).astype(np.int64), test, of_test, rare)


# The source and the encoder


class KnownPoolOptions(SourceOptions):
    """`path`: the folder of the arrays. `salt`: begins every id."""

    path: Path
    salt: str = ""


@SOURCES.register(KIND)
class KnownPool(Source):
    """Items "salt-0", "salt-1", …, or "0", "1", …, with known classes and groups; those at the end are held out."""

    medium = "image"
    Options = KnownPoolOptions

    def __init__(self, options: KnownPoolOptions, base_dir: Path, cache_dir: Path) -> None:
        self._prefix = f"{options.salt}-" if options.salt else ""
        with np.load(options.path / "labels.npz") as arrays:
            self._targets, self._groups, self._items = arrays["targets"], arrays["groups"], int(arrays["items"])
        self.grouping = Grouping("groups") if len(self._groups) else None

    def scan(self) -> Iterator[Item]:
        return (Item(f"{self._prefix}{number}") for number in range(self._items))

    def held_out(self) -> Iterator[Item]:
        return (Item(f"{self._prefix}{number}") for number in range(self._items, len(self._targets)))

    def classes(self) -> tuple[str, ...]:
        return tuple(f"class-{number}" for number in range(int(self._targets.max()) + 1))

    def reference_label(self, item: Item) -> str:
        return f"class-{self._targets[number_of(item.id)]}"

    def group_of(self, item: Item) -> str | None:
        return f"{self._prefix}{self._groups[number_of(item.id)]}" if len(self._groups) else None

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return Image.new("RGB", (8, 8))

    def content_key(self, item: Item) -> str:
        return item.id


class KnownVectorsOptions(EncoderOptions):
    """`path`: the folder of `vectors.npy`, whose rows are the items by number."""

    path: Path


@ENCODERS["image"].register(KIND)
class KnownPoolVectors(KnownVectors):
    """The vectors of a known pool."""

    name = KIND
    Options = KnownVectorsOptions
    fingerprint = f"known-pool-{RECIPE}"
    batch_size = 2_048

    def __init__(self, options: KnownVectorsOptions) -> None:
        self._vectors = np.load(options.path / "vectors.npy", mmap_mode="r")
        self.dim = self._vectors.shape[1]

    def open_in(self, folder: Path) -> None:
        """There is nothing to check."""

    def goes_by_name(self, item_ids: Sequence[str]) -> bool:
        return False

    def take_names(self, item_ids: Iterable[str]) -> None:
        """They are known by their numbers."""

    def vectors_of(self, item_ids: Sequence[str]) -> tuple[list[int], Embeddings, list[tuple[str, str]]]:
        rows = np.array([number_of(item_id) for item_id in item_ids], dtype=np.int64)
        return list(range(len(rows))), np.asarray(self._vectors[rows]), []


def _write_labels(folder: Path, targets: np.ndarray, groups: Rows, items: int) -> None:
    np.savez(folder / "labels.npz", targets=targets, groups=groups, items=items)


def _project(folder: Path, workdir: Path, source: dict[str, Any], device: str = "cpu", **settings: Any) -> Project:
    encoder = {"kind": KIND, "path": folder}
    config = {"name": "made", "source": {"kind": KIND, **source}, "encoder": encoder, **settings}
    # One worker: several store the rows in the order in which they happen to end, and with it the picks would vary.
    return Project(ProjectConfig.model_validate(config), workdir, workdir, device, embedding_workers=1)


def _fill(folder: Path, work: Path) -> None:
    """Made by a project, filled at once: the pipeline takes a quarter of an hour for the index of ten million items."""
    with closing(_project(folder, work, {"path": folder})) as project:
        place = project.folder
    write_store(place, np.load(folder / "vectors.npy", mmap_mode="r"), KnownPoolVectors.fingerprint)


@contextmanager
def _copied(work: Path) -> Iterator[Path]:
    """A working directory of one run's own, gone afterwards, so that several runs may be under way. Vectors are linked."""
    with tempfile.TemporaryDirectory(prefix="run-", dir=work.parent) as name:
        copy = Path(name)
        shutil.copytree(work, copy, dirs_exist_ok=True, copy_function=_link_or_copy)
        yield copy


def _link_or_copy(source: str, target: str) -> str:
    """What nobody writes into is linked: nothing is added to a pool that is embedded."""
    if source.endswith(".f32"):
        os.link(source, target)
        return target
    return str(shutil.copy2(source, target))


# Made-up items


def _classes_of_block(number: int) -> np.ndarray:
    """uint8[BLOCK_ITEMS]."""
    shares = np.full(CLASSES, (1 - sum(RARE_SHARES)) / (CLASSES - len(RARE_SHARES)))
    shares[-len(RARE_SHARES) :] = RARE_SHARES
    return np.random.default_rng([SEED, 1, number]).choice(CLASSES, BLOCK_ITEMS, p=shares).astype(np.uint8)


def _vectors_of_block(number: int, dim: int = DIM) -> Embeddings:
    shape, rng = np.random.default_rng([SEED, 2]), np.random.default_rng([SEED, 3, number])
    of_classes = 0.6 * shape.standard_normal((CLASSES, 1, LATENT_DIM))
    centres = (of_classes + shape.standard_normal((CLASSES, CLUSTERS, LATENT_DIM))).astype(np.float32)
    centres[-len(RARE_SHARES) :] = centres[-len(RARE_SHARES) :, :1]
    turned = (shape.standard_normal((LATENT_DIM, dim)) / np.sqrt(LATENT_DIM)).astype(np.float32)
    clusters = rng.integers(CLUSTERS, size=BLOCK_ITEMS)
    points = centres[_classes_of_block(number), clusters]
    points = points + LATENT_NOISE * rng.standard_normal(points.shape, dtype=np.float32)
    vectors: Embeddings = points @ turned + NOISE * rng.standard_normal((BLOCK_ITEMS, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
