"""Addresses of what lies in a bucket or behind a web server, and how they are shown: never with a password or a token.

Nothing here opens one.
"""

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import BeforeValidator, PlainSerializer

SCHEMES = ("s3", "gs", "hf", "https", "http")
WEB = ("https", "http")
SHOWN = 100  # characters of one that is wrong

_ADDRESS = re.compile(rf"({'|'.join(SCHEMES)})://", re.IGNORECASE)
_IN_TEXT = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"<>|\\)\]]+", re.IGNORECASE)
_SECRET = re.compile(r"sig|token|secret|passw|cred|key|auth|expires|policy|^x-|^s[a-z]$|^awsaccess", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Address:
    """A folder or a file by its URL. As a text it is without user, password, query and fragment.

    Attributes:
        scheme: one of SCHEMES. place: host and path, for a bucket its name and the prefix, without '/' at the end.
        query: what a web server asks for with each file, such as a signature; "" for none.
        login: user and password, None without one.
    """

    scheme: str
    place: str
    query: str = field(default="", repr=False)
    login: tuple[str, str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}"

    @property
    def name(self) -> str:
        """The last part of its path; the host or bucket where there is no path."""
        return unquote(self.place.rsplit("/", 1)[-1])

    @property
    def is_on_web(self) -> bool:
        return self.scheme in WEB

    @property
    def parent(self) -> "Address":
        """The folder around it; itself for a host or a bucket."""
        return Address(self.scheme, self.place.rpartition("/")[0] or self.place, self.query, self.login)

    def below(self, relative: str) -> "Address":
        """Of a file or folder below it. On the web a path is written with escapes."""
        escaped = quote(relative.encode("utf-8", "surrogateescape")) if self.is_on_web else relative
        return Address(self.scheme, f"{self.place}/{escaped}", self.query, self.login) if relative else self

    def relative(self, other: "Address") -> str | None:
        """The path of another address below this one; None where it is not."""
        if self.scheme != other.scheme or not other.place.startswith(f"{self.place}/"):
            return None
        rest = other.place[len(self.place) + 1 :]
        return unquote(rest, errors="surrogateescape") if self.is_on_web else rest


def is_address(text: object) -> bool:
    """Whether a text is an address of a kind that can be read."""
    return isinstance(text, str) and _ADDRESS.match(text.strip()) is not None


def address_of(text: str) -> Address:
    """Raises ValueError where it names no bucket or host."""
    scheme, _, rest = text.strip().partition("://")
    scheme = scheme.lower()
    if scheme not in WEB:  # a key may hold '?' and '#', and '@'
        place = rest.strip("/")
        if not place:
            raise ValueError(f"{scheme}:// names no bucket: write {scheme}://BUCKET/FOLDER")
        return Address(scheme, place)
    try:
        parts = urlsplit(text.strip())
        parts.port  # noqa: B018  # raises where it is no number, or none that a port has
    except ValueError as error:
        raise ValueError(f"{_shown(text)[:SHOWN]!r} is no address ({error}): write {scheme}://HOST/FOLDER") from error
    if not parts.hostname:
        raise ValueError(f"{scheme}:// names no host: write {scheme}://HOST/FOLDER")
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    host = parts.netloc.rpartition("@")[2]
    return Address(scheme, (host + parts.path).rstrip("/"), parts.query, login)


def id_of_address(address: Address) -> str:
    """The id of an item that lies nowhere below its source: its address, without a secret.

    A query that names the file ("?id=5") is replaced by a hash; one that lets somebody in is left out, for it changes.
    """
    if not names_the_file(address.query):
        return str(address)
    return f"{address}~{blake2b(address.query.encode(), digest_size=4).hexdigest()}"


def names_the_file(query: str) -> bool:
    """Whether a query says which file is meant ("id=5"), not who may read it ("X-Amz-Signature=…")."""
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    return bool(query) and not any(map(_SECRET.search, names))


def without_secrets(text: str) -> str:
    """A message of a library with every address in it as it may be shown."""
    return _IN_TEXT.sub(lambda match: _shown(match[0]), text)


def _shown(text: str) -> str:
    scheme, _, rest = text.partition("://")
    path = re.split(r"[?#]", rest, maxsplit=1)[0]
    host, slash, below = path.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{below}"


def _place(value: Any) -> Any:
    return address_of(value) if isinstance(value, str) and is_address(value) else value


# A path of this machine or an address. It is kept and shown as a text without secrets.
Place = Annotated[Path | Address, BeforeValidator(_place), PlainSerializer(str, return_type=str)]
