"""Positions of many axes at once, pseudo axes among them: each real axis is read once, those of a controller together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import gevent

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis


def is_pseudo(axis: Any) -> bool:
    """Tell whether an axis is calculated from others."""
    return hasattr(getattr(axis, "controller", None), "real_targets")


def inputs_of(axis: Any) -> list[Any]:
    """Return the axes that a pseudo axis is calculated from; some may be pseudo again. A real axis has none."""
    return [*axis.controller.reals, *axis.controller.params] if is_pseudo(axis) else []


def axes_below(axis: Any) -> list[Any]:
    """Return all axes that an axis is calculated from, down to the real ones, each once."""
    found: dict[Any, None] = {}
    for each in inputs_of(axis):
        found |= dict.fromkeys([each, *axes_below(each)])
    return list(found)


def real_axes_of(axes: Iterable[Any]) -> list[Any]:
    """Return the real axes among some, and those that the pseudo ones are calculated from, each once."""
    found: dict[Any, None] = {}
    for axis in axes:
        found |= dict.fromkeys(each for each in [axis, *axes_below(axis)] if not is_pseudo(each))
    return list(found)


def read_positions(axes: Iterable[Any]) -> dict[Any, float]:
    """Return where axes are now, in user units: controllers are asked side by side, each once."""
    axes = list(axes)
    return derived(axes, _read(real_axes_of(axes)))


def set_positions(axes: Iterable[Any]) -> dict[Any, float]:
    """Return where axes were last sent, in user units."""
    axes = list(axes)
    return derived(axes, {axis: axis._set_position for axis in real_axes_of(axes)})


def derived(axes: Iterable[Any], real_positions: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return user positions of axes from those of their real ones, floats or arrays of one shape."""
    known = dict(real_positions)

    def find(axis: Any) -> Any:
        if axis not in known:
            controller = axis.controller
            below = {each: find(each) for each in inputs_of(axis)}
            dials = controller.dials_of_pseudos(below)
            known.update({pseudo: pseudo.dial2user(dial) for pseudo, dial in dials.items()})
        return known[axis]

    return {axis: find(axis) for axis in axes}


def _read(axes: Iterable[Axis]) -> dict[Axis, float]:
    """Read real axes, the controllers side by side."""
    found: dict[Axis, float] = {}
    groups: dict[Any, list[Axis]] = {}
    for axis in axes:
        groups.setdefault(axis.controller, []).append(axis)
    if len(groups) == 1:
        return _read_together(axes)
    failures: list[Exception] = []
    reading = [gevent.spawn(_kept, failures, found, group) for group in groups.values()]
    try:
        gevent.joinall(reading)
    finally:
        gevent.killall(reading, block=False)
    if failures:
        raise failures[0]
    return found


def _kept(failures: list[Exception], found: dict[Axis, float], axes: list[Axis]) -> None:
    try:
        found.update(_read_together(axes))
    except Exception as failure:  # noqa: BLE001 - raised by who reads; gevent would print it
        failures.append(failure)


def _read_together(axes: Iterable[Axis]) -> dict[Axis, float]:
    """Read axes of one controller."""
    axes = list(axes)
    if len(axes) == 1:
        return {axes[0]: axes[0].position}
    controller = axes[0].controller
    for axis in axes:
        controller.make_ready(axis)
    steps = controller.read_positions(*axes)
    return {axis: axis.dial2user(each / axis.steps_per_unit) for axis, each in zip(axes, steps, strict=True)}
