"""The PID: each of its terms, and what it does at the limits of its output."""

from __future__ import annotations

import pytest

from bliss_like.controllers.regulation.pid import PID

WIDE = (-1e6, 1e6)


def test_each_term() -> None:
    assert PID(2, 0, 0, WIDE).update(10, 7, 0.1) == pytest.approx(6)
    integral = PID(0, 0.5, 0, WIDE)
    assert [integral.update(10, 8, 0.1) for _ in range(3)] == pytest.approx([0.1, 0.2, 0.3])
    derivative = PID(0, 0, 3, WIDE)
    assert [derivative.update(10, value, 0.1) for value in (5, 6, 6)] == pytest.approx([0, -30, 0])


def test_a_new_setpoint_gives_no_kick() -> None:
    pid = PID(0, 0, 3, WIDE)
    pid.update(10, 5, 0.1)
    assert pid.update(1000, 5, 0.1) == 0


def test_the_output_stays_in_its_range_and_nothing_winds_up() -> None:
    pid = PID(1, 1, 0, (0, 10))
    assert {pid.update(100, 0, 1) for _ in range(1000)} == {10}
    assert pid.update(100, 101, 1) < 10  # at once, not after another thousand


def test_proportional_on_measurement_ignores_the_error() -> None:
    pid = PID(2, 0, 0, WIDE)
    pid.proportional_on_measurement = True
    assert [pid.update(50, value, 0.1) for value in (20, 21, 23, 22)] == pytest.approx([0, -2, -6, -4])


def test_proportional_on_measurement_does_not_overshoot() -> None:
    highest = {}
    for on_measurement in (False, True):
        pid, temperature = PID(5, 0.5, 0, (0, 100)), 20.0
        pid.proportional_on_measurement = on_measurement
        highest[on_measurement] = 0.0
        for _ in range(4000):
            temperature += 0.1 * (pid.update(60, temperature, 0.1) - 0.5 * (temperature - 20)) / 20
            highest[on_measurement] = max(highest[on_measurement], temperature)
    assert highest[True] < 60.2 < 60.5 < highest[False]


def test_it_brings_a_heated_mass_to_its_setpoint() -> None:
    pid, temperature = PID(5, 0.5, 1, (0, 100)), 20.0
    highest = 0.0
    for _ in range(4000):
        temperature += 0.1 * (pid.update(60, temperature, 0.1) - 0.5 * (temperature - 20)) / 20
        highest = max(highest, temperature)
    assert temperature == pytest.approx(60, abs=1e-3)
    assert highest < 70


def test_reset_forgets() -> None:
    pid = PID(1, 1, 1, WIDE)
    first = pid.update(10, 5, 0.1)
    pid.update(10, 8, 0.1)
    pid.reset()
    assert pid.update(10, 5, 0.1) == first
