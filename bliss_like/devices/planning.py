"""From targets to motions: what moves when axes are sent somewhere, and whether it may. Nothing here moves anything.

A pseudo axis is one whose controller has `real_targets`, which tells where the axes that it is made of have to be. Its
targets are replaced by theirs, again and again, until only real axes are left.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike

from bliss_like.devices.axis_settings import look_together
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import number, place, places
from bliss_like.devices.reading import finite, look
from bliss_like.errors import AxisLimitError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis


@dataclass(frozen=True)
class Motion:
    """Where one axis is sent; a driver reads `axis`, `target_pos`, `delta` and `backlash`, in its own units (steps).

    With `backlash`, `target_pos` is beyond the target by that much, and a second motion comes back to it.
    """

    axis: Axis
    user_target_pos: float
    dial_target_pos: float
    target_pos: float
    delta: float
    backlash: float = 0.0
    type: str = "move"
    """Or "jog", "homing", "limit_search", "trajectory"."""
    direction: int = 0
    """Of those: 1 or -1."""
    velocity: float = 0.0
    """Of a jog: steps/s, > 0."""

    def back_to(self, dial: float) -> Motion:
        """Return the second motion, that takes up the play and ends at `dial`."""
        axis = self.axis
        return Motion(axis, axis.dial2user(dial), dial, dial * axis.steps_per_unit, self.backlash)

    @property
    def user_msg(self) -> str:
        """What people are told when it starts."""
        name, unit = name_of(self.axis), f" {self.axis.unit}" if self.axis.unit else ""
        if self.type == "move":
            start = self.axis.dial2user((self.target_pos - self.delta) / self.axis.steps_per_unit)
            return f"Moving {name} from {start:.10g} to {self.user_target_pos:.10g}{unit}"
        if self.type == "trajectory":
            return f"{name} follows its trajectory to {self.user_target_pos:.10g}{unit}"
        way = "positive" if self.direction > 0 else "negative"
        what = {"jog": "turns", "homing": "looks for its home switch", "limit_search": "looks for its limit switch"}
        return f"{name} {what[self.type]} in {way} direction"

    @property
    def errand(self) -> str:
        """What people are told of one that was stopped."""
        if self.type != "move":
            return self.user_msg
        return f"{name_of(self.axis)} on its way to {place(self.axis, self.user_target_pos)}"


class Calculating(Protocol):
    """A controller of pseudo axes."""

    def real_targets(self, targets: Mapping[Axis, Any]) -> Mapping[Axis, Any]:
        """Return where the axes that these pseudo axes are made of have to be, in their user units.

        :param targets: user positions of some of its axes, numbers or arrays of one length; the others stay.
        """


class _Made(NamedTuple):
    """A target, and the pseudo axes that it comes from, the outermost first."""

    position: Any
    of: tuple[Axis, ...] = ()


class Plan(NamedTuple):
    """What a move would do."""

    motions: list[Motion]
    axes: list[Axis]
    """All that are concerned: those that move, and the pseudo axes that are made of them."""


def plan(targets: Mapping[Axis, float], *, relative: bool = False) -> Plan:
    """Return the motions that bring axes to user positions; without those of axes that are there.

    :param relative: the targets are counted from where the axes were sent last.
    :raises AxisLimitError: a target, or what a pseudo axis needs for it, is outside the limits, or no number.
    :raises AxisFault: an axis moves, or is not ready.
    :raises RuntimeError: an axis is told twice where to go, by itself or by pseudo axes.
    """
    look_together([each.settings for axis in targets for each in (axis, *all_below(axis))])
    asked = {}
    for axis, position in targets.items():
        try:
            value = number(axis, position, "distance" if relative else "position")
        except ValueError as error:
            raise AxisLimitError(f"{error}. Nothing was moved") from None
        axis.refuse_if_moving()
        asked[axis] = axis._set_position + value if relative else value
        if axis.reals:  # its own limits say more than those of what it is made of
            _check_one(axis, _Made(asked[axis]))
    levels = _expanded(asked)
    for axis, made in levels.items():
        _check_one(axis, made)
    motions = _motions({axis: float(made.position) for axis, made in levels.items() if not is_pseudo(axis)})
    moving = {motion.axis for motion in motions}
    concerned = [axis for axis, made in levels.items() if axis in moving or _needs(axis, levels, moving)]
    return Plan(motions, concerned)


def _motions(targets: Mapping[Axis, float]) -> list[Motion]:
    """Return the motions of real axes that are not there: each controller is asked once."""
    for axis in targets:
        axis.make_ready(again=True)
    told = look([axis for axis, position in targets.items() if not axis.is_there(position)])
    dials = {axis: finite(axis, axis.controller, dial) for axis, (dial, _) in told.items()}
    going = [axis for axis in dials if not axis.is_there(targets[axis], dials[axis])]
    return [axis.plan(targets[axis], dials[axis], told[axis][1]) for axis in going]


def _needs(axis: Axis, levels: Mapping[Axis, _Made], moving: set[Axis]) -> bool:
    return any(axis in levels[real].of for real in moving)


def _expanded(targets: Mapping[Axis, Any]) -> dict[Axis, _Made]:
    """Return the targets with those of all axes that they need, pseudo axes before what they are made of."""
    for pseudo in targets:
        for axis in all_below(pseudo):  # also if it would not move: it is told what the pseudo axis tells it, too
            if axis in targets:
                raise _told_twice(axis, _Made(None), _Made(None, (pseudo,)))
    found: dict[Axis, _Made] = {}
    level = {axis: _Made(position) for axis, position in targets.items()}
    while level:
        for axis, made in level.items():
            if axis in found:
                raise _told_twice(axis, found[axis], made)
            found[axis] = made
        below: dict[Axis, _Made] = {}
        for controller, pseudos in _pseudos_by_controller(level).items():
            of = tuple(dict.fromkeys(each for axis in pseudos for each in (*level[axis].of, axis)))
            needed = controller.real_targets({axis: level[axis].position for axis in pseudos})
            for axis, position in needed.items():
                if axis in below:
                    raise _told_twice(axis, below[axis], _Made(position, of))
                below[axis] = _Made(position, of)
        level = below
    return found


def _pseudos_by_controller(level: Mapping[Axis, _Made]) -> dict[Calculating, list[Axis]]:
    found: dict[Calculating, list[Axis]] = {}
    for axis in level:
        if is_pseudo(axis):
            found.setdefault(cast(Calculating, axis.controller), []).append(axis)
    return found


def is_pseudo(axis: Any) -> bool:
    """Whether an axis is made of others."""
    # Not by the protocol: what isinstance does to find that out takes longer than the whole plan of a move.
    return hasattr(getattr(axis, "controller", None), "real_targets")


def _told_twice(axis: Axis, one: _Made, other: _Made) -> RuntimeError:
    ways = ["by itself" if not made.of else f"by {name_of(made.of[-1])}" for made in (one, other)]
    return RuntimeError(
        f"{name_of(axis)} cannot be at two places: it would be moved {ways[0]} and {ways[1]}. Move one after the other"
    )


def check_limits(positions: Mapping[Any, ArrayLike]) -> None:
    """Check whole trajectories before anything moves, those of the axes that pseudo axes are made of included.

    :param positions: {axis: one user position, or an array of them}.
    :raises AxisLimitError: naming the axis, its first position that is outside, and its limits.
    """
    levels = {axis: _Made(np.asarray(values, dtype=float)) for axis, values in positions.items()}
    for axis, made in levels.items():
        _check_one(axis, made)
    if any(map(is_pseudo, levels)):
        for axis, made in _expanded({axis: made.position for axis, made in levels.items()}).items():
            _check_one(axis, made)


def real_lines(positions: Mapping[Any, ArrayLike]) -> dict[Any, Any]:
    """Return where the real axes go for axes to go through positions: those that do not move are left out."""
    levels = {axis: np.asarray(values, dtype=float) for axis, values in positions.items()}
    if not any(map(is_pseudo, levels)):
        return levels
    return {axis: made.position for axis, made in _expanded(levels).items() if not is_pseudo(axis)}


def _check_one(axis: Axis, made: _Made) -> None:
    """Check the positions of one axis."""
    low, high = axis.limits
    rounding = 1e-9 * max(1.0, *(abs(limit) for limit in (low, high, 0.0) if math.isfinite(limit)))
    position = made.position
    if axis.config.modulo is not None:
        position = axis.dial2user(axis.unrolled(axis.user2dial(position)))
    if isinstance(position, float):
        if not low - rounding <= position <= high + rounding:
            raise _outside(axis, position, made.of)
        return
    targets = np.asarray(position, dtype=float).ravel()
    outside = ~((targets >= low - rounding) & (targets <= high + rounding))
    if outside.any():
        raise _outside(axis, float(targets[outside.argmax()]), made.of)


def _outside(axis: Axis, position: float, of: Sequence[Axis] = (), backlash: float = 0.0) -> AxisLimitError:
    low, high = axis.limits
    name, limits = name_of(axis), places(axis, low, high)
    if not math.isfinite(position):
        what = f"{name}: {position:g} is no position"
        return AxisLimitError(f"{what}{_made_for(of)}; its limits are {limits}. Nothing was moved")
    if position < low:
        side = f"below its low limit {low:.10g} by {place(axis, float(f'{low - position:.6g}'))}"
    else:
        side = f"above its high limit {high:.10g} by {place(axis, float(f'{position - high:.6g}'))}"
    play = f" (beyond the target by its backlash of {place(axis, backlash)})" if backlash else ""
    return AxisLimitError(
        f"{name}: {position:.10g}{play} is {side}{_made_for(of)}; its limits are {limits}. Nothing was moved"
    )


def _made_for(of: Sequence[Axis]) -> str:
    return f", where {' and '.join(name_of(axis) for axis in of)} would need it" if of else ""


def check_backlash(axis: Axis, target: float, backlash: float) -> None:
    """Check the way beyond a target.

    :raises AxisLimitError: it leads out of the limits.
    """
    if axis.is_free_ring:
        return
    low, high = axis.limits
    beyond = axis.dial2user(axis.unrolled(axis.user2dial(target))) - backlash
    if not low - 1e-9 <= beyond <= high + 1e-9:
        raise _outside(axis, beyond, backlash=backlash)


def all_below(axis: Any) -> list[Any]:
    """Return all axes that a pseudo axis is made of, down to the real ones, each once; a real axis is made of none."""
    found: dict[Any, None] = {}
    for each in getattr(axis, "reals", ()):
        found.update(dict.fromkeys([each, *all_below(each)]))
    return list(found)


def real_axes(axes: Iterable[Any]) -> list[Any]:
    """Return the axes, and instead of pseudo axes those that they are made of in the end; each once."""
    found: dict[Any, None] = {}
    for axis in axes:
        reals = getattr(axis, "reals", ())
        found.update(dict.fromkeys(real_axes(reals) if reals else [axis]))
    return list(found)
