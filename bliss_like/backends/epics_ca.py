"""Channel Access signals, over the libca that pyepics brings.

No call here waits for the network: requests are answered by callbacks that libca runs in its own thread and that
`Crossing` hands over to the hub. pyepics' own waiting calls would stop every greenlet, and its put callback reports a
write that the server refused as done; so gets and puts go to libca with callbacks that look at the status.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import math
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from epics import ca, dbr
from gevent.event import AsyncResult, Event

from bliss_like.backends.crossing import Crossing, wait_for
from bliss_like.data.threads import begin_thread
from bliss_like.devices.signal import DEFAULT_TIMEOUT, Description, Listeners, Reading, fitted, tell
from bliss_like.errors import DeviceError, NotConnectedError

ALARMS = ("", "MINOR", "MAJOR", "INVALID")
"""Severity number of Channel Access -> alarm of a reading."""

LEAVING = 1.0
"""Seconds that libca has to end with the process."""

_channels: dict[str, Channel] = {}


@functools.cache
def _crossing() -> Crossing:
    """Made at the first use, in the main thread: elsewhere libca would find the wrong library and another context."""
    crossing = Crossing()
    ca.initialize_libca()
    _leave_in_time()
    return crossing


def _leave_in_time() -> None:
    """End libca with the process, but do not wait for it: of a server that is frozen it takes leave for half a minute.

    The thread in which that may go on is begun now, as at the end of a process none can be.
    """
    context, is_the_end = ca.current_context(), threading.Event()

    def leave() -> None:
        is_the_end.wait()
        ca.attach_context(context)
        ca.finalize_libca()

    thread = begin_thread(leave, "libca's end")

    def end() -> None:
        is_the_end.set()
        thread.join(LEAVING)
        if thread.is_alive():  # it is about to complain of sockets that the end of the process has closed
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

    atexit.unregister(ca.finalize_libca)
    atexit.register(end)


class ChannelAccess:
    """The backend of `ca://` addresses; libca looks for the process variable from the start."""

    def __init__(self, address: str) -> None:
        self.address = address
        pv = address.partition("://")[2]
        if pv not in _channels:
            _channels[pv] = Channel(pv)
        self._channel = _channels[pv]
        self._subscriptions: list[Callable[[], None]] = []

    @property
    def connected(self) -> bool:
        return self._channel.connected

    def connect(self, timeout: float) -> None:
        self._channel.connect(timeout)

    def describe(self) -> Description:
        return self._channel.describe(DEFAULT_TIMEOUT)

    def get(self, timeout: float) -> Reading:
        return self._channel.get(timeout)

    def put(self, value: Any, wait: bool, timeout: float | None) -> None:
        self._channel.put(value, wait, timeout)

    def subscribe(self, callback: Callable[[Reading], None]) -> Callable[[], None]:
        unsubscribe = self._channel.subscribe(callback)
        self._subscriptions.append(unsubscribe)
        return unsubscribe

    def close(self) -> None:
        while self._subscriptions:
            self._subscriptions.pop()()


class Channel:
    """One process variable; all signals of its name share it, for the life of the process."""

    def __init__(self, pv: str) -> None:
        self.pv = pv
        self._post = _crossing().post
        self._up = Event()
        self._sought_since = time.monotonic()
        self._was_connected = False
        self._description: Description | None = None
        self._listeners = Listeners()
        self._monitor: Any = None
        self._latest: Reading | None = None
        self._write: _Request | None = None
        with _silent_repeater():
            self._chid = ca.create_channel(pv, callback=self._on_connection)
        ca.flush_io()

    # -- connection ----------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        if self._up.is_set() and not ca.isConnected(self._chid):
            self._disconnected()  # libca knows it already, its callback is still on the way to the hub
        return self._up.is_set()

    def _kind(self) -> int:
        """The native type, as Channel Access numbers it."""
        kind: int = ca.field_type(self._chid)
        if kind not in dbr.Map:
            raise self._lost()
        return kind

    def _on_connection(self, conn: bool, **_: Any) -> None:
        self._post(self._connected if conn else self._disconnected)

    def _connected(self) -> None:
        self._was_connected = True
        self._up.set()

    def _disconnected(self) -> None:
        self._sought_since = time.monotonic()
        self._description = None
        self._latest = None
        self._up.clear()

    def connect(self, timeout: float) -> None:
        """Wait until it has been sought for `timeout` seconds: not again for what was not found, but libca goes on."""
        remaining = self._sought_since + timeout - time.monotonic()
        if self.connected or (remaining > 0 and self._up.wait(remaining)):
            return
        if self._was_connected:
            raise self._lost()
        where = os.environ.get("EPICS_CA_ADDR_LIST", "")
        raise NotConnectedError(
            f"process variable {self.pv} was not found within {timeout:g} s. Is its IOC running, and is the IOC's "
            f"address in EPICS_CA_ADDR_LIST (now {where!r})?"
        )

    def _refused(self, status: int) -> DeviceError:
        if not self.connected:
            return self._lost()
        return DeviceError(f"process variable {self.pv}: {ca.message(status)}")

    def _lost(self) -> NotConnectedError:
        return NotConnectedError(
            f"process variable {self.pv}: the connection to its IOC is lost. Is the IOC running? It is looked for, and "
            "will be used again as soon as it is found"
        )

    # -- reading -------------------------------------------------------------------------------------------------------

    def describe(self, timeout: float) -> Description:
        if self._description is None:
            kind = self._kind()
            _, metadata = self._ask(ca.promote_fieldtype(kind, use_ctrl=True), timeout)
            count = ca.element_count(self._chid)
            self._description = Description(
                dtype=np.dtype(dbr.NP_Map.get(kind, str)),
                shape=(count,) if count > 1 else (),
                unit=metadata.get("units") or None,
                choices=metadata.get("enum_strs", ()),
                writable=bool(ca.write_access(self._chid)),
            )
        return self._description

    def get(self, timeout: float) -> Reading:
        kind = ca.promote_fieldtype(self._kind(), use_time=True)
        return _reading(*self._ask(kind, timeout))

    def _ask(self, kind: int, timeout: float) -> tuple[Any, dict[str, Any]]:
        """Get a value with its metadata from the server: a round trip."""
        request = _Request(self._post)
        status = ca.libca.ca_array_get_callback(kind, 0, self._chid, _ANSWERED, request.as_argument())
        ca.flush_io()
        try:
            answer: tuple[Any, dict[str, Any]] = self._wait(request, status, timeout)
        except TimeoutError:
            raise NotConnectedError(f"process variable {self.pv}: no answer within {timeout:g} s") from None
        return answer

    def _wait(self, request: _Request, status: int, timeout: float | None) -> Any:
        if status != dbr.ECA_NORMAL:
            request.answer(status)
            raise self._refused(status)
        try:
            return wait_for(request.result, timeout)
        except _StatusError as error:
            raise self._refused(error.status) from None

    # -- writing -------------------------------------------------------------------------------------------------------

    def put(self, value: Any, wait: bool, timeout: float | None) -> None:
        kind = self._kind()
        data, count = self._packed(value, kind)
        if not wait:
            status = ca.libca.ca_array_put(kind, count, self._chid, data)
            ca.flush_io()
            if status != dbr.ECA_NORMAL:
                raise self._refused(status)
            return
        deadline = None if timeout is None else time.monotonic() + timeout
        self._wait_for_former_write(value, timeout)
        self._write = request = _Request(self._post)
        status = ca.libca.ca_array_put_callback(kind, count, self._chid, data, _WRITTEN, request.as_argument())
        ca.flush_io()
        try:
            self._wait(request, status, None if deadline is None else max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            raise DeviceError(f"process variable {self.pv}: setting it to {value!r} took over {timeout:g} s") from None

    def _wait_for_former_write(self, value: Any, timeout: float | None) -> None:
        """A server handles nothing else of this process, not even a stop, while a second one waits for the first."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while (former := self._write) is not None and not former.result.ready():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise DeviceError(
                    f"process variable {self.pv} was not set to {value!r}: its server has not completed the write before "
                    f"for {timeout:g} s. Stop what that has started, or write without waiting"
                )
            former.result.wait(None if math.isinf(remaining) else remaining)

    def _packed(self, value: Any, kind: int) -> tuple[Any, int]:
        """The value as libca takes it: a pointer and a number of elements."""
        size = ca.element_count(self._chid)
        if kind == dbr.STRING:
            texts = [value] if isinstance(value, str) else [str(text) for text in value]
            if any(len(text.encode()) > 39 for text in texts):
                raise DeviceError(f"process variable {self.pv} holds strings of at most 39 bytes, got {value!r}")
            strings = (dbr.Map[kind] * len(texts))()
            for slot, text in zip(strings, texts, strict=True):
                slot.value = text.encode()
            return strings, len(texts)
        if isinstance(value, str):
            value = self._from_text(value, kind)
        try:
            array = np.ascontiguousarray(np.atleast_1d(fitted(value, np.dtype(dbr.NP_Map[kind]))))
        except ValueError as error:
            raise DeviceError(f"process variable {self.pv} cannot be set: {error}") from None
        if array.ndim != 1 or array.size > size:
            raise DeviceError(f"process variable {self.pv} cannot be set: expected {size} values, got {array.shape}")
        return array.ctypes.data_as(ctypes.c_void_p), array.size

    def _from_text(self, text: str, kind: int) -> Any:
        if kind == dbr.CHAR:
            return np.frombuffer(text.encode() + b"\0", np.uint8)
        choices = self.describe(DEFAULT_TIMEOUT).choices
        if text in choices:
            return np.uint16(choices.index(text))
        expected = f"one of {', '.join(choices)}" if choices else "a number"
        raise DeviceError(f"process variable {self.pv} cannot be set: expected {expected}, got {text!r}")

    # -- monitoring ----------------------------------------------------------------------------------------------------

    def subscribe(self, callback: Callable[[Reading], None]) -> Callable[[], None]:
        """Listeners share one monitor; libca restores it by itself after a break."""

        def unsubscribe() -> None:
            remove()
            if not self._listeners and self._monitor is not None:
                monitor, self._monitor, self._latest = self._monitor, None, None
                ca.clear_subscription(monitor[2])

        if not self.connected:
            raise self._lost()
        remove = self._listeners.add(callback)
        if self._monitor is None:
            self._monitor = ca.create_subscription(self._chid, use_time=True, callback=self._on_update)
        elif self._latest is not None:
            tell(callback, self._latest)
        return unsubscribe

    def _on_update(self, value: Any, **metadata: Any) -> None:
        self._post(self._deliver, _reading(value, metadata))

    def _deliver(self, reading: Reading) -> None:
        if self._monitor is None:
            return
        self._latest = reading
        self._listeners.tell(reading)


