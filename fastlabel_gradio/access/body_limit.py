"""How much a request may send."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

MAX_BODY_BYTES = 2_000_000


def limited(receive: Receive, headers: Headers) -> Receive:
    """The request's body, counted while it comes in: a request may say less than it sends, or nothing (chunked).

    Raises HTTPException 413, at once where the request itself says that it is too long, or from the returned function.
    """
    said = headers.get("content-length", "")
    _check(int(said) if said.isdecimal() else 0)
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        _check(received)
        return message

    return receive_limited


def _check(size: int) -> None:
    if size > MAX_BODY_BYTES:
        raise HTTPException(
            413,
            f"The request is longer than {MAX_BODY_BYTES:,} bytes. Send fewer labels at a time; nothing was stored.",
        )
