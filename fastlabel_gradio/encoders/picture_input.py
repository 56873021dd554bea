"""How a model takes pictures in: worker threads resize and crop them to bytes, the device normalises them in batches."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import torch

LONGEST_ASPECT = 4  # beyond it the resize makes a huge picture only for the centre crop to cut most of it off


def probe_pixels(size: tuple[int, int]) -> np.ndarray:
    """uint8[1, height, width, 3]: a picture of all levels, to see what a model gives."""
    return (np.arange(size[0] * size[1] * 3) % 256).astype(np.uint8).reshape(1, *size, 3)


class PictureInput:
    """What stands between a picture and a network.

    Args:
        resize: makes uint8[height, width, 3], or a picture of that size, of an RGB picture.
        mean, deviation: of the red, green and blue that the network expects, of bytes from 0 to 255.
        crops: whether `resize` keeps the middle of a longer picture only.
    """

    def __init__(
        self, resize: Callable[[Image.Image], Any], mean: Sequence[float], deviation: Sequence[float], crops: bool
    ) -> None:
        self._resize = resize
        self._mean, self._deviation = mean, deviation
        self._crops = crops

    @staticmethod
    def of_transforms(transforms: Sequence[Any], crops: bool) -> "PictureInput":
        """Of torchvision's steps, the last two of which make a tensor of 0 to 1 and normalise it."""
        from torchvision.transforms import Compose

        *picture_steps, _, normalize = transforms
        mean, deviation = ([255 * float(level) for level in of] for of in (normalize.mean, normalize.std))
        return PictureInput(Compose(picture_steps), mean, deviation, crops)

    def prepared(self, picture: Image.Image) -> np.ndarray:
        """uint8[height, width, 3]: resized and cropped; a quarter of the bytes of the normalised picture."""
        rgb = picture.convert("RGB")
        return np.asarray(self._resize(_without_ends(rgb) if self._crops else rgb))

    def pixels(self, batch: np.ndarray, device: str, dtype: "torch.dtype") -> "torch.Tensor":
        """uint8[n, height, width, 3] to the normalised [n, 3, height, width] on the device."""
        import torch

        return self.normalised(torch.from_numpy(batch).to(device), dtype)

    def normalised(self, pixels: "torch.Tensor", dtype: "torch.dtype") -> "torch.Tensor":
        """The same of bytes that are on the device."""
        import torch

        device = pixels.device
        mean, deviation = (torch.tensor(of, device=device).reshape(1, 3, 1, 1) for of in (self._mean, self._deviation))
        return pixels.permute(0, 3, 1, 2).float().sub_(mean).div_(deviation).to(dtype)

    @property
    def steps(self) -> str:
        """What `prepared` does, as torchvision says it."""
        middle = ", of an extremely long picture its middle," if self._crops else ""
        return f"the picture in RGB{middle} through {' '.join(str(self._resize).split())}"


def _without_ends(picture: Image.Image) -> Image.Image:
    """The middle of an extremely long picture; the resize to the shortest side and the centre crop would keep less."""
    short = min(picture.size)
    width, height = (min(side, LONGEST_ASPECT * short) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height)) if (width, height) != picture.size else picture
