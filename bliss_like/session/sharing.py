"""What the session shares with others of its beamline, done in its greenlets, and the interlock of what it drives."""

from __future__ import annotations

import logging
import time
import weakref
from collections.abc import Sequence
from typing import Any

import gevent

from bliss_like.config.config import Config
from bliss_like.config.lock_holder import Holder, in_use
from bliss_like.config.lock_space import Holding, LockSpace
from bliss_like.config.locks import BY_HAND
from bliss_like.config.sharing import Call, Sharing
from bliss_like.data.store import StreamStore
from bliss_like.errors import AlreadyLockedDevices, DataError, ObjectNotFound, StoreUnavailable

_log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a move waits for a server that does not answer, before it is made all the same."""

PAUSE = 0.1
"""Seconds between two attempts to reach it."""

HANDOVER = 0.2
"""Seconds that a claim waits for another session that may just be giving the device back."""

RETRY = 10.0
"""Seconds for which nobody is asked after the server did not answer."""


def share(store: StreamStore, beamline: str, session: str) -> Sharing:
    """Return what a session shares; callbacks run in greenlets of the present thread."""
    loop = gevent.get_hub().loop

    def begin(call: Call) -> None:
        loop.run_callback_threadsafe(gevent.spawn, call)

    return Sharing(store, beamline=beamline, session=session, sleep=gevent.sleep, begin=begin)


class Claims:
    """Locks that are held while something is driven."""

    def __init__(self, locks: LockSpace, holdings: Sequence[Holding]) -> None:
        self._locks, self._holdings = locks, holdings

    def release(self) -> None:
        holdings, self._holdings = self._holdings, ()
        self._locks.release(holdings, wait=False)


class SessionInterlock:
    """Claims by locks of the beamline. A device that is not in the configuration is of this session alone."""

    def __init__(self, locks: LockSpace, config: Config) -> None:
        self._locks, self._config = locks, config
        self._rules: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()
        self._silent_until = 0.0

    def claim(self, devices: Sequence[Any], purpose: str) -> Claims:
        names = [device.name for device in devices if self._is_exclusive(device)]
        holdings = self._locks.again(names)
        if holdings is None:
            try:
                holdings = self._ask(names, purpose)
            except AlreadyLockedDevices as error:
                raise self._refusal(error) from None
            for device in devices:
                if (taken_over := getattr(type(device), "taken_over", None)) is not None:
                    taken_over(device)
        return Claims(self._locks, holdings)

    def _ask(self, names: Sequence[str], purpose: str) -> list[Holding]:
        """Take the locks; none, when the server does not give them, whoever has them: devices can be driven all the same."""
        if time.monotonic() < self._silent_until:
            return []
        patience, reason = gevent.Timeout(PATIENCE), f"the server has not answered for {PATIENCE:g} s"
        try:
            with patience:
                while True:
                    try:
                        holdings = self._locks.acquire(names, owner=None, purpose=purpose, timeout=HANDOVER)
                        self._silent_until = 0.0
                        return holdings
                    except StoreUnavailable as error:  # it may just be starting again
                        reason = str(error)
                        gevent.sleep(PAUSE)
        except DataError as error:  # it is full, or may not be written
            reason = str(error)
        except gevent.Timeout as timeout:
            if timeout is not patience:
                raise
        if not self._silent_until:
            _log.warning("%s: not known whether another session drives it: %s", ", ".join(names), reason)
        self._silent_until = time.monotonic() + RETRY
        return []

    def _is_exclusive(self, device: Any) -> bool:
        try:
            rule = self._rules.get(device)
            if rule is None:
                rule = self._rules[device] = self._rule(device)
            return rule
        except TypeError:  # a device that cannot be a key
            return self._rule(device)

    def _rule(self, device: Any) -> bool:
        try:
            written = self._config.get_config(device.name).get_inherited("interlock")
        except ObjectNotFound:
            return False
        return bool(getattr(device, "interlock", False) if written is None else written)

    def _refusal(self, error: AlreadyLockedDevices) -> AlreadyLockedDevices:
        holders = [each for each in error.holders if isinstance(each, Holder)]
        if any(holder.purpose == BY_HAND for holder in holders):
            return error
        names = ", ".join(dict.fromkeys(holder.name for holder in holders))
        files = ", ".join(dict.fromkeys(self._config.get_config(holder.name).filename for holder in holders))
        return in_use(
            holders,
            f"wait, or end it there; to share {names} between sessions, write `interlock: false` for it in {files}",
        )
