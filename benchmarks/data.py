"""The sets that benchmarks play on: a pool, a test part and the classes, embedded once and kept in CACHE.

DATA holds `esc10`, `fsdd`, `waste` and `cifar10`, unpacked; digits need no folder. An encoder that learns from the pool is
fitted on that of each part only. Seeds pair: the same seed gives every contestant the same part of the set and hides the same
fifth of its pool. Knows nothing of strategies or heads.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import say
from fastlabel_gradio.encoders import Encoder, FittedEncoder, check_encoder
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Embeddings, Item, Medium, Rows, TimeSpan

ROOT = Path(__file__).parent.parent
CACHE = Path(tempfile.gettempdir()) / "fastlabel-benchmarks"
DIGITS_TEST = 597
FSDD_TEST = 5  # recordings 0 to 4 of each digit and speaker
HIDDEN_PART = 5  # one in so many
WASTE_TEST = 0.3
POOL_SEED = 0
RARE_CLASSES = ("airplane", "automobile")
RARE_SHARE = 0.02  # of the pool, each of them
OFFLINE = "offline"
EMBEDDED_BY = ("encoders/*.py", "clustering.py", "media/spectrograms.py")  # sources whose change embeds anew


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Split:
    """Embeddings float32[n, dim] of length 1 with the classes int64[n] of a pool and of a test part.

    Attributes:
        rare: int64[rare], the classes that the pool has few of.
        pool_groups, test_groups: int64[n], the recording or speaker of each item; empty where the set knows none.
    """

    pool: Embeddings
    pool_targets: Rows
    test: Embeddings
    test_targets: Rows
    rare: Rows = field(default_factory=_no_rows)
    pool_groups: Rows = field(default_factory=_no_rows)
    test_groups: Rows = field(default_factory=_no_rows)

    @property
    def classes(self) -> int:
        return int(max(self.pool_targets.max(), self.test_targets.max())) + 1


@dataclass(frozen=True, slots=True)
class Material:
    """A set before it is embedded: its items with the class int64[n] and, where one is known, the group int64[n] of each."""

    medium: Medium
    read: Callable[[Encoder], list[np.ndarray]]
    targets: Rows
    groups: Rows = field(default_factory=_no_rows)


@dataclass(frozen=True, slots=True)
class SetInfo:
    """A set and how it is labelled by default.

    Attributes:
        splits: makes the splits from the folder of the set and the kind of the encoder.
        folder: its name among the sets.
        parts: how many splits there are; seed s has part s % parts.
        hides: whether a seed hides a fifth of the pool, because the set has no folds of its own.
        compared: whether strategies are compared on it by default.
    """

    splits: Callable[[Path, str], list[Split]]
    folder: str
    about: str
    parts: int = 1
    batch: int = 10
    labels: int = 300
    seeds: int = 10
    compared: bool = True

    @property
    def hides(self) -> bool:
        return self.parts == 1


def available(name: str, split: Split, seed: int) -> Rows:
    """The rows of the pool that this seed may label, ascending."""
    if not SETS[name].hides:
        return np.arange(len(split.pool))
    order = np.random.default_rng(seed).permutation(len(split.pool))
    return np.sort(order[len(order) // HIDDEN_PART :])


def part_of(name: str, seed: int) -> int:
    """Which part of the set is the test of this seed."""
    return seed % SETS[name].parts


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """A folder in CACHE, filled the first time; one that was not finished is made anew."""
    folder = CACHE / name
    if not (folder / "complete").exists():
        say(f"building {folder} …")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        (folder / "complete").touch()
    return folder


def cached_splits(name: str, data: Path, encoder: str = OFFLINE) -> list[Path]:
    """The files of a set's parts as an encoder of that kind embeds them, made where they are missing."""
    info = SETS[name]

    def embed(folder: Path) -> None:
        for part, split in enumerate(info.splits(data.resolve() / info.folder, encoder)):
            np.savez(folder / f"{part}.npz", **{one.name: getattr(split, one.name) for one in fields(Split)})

    folder = made_once(f"set-{name}-{encoder}-{_digest_of_recipe(data)}", embed)
    return [folder / f"{part}.npz" for part in range(info.parts)]


@lru_cache(maxsize=4)
def load_split(file: Path) -> Split:
    """One part of a set, as `cached_splits` wrote it."""
    with np.load(file) as arrays:
        return Split(**{one.name: arrays[one.name] for one in fields(Split)})


def opened(kind: str, **options: Any) -> Source:
    """A source of that kind."""
    return open_source(kind, options, Path(), CACHE)


def sorted_items(source: Source) -> list[Item]:
    """Every item of the pool, by its id."""
    return sorted(source.scan(), key=lambda item: item.id)


