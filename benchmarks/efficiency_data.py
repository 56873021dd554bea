"""The sets that label efficiency is measured on: a pool, a test part and the classes, embedded once and kept in CACHE.

An encoder that learns from the pool is fitted on that of each part only. Seeds pair: the same seed gives every contestant
the same part of the set and hides the same fifth of its pool. Knows nothing of strategies or heads.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path

import numpy as np

from benchmarks.report import say
from benchmarks.workload import CACHE, ROOT
from fastlabel_gradio.encoders import Encoder, FittedEncoder, check_encoder
from fastlabel_gradio.sources import Source, open_source
from fastlabel_gradio.types import Embeddings, Item, Kind, Rows, TimeSpan

DIGITS_TEST = 597
FSDD_TEST = 5  # recordings 0 to 4 of each digit and speaker
HIDDEN_PART = 5  # one in so many
WASTE_TEST = 0.3
POOL_SEED = 0
RARE_CLASSES = ("airplane", "automobile")
RARE_SHARE = 0.02  # of the pool, each of them
OFFLINE = "offline"
ENCODER_SOURCES = {
    OFFLINE: ("encoders/offline.py", "encoders/offline_sound.py", "encoders/linear_maps.py"),
    "pretrained": (
        *("encoders/offline.py", "encoders/offline_sound.py", "encoders/linear_maps.py"),
        *("encoders/pretrained*.py", "encoders/lite0*.py"),
    ),
}
OTHER_ENCODERS = ("encoders/*.py",)
SHARED_SOURCES = ("clustering.py", "media/spectrograms.py")


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
    rare: Rows
    pool_groups: Rows = field(default_factory=lambda: _no_rows())
    test_groups: Rows = field(default_factory=lambda: _no_rows())

    @property
    def classes(self) -> int:
        return int(self.test_targets.max()) + 1


@dataclass(frozen=True, slots=True)
class Origin:
    """The folder with the unpacked sets, and the kind of the encoder that embeds them."""

    data: Path
    encoder: str


@dataclass(frozen=True, slots=True)
class Material:
    """A set before it is embedded.

    Attributes:
        encoder: its kind. prepared: every item as it takes it.
        groups: int64[n], the group of each item; empty where none is known.
    """

    encoder: str
    kind: Kind
    prepared: Sequence[np.ndarray]
    targets: Rows
    rare: tuple[int, ...] = ()
    groups: Rows = field(default_factory=lambda: _no_rows())


@dataclass(frozen=True, slots=True)
class SetInfo:
    """A set and how it is labelled by default.

    Attributes:
        splits: makes the splits.
        parts: how many splits there are; seed s has part s % parts.
        hides: whether a seed hides a fifth of the pool, because the set has no folds of its own.
        compared: whether strategies are compared on it by default.
    """

    splits: Callable[[Origin], list[Split]]
    about: str
    parts: int
    hides: bool
    batch: int
    labels: int
    seeds: int
    compared: bool = True


def available(name: str, split: Split, seed: int) -> Rows:
    """The rows of the pool that this seed may label, ascending."""
    if not SETS[name].hides:
        return np.arange(len(split.pool))
    order = np.random.default_rng(seed).permutation(len(split.pool))
    return np.sort(order[len(order) // HIDDEN_PART :])


def part_of(name: str, seed: int) -> int:
    """Which part of the set is the test of this seed."""
    return seed % SETS[name].parts


def cached_splits(name: str, data: Path, encoder: str = OFFLINE) -> list[Path]:
    """The files of a set's parts as an encoder of that kind embeds them, made where they are missing."""
    CACHE.mkdir(parents=True, exist_ok=True)
    origin = Origin(data, encoder)
    stem = f"efficiency-{name}-{encoder}-{_digest_of_recipe(origin)}"
    files = [CACHE / f"{stem}-{part}.npz" for part in range(SETS[name].parts)]
    if not all(file.exists() for file in files):
        say(f"embedding {name} by {encoder} into {CACHE} …")
        for file, split in zip(files, SETS[name].splits(origin), strict=True):
            np.savez(file, **{one.name: getattr(split, one.name) for one in fields(Split)})
    return files


@lru_cache(maxsize=4)
def load_split(file: Path) -> Split:
    """One part of a set, as `cached_splits` wrote it."""
    with np.load(file) as arrays:
        return Split(**{one.name: arrays[one.name] for one in fields(Split)})


def digest_of_data(files: Sequence[Path]) -> str:
    """Changes with any number of the set."""
    digest = hashlib.sha256()
    for file in files:
        split = load_split(file)
        for one in fields(Split):
            digest.update(np.ascontiguousarray(getattr(split, one.name)).tobytes())
    return digest.hexdigest()[:12]


