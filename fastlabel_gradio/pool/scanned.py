"""Scanned: what a head says of rows, eight bytes each: predicted class, confidence and margin."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float16, Float32, Int16

UNSEEN = -1  # in place of a class


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """What is known of the first rows of the pool, as of one moment.

    Attributes:
        classes: the position of the most probable class in the head's labels; UNSEEN where no head has looked yet.
        confidences: the probability of that class, 0 to 1; 0 where no head has looked yet.
        margins: that probability less the second largest, 0 to 1; infinite where no head has looked yet.
        head_version: of the newest head that looked at some of the rows; 0 where none did, and for the head of the class
            names alone.
        done: rows that the newest one has looked at. Of others the heads before it say what is told here.
    """

    classes: Int16[np.ndarray, " rows"]
    confidences: Float32[np.ndarray, " rows"]
    margins: Float16[np.ndarray, " rows"]
    head_version: int = 0
    done: int = 0


NOTHING_SCANNED = Scanned(np.zeros(0, dtype=np.int16), np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float16))


def of_probabilities(probabilities: torch.Tensor) -> Scanned:
    """Of float32[rows, classes] on any device. Overwrites them."""
    with torch.inference_mode():
        largest, classes = probabilities.max(dim=1)
        others = probabilities.scatter_(1, classes[:, None], 0)
        margins = (largest - others.amax(dim=1)).clamp_(min=0)
        return Scanned(classes.short().cpu().numpy(), largest.cpu().numpy(), margins.half().cpu().numpy())
