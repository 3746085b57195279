"""What pseudo axes tell when the axes move that they are calculated from, whoever moves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices import events
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.positions import derived, is_pseudo

if TYPE_CHECKING:
    from bliss_like.devices.calc_axis import CalcController


class PseudoEvents:
    """Listens to the inputs of one calc controller.

    Several real axes that tell their positions one after the other make one event of each pseudo axis: it is calculated
    when the greenlet that told them gives way, and only if somebody listens.
    """

    def __init__(self, controller: CalcController) -> None:
        self._controller = controller
        self._seen: dict[Any, float] = {}
        self._told: dict[tuple[Any, AxisEvent], Any] = {}
        self._due: set[AxisEvent] = set()
        self._telling: Any = None
        self._moving = False
        self._inputs = [*controller.reals, *controller.params]
        self._receivers: list[tuple[Any, AxisEvent, Any]] = []
        for axis in self._inputs:
            self._listen(axis, AxisEvent.POSITION, _Position(self, axis))
            self._listen(axis, AxisEvent.STATE, self._on_state)
            self._listen(axis, AxisEvent.MOVE_DONE, self._on_move_done)

    def _listen(self, axis: Any, event: AxisEvent, receiver: Any) -> None:
        events.connect(axis, event, receiver)
        self._receivers.append((axis, event, receiver))

    def close(self) -> None:
        for receiver in self._receivers:
            events.disconnect(*receiver)
        if self._telling is not None:
            self._telling.kill(block=False)

    def on_position(self, axis: Any, position: float) -> None:
        self._seen[axis] = position
        self._tell_soon(AxisEvent.POSITION)

    def _on_state(self, state: Any) -> None:
        self._tell_soon(AxisEvent.STATE)

    def _tell_soon(self, event: AxisEvent) -> None:
        self._due.add(event)
        if not self._telling and self._is_wanted(event):
            self._telling = gevent.spawn(self._tell)

    def _is_wanted(self, event: AxisEvent) -> bool:
        return any(events.has_receivers(axis, event) for axis in self._controller.pseudos)

    def _on_move_done(self, done: bool) -> None:
        moving = any(is_on_its_way(axis) for axis in self._controller.reals)
        if moving == self._moving:
            return
        self._moving = moving
        self._due.add(AxisEvent.STATE)
        if not moving:
            self._tell()
        for axis in self._controller.pseudos:
            events.send(axis, AxisEvent.MOVE_DONE, not moving)

    def _tell(self) -> None:
        """Send what has changed."""
        due, self._due = self._due, set()
        if AxisEvent.POSITION in due and self._is_wanted(AxisEvent.POSITION):
            for axis in self._inputs:
                if axis not in self._seen:
                    self._seen[axis] = axis._set_position
            for axis, position in derived(self._controller.pseudos, self._seen).items():
                self._send(axis, AxisEvent.POSITION, position)
        if AxisEvent.STATE in due and self._is_wanted(AxisEvent.STATE):
            for axis in self._controller.pseudos:
                self._send(axis, AxisEvent.STATE, axis.state)

    def _send(self, axis: Any, event: AxisEvent, value: Any) -> None:
        if self._told.get((axis, event)) != value:
            self._told[axis, event] = value
            events.send(axis, event, value)


class _Position:
    """Receives the positions of one axis: they come without its name."""

    def __init__(self, owner: PseudoEvents, axis: Any) -> None:
        self._owner = owner
        self._axis = axis

    def __call__(self, position: float) -> None:
        self._owner.on_position(self._axis, position)


def is_on_its_way(axis: Any) -> bool:
    """Tell whether a move of an axis, or of one of its real axes, is under way; nothing is read."""
    if is_pseudo(axis):
        return any(is_on_its_way(each) for each in axis.controller.reals)
    move = axis.current_move
    return move is not None and not move.done
