"""The simulated oven follows its formula, and its regulator brings it where it is sent."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from tests.unit.controllers.regulation.making import QUICK, make_oven


def test_heating_and_cooling_follow_the_formula() -> None:
    oven = make_oven(speed=200)
    (sensor,), (heater,) = oven.inputs, oven.outputs

    def expected(began: float, start: float, end: float) -> float:
        return end + (start - end) * math.exp(-(time.monotonic() - began) * 200 / 40)

    for power, end in [(100, 222), (0, 22), (75, 172)]:
        start, began = sensor.read(), time.monotonic()
        heater.set_value(power)
        assert heater.read() == power
        while (elapsed := time.monotonic() - began) < 0.15:
            lowest, value, highest = expected(began, start, end), sensor.read(), expected(began, start, end)
            assert min(lowest, highest) - 0.5 <= value <= max(lowest, highest) + 0.5, (power, elapsed)
        assert abs(value - start) > 30


def test_what_is_left_alone_reaches_the_temperature_of_its_power() -> None:
    oven = make_oven(speed=1e6, start=500)
    assert oven.inputs[0].read() <= 500
    oven.outputs[0].set_value(30)
    deadline = time.monotonic() + 5
    while oven.inputs[0].read() != pytest.approx(22 + 30 / 0.5):
        assert time.monotonic() < deadline


def test_the_noise_of_its_thermometer() -> None:
    oven = make_oven(noise=0.3, seed=1)
    readings = np.array([oven.inputs[0].read() for _ in range(2000)])
    assert readings.mean() == pytest.approx(22, abs=0.05)
    assert readings.std() == pytest.approx(0.3, rel=0.1)


def test_its_own_regulator_settles_and_holds_against_the_losses() -> None:
    oven = make_oven({"P": 20, "I": 2, "low_limit": 0, "high_limit": 400, "deadband": 0.5, **QUICK})
    (loop,) = oven.loops
    loop.axis.move(122)
    assert loop.axis.position == pytest.approx(122, abs=1)
    deadline = time.monotonic() + 10
    while oven.outputs[0].read() != pytest.approx(0.5 * 100, rel=0.01):
        assert time.monotonic() < deadline
    loop.stop_regulation()
    assert oven.outputs[0].read() == 0 and not loop.is_regulating()


def test_its_ramp_is_that_of_its_rate() -> None:
    oven = make_oven({"P": 50, "I": 5, "low_limit": 0, "high_limit": 400, "ramprate": 2, "wait_mode": "ramp", **QUICK})
    (loop,) = oven.loops
    began = time.monotonic()
    loop.setpoint = 82
    assert loop.is_ramping() and loop.setpoint == 82
    while loop.is_ramping():
        elapsed = (time.monotonic() - began) * 100
        assert loop.working_setpoint == pytest.approx(22 + 2 * elapsed, abs=15)
    assert (time.monotonic() - began) * 100 == pytest.approx(30, rel=0.4)
    loop.wait(5)
