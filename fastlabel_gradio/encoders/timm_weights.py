"""Where the weights of timm's models are: in a file, in a folder, in the hub's cache, on the hub. Builds no model.

timm's own download asks the hub even for what is here, and retries without a network, so `hub` is asked first.
"""

import difflib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastlabel_gradio.encoders import hub
from fastlabel_gradio.encoders.hub import HubFile
from fastlabel_gradio.encoders.licences import licence_of_folder, licence_of_repo, one_licence
from fastlabel_gradio.errors import ConfigError

HUB_PREFIX = "hf-hub:"
FOLDER_PREFIX = "local-dir:"
CONFIG_NAME = "config.json"
WEIGHTS_NAMES = ("model.safetensors", "pytorch_model.bin")  # as timm looks for them, in order
USUAL_CLASSIFIERS = ("head", "head.fc", "fc", "classifier")
SUFFIXES = (".safetensors", ".bin", ".pth")


@dataclass(frozen=True, slots=True)
class TimmWeights:
    """What `timm.create_model` gets so that it reads files of this machine.

    Attributes:
        model: its name, or that of a folder with prefix.
        arguments: of `create_model`, beside the model.
        model_args: what a folder's configuration changes in the architecture, for the fingerprint.
        licence: of the weights, "" where none is named.
    """

    model: str
    arguments: dict[str, Any] = field(default_factory=dict)
    model_args: dict[str, Any] = field(default_factory=dict)
    licence: str = ""


def why_missing(model: str, pretrained: str) -> str | None:
    """Why the weights are not available; None where they are here or a server within reach has them. Takes seconds at most.

    Args:
        model: timm's model name, "hf-hub:org/name" or "local-dir:path".
        pretrained: a checkpoint file of that model, or "" for timm's weights; unused with the two prefixes.

    Raises:
        ConfigError: a model that timm does not know, or has no weights for.
    """
    if model.startswith(FOLDER_PREFIX):
        return _folder_problem(Path(model.removeprefix(FOLDER_PREFIX)))
    if model.startswith(HUB_PREFIX):
        repo = model.removeprefix(HUB_PREFIX)
        return hub.why_unreachable(HubFile(repo, (CONFIG_NAME,))) or hub.why_unreachable(HubFile(repo, WEIGHTS_NAMES))
    check_model(model, bool(pretrained))
    if pretrained:
        return None if Path(pretrained).is_file() else f"there is no file {pretrained}"
    known = _known(model)
    return hub.why_unreachable(_hub_file(known)) if known.hf_hub_id else hub.why_address_unreachable(known.url)


def find(model: str, pretrained: str) -> TimmWeights:
    """The weights, downloaded where they are not here yet. Raises EncoderUnavailableError, ConfigError."""
    if model.startswith(HUB_PREFIX):
        repo = model.removeprefix(HUB_PREFIX)
        files = [hub.fetch(HubFile(repo, names)) for names in ((CONFIG_NAME,), WEIGHTS_NAMES)]
        return _in_folder(files[0].parent, licence_of_repo(repo))
    if model.startswith(FOLDER_PREFIX):
        folder = Path(model.removeprefix(FOLDER_PREFIX))
        return _in_folder(folder, licence_of_folder(folder))
    if pretrained:
        file = Path(pretrained)
        return TimmWeights(model, _of_file(file, _classes_in(file, model)), licence=licence_of_folder(file.parent))
    known = _known(model)
    if not known.hf_hub_id or known.custom_load:
        return TimmWeights(model, licence=one_licence(known.license))
    return TimmWeights(
        model, _of_file(hub.fetch(_hub_file(known)), known.num_classes), licence=one_licence(known.license)
    )


def check_model(model: str, has_checkpoint: bool) -> None:
    """Raises ConfigError where timm has no model of that name, or no weights for it and no checkpoint is given."""
    import timm

    near = difflib.get_close_matches(model, timm.list_models(pretrained=True), n=1)
    advice = f" Did you mean '{near[0]}'?" if near else ""
    known = _known(model)
    if not known and not timm.is_model(model):
        raise ConfigError(
            f"encoder 'timm': timm has no model '{model}'. `timm.list_models(pretrained=True)` lists those with weights; "
            f"'{HUB_PREFIX}org/name' and '{FOLDER_PREFIX}path' name others.{advice}"
        )
    if not has_checkpoint and not (known and known.has_weights):
        raise ConfigError(
            f"encoder 'timm': timm has no weights for '{model}': name a checkpoint file in `pretrained`.{advice}"
        )


def _known(model: str) -> Any:
    """What timm knows of a model's weights; None of a model or tag that it does not know."""
    import timm

    try:
        return timm.get_pretrained_cfg(model) if timm.is_model(model.partition(".")[0]) else None
    except RuntimeError:  # an unknown tag
        return None


def _hub_file(known: Any) -> HubFile:
    if not known.hf_hub_filename:
        return HubFile(known.hf_hub_id, WEIGHTS_NAMES)
    stem, _, suffix = known.hf_hub_filename.rpartition(".")
    names = (known.hf_hub_filename,) if suffix == "safetensors" else (f"{stem}.safetensors", known.hf_hub_filename)
    return HubFile(known.hf_hub_id, names)


def _of_file(file: Path, classes: int) -> dict[str, Any]:
    """With the checkpoint's own number of classes timm refuses one that lacks weights; with another it fills them in."""
    return {"num_classes": classes, "pretrained_cfg_overlay": {"file": str(file), "num_classes": classes}}


def _classes_in(file: Path, model: str) -> int:
    """Outputs of the classifier in a checkpoint; 0 where it has none."""
    from timm.models import load_state_dict

    weights = load_state_dict(str(file))
    known = _known(model)
    names = (known.classifier if known else USUAL_CLASSIFIERS) or ()
    layers = [weights.get(f"{name}.weight") for name in ([names] if isinstance(names, str) else names)]
    return next((len(layer) for layer in layers if layer is not None), 0)


def _in_folder(folder: Path, licence: str) -> TimmWeights:
    content = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
    licence = licence or one_licence(content.get("pretrained_cfg", {}).get("license"))
    return TimmWeights(f"{FOLDER_PREFIX}{folder}", model_args=content.get("model_args") or {}, licence=licence)


def _folder_problem(folder: Path) -> str | None:
    if not (folder / CONFIG_NAME).is_file():
        return f"there is no {CONFIG_NAME} in {folder}"
    has_weights = any(file.suffix in SUFFIXES for file in folder.iterdir())
    return None if has_weights else f"there are no weights in {folder} (such as {WEIGHTS_NAMES[0]})"