def _digest_of_recipe(origin: Origin) -> str:
    digest = hashlib.sha256(str(origin.data.resolve()).encode())
    patterns = (*ENCODER_SOURCES.get(origin.encoder, OTHER_ENCODERS), *SHARED_SOURCES)
    sources = (file for pattern in patterns for file in sorted((ROOT / "fastlabel_gradio").glob(pattern)))
    for source in (Path(__file__), *sources):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def _digits(origin: Origin) -> list[Split]:
    """Raw pixels in place of what `offline` makes of them; for other encoders the demo's pictures."""
    if origin.encoder != OFFLINE:
        return _digit_pictures(origin)
    from sklearn.datasets import load_digits

    pixels, targets = load_digits(return_X_y=True)
    vectors = (pixels / np.linalg.norm(pixels, axis=1, keepdims=True)).astype(np.float32)
    pool, test = slice(None, -DIGITS_TEST), slice(-DIGITS_TEST, None)
    targets = targets.astype(np.int64)
    return [Split(vectors[pool], targets[pool], vectors[test], targets[test], _no_rows())]


def _digit_pictures(origin: Origin) -> list[Split]:
    source = open_source("demo", {"part": "pool"}, Path(), CACHE)
    pool, test = list(source.scan()), list(source.held_out())
    targets = _positions([source.reference_label(item) or "" for item in (*pool, *test)], source.classes())
    material = Material(origin.encoder, "image", _prepared(origin.encoder, "image", source, [*pool, *test]), targets)
    return _embedded(material, [(np.arange(len(pool)), np.arange(len(pool), len(targets)))])


def _fsdd(origin: Origin) -> list[Split]:
    """The official split."""
    material, _, numbers = _fsdd_recordings(origin)
    return _embedded(material, [_left_out(numbers < FSDD_TEST)])


def _fsdd_speakers(origin: Origin) -> list[Split]:
    """One speaker left out at a time, in alphabetical order."""
    material, speakers, _ = _fsdd_recordings(origin)
    return _embedded(material, [_left_out(speakers == name) for name in sorted(set(speakers.tolist()))])


def _fsdd_recordings(origin: Origin) -> tuple[Material, np.ndarray, Rows]:
    """All recordings, the speaker and the number of each; a file's name is digit, speaker and number."""
    source = open_source("audio_folder", {"path": (origin.data / "fsdd").resolve()}, Path(), CACHE)
    items = sorted(source.scan(), key=lambda item: item.id)
    digits, speakers, numbers = np.array([Path(item.id).stem.split("_") for item in items]).T
    prepared = _prepared(origin.encoder, "audio", source, items)
    material = Material(origin.encoder, "audio", prepared, digits.astype(np.int64), groups=_numbers(speakers.tolist()))
    return material, speakers, numbers.astype(int)


def _esc10(origin: Origin) -> list[Split]:
    """One fold left out at a time; file names begin with the fold."""
    source = open_source("esc50", {"path": (origin.data / "esc10").resolve()}, Path(), CACHE)
    items = sorted(source.scan(), key=lambda item: item.id)
    names = [source.reference_label(item) or "" for item in items]
    return _embedded_folds(origin, source, items, names, [source.group_of(item) or "" for item in items])


def _esc10_windows(origin: Origin) -> list[Split]:
    """The same in windows of a second; a window's group is the recording that its clip was cut from."""
    folder = (origin.data / "esc10").resolve()
    clips = open_source("esc50", {"path": folder}, Path(), CACHE)
    source = open_source("audio_folder", {"path": folder / "audio", "window_s": 1.0}, Path(), CACHE)
    items = sorted(source.scan(), key=lambda item: item.id)
    clip_of = [Item(TimeSpan.split(item.id)[0]) for item in items]
    names = [clips.reference_label(clip) or "" for clip in clip_of]
    return _embedded_folds(origin, source, items, names, [clips.group_of(clip) or "" for clip in clip_of])


def _embedded_folds(
    origin: Origin, source: Source, items: Sequence[Item], names: Sequence[str], groups: Sequence[str]
) -> list[Split]:
    folds = np.array([Path(item.id).name.split("-")[0] for item in items])
    targets, prepared = _positions(names, sorted(set(names))), _prepared(origin.encoder, "audio", source, items)
    material = Material(origin.encoder, "audio", prepared, targets, groups=_numbers(groups))
    return _embedded(material, [_left_out(folds == fold) for fold in sorted(set(folds.tolist()))])


def _waste(origin: Origin) -> list[Split]:
    """Photos of waste in six classes; a random 30 % is the test."""
    source = open_source("image_folder", {"path": (origin.data / "waste").resolve()}, Path(), CACHE)
    items = sorted(source.scan(), key=lambda item: item.id)
    names = [source.reference_label(item) or "" for item in items]
    prepared = _prepared(origin.encoder, "image", source, items)
    material = Material(origin.encoder, "image", prepared, _positions(names, sorted(set(names))))
    tested = np.random.default_rng(POOL_SEED).random(len(items)) < WASTE_TEST
    return _embedded(material, [_left_out(tested)])


def _cifar10(origin: Origin) -> list[Split]:
    material, pool, test = _cifar10_pictures(origin)
    return _embedded(material, [(pool, test)])


