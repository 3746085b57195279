"""What the session shares with others of its beamline, done in its greenlets, and the interlock of what it drives."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import gevent

from bliss_like.config.config import Config
from bliss_like.config.lock_space import Holder, Holding, LockSpace, in_use
from bliss_like.config.sharing import Call, Sharing
from bliss_like.data.store import StreamStore
from bliss_like.errors import AlreadyLockedDevices, ObjectNotFound, StoreUnavailable

_log = logging.getLogger(__name__)

PATIENCE = 3.0
"""Seconds that a move waits for a server that does not answer, before it is made all the same."""

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
        self._silent_until = 0.0

    def claim(self, devices: Sequence[Any], purpose: str) -> Claims:
        names = [device.name for device in devices if self._is_exclusive(device)]
        holdings: list[Holding] = []
        if names and time.monotonic() >= self._silent_until:
            try:
                with gevent.Timeout(PATIENCE, StoreUnavailable(f"no answer for {PATIENCE:g} s")):
                    holdings = self._locks.acquire(names, owner=None, purpose=purpose, timeout=HANDOVER)
                self._silent_until = 0.0
            except AlreadyLockedDevices as error:
                raise self._refusal(error) from None
            except StoreUnavailable as error:
                if not self._silent_until:
                    _log.warning("%s: not known whether another session drives it: %s", ", ".join(names), error)
                self._silent_until = time.monotonic() + RETRY
        return Claims(self._locks, holdings)

    def _is_exclusive(self, device: Any) -> bool:
        try:
            written = self._config.get_config(device.name).get_inherited("interlock")
        except ObjectNotFound:
            return False
        return bool(getattr(device, "interlock", False) if written is None else written)

    def _refusal(self, error: AlreadyLockedDevices) -> AlreadyLockedDevices:
        holders = [each for each in error.holders if isinstance(each, Holder)]
        names = ", ".join(dict.fromkeys(holder.name for holder in holders))
        files = ", ".join(dict.fromkeys(self._config.get_config(holder.name).filename for holder in holders))
        return in_use(
            holders,
            f"wait, or end it there; to share {names} between sessions, write `interlock: false` for it in {files}",
        )
