"""Under which licence a model's weights are, as far as the model itself says, and whether that is free for every use."""

import re
from pathlib import Path
from typing import Any

from fastlabel_gradio.encoders import hub
from fastlabel_gradio.encoders.hub import HubFile
from fastlabel_gradio.errors import EncoderUnavailableError

CARD = "README.md"
# Names of the hub and of SPDX, in small letters; what is not here is read by its user before it is relied on.
FREE = re.compile(
    r"mit|isc|unlicense|wtfpl|zlib|bsd(-[\w-]*)?|apache-?2(\.0)?|cc0(-1\.0)?|cc-by(-sa)?-[\d.]+|mpl-2\.0|cdla-permissive-[\d.]+"
    r"|(a|l)?gpl-[\d.]+[\w.-]*|artistic-2\.0|bsl-1\.0|ecl-2\.0|ms-pl|postgresql|ncsa|public-?domain"
)


def licence_of_folder(folder: Path) -> str:
    """What the model card in the folder names, in small letters; "" where there is none, or it names none."""
    card = folder / CARD
    return _licence_in(card) if card.is_file() else ""


def licence_of_repo(repo: str) -> str:
    """The same of a repository of the Hugging Face hub: by its card in the cache, else fetched; "" out of its reach.

    Takes seconds where the hub does not answer.
    """
    file = HubFile(repo, (CARD,))
    if hub.why_unreachable(file):
        return ""
    try:
        return _licence_in(hub.fetch(file))
    except EncoderUnavailableError:
        return ""


def restriction(encoder: str, licence: str) -> str:
    """What to say of an encoder whose licence does not allow every use; "" for a free one, and where it is not known."""
    strict = [part for part in licence.split(", ") if part and not FREE.fullmatch(part.lower())]
    if not strict:
        return ""
    return (
        f"The weights of encoder '{encoder}' are under the licence {' and '.join(strict)}, which is not free for every use: "
        "read it before you sell or publish what they helped to make."
    )


def one_licence(named: Any) -> str:
    """What stands as a licence in a card or a configuration, as one line: several with commas between, "" for none."""
    several = named if isinstance(named, list) else [named]
    return ", ".join(str(licence).strip() for licence in several if licence)


def _licence_in(card: Path) -> str:
    """`license` of the card's front matter; where that is "other", the name or the address beside it."""
    from huggingface_hub import ModelCard
    from yaml import YAMLError

    try:
        data = vars(ModelCard(card.read_text(encoding="utf-8"), ignore_metadata_errors=True).data)
    except (OSError, ValueError, YAMLError):
        return ""
    named = one_licence(data.get("license"))
    if named == "other":
        named = one_licence(data.get("license_name") or data.get("license_link")) or named
    return named.lower()
