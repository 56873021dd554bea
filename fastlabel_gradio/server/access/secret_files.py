"""Secrets in the working directory, each in a file that only its owner can read."""

import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

from fastlabel_gradio.atomic_file import write_atomically

SECRET_BYTES = 32
FOR_ITS_OWNER = 0o600

log = logging.getLogger(__name__)


def load_secret(path: Path) -> bytes:
    """The secret that signs tokens; made at the first start.

    Where it cannot be kept, the log says so: tokens are others after a restart then.
    """
    try:
        return _saved_secret(path)
    except OSError as error:
        log.warning("%s: tokens will change at the next start, the secret cannot be kept (%s).", path, error)
        return secrets.token_bytes(SECRET_BYTES)


def write_tokens(path: Path, tokens: Mapping[str, str]) -> None:
    """One line for each annotator: the name, a tab, the bearer token. Raises OSError."""
    lines = "".join(f"{name}\t{token}\n" for name, token in tokens.items())
    write_atomically(path, lines.encode(), mode=FOR_ITS_OWNER)


def _saved_secret(path: Path) -> bytes:
    if path.exists() and len(secret := path.read_bytes()) == SECRET_BYTES:
        return secret
    secret = secrets.token_bytes(SECRET_BYTES)
    write_atomically(path, secret, mode=FOR_ITS_OWNER)
    return secret
