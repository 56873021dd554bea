"""Sent vectors: what somebody pasted, as a text that a query and an address can hold. The server keeps nothing of it.

`<mark of the encoder>.<vector>`: the vector's float16 numbers in the URL alphabet of base64. Rounding changes a cosine by
less than 0.001.
"""

import base64
import binascii
from hashlib import blake2b

import numpy as np
from jaxtyping import Float32

from fastlabel_gradio.errors import InvalidQueryError, shown
from fastlabel_gradio.pool.space import EmbeddingSpace

Vector = Float32[np.ndarray, " dim"]


def text_of(vector: Vector, space: str) -> str:
    """The vector of an item in a space, as text."""
    numbers = np.asarray(vector, dtype="<f2").tobytes()
    return f"{_mark(space)}.{base64.urlsafe_b64encode(numbers).decode().rstrip('=')}"


def vector_of(text: str, space: EmbeddingSpace) -> Vector:
    """The unit vector of a text. Raises InvalidQueryError for one of another encoder, or that is none."""
    mark, _, encoded = text.partition(".")
    if mark != _mark(space.name):
        raise InvalidQueryError(
            f"'near': vector {shown(text[:20])} is not of this project's encoder. Send the picture or sound again."
        )
    try:
        numbers = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        vector = np.frombuffer(numbers, dtype="<f2").astype(np.float32)
    except (binascii.Error, ValueError):
        vector = np.zeros(0, dtype=np.float32)
    length = float(np.linalg.norm(vector)) if np.isfinite(vector).all() else 0.0
    if len(vector) != space.dim or not length:
        raise InvalidQueryError(f"'near': vector {shown(text[:20])} is damaged. Send the picture or sound again.")
    return np.asarray(vector / length, dtype=np.float32)


def _mark(space: str) -> str:
    return blake2b(space.encode(), digest_size=6).hexdigest()
