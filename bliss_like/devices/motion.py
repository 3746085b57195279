"""How a position changes with time when an axis accelerates, cruises and brakes. Pure arithmetic, no clock.

A time law is a tuple of phases of constant jerk (mostly 0: constant acceleration); its times are counted from the start of
the motion.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple


class Phase(NamedTuple):
    """A stretch of constant jerk, that lasts until the next phase begins."""

    start: float
    position: float
    velocity: float
    acceleration: float
    jerk: float = 0.0


class TimeLaw:
    """Position and velocity at any time of a motion; before it the axis is at its start, after it at its end."""

    def __init__(self, *phases: Phase) -> None:
        """:param phases: in order of time; the first starts at 0, the last is the rest at the end, or has a constant
        velocity for ever."""
        self.phases = phases
        self._starts = [phase.start for phase in phases]

    @property
    def duration(self) -> float:
        """Seconds from the start to the rest; infinite for a motion without end."""
        last = self.phases[-1]
        return math.inf if last.velocity else last.start

    @property
    def end(self) -> float:
        """Where the motion ends; infinite for a motion without end."""
        last = self.phases[-1]
        return math.copysign(math.inf, last.velocity) if last.velocity else last.position

    def _phase(self, time: float) -> Phase:
        return self.phases[max(bisect_right(self._starts, time) - 1, 0)]

    def position(self, time: float) -> float:
        start, position, velocity, acceleration, jerk = self._phase(time)
        elapsed = max(time - start, 0.0)
        return position + (velocity + (acceleration / 2 + jerk * elapsed / 6) * elapsed) * elapsed

    def velocity(self, time: float) -> float:
        """The signed velocity."""
        start, _, velocity, acceleration, jerk = self._phase(time)
        elapsed = max(time - start, 0.0)
        return velocity + (acceleration + jerk * elapsed / 2) * elapsed

    @cached_property
    def turns(self) -> tuple[tuple[float, float], ...]:
        """(time, position) of the start, the end and points between, such that the way from each to the next has one direction."""
        turns = []
        for phase, following in pairwise(self.phases):
            turns.append((phase.start, phase.position))
            for after in _zeros(phase.velocity, phase.acceleration, phase.jerk / 2):
                if 0 < after < following.start - phase.start:
                    turns.append((phase.start + after, self.position(phase.start + after)))
        last = self.phases[-1]
        turns.append((last.start, last.position))
        if last.velocity:
            turns.append((math.inf, self.end))
        return tuple(turns)

    def rates(self) -> Iterator[tuple[float, float, float]]:
        """Yield (time, velocity, acceleration) wherever one of them may be largest; both, where phases meet."""
        for (start, _, velocity, acceleration, jerk), following in pairwise(self.phases):
            yield start, velocity, acceleration
            duration = following.start - start
            peak = -acceleration / jerk if jerk else 0.0
            if 0 < peak < duration:
                yield start + peak, velocity + acceleration * peak / 2, 0.0
            ramp = acceleration + jerk * duration / 2
            yield following.start, velocity + ramp * duration, acceleration + jerk * duration

    def passages(self, positions: Sequence[float]) -> Iterator[float]:
        """Yield when the motion passes each of these positions, one after the other; ends at the first that it does not."""
        stretches = pairwise(self.turns)
        (since, here), (until, there) = next(stretches, (self.turns[0], self.turns[0]))
        for position in positions:
            rounding = 1e-9 * max(1.0, abs(position))  # of the polynomials: their ends must not be missed for it
            while not min(here, there) - rounding <= position <= max(here, there) + rounding:
                following = next(stretches, None)
                if following is None:
                    return
                (since, here), (until, there) = following
            since = self._time_at(position, since, until)
            here = position
            yield since

    def _time_at(self, position: float, since: float, until: float) -> float:
        """Return when the motion, which has one direction from `since` to `until`, is at a position between."""
        if math.isinf(until):
            last = self.phases[-1]
            return max(since, last.start + (position - last.position) / last.velocity)
        way = 1 if self.position(until) > self.position(since) else -1
        for _ in range(80):
            middle = (since + until) / 2
            if not since < middle < until:
                break
            if (self.position(middle) - position) * way < 0:
                since = middle
            else:
                until = middle
        return until

    def shifted(self, distance: float) -> TimeLaw:
        """The same motion elsewhere."""
        return (
            TimeLaw(*(phase._replace(position=phase.position + distance) for phase in self.phases))
            if distance
            else self
        )

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

    def within(self, low: float, high: float) -> TimeLaw:
        """The same motion, which stops dead where it reaches `low` on its way down, or `high` on its way up."""
        if len(self.turns) == 1:
            return self if low <= self.end <= high else at_rest(min(max(self.end, low), high))
        for (since, here), (until, there) in pairwise(self.turns):
            limit = high if there > here else low
            way = math.copysign(1.0, there - here)
            if there == here or math.isinf(limit) or there * way < limit * way:
                continue
            if here * way >= limit * way:  # it stood on the switch, or beyond it
                time, limit = since, here
            else:
                time = until if there == limit else self._time_at(limit, since, until)
            past = [phase for phase in self.phases if phase.start < time]
            return TimeLaw(*past, Phase(time, limit, 0.0, 0.0))
        return self


def _zeros(constant: float, linear: float, square: float) -> list[float]:
    """Return where constant + linear x + square x² is 0, in order."""
    if square == 0:
        return [-constant / linear] if linear else []
    inside = linear * linear - 4 * square * constant
    if inside <= 0:
        return []
    half = -(linear + math.copysign(math.sqrt(inside), linear)) / 2
    return sorted([half / square, constant / half])


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


def endless(start: float, velocity: float, to_velocity: float, acceleration: float) -> TimeLaw:
    """From `start` with a velocity to another one, both signed, which is kept for ever."""
    change = to_velocity - velocity
    ramp = abs(change) / acceleration
    cruising = Phase(ramp, start + (velocity + to_velocity) / 2 * ramp, to_velocity, 0.0)
    if ramp == 0:
        return TimeLaw(cruising)
    return TimeLaw(Phase(0.0, start, velocity, math.copysign(acceleration, change)), cruising)


def through(positions: Sequence[float], velocities: Sequence[float], times: Sequence[float]) -> TimeLaw:
    """Through points with given velocities (PVT): a cubic polynomial between each two, dead rest at the last.

    :param times: each later than the one before; the motion begins with the first.
    """
    phases = []
    points = zip(times, positions, velocities, strict=True)
    for (since, here, velocity), (until, there, to_velocity) in pairwise(points):
        duration = until - since
        mean = (there - here) / duration
        acceleration = (6 * mean - 4 * velocity - 2 * to_velocity) / duration
        jerk = (6 * (velocity + to_velocity) - 12 * mean) / duration**2
        phases.append(Phase(since - times[0], here, velocity, acceleration, jerk))
    return TimeLaw(*phases, Phase(times[-1] - times[0], positions[-1], 0.0, 0.0))
