"""Locks that all processes of a beamline respect: `with lock(roby, "shutter"): ...`, from a session or a plain script.

A lock is a name; that of a device keeps other sessions from driving it. It is free again when its process ends: at once on
the same host, after ten seconds elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ParamSpec, Self, TypeVar

from bliss_like.errors import AlreadyLockedDevices

from .lock_holder import Holder, in_use
from .lock_space import Holding, LockSpace
from .sharing import sharing

__all__ = [
    "AlreadyLockedDevices",
    "Lock",
    "Locks",
    "force_unlock",
    "is_locked",
    "lock",
    "lock_context",
    "lslock",
    "synchronized",
    "unlock",
]

BY_HAND = "lock"
"""What a lock is for that a person or a script has taken, and not a move or a scan."""

P = ParamSpec("P")
T = TypeVar("T")


class Lock:
    """Holds devices while its context is open, all or none; one process may take the same again and again.

    :param devices: devices, or names.
    :param owner: who else in this process may take them: whoever gives the same owner; by default all of the process
        that gives none.
    :param timeout: seconds to wait for them.
    """

    def __init__(self, *devices: Any, owner: str | None = None, timeout: float = 3.0) -> None:
        self.names = names_of(devices)
        self.owner = owner or ""
        self.timeout = timeout
        self._taken: list[list[Holding]] = []
        self._space: LockSpace | None = None
        self._is_fresh = False

    def acquire(self, timeout: float | None = None) -> Self:
        """Take the devices.

        :raises AlreadyLockedDevices: another process, or another owner, has one of them; nothing is locked.
        :raises StoreUnavailable: the server cannot be reached.
        """
        if self._space is None or not self._taken:
            self._space = sharing().locks
        wait = self.timeout if timeout is None else timeout
        self._taken.append(self._space.acquire(self.names, owner=self.owner, purpose=BY_HAND, timeout=wait))
        return self

    def release(self) -> None:
        """Give them back once; nothing happens when they are not held."""
        self._is_fresh = False
        if self._taken and self._space is not None:
            self._space.release(self._taken.pop())

    @property
    def is_held(self) -> bool:
        """Whether they are surely held: false soon after somebody has unlocked them by force, and as long as the server has
        not been reached for longer than their time to live.
        """
        return bool(self._taken) and all(holding.count and holding.is_sure for holding in self._taken[-1])

    def __enter__(self) -> Self:
        if not (self._is_fresh and self.is_held):
            self.acquire()
        self._is_fresh = False
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<Lock of {', '.join(self.names)}: {'held' if self.is_held else 'not held'}>"


lock_context = Lock


def lock(*devices: Any, owner: str | None = None, timeout: float = 3.0) -> Lock:
    """Lock devices at once: until the end of the context, if it is used as one, else until `unlock`. See `Lock`.

    :raises AlreadyLockedDevices: another process, or another owner, has one of them; nothing is locked.
    """
    taken = Lock(*devices, owner=owner, timeout=timeout).acquire()
    taken._is_fresh = True
    return taken


def unlock(*devices: Any, owner: str | None = None) -> None:
    """Give back what `lock` has taken, once; what is free is left as it is.

    :raises AlreadyLockedDevices: somebody else has one of them; the others are given back.
    """
    space = sharing().locks
    held = {name: space.held(name, owner or "") for name in names_of(devices)}
    space.release([holding for holding in held.values() if holding is not None])
    others = [name for name, holding in held.items() if holding is None]
    holders = space.holders(others) if others else []
    if holders:
        raise in_use(holders)


def synchronized(
    *devices: Any, owner: str | None = None, timeout: float = 3.0
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Make a function that holds these devices while it runs; without devices, the object whose method it is."""

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def locked(*args: P.args, **kwargs: P.kwargs) -> T:
            with Lock(*(devices or args[:1]), owner=owner, timeout=timeout):
                return function(*args, **kwargs)

        return locked

    return decorate


def is_locked(*devices: Any) -> bool:
    """Return whether somebody holds one of these devices, this process included."""
    return bool(sharing().locks.holders(names_of(devices)))


def force_unlock(*devices: Any) -> None:
    """Take devices away from whoever holds them, who is told by a warning within seconds."""
    sharing().locks.force(names_of(devices))


def lslock() -> Locks:
    """Return who holds what on this beamline: locks, devices that are being driven, and open sessions."""
    return Locks(sharing().locks.holders())


class Locks(tuple[Holder, ...]):
    """Who holds what; prints as a table."""

    def __str__(self) -> str:
        head = ("name", "session", "pid", "host", "user", "since", "for")
        rows = [head, *(_row(holder) for holder in self)]
        if len(rows) == 1:
            return "nothing is locked"
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)

    __repr__ = __str__


def _row(holder: Holder) -> tuple[str, ...]:
    process = (str(holder.process.get(key, "?")) for key in ("pid", "host", "user"))
    return (holder.name, holder.session or "-", *process, holder.time, holder.purpose)


def names_of(devices: Iterable[Any]) -> list[str]:
    """Return the names of devices, which may be names already.

    :raises ValueError: there are none, or one has no name.
    """
    names = [device if isinstance(device, str) else getattr(device, "name", None) for device in devices]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError(f"lock: expected devices or their names, got {', '.join(map(repr, devices)) or 'none'}")
    return [str(name) for name in names]
