"""The time law against the textbook: s = v t, s = a t² / 2."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.devices.motion import Phase, TimeLaw, at_rest, endless, through, trapezoid

positions = st.floats(-1e4, 1e4)
rates = st.floats(1e-2, 1e4)
fractions = st.floats(0, 1)


@st.composite
def laws(draw: st.DrawFn) -> tuple[TimeLaw, float, float, float, float]:
    """A law, and the start, end, velocity and acceleration it was made of."""
    start, end, velocity, acceleration = draw(positions), draw(positions), draw(rates), draw(rates)
    return trapezoid(start, end, velocity, acceleration), start, end, velocity, acceleration


@given(laws())
def test_it_begins_at_the_start_and_rests_exactly_at_the_end(made: tuple[TimeLaw, float, float, float, float]) -> None:
    law, start, end, _, _ = made
    assert law.position(0) == pytest.approx(start, abs=1e-9)
    assert law.position(-1) == pytest.approx(start, abs=1e-9)
    assert law.position(law.duration) == law.position(law.duration + 1e6) == law.end == end
    assert law.velocity(law.duration) == 0


@given(laws())
def test_duration_is_that_of_the_textbook(made: tuple[TimeLaw, float, float, float, float]) -> None:
    law, start, end, velocity, acceleration = made
    distance = abs(end - start)
    if distance > velocity**2 / acceleration:
        expected = distance / velocity + velocity / acceleration
    else:
        expected = 2 * math.sqrt(distance / acceleration)
    assert law.duration == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(laws(), fractions)
def test_never_faster_than_asked_nor_beyond_the_ends(
    made: tuple[TimeLaw, float, float, float, float], fraction: float
) -> None:
    law, start, end, velocity, _ = made
    time = fraction * law.duration
    assert abs(law.velocity(time)) <= velocity * (1 + 1e-9)
    assert min(start, end) - 1e-6 <= law.position(time) <= max(start, end) + 1e-6


@given(laws(), fractions)
def test_velocity_is_the_slope_of_the_position(
    made: tuple[TimeLaw, float, float, float, float], fraction: float
) -> None:
    law, _, _, _, acceleration = made
    time, step = fraction * law.duration, law.duration * 1e-5
    if step:
        slope = (law.position(time + step) - law.position(time)) / step
        rounding = 1e-10 / step
        assert slope == pytest.approx(law.velocity(time), abs=acceleration * step + rounding)


@given(laws(), fractions, rates)
def test_a_stop_brakes_from_where_it_is(
    made: tuple[TimeLaw, float, float, float, float], fraction: float, deceleration: float
) -> None:
    law = made[0]
    time = fraction * law.duration
    stopped = law.stopped_at(time, deceleration)
    velocity = law.velocity(time)
    braking_distance = velocity**2 / (2 * deceleration)
    assert stopped.position(time / 2) == pytest.approx(law.position(time / 2), abs=1e-6)
    assert stopped.end == pytest.approx(
        law.position(time) + math.copysign(braking_distance, velocity), rel=1e-9, abs=1e-6
    )
    assert stopped.duration == pytest.approx(time + abs(velocity) / deceleration)
    assert stopped.velocity(stopped.duration) == 0


@given(laws())
def test_a_stop_with_the_own_deceleration_ends_no_later(made: tuple[TimeLaw, float, float, float, float]) -> None:
    law, _, _, _, acceleration = made
    assert law.stopped_at(law.duration / 3, acceleration).duration <= law.duration * (1 + 1e-9)


def test_a_stop_after_the_end_changes_nothing() -> None:
    law = trapezoid(0, 1, 1, 1)
    assert law.stopped_at(law.duration, 1) is law


def test_infinite_velocity_is_there_at_once() -> None:
    law = trapezoid(0, 5, math.inf, 1)
    assert (law.duration, law.position(0)) == (0, 5)


def test_infinite_acceleration_has_no_ramps() -> None:
    law = trapezoid(0, 5, 2, math.inf)
    assert (law.duration, law.position(1), law.velocity(0)) == (2.5, 2, 2)
    assert law.stopped_at(1, math.inf).duration == 1


def test_no_way_to_go_takes_no_time() -> None:
    assert trapezoid(3, 3, 1, 1).duration == 0
    assert at_rest(3).position(10) == 3


@pytest.mark.parametrize(("velocity", "acceleration"), [(0, 1), (1, 0), (-1, 1), (1, -1), (math.nan, 1)])
def test_rates_must_be_positive(velocity: float, acceleration: float) -> None:
    with pytest.raises(ValueError, match="must be > 0"):
        trapezoid(0, 1, velocity, acceleration)


# -- changes in motion, switches, points ---------------------------------------------------------------------------------


def check_continuity(law: TimeLaw, until: float) -> None:
    """The position and the velocity at the end of each phase are those at the beginning of the next."""
    for before, after in pairwise(law.phases):
        t = after.start - before.start
        end = before.position + (before.velocity + (before.acceleration / 2 + before.jerk * t / 6) * t) * t
        velocity = before.velocity + (before.acceleration + before.jerk * t / 2) * t
        scale = max(abs(end), abs(velocity) * t, abs(before.acceleration) * t * t, abs(before.jerk) * t**3, 1)
        assert end == pytest.approx(after.position, abs=1e-9 * scale)
        if t:
            assert velocity == pytest.approx(after.velocity, abs=1e-9 * scale / t)
        assert after.start >= before.start
    assert law.phases[0].start == 0 and until > 0


@given(laws())
def test_a_law_is_continuous(made: tuple[TimeLaw, float, float, float, float]) -> None:
    check_continuity(made[0], 1)


@given(st.floats(-100, 100), st.lists(st.tuples(st.floats(0, 5), st.floats(-100, 100)), max_size=5), rates)
def test_the_velocity_is_changed_in_motion(
    start: float, changes: list[tuple[float, float]], acceleration: float
) -> None:
    law = endless(start, 0, 10, acceleration)
    for after, velocity in changes:
        position, before = law.position(after), law.velocity(after)
        law = endless(position, before, velocity, acceleration)
        assert (law.position(0), law.velocity(0)) == (position, pytest.approx(before))
        check_continuity(law, 1)
        ramp = abs(velocity - before) / acceleration
        assert law.velocity(ramp * 2 + 1) == velocity
        assert law.position(ramp) == pytest.approx(position + (before + velocity) / 2 * ramp)
        fastest = max(abs(before), abs(velocity))
        assert all(abs(law.velocity(part * ramp)) <= fastest * (1 + 1e-9) for part in (0.1, 0.5, 0.9))
        assert law.duration == (math.inf if velocity else pytest.approx(ramp))
    stopped = law.stopped_at(1, acceleration)
    assert stopped.duration < math.inf and stopped.velocity(stopped.duration) == 0


places = st.floats(-100, 100).map(lambda place: round(place, 6))  # no motor has a velocity of 1e-245
points = st.lists(st.tuples(places, places, st.floats(0.01, 10)), min_size=2, max_size=6)


@st.composite
def curves(draw: st.DrawFn) -> tuple[TimeLaw, list[tuple[float, float, float]]]:
    """A law through points, and these as (position, velocity, time)."""
    rows, now = [], 0.0
    for position, velocity, pause in draw(points):
        rows.append((position, velocity, now))
        now += pause
    positions, velocities, times = zip(*rows, strict=True)
    return through(positions, velocities, times), rows


@given(curves())
def test_through_points_with_their_velocities(made: tuple[TimeLaw, list[tuple[float, float, float]]]) -> None:
    law, rows = made
    for position, velocity, time in rows[:-1]:
        assert law.position(time) == pytest.approx(position, abs=1e-6)
        assert law.velocity(time) == pytest.approx(velocity, abs=1e-6)
    position, velocity, time = rows[-1]
    assert (law.duration, law.end) == (time, position)
    assert law.position(time * (1 - 1e-12)) == pytest.approx(position, abs=1e-6)
    assert law.velocity(math.nextafter(time, 0)) == pytest.approx(velocity, abs=1e-6)


@given(curves(), fractions)
def test_turns_and_rates_are_the_extremes(
    made: tuple[TimeLaw, list[tuple[float, float, float]]], fraction: float
) -> None:
    law, _ = made
    time = fraction * law.duration
    positions = [position for _, position in law.turns]
    assert min(positions) - 1e-6 <= law.position(time) <= max(positions) + 1e-6
    velocities = [abs(velocity) for _, velocity, _ in law.rates()]
    assert abs(law.velocity(time)) <= max(velocities) * (1 + 1e-9) + 1e-9
    for (since, here), (until, there) in pairwise(law.turns):
        quarter, half = (law.position(since + part * (until - since)) for part in (0.25, 0.5))
        assert min(here, there) - 1e-6 <= quarter <= max(here, there) + 1e-6
        assert (half - quarter) * (there - here) >= -1e-6


@given(curves(), st.floats(-100, 100), st.floats(1, 100))
def test_switches_stop_dead(
    made: tuple[TimeLaw, list[tuple[float, float, float]]], middle: float, width: float
) -> None:
    law, rows = made
    low, high = rows[0][0] - width, rows[0][0] + width / 3
    cut = law.within(low, high)
    assert cut.duration <= law.duration
    for part in range(11):
        time = cut.duration * part / 10
        assert low - 1e-6 <= cut.position(time) <= high + 1e-6
        if time < cut.duration:
            assert cut.position(time) == law.position(time)
    if cut.duration < law.duration:
        assert cut.end in (low, high)
        assert law.position(cut.duration) == pytest.approx(cut.end, abs=1e-5)
    else:
        assert cut.end == law.end


def test_off_a_switch_but_not_further_onto_it() -> None:
    assert trapezoid(5, 8, 1, 1).within(-5, 5).end == 5
    assert trapezoid(5, 8, 1, 1).within(-5, 5).duration == 0
    assert trapezoid(5, 2, 1, 1).within(-5, 5).end == 2
    assert trapezoid(6, 2, 1, 1).within(-5, 5).end == 2
    assert trapezoid(6, 8, 1, 1).within(-5, 5).end == 6
    assert trapezoid(0, 8, math.inf, 1).within(-5, 5).end == 5
    assert endless(0, 0, -2, 1).within(-5, 5).duration == 3.5  # at -2 after 2 s, then 2/s
    assert trapezoid(0, 5, 1, 1).within(-5, 5).duration == trapezoid(0, 5, 1, 1).duration


@given(curves(), st.lists(fractions.map(lambda part: round(part, 6)), min_size=1, max_size=5))
def test_passages_are_where_it_passes_one_after_the_other(
    made: tuple[TimeLaw, list[tuple[float, float, float]]], parts: list[float]
) -> None:
    law, _ = made
    wanted = [law.position(part * law.duration) for part in sorted(parts)]
    times = list(law.passages(wanted))
    assert len(times) == len(wanted)
    assert times == sorted(times)
    for time, position, part in zip(times, wanted, sorted(parts), strict=True):
        assert law.position(time) == pytest.approx(position, abs=1e-6)
        assert time <= part * law.duration * (1 + 1e-9) + 1e-9
    assert list(law.passages([1e6, 0])) == []


def test_the_end_is_passed_also_where_it_is_rounded() -> None:
    law = through([0, 1], [0, 0], [0, 5])
    almost = law.position(5 * 0.9999999999999999)
    assert almost > law.end
    assert list(law.passages([almost])) == [pytest.approx(5)]


def test_shifted() -> None:
    assert trapezoid(0, 5, 1, 1).shifted(2).phases == trapezoid(2, 7, 1, 1).phases
    assert at_rest(1).shifted(1).phases == (Phase(0, 2, 0, 0),)
