"""Groups by a regular expression on item ids, and of windows by their file. Shared by sources of files and tables."""

import re
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, model_validator

from fastlabel_gradio.errors import SourceError
from fastlabel_gradio.sources.base import SourceOptions
from fastlabel_gradio.sources.groups import Grouping
from fastlabel_gradio.types import Item, TimeSpan


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"group_pattern {pattern!r} is no regular expression: {error}") from error
    return pattern


GroupPattern = Annotated[str, AfterValidator(_compiles)]


class RowGroupOptions(SourceOptions):
    """What the rows of a table or a dataset are grouped by, one of both at most.

    Attributes:
        group_column: the recording, site, speaker or burst of each row.
        group_pattern: what finds it in the id instead, see `PatternGroups`.
    """

    beside_identity = SourceOptions.beside_identity | {"group_column", "group_pattern"}

    group_column: str | None = None
    group_pattern: GroupPattern | None = None

    @model_validator(mode="after")
    def _one_way_to_group(self) -> "RowGroupOptions":
        if self.group_column is not None and self.group_pattern is not None:
            raise ValueError("group_column and group_pattern exclude each other: name one")
        return self


def file_id_of(item: Item) -> str:
    """The id of the file that an item is a window of; the item's own id where it is a whole file."""
    return TimeSpan.split(item.id)[0]


class PatternGroups:
    """The group of an item is what a regular expression finds in its id.

    That is its named group, or else its first one, or else the whole match. An id that it does not match, or matches with
    nothing, is a group of its own; a window is then of the group of its file.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern)
        self.grouping = Grouping("groups", f"by {pattern}")

    def group_of(self, item: Item) -> str:
        file_id = file_id_of(item)
        return self._found(item.id) or self._found(file_id) or file_id

    def check(self, item_ids: Iterable[str], where: object) -> None:
        """Raises SourceError where the pattern matches none of the ids; reads no more of them than the first it matches."""
        example = ""
        for example in item_ids:
            if self._found(example) or self._found(TimeSpan(0, 1).id_in(example)):
                return
        raise SourceError(
            f"group_pattern {self._pattern.pattern!r} matches no item of {where}, for example {example!r}. Write a regular "
            r"expression that finds the site, speaker or burst in the id, such as '^(\w+?)_', or leave it out."
        )

    def _found(self, item_id: str) -> str:
        match = self._pattern.search(item_id)
        if match is None:
            return ""
        if not self._pattern.groups:
            return match[0]
        parts = match.groupdict().values() if self._pattern.groupindex else match.groups()
        return next(filter(None, parts), "")
