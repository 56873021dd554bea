"""RemoteStore: one kind of bucket or web server, read through fsspec. Every fault becomes a line that holds no secret.

Credentials come from the environment and its files alone, as the libraries below fsspec find them: AWS_ACCESS_KEY_ID and
AWS_ENDPOINT_URL, GOOGLE_APPLICATION_CREDENTIALS, HF_TOKEN, and any option of a file system as fsspec's variables say it
(FSSPEC_S3_ANON=true reads a public bucket).
"""

import html
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from inspect import unwrap
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urljoin

from fastlabel_gradio.errors import SourceError, UnavailableItemError
from fastlabel_gradio.media.item_file import one_line
from fastlabel_gradio.sources.address import Address, without_secrets
from fastlabel_gradio.sources.ranged_file import FileBlocks

PAUSES_S = (0.2, 0.6, 1.8)  # between the tries of one read; later ones are the business of the embedding pipeline
CONNECT_S, READ_S = 10, 60
UNSTAMPED = "listed"  # of a file of whom nothing is known but its name
PAGE_KEYS = 1_000  # the most that S3 lists at once
ENVIRONMENT = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or FSSPEC_S3_ANON=true for a public bucket",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or FSSPEC_GS_TOKEN=anon for a public bucket",
    "hf": "HF_TOKEN",
}

# Errors of the libraries below fsspec that are no OSError.
_FAULTS = (
    *("aiohttp:ClientError", "botocore.exceptions:BotoCoreError", "botocore.exceptions:ClientError"),
    *("google.auth.exceptions:GoogleAuthError", "gcsfs.retry:HttpError"),
    *("httpx:HTTPError", "httpx2:HTTPError"),  # the one or the other is below huggingface_hub
)
_MARKS = ("ETag", "etag", "generation", "blob_id", "last_modified", "LastModified", "mtime", "updated")

_HREF = re.compile(r"""<a\s[^>]*?href\s*=\s*["']([^"']+)""", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder that was listed, by its plain name."""

    name: str
    is_folder: bool
    stamp: str = UNSTAMPED
    size: int | None = None


class RemoteStore:
    """May be used from several threads at once."""

    def __init__(self, filesystem: Any, scheme: str) -> None:
        self._files = filesystem
        self._scheme = scheme
        self._is_away = False  # since the last try failed
        self._gives_whole_files: set[str] = set()  # hosts

    def entries(self, folder: Address) -> Iterator[Entry]:
        """What is in a folder, of a bucket of S3 page by page and in the order of the names.

        Raises:
            SourceError: it cannot be listed.
        """
        try:
            pages = self._pages(folder) if self._scheme == "s3" else iter([self._tried(lambda: self._listed(folder))])
            for page in pages:
                yield from page
        except faults() as error:
            raise SourceError(f"{folder} cannot be listed: {self._why(error).rstrip('.')}. {self._next_step}") from None

    def entry(self, file: Address) -> Entry | None:
        """One file as it is now; None where there is none. Raises UnavailableItemError."""
        try:
            return _entry(self._tried(lambda: self._files.info(_at(file))))
        except FileNotFoundError:
            return None
        except faults() as error:
            raise UnavailableItemError(f"{file} cannot be looked at: {self._why(error)}") from None

    def fetch(self, file: Address, path: Path) -> None:
        """Writes a whole file to a path. Raises UnavailableItemError."""
        try:
            self._tried(lambda: self._files.get_file(_at(file), str(path)))
        except faults() as error:
            raise UnavailableItemError(f"cannot be fetched: {self._why(error)}") from None

    def read(self, file: Address, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, by a Range request. Raises UnavailableItemError."""
        content = self._range(file, start, end)
        if len(content) != end - start:
            raise UnavailableItemError(f"{len(content)} of {end - start} bytes came")
        return content

    def blocks(self, file: Address) -> FileBlocks | None:
        """A file to be read in blocks; None where its store gives files only as a whole. Raises UnavailableItemError."""
        host = file.place.partition("/")[0]
        entry = self.entry(file)
        if entry is None or not entry.size or host in self._gives_whole_files:
            return None
        if not self._answers_ranges(file, entry.size):
            self._gives_whole_files.add(host)
            return None
        return FileBlocks(entry.size, lambda start, end: self.read(file, start, end))

    def _answers_ranges(self, file: Address, size: int) -> bool:
        """Of a web server its last byte is asked for, which fsspec refuses to look for behind all others."""
        if not file.is_on_web:
            return True
        try:
            with self._files.open(_at(file), size=size, cache_type="none") as stream:
                stream.seek(size - 1)
                return len(stream.read(1)) == 1
        except ValueError:
            return False
        except faults() as error:
            raise UnavailableItemError(f"cannot be fetched: {self._why(error)}") from None

    def _range(self, file: Address, start: int, end: int) -> bytes:
        try:
            return bytes(self._tried(lambda: self._files.cat_file(_at(file), start=start, end=end)))
        except faults() as error:
            raise UnavailableItemError(f"cannot be fetched: {self._why(error)}") from None

    def _pages(self, folder: Address) -> Iterator[list[Entry]]:
        """A million keys are a thousand requests and are never held together."""
        bucket, _, prefix = folder.place.partition("/")
        prefix = f"{prefix}/" if prefix else ""
        asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "Delimiter": "/", "MaxKeys": PAGE_KEYS}
        while True:
            page = self._tried(lambda: self._files.call_s3("list_objects_v2", **asked))
            folders = [Entry(found["Prefix"][len(prefix) : -1], True) for found in page.get("CommonPrefixes", ())]
            files = [
                Entry(found["Key"][len(prefix) :], False, f"{found['Size']}:{found['ETag']}", found["Size"])
                for found in page.get("Contents", ())
            ]
            yield sorted((entry for entry in folders + files if entry.name), key=lambda entry: entry.name)
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def _listed(self, folder: Address) -> list[Entry]:
        if folder.is_on_web:
            page = self._files.cat_file(_folder_at(folder)).decode("utf-8", "surrogateescape")
            found = {
                Entry(name, is_folder) for link in _HREF.findall(page) for name, is_folder in _linked(folder, link)
            }
        else:
            found = {_entry(info) for info in self._files.ls(f"{folder.scheme}://{folder.place}", detail=True)}
        return sorted(found, key=lambda entry: entry.name)

    def _tried(self, ask: Callable[[], T]) -> T:
        """Again after pauses that grow, where it fails for a reason that may pass; at once where it is known to be away."""
        pauses = () if self._is_away else PAUSES_S
        for pause_s in pauses:
            try:
                return self._answered(ask)
            except (FileNotFoundError, PermissionError):
                raise
            except faults():
                time.sleep(pause_s)
        return self._answered(ask)

    def _answered(self, ask: Callable[[], T]) -> T:
        try:
            answer = ask()
        except (FileNotFoundError, PermissionError):
            raise
        except faults():
            self._is_away = True
            raise
        self._is_away = False
        return answer

    @property
    def _next_step(self) -> str:
        elsewhere = ", and AWS_ENDPOINT_URL if the bucket is not Amazon's" if self._scheme == "s3" else ""
        return f"Check the address, and that this machine has a network{elsewhere}."

    def _why(self, error: BaseException) -> str:
        if isinstance(error, FileNotFoundError):
            return "there is no such file, folder or bucket."
        text = without_secrets(one_line(error)) if isinstance(error, Exception) else ""
        named = ENVIRONMENT.get(self._scheme)
        if named and (isinstance(error, PermissionError) or "redential" in text):
            return f"access is denied. Set {named} in the environment."
        if getattr(error, "status", None) in (401, 403):
            return "access is denied (write https://USER:PASSWORD@HOST/… or a signed address)."
        return text


