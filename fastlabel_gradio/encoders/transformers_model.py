"""What the encoders by transformers share, of pictures and of sounds: the tower without its heads, and how it is pooled."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fastlabel_gradio.encoders.hub_model import CONFIG, PREPARATION, WEIGHTS, HubModelOptions
from fastlabel_gradio.encoders.loaded_weights import weights_digest
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

if TYPE_CHECKING:
    import torch

NEEDED_FILES = (CONFIG, PREPARATION, WEIGHTS)
UNUSED = ("masked_spec_embed", "mask_token")  # weights that training alone uses
CLASS_TOKENS = ("cls_token", "class_token", "class_embedding")

Pooling = Literal["pooler", "cls", "mean"]


class TransformersOptions(HubModelOptions):
    """Which model, by its name or folder, and how its outputs become one vector.

    Attributes:
        pooling: "pooler", the model's own summary; "cls", the class token; "mean" of all that stands for a part of the item.
            By default the first of these that the model offers with trained weights.
    """

    pooling: Pooling | None = None


@dataclass(frozen=True, slots=True)
class Tower:
    """The part of a model that embeds items.

    Attributes:
        module: in evaluation.
        untrained: names of its weights that the checkpoint lacks, which are random numbers: those of a pooler at most.
    """

    module: Any
    untrained: frozenset[str]

    def pooling(self, output: Any, wanted: Pooling | None) -> Pooling:
        """The wanted one or the first that the model offers, judged by what it gave for an item.

        Raises EncoderUnavailableError where it offers no such pooling.
        """
        is_trained = not any("pooler" in name for name in self.untrained)
        gives_pooler = is_trained and getattr(output, "pooler_output", None) is not None
        names = (name.split(".")[-1] for name, _ in self.module.named_parameters())
        has_class_token = any(name.startswith(CLASS_TOKENS) for name in names)
        offers: dict[Pooling, bool] = {"pooler": gives_pooler, "cls": has_class_token, "mean": True}
        offered = [pooling for pooling, is_offered in offers.items() if is_offered]
        if wanted and wanted not in offered:
            raise EncoderUnavailableError(f"the model offers no pooling '{wanted}'. It offers: {', '.join(offered)}")
        return wanted or offered[0]


def load_tower(options: TransformersOptions) -> Tower:
    """The model in fp32 on the CPU, of an encoder-decoder the encoder. Runs no code of a repository.

    Raises:
        EncoderUnavailableError: the checkpoint lacks weights of the tower, which transformers fills with random numbers.
    """
    import torch
    from transformers import AutoModel

    loaded: Any = AutoModel.from_pretrained(
        options.model,
        local_files_only=options.is_here(NEEDED_FILES),
        trust_remote_code=False,
        weights_only=True,
        dtype=torch.float32,
        output_loading_info=True,
    )
    model, found = loaded
    tower, prefix = (model.get_encoder(), _encoder_prefix(model)) if model.config.is_encoder_decoder else (model, "")
    if hasattr(model.config, "mask_ratio"):
        model.config.mask_ratio = 0.0  # a masked autoencoder hides most of the picture otherwise
    missing = [name for name, _ in tower.named_parameters() if prefix + name in set(found["missing_keys"])]
    lacking = sorted(name for name in missing if "pooler" not in name and not name.endswith(UNUSED))
    if lacking:
        raise EncoderUnavailableError(
            f"{options.model} has no {lacking[0]}: those are not all the weights of the model"
        )
    return Tower(tower.eval().requires_grad_(False), frozenset(missing))


def pooled(output: Any, pooling: Pooling, heard: "torch.Tensor | None" = None) -> "torch.Tensor":
    """[n, dim] of what the tower gave.

    Args:
        heard: bool or int[n, steps], which steps of the input hold something; the mean is over what stands for those.
    """
    if pooling == "pooler":
        return output.pooler_output.flatten(1)  # type: ignore[no-any-return]
    states = output.last_hidden_state
    if states.ndim == 4:  # a map [n, channels, height, width]
        return states.flatten(2).mean(dim=2)  # type: ignore[no-any-return]
    if pooling == "cls":
        return states[:, 0]  # type: ignore[no-any-return]
    if heard is None:
        return states.mean(dim=1)  # type: ignore[no-any-return]
    weights = _at_steps(heard, states.shape[1]).to(states.dtype).unsqueeze(2)
    return (states * weights).sum(dim=1) / weights.sum(dim=1)  # type: ignore[no-any-return]


def by_shape(batch: Sequence[np.ndarray], embed: Callable[[list[np.ndarray]], Embeddings], dim: int) -> Embeddings:
    """What `embed` gives for items of one shape at a time, in the order of the batch: float32[n, dim]; n may be 0.

    Nothing is padded, so that an item gets the same vector in any batch.
    """
    vectors = np.empty((len(batch), dim), dtype=np.float32)
    shapes = [(item.shape, item.dtype) for item in batch]
    for shape in dict.fromkeys(shapes):
        rows = [row for row, of_row in enumerate(shapes) if of_row == shape]
        vectors[rows] = embed([batch[row] for row in rows])
    return vectors


def fingerprint(name: str, options: TransformersOptions, tower: Tower, pooling: Pooling) -> str:
    """Of what the model's own files say, every weight of the tower and the pooling, not of their origin."""
    weights = {
        key: tensor
        for key, tensor in tower.module.state_dict().items()
        if tensor.is_floating_point() and key not in tower.untrained
    }
    described = [options.settings(), pooling, weights_digest(weights)]
    return f"{name}-" + blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=10).hexdigest()


def _encoder_prefix(model: Any) -> str:
    encoder = model.get_encoder()
    return next(f"{name}." for name, module in model.named_modules() if module is encoder)


def _at_steps(heard: "torch.Tensor", steps: int) -> "torch.Tensor":
    """Which of fewer steps, as long strides make them, stand for something heard; the first one always does."""
    import torch

    places = torch.arange(steps, device=heard.device) * heard.shape[1] // steps
    mask = heard[:, places].bool()
    mask[:, 0] = True
    return mask
