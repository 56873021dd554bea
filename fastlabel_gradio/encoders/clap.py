"""CLAP by transformers: sounds and texts in one space."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders.base import ENCODERS, Encoder
from fastlabel_gradio.encoders.clap_mel import ClapMel, Views
from fastlabel_gradio.encoders.hub_model import CONFIG, PREPARATION, TOKENIZER, WEIGHTS, HubModelOptions
from fastlabel_gradio.encoders.loaded_weights import dim_of, embedded_texts, loading, unit_vectors, weights_digest
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings, Waveform

if TYPE_CHECKING:
    import torch

BATCH_SIZES = {"cpu": 8, "cuda": 128, "mps": 32}
NEEDED_FILES = (CONFIG, PREPARATION, TOKENIZER, WEIGHTS)
# What the shapes of the weights do not tell of the sound tower, for the fingerprint.
ARCHITECTURE = (
    "spec_size",
    "patch_stride",
    "num_attention_heads",
    "window_size",
    "hidden_act",
    "projection_hidden_act",
    "enable_fusion",
    "fusion_type",
    "layer_norm_eps",
)


class ClapOptions(HubModelOptions):
    """Which CLAP, by its name or folder."""

    model: Annotated[str, Field(min_length=1)] = "laion/clap-htsat-unfused"


@ENCODERS["audio"].register("clap")
class ClapEncoder(Encoder):
    """A CLAP model with its own preprocessing, in the precision that the device is fastest at.

    Of a sound longer than the model hears (10 s) it hears the middle, or all of it where the model fuses several views.
    The fingerprint covers the architecture, every weight and the preprocessing, neither their origin nor the precision:
    embeddings in bf16 and fp32 have a cosine of 0.999.

    Attributes:
        logit_scale: what the model multiplies cosines of sounds and texts with before the softmax.
    """

    name = "clap"
    prompt = "This is a sound of {label}."
    where_to_put_weights = "a folder that transformers' `save_pretrained` wrote in the encoder's option `model`"
    Options = ClapOptions

    def __init__(self, options: ClapOptions) -> None:
        self._device = pick_device()
        self._dtype = matmul_dtype(self._device)
        with loading(options.model):
            model, processor = _load(options)
            self.fingerprint = _fingerprint(model, processor.feature_extractor)
            self.logit_scale = model.logit_scale_a.exp().item()
            self._mel = ClapMel.of(processor.feature_extractor)
            self._tokenizer = processor.tokenizer
            self._longest_text = _longest_text(model, processor.tokenizer)
            self._model = _placed(model, self._device, self._dtype)
            self.batch_size = options.batch_size or BATCH_SIZES[self._device]
            self.licence = options.licence
            self.resolution = self._mel.rate_hz
            self._top_hz = float(processor.feature_extractor.frequency_max)
            silence = Waveform(np.zeros(self._mel.rate_hz, dtype=np.float32), self._mel.rate_hz)
            self.dim = dim_of(self._embed([self.prepare(silence)]), options.model)

    @classmethod
    def why_unavailable(cls, options: ClapOptions) -> str | None:
        return options.why_missing(NEEDED_FILES)

    @property
    def top_hz(self) -> float:
        return min(self._top_hz, self.resolution / 2)

    def prepare(self, media: Waveform) -> Views:
        """Log-mel in decibels, float32[views, frames, bands]; more than one view only where the model fuses them."""
        return self._mel.views(media)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return self._embed(batch) if len(batch) else np.empty((0, self.dim), dtype=np.float32)

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        return embedded_texts(prompts, self.batch_size, self.dim, self._embed_texts)

    def _embed(self, batch: Sequence[np.ndarray]) -> Embeddings:
        import torch

        channels = 4 if self._mel.fuses else 1
        features = np.stack([np.broadcast_to(views, (channels, *views.shape[1:])) for views in batch])
        is_fused = torch.tensor([[len(views) > 1] for views in batch], device=self._device)
        with torch.inference_mode():
            inputs = torch.from_numpy(features).to(self._device)
            heard = self._model.audio_model(input_features=inputs, is_longer=is_fused).pooler_output
            return unit_vectors(self._model.audio_projection(heard))

    def _embed_texts(self, prompts: list[str]) -> Embeddings:
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer(
                prompts, padding=True, truncation=True, max_length=self._longest_text, return_tensors="pt"
            ).to(self._device)
            read = self._model.text_model(input_ids=tokens.input_ids, attention_mask=tokens.attention_mask)
            return unit_vectors(self._model.text_projection(read.pooler_output))


def _load(options: ClapOptions) -> tuple[Any, Any]:
    """The model in fp32 on the CPU, and its processor."""
    import torch
    from transformers import ClapModel, ClapProcessor

    is_here = options.is_here(NEEDED_FILES)
    processor = ClapProcessor.from_pretrained(options.model, local_files_only=is_here)
    loaded: Any = ClapModel.from_pretrained(
        options.model, local_files_only=is_here, dtype=torch.float32, weights_only=True, output_loading_info=True
    )
    model, found = loaded
    # transformers fills what a checkpoint lacks with random numbers.
    missing = sorted({name for name, _ in model.named_parameters()} & set(found["missing_keys"]))
    if missing:
        raise EncoderUnavailableError(f"{options.model} is no CLAP: it has no {missing[0]}")
    return model.eval().requires_grad_(False), processor


def _placed(model: Any, device: str, dtype: "torch.dtype") -> Any:
    """The model on the device; decibels are normalised in fp32, because bf16 would round 50 dB to quarters."""
    placed = model.to(device=device, dtype=dtype)
    tower = placed.audio_model.audio_encoder
    tower.batch_norm.float()
    tower.patch_embed.register_forward_pre_hook(lambda _, inputs: (inputs[0].to(dtype), *inputs[1:]))
    return placed


def _longest_text(model: Any, tokenizer: Any) -> int:
    """Tokens that the text tower has places for; RoBERTa counts them from behind the padding's number."""
    settings = model.config.text_config
    return int(min(tokenizer.model_max_length, settings.max_position_embeddings - settings.pad_token_id - 1))


def _fingerprint(model: Any, extractor: Any) -> str:
    # Tables of positions, which are whole numbers, come and go with transformers' versions.
    weights = {name: tensor for name, tensor in model.state_dict().items() if tensor.is_floating_point()}
    architecture = {key: getattr(model.config.audio_config, key) for key in ARCHITECTURE}
    hearing = {key: value for key, value in extractor.to_dict().items() if isinstance(value, (int, float, str))}
    described = [architecture, hearing, weights_digest(weights)]
    return "clap-" + blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=10).hexdigest()
