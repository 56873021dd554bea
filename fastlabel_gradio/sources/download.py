"""Downloads of single files and what is in them: into a temporary place, checked, then renamed, so that nothing half done
looks done.
"""

import io
import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from fastlabel_gradio.errors import SourceError

MAX_DOWNLOAD_BYTES = 2 * 1024**3
MAX_UNPACKED_BYTES = 4 * 1024**3
_READ_S, _CONNECT_S = 30.0, 10.0  # of each read, not of the whole download
_CHUNK_BYTES = 1 << 20


def download(url: str, destination: Path, check: Callable[[Path], None]) -> None:
    """Fetches `url` into `destination`, with a progress bar in the terminal.

    Args:
        url: http or https; an https address must not lead to http by redirects.
        destination: replaced in one step when all is well, untouched otherwise.
        check: gets the complete temporary file and raises SourceError where it is not what is wanted.

    Raises:
        SourceError: no connection, an answer other than 2xx, fewer bytes than announced, more than MAX_DOWNLOAD_BYTES,
            no room on the disk. The message says where to put the file by hand.
    """
    import httpx  # takes half a second to import

    try:
        _download_checked(url, destination, check)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        reason = str(error) or type(error).__name__
        raise SourceError(
            f"{url} cannot be downloaded: {reason}. Fetch it on a machine with a network, put it at {destination} and "
            "start again; or give its local path as `path`."
        ) from error


def unpack_zip(archive: Path, folder: Path, place: Callable[[str], str | None]) -> None:
    """Unpacks some members of a zip archive into a new folder, which appears when all of them are there.

    Args:
        folder: must not exist, or be empty.
        place: the path in `folder`, plain and relative, for a member's name; None for one that is not wanted.

    Raises:
        SourceError: damaged, encrypted, more than MAX_UNPACKED_BYTES, no room, or a folder that holds something.
    """
    temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{folder.name}.", suffix=".part"))
    try:
        _unpack(archive, temporary, place)
        os.sync()  # a power cut must not leave empty files in a folder that looks whole
        temporary.rename(folder)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise SourceError(
            f"{archive} cannot be unpacked to {folder}: {reason}. Delete the archive to fetch it again, and see that the "
            "folder is empty and that there is room."
        ) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _unpack(archive: Path, folder: Path, place: Callable[[str], str | None]) -> None:
    with zipfile.ZipFile(archive) as members:
        wanted = [(info, target) for info in members.infolist() if (target := place(info.filename)) is not None]
        if sum(info.file_size for info, _ in wanted) > MAX_UNPACKED_BYTES:
            raise SourceError(f"{archive} holds more than {MAX_UNPACKED_BYTES:,} bytes. Fetch the right one.")
        for info, target in tqdm(wanted, desc=archive.name, unit=" files"):
            path = folder / target
            path.parent.mkdir(parents=True, exist_ok=True)
            with members.open(info) as source, path.open("xb") as file:
                shutil.copyfileobj(source, file)


def _download_checked(url: str, destination: Path, check: Callable[[Path], None]) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=destination.parent, prefix=f"{destination.name}.", suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            _fetch(url, file)
            file.flush()
            os.fsync(file.fileno())
        check(temporary)
        temporary.replace(destination)
    finally:
        temporary.unlink(missing_ok=True)


def _fetch(url: str, file: io.BufferedWriter) -> None:
    import httpx

    timeout = httpx.Timeout(_READ_S, connect=_CONNECT_S)
    with httpx.stream("GET", url, follow_redirects=True, timeout=timeout) as response:
        response.raise_for_status()
        hops = [*response.history, response]
        if url.startswith("https:") and any(hop.url.scheme != "https" for hop in hops):
            raise SourceError(
                f"{url} is redirected to {response.url}, which is not https. Give the final https address."
            )
        announced = int(response.headers.get("content-length", 0))
        _refuse_above_limit(url, announced)
        with tqdm(total=announced or None, unit="B", unit_scale=True, desc=Path(response.url.path).name) as bar:
            for chunk in response.iter_bytes(_CHUNK_BYTES):
                file.write(chunk)
                bar.update(response.num_bytes_downloaded - bar.n)
                _refuse_above_limit(url, file.tell())
        if announced and response.num_bytes_downloaded != announced:
            raise SourceError(f"{url}: {response.num_bytes_downloaded} of {announced} bytes came. Start again.")


def _refuse_above_limit(url: str, size: int) -> None:
    if size > MAX_DOWNLOAD_BYTES:
        raise SourceError(
            f"{url} is larger than {MAX_DOWNLOAD_BYTES:,} bytes. Fetch it by hand, give its path as `path`."
        )
