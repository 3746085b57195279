"""What is remembered of an axis, in one hash that all sessions of the beamline share.

What people set (offset, limits, velocity...) is stored before the call returns. Where the axis is, is written behind, by
`motion_line`, so that a move waits for no server. Both are read from memory as long as nobody has changed them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any

from bliss_like.config.settings.base import default_store, fetch
from bliss_like.config.settings.properties import ObjectSettings
from bliss_like.devices import motion_line
from bliss_like.errors import DataError, StoreUnavailable

TRUST = 0.1
"""Seconds for which nobody else is expected to have changed what was just read, unless the motion line says so."""

_NEVER = object()
_silent_until = 0.0
"""When the server is asked again that has not answered; until then, what was known is taken by all axes."""

_NUMBERS = frozenset(
    "sign offset low_limit high_limit velocity velocity_low_limit velocity_high_limit jog_velocity acceleration backlash "
    "steps_per_unit target heading dial position".split()
)
"""What is calculated with."""


class AxisSettings(MutableMapping[str, Any]):
    """A dict that outlives the process.

    :param beamline: None: of this process alone, as for an axis that is not in the configuration.
    """

    def __init__(self, name: str, beamline: str | None = None) -> None:
        self.name, self.beamline = name, beamline
        self._hash = None if beamline is None else ObjectSettings(name, beamline)
        self._is_bound = False
        self._raw: Any = _NEVER
        self._now: Mapping[str, Any] = {}
        self._pending: dict[str, Any] = {}
        self._being_written: Mapping[str, Any] = {}
        self._nchanges = 0
        """How often something was changed here, or what was changed has come to the server."""
        self._nheld = 0
        self._looked = 0.0
        self._nnews = 0
        """How often somebody else is known to have changed something."""
        self._mutex = threading.Lock()

    @property
    def is_shared(self) -> bool:
        return self._hash is not None

    def now(self) -> Mapping[str, Any]:
        """Return all of it; as it was last known, when the server does not answer.

        :raises StoreUnavailable: the server has never answered.
        :raises DataError: somebody has written there what is no value of an axis.
        """
        if self._nheld or self._hash is None:
            return self._now
        began = time.monotonic()
        if began - self._looked < TRUST or not self._is_due(began):
            return self._now
        self._bind()
        before, news = self._nchanges, self._nnews
        try:
            raw = self._hash.raw()
        except StoreUnavailable:
            self._be_patient(time.monotonic() - began)
            if self._raw is _NEVER:
                raise
            return self._now
        if raw is not self._raw:
            known = self._known(self._hash, raw)
            with self._mutex:
                if self._nchanges != before:  # what was read may be older than that
                    return self._now
                known.update(self._pending)
                self._now = {key: value for key, value in known.items() if value is not None}
                self._raw = raw
        if self._nnews == news:
            self._looked = time.monotonic()
        return self._now

    def _is_due(self, now: float) -> bool:
        """Whether it is time to see if somebody else has changed something."""
        if self._hash is None or self._nheld or now - self._looked < TRUST:
            return False
        return now >= _silent_until or self._raw is _NEVER

    @staticmethod
    def _be_patient(seconds: float) -> None:
        """The server has let us wait for so long in vain: half of the time is enough to wait for it."""
        global _silent_until
        _silent_until = time.monotonic() + min(max(seconds, 0.1), 10.0)

    def _known(self, hash_: ObjectSettings, raw: Any) -> dict[str, Any]:
        """Return what is stored; what a later version has added is left alone."""
        values: dict[str, Any] = {}
        for key, value in (raw or {}).items():
            name = key.decode()
            try:
                values[name] = found = hash_.loaded({key: value})[name]
            except DataError:
                if name in _NUMBERS:
                    raise
                continue
            if found is None:
                del values[name]
            elif name in _NUMBERS and name not in self._pending:
                self._check(name, found)
        return values

    def _check(self, key: str, value: Any) -> None:
        if isinstance(value, int | float) and (key != "sign" or value in (1, -1)):
            return
        expected = "1 or -1" if key == "sign" else "a number"
        raise DataError(
            f"axis {self.name}: its setting {key!r} must be {expected}, found {value!r}. Another program has written it: set "
            f"it anew, {self.name}.settings[{key!r}] = ..., or let the configuration tell: del {self.name}.settings[{key!r}]"
        )

    def hold(self) -> None:
        """Know what is known until `let_go`: an axis in motion waits for no server, nor does what brakes it."""
        self._nheld += 1

    def let_go(self) -> None:
        """Once for each `hold`."""
        self._nheld -= 1

    def heard(self, values: Mapping[str, Any]) -> None:
        """Another process has changed these."""
        self.look_again()
        if self._nheld:
            self._set_here({**values, **self._pending})

    def _bind(self) -> None:
        """Stay with the store of the first use: an axis that outlives its session must not begin another one."""
        if not self._is_bound and self._hash is not None:
            self._hash = ObjectSettings(self.name, self.beamline or "", connection=default_store())
            motion_line.register_settings(self)
            self._is_bound = True

    def look_again(self) -> None:
        """Somebody else may have changed something just now."""
        self._looked = 0.0
        self._nnews += 1

    def store(self, **values: Any) -> None:
        """Set entries, for all sessions; None removes one.

        :raises StoreUnavailable: the server does not answer; nothing is changed here.
        """
        if self._hash is None:
            self._set_here(values)
            return
        self._bind()
        kept = {key: value for key, value in values.items() if value is not None}
        with self._mutex:
            replaced = {key: self._pending.pop(key) for key in values if key in self._pending}
            overtaken = {key: value for key, value in values.items() if key in self._being_written}
        try:
            self._hash.change(kept, remove=[key for key in values if key not in kept])
        except BaseException:
            with self._mutex:
                self._pending = replaced | self._pending
            raise
        with self._mutex:  # what was being written may have come after the change: once more
            self._pending = overtaken | self._pending
        self._set_here(values)
        motion_line.tell(self, values)

    def remember(self, **values: Any) -> None:
        """Set entries soon: at once here, some milliseconds later for all others. Never waits and never fails."""
        now = self._now
        if all(now.get(key, _NEVER) == value for key, value in values.items()):
            return
        with self._mutex:
            self._now = {**self._now, **values}
            self._nchanges += 1
            if self._hash is None:
                return
            self._pending.update(values)
        motion_line.tell(self)

    def _set_here(self, values: Mapping[str, Any]) -> None:
        with self._mutex:
            now = {**self._now, **values}
            self._nchanges += 1
            self._now = {key: value for key, value in now.items() if value is not None}

    # -- for the line ----------------------------------------------------------------------------------------------------

    def pending(self) -> Mapping[str, Any]:
        """Return what is to be written; `was_written` is called when it is."""
        with self._mutex:
            self._being_written = dict(self._pending)
            return self._being_written

    @property
    def hash(self) -> ObjectSettings | None:
        return self._hash

    def was_written(self, values: Mapping[str, Any]) -> None:
        """Drop what has been written, unless it was changed again meanwhile."""
        with self._mutex:
            self._being_written = {}
            self._nchanges += 1
            for key, value in values.items():
                if key in self._pending and self._pending[key] is value:
                    del self._pending[key]

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    # -- as a dict -------------------------------------------------------------------------------------------------------

    def __getitem__(self, key: str) -> Any:
        return self.now()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.store(**{key: value})

    def __delitem__(self, key: str) -> None:
        try:
            is_there = key in self
        except DataError:  # of no use as it is
            is_there = True
        if not is_there:
            raise KeyError(f"axis {self.name} remembers no {key!r}")
        self.store(**{key: None})

    def __iter__(self) -> Iterator[str]:
        return iter(self.now())

    def __len__(self) -> int:
        return len(self.now())

    def set(self, key: str, value: Any) -> None:
        """The same as `settings[key] = value`."""
        self[key] = value

    def __repr__(self) -> str:
        return f"<AxisSettings {self.name}: {dict(self.now())}>"


def look_together(settings: Iterable[AxisSettings]) -> None:
    """Ask the server in one round trip for what `now` of each would ask; what goes wrong, that tells."""
    began = time.monotonic()
    due = [each for each in settings if each._is_due(began)]
    if len(due) < 2:
        return
    for each in due:
        each._bind()
    try:
        fetch(each.hash for each in due if each.hash is not None)
    except DataError:
        return
