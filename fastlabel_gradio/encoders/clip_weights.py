"""Where CLIP's weights are: in a file, in a cache, on the hub, or nowhere within reach.

open_clip's own download retries for 45 s without a network, so `hub` is asked first. Builds no model.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastlabel_gradio.encoders import hub
from fastlabel_gradio.encoders.hub import HubFile, first_line
from fastlabel_gradio.encoders.licences import licence_of_folder, licence_of_repo
from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError

HUB_PREFIX = "hf-hub:"
FOLDER_PREFIX = "local-dir:"
CHECKPOINT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
CONFIG_NAME = "open_clip_config.json"
WEIGHTS_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # as open_clip looks for them, in order


# open_clip's table says the same, but importing open_clip takes seconds that the start with the default can do without.
DEFAULT_MODEL, DEFAULT_TAG = "ViT-B-32-256", "datacomp_s34b_b86k"
DEFAULT_FILE = HubFile("laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K", WEIGHTS_NAMES)
USUAL_TAGS = {
    "ViT-B-32": "laion2b_s34b_b79k"
}  # of models that may be named alone beside the default, which it once was
KNOWN_LICENCES = {  # as their cards have them; nobody has to ask for these
    (DEFAULT_MODEL, DEFAULT_TAG): "mit",
    **dict.fromkeys(USUAL_TAGS.items(), "mit"),
}


def why_missing(model: str, pretrained: str) -> str | None:
    """Why the weights are not available; None where they are here or a server within reach has them. Takes seconds at most.

    Args:
        model: open_clip's model name, "hf-hub:org/name" or "local-dir:path".
        pretrained: a tag of that model or a checkpoint file; unused with the two prefixes.

    Raises:
        ConfigError: a model or tag that open_clip does not know.
    """
    if model.startswith(FOLDER_PREFIX):
        return _folder_problem(Path(model.removeprefix(FOLDER_PREFIX)))
    if model.startswith(HUB_PREFIX):
        repo = model.removeprefix(HUB_PREFIX)
        return hub.why_unreachable(HubFile(repo, (CONFIG_NAME,))) or hub.why_unreachable(HubFile(repo, WEIGHTS_NAMES))
    if (model, pretrained) == (DEFAULT_MODEL, DEFAULT_TAG):
        return hub.why_unreachable(DEFAULT_FILE)
    if is_checkpoint_path(pretrained):
        check_model(model)
        return None if Path(pretrained).is_file() else f"there is no file {pretrained}"
    entry = tag_entry(model, pretrained)
    return hub.why_unreachable(_hub_file(entry)) if entry["hf_hub"] else _url_unreachable(entry["url"])


def fetch(model: str, pretrained: str) -> Path:
    """The checkpoint file of a model name without prefix: the given file, the cached one, or downloaded now.

    Raises:
        EncoderUnavailableError: the download failed. ConfigError: an unknown model or tag.
    """
    if is_checkpoint_path(pretrained):
        return Path(pretrained)
    from open_clip.pretrained import download_pretrained

    entry = tag_entry(model, pretrained)
    # A cached file is taken as it is: open_clip would first ask the hub for a newer one, and retry without a network.
    cached = hub.cached(_hub_file(entry)) if entry["hf_hub"] else None
    try:
        return cached or Path(download_pretrained(entry))
    except (OSError, RuntimeError) as error:
        raise EncoderUnavailableError(f"the download of {model} / {pretrained} failed ({first_line(error)})") from error


def licence(model: str, pretrained: str) -> str:
    """That of the weights, as their card names it; "" where none is within reach, and of a file on its own."""
    if model.startswith(FOLDER_PREFIX):
        return licence_of_folder(Path(model.removeprefix(FOLDER_PREFIX)))
    if model.startswith(HUB_PREFIX):
        return licence_of_repo(model.removeprefix(HUB_PREFIX))
    if (model, pretrained) in KNOWN_LICENCES:
        return KNOWN_LICENCES[model, pretrained]
    if is_checkpoint_path(pretrained):
        return licence_of_folder(Path(pretrained).parent)
    entry = tag_entry(model, pretrained)
    return licence_of_repo(os.path.split(entry["hf_hub"])[0]) if entry["hf_hub"] else ""


def tag_entry(model: str, tag: str) -> Mapping[str, Any]:
    """What open_clip knows of a pretrained tag: where it is and how its pictures are prepared. Raises ConfigError."""
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    check_model(model)
    entry: Mapping[str, Any] = get_pretrained_cfg(model.replace("/", "-"), tag)
    if not entry:
        tags = list_pretrained_tags_by_model(model.replace("/", "-"))
        files = ", ".join(CHECKPOINT_SUFFIXES)
        raise ConfigError(
            f"encoder 'clip': pretrained '{tag}' is neither a tag of {model} nor a checkpoint file ({files}). "
            f"Its tags: {', '.join(tags) or 'none'}.{_near(tag, tags)}"
        )
    return entry


def check_model(model: str) -> None:
    """Raises ConfigError where open_clip has no model of that name."""
    import open_clip

    known = open_clip.list_models()
    if model.replace("/", "-") not in known:
        raise ConfigError(
            f"encoder 'clip': open_clip has no model '{model}'. `open_clip.list_models()` lists {len(known)}; "
            f"'{HUB_PREFIX}org/name' and '{FOLDER_PREFIX}path' name others.{_near(model, known)}"
        )


def is_checkpoint_path(pretrained: str) -> bool:
    """Whether `pretrained` names a file rather than a tag."""
    return pretrained.lower().endswith(CHECKPOINT_SUFFIXES) or Path(pretrained).is_file()


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


def _folder_problem(folder: Path) -> str | None:
    if not (folder / CONFIG_NAME).is_file():
        return f"there is no {CONFIG_NAME} in {folder}"
    has_weights = any(file.suffix in (".safetensors", ".bin", ".pth") for file in folder.iterdir())
    return None if has_weights else f"there are no weights in {folder} (such as {WEIGHTS_NAMES[0]})"


def _hub_file(entry: Mapping[str, Any]) -> HubFile:
    repo, name = os.path.split(entry["hf_hub"])
    if not name or name == WEIGHTS_NAMES[1]:
        return HubFile(repo, WEIGHTS_NAMES)
    has_safe_twin = name.endswith((".bin", ".pth"))
    return HubFile(repo, (name[:-4] + ".safetensors", name) if has_safe_twin else (name,))


def _url_unreachable(url: str) -> str | None:
    if (Path.home() / ".cache" / "clip" / url.rsplit("/", 1)[-1]).is_file():  # where open_clip keeps them
        return None
    return hub.why_address_unreachable(url)
