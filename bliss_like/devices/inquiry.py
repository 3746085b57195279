"""Where axes are and how they do: one question to each controller, all controllers at once, each with a time limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent.lock import BoundedSemaphore

from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.motor_controller import MotorController
from bliss_like.devices.naming import name_of
from bliss_like.devices.positions import derived, inputs_below
from bliss_like.errors import NotConnectedError

PATIENCE = 3.0
"""Seconds that a controller has to answer."""

FAILURES = (Exception, gevent.Timeout)
"""What a broken driver may raise; gevent's Timeout is no Exception."""

UNREACHABLE = (NotConnectedError, OSError, gevent.Timeout)
"""What is the same for all axes of a controller."""


class _Turn:
    """Who asks a controller, one at a time."""

    def __init__(self) -> None:
        self.semaphore = BoundedSemaphore()
        self.since = 0.0
        """When the question under way was asked."""


_turns: WeakKeyDictionary[Any, _Turn] = WeakKeyDictionary()


@dataclass
class Reading:
    """What one axis told: NaN and no state where it did not, then `problem` says why."""

    axis: Any
    user: float = math.nan
    dial: float = math.nan
    state: AxisState | None = None
    problem: str = "no answer"

    @property
    def state_name(self) -> str:
        """The names of the state; empty when it is READY and nothing else."""
        names = self.state.names if self.state is not None else ()
        return "" if names == ("READY",) else " ".join(names)


def read(
    axes: Iterable[Any],
    timeout: float | None = None,
    positions: bool = True,
    states: bool = True,
    seconds: dict[str, float] | None = None,
) -> list[Reading]:
    """Return a reading of each axis, in their order; an axis that fails has its problem in it, and disturbs no other.

    Who has not answered in time is left to end by itself, and asked again only then: killed in the middle of a request, a
    driver would have to open its line again, perhaps in the middle of a motion.

    :param timeout: seconds that a controller has; `PATIENCE` by default.
    :param positions: False: only the states.
    :param states: False: only the positions.
    :param seconds: is given how long each controller took, by its name.
    """
    timeout = PATIENCE if timeout is None else timeout
    axes = list(axes)
    pseudos = [axis for axis in axes if getattr(axis, "reals", ())]
    below = [each for axis in pseudos for each in inputs_below(axis) if not each.reals]
    readings = {axis: Reading(axis, problem=f"no answer within {timeout:g} s") for axis in [*axes, *below]}
    calculated = set(pseudos)
    told_by_hardware = _by_controller(reading for axis, reading in readings.items() if axis not in calculated)
    wanted = _Wanted(timeout, positions, states, {} if seconds is None else seconds)
    _within(timeout, [partial(_ask_in_turn, *group, wanted) for group in told_by_hardware.items()])
    known = {axis: Reading(**vars(reading)) for axis, reading in readings.items()}  # what comes late changes nothing
    derived_from_them = _by_controller(known[axis] for axis in pseudos)
    _within(timeout, [partial(_derive, *group, dict(known), wanted) for group in derived_from_them.items()])
    return [known[axis] for axis in dict.fromkeys(axes)]


@dataclass(frozen=True)
class _Wanted:
    timeout: float
    positions: bool
    states: bool
    seconds: dict[str, float]


def _by_controller(readings: Iterable[Reading]) -> dict[Any, list[Reading]]:
    groups: dict[Any, list[Reading]] = {}
    for reading in readings:
        groups.setdefault(getattr(reading.axis, "controller", reading.axis), []).append(reading)
    return groups


def _within(timeout: float, tasks: Iterable[Callable[[], None]]) -> None:
    gevent.joinall([gevent.spawn(task) for task in tasks], timeout=timeout)


def _derive(controller: Any, pseudos: Sequence[Reading], known: Mapping[Any, Reading], wanted: _Wanted) -> None:
    """Calculate pseudo axes from what their real axes told: nothing is read twice."""
    for reading in pseudos:
        axis = reading.axis
        needed = [each for each in inputs_below(axis) if not each.reals]
        silent = [name_of(each) for each in needed if known[each].problem]
        if silent:
            reading.problem = f"the real axes do not tell where they are: {', '.join(silent)}"
        elif _is_usable(controller, reading):
            try:
                if wanted.states:
                    reading.state = _state_of(axis, known)
                if wanted.positions:
                    reading.user = float(derived([axis], {each: known[each].user for each in needed})[axis])
                    reading.dial = float(axis.user2dial(reading.user))
                reading.problem = ""
            except FAILURES as error:
                reading.problem = told(error)


def _state_of(axis: Any, known: Mapping[Any, Reading]) -> AxisState:
    if not axis.reals:
        return known[axis].state or AxisState()
    return axis.controller.combined({each: _state_of(each, known) for each in axis.reals})  # type: ignore[no-any-return]


def _ask_in_turn(controller: Any, readings: Sequence[Reading], wanted: _Wanted) -> None:
    turn = _turns.setdefault(controller, _Turn())
    if turn.semaphore.locked() and (silent := monotonic() - turn.since) > wanted.timeout:
        for reading in readings:
            reading.problem = f"no answer for {silent:.0f} s"
    elif turn.semaphore.acquire(timeout=wanted.timeout):
        turn.since = began = monotonic()
        try:
            _ask(controller, readings, wanted)
        finally:
            turn.semaphore.release()
            wanted.seconds[str(getattr(controller, "name", controller))] = monotonic() - began


def _ask(controller: Any, readings: Sequence[Reading], wanted: _Wanted) -> None:
    """Ask for all at once; when that fails, one by one, unless it is the line that fails."""
    try:
        usable = [reading for reading in readings if _is_usable(controller, reading)]
        if usable:
            _ask_together(controller, usable, wanted)
    except UNREACHABLE as error:
        for reading in readings:
            reading.problem = told(error)
            reading.state = AxisState("DISABLED") if getattr(reading.axis, "disabled", False) else None
    except Exception:
        for reading in usable:
            try:
                _ask_together(controller, [reading], wanted)
            except FAILURES as error:
                reading.problem = told(error)


def _is_usable(controller: Any, reading: Reading) -> bool:
    """:raises Exception: one of `UNREACHABLE`: no axis of the controller is."""
    axis = reading.axis
    try:
        if isinstance(controller, MotorController):
            axis.make_ready()
        return True
    except UNREACHABLE:
        raise
    except Exception as error:  # noqa: BLE001 - told in its place
        reading.problem = told(error)
        reading.state = AxisState("DISABLED") if axis.disabled else None
        return False


def _ask_together(controller: Any, readings: Sequence[Reading], wanted: _Wanted) -> None:
    axes = [reading.axis for reading in readings]
    dials: Sequence[float] = [math.nan] * len(axes)
    states: Sequence[AxisState | None] = [None] * len(axes)
    if not isinstance(controller, MotorController):
        dials = [axis.dial if wanted.positions else math.nan for axis in axes]
        states = [axis.state if wanted.states else None for axis in axes]
    elif wanted.positions and wanted.states:
        dials, states = controller.read_dials_and_states(*axes)
    elif wanted.positions:
        dials = controller.read_dials(*axes)
    else:
        states = controller.read_states(*axes)
    for reading, dial, state in zip(readings, dials, states, strict=True):
        reading.dial, reading.state, reading.problem = _shown(reading.axis, dial), state, ""
        reading.user = reading.axis.dial2user(reading.dial)


def _shown(axis: Any, dial: float) -> float:
    return float(axis.shown(dial)) if hasattr(axis, "shown") else dial


def told(error: BaseException) -> str:
    """Return what an error says, in a line."""
    return " ".join(str(error).split()) or type(error).__name__
