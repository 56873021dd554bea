"""The layers of EfficientNet-Lite0, in the order in which its weights are saved.

M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (ICML 2019), table 1, without
squeeze-and-excitation and with ReLU6. timm has the same network; importing it takes seconds for which the first batch would
wait, so it is what the tests compare with, to the last bit. Imports torch, so import it where it is needed.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import nn
from torch.nn.functional import pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

CHANNELS = 1280  # of the last map
CLASSES = 1000
STEM_CHANNELS = 32
EPSILON = 1e-3  # of the normalisations, as in TensorFlow
# kernel, stride of the first, expansion, channels, blocks
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


class Lite0Network(nn.Module):
    """float32[n, 3, height, width], (pixel - 127) / 128, to logits of ImageNet's 1,000 classes, float32[n, 1000]."""

    def __init__(self) -> None:
        super().__init__()
        stem = nn.Sequential(*_layer(3, STEM_CHANNELS, 3, stride=2))
        self.features = nn.Sequential(stem, *_blocks(), *_layer(STAGES[-1][3], CHANNELS, 1))
        self.classifier = nn.Linear(CHANNELS, CLASSES)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.classifier(self.features(pixels).mean((2, 3)))
        return logits


class Block(nn.Module):
    """Widens, filters each channel, narrows; what goes in is added where it has the shape of what comes out."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        widened = _layer(inputs, wide, 1) if expansion > 1 else ()
        filtered = _layer(wide, wide, kernel, stride=stride, groups=wide)
        self.layers = nn.Sequential(*widened, *filtered, *_layer(wide, outputs, 1)[:2])
        self.adds = stride == 1 and inputs == outputs

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.layers(inputs)
        return outputs + inputs if self.adds else outputs


class SameConv(nn.Conv2d):
    """A convolution that gives ceil(size / stride) places, as TensorFlow's "same" does: an odd pixel is added at the end."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        kernel, stride = self.kernel_size[0], self.stride[0]
        if stride > 1:
            across, down = (
                max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in reversed(inputs.shape[2:])
            )
            inputs = pad(inputs, (across // 2, across - across // 2, down // 2, down - down // 2))
        return super().forward(inputs)


def fuse(module: nn.Module) -> None:
    """Folds each normalisation into the convolution before it, which saves a pass over every map."""
    children = list(module.named_children())
    for (name, layer), (next_name, following) in pairwise(children):
        if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(layer, following))
            setattr(module, next_name, nn.Identity())
    for _, child in children:
        fuse(child)


def _blocks() -> Iterator[Block]:
    inputs = STEM_CHANNELS
    for kernel, stride, expansion, outputs, count in STAGES:
        for number in range(count):
            yield Block(inputs, outputs, kernel, 1 if number else stride, expansion)
            inputs = outputs


def _layer(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> tuple[nn.Module, ...]:
    padding = 0 if stride > 1 else kernel // 2  # with a stride it depends on the size
    convolution = SameConv(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
    return convolution, nn.BatchNorm2d(outputs, eps=EPSILON), nn.ReLU6(inplace=True)
