"""The entries of a JSON array one after the other, however long it is: what is held is the entry that is being read."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import count

BLOCK_CHARS = 1 << 18
LONGEST_MARK = 12  # characters of what may be cut in two at the end of a block: -Infinity, an escape

_BLANKS = re.compile(r"[ \t\r\n]*")
_decode = json.JSONDecoder().raw_decode


def json_entries(text: Iterable[str]) -> Iterator[object]:
    """The entries of an array, or the one value that the text is.

    Args:
        text: in pieces of any length.

    Raises:
        ValueError, RecursionError: it is not JSON, with what is wrong at which entry; those before it were given.
    """
    reader = _Reader(iter(text))
    if reader.next_char() != "[":
        yield reader.value(0)
    else:
        reader.skip()
        if reader.next_char() != "]":
            yield from _separated(reader)
        reader.skip()
    if reader.next_char():
        raise ValueError("there is more after its end")


def _separated(reader: "_Reader") -> Iterator[object]:
    for number in count(1):
        yield reader.value(number)
        if reader.next_char() == "]":
            return
        reader.expect(",", number)


class _Reader:
    """A text of which so much is held as the next value needs."""

    def __init__(self, text: Iterator[str]) -> None:
        self._text = text
        self._held = ""
        self._place = 0

    def next_char(self) -> str:
        """The first character that is no blank, which stays; "" at the end."""
        while True:
            self._place = _BLANKS.match(self._held, self._place).end()  # type: ignore[union-attr]  # it matches nothing, too
            if self._place < len(self._held) or not self._more():
                return self._held[self._place : self._place + 1]

    def skip(self) -> None:
        self._place += 1

    def expect(self, char: str, number: int) -> None:
        if self.next_char() != char:
            raise ValueError(f"after entry {number} a '{char}' is missing")
        self.skip()

    def value(self, number: int) -> object:
        self.next_char()
        while True:
            try:
                value, end = _decode(self._held, self._place)
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos >= len(self._held) - LONGEST_MARK
                if is_cut and self._more():
                    continue
                raise ValueError(f"entry {number}: {error.msg}" if number else str(error)) from error
            if end < len(self._held) or not self._more():  # a number may go on
                self._place = end
                return value

    def _more(self) -> bool:
        """Takes at least as much again as is held: an entry that is long is decoded a few times, not once a block."""
        wanted = max(BLOCK_CHARS, len(self._held) - self._place)
        pieces = [self._held[self._place :]]
        while wanted > 0 and (piece := next(self._text, "")):
            pieces.append(piece)
            wanted -= len(piece)
        if len(pieces) == 1:
            return False
        self._held, self._place = "".join(pieces), 0
        return True
