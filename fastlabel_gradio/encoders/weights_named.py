"""What an encoder's pretrained weights are called, for people who get a classifier that needs them."""

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any

from fastlabel_gradio.encoders.lite0 import DISTRIBUTION
from fastlabel_gradio.encoders.recorded_models import MODEL_OPTIONS

_IN_THE_BOX = "pretrained"
_LOCAL = re.compile(r"(local-dir:)?(.*[/\\].*)")
_HUB_PREFIX, _FOLDER_PREFIX = "hf-hub:", "local-dir:"
_BESIDE = "./"


def weights_named(name: str, options: Mapping[str, Any]) -> str:
    """The names, of several joined encoders all; "" for an encoder without pretrained weights. Paths are left out of it."""
    if name == _IN_THE_BOX:
        return f"EfficientNet-Lite0 of the package {DISTRIBUTION} {_installed(DISTRIBUTION)}".rstrip()
    if parts := _parts(options):
        return ", ".join(filter(None, (weights_named(str(part.get("kind", "")), part) for part in parts)))
    return " ".join(_without_folder(str(options[key])) for key in MODEL_OPTIONS if options.get(key))


def options_to_take_along(options: Mapping[str, Any]) -> dict[str, Any]:
    """An encoder's options without the folders of this machine: a file or folder is only named, as if it lay beside.

    `./weights.safetensors` stands for `/home/ann/weights.safetensors`, also in the parts of a joined encoder.
    """
    return {key: _to_take_along(value) for key, value in options.items()}


def named_files(options: Mapping[str, Any]) -> list[str]:
    """The names of files and folders that such options need beside them."""
    values = [value for part in (options, *_parts(options)) for value in part.values()]
    texts = (value.removeprefix(_FOLDER_PREFIX) for value in values if isinstance(value, str))
    return [text.removeprefix(_BESIDE) for text in texts if text.startswith(_BESIDE)]


def _to_take_along(value: Any) -> Any:
    if isinstance(value, Mapping):
        return options_to_take_along(value)
    if isinstance(value, list):
        return [_to_take_along(one) for one in value]
    if not isinstance(value, str):
        return value
    place = value.removeprefix(_FOLDER_PREFIX)
    if not any(path(place).is_absolute() for path in (PurePosixPath, PureWindowsPath)):
        return value
    prefix = value.removesuffix(place)
    return f"{prefix}{_BESIDE}{PureWindowsPath(place).name}"


def _parts(options: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The options of the parts of a joined encoder."""
    parts = options.get("of")
    return [part for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []


def _without_folder(text: str) -> str:
    """A path of a machine is nobody else's business; a name on the hub has one '/', too."""
    if text.startswith(_HUB_PREFIX) or not (_LOCAL.fullmatch(text) and (text.count("/") != 1 or ":" in text)):
        return text
    return PurePath(text.removeprefix(_FOLDER_PREFIX)).name


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