def _cifar10_half(origin: Origin) -> list[Split]:
    """A random half of the pool: the pictures that `auto` was chosen on."""
    material, pool, test = _cifar10_pictures(origin)
    half = pool[np.random.default_rng(POOL_SEED).permutation(len(pool))[: len(pool) // 2]]
    return _embedded(material, [(half, test)])


def _cifar10_rare(origin: Origin) -> list[Split]:
    """Two classes cut, at random, so that each of them is 2 % of the pool that is left."""
    material, pool, test = _cifar10_pictures(origin)
    is_rare = np.isin(material.targets[pool], material.rare)
    kept = round(RARE_SHARE * int((~is_rare).sum()) / (1 - RARE_SHARE * len(material.rare)))
    rng = np.random.default_rng(POOL_SEED)
    few = [rng.permutation(pool[material.targets[pool] == number])[:kept] for number in material.rare]
    return _embedded(material, [(np.sort(np.concatenate([pool[~is_rare], *few])), test)], material.rare)


def _cifar10_pictures(origin: Origin) -> tuple[Material, Rows, Rows]:
    """Train and test pictures in one, then the positions of either."""
    prepared, names = [], []
    for part in ("train", "test"):
        source = open_source("image_folder", {"path": (origin.data / "cifar10" / part).resolve()}, Path(), CACHE)
        items = sorted(source.scan(), key=lambda item: item.id)
        prepared.append(_prepared(origin.encoder, "image", source, items))
        names += [source.reference_label(item) or "" for item in items]
    classes = sorted(set(names))
    rare = tuple(classes.index(name) for name in RARE_CLASSES)
    material = Material(origin.encoder, "image", [*prepared[0], *prepared[1]], _positions(names, classes), rare)
    return material, np.arange(len(prepared[0])), np.arange(len(prepared[0]), len(names))


def _prepared(name: str, kind: Kind, source: Source, items: Sequence[Item]) -> list[np.ndarray]:
    encoder = _encoder(name, kind)
    return [encoder.prepare(source.read(item, encoder.resolution)) for item in items]


def _embedded(material: Material, parts: Sequence[tuple[Rows, Rows]], rare: tuple[int, ...] = ()) -> list[Split]:
    splits = []
    for pool, test in parts:
        encoder = _encoder(material.encoder, material.kind)
        if isinstance(encoder, FittedEncoder):
            sample = np.random.default_rng(POOL_SEED).permutation(pool)[: encoder.sample_size]
            encoder.fit([material.prepared[place] for place in sample], POOL_SEED)
        vectors = (_vectors(encoder, [material.prepared[place] for place in rows]) for rows in (pool, test))
        pool_vectors, test_vectors = vectors
        targets = material.targets
        groups = [material.groups[rows] if len(material.groups) else _no_rows() for rows in (pool, test)]
        few = np.array(rare, dtype=np.int64)
        splits.append(Split(pool_vectors, targets[pool], test_vectors, targets[test], few, *groups))
    return splits


def _encoder(name: str, kind: Kind) -> Encoder:
    encoder, _ = check_encoder(name, {}, kind).open()
    return encoder


def _vectors(encoder: Encoder, prepared: Sequence[np.ndarray]) -> Embeddings:
    size = encoder.batch_size
    blocks = [encoder.encode(prepared[start : start + size]) for start in range(0, len(prepared), size)]
    return np.concatenate(blocks)


def _left_out(tested: np.ndarray) -> tuple[Rows, Rows]:
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def _positions(names: Sequence[str], classes: Sequence[str]) -> Rows:
    return np.array([classes.index(name) for name in names], dtype=np.int64)


def _numbers(names: Sequence[str]) -> Rows:
    """A number for each name, the same for the same name."""
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)


def _no_rows() -> Rows:
    return np.zeros(0, dtype=np.int64)


SMALL, LARGE = {"batch": 10, "labels": 300, "seeds": 10}, {"batch": 100, "labels": 2000, "seeds": 5}
SETS = {
    "digits": SetInfo(
        _digits, "scikit-learn's digits, raw pixels at length 1; the last 597 are the test", 1, True, **SMALL
    ),
    "fsdd": SetInfo(_fsdd, "spoken digits, official split: recordings 0 to 4 are the test", 1, True, **SMALL),
    "fsdd_speakers": SetInfo(_fsdd_speakers, "spoken digits, one of four speakers left out", 4, False, **SMALL),
    "esc10": SetInfo(_esc10, "sounds around us, one of four folds left out", 4, False, **SMALL),
    "esc10_windows": SetInfo(
        _esc10_windows, "the same in windows of 1 s", 4, False, batch=10, labels=300, seeds=10, compared=False
    ),
    "waste": SetInfo(
        _waste, "photos of waste, 30 % for the test", 1, True, batch=10, labels=300, seeds=10, compared=False
    ),
    "cifar10": SetInfo(_cifar10, "20,000 pictures, 3,000 for the test", 1, True, **LARGE),
    "cifar10_half": SetInfo(_cifar10_half, "the random half of them that `auto` was chosen on", 1, True, **LARGE),
    "cifar10_rare": SetInfo(
        _cifar10_rare, f"CIFAR-10 with {' and '.join(RARE_CLASSES)} cut to 2 % of the pool each", 1, True, **LARGE
    ),
}
