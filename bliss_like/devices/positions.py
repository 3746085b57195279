"""Positions and states of many axes at once, pseudo axes among them: each real axis is read once, those of a controller
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.reading import read_dials, read_states


def inputs_of(axis: Any) -> list[Any]:
    """Return the axes that a pseudo axis is calculated from; some may be pseudo again. A real axis has none."""
    return [*axis.controller.reals, *axis.controller.params] if axis.reals else []


def inputs_below(axis: Any) -> list[Any]:
    """Return all axes that an axis is calculated from, down to the real ones, each once."""
    found: dict[Any, None] = {}
    for each in inputs_of(axis):
        found |= dict.fromkeys([each, *inputs_below(each)])
    return list(found)


def read_positions(axes: Iterable[Any]) -> dict[Any, float]:
    """Return where axes are now, in user units: controllers are asked side by side, each once."""
    axes = list(axes)
    dials = read_dials(_real_inputs(axes))
    return derived(axes, {axis: float(axis.dial2user(axis.shown(dial))) for axis, dial in dials.items()})


def set_positions(axes: Iterable[Any]) -> dict[Any, float]:
    """Return where axes were last sent, in user units."""
    axes = list(axes)
    return derived(axes, {axis: axis._set_position for axis in _real_inputs(axes)})


def states_of(axes: Iterable[Any]) -> dict[Any, AxisState]:
    """Return the states of axes, as each of them tells it; those at rest are asked together."""
    axes = list(axes)
    resting = {axis: axis._nheard for axis in axes if not axis.reals and not axis._moves_here}
    try:
        read = read_states(list(resting)) if len(resting) > 1 else {}
    except Exception:  # noqa: BLE001 - asked one by one, each tells its own
        read = {}
    for axis, state in read.items():
        axis.glimpsed(state, resting[axis])
    return {axis: read[axis] if axis in read else axis.state for axis in axes}


def told_states_of(axes: Iterable[Any]) -> dict[Any, AxisState]:
    """Return the states of axes as they have told them last; only those that have told none yet are asked."""

    def told(axis: Any) -> AxisState:
        if axis.reals and not axis.disabled:
            state: AxisState = axis.controller.combined(told_states_of(axis.controller.reals))
        elif axis._moves_here:
            state = AxisState("MOVING")
        else:
            state = axis._last_state or axis.state
        return state

    return {axis: told(axis) for axis in axes}


def derived(axes: Iterable[Any], known: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return user positions of axes from those of axes that they are calculated from, floats or arrays of one shape."""
    found = dict(known)

    def find(axis: Any) -> Any:
        if axis not in found:
            below = {each: find(each) for each in inputs_of(axis)}
            dials = axis.controller.dials_of_pseudos(below)
            found.update({pseudo: pseudo.dial2user(dial) for pseudo, dial in dials.items()})
        return found[axis]

    return {axis: find(axis) for axis in axes}


def _real_inputs(axes: Iterable[Any]) -> list[Any]:
    found: dict[Any, None] = {}
    for axis in axes:
        found |= dict.fromkeys(each for each in [axis, *inputs_below(axis)] if not each.reals)
    return list(found)
