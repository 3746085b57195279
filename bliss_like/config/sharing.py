"""What this process shares with the others of its beamline: locks and live values, of the session or of a plain script."""

from __future__ import annotations

import atexit
import os
import time
from collections.abc import Callable

from bliss_like.data.store import StreamStore
from bliss_like.data.threads import begin_thread
from bliss_like.errors import ConfigError

from .live_line import LiveLine
from .lock_space import LockSpace

Call = Callable[[], object]


def _in_thread(call: Call) -> None:
    begin_thread(call, "bliss_like callback")


class Sharing:
    """One process on one beamline.

    :param sleep: how to wait; that of greenlets in a session.
    :param begin: makes a call beside all others, and is called from any thread; in a session, a greenlet of its thread.
    """

    def __init__(
        self,
        store: StreamStore,
        *,
        beamline: str = "",
        session: str = "",
        sleep: Callable[[float], None] = time.sleep,
        begin: Callable[[Call], object] = _in_thread,
    ) -> None:
        self.store, self.beamline, self.begin = store, beamline, begin
        self.locks = LockSpace(store.keys, beamline, session, sleep)
        self.line = LiveLine(store, beamline, begin)

    def close(self) -> None:
        """Give all locks back, and let all channels go."""
        self.line.close()
        self.locks.close()


_pid = os.getpid()
_of_session: Sharing | None = None
_of_script: Sharing | None = None


def use_sharing(sharing: Sharing | None) -> None:
    """Share as this one from now on, and close the one before; None: as a plain script. Done by the session."""
    global _of_session
    before, _of_session = _of_session, sharing
    if before is not None:
        before.close()


@atexit.register
def _close_all() -> None:
    """Give everything back before the interpreter ends under the threads that renew it."""
    for each in (_of_session, _of_script):
        if each is not None and os.getpid() == _pid:  # a forked child has nothing to give back
            each.close()


def sharing() -> Sharing:
    """Return what is used in this process: that of the session, else that of a script, on the server that is configured.

    :raises StoreUnavailable: the server does not answer.
    """
    global _of_script
    if _of_session is not None:
        return _of_session
    # Who has a session in memory, or only looks at YAML, needs no Redis client.
    from bliss_like.data.redis_store import connect

    store = connect()
    if _of_script is None or _of_script.store is not store:  # another one, too, after a fork
        _of_script = Sharing(store, beamline=_configured_beamline())
    return _of_script


def _configured_beamline() -> str:
    """Return the beamline that the configuration names; empty where there is no configuration."""
    try:
        from .config import get_config

        return get_config().beamline
    except (ImportError, ConfigError):
        return ""
