"""Vectors of the test part, kept beside those of the pool: a second simulation with an encoder starts at once."""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from fastlabel_gradio.encoders import Encoder
from fastlabel_gradio.types import Embeddings, Item


def saved_vectors(
    folder: Path, encoder: Encoder, items: Sequence[Item], embed: Callable[[Sequence[Item]], Embeddings]
) -> tuple[Embeddings, float]:
    """float32[items, dim] of some items, and how many were read and embedded a second when that was done.

    Args:
        folder: where they are kept, one file an encoder; of other items or of changed ones they are made anew.
    """
    file = folder / f"test-{encoder.space}.npz"
    key = _key(items)
    if (found := _read(file, key, (len(items), encoder.dim))) is not None:
        return found
    began = time.perf_counter()
    vectors = embed(items)
    items_per_s = len(items) / (time.perf_counter() - began)
    np.savez(file, vectors=vectors, items_per_s=items_per_s, key=key)
    return vectors, items_per_s


def _read(file: Path, key: str, shape: tuple[int, int]) -> tuple[Embeddings, float] | None:
    try:
        with np.load(file, allow_pickle=False) as saved:
            if str(saved["key"]) == key and saved["vectors"].shape == shape and np.isfinite(saved["vectors"]).all():
                return saved["vectors"], float(saved["items_per_s"])
    except (OSError, ValueError, KeyError, BadZipFile):
        pass  # none yet, or cut off while it was written: made anew
    return None


def _key(items: Sequence[Item]) -> str:
    lines = "\n".join(f"{item.id} {item.stamp}" for item in items)
    return blake2b(lines.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
