"""One process per session, on whatever host: a lock that is free again at once when its process dies on this host."""

from __future__ import annotations

import datetime

from bliss_like.config.lock_holder import Holder
from bliss_like.config.lock_space import Holding, LockSpace
from bliss_like.errors import AlreadyLockedDevices, SessionError

TIME_TO_LIVE = 60.0
"""Seconds after which a session is free whose host is gone: long enough for a host that is only busy."""


_SHARED = "open, to join it: "


def lock_name(session: str) -> str:
    """Return the name of the lock that whoever has a session open holds."""
    return f"session:{session}"


def way_in_of(holder: Holder) -> str:
    """Return what is typed on the host of a session to join it; empty if it is not shared."""
    return holder.purpose.removeprefix(_SHARED) if holder.purpose.startswith(_SHARED) else ""


class SessionLock:
    """Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, session_name: str) -> None:
        self.session_name = session_name
        self._locks: LockSpace | None = None
        self._held: list[Holding] = []

    @property
    def is_held(self) -> bool:
        return bool(self._held)

    def acquire(self, locks: LockSpace, way_in: str = "") -> None:
        """Take the lock.

        :param way_in: what others type to join the session, if they can.
        :raises SessionError: another process has it.
        :raises StoreUnavailable: the server does not answer.
        """
        try:
            name, purpose = lock_name(self.session_name), f"{_SHARED}{way_in}" if way_in else "open"
            self._held = locks.acquire([name], owner=self.session_name, purpose=purpose, timeout=0, ttl=TIME_TO_LIVE)
        except AlreadyLockedDevices as error:
            raise SessionError(self._refusal(error)) from None
        self._locks = locks

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._locks is not None:
            self._locks.release(self._held)
        self._held, self._locks = [], None

    def _refusal(self, error: AlreadyLockedDevices) -> str:
        holder = next(each for each in error.holders if isinstance(each, Holder))
        pid, host, user = (holder.process.get(key, "?") for key in ("pid", "host", "user"))
        since = datetime.datetime.fromtimestamp(holder.since).astimezone().isoformat(" ", "seconds")
        return (
            f"session '{self.session_name}' is already open: process {pid} on host {host} (user {user}) since {since}. "
            f"{_joining(holder, host)} close it there first; to look on: `bliss-like watch {self.session_name}`; if it hangs: "
            f"`kill {pid}` on {host}; if that host is no more, it is free {TIME_TO_LIVE:.0f} s after its end"
        )


def _joining(holder: Holder, host: object) -> str:
    way_in = way_in_of(holder)
    return f"It is shared, join it on {host}: `{way_in}`; or" if way_in else "Use it there, or"