def store_of(address: Address) -> RemoteStore:
    """What reads an address. Raises SourceError, with the command, where what it needs is not installed."""
    return _opened(address.scheme, address.login)


def size_of_stamp(stamp: str) -> int | None:
    """The bytes of a file by the stamp that it was listed with; None where that does not say them."""
    size = stamp.partition(":")[0]
    return int(size) if size.isdecimal() else None


def faults() -> tuple[type[BaseException], ...]:
    """What the libraries raise where a store cannot be reached, or answers in another way than it should."""
    found: list[type[BaseException]] = [OSError]
    for name in _FAULTS:
        module, _, kind = name.partition(":")
        if module in sys.modules and hasattr(sys.modules[module], kind):
            found.append(getattr(sys.modules[module], kind))
    return tuple(found)


@lru_cache(64)
def _opened(scheme: str, login: tuple[str, str] | None) -> RemoteStore:
    try:
        files = _class_of(scheme)(skip_instance_cache=True, use_listings_cache=False, **_options(scheme, login))
    except ImportError as error:
        raise SourceError(
            f"{scheme}:// needs a package that is not installed ({error.name or error}): "
            'pip install "fastlabel-gradio[remote]"'
        ) from error
    if scheme == "s3":
        files.retries = 1
    elif scheme == "gs":  # by itself gcsfs tries six times, for half a minute each time
        files._request = partial(unwrap(type(files)._request), files)
    return RemoteStore(files, scheme)


def _class_of(scheme: str) -> Any:
    """Of gcsfs the class that is no more than files: its other one asks for a minute by gRPC what kind of bucket it is."""
    import fsspec

    if scheme != "gs":
        return fsspec.get_filesystem_class(scheme)
    import gcsfs

    return gcsfs.core.GCSFileSystem


def _options(scheme: str, login: tuple[str, str] | None) -> dict[str, Any]:
    if scheme == "s3":
        once = {"retries": {"total_max_attempts": 1}}  # `_tried` tries again
        return {"config_kwargs": {"connect_timeout": CONNECT_S, "read_timeout": READ_S, **once}}
    if scheme not in ("gs", "http", "https"):
        return {}
    import aiohttp

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S, sock_read=READ_S)
    if scheme == "gs":
        return {"requests_timeout": timeout}
    auth = {"auth": aiohttp.BasicAuth(*login)} if login else {}
    return {"encoded": True, "client_kwargs": {"timeout": timeout, **auth}}


def _entry(info: dict[str, Any]) -> Entry:
    mark = next((info[key] for key in _MARKS if info.get(key) is not None), None)
    size = info.get("size")
    stamp = UNSTAMPED if mark is None and size is None else f"{size}:{mark}"
    return Entry(str(info["name"]).rstrip("/").rpartition("/")[2], info["type"] == "directory", stamp, size)


def _linked(folder: Address, link: str) -> Iterator[tuple[str, bool]]:
    """Name and kind of what a link on the page of a folder names, where that is in the folder itself."""
    start = f"{folder.scheme}://{folder.place}/"
    target = urljoin(start, html.unescape(link)).partition("#")[0].partition("?")[0]
    name = target[len(start) :].rstrip("/")
    if target.startswith(start) and name and "/" not in name:
        yield unquote(name, errors="surrogateescape"), target.endswith("/")


def _at(file: Address) -> str:
    """As fsspec wants it."""
    if not file.is_on_web:
        return f"{file.scheme}://{file.place}"
    return f"{file.scheme}://{file.place}{f'?{file.query}' if file.query else ''}"


def _folder_at(folder: Address) -> str:
    return f"{folder.scheme}://{folder.place}/{f'?{folder.query}' if folder.query else ''}"


def forget() -> None:
    """Has the environment read anew by the next store."""
    _opened.cache_clear()
