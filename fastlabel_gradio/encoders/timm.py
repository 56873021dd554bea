"""Any picture model of timm. Where its weights are is `timm_weights`' affair."""

import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from PIL import Image
from pydantic import Field, model_validator

from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders import timm_weights
from fastlabel_gradio.encoders.base import ENCODERS, Encoder, EncoderOptions
from fastlabel_gradio.encoders.loaded_weights import dim_of, loading, unit_vectors, weights_digest
from fastlabel_gradio.encoders.picture_input import PictureInput, probe_pixels
from fastlabel_gradio.encoders.pixel_graph import PixelGraph
from fastlabel_gradio.encoders.timm_weights import FOLDER_PREFIX, HUB_PREFIX
from fastlabel_gradio.errors import EncoderUnavailableError
from fastlabel_gradio.types import Embeddings

BATCH_SIZES = {"cpu": 16, "cuda": 256, "mps": 64}
LARGEST_OWN_PX = 448  # a model made for more, as DINOv2 for 518, gets USUAL_PX: six times as fast, little worse
USUAL_PX = 224


class TimmOptions(EncoderOptions):
    """Which model of timm.

    Attributes:
        model: a name of `timm.list_models(pretrained=True)`, "hf-hub:org/name", or "local-dir:path" (a folder with
            config.json and the weights, as timm saves them for the hub).
        pretrained: a checkpoint file of the model (.safetensors, .pth, .bin) instead of timm's weights; one that needs
            arbitrary pickles is refused. Left out with the two prefixes.
        img_size: pixels on a side that the model sees; by default its own, or 224 where that is above 448.
        batch_size: pictures encoded at once; by default what the device is fast with.
    """

    model: Annotated[str, Field(min_length=1)]
    pretrained: str = ""
    img_size: Annotated[int, Field(ge=16, le=2048)] | None = None
    batch_size: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_place_of_weights(self) -> "TimmOptions":
        if self.pretrained and self.model.startswith((HUB_PREFIX, FOLDER_PREFIX)):
            raise ValueError(f"pretrained '{self.pretrained}' is not used with model '{self.model}': leave it out")
        return self

    def located(self, base_dir: Path) -> "TimmOptions":
        folder = self.model.removeprefix(FOLDER_PREFIX)
        if folder != self.model:
            return self.model_copy(update={"model": FOLDER_PREFIX + str(base_dir / Path(folder).expanduser())})
        file = base_dir / Path(self.pretrained).expanduser()
        return self.model_copy(update={"pretrained": str(file)}) if self.pretrained else self


@ENCODERS["image"].register("timm")
class TimmEncoder(Encoder):
    """A model without its classifier, with its own preprocessing, in the precision that the device is fastest at.

    The fingerprint covers the architecture, every weight, the preprocessing and the size, as that of CLIP does.
    """

    name = "timm"
    where_to_put_weights = "the path of a checkpoint file of the model in the encoder's option `pretrained`"
    Options = TimmOptions

    def __init__(self, options: TimmOptions) -> None:
        import torch

        self._device = pick_device()
        self._dtype = matmul_dtype(self._device)
        with loading(options.pretrained or options.model):
            weights = timm_weights.find(options.model, options.pretrained)
            model = _load(weights)
            preparation = _sized(model, options)
            self.fingerprint = _fingerprint(model, weights.model_args, preparation)
            self.licence = weights.licence
            model = model.requires_grad_(False).eval().to(device=self._device, dtype=self._dtype)
            self._model = model.to(memory_format=torch.channels_last)
            self.batch_size = options.batch_size or BATCH_SIZES[self._device]
            self._use_preprocessing(preparation)
            self.dim = self._probed(options.pretrained or options.model)

    @classmethod
    def why_unavailable(cls, options: TimmOptions) -> str | None:
        return timm_weights.why_missing(options.model, options.pretrained)

    def prepare(self, media: Image.Image) -> np.ndarray:
        """uint8[height, width, 3]: the picture resized and cropped."""
        return self._input.prepared(media)

    def encode(self, batch: Sequence[np.ndarray]) -> Embeddings:
        return self._embed(np.stack(batch)) if len(batch) else np.empty((0, self.dim), dtype=np.float32)

    def pixel_graph(self) -> PixelGraph:
        height, width = self._size
        said = f"`pixels` is uint8[n, {height}, {width}, 3]: {self._input.steps}, as bytes."
        return PixelGraph(self._embedded, {"pixels": np.zeros((2, height, width, 3), dtype=np.uint8)}, said)

    def _embedded(self, pixels: Any) -> Any:
        from torch.nn.functional import normalize

        return normalize(self._model(self._input.normalised(pixels, self._dtype)).float(), dim=-1)

    def _use_preprocessing(self, preparation: dict[str, Any]) -> None:
        import timm.data

        self._size: tuple[int, int] = tuple(preparation["input_size"][1:])
        self.resolution = min(self._size)
        data: Any = timm.data
        transforms = data.create_transform(**preparation, is_training=False).transforms
        self._input = PictureInput.of_transforms(transforms, preparation["crop_mode"] == "center")

    def _probed(self, place: str) -> int:
        try:
            return dim_of(self._embed(probe_pixels(self._size)), place)
        except AssertionError as error:  # as timm refuses a size that its patches do not fill
            raise EncoderUnavailableError(f"the model takes no pictures of {self._size[0]} px ({error})") from error

    def _embed(self, batch: np.ndarray) -> Embeddings:
        import torch

        with torch.inference_mode():
            return unit_vectors(self._model(self._input.pixels(batch, self._device, self._dtype)))


def _load(weights: timm_weights.TimmWeights) -> Any:
    """The model in fp32 on the CPU, without its classifier. timm reads weights only, no pickles."""
    import timm

    model: Any = timm.create_model(weights.model, pretrained=True, **weights.arguments)
    model.reset_classifier(0)
    return model


def _sized(model: Any, options: TimmOptions) -> dict[str, Any]:
    """The model's own preparation of pictures, at the size that it gets. Raises EncoderUnavailableError."""
    import timm.data

    data: Any = timm.data
    preparation: dict[str, Any] = data.resolve_model_data_config(model)
    channels, *own = preparation["input_size"]
    if channels != 3:
        raise EncoderUnavailableError(
            f"{options.model} takes pictures of {channels} channels, not of red, green and blue"
        )
    usual = USUAL_PX if max(own) > LARGEST_OWN_PX else None
    size = options.img_size or usual
    if size is None or [size, size] == own:
        return preparation
    if hasattr(model, "set_input_size"):
        try:
            model.set_input_size(img_size=(size, size))
        except (AssertionError, ValueError) as error:
            raise EncoderUnavailableError(f"{options.model} takes no pictures of {size} px ({error})") from error
    elif model.pretrained_cfg.get("fixed_input_size"):
        raise EncoderUnavailableError(f"{options.model} takes pictures of {own[0]} px only: leave `img_size` out")
    return {**preparation, "input_size": (channels, size, size)}


def _fingerprint(model: Any, model_args: dict[str, Any], preparation: dict[str, Any]) -> str:
    architecture = [model.pretrained_cfg["architecture"], model_args]
    described = [architecture, preparation, weights_digest(model.state_dict())]
    return "timm-" + blake2b(json.dumps(described, sort_keys=True).encode(), digest_size=10).hexdigest()
