"""What a fitted encoder learned, on disk: a safetensors file of float32 arrays with the recipe that made them."""

import json
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

import numpy as np

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import CheckpointError

Recipe = Mapping[str, int | float]
Shape = tuple[int, ...]
REMEDY = "Delete it; the encoder learns anew."


def learned_digest(arrays: Mapping[str, np.ndarray], recipe: Recipe) -> str:
    """Twenty hex digits that the recipe and every number of the arrays change."""
    digest = blake2b(json.dumps(dict(recipe)).encode(), digest_size=10)
    for array in arrays.values():
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def save_learned(path: Path, arrays: Mapping[str, np.ndarray], recipe: Recipe) -> None:
    """Writes the arrays and their recipe, atomically."""
    from safetensors.numpy import save

    write_atomically(path, save(dict(arrays), metadata={"fastlabel": json.dumps(dict(recipe))}))


def load_learned(path: Path, shapes: Mapping[str, Shape], recipe: Recipe) -> dict[str, np.ndarray]:
    """What `save_learned` wrote. Raises CheckpointError where it is damaged, of other shapes or of another recipe."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            found = json.loads((file.metadata() or {})["fastlabel"])
            arrays: dict[str, np.ndarray] = {name: file.get_tensor(name) for name in shapes}
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path}: not readable as what an encoder learned ({error}). {REMEDY}") from error
    if found != dict(recipe):
        raise CheckpointError(f"{path}: learned by another recipe ({found}, now {dict(recipe)}). {REMEDY}")
    for name, shape in shapes.items():
        if arrays[name].shape != shape or arrays[name].dtype != np.float32 or not np.isfinite(arrays[name]).all():
            raise CheckpointError(f"{path}: '{name}' is not {shape} finite numbers in float32. {REMEDY}")
    return arrays
