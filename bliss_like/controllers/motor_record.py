"""One EPICS motor record: its fields, and what happens to what was sent to it.

The invariant: a motion that was sent is over when its write was answered, DMOV says so, and DMOV was seen to fall since.
None of them alone will do. Some servers answer the write before the motor has started, and DMOV falls later still; a short
motion is over before anybody looks, but its fall and rise are both told by the subscription. A record that has answered
and never let DMOV fall is taken to have refused, `START_PATIENCE` after its answer.

Source: the documentation of the motor record, https://epics-motor.readthedocs.io, and what its release 7 was seen to do.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import gevent
from gevent.event import Event

from bliss_like.devices.reading import side_by_side
from bliss_like.devices.signal import Reading, Signal, connect_together, open_signal
from bliss_like.errors import DeviceError, NotConnectedError

T = TypeVar("T")

START_PATIENCE = 0.5
"""Seconds from the answer to a write until DMOV must have fallen."""

WATCHED = tuple("DMOV RBV OFF DIR HLM LLM HLS LLS MSTA SPMG SET CNEN RDBD MRES".split())
"""Fields whose changes are subscribed to."""

OF_THE_SCALE = ("RBV", "OFF", "DIR", "HLM", "LLM")

OF_THE_STATE = ("RBV", "HLS", "LLS", "MSTA", "SPMG", "SET", "CNEN")

COMMANDS = ("VAL", "STOP")
"""Fields that must be there at once when they are needed."""

STOPPED, PAUSED, MOVE_ONCE, GO = range(4)
"""Values of SPMG."""

HOME_SWITCH = 0x8 | 0x80
PROBLEM = 0x200
SLIP_STALL = 0x40
CAN_SWITCH_POWER = 0x800
COMMUNICATION_ERROR = 0x1000
HOMED = 0x4000
"""Bits of MSTA."""

WORDS = (
    (COMMUNICATION_ERROR, "COMM_ERROR", "the IOC cannot reach the motor controller"),
    (PROBLEM, "PROBLEM", "the IOC has given up following the motor"),
    (SLIP_STALL, "SLIP_STALL", "the motor has slipped or stalled"),
)
"""Bits of MSTA that are faults, with the state that each is told as."""


class MotorRecord:
    """The fields of one record as this process sees them, and the one motion that this process has sent."""

    def __init__(self, address: str, changed: Callable[[str], None]) -> None:
        """:param changed: called, in the hub, with the name of a watched field that has a new value."""
        self.address = address
        self._changed = changed
        self._signals: dict[str, Signal] = {}
        self._latest: dict[str, Any] = {}
        self._complete = Event()
        self._watched = False
        self._writing: gevent.Greenlet[[str, Any], None] | None = None
        self._error: Exception | None = None
        self._is_wanted = False
        self._answered = 0.0
        self._fell = True
        self._stop_is_due = False

    def __repr__(self) -> str:
        return f"<MotorRecord {self.address}>"

    # -- fields --------------------------------------------------------------------------------------------------------

    def field(self, name: str) -> Signal:
        """The signal of a field, such as BDST."""
        if name not in self._signals:
            self._signals[name] = open_signal(f"{self.address}.{name}")
        return self._signals[name]

    @property
    def timeout(self) -> float:
        """Seconds to wait for an answer."""
        return self.field("RBV").timeout

    def open(self) -> None:
        """Begin to look for the fields, and return at once."""
        for name in (*WATCHED, *COMMANDS):
            self.field(name)

    def connect(self, timeout: float) -> None:
        self.open()
        connect_together([self.field(name) for name in (*WATCHED, *COMMANDS)], timeout)

    def watch(self) -> None:
        """Follow the fields, and return when each has told its value.

        :raises NotConnectedError: one does not.
        """
        self.connect(self.timeout)
        if not self._watched:
            self._watched = True
            for name in WATCHED:
                self.field(name).subscribe(lambda reading, name=name: self._take(name, reading))  # type: ignore[misc]
        if not self._complete.wait(self.timeout):
            silent = ", ".join(name for name in WATCHED if name not in self._latest)
            raise NotConnectedError(
                f"{self.address} told no value of {silent} within {self.timeout:g} s. Is its IOC frozen?"
            )

    def __getitem__(self, name: str) -> Any:
        """The latest value that a watched field has told: no round trip, and nothing new while the IOC is away."""
        return self._latest[name]

    def get(self, name: str) -> Any:
        """The value of a field, asked from the IOC."""
        return self.field(name).get()

    def refresh(self, fields: Sequence[str] = OF_THE_STATE) -> None:
        """Ask for watched fields, by default for those of the state: an answer may come before what is subscribed to."""
        self._latest.update(zip(fields, together(self.get, fields), strict=True))

    def text(self, name: str) -> str:
        """The value of a field as people read it; a menu's word."""
        signal = self.field(name)
        value = signal.get()
        choices = signal.description.choices
        return choices[value] if choices else f"{value:g}" if isinstance(value, float) else str(value)

    def put(self, name: str, value: Any, wait: bool = True) -> None:
        """Write a field; with `wait`, return when the record has done what follows from it.

        :raises DeviceError: refused, or not done within the timeout of a signal.
        """
        self.field(name).put(value, wait, timeout=self.timeout if wait else None)

    def set(self, name: str, value: float) -> None:
        """Write a watched field, and return when it has told the value.

        :raises DeviceError: the record does not take it.
        """
        self.put(name, value)
        self.wait_for(lambda: math.isclose(self[name], value, rel_tol=1e-9, abs_tol=1e-9), f"{name} = {value:g}")
        if name in OF_THE_SCALE:
            self.refresh(OF_THE_SCALE)  # they change with each other

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """:raises DeviceError: `condition` of watched fields does not come true within the timeout of a signal."""
        if not eventually(condition, self.timeout):
            raise DeviceError(f"{self.address} did not take {what} within {self.timeout:g} s")

    @property
    def sign(self) -> int:
        return -1 if self["DIR"] else 1

    def velocity_limits(self) -> tuple[float, float]:
        """VBAS and VMAX, which is infinite when it is 0."""
        return float(self.get("VBAS")), float(self.get("VMAX")) or math.inf

    def _take(self, name: str, reading: Reading) -> None:
        self._latest[name] = reading.value
        if len(self._latest) == len(WATCHED):
            self._complete.set()
        if name == "DMOV":
            self._take_dmov(bool(reading.value))
        self._changed(name)

    def _take_dmov(self, done: bool) -> None:
        if done:
            self._stop_is_due = False
            return
        self._fell = True
        if self._stop_is_due:  # it moves although it was told to stop: its IOC was away, or had not started yet
            gevent.spawn(self._send_stop)

    def _send_stop(self) -> None:
        try:
            self.put("STOP", 1, wait=False)
        except NotConnectedError:
            return  # still due: DMOV tells when the IOC is back

    def close(self) -> None:
        for signal in self._signals.values():
            signal.close()
        self._watched = False

    # -- motion --------------------------------------------------------------------------------------------------------

    def send(self, name: str, value: Any) -> None:
        """Write a field that starts a motion, and return at once; `is_moving` is true from here."""
        self._error = None
        self._fell = self._stop_is_due = False
        self._is_wanted = True
        self._writing = gevent.spawn(self._write, name, value)

    def _write(self, name: str, value: Any) -> None:
        try:
            self.field(name).put(value)
        except Exception as error:  # noqa: BLE001 - raised by `is_moving`, in the motion that waits for it
            if self._is_wanted:
                self._error = error
        self._answered = time.monotonic()

    def is_moving(self) -> bool:
        """Whether the record moves, whoever has sent it: a round trip.

        :raises DeviceError: it refused what was sent.
        """
        fell = self._fell  # before the question: an answer that stands still may be of before the fall
        done = self.get("DMOV")
        if self._error is not None:
            error, self._error = self._error, None
            self._fell = True
            raise error
        if not done or self._writing:
            return True
        if not fell and (self._fell or time.monotonic() < self._answered + START_PATIENCE):
            return True
        self._stop_is_due = False
        return False

    @property
    def obeyed(self) -> bool:
        """DMOV fell after the last `send`: it was carried out, or at least tried."""
        return self._fell

    def stop(self) -> None:
        """Brake, and return at once; an IOC that cannot be reached is told when it is back and the motor still moves.

        :raises NotConnectedError: it cannot be reached now.
        """
        self._error, self._is_wanted = None, False
        started = self._fell or not self._writing
        self._stop_is_due = not self["DMOV"] or not started or not self.field("STOP").connected
        self.put("STOP", 1, wait=False)

    def wait_until_it_stands(self) -> None:
        """:raises DeviceError: it does not within `timeout` seconds."""
        if not eventually(lambda: not self.is_moving(), self.timeout):
            raise DeviceError(f"{self.address} was told to stop, and still moves after {self.timeout:g} s")


def eventually(condition: Callable[[], bool], timeout: float) -> bool:
    """Wait until it is true; return False when it was not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        gevent.sleep(0.005)
    return True


def together(call: Callable[[T], Any], items: Sequence[T]) -> list[Any]:
    """Ask several at once: in the time of one round trip.

    :raises Exception: the first error, after all have answered.
    """
    said: list[Any] = [None] * len(items)

    def ask(number: int) -> None:
        said[number] = call(items[number])

    side_by_side([partial(ask, number) for number in range(len(items))])
    return said
