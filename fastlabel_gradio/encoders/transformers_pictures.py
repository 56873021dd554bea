"""Any picture model of transformers, through AutoModel and its own image processor."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders.base import ENCODERS, Encoder
from fastlabel_gradio.encoders.hub import first_line
from fastlabel_gradio.encoders.hub_model import TOKENIZER
from fastlabel_gradio.encoders.loaded_weights import dim_of, embedded_texts, loading, unit_vectors
from fastlabel_gradio.encoders.picture_input import PictureInput, probe_pixels
from fastlabel_gradio.encoders.transformers_model import (
    NEEDED_FILES,
    TransformersOptions,
    by_shape,
    fingerprint,
    load_tower,
    pooled,
)
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

BATCH_SIZES = {"cpu": 16, "cuda": 128, "mps": 32}
PROBE_PX = 64
LONGEST_TEXT = 512  # tokens, where neither the model nor its tokenizer has a limit


@ENCODERS["image"].register("transformers")
class TransformersPictureEncoder(Encoder):
    """A picture model with its own preprocessing, in the precision that the device is fastest at.

    Of one with a text tower in the same space (CLIP, SigLIP) class names give the first suggestions.
    """

    name = "transformers"
    prompt = "This is a photo of {label}."
    where_to_put_weights = "a folder that transformers' `save_pretrained` wrote in the encoder's option `model`"
    Options = TransformersOptions

    def __init__(self, options: TransformersOptions) -> None:
        import torch

        self._options = options
        self._device = pick_device()
        self._dtype = matmul_dtype(self._device)
        with loading(options.model):
            tower = load_tower(options)
            self._input = _picture_input(options)
            probe = self._input.prepared(Image.fromarray(probe_pixels((PROBE_PX, PROBE_PX))[0]))
            self.resolution = min(probe.shape[:2])
            pixels = self._input.pixels(probe[None], "cpu", torch.float32)
            self._pooling = tower.pooling(_output(tower.module, pixels), options.pooling)
            self.fingerprint = fingerprint("transformers", options, tower, self._pooling)
            self.licence = options.licence
            self._model = tower.module.to(device=self._device, dtype=self._dtype)
            self.batch_size = options.batch_size or BATCH_SIZES[self._device]
            self.dim = dim_of(self._embed([probe]), options.model)
            if self._pooling == "pooler" and hasattr(self._model, "get_text_features"):
                self.logit_scale = float(self._model.logit_scale.exp().item())

    @classmethod
    def why_unavailable(cls, options: TransformersOptions) -> str | None:
        return options.why_missing(NEEDED_FILES)

    def prepare(self, media: Image.Image) -> np.ndarray:
        """uint8[height, width, 3]: the picture as the model's processor resizes and crops it."""
        return self._input.prepared(media)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return by_shape(batch, self._embed, self.dim)

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        """L2-normalised embeddings, float32[n, dim]. Raises EncoderUnavailableError without a text tower or tokenizer."""
        if self.logit_scale is None:
            return super().encode_text(prompts)
        return embedded_texts(prompts, self.batch_size, self.dim, self._embed_texts)

    def _embed(self, batch: list[np.ndarray]) -> Embeddings:
        import torch

        with torch.inference_mode():
            pixels = self._input.pixels(np.stack(batch), self._device, self._dtype)
            return unit_vectors(pooled(_output(self._model, pixels), self._pooling))

    def _embed_texts(self, prompts: list[str]) -> Embeddings:
        import torch

        # SigLIP was trained on texts that are all filled up to its longest.
        limit = self._longest_text
        with torch.inference_mode():
            tokens = self._tokenizer(
                prompts, padding="max_length", truncation=True, max_length=limit, return_tensors="pt"
            )
            read = self._model.get_text_features(**tokens.to(self._device))
            return unit_vectors(getattr(read, "pooler_output", read))

    @property
    def _longest_text(self) -> int:
        places = getattr(self._model.config.text_config, "max_position_embeddings", LONGEST_TEXT)
        return int(min(places, self._tokenizer.model_max_length, LONGEST_TEXT))

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        try:
            is_here = self._options.is_here((TOKENIZER,))
            return AutoTokenizer.from_pretrained(self._options.model, local_files_only=is_here, trust_remote_code=False)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            reason = first_line(error)
            raise EncoderUnavailableError(
                f"the tokenizer of {self._options.model} is not available ({reason})"
            ) from error


def _output(model: Any, pixels: Any) -> Any:
    import torch

    with torch.inference_mode():
        if hasattr(model, "get_image_features"):
            return model.get_image_features(pixel_values=pixels)
        return model(pixel_values=pixels)


def _picture_input(options: TransformersOptions) -> PictureInput:
    """The processor's resizing and cropping, and its normalisation. Raises EncoderUnavailableError."""
    from transformers import AutoImageProcessor

    is_here = options.is_here(NEEDED_FILES)
    auto: Any = AutoImageProcessor
    processor = auto.from_pretrained(options.model, local_files_only=is_here, trust_remote_code=False)

    def resize(picture: Image.Image) -> np.ndarray:
        made = processor(images=[picture], do_rescale=False, do_normalize=False, return_tensors="np")
        pixels = np.asarray(made["pixel_values"])
        if pixels.ndim != 4 or "pixel_attention_mask" in made:
            raise EncoderUnavailableError(
                f"{type(processor).__name__} cuts pictures into patches, which is not supported: take a model of fixed size"
            )
        return np.asarray(pixels[0].transpose(1, 2, 0).round().clip(0, 255), dtype=np.uint8)

    scale = processor.rescale_factor if processor.do_rescale else 1.0
    is_normalised = processor.do_normalize
    mean = [level / scale for level in processor.image_mean] if is_normalised else [0.0] * 3
    deviation = [level / scale for level in processor.image_std] if is_normalised else [1 / scale] * 3
    return PictureInput(resize, mean, deviation, bool(getattr(processor, "do_center_crop", False)))
