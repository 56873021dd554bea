"""Journal: predictions as they come, appended line by line, so that a program that was killed goes on where it was."""

import json
import os
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastlabel_gradio.errors import ConfigError, StoreError
from fastlabel_gradio.exports import replaced_file

LINES_BETWEEN_SYNCS = 128


@dataclass(frozen=True, slots=True)
class Entry:
    """What was said of one item: classes with probabilities, the most probable first; why it cannot be read, or "".

    Attributes:
        may_come: whether that may pass; another run tries it again.
    """

    name: str
    best: Sequence[tuple[str, float]]
    unreadable: str = ""
    may_come: bool = False


class Journal:
    """One file of JSON lines. The first says what made it: another classifier or other options do not go on with it.

    What an earlier run could not read for a reason that may pass is taken out as it is opened.

    Args:
        origin: what made it.

    Raises:
        ConfigError: it is there already, made by something else. StoreError: it cannot be written.
    """

    def __init__(self, path: Path, origin: Mapping[str, Any]) -> None:
        self.path = path
        self.done: set[str] = set()
        self._unsynced = 0
        try:
            self._drop_half_line()
            is_new = not path.exists() or path.stat().st_size == 0
            if not is_new:
                self._take_in(origin)
            self._file = path.open("a", encoding="ascii")
            if is_new:
                self._append(dict(origin))
        except OSError as error:
            raise StoreError(f"{path} cannot be written: {error.strerror}. Make room, or choose another -o.") from error

    def add(self, entry: Entry) -> None:
        """Appends a line. Raises StoreError: the disk is full."""
        try:
            self._append([entry.name, entry.best, entry.unreadable, *([True] if entry.may_come else [])])
        except OSError as error:
            raise StoreError(
                f"{self.path}: {error.strerror}. Make room and run the command again: it goes on where it was."
            ) from error

    def entries(self) -> Iterator[Entry]:
        """Everything in it."""
        self.close()
        with self.path.open(encoding="ascii") as lines:
            next(lines, None)
            for line in lines:
                name, best, unreadable, *may_come = json.loads(line)
                yield Entry(name, [(label, confidence) for label, confidence in best], unreadable, bool(may_come))

    def close(self) -> None:
        """Everything that was added is on the disk then."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def _append(self, content: Any) -> None:
        self._file.write(json.dumps(content) + "\n")  # ASCII: names that are no Unicode come back as they were
        self._unsynced += 1
        if self._unsynced >= LINES_BETWEEN_SYNCS:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._unsynced = 0

    def _drop_half_line(self) -> None:
        """What a program wrote at the moment in which it was killed."""
        if not self.path.exists():
            return
        with self.path.open("r+b") as file:
            content_end = file.seek(0, os.SEEK_END)
            place = content_end
            while place > 0:
                start = max(0, place - 65_536)
                file.seek(start)
                cut = file.read(place - start).rfind(b"\n")
                if cut >= 0:
                    file.truncate(start + cut + 1)
                    return
                place = start
            file.truncate(0)

    def _take_in(self, origin: Mapping[str, Any]) -> None:
        with self.path.open(encoding="ascii") as lines:
            try:
                before = json.loads(next(lines))
                if before == dict(origin):
                    later: set[str] = set()
                    for name, _, _, *may_come in map(json.loads, lines):
                        (later if may_come else self.done).add(name)
                    if later:
                        self._take_out(later)
                    return
            except (ValueError, LookupError, UnicodeDecodeError, StopIteration) as error:
                raise ConfigError(
                    f"{self.path} is not a beginning of this command. Delete it, or choose another -o."
                ) from error
        changed = ", ".join(key for key in origin if not isinstance(before, dict) or before.get(key) != origin[key])
        raise ConfigError(
            f"{self.path} was begun with another {changed}. Delete it to begin anew, give the same options to go "
            "on with it, or "
            "choose another -o."
        )

    def _take_out(self, names: Container[str]) -> None:
        with self.path.open(encoding="ascii") as lines, replaced_file(self.path) as kept:
            kept.write(next(lines))
            kept.writelines(line for line in lines if json.loads(line)[0] not in names)
