"""What a move says to the controllers of its axes, and what it hears: start, stop, where they are, how they do.

All controllers are spoken to side by side, and an error of one keeps nothing from the others.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.naming import name_of
from bliss_like.devices.pursuit import Jog, Pursuit
from bliss_like.devices.reading import by_controller, finite, look, read_states, side_by_side
from bliss_like.errors import AxisFault

if TYPE_CHECKING:
    from bliss_like.devices.axis import Axis
    from bliss_like.devices.motor_controller import MotorController
    from bliss_like.devices.silence import Hearing

_log = logging.getLogger(__name__)

BRAKING_PATIENCE = 10.0
"""Seconds that axes may take to stand still after they were told to."""


def start(pursuits: Iterable[Pursuit]) -> None:
    """Start axes; return when all are started."""
    motions = {pursuit.axis: pursuit.motion for pursuit in pursuits}
    starts: list[Callable[[], Any]] = []
    for controller, axes in by_controller(motions).items():
        group = [motions[axis] for axis in axes]
        if group[0].type == "move":
            controller.prepare_all(*group)
            starts.append(partial(controller.start_all, *group))
        else:
            starts.append(partial(controller.start_operation, group[0]))
    side_by_side(starts)  # all of them before any error: what starts after the others were stopped would run on


def stop(pursuits: Sequence[Pursuit]) -> None:
    """Stop every controller, also when another one fails to; then raise the first error."""
    motions = {pursuit.axis: pursuit.motion for pursuit in pursuits}
    is_jog = isinstance(pursuits[0], Jog)
    stops: list[Callable[[], Any]] = []
    for controller, axes in by_controller(motions).items():
        group = [motions[axis] for axis in axes]
        stops.append(partial(controller.stop_jog, axes[0]) if is_jog else partial(controller.stop_all, *group))
    side_by_side(stops, to_the_end=True)


def look_at(pursuits: Sequence[Pursuit], hearing: Hearing) -> Iterator[tuple[Pursuit, float, AxisState]]:
    """Yield where the axes are, in dial units, and how they do.

    :param hearing: takes note of who has answered.

    States are read last: an axis that is at its target and stands still afterwards has arrived, while one that stood
    still before may just have begun to move, and have reached its target without having come to rest there.
    """
    told = look([pursuit.axis for pursuit in pursuits], hearing.ask())
    hearing.all_have_answered()
    for pursuit in pursuits:
        axis = pursuit.axis
        dial, state = told[axis]
        dial, state = finite(axis, axis.controller, dial), pursuit.state(axis.controller) or state
        axis.saw(dial, state)
        yield pursuit, dial, state


def wait_until_still(axes: Iterable[Axis]) -> None:
    """:raises Exception: a controller does not answer, or its axes do not brake; those of the others stand still."""
    side_by_side([partial(_wait_for, group) for group in by_controller(axes).values()])


def _wait_for(axes: Sequence[Axis]) -> None:
    deadline = time.monotonic() + BRAKING_PATIENCE
    while any("MOVING" in state for state in read_states(axes).values()):
        if time.monotonic() > deadline:
            raise AxisFault(f"{', '.join(map(name_of, axes))}: told to stop, but still moving")
        gevent.sleep(0.01)


def where_left(axes: Sequence[Axis]) -> dict[Axis, float]:
    """Return where axes stand, in dial units, without those whose controller does not tell."""
    found: dict[Axis, float] = {}

    def ask(controller: MotorController, group: Sequence[Axis]) -> None:
        try:
            read, states = controller.read_dials_and_states(*group)
            dials = [finite(axis, controller, dial) for axis, dial in zip(group, read, strict=True)]
        except (Exception, gevent.Timeout):  # noqa: BLE001 - the motions have an end all the same
            _log.debug("%s: not known where its axes were left", controller.name, exc_info=True)
            return
        for axis, dial, state in zip(group, dials, states, strict=True):
            axis.saw(dial, state)
            if "MOVING" not in state:
                found[axis] = axis.shown(dial)

    side_by_side([partial(ask, *each) for each in by_controller(axes).items()])
    return found
