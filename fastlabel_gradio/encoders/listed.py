"""Encoders of a list on the command line: `clip,timm:vit_small_patch14_dinov2.lvd142m,precomputed:vectors.npy`."""

from fastlabel_gradio.encoders.base import ENCODERS
from fastlabel_gradio.errors import ConfigError

MAIN_OPTIONS = ("model", "path")  # what stands behind the colon: the first that the encoder has


def listed_encoders(text: str) -> dict[str, dict[str, object]]:
    """By what was written, the `encoder:` block that it stands for: its kind, and its model or path behind a colon.

    Raises ConfigError for an empty list, for what is named twice, and for a value that the encoder has no option for.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()]
    if not entries:
        raise ConfigError(f"{text!r} names no encoder. Name some: clip,offline")
    if twice := next((entry for place, entry in enumerate(entries) if entry in entries[:place]), None):
        raise ConfigError(f"'{twice}' is named twice in {text!r}. Name each encoder once.")
    return {entry: _block(entry) for entry in entries}


def _block(entry: str) -> dict[str, object]:
    kind, colon, value = entry.partition(":")
    return {"kind": kind, _main_option(kind): value} if colon else {"kind": kind}


def _main_option(kind: str) -> str:
    known = [registry.get(kind).Options.model_fields for registry in ENCODERS.values() if kind in registry.names()]
    found = next((option for option in MAIN_OPTIONS for fields in known if option in fields), None)
    if known and not found:
        raise ConfigError(f"encoder '{kind}' has no model to name: leave out what stands behind the colon.")
    return found or MAIN_OPTIONS[0]
