"""Invites: signed links by which somebody comes in under one name, with one role, until they expire or are revoked.

They are kept in a file of the working directory, which a running app and `fastlabel invite` beside it both read at every
question: what one revokes is dead for the other at once. A link holds an id and a signature, no name and no role.
"""

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from filelock import FileLock

from fastlabel_gradio.atomic_file import write_atomically
from fastlabel_gradio.errors import ConfigError, shown
from fastlabel_gradio.server.access.login_entries import check_name
from fastlabel_gradio.server.access.roles import Role

DAY_S = 86_400.0
MOST_DAYS = 365
MOST_INVITES = 10_000
LOCAL_ANNOTATOR = "local"  # who comes without a login to an app that asks for none

_PURPOSE = b"fastlabel invites, version 1"
_LOCK_S = 10.0


@dataclass(frozen=True, slots=True)
class Invite:
    """One link. Times are seconds since 1970."""

    id: str
    name: str
    role: Role
    made_at: float
    expires_at: float
    revoked_at: float | None = None

    def state(self, now: float) -> Literal["open", "expired", "revoked"]:
        """One of "open", "expired" and "revoked"."""
        if self.revoked_at is not None:
            return "revoked"
        return "open" if now < self.expires_at else "expired"


class Invites:
    """The invites of a working directory.

    Args:
        path: their file, made with the first one.
        secret: signs the links; with another one all are dead.
        clock: seconds since 1970.
        keep: called after each change that is seen, of this process or of another one, by one thread at a time.
    """

    def __init__(
        self,
        path: Path,
        secret: bytes,
        clock: Callable[[], float] = time.time,
        keep: Callable[[], None] | None = None,
    ) -> None:
        self._path = path
        self._key = hmac.new(secret, _PURPOSE, hashlib.sha256).digest()
        self._clock = clock
        self._lock = FileLock(path.with_suffix(".lock"), timeout=_LOCK_S)
        self._read: tuple[tuple[int, ...], dict[str, Invite]] = (), {}
        self._keep, self._keeping = keep, threading.Lock()

    @property
    def cookie(self) -> str:
        """The cookie that holds a link's token: another one for each working directory, for browsers mix up ports."""
        return f"fastlabel_invite_{hashlib.blake2b(self._key, digest_size=6).hexdigest()}"

    def add(self, name: str, role: Role, days: float, taken: Collection[str] = ()) -> tuple[Invite, str]:
        """A new invite, and the token of its link. Without a name it gets one: "annotator-2".

        Args:
            days: until it expires, above 0 and at most 365.
            taken: names of logins.

        Raises:
            ConfigError: such a name cannot be, or is somebody's; so many days cannot be.
        """
        if not 0 < days <= MOST_DAYS:
            raise ConfigError(f"an invite cannot last {days:g} days. Give more than 0 and at most {MOST_DAYS}.")
        with self._changing() as invites:
            now = self._clock()
            names = {*taken, LOCAL_ANNOTATOR, *(one.name for one in invites.values() if one.state(now) == "open")}
            name = name.strip() or _free_name(role, {*names, *(one.name for one in invites.values())})
            check_name(name, "invite")
            if name in names:
                raise ConfigError(
                    f"invite: the name {shown(name)} is taken. Choose another, or revoke its invite first."
                )
            invite = Invite(secrets.token_hex(8), name, role, now, now + days * DAY_S)
            invites[invite.id] = invite
        return invite, self.token(invite)

    def revoke(self, id_or_name: str) -> list[Invite]:
        """Ends the open invites of that id or name at once, and gives them. Raises ConfigError where there is none."""
        with self._changing() as invites:
            now = self._clock()
            found = [one for one in invites.values() if one.state(now) == "open" and id_or_name in (one.id, one.name)]
            if not found:
                names = ", ".join(sorted(one.name for one in invites.values() if one.state(now) == "open"))
                raise ConfigError(f"invite: {shown(id_or_name)} has no open invite. Open ones: {names or 'none'}.")
            revoked = [replace(one, revoked_at=now) for one in found]
            invites |= {one.id: one for one in revoked}
        return revoked

    def all(self) -> list[Invite]:
        """Every invite, the newest first."""
        return sorted(self._invites().values(), key=lambda one: -one.made_at)

    def open_for(self, token: str) -> Invite | None:
        """The invite of a link that is good now; None for any other."""
        invite = self._invites().get(token.partition(".")[0])
        if invite is None or not hmac.compare_digest(self.token(invite).encode(), token.encode("utf-8", "replace")):
            return None
        return invite if invite.state(self._clock()) == "open" else None

    def state(self, invite: Invite) -> Literal["open", "expired", "revoked"]:
        """How it stands now."""
        return invite.state(self._clock())

    def token(self, invite: Invite) -> str:
        """What a link holds: the id, and the signature of everything that the invite says but its end."""
        said = "\0".join((invite.id, invite.name, invite.role, repr(invite.expires_at)))
        return f"{invite.id}.{hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()}"

    def _invites(self) -> dict[str, Invite]:
        """As the file has them now. Raises ConfigError where it cannot be read: nobody is let in by guess."""
        stamp = _stamp(self._path)
        if stamp != self._read[0]:
            self._read = stamp, _load(self._path) if stamp else {}
            if self._keep:
                with self._keeping:
                    self._keep()
        return self._read[1]

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Invite]]:
        with _Changing(self._path, self._lock) as invites:
            yield invites
        self._invites()  # the change is kept before anybody hears of it


class _Changing:
    """The invites of a file, by id, to be changed while nobody else does; written at the end unless something was raised."""

    def __init__(self, path: Path, lock: FileLock) -> None:
        self._path, self._lock = path, lock
        self._invites: dict[str, Invite] = {}

    def __enter__(self) -> dict[str, Invite]:
        self._lock.acquire()
        try:
            self._invites = _load(self._path) if self._path.exists() else {}
        except BaseException:
            self._lock.release()
            raise
        return self._invites

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                newest = sorted(self._invites.values(), key=lambda one: one.made_at)[-MOST_INVITES:]
                write_atomically(self._path, json.dumps([asdict(one) for one in newest], indent=1).encode())
                self._path.chmod(0o600)
        finally:
            self._lock.release()


def _stamp(path: Path) -> tuple[int, ...]:
    """Another one after every change: each writes a new file in place of the old one. () where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return ()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _load(path: Path) -> dict[str, Invite]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        invites = [Invite(**{**row, "role": Role(row["role"])}) for row in rows]
        return {one.id: one for one in invites}
    except (ValueError, TypeError, KeyError) as error:
        advice = "Put the file back, or delete it: all links end then."
        raise ConfigError(f"{path}: these are no invites ({error}). {advice}") from error


def _free_name(role: Role, taken: Collection[str]) -> str:
    return next(name for number in range(1, len(taken) + 2) if (name := f"{role}-{number}") not in taken)
