"""Which page a request comes from: none of another site may read or change anything."""

from urllib.parse import urlsplit

from fastapi import HTTPException
from starlette.datastructures import Headers

_SHOWN = 100


def check_origin(headers: Headers, *, may_be_entered: bool) -> None:
    """Refuses what another site's page sends, reading too. Raises HTTPException 403.

    Gradio echoes any Origin back with credentials allowed, so the browser alone does not stop such a request. A script
    cannot write Sec-Fetch-Site, Origin or Host.

    Args:
        may_be_entered: whether this is a page that a link on another site may open.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if origin is not None and origin != "null" and _address_of(origin) is None:
        raise _foreign(origin)
    if site in ("same-origin", "none"):
        return
    if site is None and (origin is None or _address_of(origin) == headers.get("host", "").lower()):
        return  # no browser, or one that sends Sec-Fetch-Site to https and localhost only
    if may_be_entered and origin is None and headers.get("sec-fetch-mode") == "navigate":
        return
    raise _foreign(origin)


def _address_of(origin: str) -> str | None:
    """The host and port of an origin in small letters; None where it is malformed, "null" or of another scheme."""
    try:
        parts = urlsplit(origin)
        parts.port  # noqa: B018  # raises where it is no number
    except ValueError:
        return None
    return parts.netloc.lower() if parts.scheme in ("http", "https") and parts.netloc else None


def _foreign(origin: str | None) -> HTTPException:
    shown = None if origin is None else origin[:_SHOWN]
    return HTTPException(403, f"Origin {shown!r} is not this site. Send the request from the app's own page.")
