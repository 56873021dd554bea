"""A pool of made-up embeddings of any size, served by the real store, pipeline and labeler; nothing is drawn or encoded.

Each item is a point of one of 20 classes on the unit sphere of 512 numbers: a class is a dozen clusters in a space of 64
dimensions, turned into 512 at random, with noise in all of them. Two classes, of one cluster each, are rare: one item in
1,000 and one in 10,000. The embeddings are appended once to an `EmbeddingStore` in the temp folder and used again.
"""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from benchmarks.report import say
from benchmarks.workload import CACHE
from fastlabel_gradio.config import ProjectConfig
from fastlabel_gradio.embedding_store import END_OF_POOL, EmbeddedItem, EmbeddingStore
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions
from fastlabel_gradio.project import Project
from fastlabel_gradio.sources.base import SOURCES, Source, SourceOptions
from fastlabel_gradio.types import Embeddings, Item

DIM, LATENT_DIM, CLASSES, CLUSTERS = 512, 64, 20, 12  # clusters of each class
RARE_SHARES = (0.001, 0.0001)  # of the last two classes
LATENT_NOISE, NOISE = 1.6, 0.45  # beside cluster centres whose numbers have a deviation of 0.6 and 1
SEED = 0
BLOCK_ITEMS = 50_000
TEST_ITEMS = 20_000
RECIPE = 1  # names the cache; changes with anything above


class NumberedOptions(SourceOptions):
    """`size`: how many items the pool has."""

    size: int


@SOURCES.register("made_vectors")
class MadeVectors(Source):
    """Items "0" to "size - 1" whose embeddings are stored already; their class is known."""

    kind = "image"
    Options = NumberedOptions

    def __init__(self, options: NumberedOptions, base_dir: Path, cache_dir: Path) -> None:
        self._size = options.size

    def scan(self) -> Iterator[Item]:
        return (Item(str(number)) for number in range(self._size))

    def read(self, item: Item, resolution: int | None = None) -> Image.Image:
        return Image.new("RGB", (8, 8))

    def content_key(self, item: Item) -> str:
        return item.id

    def classes(self) -> tuple[str, ...]:
        return tuple(f"class-{number}" for number in range(CLASSES))


@ENCODERS["image"].register("made_vectors")
class NothingToEncode(Encoder):
    """Stands for the encoder of embeddings that are there already; encodes nothing."""

    name = "made_vectors"
    Options: ClassVar[type[EncoderOptions]] = EncoderOptions
    dim = DIM
    fingerprint = f"made-vectors-{RECIPE}"
    batch_size = 1
    resolution = 8

    def __init__(self, options: EncoderOptions) -> None:
        pass

    def prepare(self, media: Any) -> np.ndarray:
        raise NotImplementedError("every item has an embedding already")

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        assert not len(batch), "every item has an embedding already"
        return np.zeros((0, DIM), dtype=np.float32)


def open_pool(size: int, device: str = "cpu", **settings: Any) -> Project:
    """A project over `size` items that are all embedded, with no labels yet and not started.

    Args:
        settings: of the project's configuration.
    """
    workdir = CACHE / f"vectors-{RECIPE}-{size}"
    name = "vectors"
    if not (workdir / "complete").exists():
        say(f"building {workdir} …")
        shutil.rmtree(workdir, ignore_errors=True)
        _fill(EmbeddingStore(workdir / name), size)
        (workdir / "complete").touch()
    shutil.rmtree(workdir / name / "private", ignore_errors=True)
    for labels in (workdir / name).glob("labels.sqlite*"):
        labels.unlink()
    source = {"kind": "made_vectors", "size": size}
    project = {"name": name, "source": source, "encoder": "made_vectors", "sharing": "private", **settings}
    return Project(ProjectConfig.model_validate(project), workdir, workdir, device)


