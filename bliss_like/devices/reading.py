"""Positions and states of many axes: one round trip a controller, the controllers side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import gevent

from bliss_like.devices.axis_state import AxisState

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


def _ask(axes: Sequence[Axis], ask: Callable[[MotorController, list[Axis]], Sequence[T]]) -> dict[Axis, T]:
    answers: dict[Axis, T] = {}

    def of(controller: MotorController, group: list[Axis]) -> Callable[[], None]:
        return lambda: answers.update(zip(group, ask(controller, group), strict=True))

    side_by_side([of(controller, group) for controller, group in by_controller(axes).items()])
    return answers


def side_by_side(calls: Sequence[Callable[[], Any]]) -> None:
    """Make calls at the same time, and return when all are done.

    :raises Exception: the first error, after all are done: what one begins may not go on unseen.
    """
    if len(calls) < 2:
        for call in calls:
            call()
        return
    failures: list[Exception | None] = [None] * len(calls)

    def make(number: int) -> None:
        try:
            calls[number]()
        except Exception as failure:  # noqa: BLE001 - raised below
            failures[number] = failure

    gevent.joinall([gevent.spawn(make, number) for number in range(len(calls))])
    for failure in failures:
        if failure is not None:
            raise failure
