"""The encoder of pictures in the box: EfficientNet-Lite0 joined with what `offline` learns from the pool."""

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from fastlabel_gradio.encoders import lite0, offline
from fastlabel_gradio.encoders.base import ENCODERS, EncoderOptions
from fastlabel_gradio.encoders.learned_file import Recipe
from fastlabel_gradio.encoders.linear_maps import projected
from fastlabel_gradio.encoders.lite0 import as_tensor
from fastlabel_gradio.encoders.offline import OfflineEncoder
from fastlabel_gradio.encoders.pixel_graph import PixelGraph
from fastlabel_gradio.encoders.pretrained import PretrainedEncoder, pair

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class PictureRecipe:
    """How pictures are shown to Lite0 and joined; another one makes another fingerprint.

    Attributes:
        least_px: side of the square that the smallest pictures are shown as.
        most_px: side of the square that photos are shown as.
        enlarged: times that a picture's shorter side is enlarged at most, above `least_px`.
        own_weight: length of the pool's own features beside Lite0's of length 1.
    """

    version: int = 1
    least_px: int = 96
    most_px: int = 192
    enlarged: int = 4
    own_weight: float = 0.6


RECIPE = PictureRecipe()
SHOWN_PREPARATION = (
    "`picture` is uint8[n, side, side, 3]: the picture in RGB, `picture.resize((side, side), Image.Resampling.BICUBIC, "
    f"reducing_gap=2.0)`, where side is {RECIPE.enlarged} times its shorter side, rounded up to a multiple of "
    f"{lite0.STRIDE_PX}, at least {RECIPE.least_px} and at most {RECIPE.most_px}; pictures of one side go together."
)


def shown_px(picture: Image.Image) -> int:
    """Side of the square that Lite0 sees: larger pictures tell it more, and enlarging one too far takes time for nothing."""
    wanted = RECIPE.enlarged * min(picture.size)
    steps = -(-wanted // lite0.STRIDE_PX)
    return min(max(steps * lite0.STRIDE_PX, RECIPE.least_px), RECIPE.most_px)


@ENCODERS["image"].register("pretrained")
class PretrainedPictureEncoder(PretrainedEncoder):
    """The mean of Lite0's last map over the whole picture, its sides squeezed to a square, joined with `offline`."""

    own: OfflineEncoder
    own_weight = RECIPE.own_weight
    features = lite0.CHANNELS
    sample_size = 600
    prefix = "pretrained"
    blocks_in_batch = 4

    def __init__(self, options: EncoderOptions) -> None:
        super().__init__(options)
        self.own = OfflineEncoder(options)
        self.resolution = RECIPE.most_px

    @property
    def recipe(self) -> Recipe:
        return {**asdict(RECIPE), **{f"own_{key}": value for key, value in asdict(offline.RECIPE).items()}}

    def prepare(self, media: Image.Image) -> np.ndarray:
        """A `pair`: uint8[32, 32, 3] for the pool's own features and uint8[side, side, 3] for Lite0."""
        picture = media if media.mode == "RGB" else media.convert("RGB")
        side = shown_px(picture)
        shown = picture.resize((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
        return pair(self.own.prepare(picture), np.asarray(shown))

    def pixel_graph(self) -> PixelGraph:
        side, shown = offline.RECIPE.size_px, RECIPE.most_px
        examples = {
            "own": np.zeros((2, side, side, 3), dtype=np.uint8),
            "picture": np.zeros((2, shown, shown, 3), dtype=np.uint8),
        }
        said = f"{offline.OWN_PREPARATION.format(name='own', side=side)} {SHOWN_PREPARATION}"
        return PixelGraph(self._embedded, examples, said, frozenset({"picture"}))

    def _embedded(self, own: "torch.Tensor", pictures: "torch.Tensor") -> "torch.Tensor":
        from torch import cat
        from torch.nn.functional import normalize

        seen = normalize(self._pretrained_map(pictures.permute(0, 3, 1, 2)))
        joined = cat([seen, self.own_weight * self.own.embedded(own)], dim=1)
        return projected(joined, self._projection, self._projection_bias, in_any_batch=False)

    def _pretrained_map(self, pixels: "torch.Tensor") -> "torch.Tensor":
        return self._network.last_map(pixels).mean((2, 3))

    def _pretrained_features(self, pictures: list[np.ndarray]) -> "torch.Tensor":
        return self._pretrained_map(as_tensor(pictures))
