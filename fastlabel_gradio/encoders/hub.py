"""The Hugging Face hub and its cache: is a file here, or within reach? Answers within seconds, also without a network.

The libraries that download models retry for most of a minute without a network, so they are asked only afterwards.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from fastlabel_gradio.errors import EncoderUnavailableError

if TYPE_CHECKING:
    import httpx

PROBE_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file in a repository of the Hugging Face hub under one of several names, the first preferred."""

    repo: str
    names: tuple[str, ...]


def cached(file: HubFile) -> Path | None:
    """Where the file is on this machine, None where it is not."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = [try_to_load_from_cache(file.repo, name) for name in file.names]
    except HFValidationError:  # no name that a repository could have; the hub's answer will say so
        return None
    return next((Path(path) for path in found if isinstance(path, str)), None)


def why_unreachable(file: HubFile) -> str | None:
    """Why the file is not available; None where it is in the cache or the hub gives it."""
    if cached(file):
        return None
    if forbidden := _offline_mode():
        return forbidden
    _open_hub_session()
    return _within(PROBE_LIMIT_S, lambda: _ask_hub(file))


def fetch(file: HubFile) -> Path:
    """The cached file, or downloaded now; ask `why_unreachable` before. Raises EncoderUnavailableError."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError

    if found := cached(file):
        return found
    for name in file.names:
        try:
            return Path(hf_hub_download(file.repo, name))
        except EntryNotFoundError:
            continue
        except Exception as error:  # as in `_ask_hub`
            raise EncoderUnavailableError(f"{name} of {file.repo} is not available ({first_line(error)})") from error
    raise EncoderUnavailableError(f"{file.repo} has no {' or '.join(file.names)}")


def why_address_unreachable(url: str) -> str | None:
    """Why a file at another address cannot be downloaded; None where it can."""
    if forbidden := _offline_mode():
        return forbidden
    import httpx

    client = httpx.Client(timeout=PROBE_LIMIT_S, follow_redirects=True)
    return _within(PROBE_LIMIT_S, lambda: _ask_server(client, url))


def first_line(error: BaseException) -> str:
    """The start of an error's message, or its type where it has none; one line for the screen."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _offline_mode() -> str | None:
    from huggingface_hub import constants

    return (
        "its weights are not in the cache and HF_HUB_OFFLINE forbids a download" if constants.HF_HUB_OFFLINE else None
    )


def _open_hub_session() -> None:
    """Loads what talks to the hub: on a busy machine that takes seconds, which are not the server's."""
    import huggingface_hub.file_download

    huggingface_hub.get_session()


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


def _ask_server(client: "httpx.Client", url: str) -> str | None:
    import httpx

    try:
        with client:
            client.head(url).raise_for_status()
    except httpx.HTTPError as error:
        return f"its weights are not in the cache and {url} does not give them ({first_line(error)})"
    return None
