"""The time law against the textbook: s = v t, s = a t² / 2."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.devices.motion import TimeLaw, at_rest, trapezoid

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
