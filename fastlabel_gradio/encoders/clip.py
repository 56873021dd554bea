"""CLIP by open_clip: pictures and texts in one space. Where its weights are is `clip_weights`' affair."""

import json
from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders import clip_weights
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions
from fastlabel_gradio.encoders.clip_weights import FOLDER_PREFIX, HUB_PREFIX
from fastlabel_gradio.encoders.hub import first_line
from fastlabel_gradio.encoders.loaded_weights import dim_of, embedded_texts, loading, unit_vectors, weights_digest
from fastlabel_gradio.encoders.picture_input import PictureInput, probe_pixels
from fastlabel_gradio.encoders.pixel_graph import PixelGraph
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

BATCH_SIZES = {"cpu": 32, "cuda": 256, "mps": 64}


class ClipOptions(EncoderOptions):
    """Which CLIP.

    Attributes:
        model: a name of `open_clip.list_models()`, "hf-hub:org/name", or "local-dir:path" (a folder with
            open_clip_config.json and the weights).
        pretrained: a tag that open_clip knows for the model, or a checkpoint file (.safetensors, .pt, .bin); one that
            needs arbitrary pickles is refused. Left out with the two prefixes.
        batch_size: pictures encoded at once; by default what the device is fast with.
    """

    model: str = clip_weights.DEFAULT_MODEL
    pretrained: str = clip_weights.DEFAULT_TAG
    batch_size: Annotated[int, Field(ge=1)] | None = None

    @property
    def is_self_contained(self) -> bool:
        """Whether the model's name says where the weights are."""
        return self.model.startswith((HUB_PREFIX, FOLDER_PREFIX))

    @model_validator(mode="before")
    @classmethod
    def _usual_tag(cls, given: Any) -> Any:
        model = given.get("model") if isinstance(given, dict) else None
        if isinstance(model, str) and model in clip_weights.USUAL_TAGS:
            return {"pretrained": clip_weights.USUAL_TAGS[model], **given}
        return given

    @model_validator(mode="after")
    def _one_place_of_weights(self) -> "ClipOptions":
        named = bool(self.pretrained) and "pretrained" in self.model_fields_set
        if self.is_self_contained and named:
            raise ValueError(f"pretrained '{self.pretrained}' is not used with model '{self.model}': leave it out")
        if not self.is_self_contained and not self.pretrained:
            raise ValueError(f"pretrained is empty: model '{self.model}' needs a tag or a checkpoint file")
        return self

    def located(self, base_dir: Path) -> "ClipOptions":
        folder = self.model.removeprefix(FOLDER_PREFIX)
        if folder != self.model:
            return self.model_copy(update={"model": FOLDER_PREFIX + str(base_dir / Path(folder).expanduser())})
        file = base_dir / Path(self.pretrained).expanduser()
        is_file = clip_weights.is_checkpoint_path(str(file)) and not self.is_self_contained
        return self.model_copy(update={"pretrained": str(file)}) if is_file else self


