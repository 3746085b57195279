"""The signals that devices send inside one process, named once; what other processes see is in `data.events`.

Receivers are held weakly: keep a reference to the callback, or it goes silent.
"""

from __future__ import annotations

import enum
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import louie

_log = logging.getLogger(__name__)


class AxisEvent(enum.Enum):
    """What an axis tells, and the value that comes with it."""

    POSITION = "position"
    """The user position, also in motion: float."""
    STATE = "state"
    """The state changed: AxisState."""
    MOVE_DONE = "move_done"
    """False when a motion starts, True when it is over, whatever its end."""
    LIMITS = "limits"
    """The user limits changed: (low, high)."""
    VELOCITY = "velocity"
    """The velocity changed: float."""
    ACCELERATION = "acceleration"
    """The acceleration changed: float."""
    SYNC_HARD = "sync_hard"
    """The axis has taken the position of its hardware for the one it was sent to: the user position."""
    INTERNAL_MOVE_DONE = "internal_move_done"
    """As MOVE_DONE, and before it."""
    MESSAGE = "msg"
    """What people are told of a motion that starts: str."""


class ShutterEvent(enum.Enum):
    """What a shutter or a valve tells."""

    STATE = "state"
    """The state changed: BaseShutterState."""


def connect(sender: Any, event: enum.Enum, callback: Callable[..., Any]) -> None:
    """Call `callback(value)` at each `event` of `sender`; the callback must not block."""
    louie.connect(callback, signal=event, sender=sender)


def disconnect(sender: Any, event: enum.Enum, callback: Callable[..., Any]) -> None:
    """Undo `connect`; not connected is no error."""
    try:
        louie.disconnect(callback, signal=event, sender=sender)
    except louie.error.DispatcherKeyError:
        return


def has_receivers(sender: Any, event: enum.Enum) -> bool:
    """Tell whether somebody listens: what costs time to find out need not be found out for nobody."""
    return bool(louie.dispatcher.get_receivers(sender, event))


_News = tuple[enum.Enum, Any, Callable[[Any], Any] | None]

_waiting: dict[int, deque[_News]] = {}
"""By the id of a sender while its receivers are being told: what is to be told next."""
_mutex = threading.RLock()


def send(sender: Any, event: enum.Enum, value: Any, make: Callable[[Any], Any] | None = None) -> None:
    """Tell every receiver; one that raises is logged and stops neither the others nor the device.

    What is sent while a receiver of the same sender waits for something is told after it, by the greenlet that tells: nobody
    hears of older things after newer ones.

    :param make: makes of `value` what is told, when there is somebody to tell.
    """
    if not louie.dispatcher.get_receivers(sender, event):  # `connect` always names the sender
        return
    tells = False
    try:
        with _mutex:
            tells = id(sender) not in _waiting
            _waiting.setdefault(id(sender), deque()).append((event, value, make))
        while tells and (news := _next(sender)):
            _tell(sender, *news)
    except BaseException:
        if tells:  # killed, or interrupted: the rest is told all the same
            gevent.spawn(_tell_rest, sender)
        raise


def _next(sender: Any) -> _News | None:
    """Return what is to be told next; with nothing, the telling is over."""
    with _mutex:
        waiting = _waiting.get(id(sender))
        if waiting:
            return waiting.popleft()
        _waiting.pop(id(sender), None)
        return None


def _tell_rest(sender: Any) -> None:
    try:
        while news := _next(sender):
            _tell(sender, *news)
    except BaseException:
        gevent.spawn(_tell_rest, sender)
        raise


def _tell(sender: Any, event: enum.Enum, value: Any, make: Callable[[Any], Any] | None) -> None:
    receivers = louie.dispatcher.get_receivers(sender, event)
    for receiver in louie.dispatcher.live_receivers(list(receivers)) if receivers else ():
        try:
            receiver(make(value) if make else value)
        except (Exception, gevent.Timeout):  # noqa: BLE001 - a listener's mistake is no reason to leave a motion unattended
            _log.exception("%r, receiver of %s of %s, failed", receiver, event.name, getattr(sender, "name", sender))