def _digest_of_recipe(data: Path) -> str:
    digest = hashlib.sha256(str(data.resolve()).encode())
    sources = (file for pattern in EMBEDDED_BY for file in sorted((ROOT / "fastlabel_gradio").glob(pattern)))
    for source in (Path(__file__), *sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


# The sets


def _digits(folder: Path, encoder: str) -> list[Split]:
    """Raw pixels in place of what `offline` makes of them; for other encoders the demo's pictures."""
    if encoder != OFFLINE:
        return digit_pictures(encoder)
    from sklearn.datasets import load_digits

    pixels, targets = load_digits(return_X_y=True)
    vectors = (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)).astype(np.float32)
    pool, test = slice(None, -DIGITS_TEST), slice(-DIGITS_TEST, None)
    targets = targets.astype(np.int64)
    return [Split(vectors[pool], targets[pool], vectors[test], targets[test])]


def digit_pictures(encoder: str) -> list[Split]:
    """scikit-learn's digits as the pictures of the demo, embedded by any encoder."""
    source = opened("demo", part="pool")
    pool, test = list(source.scan()), list(source.held_out())
    material = _labeled(source, [*pool, *test], source.classes())
    return _embedded(material, encoder, [_left_out(np.arange(len(material.targets)) >= len(pool))])


def _fsdd(folder: Path, encoder: str) -> list[Split]:
    material, _, numbers = _spoken_digits(folder)
    return _embedded(material, encoder, [_left_out(numbers.astype(int) < FSDD_TEST)])


def _fsdd_speakers(folder: Path, encoder: str) -> list[Split]:
    """One speaker left out at a time, in alphabetical order."""
    material, speakers, _ = _spoken_digits(folder)
    return _embedded(material, encoder, _each_left_out(speakers))


def _spoken_digits(folder: Path) -> tuple[Material, np.ndarray, np.ndarray]:
    """The recordings, with speaker and number of each: a file's name is digit, speaker and number."""
    source = opened("audio_folder", path=folder)
    items = sorted_items(source)
    digits, speakers, numbers = np.array([Path(item.id).stem.split("_") for item in items]).T
    material = Material("audio", _reader([(source, items)]), _numbers(digits.tolist()), _numbers(speakers.tolist()))
    return material, speakers, numbers


def _esc10(folder: Path, encoder: str) -> list[Split]:
    """One fold left out at a time; file names begin with the fold."""
    source = opened("esc50", path=folder)
    items = sorted_items(source)
    return _folds(encoder, source, items, source, items)


def _esc10_windows(folder: Path, encoder: str) -> list[Split]:
    """The same in windows of a second; a window's group is the recording that its clip was cut from."""
    clips = opened("esc50", path=folder)
    source = opened("audio_folder", path=folder / "audio", window_s=1.0)
    items = sorted_items(source)
    return _folds(encoder, source, items, clips, [Item(TimeSpan.split(item.id)[0]) for item in items])


def _folds(encoder: str, source: Source, items: list[Item], clips: Source, clip_of: Sequence[Item]) -> list[Split]:
    """`clips` knows the class and the recording of the clip of each item."""
    names = [clips.reference_label(clip) or "" for clip in clip_of]
    groups = _numbers([clips.group_of(clip) or "" for clip in clip_of])
    material = Material(source.medium, _reader([(source, items)]), _numbers(names), groups)
    return _embedded(material, encoder, _each_left_out(np.array([Path(item.id).name.split("-")[0] for item in items])))


def _waste(folder: Path, encoder: str) -> list[Split]:
    """Photos of waste in six classes; a random 30 % is the test."""
    material, every, _ = _pictures(folder)
    is_test = np.random.default_rng(POOL_SEED).random(len(every)) < WASTE_TEST
    return _embedded(material, encoder, [_left_out(is_test)])


def _cifar10(folder: Path, encoder: str) -> list[Split]:
    material, pool, test = _pictures(folder / "train", folder / "test")
    return _embedded(material, encoder, [(pool, test)])


