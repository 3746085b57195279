"""What people see of an axis, of a controller and of a group at the prompt: also when the hardware does not answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bliss_like.config.table import table
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.naming import both_names_of, name_of
from bliss_like.devices.numbers import place, places, rounded
from bliss_like.devices.positions import read_positions
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis

NO_ANSWER = "!ERR"


def describe(axis: Axis) -> str:
    """Return lines on one axis: what does not answer is `!ERR`, with the reason in the state."""
    lines = [f"axis {both_names_of(axis)} of {axis.controller.name} ({type(axis.controller).__name__.lstrip('_')})"]
    tell: dict[str, Callable[[], str]] = {
        "position": lambda: _position(axis),
        "limits": lambda: "none" if all(map(math.isinf, axis.limits)) else places(axis, *axis.limits),
        "state": lambda: str(axis.state),
        "velocity": lambda: _velocity(axis),
        "backlash": lambda: place(axis, axis.backlash) if axis.backlash else "",
        "steps": lambda: "" if axis.reals else _steps(axis),
        "modulo": lambda: place(axis, axis.config.modulo) if axis.config.modulo else "",
        "encoder": lambda: f"{axis.encoder.name}: {place(axis, axis.measured_position)}" if axis.encoder else "",
        "loop": lambda: axis.closed_loop.__info__().partition(": ")[2] if axis.closed_loop else "",
        "hooks": lambda: ", ".join(hook.name for hook in axis.motion_hooks),
    }
    lines += [
        f"  {label:<9} {text}" for label, text in zip(tell, map(_answer, tell, tell.values()), strict=True) if text
    ]
    more = _or_nothing(lambda: axis.controller.get_axis_info(axis))
    return "\n".join([*lines, *([more] if more else []), *axis.set_by_hand()])


def _answer(label: str, tell: Callable[[], str]) -> str:
    if label == "velocity":
        return _or_nothing(tell)  # many have none, and tell so by an error
    try:
        return tell()
    except Exception as error:  # noqa: BLE001 - shown: what is known without the hardware is shown, too
        return f"{NO_ANSWER} ({error})" if label == "state" else NO_ANSWER


def _or_nothing(tell: Callable[[], str]) -> str:
    try:
        return tell()
    except Exception:  # noqa: BLE001 - the position tells already what is wrong
        return ""


def _position(axis: Axis) -> str:
    dial = axis.dial
    where = place(axis, float(axis.dial2user(dial)))
    return f"{where}   (dial {dial:.10g}, offset {axis.offset:.10g}, sign {axis.sign:+d})"


def _velocity(axis: Axis) -> str:
    unit = f" {axis.unit}" if axis.unit else ""
    velocity = axis.velocity
    try:
        acceleration = axis.acceleration
    except DeviceError:
        return f"{velocity:g}{unit}/s"
    acctime = f" (there in {velocity / acceleration:.4g} s)" if math.isfinite(velocity) else ""
    return f"{velocity:g}{unit}/s, acceleration {acceleration:g}{unit}/s²{acctime}"


def _steps(axis: Axis) -> str:
    tolerance = "none" if axis.tolerance is None else place(axis, axis.tolerance)
    return f"{axis.steps_per_unit:g} per {axis.unit or 'unit'}, tolerance {tolerance}"


def axes_table(axes: Iterable[Axis], roles: Mapping[Any, str] | None = None) -> str:
    """Return where some axes are, a line each.

    :param roles: what each is to a calculation.
    """
    axes = list(axes)
    positions = _positions(axes)
    rows = [
        [name_of(axis), positions[axis], axis.unit or "", _state(axis), (roles or {}).get(axis, "")] for axis in axes
    ]
    header = ["axis", "position", "unit", "state", "is"]
    wanted = [column for column in range(len(header)) if column not in (2, 4) or any(row[column] for row in rows)]
    return table([header[column] for column in wanted], [[row[column] for column in wanted] for row in rows])


def _positions(axes: Sequence[Any]) -> dict[Any, str]:
    """Read all at once; when that fails, one by one."""
    try:
        return {axis: rounded(axis, position) for axis, position in read_positions(axes).items()}
    except Exception:  # noqa: BLE001 - one by one, each has its own
        return {axis: _answer("position", partial(_alone, axis)) for axis in axes}


def _alone(axis: Any) -> str:
    return rounded(axis, axis.position)


def _state(axis: Axis) -> str:
    try:
        state: AxisState = axis.state
    except Exception as error:  # noqa: BLE001 - shown
        return f"{NO_ANSWER} ({error})"
    return " ".join(state.names)
