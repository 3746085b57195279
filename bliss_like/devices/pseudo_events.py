"""What pseudo axes tell when the axes move that they are calculated from, whoever moves them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import gevent

from bliss_like.devices import events
from bliss_like.devices.events import AxisEvent
from bliss_like.devices.planning import real_axes
from bliss_like.devices.positions import derived, told_states_of

if TYPE_CHECKING:
    from bliss_like.devices.calc_axis import CalcController

_log = logging.getLogger(__name__)


class PseudoEvents:
    """Listens to the inputs of one calc controller.

    Several real axes that tell their positions one after the other make one event of each pseudo axis: it is calculated
    when the greenlet that told them gives way, and only if somebody listens, here or in another process.
    """

    def __init__(self, controller: CalcController) -> None:
        self._controller = controller
        self._seen: dict[Any, float] = {}
        self._told: dict[tuple[Any, AxisEvent], Any] = {}
        self._calculating: dict[AxisEvent, object] = {}
        """What stands for the calculation that was begun last."""
        self._due: set[AxisEvent] = set()
        self._telling: Any = None
        self._moving = False
        self._is_failing = False
        self._dragged: list[Any] = []
        """The pseudo axes that are on their way because others moved their real axes."""
        self._inputs = [*controller.reals, *controller.params]
        self._below = list({axis.controller.events for axis in self._inputs if axis.reals})
        self._receivers: list[tuple[Any, AxisEvent, Callable[[Any], None]]] = []
        for axis in self._inputs:
            self._listen(axis, AxisEvent.POSITION, self._on_position)
            self._listen(axis, AxisEvent.LIMITS, self._on_scale)
            self._listen(axis, AxisEvent.STATE, self._on_state)
        for axis in controller.reals:
            self._listen(axis, AxisEvent.MOVE_DONE, self._on_move_done)
        for axis in controller.pseudos:
            self._listen(axis, AxisEvent.INTERNAL_MOVE_DONE, self._on_own_move_done)

    def _listen(self, axis: Any, event: AxisEvent, receiver: Callable[[Any, Any], None]) -> None:
        bound = partial(receiver, axis)  # kept here: receivers are held weakly
        events.connect(axis, event, bound)
        self._receivers.append((axis, event, bound))

    def close(self) -> None:
        for receiver in self._receivers:
            events.disconnect(*receiver)
        if self._telling is not None:
            self._telling.kill(block=False)

    # -- what is heard -------------------------------------------------------------------------------------------------

    def _on_position(self, axis: Any, position: float) -> None:
        self._seen[axis] = position
        self._tell_soon(AxisEvent.POSITION)

    def _on_scale(self, axis: Any, limits: Any) -> None:
        """Its offset or its sign has changed, or only its limits."""
        self._seen.pop(axis, None)
        self._tell_soon(AxisEvent.POSITION)

    def _on_state(self, axis: Any, state: Any) -> None:
        self._tell_soon(AxisEvent.STATE)

    def _on_move_done(self, axis: Any, done: bool) -> None:
        moving = any(is_on_its_way(real) for real in self._controller.reals)
        if moving == self._moving:
            return
        self._moving = moving
        self._due.add(AxisEvent.STATE)
        if moving:  # those that are moved themselves are told by their move
            self._dragged = [pseudo for pseudo in self._controller.pseudos if not pseudo._moves_here]
        else:
            self.tell_now()
        for pseudo in self._dragged:
            if self._moving == moving:  # still: somebody who was told may have waited
                events.send(pseudo, AxisEvent.MOVE_DONE, not moving)

    def _on_own_move_done(self, axis: Any, done: bool) -> None:
        if done:  # and its real axes will tell only afterwards
            self._due.add(AxisEvent.STATE)
            self.tell_now()

    # -- what is told --------------------------------------------------------------------------------------------------

    def tell_now(self) -> None:
        """Send what has changed, without waiting for more to come."""
        for below in self._below:
            below.tell_now()
        if self._due:
            self._tell()

    def recalculate(self) -> None:
        """Send positions that are others now without a motion: the calculation has changed."""
        self._due.add(AxisEvent.POSITION)
        self.tell_now()

    def _tell_soon(self, event: AxisEvent) -> None:
        self._due.add(event)
        if not self._telling and self._is_wanted(event):
            self._telling = gevent.spawn(self._tell_all)

    def _is_wanted(self, event: AxisEvent) -> bool:
        return any(axis.settings.is_shared or events.has_receivers(axis, event) for axis in self._controller.pseudos)

    def _tell_all(self) -> None:
        while self._due:  # again, when something has come while a receiver waited
            self._tell()

    def _tell(self) -> None:
        """Send what has changed."""
        due, self._due = self._due, set()
        try:
            if AxisEvent.POSITION in due and self._is_wanted(AxisEvent.POSITION):
                self._tell_positions()
                self._is_failing = False
            if AxisEvent.STATE in due and self._is_wanted(AxisEvent.STATE):
                self._tell_states()
        except Exception as error:  # noqa: BLE001 - it concerns those who listen, not the motion; told once
            if not self._is_failing:
                _log.warning("%s: what its axes do is not told: %s", self._controller.name, error)
            self._is_failing = True

    def _tell_positions(self) -> None:
        for axis in self._inputs:
            if axis not in self._seen:
                self._seen[axis] = axis._set_position
        news = self._news(AxisEvent.POSITION, lambda: derived(self._controller.pseudos, self._seen), float)
        for axis, position in news.items():
            known = not math.isnan(position)
            axis.settings.remember(
                position=position if known else None, dial=float(axis.user2dial(position)) if known else None
            )
        self._send(AxisEvent.POSITION, news)

    def _tell_states(self) -> None:
        def states() -> dict[Any, Any]:
            state = self._controller.combined(told_states_of(self._controller.reals))  # who listens must not block
            return dict.fromkeys(self._controller.pseudos, state)

        news = self._news(AxisEvent.STATE, states)
        for axis, state in news.items():
            axis.settings.remember(state=list(state.names))
        self._send(AxisEvent.STATE, news)

    def _news(
        self,
        event: AxisEvent,
        calculate: Callable[[], dict[Any, Any]],
        kind: Callable[[Any], Any] = lambda value: value,
    ) -> dict[Any, Any]:
        """Return what is calculated by axis, as far as it was not told yet; nothing if a later calculation has begun."""
        self._calculating[event] = mark = object()
        found = {axis: kind(value) for axis, value in calculate().items()}
        if self._calculating[event] is not mark:
            return {}
        return {axis: value for axis, value in found.items() if self._is_new(axis, event, value)}

    def _send(self, event: AxisEvent, news: dict[Any, Any]) -> None:
        for axis, value in news.items():
            if self._told[axis, event] is value:  # else something later was told while a receiver waited
                events.send(axis, event, value)

    def _is_new(self, axis: Any, event: AxisEvent, value: Any) -> bool:
        known = self._told.get((axis, event))
        if known is not None and (known == value or (known != known and value != value)):  # NaN is NaN
            return False
        self._told[axis, event] = value
        return True


def is_on_its_way(axis: Any) -> bool:
    """Tell whether a move of this process moves an axis, or one of its real axes; nothing is read."""
    return any(real.current_move is not None and not real.current_move.done for real in real_axes([axis]))