def _cifar10_half(folder: Path, encoder: str) -> list[Split]:
    """A random half of the pool: the pictures that `auto` was chosen on."""
    material, pool, test = _pictures(folder / "train", folder / "test")
    half = pool[np.random.default_rng(POOL_SEED).permutation(len(pool))[: len(pool) // 2]]
    return _embedded(material, encoder, [(half, test)])


def _cifar10_rare(folder: Path, encoder: str) -> list[Split]:
    """Two classes cut, at random, so that each of them is 2 % of the pool that is left."""
    material, pool, test = _pictures(folder / "train", folder / "test")
    rare = np.array([opened("image_folder", path=folder / "train").classes().index(name) for name in RARE_CLASSES])
    is_rare = np.isin(material.targets[pool], rare)
    kept = round(RARE_SHARE * int((~is_rare).sum()) / (1 - RARE_SHARE * len(rare)))
    rng = np.random.default_rng(POOL_SEED)
    few = [rng.permutation(pool[material.targets[pool] == number])[:kept] for number in rare]
    return _embedded(material, encoder, [(np.sort(np.concatenate([pool[~is_rare], *few])), test)], rare)


# How a set is embedded


def _pictures(*folders: Path) -> tuple[Material, Rows, Rows]:
    """The pictures of one or two folders in one, then the positions of either."""
    sources = [opened("image_folder", path=folder.resolve()) for folder in folders]
    parts = [(source, sorted_items(source)) for source in sources]
    names = [source.reference_label(item) or "" for source, items in parts for item in items]
    first = len(parts[0][1])
    return Material("image", _reader(parts), _numbers(names)), np.arange(first), np.arange(first, len(names))


def _labeled(source: Source, items: list[Item], classes: Sequence[str]) -> Material:
    targets = [classes.index(source.reference_label(item) or "") for item in items]
    return Material(source.medium, _reader([(source, items)]), np.array(targets, dtype=np.int64))


def _reader(parts: Sequence[tuple[Source, Sequence[Item]]]) -> Callable[[Encoder], list[np.ndarray]]:
    """Reads every item as an encoder takes it."""
    return lambda encoder: [
        encoder.prepare(source.read(item, encoder.resolution)) for source, items in parts for item in items
    ]


def _embedded(
    material: Material, kind: str, parts: Sequence[tuple[Rows, Rows]], rare: Rows | None = None
) -> list[Split]:
    encoders = [_encoder(kind, material.medium) for _ in parts]  # each is fitted on a pool of its own
    prepared, few = material.read(encoders[0]), _no_rows() if rare is None else rare
    return [_part(material, prepared, encoder, *rows, few) for encoder, rows in zip(encoders, parts, strict=True)]


def _part(
    material: Material, prepared: list[np.ndarray], encoder: Encoder, pool: Rows, test: Rows, rare: Rows
) -> Split:
    if isinstance(encoder, FittedEncoder):
        sample = np.random.default_rng(POOL_SEED).permutation(pool)[: encoder.sample_size]
        encoder.fit([prepared[place] for place in sample], POOL_SEED)
    vectors = [_vectors(encoder, [prepared[place] for place in rows]) for rows in (pool, test)]
    groups = [material.groups[rows] if len(material.groups) else _no_rows() for rows in (pool, test)]
    return Split(vectors[0], material.targets[pool], vectors[1], material.targets[test], rare, *groups)


def _encoder(kind: str, medium: Medium) -> Encoder:
    encoder, _ = check_encoder(kind, {}, medium).open()
    return encoder


def _vectors(encoder: Encoder, prepared: Sequence[np.ndarray]) -> Embeddings:
    size = encoder.batch_size
    return np.concatenate([encoder.encode(prepared[start : start + size]) for start in range(0, len(prepared), size)])


def _left_out(tested: np.ndarray) -> tuple[Rows, Rows]:
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def _each_left_out(names: np.ndarray) -> list[tuple[Rows, Rows]]:
    """A part for each name, in alphabetical order, that is tested on it."""
    return [_left_out(names == name) for name in sorted(set(names.tolist()))]


def _numbers(names: Sequence[str]) -> Rows:
    """A number for each name, the same for the same name, in alphabetical order."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


_LARGE: dict[str, Any] = {"batch": 100, "labels": 2000, "seeds": 5}
SETS = {
    "digits": SetInfo(_digits, "", "scikit-learn's digits; the last 597 are the test"),
    "fsdd": SetInfo(_fsdd, "fsdd", "spoken digits, official split: recordings 0 to 4 are the test"),
    "fsdd_speakers": SetInfo(_fsdd_speakers, "fsdd", "spoken digits, one of four speakers left out", 4),
    "esc10": SetInfo(_esc10, "esc10", "sounds around us, one of four folds left out", 4),
    "esc10_windows": SetInfo(_esc10_windows, "esc10", "the same in windows of 1 s", 4, compared=False),
    "waste": SetInfo(_waste, "waste", "photos of waste, 30 % for the test", compared=False),
    "cifar10": SetInfo(_cifar10, "cifar10", "20,000 pictures, 3,000 for the test", **_LARGE),
    "cifar10_half": SetInfo(_cifar10_half, "cifar10", "the random half of them that `auto` was chosen on", **_LARGE),
    "cifar10_rare": SetInfo(
        _cifar10_rare, "cifar10", f"CIFAR-10 with {' and '.join(RARE_CLASSES)} cut to 2 % of the pool each", **_LARGE
    ),
}