@ENCODERS["image"].register("clip")
class ClipEncoder(Encoder):
    """A CLIP model with the model's own preprocessing, in the precision that the device is fastest at.

    The fingerprint covers the architecture, every weight and the preprocessing, not where the weights came from. It
    leaves out the precision: embeddings in bf16 and fp32 have a cosine of 0.9999, one head serves both, and a project
    that moves to another machine keeps its embeddings.

    Attributes:
        logit_scale: what the model multiplies cosines of pictures and texts with before the softmax, about 100.
    """

    name = "clip"
    prompt = "a photo of a {label}."
    Options = ClipOptions

    def __init__(self, options: ClipOptions) -> None:
        model, preprocess = _load(options)
        self.fingerprint = _fingerprint(model, options)
        self.logit_scale = model.logit_scale.exp().item()
        self._options = options
        self.licence = clip_weights.licence(options.model, options.pretrained)
        self._device = pick_device()
        self._dtype = matmul_dtype(self._device)
        self._model = model.requires_grad_(False).eval().to(device=self._device, dtype=self._dtype)
        self.batch_size = options.batch_size or BATCH_SIZES[self._device]
        self._use_preprocessing(preprocess)
        self.dim = dim_of(self._embed(probe_pixels(self._size)), options.pretrained or options.model)

    @classmethod
    def why_unavailable(cls, options: ClipOptions) -> str | None:
        return clip_weights.why_missing(options.model, options.pretrained)

    def prepare(self, media: Image.Image) -> np.ndarray:
        """uint8[height, width, 3]: the picture resized and cropped."""
        return self._input.prepared(media)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return self._embed(np.stack(batch)) if len(batch) else np.empty((0, self.dim), dtype=np.float32)

    def encode_text(self, prompts: Sequence[str]) -> Embeddings:
        """L2-normalised embeddings, float32[n, dim]. Raises EncoderUnavailableError where there is no tokenizer."""
        return embedded_texts(prompts, self.batch_size, self.dim, self._embed_texts)

    def pixel_graph(self) -> PixelGraph:
        height, width = self._size
        said = f"`pixels` is uint8[n, {height}, {width}, 3]: {self._input.steps}, as bytes."
        return PixelGraph(self._embedded, {"pixels": np.zeros((2, height, width, 3), dtype=np.uint8)}, said)

    def _embedded(self, pixels: Any) -> Any:
        from torch.nn.functional import normalize

        return normalize(self._model.encode_image(self._input.normalised(pixels, self._dtype)).float(), dim=-1)

    def _use_preprocessing(self, preprocess: Any) -> None:
        settings = self._model.visual.preprocess_cfg
        size = settings["size"]
        self._size: tuple[int, int] = (size, size) if isinstance(size, int) else tuple(size)
        self.resolution = min(self._size)
        self._input = PictureInput.of_transforms(preprocess.transforms, settings["resize_mode"] == "shortest")

    def _embed(self, batch: np.ndarray) -> Embeddings:
        import torch

        with torch.inference_mode():
            pixels = self._input.pixels(batch, self._device, self._dtype)
            return unit_vectors(self._model.encode_image(pixels))

    def _embed_texts(self, prompts: list[str]) -> Embeddings:
        import torch

        with torch.inference_mode():
            return unit_vectors(self._model.encode_text(self._tokenizer(prompts).to(self._device)))

    @cached_property
    def _tokenizer(self) -> Any:
        import open_clip

        try:
            return open_clip.get_tokenizer(self._options.model)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            reason = first_line(error)
            raise EncoderUnavailableError(
                f"the tokenizer of {self._options.model} is not available ({reason})"
            ) from error


def _load(options: ClipOptions) -> tuple[Any, Any]:
    """The model in fp32 on the CPU, as the checkpoint has it, and open_clip's own preprocessing for it."""
    import open_clip

    arguments = {} if options.is_self_contained else _weights_arguments(options)
    with loading(options.model if options.is_self_contained else arguments["pretrained"]):
        model, preprocess = open_clip.create_model_from_pretrained(options.model, weights_only=True, **arguments)
    return model, preprocess


def _weights_arguments(options: ClipOptions) -> dict[str, Any]:
    """What open_clip would take from the tag itself, so that a file already here needs no question to the hub."""
    path = str(clip_weights.fetch(options.model, options.pretrained))
    if clip_weights.is_checkpoint_path(options.pretrained):
        return {"pretrained": path}
    entry = clip_weights.tag_entry(options.model, options.pretrained)
    preparation = {f"image_{key}": entry[key] for key in ("mean", "std", "interpolation", "resize_mode")}
    # open_clip only warns where a tag was trained with the quick GELU and the model's name does not say so.
    return {"pretrained": path, "force_quick_gelu": bool(entry.get("quick_gelu")), **preparation}


def _fingerprint(model: Any, options: ClipOptions) -> str:
    import open_clip

    architecture = open_clip.get_model_config(
        options.model if options.is_self_contained else options.model.replace("/", "-")
    )
    quick_gelu = any(type(module).__name__ == "QuickGELU" for module in model.modules())
    described = [architecture, quick_gelu, model.visual.preprocess_cfg, weights_digest(model.state_dict())]
    return "clip-" + blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=10).hexdigest()
