"""Values and events shared live by all processes of a beamline.

::

    energy = Channel("energy", default_value=12.4, callback=show)
    energy.value = 13.0         # callbacks are called, in every process that has the channel

A value lives as long as one process has the channel, and callbacks are called as long as this one has it: keep it in a
variable. Values and events are what settings can hold; a callback that is a
method does not keep its object alive, and may set the channel itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from bliss_like.errors import DataError

from .live_line import Callback, SharedValue
from .settings.values import decode, encode
from .sharing import sharing

__all__ = ["Cache", "Channel", "EventChannel", "clear_cache"]

_NOTHING: Any = object()


class Channel:
    """A value shared live; there is one object of each name in a process.

    :param value: set at once.
    :param default_value: what the value is while nobody has set one.
    :param callback: called with the value whenever it was set, here or elsewhere; only the latest when they come fast.
    :param timeout: kept for those who ask for it: the value is known at once, nothing is waited for.
    :raises StoreUnavailable: the server cannot be reached.
    """

    _shared: SharedValue

    def __new__(cls, name: str, *_: Any, **__: Any) -> Self:
        if not isinstance(name, str) or not name:
            raise ValueError(f"Channel: expected a name, got {name!r}")
        shared = sharing().line.value(name)
        with shared.line.mutex:
            channel = shared.face()
            if channel is None:
                channel = super().__new__(cls)
                channel._shared, channel.default_value, channel.timeout = shared, None, None
                shared.face = weakref.ref(channel)
        return channel  # type: ignore[no-any-return]

    def __init__(
        self,
        name: str,
        value: Any = _NOTHING,
        default_value: Any = _NOTHING,
        callback: Callback | None = None,
        timeout: float | None = None,
    ) -> None:
        self.default_value: Any
        self.timeout: float | None
        if default_value is not _NOTHING:
            self.default_value = default_value
        if timeout is not None:
            self.timeout = timeout
        if callback is not None:
            self.register_callback(callback)
        if value is not _NOTHING:
            self.value = value

    @property
    def name(self) -> str:
        return self._shared.name

    @property
    def value(self) -> Any:
        """The latest value; setting it tells everybody, this process too.

        :raises StoreUnavailable: (setting) the server cannot be reached; it is not known whether the value was set.
        """
        stored = self._shared.stored
        return decode(stored.raw, f"channel {self.name}") if stored.version else self.default_value

    @value.setter
    def value(self, value: Any) -> None:
        if not self._shared.is_open:
            raise DataError(f"channel {self.name!r} is closed; make it anew: Channel({self.name!r})")
        self._shared.line.publish(self._shared, encode(value, f"channel {self.name}"))

    @property
    def is_set(self) -> bool:
        """Whether somebody has set a value."""
        return bool(self._shared.stored.version)

    def register_callback(self, callback: Callback) -> None:
        """Call `callback(value)` whenever the value is set from now on."""
        _check_callable(callback, self)
        self._shared.add(callback, partial(decode, what=f"channel {self.name}"), only_latest=True)

    def unregister_callback(self, callback: Callback) -> None:
        """Undo `register_callback`; not registered is no error."""
        self._shared.remove(callback)

    def close(self) -> None:
        """Let the value go: it vanishes when no other process has the channel."""
        self._shared.line.forget(self._shared)

    def __repr__(self) -> str:
        return f"<Channel {self.name}: {self.value!r}>"


class EventChannel:
    """Events that every process hears of that has the channel, all of them and in one order.

    An event stays on the line for a minute: a process that was away for longer may have missed some, and warns of it.
    """

    def __init__(self, name: str) -> None:
        """:raises StoreUnavailable: the server cannot be reached."""
        self.name = name
        self._listening = sharing().line.events(name)

    def post(self, event: Any) -> None:
        """Tell everybody, this process too.

        :raises StoreUnavailable: the server cannot be reached; it is not known whether the event was posted.
        """
        self._listening.line.post(self.name, encode(event, f"event channel {self.name}"))

    def register_callback(self, callback: Callable[[list[Any]], object]) -> None:
        """Call `callback(events)` with a list of all that came since it was called last."""
        _check_callable(callback, self)
        self._listening.add(callback, partial(decode, what=f"event channel {self.name}"))

    def unregister_callback(self, callback: Callable[[list[Any]], object]) -> None:
        """Undo `register_callback`; not registered is no error."""
        self._listening.remove(callback)

    def __repr__(self) -> str:
        return f"<EventChannel {self.name}>"


class Cache:
    """What is known of a device, shared by all processes that have the device: the channel `<device>:<key>`."""

    def __init__(self, device: Any, key: str, default_value: Any = None) -> None:
        """:param device: a device, or its name."""
        self._name = device if isinstance(device, str) else device.name
        self._channel = Channel(f"{self._name}:{key}")
        self._default_value = default_value
        _caches.add(self)

    @property
    def value(self) -> Any:
        return self._channel.value if self._channel.is_set else self._default_value

    @value.setter
    def value(self, value: Any) -> None:
        self._channel.value = value

    def clear(self) -> None:
        """Set the default value, for everybody."""
        self._channel.value = self._default_value

    def __repr__(self) -> str:
        return f"<Cache {self._channel.name}: {self.value!r}>"


_caches: weakref.WeakSet[Cache] = weakref.WeakSet()


def clear_cache(*devices: Any) -> None:
    """Set the caches of these devices that this process has to their default values; without devices, all of them."""
    names = [device if isinstance(device, str) else device.name for device in devices]
    for cache in list(_caches):
        if (not devices or cache._name in names) and cache._channel._shared.is_open:
            cache.clear()


def _check_callable(callback: object, channel: Channel | EventChannel) -> None:
    if not callable(callback):
        raise TypeError(f"{channel!r}: expected a callback, got {callback!r}")
