"""Several axes moved as one: they start together, and when one fails all stop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bliss_like.devices.axis import Axis, halt
from bliss_like.devices.axis_info import axes_table
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.interlock import claimed
from bliss_like.devices.move import run_plan
from bliss_like.devices.naming import name_of
from bliss_like.devices.numbers import brief
from bliss_like.devices.planning import all_below, plan, real_axes
from bliss_like.devices.positions import read_positions
from bliss_like.errors import UsageError


class AxisGroup:
    """Axes of any controllers."""

    def __init__(self, *axes: Axis) -> None:
        """:raises UsageError: the same axis twice, or no axis."""
        _refuse_bad(axes)
        self.axes = {axis.name: axis for axis in axes}
        self.has_moved = False
        """Whether a move was begun by this group, and not refused."""

    def __repr__(self) -> str:
        return f"AxisGroup({', '.join(self.axes)})"

    def __info__(self) -> str:
        return f"group of {len(self.axes)} axes\n{axes_table(self.axes.values())}"

    @property
    def axes_with_reals(self) -> dict[str, Axis]:
        """The axes by name, each pseudo axis followed by the axes that it moves."""
        found = [each for axis in self.axes.values() for each in (axis, *all_below(axis))]
        return {axis.name: axis for axis in found}

    @property
    def position(self) -> dict[Axis, float]:
        """Where the axes are, in user units: each controller is asked once."""
        return read_positions(self.axes.values())

    @property
    def position_with_reals(self) -> dict[Axis, float]:
        """The same with the axes that pseudo axes move."""
        return read_positions(self.axes_with_reals.values())

    @property
    def dial(self) -> dict[Axis, float]:
        return {axis: float(axis.user2dial(position)) for axis, position in self.position.items()}

    @property
    def state(self) -> AxisState:
        """MOVING when one of them moves; READY only when all are."""
        states = [axis.state for axis in self.axes.values()]
        if any("MOVING" in state for state in states):
            return AxisState("MOVING")
        if all("READY" in state for state in states):
            return AxisState("READY")
        return AxisState("FAULT")

    @property
    def is_moving(self) -> bool:
        return "MOVING" in self.state

    def move(self, *args: Any, wait: bool = True, relative: bool = False) -> None:
        """`move({axis: position, ...})` or `move(axis1, position1, axis2, position2, ...)`; errors as for `Axis.move`.

        :raises UsageError: an axis that is not of this group.
        """
        targets = targets_of(*args)
        strangers = [axis.name for axis in targets if axis not in self.axes.values()]
        if strangers:
            there = f"a group of {', '.join(self.axes)}" if self.axes else "a group without axes"
            raise UsageError(f"{', '.join(strangers)}: expected axes of the group, which is {there}. Nothing was moved")
        with claimed(real_axes(targets), _purpose(targets, relative)):
            plan_ = plan(targets, relative=relative)
            self.has_moved = True
            run_plan(plan_, wait)

    def rmove(self, *args: Any, wait: bool = True) -> None:
        self.move(*args, wait=wait, relative=True)

    def stop(self, wait: bool = True) -> None:
        """Stop all, and only then wait for them to stand still.

        :raises Exception: the first error, after all were told to stop.
        """
        halt(self.axes.values())
        if wait:
            self.wait_move()

    def wait_move(self) -> None:
        """Return when all stand still."""
        moves = {axis: axis.current_move for axis in self.axes.values() if axis._moves_here}
        for axis in self.axes.values():
            move = moves.get(axis)
            if move is None:
                axis.wait_move()
            else:  # nobody else has moved it: it need not be asked
                move.wait()


def move(*args: Any, wait: bool = True, relative: bool = False) -> None:
    """Move axes together: `move(robx, 1, roby, 2)` or `move({robx: 1, roby: 2})`; all limits are checked first."""
    targets = targets_of(*args)
    with claimed(real_axes(targets), _purpose(targets, relative)):
        run_plan(plan(targets, relative=relative), wait)


def _purpose(targets: Mapping[Axis, float], relative: bool) -> str:
    return "moving " + ", ".join(
        f"{axis.name} {'by' if relative else 'to'} {position}" for axis, position in targets.items()
    )


def targets_of(*args: Any) -> dict[Axis, float]:
    """Sort the arguments of `move` into {axis: position}.

    :raises UsageError: they do not come in pairs, or name an axis twice, or what is no axis.
    """
    if len(args) == 1 and isinstance(args[0], Mapping):
        targets = dict(args[0])
        _refuse_bad(list(targets))
        return targets
    if not args or len(args) % 2:
        raise UsageError(
            f"expected axis, position, axis, position, ..., got {len(args)} argument{'s' * (len(args) != 1)}. Nothing was moved"
        )
    _refuse_bad(args[::2])
    return dict(zip(args[::2], args[1::2], strict=True))


def _refuse_bad(axes: Sequence[Any]) -> None:
    seen = set()
    for axis in axes:
        if not isinstance(axis, Axis):
            raise UsageError(f"expected an axis, got {brief(axis)}. Nothing was moved")
        if axis in seen:
            raise UsageError(f"{name_of(axis)} is there twice. Nothing was moved")
        seen.add(axis)
