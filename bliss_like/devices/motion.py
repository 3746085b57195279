"""How a position changes with time when an axis accelerates, cruises and brakes. Pure arithmetic, no clock.

A time law is a tuple of phases of constant acceleration; its times are counted from the start of the motion.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import NamedTuple


class Phase(NamedTuple):
    """A stretch of constant acceleration, that lasts until the next phase begins."""

    start: float
    position: float
    velocity: float
    acceleration: float


class TimeLaw:
    """Position and velocity at any time of a motion; before it the axis is at its start, after it at its end."""

    def __init__(self, *phases: Phase) -> None:
        """:param phases: in order of time; the first starts at 0, the last is the rest at the end."""
        self.phases = phases
        self._starts = [phase.start for phase in phases]

    @property
    def duration(self) -> float:
        """Seconds from the start to the rest."""
        return self.phases[-1].start

    @property
    def end(self) -> float:
        """Where the motion ends."""
        return self.phases[-1].position

    def _phase(self, time: float) -> Phase:
        return self.phases[max(bisect_right(self._starts, time) - 1, 0)]

    def position(self, time: float) -> float:
        phase = self._phase(time)
        elapsed = max(time - phase.start, 0.0)
        return phase.position + (phase.velocity + phase.acceleration * elapsed / 2) * elapsed

    def velocity(self, time: float) -> float:
        """The signed velocity."""
        phase = self._phase(time)
        return phase.velocity + phase.acceleration * max(time - phase.start, 0.0)

    def stopped_at(self, time: float, acceleration: float) -> TimeLaw:
        """The same motion, braked from `time` on: it ends where the deceleration takes it, beyond no former end.

        :param acceleration: > 0; infinite to stop dead.
        """
        if time >= self.duration:
            return self
        time = max(time, 0.0)
        position, velocity = self.position(time), self.velocity(time)
        braking = abs(velocity) / acceleration
        past = [phase for phase in self.phases if phase.start < time]
        rest = Phase(time + braking, position + velocity * braking / 2, 0.0, 0.0)
        if braking == 0:
            return TimeLaw(*past, rest) if past else TimeLaw(rest)
        return TimeLaw(*past, Phase(time, position, velocity, -math.copysign(acceleration, velocity)), rest)


def at_rest(position: float) -> TimeLaw:
    """The law of an axis that stands still."""
    return TimeLaw(Phase(0.0, position, 0.0, 0.0))


def trapezoid(start: float, end: float, velocity: float, acceleration: float) -> TimeLaw:
    """The quickest motion from `start` to `end`, at rest at both: a triangle when too short to reach the velocity.

    :param velocity: > 0; infinite means: there at once, whatever the acceleration.
    :param acceleration: > 0; infinite means: no ramps.
    :raises ValueError: the velocity or the acceleration is not positive.
    """
    if not velocity > 0 or not acceleration > 0:
        raise ValueError(f"velocity and acceleration must be > 0, got {velocity} and {acceleration}")
    distance = abs(end - start)
    if distance == 0 or math.isinf(velocity):
        return at_rest(end)
    ramp = velocity / acceleration
    cruise = distance / velocity - ramp
    if cruise < 0:
        ramp = math.sqrt(distance / acceleration)
        velocity, cruise = acceleration * ramp, 0.0
    way = math.copysign(1.0, end - start)
    cruising = Phase(ramp, start + way * velocity * ramp / 2, way * velocity, 0.0)
    rest = Phase(2 * ramp + cruise, end, 0.0, 0.0)
    if ramp == 0:
        return TimeLaw(cruising, rest)
    return TimeLaw(
        Phase(0.0, start, 0.0, way * acceleration),
        cruising,
        Phase(ramp + cruise, end - way * velocity * ramp / 2, way * velocity, -way * acceleration),
        rest,
    )
