"""What an encoder's pretrained weights are called, for people who get a classifier that needs them."""

import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import Any

from fastlabel_gradio.encoders.kept_models import MODEL_OPTIONS
from fastlabel_gradio.encoders.lite0 import DISTRIBUTION

_IN_THE_BOX = "pretrained"
_LOCAL = re.compile(r"(local-dir:)?(.*[/\\].*)")
_HUB_PREFIX = "hf-hub:"


def weights_named(name: str, options: Mapping[str, Any]) -> str:
    """The names, of several joined encoders all; "" for an encoder without pretrained weights. Paths are left out of it."""
    if name == _IN_THE_BOX:
        return f"EfficientNet-Lite0 of the package {DISTRIBUTION} {_installed(DISTRIBUTION)}".rstrip()
    if isinstance(parts := options.get("of"), list):
        named = (weights_named(str(part.get("kind", "")), part) for part in parts if isinstance(part, Mapping))
        return ", ".join(filter(None, named))
    return " ".join(_without_folder(str(options[key])) for key in MODEL_OPTIONS if options.get(key))


def _without_folder(text: str) -> str:
    """A path of a machine is nobody else's business; a name on the hub has one '/', too."""
    if text.startswith(_HUB_PREFIX) or not (_LOCAL.fullmatch(text) and (text.count("/") != 1 or ":" in text)):
        return text
    return PurePath(text.removeprefix("local-dir:")).name


def _installed(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
