"""What encoders learn from a pool with linear algebra: whitening and principal directions; and projected unit vectors."""

from typing import TYPE_CHECKING

import numpy as np

from fastlabel_gradio.row_padding import padded

if TYPE_CHECKING:
    import torch

OVERSAMPLING = 10  # random directions beyond those wanted (Halko et al., section 4.3)


def principal_directions(features: np.ndarray, dim: int, rng: np.random.Generator) -> np.ndarray:
    """float32[dim, features], orthonormal rows: the principal directions of the sample, most important first.

    A sample of n items spans at most n - 1 of them; random directions orthogonal to these fill up the rest, so that
    items which come later still differ.
    """
    sizes, directions = _leading_singular_vectors(features - features.mean(0), dim, rng)
    found = directions[sizes > 1e-4 * max(float(np.linalg.norm(features)), 1.0)]
    filling = rng.standard_normal((features.shape[1], dim - len(found)), dtype=np.float32)
    filling, _ = np.linalg.qr(filling - found.T @ (found @ filling))
    return np.ascontiguousarray(np.concatenate([found, filling.T]), dtype=np.float32)


def zca(patches: "torch.Tensor", floor: float) -> "tuple[torch.Tensor, torch.Tensor]":
    """Mean, and V (E + floor)^-1/2 V' of patches with covariance V E V' (Coates & Ng 2012, section 3)."""
    import torch

    mean = patches.mean(0)
    centred = patches - mean
    values, vectors = torch.linalg.eigh((centred.T @ centred / len(patches)).double())
    scale = (values.clamp(min=0) + floor).rsqrt()
    return mean, ((vectors * scale) @ vectors.T).float()


def random_directions(count: int, numbers: int, rng: np.random.Generator) -> "torch.Tensor":
    """float32[count, numbers]: uniform on the sphere."""
    import torch
    from torch.nn.functional import normalize

    return normalize(torch.from_numpy(rng.standard_normal((count, numbers), dtype=np.float32)))


def projected(
    features: "torch.Tensor", projection: "torch.Tensor", bias: "torch.Tensor", *, in_any_batch: bool = True
) -> "torch.Tensor":
    """float32[n, dim], rows of length 1, of float32[n, features].

    Args:
        in_any_batch: what a row becomes is the same to the last bit in a batch of any size; an exporter, which follows
            tensors of an unknown number of rows, does without.
    """
    from torch.nn.functional import linear

    if not in_any_batch:
        return unit_vectors(linear(features, projection, bias))
    return unit_vectors(linear(padded(features), projection, bias)[: len(features)])


def unit_vectors(vectors: "torch.Tensor") -> "torch.Tensor":
    """Rows of length 1. A row at the centre has no direction and gets the last axis, the least important one."""
    lengths = vectors.norm(dim=1, keepdim=True)
    last_axis = vectors.new_zeros(vectors.shape[1])
    last_axis[-1] = 1
    return last_axis.where(lengths < 1e-6, vectors / lengths.clamp(min=1e-6))


def _leading_singular_vectors(matrix: np.ndarray, dim: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Up to `dim` largest singular values and right singular vectors of float32[rows, columns], by random projection.

    Halko, Martinsson & Tropp, "Finding structure with randomness" (SIAM Review 2011), algorithm 4.4 with one power
    iteration. Without its QR between the products the small directions drown in float32: 335 of 512 are left.
    """
    import torch

    with torch.inference_mode():
        rows = torch.from_numpy(matrix)
        wanted = min(dim, *rows.shape)
        columns = min(wanted + OVERSAMPLING, *rows.shape)
        test = torch.from_numpy(rng.standard_normal((rows.shape[1], columns), dtype=np.float32))
        basis = torch.linalg.qr(rows @ test)[0]
        basis = torch.linalg.qr(rows @ torch.linalg.qr(rows.T @ basis)[0])[0]
        _, sizes, directions = torch.linalg.svd(basis.T @ rows, full_matrices=False)
        return sizes[:wanted].numpy(), directions[:wanted].numpy()
