"""Every error that FastLabel raises on purpose. Each message says what was wrong, the value, what is valid, what to do.

FastLabelError
├── ConfigError            a configuration, command line or class list that cannot be used
│   └── UnknownNameError   a name that is not in a registry
├── SourceError            a source that cannot be opened: missing path, empty folder, sheet of the wrong size
├── UnreadableItemError    one item that cannot be read; it is listed and left out of the pool
│   └── UnavailableItemError  for a reason that may pass: its disk, memory, permission; it is tried again
├── EncoderUnavailableError  weights that are not available
├── CheckpointError        a head's checkpoint that does not belong to this encoder or schema
├── TooFewLabelsError      a comparison that needs more labels than there are
├── ChangedMeanwhileError  a change of labels that somebody else changed since they were looked at
├── InvalidQueryError      a query for items that names a class or an item that is not there
│   └── ExpiredListError   a page of a list of found items that is not kept any more
├── FinishError            a step of finishing the pool that is not possible as it stands
├── InvalidLabelsError     a submit with an unknown item, label or shape; nothing of it was stored
└── StoreError             a label store or embedding store that cannot be opened or written
"""

from collections.abc import Mapping
from typing import Any

SHOWN_CHARACTERS = 100
PLACE_CHARACTERS = 80  # of each part


class FastLabelError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(FastLabelError):
    """A configuration, command line or class list that cannot be used."""


class UnknownNameError(ConfigError):
    """A name that is not in a registry."""


class SourceError(FastLabelError):
    """A source that cannot be opened."""


class UnreadableItemError(FastLabelError):
    """One item that cannot be read. The message is the reason, short enough for one line on screen."""


class UnavailableItemError(UnreadableItemError):
    """One item that cannot be read now, for a reason outside of its content that may pass."""


class EncoderUnavailableError(FastLabelError):
    """An encoder whose weights or packages are not available."""


class CheckpointError(FastLabelError):
    """A checkpoint that does not belong to this encoder or schema, or is damaged."""


class TooFewLabelsError(FastLabelError):
    """A comparison that needs more labels than there are."""


class InvalidLabelsError(FastLabelError):
    """A submit that names an unknown item or label. Nothing of it was stored."""


class ChangedMeanwhileError(FastLabelError):
    """Somebody else changed what was to be changed since it was looked at. Nothing was stored.

    Attributes:
        conflicts: of the first items what was to stand and what stands, field by field.
        count: of how many items.
    """

    def __init__(self, message: str, conflicts: list[dict[str, str | None]], count: int) -> None:
        super().__init__(message)
        self.conflicts = conflicts
        self.count = count


class OthersLabelsError(FastLabelError):
    """Something would change that others said, which is not for whoever asks. Nothing was stored."""


class InvalidQueryError(FastLabelError):
    """A query that names a class or an item that is not there."""


class ExpiredListError(InvalidQueryError):
    """A list of found items that is not kept any more. Its query can be asked again."""


class FinishError(FastLabelError):
    """A step of finishing the pool that is not possible as it stands."""


class StoreError(FastLabelError):
    """A label store or an embedding store that cannot be opened or written."""


def shown(value: object) -> str:
    """A value that somebody sent, quoted and short enough for one line."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"


def problem_of(detail: Mapping[str, Any]) -> str:
    """Where a value is wrong, and why: an entry of pydantic's `ValidationError.errors()`."""
    place = ".".join(str(part)[:PLACE_CHARACTERS] for part in detail["loc"])
    raised = detail.get("ctx", {}).get("error")  # by a validator of ours: the message has "Value error, " before it
    message = str(raised if isinstance(raised, Exception) else detail["msg"])
    return f"{place}: {message}" if place else message
