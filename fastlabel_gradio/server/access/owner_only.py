"""Labels, media and secrets in the working directory are nobody else's on this machine."""

import logging
import os
from pathlib import Path

OTHERS = 0o077
OWN_FILES = (
    *("*.sqlite*", "*.safetensors", "*.f32", "*.jsonl", "source.json", "encoder_in_use.json", "in-use.lock"),
    *("saved_filters.json", "private", "sounds"),
)

_log = logging.getLogger(__name__)


def make_files_private() -> None:
    """Files and folders that this process makes from now on are its owner's alone, also those that SQLite makes."""
    os.umask(OTHERS)


def close_to_others(folder: Path) -> None:
    """Takes from others what an earlier version let them read in a project's folder, and touches nothing else in it."""
    if not (folder / "source.json").exists():
        return
    try:
        for path in (path for pattern in OWN_FILES for path in folder.glob(pattern)):
            if path.stat().st_mode & OTHERS:
                path.chmod(path.stat().st_mode & ~OTHERS)
    except OSError as error:  # another owner, or a volume without modes
        _log.warning("%s can be read by others: %s", folder, error.strerror)
