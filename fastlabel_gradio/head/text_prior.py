"""What the class names alone say of an item, where the encoder has a text tower (zero-shot classification).

Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (ICML 2021, arXiv 2103.00020),
section 3.1: a softmax over the cosines to the embedded class prompts, times the model's own scale.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from fastlabel_gradio.head.model import Head, HeadInfo, MLPHead
from fastlabel_gradio.types import Embeddings

Targets = Int64[np.ndarray, " items"]

SHOTS = 8.0  # labels of a class that weigh as much as its name, if the names alone were always right


@dataclass(frozen=True, slots=True)
class TextPrior:
    """Embedded class prompts.

    Attributes:
        texts: float32[classes, dim], L2-normalised, in the space of the items.
        scale: what the model multiplies cosines with before the softmax, about 100 for CLIP.
    """

    texts: Float32[np.ndarray, "classes dim"]
    scale: float

    def weighted(self, embeddings: Embeddings, targets: Targets) -> Float32[np.ndarray, "classes dim"]:
        """The linear map float32[classes, dim] of the names' logits, shrunk by what labels there are.

        alpha = 8 q / (8 q + labels / classes), where q is the mean probability that the names alone give to the class of
        a label: 1 without labels, less with every one, and the sooner the less the names are worth. Shrinkage by
        zero-shot confidence after Silva-Rodriguez et al., "A Closer Look at the Few-Shot Adaptation of Large
        Vision-Language Models" (CVPR 2024, arXiv 2312.12730).
        """
        weights = np.asarray(self.scale * self.texts, dtype=np.float32)
        if not len(targets):
            return weights
        logits = torch.from_numpy(embeddings @ weights.T)
        worth = SHOTS * float(logits.softmax(dim=1)[torch.arange(len(targets)), torch.from_numpy(targets)].mean())
        return np.asarray(weights * (worth / (worth + len(targets) / len(weights))), dtype=np.float32)


def zero_shot_head(prior: TextPrior, info: HeadInfo, *, device: str = "cpu") -> Head:
    """The head of the class names alone: softmax(scale · cos(x, text of class)), before the first label."""
    classes, dim = prior.texts.shape
    module = MLPHead(dim, classes)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.zero_()
        module.skip.weight.copy_(torch.from_numpy(prior.scale * prior.texts))
    return Head(module, info, device)
