"""How much a request may send."""

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import Message, Receive

MAX_BODY_BYTES = 2_000_000
MAX_ENTRY_BYTES = 10_000  # of what is read before a login is known: a name with a password, or an invite
MAX_MEDIA_BYTES = 20_000_000
MAX_FILE_BYTES = 500_000_000  # of a file of labels: a million of them, with all that is known of each
MOST_BYTES = {
    **dict.fromkeys(("/login", "/invite"), MAX_ENTRY_BYTES),
    **dict.fromkeys(("/api/vector", "/api/predict/media", "/api/predict/take"), MAX_MEDIA_BYTES),
    "/api/import": MAX_FILE_BYTES,
}
_FEWER = {
    MAX_ENTRY_BYTES: "a name and a password, or an invite, alone",
    MAX_MEDIA_BYTES: "a shorter sound or a smaller picture",
    MAX_FILE_BYTES: "a file a part of them at a time",
}


def limited(receive: Receive, headers: Headers, path: str = "") -> Receive:
    """The request's body, counted while it comes in: a request may say less than it sends, or nothing (chunked).

    Raises HTTPException 413, at once where the request itself says that it is too long, or from the returned function.
    """
    most = MOST_BYTES.get(path, MAX_BODY_BYTES)
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
        fewer = _FEWER.get(most, "fewer labels at a time")
        raise HTTPException(413, f"The request is longer than {most:,} bytes. Send {fewer}; nothing was stored.")
