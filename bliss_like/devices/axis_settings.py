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
        self._looked = 0.0
        self._writes = 0
        """How often something that was changed here has come to the server."""
        self._mutex = threading.Lock()

    @property
    def is_shared(self) -> bool:
        return self._hash is not None

    @property
    def is_due(self) -> bool:
        """Whether `now` has to look whether somebody else has changed something."""
        return self._hash is not None and time.monotonic() - self._looked >= TRUST

    def now(self) -> Mapping[str, Any]:
        """Return all of it; as it was last known, when the server does not answer.

        :raises StoreUnavailable: the server has never answered.
        """
        if self._hash is None or not self.is_due:
            return self._now
        self._bind()
        writes = self._writes
        try:
            raw = self._hash.raw()
        except StoreUnavailable:
            if self._raw is _NEVER:
                raise
            self._looked = time.monotonic()
            return self._now
        if raw is not self._raw:
            with self._mutex:
                if writes != self._writes:  # the answer may be older than what is pending no more
                    return self._now
                known = {**self._hash.loaded(raw), **self._pending}
                self._now = {key: value for key, value in known.items() if value is not None}
                self._raw = raw
        self._looked = time.monotonic()
        return self._now

    def _bind(self) -> None:
        """Stay with the store of the first use: an axis that outlives its session must not begin another one."""
        if not self._is_bound and self._hash is not None:
            self._hash = ObjectSettings(self.name, self.beamline or "", connection=default_store())
            self._is_bound = True

    def look_again(self) -> None:
        """Somebody else may have changed something just now."""
        self._looked = 0.0

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
            self._writes += 1
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
            if self._hash is None:
                return
            self._pending.update(values)
        motion_line.tell(self)

    def _set_here(self, values: Mapping[str, Any]) -> None:
        with self._mutex:
            now = {**self._now, **values}
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
            self._writes += 1
            self._being_written = {}
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
        if key not in self:
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
    due = [each for each in settings if each.is_due]
    if len(due) < 2:
        return
    for each in due:
        each._bind()
    try:
        fetch(each.hash for each in due if each.hash is not None)
    except DataError:
        return
