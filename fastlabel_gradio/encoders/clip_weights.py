"""Where CLIP's weights are: in a file, in a cache, on the hub, or nowhere within reach.

open_clip's own download retries for 45 s without a network, so that is asked here first. Builds no model.
"""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from fastlabel_gradio.errors import ConfigError, EncoderUnavailableError

HUB_PREFIX = "hf-hub:"
FOLDER_PREFIX = "local-dir:"
CHECKPOINT_SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
PROBE_LIMIT_S = 5.0
CONFIG_NAME = "open_clip_config.json"
WEIGHTS_NAMES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # as open_clip looks for them, in order


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository of the Hugging Face hub under one of several names, the first preferred."""

    repo: str
    names: tuple[str, ...]


# open_clip's table says the same, but importing open_clip takes seconds that the start with the default can do without.
DEFAULT_MODEL, DEFAULT_TAG = "ViT-B-32", "laion2b_s34b_b79k"
DEFAULT_FILE = HubFile("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", WEIGHTS_NAMES)


def why_missing(model: str, pretrained: str) -> str | None:
    """Why the weights cannot be had; None where they are here or a server within reach has them. Takes seconds at most.

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
        return _unreachable(HubFile(repo, (CONFIG_NAME,))) or _unreachable(HubFile(repo, WEIGHTS_NAMES))
    if (model, pretrained) == (DEFAULT_MODEL, DEFAULT_TAG):
        return _unreachable(DEFAULT_FILE)
    if is_checkpoint_path(pretrained):
        check_model(model)
        return None if Path(pretrained).is_file() else f"there is no file {pretrained}"
    entry = tag_entry(model, pretrained)
    return _unreachable(_hub_file(entry)) if entry["hf_hub"] else _url_unreachable(entry["url"])


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
    cached = _cached(_hub_file(entry)) if entry["hf_hub"] else None
    try:
        return cached or Path(download_pretrained(entry))
    except (OSError, RuntimeError) as error:
        raise EncoderUnavailableError(f"the download of {model} / {pretrained} failed ({first_line(error)})") from error


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


def first_line(error: BaseException) -> str:
    """The start of an error's message, or its type where it has none; one line for the screen."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


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


def _cached(file: HubFile) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = (try_to_load_from_cache(file.repo, name) for name in file.names)
    return next((Path(path) for path in found if isinstance(path, str)), None)


def _unreachable(file: HubFile) -> str | None:
    return None if _cached(file) else _offline_mode() or _within(PROBE_LIMIT_S, lambda: _ask_hub(file))


def _url_unreachable(url: str) -> str | None:
    if (Path.home() / ".cache" / "clip" / url.rsplit("/", 1)[-1]).is_file():  # where open_clip keeps them
        return None
    return _offline_mode() or _within(PROBE_LIMIT_S, lambda: _ask_server(url))


def _offline_mode() -> str | None:
    from huggingface_hub import constants

    return (
        "its weights are not in the cache and HF_HUB_OFFLINE forbids a download" if constants.HF_HUB_OFFLINE else None
    )


def _within(limit_s: float, ask: Callable[[], str | None]) -> str | None:
    """The answer, or that there was none in time. A daemon thread, because no timeout covers the look-up of a name."""
    answers: SimpleQueue[str | None] = SimpleQueue()
    Thread(target=lambda: answers.put(ask()), name="ask-for-weights", daemon=True).start()
    try:
        return answers.get(timeout=limit_s)
    except Empty:
        return f"its weights are not in the cache and the server gave no answer within {limit_s:.0f} s"


def _ask_hub(file: HubFile) -> str | None:
    from huggingface_hub import constants, get_hf_file_metadata, get_token, hf_hub_url
    from huggingface_hub.errors import EntryNotFoundError

    for name in file.names:
        try:
            get_hf_file_metadata(hf_hub_url(file.repo, name), timeout=PROBE_LIMIT_S, token=get_token())
            return None
        except EntryNotFoundError:
            continue
        except Exception as error:  # the hub's HTTP library, and so its errors, changed with every major version
            return f"its weights are not in the cache and {constants.ENDPOINT} does not give them ({first_line(error)})"
    return f"{constants.ENDPOINT}/{file.repo} has no {' or '.join(file.names)}"


def _ask_server(url: str) -> str | None:
    import httpx

    try:
        httpx.head(url, timeout=PROBE_LIMIT_S, follow_redirects=True).raise_for_status()
    except httpx.HTTPError as error:
        return f"its weights are not in the cache and {url} does not give them ({first_line(error)})"
    return None
