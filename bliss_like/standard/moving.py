"""Verbs that move: `mv umv mvr umvr mvd umvd mvdr umvdr move rockit`. All limits are checked before anything moves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import gevent

from bliss_like.devices import axis_group
from bliss_like.devices.axis import check_limits
from bliss_like.devices.naming import name_of
from bliss_like.errors import UsageError

from .arguments import axis_of, number_of, targets_of, verb
from .live import follow, is_live

POSITIONS = "axis, position, axis, position, ..."
DISTANCES = "axis, distance, axis, distance, ..."
DISPLAYS = ("auto", "always", "none")


@verb(POSITIONS)
def mv(*args: Any) -> None:
    """Move axes together to user positions: `mv(roby, 1, robz, 2)`."""
    _move(args)


@verb(POSITIONS)
def umv(*args: Any) -> None:
    """Move as `mv` does, and show where the axes are meanwhile."""
    _move(args, show=True)


@verb(DISTANCES)
def mvr(*args: Any) -> None:
    """Move axes together by distances, from where they were last sent."""
    _move(args, relative=True)


@verb(DISTANCES)
def umvr(*args: Any) -> None:
    """Move as `mvr` does, and show where the axes are meanwhile."""
    _move(args, relative=True, show=True)


@verb(POSITIONS)
def mvd(*args: Any) -> None:
    """Move axes together to dial positions."""
    _move(args, dial=True)


@verb(POSITIONS)
def umvd(*args: Any) -> None:
    """Move as `mvd` does, and show where the axes are meanwhile."""
    _move(args, dial=True, show=True)


@verb(DISTANCES)
def mvdr(*args: Any) -> None:
    """Move axes together by distances in dial units."""
    _move(args, dial=True, relative=True)


@verb(DISTANCES)
def umvdr(*args: Any) -> None:
    """Move as `mvdr` does, and show where the axes are meanwhile."""
    _move(args, dial=True, relative=True, show=True)


@verb(f"{POSITIONS} or {{axis: position, ...}}, wait=True, relative=False, dial=False, display_mode='auto'")
def move(
    *args: Any,
    wait: bool = True,
    relative: bool = False,
    dial: bool = False,
    display_mode: str = "auto",
    display_dependencies: bool = True,
) -> None:
    """Move axes together.

    :param wait: return when they have arrived; otherwise once they have started.
    :param relative: the positions are distances.
    :param dial: they are in dial units.
    :param display_mode: "auto" shows on a terminal where the axes are meanwhile, "always" elsewhere where they came to
        rest, too, "none" nothing; only with `wait`.
    :param display_dependencies: shows the real axes of pseudo axes, too.
    """
    if display_mode not in DISPLAYS:
        raise UsageError(f"display_mode: expected one of {', '.join(map(repr, DISPLAYS))}, got {display_mode!r}")
    show = wait and (display_mode == "always" or (display_mode == "auto" and is_live()))
    _move(args, wait, relative, dial, show, display_dependencies)


def _move(
    args: Any, wait: bool = True, relative: bool = False, dial: bool = False, show: bool = False, reals: bool = True
) -> None:
    targets = targets_of(args, "distance" if relative else "position")
    if dial:
        targets = {axis: axis.sign * to if relative else axis.dial2user(to) for axis, to in targets.items()}
    if not show:
        axis_group.move(targets, wait=wait, relative=relative)
        return
    group = axis_group.AxisGroup(*targets)
    axes = dict.fromkeys([*targets, *(_reals_of(targets) if reals else ())])
    follow(list(axes), lambda: group.move(targets, relative=relative), lambda: group.has_moved)


def _reals_of(axes: Any) -> Iterator[Any]:
    """Yield the axes that move when these do: the reals of pseudo axes, and theirs."""
    for axis in axes:
        reals = list(getattr(axis, "reals", ()))
        yield from reals
        yield from _reals_of(reals)


@verb("motor, total_move")
def rockit(motor: Any, total_move: float) -> contextlib.AbstractContextManager[None]:
    """`with rockit(roby, 0.2):` an axis goes to and fro, half of `total_move` to each side, and back to where it was.

    :raises AxisLimitError: when the context is entered, if it would leave its limits; nothing was moved.
    """
    axis, reach = axis_of("motor", motor), abs(number_of("total_move", total_move)) / 2
    if reach == 0:
        raise UsageError("total_move: expected a distance, got 0")
    return _rocking(axis, reach)


@contextlib.contextmanager
def _rocking(axis: Any, reach: float) -> Iterator[None]:
    middle = axis._set_position
    check_limits({axis: [middle - reach, middle + reach]})
    rocking = gevent.spawn(_rock, axis, middle - reach, middle + reach)
    try:
        yield
    finally:
        rocking.kill()  # which stops the axis, and waits until it stands still
        failure = rocking.value if isinstance(rocking.value, Exception) else None
        if failure is None:
            axis.move(middle)
    if failure is not None:
        failure.add_note(f"{name_of(axis)} was rocking, and stands where it failed.")
        raise failure


def _rock(axis: Any, low: float, high: float) -> Exception:
    """Rock until killed; return what went wrong."""
    while True:
        for end in (high, low):
            try:
                axis.move(end)
            except Exception as error:  # noqa: BLE001 - raised when the context is left
                return error
