"""Positions and states of many axes: one round trip a controller, the controllers side by side; and sense in what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import gevent

from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.naming import name_of
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController

T = TypeVar("T")


def by_controller(axes: Iterable[Axis]) -> dict[MotorController, list[Axis]]:
    groups: dict[MotorController, list[Axis]] = {}
    for axis in axes:
        groups.setdefault(axis.controller, []).append(axis)
    return groups


def read_dials(axes: Sequence[Axis]) -> dict[Axis, float]:
    """Return where axes are, in dial units, read from the hardware.

    :raises Exception: the first error, after all have answered.
    """
    return _ask(axes, lambda controller, group: controller.read_dials(*group))


def read_states(axes: Sequence[Axis]) -> dict[Axis, AxisState]:
    """Return what the hardware says of axes; errors as `read_dials`."""
    return _ask(axes, lambda controller, group: controller.read_states(*group))


def look(
    axes: Sequence[Axis], answers: dict[Axis, tuple[float, AxisState]] | None = None
) -> dict[Axis, tuple[float, AxisState]]:
    """Return where axes are, in dial units, and then how they do; errors as `read_dials`.

    :param answers: takes them as they come.
    """
    return _ask(
        axes, lambda controller, group: list(zip(*controller.read_dials_and_states(*group), strict=True)), answers
    )


def _ask(
    axes: Sequence[Axis],
    ask: Callable[[MotorController, list[Axis]], Sequence[T]],
    answers: dict[Axis, T] | None = None,
) -> dict[Axis, T]:
    answers = {} if answers is None else answers

    def of(controller: MotorController, group: list[Axis]) -> Callable[[], None]:
        return lambda: answers.update(zip(group, ask(controller, group), strict=True))

    side_by_side([of(controller, group) for controller, group in by_controller(axes).items()])
    return answers


def side_by_side(calls: Sequence[Callable[[], Any]], *, to_the_end: bool = False) -> None:
    """Make calls at the same time, and return when all are done.

    :param to_the_end: whoever waits for them may be killed, and they go on: it takes more than an impatient user to
        interrupt a stop. Otherwise they are killed with him.
    :raises BaseException: the first error, after all are done: what one begins may not go on unseen. A driver may raise
        `gevent.Timeout`, which is no Exception.
    """
    if len(calls) < 2 and not to_the_end:
        for call in calls:
            call()
        return
    failures: list[BaseException | None] = [None] * len(calls)

    def make(number: int) -> None:
        try:
            calls[number]()
        except BaseException as failure:  # noqa: BLE001 - raised below
            failures[number] = failure

    greenlets = [gevent.spawn(make, number) for number in range(len(calls))]
    try:
        gevent.joinall(greenlets)
    except BaseException:
        if not to_the_end:
            gevent.killall(greenlets)
        raise
    for failure in failures:
        if failure is not None:
            raise failure


def answers(controller: Any, asked: Sequence[Any], said: Sequence[T], what: str) -> Sequence[T]:
    """Return what a controller said of each that was asked for.

    :raises DeviceError: it said something of more or of fewer.
    """
    if len(said) != len(asked):
        names = ", ".join(name_of(each) for each in asked)
        raise DeviceError(
            f"{controller.name}: was asked for the {what} of {len(asked)} axes ({names}), its driver "
            f"{type(controller).__name__} gave {len(said)}"
        )
    return said


def position_of(device: Any, controller: Any, said: Any) -> float:
    """Return a position that hardware has told; NaN where it does not know.

    :raises DeviceError: it is no number.
    """
    try:
        return float(said)
    except (TypeError, ValueError):
        raise DeviceError(
            f"{name_of(device)}: expected a number as its position from {controller.name}, came {said!r}: its driver "
            f"{type(controller).__name__} has to return one"
        ) from None


def finite(device: Any, controller: Any, position: float) -> float:
    """Return a position that can be compared with a target or a limit: no other must be followed, or kept.

    :raises DeviceError: it cannot.
    """
    if math.isfinite(position):
        return position
    raise DeviceError(
        f"{name_of(device)}: expected a finite number as its position from {controller.name}, came {position}: its hardware "
        f"does not know where it is"
    )


def real_state(axis: Axis, said: Any) -> AxisState:
    """Return a state that hardware has told of an axis.

    :raises DeviceError: it is none.
    """
    if isinstance(said, AxisState):
        return said
    raise DeviceError(
        f"{name_of(axis)}: expected an AxisState from {axis.controller.name}, came {said!r}: its driver "
        f"{type(axis.controller).__name__} has to return AxisState(...)"
    )
