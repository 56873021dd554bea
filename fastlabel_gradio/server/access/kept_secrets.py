"""Secrets in the working directory, each in a file that only its owner can read."""

import logging
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

SECRET_BYTES = 32

log = logging.getLogger(__name__)


def load_secret(path: Path) -> bytes:
    """The secret that signs tokens; made at the first start.

    Where it cannot be kept, the log says so: tokens are others after a restart then.
    """
    try:
        return _kept_secret(path)
    except OSError as error:
        log.warning("%s: tokens will change at the next start, the secret cannot be kept (%s).", path, error)
        return secrets.token_bytes(SECRET_BYTES)


def write_tokens(path: Path, tokens: Mapping[str, str]) -> None:
    """One line for each annotator: the name, a tab, the bearer token. Raises OSError."""
    _write(path, "".join(f"{name}\t{token}\n" for name, token in tokens.items()).encode())


def _kept_secret(path: Path) -> bytes:
    if path.exists() and len(secret := path.read_bytes()) == SECRET_BYTES:
        return secret
    secret = secrets.token_bytes(SECRET_BYTES)
    _write(path, secret)
    return secret


def _write(path: Path, content: bytes) -> None:
    handle, partial = tempfile.mkstemp(dir=path.parent)  # for its owner only
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).replace(path)
    except OSError:
        Path(partial).unlink(missing_ok=True)
        raise
