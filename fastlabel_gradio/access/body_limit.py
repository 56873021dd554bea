"""How much a request may send."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

MAX_BODY_BYTES = 2_000_000
MAX_MEDIA_BYTES = 20_000_000
TAKES_MEDIA = frozenset({"/api/vector", "/api/predict/media", "/api/predict/take"})


def limited(receive: Receive, headers: Headers, path: str = "") -> Receive:
    """The request's body, counted while it comes in: a request may say less than it sends, or nothing (chunked).

    Raises HTTPException 413, at once where the request itself says that it is too long, or from the returned function.
    """
    most = MAX_MEDIA_BYTES if path in TAKES_MEDIA else MAX_BODY_BYTES
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
        fewer = "a shorter sound or a smaller picture" if most == MAX_MEDIA_BYTES else "fewer labels at a time"
        raise HTTPException(413, f"The request is longer than {most:,} bytes. Send {fewer}; nothing was stored.")
