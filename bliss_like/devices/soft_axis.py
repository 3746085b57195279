"""An axis made of any object: an attribute, a property or methods to read and to set its position."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gevent

from bliss_like.config.suggestion import did_you_mean
from bliss_like.devices.axis import Axis, AxisConfig
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.exporting import export
from bliss_like.devices.motor_controller import MotorController, MotorControllerConfig
from bliss_like.devices.move import Motion
from bliss_like.devices.numbers import brief, low_and_high, number
from bliss_like.errors import DeviceError, UsageError

Access = str | Callable[..., Any]
"""A name of an attribute or of a method of the object, or something to call."""


class SoftAxis(Axis):
    """An axis over an object, with the interface of every other axis.

    A method that moves may block until it is there: it runs in a greenlet of its own, and the axis is MOVING meanwhile. It is
    no positioner: its position is not among the metadata of scans.
    """

    def __init__(
        self,
        name: str,
        obj: Any,
        position: Access = "position",
        move: Access = "position",
        stop: Access | None = None,
        state: Access | None = None,
        low_limit: float = -math.inf,
        high_limit: float = math.inf,
        tolerance: float | None = None,
        export_to_session: bool = True,
        unit: str | None = None,
    ) -> None:
        """Make an axis, and give it its name in the session.

        :param move: `move="temperature"` sets the attribute; a method or callable is called with the position.
        :param stop: ends the motion; without it a stop only ends the call of `move`.
        :param state: gives an AxisState; without it the axis is READY as soon as `move` has returned.
        :param tolerance: how near the position must come; None: trust `move`, for as long as it takes.
        :param export_to_session: make it a name of the session, if there is one.
        :raises UsageError: the object has no such attribute or method.
        :raises ValueError: the name is that of something else in the session, or a limit is wrong.
        """
        if not isinstance(name, str) or not name:
            raise UsageError(f"SoftAxis: expected a name, got {brief(name)}")
        for role, access in {"position": position, "move": move, "stop": stop, "state": state}.items():
            _check_access(name, obj, role, access)
        low_limit, high_limit = low_and_high(name, (low_limit, high_limit))
        if tolerance is not None and number(name, tolerance, "tolerance") < 0:
            raise ValueError(f"{name}: tolerance must be at least 0, None to trust `move`, got {tolerance!r}")
        config = AxisConfig.model_validate(
            {
                "name": name,
                "unit": unit,
                "low_limit": low_limit,
                "high_limit": high_limit,
                "tolerance": tolerance,
                "timeout": 10.0 if tolerance is not None else math.inf,
            }
        )
        super().__init__(name, _SoftController(name, obj, (position, move, stop, state)), config)
        if export_to_session:
            export(name, self)


class _SoftController(MotorController):
    """Drives the one axis of a SoftAxis."""

    shared = True
    interlock = False  # its name is of this process alone

    def __init__(self, name: str, obj: Any, accesses: tuple[Access, Access, Access | None, Access | None]) -> None:
        super().__init__(name, MotorControllerConfig.model_validate({"name": name, "axes": []}))
        self._obj = obj
        self._position, self._move, self._stop, self._state = accesses
        self._running: gevent.Greenlet[[Axis, float], None] | None = None
        self._error: BaseException | None = None

    def read_position(self, axis: Axis) -> float:
        position = _read(self._obj, self._position)
        try:
            return float(position)
        except (TypeError, ValueError):
            raise DeviceError(
                f"{axis.name}: expected its position to be a number, {_where(self._obj, self._position)} gives {brief(position)}"
            ) from None

    def state(self, axis: Axis) -> AxisState:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._running:
            return AxisState("MOVING")
        if self._state is None:
            return AxisState("READY")
        state = _read(self._obj, self._state)
        try:
            return state if isinstance(state, AxisState) else AxisState(str(state))
        except ValueError as error:
            raise DeviceError(f"{axis.name}: {_where(self._obj, self._state)} gives the {error}") from None

    def start_one(self, motion: Motion) -> None:
        axis = motion.axis
        if isinstance(self._move, str) and not callable(getattr(self._obj, self._move, None)):
            setattr(self._obj, self._move, motion.target_pos)
        else:
            self._running = gevent.spawn(self._run, axis, motion.target_pos)
            gevent.sleep(0)  # a method that does not block has returned after this

    def _run(self, axis: Axis, target: float) -> None:
        try:
            _callable(self._obj, self._move)(target)
        except (Exception, gevent.Timeout) as error:  # noqa: BLE001 - raised by `state`, in the move that waits for it
            error.add_note(f"({axis.name}: {_where(self._obj, self._move)} was called with {target:.10g})")
            self._error = error

    def stop(self, axis: Axis) -> None:
        running = self._running  # it moves until that has ended, and fails if that does
        try:
            if self._stop is not None:
                _callable(self._obj, self._stop)()
        finally:
            if running is not None:
                running.kill()


def _check_access(name: str, obj: Any, role: str, access: Any) -> None:
    """:raises UsageError: there is no such attribute or method. No property is read."""
    if callable(access) or (access is None and role in ("stop", "state")):
        return
    if not isinstance(access, str):
        raise UsageError(
            f"{name}: {role}: expected the name of an attribute or a method of {brief(obj)}, or a function, got {brief(access)}"
        )
    if access in dir(obj) or hasattr(obj, access):
        return
    raise UsageError(f"{name}: {role}: {brief(obj)} has no {access!r}{did_you_mean(access, dir(obj))}")


def _where(obj: Any, access: Access | None) -> str:
    return f"{type(obj).__name__}.{access}" if isinstance(access, str) else getattr(access, "__name__", brief(access))


def _callable(obj: Any, access: Access) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(obj, access) if isinstance(access, str) else access
    return found


def _read(obj: Any, access: Access) -> Any:
    found = getattr(obj, access) if isinstance(access, str) else access
    return found() if callable(found) else found
