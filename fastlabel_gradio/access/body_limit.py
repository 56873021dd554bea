"""How much a request may send."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

MAX_BODY_BYTES = 2_000_000
MAX_FILE_BYTES = 500_000_000  # of a file of labels: a million of them, with all that is known of each
FILE_PATHS = frozenset({"/api/import"})


def limited(receive: Receive, headers: Headers, path: str = "") -> Receive:
    """The body of a request to a path, counted while it comes in: a request may say less than it sends, or nothing (chunked).

    Raises HTTPException 413, at once where the request itself says that it is too long, or from the returned function.
    """
    most = MAX_FILE_BYTES if path in FILE_PATHS else MAX_BODY_BYTES
    said = headers.get("content-length", "")
    _check(int(said) if said.isdecimal() else 0, most)
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        _check(received, most)
        return message

    return receive_limited


def _check(size: int, most: int) -> None:
    if size > most:
        raise HTTPException(
            413,
            f"The request is longer than {most:,} bytes. Send fewer labels at a time; nothing was stored.",
        )
