"""Small named values that processes share: strings, hashes, lists and sorted sets under one key each.

What settings, locks and shared values ask of a database. Every change is one step (all of its commands or none), may be
made to depend on what is there, and is seen by all processes; what was read stays in the process until somebody changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from bliss_like.errors import ForeignKeyError

Command = tuple[str | bytes | int | float, ...]
"""A Redis command whose second word is the key, e.g. `("HSET", key, field, value)`."""

Value = bytes | dict[bytes, bytes] | list[bytes]
"""All that a string, a hash, or a list or sorted set (its members in order) holds."""


class Is(NamedTuple):
    """A condition: what `key` holds, or the `field` of its hash, is `value`; None: there is nothing."""

    key: str
    value: Value | None
    field: str | bytes | None = None


class KeyStore(Protocol):
    """Shared by all sessions of a beamline. May be used from several threads and greenlets.

    :raises StoreUnavailable: (from any call) the server cannot be reached; it is not known whether a change was made.
    :raises ForeignKeyError: (from any call) something of another kind stands under the key; commands on other keys of
        the same call have been run.
    """

    def run(self, *commands: Command, when: Sequence[Is] = ()) -> list[Any] | None:
        """Run commands in one step and return their replies as Redis gives them; None: a condition did not hold.

        The keys of one call share a hash tag (see `slot`). A reply is bytes, int, a flat list of bytes, or None.
        """

    def read(self, key: str) -> Value | None:
        """Return the whole value of a string, hash, list or sorted set (its members in order); None: there is none.

        Costs no round trip while nobody, here or elsewhere, has changed it: the server says so when somebody has. What
        is returned is shared: do not change it.
        """

    def fetch(self, keys: Iterable[str]) -> None:
        """Read several values that may have changed in one round trip, where that can be done: `read` of each then costs none."""

    def slot(self, key: str) -> int:
        """Return a number that is the same for keys which one `run` can change: those of one hash tag, or simply all."""

    def names(self, prefix: str) -> list[str]:
        """Return the keys that begin with `prefix`, sorted; slow, for people."""


def key_of(command: Command) -> str:
    key = command[1]
    return key.decode() if isinstance(key, bytes) else str(key)


def foreign(key: str, expected: str) -> ForeignKeyError:
    return ForeignKeyError(
        f"key {key!r}: expected {expected} of bliss_like, found something else. Another program uses this server and "
        f"this name: remove the key, or give bliss_like a server of its own with $BLISS_LIKE_REDIS"
    )
