"""What the encoders with downloaded weights share: how a failure to load is told, the digest of weights, texts in batches."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np

from fastlabel_gradio.encoders.hub import first_line
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

if TYPE_CHECKING:
    import torch

SAMPLE_PER_TENSOR = 4096


@contextmanager
def loading(place: str) -> Iterator[None]:
    """Turns whatever a damaged or foreign checkpoint makes a library raise into EncoderUnavailableError with one line."""
    from huggingface_hub import errors as hub_errors
    from safetensors import SafetensorError

    # A damaged file fails in as many ways as there are formats.
    unreadable = (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, ImportError)
    wrong_settings: type[Exception] = getattr(hub_errors, "StrictDataclassError", ValueError)  # of newer versions
    try:
        yield
    except (*unreadable, pickle.UnpicklingError, SafetensorError, wrong_settings) as error:
        raise EncoderUnavailableError(f"{place} cannot be loaded ({first_line(error)})") from error


def dim_of(probe: Embeddings, place: str) -> int:
    """Numbers in a vector, of what the model gave for one item.

    Args:
        place: of the weights, for the error.

    Raises:
        EncoderUnavailableError: the model gives NaN, infinity or zeros alone. Each item would be left out as unreadable, or
            be like any other.
    """
    if not np.isfinite(probe).all():
        raise EncoderUnavailableError(f"{place} gives no finite numbers: its weights or its preprocessing are damaged")
    if not probe.any():
        raise EncoderUnavailableError(f"{place} gives zeros for any item: its weights are damaged, or whole numbers")
    return int(probe.shape[1])


def weights_digest(weights: "dict[str, torch.Tensor]") -> str:
    """A hash that every bit of every tensor changes: of names, shapes, sums of words, and a sample of each in order.

    The sums read memory at its own speed, 0.1 s for 600 MB where a cryptographic hash of all takes a second.
    """
    import torch

    digest = blake2b(digest_size=16)
    for name, tensor in sorted(weights.items()):
        flat = tensor.detach().cpu().contiguous().flatten()
        words = flat.view({1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[flat.element_size()])
        sample = words[:: max(1, len(words) // SAMPLE_PER_TENSOR)].contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype} {words.sum(dtype=torch.int64).item()}".encode())
        digest.update(sample.numpy().tobytes())
    return digest.hexdigest()


def unit_vectors(features: "torch.Tensor") -> Embeddings:
    """Rows of length 1 in float32."""
    from torch.nn.functional import normalize

    return normalize(features.float(), dim=-1).cpu().numpy()


def embedded_texts(
    prompts: Sequence[str], batch_size: int, dim: int, embed: Callable[[list[str]], Embeddings]
) -> Embeddings:
    """What `embed` gives for all prompts, so many at a time: float32[n, dim]; n may be 0."""
    starts = range(0, len(prompts), batch_size)
    parts = [embed(list(prompts[start : start + batch_size])) for start in starts]
    return np.concatenate([np.empty((0, dim), dtype=np.float32), *parts])