@contextmanager
def _silent_repeater() -> Iterator[None]:
    """Keep libca's complaint that it found no `caRepeater` off the terminal.

    pyepics ships none. It would relay beacons, which only make reconnecting faster; where one is installed, libca starts it.
    The complaint comes from a child that libca forks with the first channel.
    """
    if _channels or shutil.which("caRepeater"):
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _reading(value: Any, metadata: dict[str, Any]) -> Reading:
    return Reading(value, metadata["timestamp"], ALARMS[metadata["severity"]])


class _StatusError(Exception):
    """The server answered with a status that is not normal."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class _Request:
    """What libca is handed with a request, and hands back with the answer.

    It must live until then, also when nobody waits any more: libca keeps its bare address. libca does call back in every
    case, if only when the connection breaks.
    """

    _in_flight: set[_Request] = set()

    def __init__(self, post: Callable[..., None]) -> None:
        self.result: AsyncResult[Any] = AsyncResult()
        self._post = post
        self._in_flight.add(self)

    def as_argument(self) -> Any:
        return ctypes.py_object(self)

    def answer(self, status: int, value: Any = None) -> None:
        """Called in libca's thread, exactly once."""
        if status == dbr.ECA_NORMAL:
            self._post(self.result.set, value)
        else:
            self._post(self.result.set_exception, _StatusError(status))
        self.forget()

    def forget(self) -> None:
        self._in_flight.discard(self)


def _on_answer(args: Any) -> None:
    if args.status != dbr.ECA_NORMAL:
        args.usr.answer(args.status)
        return
    raw = dbr.cast_args(args)
    metadata = ca._unpack_metadata(args.type, raw[0])
    args.usr.answer(args.status, (ca._unpack(args.chid, raw, count=args.count, ftype=args.type), metadata))


def _on_written(args: Any) -> None:
    args.usr.answer(args.status)


_ANSWERED = dbr.make_callback(_on_answer, dbr.event_handler_args)
_WRITTEN = dbr.make_callback(_on_written, dbr.event_handler_args)