def targets(size: int) -> np.ndarray:
    """uint8[size], the class of each item by its number."""
    blocks = [_classes_of_block(start // BLOCK_ITEMS) for start in range(0, size, BLOCK_ITEMS)]
    return np.concatenate(blocks)[:size]


def embeddings(size: int) -> Embeddings:
    """float32[size, 512], the embedding of each item by its number, in memory."""
    blocks = [_vectors_of_block(start // BLOCK_ITEMS) for start in range(0, size, BLOCK_ITEMS)]
    return np.concatenate(blocks)[:size]


def blocks(size: int) -> Iterator[tuple[int, Embeddings]]:
    """The same in blocks, each with the number of its first item."""
    for start in range(0, size, BLOCK_ITEMS):
        yield start, _vectors_of_block(start // BLOCK_ITEMS)[: size - start]


def test_part() -> tuple[Embeddings, np.ndarray]:
    """20,000 further items with their classes, no more than the pool's; drawn as the pool is."""
    number = 1_000_000_000
    return _vectors_of_block(number)[:TEST_ITEMS], _classes_of_block(number)[:TEST_ITEMS]


def _fill(store: EmbeddingStore, size: int) -> None:
    """Adds the items and their embeddings, rows in the store's own shuffled order."""
    store.begin_scan()
    for start in range(0, size, BLOCK_ITEMS):
        store.add_items([Item(str(number)) for number in range(start, min(start + BLOCK_ITEMS, size))])
    store.end_scan()
    store.use_encoder(NothingToEncode.fingerprint, DIM)
    vectors = _Vectors(size)
    after = -1
    while block := store.in_order(after, BLOCK_ITEMS):
        after = block[-1][0]
        items = [item for _, item in block]
        store.append([EmbeddedItem(item, item.id) for item in items], vectors.of([int(item.id) for item in items]))
        say(f"{len(store):,} of {size:,} rows")
        if after == END_OF_POOL:
            break
    store.close()


class _Vectors:
    """The embeddings by item number, in a file that is gone once this is."""

    def __init__(self, size: int) -> None:
        path = CACHE / f"vectors-{RECIPE}-{size}" / "by-number.f32"
        self._all = np.memmap(path, dtype=np.float32, mode="w+", shape=(size, DIM))
        path.unlink()
        for start in range(0, size, BLOCK_ITEMS):
            self._all[start : start + BLOCK_ITEMS] = _vectors_of_block(start // BLOCK_ITEMS)[: size - start]

    def of(self, numbers: Sequence[int]) -> Embeddings:
        return np.asarray(self._all[np.array(numbers, dtype=np.int64)])


def _classes_of_block(number: int) -> np.ndarray:
    """uint8[BLOCK_ITEMS]."""
    shares = np.full(CLASSES, (1 - sum(RARE_SHARES)) / (CLASSES - len(RARE_SHARES)))
    shares[-len(RARE_SHARES) :] = RARE_SHARES
    return np.random.default_rng([SEED, 1, number]).choice(CLASSES, BLOCK_ITEMS, p=shares).astype(np.uint8)


def _vectors_of_block(number: int) -> Embeddings:
    shape, rng = np.random.default_rng([SEED, 2]), np.random.default_rng([SEED, 3, number])
    of_classes = 0.6 * shape.standard_normal((CLASSES, 1, LATENT_DIM))
    centres = (of_classes + shape.standard_normal((CLASSES, CLUSTERS, LATENT_DIM))).astype(np.float32)
    centres[-len(RARE_SHARES) :] = centres[-len(RARE_SHARES) :, :1]
    turned = (shape.standard_normal((LATENT_DIM, DIM)) / np.sqrt(LATENT_DIM)).astype(np.float32)
    clusters = rng.integers(CLUSTERS, size=BLOCK_ITEMS)
    points = centres[_classes_of_block(number), clusters]
    points = points + LATENT_NOISE * rng.standard_normal(points.shape, dtype=np.float32)
    vectors: Embeddings = points @ turned + NOISE * rng.standard_normal((BLOCK_ITEMS, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors
