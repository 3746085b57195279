"""What the bottom line of the shell tells, gathered in the background: nothing that is slow or hangs holds anybody up."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any

import gevent

from bliss_like.data.lifecycle import ScanState
from bliss_like.data.saving import living_writer
from bliss_like.devices.events import AxisEvent, connect, disconnect
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief, rounded
from bliss_like.devices.silence import Silence
from bliss_like.errors import SavingError, StoreUnavailable
from bliss_like.scanning.environment import environment
from bliss_like.session import Session
from bliss_like.session.policies.config import NO_WRITER

from .display import sentences
from .names import is_axis

REDRAW, LOOK, READ, DISK = 0.5, 1.0, 5.0, 30.0
"""Seconds between two looks: at what events have told; at the session and its writer; at the values; at the disk."""
STALE = 3 * READ
"""Seconds after which a value is marked that could not be read again."""
_FOR_A_WRITER = 5.0
"""Seconds that a writer has to come to life before it is missed."""
_SILENCE = 3.0
"""Seconds that the data server may take for an answer before that is told; it is waited for longer."""
_MB = 1_000_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Value:
    """The last value of a thing, as text."""

    name: str
    text: str
    is_stale: bool = False


@dataclass
class Status:
    """What there is to tell.

    :param moving: axes on their way, with where they are.
    :param scans: what runs, as `12 ascan`.
    :param path: the file of the next scan.
    :param disk: that it is filling up; empty as long as there is room.
    """

    values: Sequence[Value] = ()
    group: str = ""
    path: str = ""
    messages: Sequence[str] = ()
    scans: Sequence[str] = ()
    moving: Sequence[str] = ()
    disk: str = ""
    troubles: Sequence[str] = ()


class StatusWatch:
    """Gathers the status of a session: from events, from its settings, and in the background from devices."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.status, self._told = Status(), Status()
        self._motions = Motions()
        self._readings: dict[str, Reading] = {}
        self._trouble_of_disk = ""
        self._writer_seen_at = 0.0
        self._asked_at: float | None = None
        """When the data server was asked something to which it has not answered yet."""
        self._lost_at: float | None = None
        """When it could not be reached for the first time."""
        self._silent_since: float | None = None
        """As people were told."""

    @contextmanager
    def watching(self, changed: Callable[[], object]) -> Iterator[None]:
        """Gather as long as the context is open; `changed` is called when there is something new."""
        tasks = [gevent.spawn(self._repeat, *task) for task in self._tasks(changed)]
        try:
            yield
        finally:
            gevent.killall(tasks, block=False)
            self._motions.forget()
            for reading in self._readings.values():
                reading.forget()

    def _tasks(self, changed: Callable[[], object]) -> Iterator[tuple[float, Callable[[], object]]]:
        yield REDRAW, partial(self._look_at_events, changed)
        yield LOOK, self._look_at_session
        yield LOOK, self._look_at_writer
        yield READ, self._read
        yield DISK, self._look_at_disk

    @staticmethod
    def _repeat(period: float, look: Callable[[], object]) -> None:
        while True:
            try:
                look()
            except Exception:  # noqa: BLE001 - whatever a device or a template raises, the line stays
                _log.debug("the bottom line: %s failed", look, exc_info=True)
            gevent.sleep(period)

    # -- what is near ----------------------------------------------------------------------------------------------------

    def now(self) -> Status:
        """Return the status, with what is near as it is at this moment."""
        self._motions.follow(self._session.objects.axes)
        self.status.moving = self._motions.told()
        self.status.messages = list(environment.status_messages.values())
        self.status.scans = [_scan_told(scan) for scan in list(self._session.scans) if _is_running(scan)]
        if self.silence() is not None:
            self.status.troubles = ["the data server does not answer"]
        self.status.values = [reading.value() for reading in self._readings.values()]
        return self.status

    def silence(self) -> Silence | None:
        """Return since when the data server does not answer; None as long as it does, or has some time to do so."""
        if self._lost_at is not None:
            return Silence("the data server", self._lost_at)
        if self._asked_at is not None and time.monotonic() - self._asked_at > _SILENCE:
            return Silence("the data server", self._asked_at)
        return None

    def _tell_of_server(self) -> None:
        """Say once that the data server does not answer, and once that it does again."""
        silence, told = self.silence(), self._silent_since
        self._silent_since = None if silence is None else told or silence.since
        if silence is not None and told is None:
            store = getattr(environment.tree, "store", None)
            where = getattr(store, "url", "")
            server = f"the data server {where}".strip()
            print(sentences(f"WARNING: {server} does not answer:", "scans wait for it"), file=sys.stderr)
        elif silence is None and told is not None:
            print(f"The data server answers again, after {time.monotonic() - told:.0f} s.", file=sys.stderr)

    def _look_at_events(self, changed: Callable[[], object]) -> None:
        self._tell_of_server()
        self.now()
        if self.status != self._told:
            self._told = Status(**vars(self.status))
            changed()

    # -- what is asked of the data server --------------------------------------------------------------------------------

    def _look_at_session(self) -> None:
        session = self._session
        group = session.active_measurement_group
        self.status.group = "" if group is None else group.name
        saving = session.scan_saving
        self.status.path = "not saved" if saving.writer == NO_WRITER else saving.filename or ""

    def _look_at_writer(self) -> None:
        self.status.troubles = [each for each in (self._trouble_of_writer(), self._trouble_of_disk) if each]

    def _trouble_of_writer(self) -> str:
        tree: Any = environment.tree
        if tree is None:
            return ""
        self._asked_at = asked_at = time.monotonic()
        try:
            writer = living_writer(tree.store, self._session.name)
        except StoreUnavailable:
            self._writer_seen_at = time.monotonic()
            self._lost_at = self._lost_at or asked_at
            return "the data server does not answer"
        finally:
            self._asked_at = None
        self._lost_at = None
        if writer is not None or self.status.path in ("", "not saved") or not self._writer_seen_at:
            self._writer_seen_at = time.monotonic()
        if writer is not None and writer.trouble:
            return f"writer: {writer.trouble}"
        return "no writer lives" if time.monotonic() - self._writer_seen_at > _FOR_A_WRITER else ""

    # -- what may take long ----------------------------------------------------------------------------------------------

    def _read(self) -> None:
        wanted = self._session.written.toolbar
        names = self._session.env_dict
        for name in [name for name in self._readings if name not in wanted]:
            self._readings.pop(name).forget()
        self._readings = {name: self._readings.get(name) or Reading(name) for name in wanted}
        for name, reading in self._readings.items():
            reading.ask(partial(_found, name, names))

    def _look_at_disk(self) -> None:
        saving = self._session.scan_saving
        self.status.disk = self._trouble_of_disk = ""
        if saving.writer == NO_WRITER:
            return
        try:
            free = saving.find().free / _MB
        except SavingError:
            self._trouble_of_disk = "the file server does not answer"
            return
        room = f"{free / 1000:.1f} GB" if free >= 1000 else f"{free:.0f} MB"
        if free < saving.min_free_mb:
            self._trouble_of_disk = f"disk full: {room} left"
        elif free < saving.warn_free_mb:
            self.status.disk = f"disk: {room} left"


def _is_running(scan: Any) -> bool:
    return scan.state is not ScanState.IDLE and not scan.state.is_final


def _scan_told(scan: Any) -> str:
    number = scan.scan_number
    return f"{number} {scan.name}" if number is not None else str(scan.name)


class Motions:
    """Which axes move, and where they are: as they tell it, nobody is asked."""

    def __init__(self) -> None:
        self._positions: dict[Any, float | None] = {}
        self._receivers: dict[Any, tuple[Callable[[bool], None], Callable[[float], None]]] = {}

    def follow(self, axes: Sequence[Any]) -> None:
        """Listen to these axes from now on, and to no others."""
        for axis in [axis for axis in self._receivers if axis not in axes]:
            self._leave(axis)
        for axis in axes:
            if axis not in self._receivers:
                receivers = (partial(self._on_move_done, axis), partial(self._on_position, axis))
                self._receivers[axis] = receivers  # kept here: they are held weakly
                connect(axis, AxisEvent.MOVE_DONE, receivers[0])

    def forget(self) -> None:
        """Listen to none."""
        for axis in list(self._receivers):
            self._leave(axis)

    def told(self) -> list[str]:
        """Return each axis that moves, with its position."""
        return [
            f"{name_of(axis)} {'' if position is None else rounded(axis, position)}".rstrip()
            for axis, position in self._positions.items()
        ]

    def _on_move_done(self, axis: Any, done: bool) -> None:
        position_receiver = self._receivers[axis][1]
        if done:
            self._positions.pop(axis, None)
            disconnect(axis, AxisEvent.POSITION, position_receiver)
        elif axis not in self._positions:  # positions cost something: only of those that move
            self._positions[axis] = None
            connect(axis, AxisEvent.POSITION, position_receiver)

    def _on_position(self, axis: Any, position: float) -> None:
        if axis in self._positions:
            self._positions[axis] = position

    def _leave(self, axis: Any) -> None:
        for event, receiver in zip((AxisEvent.MOVE_DONE, AxisEvent.POSITION), self._receivers.pop(axis), strict=True):
            disconnect(axis, event, receiver)
        self._positions.pop(axis, None)


class Reading:
    """The last value of one thing. Who does not answer is left to end by itself, and asked again only then."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = ""
        self._read_at = self._asked_at = 0.0
        self._task: gevent.Greenlet[[Callable[[], Any]], None] | None = None

    def ask(self, find: Callable[[], Any]) -> None:
        """Begin to read it, unless that is still under way.

        :param find: returns the thing.
        """
        self._asked_at = self._asked_at or time.monotonic()
        if self._task is None or self._task.dead:
            self._task = gevent.spawn(self._take, find)

    def value(self) -> Value:
        """Return the last value; `--` when there was none."""
        since = time.monotonic() - (self._read_at or self._asked_at)
        return Value(self._name, self._text or "--", is_stale=since > STALE or not self._text)

    def forget(self) -> None:
        if self._task is not None:
            self._task.kill(block=False)

    def _take(self, find: Callable[[], Any]) -> None:
        try:
            self._text = text_of(find())
        except (Exception, gevent.Timeout):  # a device may raise anything; the value is marked in time
            _log.debug("the bottom line: %s cannot be read", self._name, exc_info=True)
        else:
            self._read_at = time.monotonic()


def _found(name: str, names: Mapping[str, Any]) -> Any:
    """Return what a name stands for, `user.srcur` too."""
    first, _, rest = name.partition(".")
    return attrgetter(rest)(names[first]) if rest else names[first]


def text_of(thing: Any) -> str:
    """Return the value of a counter, an axis, a shutter, an actuator, a switch or a signal, with its unit; asks the device."""
    kind = type(thing)
    unit = ""
    if is_axis(thing):
        text, unit = rounded(thing, thing.position), thing.unit
    elif hasattr(kind, "raw_read"):
        text, unit = _number(thing.conversion_function(thing.raw_read)), thing.unit
    elif hasattr(kind, "state"):
        text = str(getattr(thing.state, "name", thing.state))
    elif hasattr(kind, "get"):
        text, unit = _number(thing.get()), getattr(thing, "unit", "")
    else:
        text = brief(thing)
    return f"{text} {unit}" if unit else text


def _number(value: Any) -> str:
    try:
        return f"{float(value):.6g}"
    except (TypeError, ValueError):
        return str(value)
