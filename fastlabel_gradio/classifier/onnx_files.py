"""ONNX: a bundle's classifier for programs without torch. `head.onnx` takes embeddings, `model.onnx` pixels.

The head is written node by node; the way from pixels is what torch's exporter makes of the encoder's network.
"""

import io
import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.classifier.bundle import read_bundle
from fastlabel_gradio.classifier.bundle_config import CARD, HEAD_ONNX, MODEL_ONNX, BundleConfig
from fastlabel_gradio.classifier.loading import load_classifier, recorded_options
from fastlabel_gradio.classifier.model_card import model_card
from fastlabel_gradio.encoders.pixel_graph import PixelGraph
from fastlabel_gradio.errors import ConfigError
from fastlabel_gradio.head import Head

if TYPE_CHECKING:
    import torch

OPSET, IR_VERSION = 18, 9  # read by onnxruntime since 1.15
INSTALL = "pip install 'fastlabel-gradio[onnx]'"


def write_onnx(folder: Path, original: Path | None = None) -> None:
    """Adds the ONNX files to a bundle, and what they take to its card.

    Args:
        original: the bundle in a working directory that it is a copy of, where the encoder's own files are found.

    Raises:
        ConfigError: the packages of the extra are missing. CheckpointError, EncoderUnavailableError: as `load_classifier`.
    """
    check_installed()
    config, head = read_bundle(folder)
    write_head(head, config.classes, folder / HEAD_ONNX)
    said = [_said_of_head(config)]
    options = recorded_options(original or folder, config.encoder.kind) or {}
    classifier = load_classifier(folder, device="cpu", precision="float32", encoder_options=options)
    if graph := classifier.encoder and classifier.encoder.pixel_graph():
        said.append(_write_model(graph, head, config, folder / MODEL_ONNX))
    else:
        said.append(
            f"There is no `{MODEL_ONNX}`: what encoder `{config.encoder.kind}` does before its network is no network."
        )
    write_atomically(folder / CARD, model_card(config, "\n\n".join(said)).encode())


def check_installed() -> None:
    """Raises ConfigError with the command that installs what is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"ONNX needs the package {error.name}, which is not installed: {INSTALL}") from error


def write_head(head: Head, classes: list[str], path: Path) -> None:
    """The head as a graph from `embedding`, float32[n, dim], to `probabilities`, float32[n, classes], in float32."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = {name: tensor.numpy() for name, tensor in head.state_dict().items()}
    dim = weights["skip.weight"].shape[1]
    weights["scale"] = np.array(dim**0.5, dtype=np.float32)
    weights["temperature"] = np.array(head.info.temperature, dtype=np.float32)

    def linear(inputs: str, layer: str, output: str) -> Any:
        return helper.make_node("Gemm", [inputs, f"{layer}.weight", f"{layer}.bias"], [output], transB=1)

    nodes = [
        helper.make_node("Mul", ["embedding", "scale"], ["scaled"]),
        linear("scaled", "hidden", "hidden"),
        helper.make_node("Relu", ["hidden"], ["active"]),
        linear("active", "output", "learned"),
        linear("embedding", "skip", "linear"),
        helper.make_node("Add", ["learned", "linear"], ["logits"]),
        helper.make_node("Div", ["logits", "temperature"], ["tempered"]),
        helper.make_node("Softmax", ["tempered"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", dim])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", len(classes)])],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, {"classes": json.dumps(classes)})
    onnx.checker.check_model(model)
    write_atomically(path, model.SerializeToString())


def _write_model(graph: PixelGraph, head: Head, config: BundleConfig, path: Path) -> str:
    """Writes the way from pixels and returns what the card says of it."""
    import onnx
    import torch

    axes = {name: {0: "n", **({1: "height", 2: "width"} if name in graph.sides else {})} for name in graph.examples}
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad(), _attention_step_by_step():
        warnings.simplefilter("ignore")  # of a tracer, about what it takes as fixed
        torch.onnx.export(
            _network(graph, head),
            tuple(torch.from_numpy(example) for example in graph.examples.values()),
            file,  # type: ignore[arg-type]  # a file is taken, too
            input_names=list(graph.examples),
            output_names=["probabilities"],
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,  # which takes a second where the newer exporter takes a minute, and packages more
        )
    model = onnx.load_model_from_string(file.getvalue())
    onnx.helper.set_model_props(model, {"classes": json.dumps(config.classes)})
    write_atomically(path, model.SerializeToString())
    return (
        f"`{MODEL_ONNX}` gives `probabilities`, float32[n, {len(config.classes)}], of pixels. {graph.preparation} "
        'It computes in float32, as `load_classifier(…, precision="float32")` does; bfloat16 differs by some hundredths.'
    )


@contextmanager
def _attention_step_by_step() -> Iterator[None]:
    """torch's own attention in one step is no operator of ONNX."""
    from torch.backends import mha

    before = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        mha.set_fastpath_enabled(before)


def _network(graph: PixelGraph, head: Head) -> "torch.nn.Module":
    """Encoder and head in float32."""
    import torch

    class Network(torch.nn.Module):
        def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
            return head.probabilities_of(graph.embed(*inputs))

    return Network().eval()


def _said_of_head(config: BundleConfig) -> str:
    return (
        f"`{HEAD_ONNX}` takes `embedding`, float32[n, {config.encoder.dim}], as `classifier.embed` gives it, and gives "
        f"`probabilities`, float32[n, {len(config.classes)}]; the names of the classes are in its metadata as `classes`."
    )
