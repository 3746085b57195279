"""What all settings have in common: a name, the store that they are in, and how a change is made that loses none."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from fnmatch import fnmatchcase
from typing import Any

from bliss_like.data import paths
from bliss_like.data.key_store import Command, Is, KeyStore, Value, foreign
from bliss_like.data.server import HOME_VARIABLE, URL_VARIABLE
from bliss_like.errors import DataError

from .values import decode, encode

Conversion = Callable[[Any], Any]

_PATIENCE = 30.0
"""Seconds for which a change is tried again while others change the same setting."""
_store: KeyStore | None = None
_connected: dict[tuple[int, str | None, str | None], KeyStore] = {}
_gathering: ContextVar[dict[int, Pipeline] | None] = ContextVar("bliss_like_settings_pipeline", default=None)


def use_store(store: KeyStore | None) -> KeyStore | None:
    """Let settings be in `store` from now on, unless they name another; None: in that of `connect()`.

    Return what was used before, None if that was the one of `connect()`.
    """
    global _store
    before, _store = _store, store
    return before


def default_store() -> KeyStore:
    """Return where settings are that name no store.

    :raises StoreUnavailable: no server answers.
    """
    if _store is not None:
        return _store
    where = (os.getpid(), os.environ.get(URL_VARIABLE), os.environ.get(HOME_VARIABLE))
    if where not in _connected:  # connect() would ask each time whether the embedded server runs
        from bliss_like.data.redis_store import connect

        _connected[where] = connect().keys
    return _connected[where]


def scan(match: str = "*", count: int = 1000, connection: KeyStore | None = None) -> Iterator[str]:
    """Return the names of the settings that match a pattern, sorted.

    :param match: with `*`, `?` and `[...]` as in a shell.
    :param count: has no effect; for scripts from BLISS.
    """
    store = connection if connection is not None else default_store()
    prefix = paths.setting("")
    names = (paths.setting_name(key) for key in store.names(prefix[:-1]))
    return iter([name for name in names if fnmatchcase(name, match)])


class BaseSetting:
    """A value under a name, shared by all processes of the beamline.

    :param name: without braces; what begins alike, as in `eh1:slits:offset`, stands together in `scan`.
    :param connection: the store to use; by default that of the session.
    :param read_type_conversion: applied to what was read.
    :param write_type_conversion: applied to what is to be stored; neither is needed, values keep their types.
    :raises ValueError: the name is empty or has braces in it.
    """

    _kind: type = bytes

    def __init__(
        self,
        name: str,
        connection: KeyStore | None = None,
        read_type_conversion: Conversion | None = None,
        write_type_conversion: Conversion | None = None,
    ) -> None:
        self._key = paths.setting(paths.check_setting_name(name))
        self._name = name
        self._connection = connection
        self._read_conversion, self._write_conversion = read_type_conversion, write_type_conversion

    @property
    def name(self) -> str:
        return self._name

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name!r}>"

    def clear(self) -> None:
        """Forget the value; the default comes back."""
        self._run(("DEL", self._key))

    def ttl(self, ttl_value: float | None = -1) -> float | bool | None:
        """Return in how many seconds the value is forgotten, None: never, or not there; or set this.

        :param ttl_value: seconds from now; None: never.
        """
        if ttl_value is None:
            return bool(self._run(("PERSIST", self._key)))
        if ttl_value != -1:
            return bool(self._run(("PEXPIRE", self._key, int(ttl_value * 1000))))
        left = self._store.run(("PTTL", self._key))
        return left[0] / 1000 if left and left[0] >= 0 else None

    @property
    def _store(self) -> KeyStore:
        return self._connection if self._connection is not None else default_store()

    @property
    def _what(self) -> str:
        return f"setting {self._name!r}"

    def _dump(self, value: object, where: str = "") -> bytes:
        return encode(self._write_conversion(value) if self._write_conversion else value, f"{self._what}{where}")

    def _load(self, raw: bytes, where: str = "") -> Any:
        value = decode(raw, f"{self._what}{where}")
        return self._read_conversion(value) if self._read_conversion else value

    def _read(self) -> Any:
        """Return all that is stored, as bytes; None: nothing is."""
        value = self._store.read(self._key)
        if value is not None and not isinstance(value, self._kind):
            raise foreign(self._key, f"the value of a {type(self).__name__}")
        return value

    def _run(self, *commands: Command) -> Any:
        """Run commands in one step and return the reply to the last; in a pipeline, later."""
        gathered = (_gathering.get() or {}).get(id(self))
        if gathered is not None:
            gathered.add(self._store, self._key, commands)
            return None
        replies = self._store.run(*commands)
        return replies[-1] if replies else None

    @property
    def _is_in_pipeline(self) -> bool:
        return id(self) in (_gathering.get() or {})

    def _refuse_in_pipeline(self) -> None:
        if self._is_in_pipeline:
            raise RuntimeError(
                f"{self._what}: what depends on the present value cannot be part of a pipeline, which changes it later. Expected "
                f"a plain set, append or remove; do the rest outside"
            )

    def _change(self, alter: Callable[[Any], tuple[Sequence[Command], Any]]) -> Any:
        """Make a change that depends on what is there; again, when it was changed meanwhile.

        :param alter: takes what is stored, returns the commands that change it, and what this returns in the end.
        :raises DataError: others changed it all the time.
        """
        self._refuse_in_pipeline()
        deadline = time.monotonic() + _PATIENCE
        while True:
            found: Value | None = self._read()
            commands, result = alter(found)
            if not commands or self._store.run(*commands, when=[Is(self._key, found)]) is not None:
                return result
            if time.monotonic() > deadline:
                raise DataError(
                    f"{self._what}: other processes changed it without a pause for {_PATIENCE:.0f} s. Which ones?"
                )


def fetch(settings: Iterable[BaseSetting]) -> None:
    """Read settings in one round trip, those that have changed: the next reading of each costs none."""
    by_store: dict[KeyStore, list[str]] = {}
    for setting in settings:
        by_store.setdefault(setting._store, []).append(setting._key)
    for store, keys in by_store.items():
        store.fetch(keys)


class Pipeline:
    """Changes of settings that are made together."""

    def __init__(self) -> None:
        self._steps: dict[tuple[int, int], tuple[KeyStore, list[Command]]] = {}

    def add(self, store: KeyStore, key: str, commands: Sequence[Command]) -> None:
        self._steps.setdefault((id(store), store.slot(key)), (store, []))[1].extend(commands)

    def execute(self) -> list[Any]:
        """Make the changes gathered so far and return the replies of the store."""
        steps, self._steps = self._steps, {}
        return [reply for store, commands in steps.values() for reply in store.run(*commands) or ()]


@contextmanager
def pipeline(*settings: Any) -> Iterator[Pipeline]:
    """Gather the changes made to these settings and make them at the end: all in one step, or none if the block fails.

    On a cluster, one step a setting. What is read meanwhile is what was there before.
    """
    gathered = Pipeline()
    own = {id(getattr(setting, "_proxy", setting)): gathered for setting in settings}  # a Struct has its setting inside
    token = _gathering.set({**(_gathering.get() or {}), **own})
    try:
        yield gathered
    finally:
        _gathering.reset(token)
    gathered.execute()
