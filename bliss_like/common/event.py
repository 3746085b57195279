"""`bliss.common.event`: what axes tell, by the names that BLISS gives it: `connect(roby, "move_done", callback)`."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

from bliss_like.devices import events
from bliss_like.devices.events import AxisEvent

__all__ = ["AxisEvent", "connect", "disconnect", "send"]


def connect(sender: Any, signal: str | enum.Enum, callback: Callable[..., Any]) -> None:
    """Call `callback(value)` at each signal of `sender`; it is held weakly."""
    events.connect(sender, _event(signal), callback)


def disconnect(sender: Any, signal: str | enum.Enum, callback: Callable[..., Any]) -> None:
    """Undo `connect`."""
    events.disconnect(sender, _event(signal), callback)


def send(sender: Any, signal: str | enum.Enum, value: Any) -> None:
    """Tell every receiver."""
    events.send(sender, _event(signal), value)


def _event(signal: str | enum.Enum) -> enum.Enum:
    """:raises ValueError: axes have no such signal."""
    try:
        return signal if isinstance(signal, enum.Enum) else AxisEvent(signal)
    except ValueError:
        known = ", ".join(str(event.value) for event in AxisEvent)
        raise ValueError(f"no signal {signal!r}; there are {known}") from None
