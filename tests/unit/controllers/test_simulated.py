"""Simulated counters give what their formula says, and the same noise for the same seed."""

from __future__ import annotations

import math
import time

import gevent
import numpy as np
import pytest

from bliss_like.controllers.simulated.diode import SimulatedDiodes
from bliss_like.controllers.simulated.gaussian import GaussianDetector
from bliss_like.controllers.simulated.thermometer import SimulatedThermometer
from bliss_like.devices.soft_axis import SoftAxis
from tests.unit.devices.making import make, make_axis


def test_diodes_constant_and_noisy() -> None:
    diodes = make(
        SimulatedDiodes,
        "diodes",
        seed=1,
        counters=[{"name": "dark", "value": 3}, {"name": "lit", "value": 10, "noise": 2}],
    )
    readings = np.array([diodes.read_all(*diodes.counters) for _ in range(2000)])
    assert np.all(readings[:, 0] == 3)
    assert readings[:, 1].mean() == pytest.approx(10, abs=0.2)
    assert readings[:, 1].std() == pytest.approx(2, abs=0.15)
    lit, dark = diodes.counters["lit"], diodes.counters["dark"]
    assert diodes.read_all(lit, dark)[1] == 3


@pytest.mark.parametrize(
    ("device_class", "keys"),
    [
        (SimulatedDiodes, {"counters": [{"name": "d", "noise": 1}]}),
    ],
)
def test_the_same_seed_gives_the_same_noise(device_class: type, keys: dict[str, object]) -> None:
    same, again, other = (make(device_class, "device", seed=seed, **keys) for seed in (7, 7, 8))
    first, second, third = (device.read_all(*device.counters)[0] for device in (same, again, other))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)


def test_the_gaussian_follows_its_axis_also_in_motion() -> None:
    axis = make_axis(velocity=5, acceleration=50)
    beam = {"name": "gauss", "axes": [axis], "height": 100, "center": 1, "sigma": 2, "background": 3}
    detector = make(GaussianDetector, "beam", counters=[beam])
    gauss = detector.counters["gauss"]

    def expected(position: float) -> float:
        return 100 * math.exp(-((position - 1) ** 2) / 8) + 3

    axis.move(-2)
    assert detector.read(gauss) == pytest.approx(expected(-2))
    axis.move(1, wait=False)
    readings = []
    while axis.is_moving:
        before = axis.position
        reading = detector.read(gauss)
        assert expected(before) - 1e-9 <= reading <= expected(axis.position) + 1e-9
        readings.append(reading)
        gevent.sleep(0.01)
    assert len(set(readings)) > 5
    assert detector.read(gauss) == pytest.approx(103)


def test_two_axes_make_a_spot() -> None:
    x, y = make_axis("x"), make_axis("y")
    detector = make(GaussianDetector, "beam", counters=[{"name": "spot", "axes": [x, y]}])
    x.move(1)
    y.move(1)
    assert detector.read(detector.counters["spot"]) == pytest.approx(math.exp(-1))


def test_the_temperature_relaxes_to_its_setpoint() -> None:
    oven = make(
        SimulatedThermometer, "oven", counters=[{"name": "t"}], start=300, setpoint=400, relaxation_time=1e-3, noise=0
    )
    assert 300 <= oven.read(oven.counters["t"]) <= 400
    heater = SoftAxis("heater", oven, position="setpoint", move="setpoint")
    heater.move(500)
    assert heater.position == 500
    deadline = time.monotonic() + 5
    while abs(oven.temperature - 500) > 0.01:
        assert time.monotonic() < deadline
    slow = make(SimulatedThermometer, "slow", counters=[{"name": "t"}], relaxation_time=1e9, noise=0)
    assert slow.read(slow.counters["t"]) == pytest.approx(295)


def test_the_gaussian_of_the_axis_that_moved_last() -> None:
    x, y = make_axis(), make_axis()
    beam = {"name": "spot", "axes": [x, y], "last_moved_only": True}
    detector = make(GaussianDetector, "beam", counters=[beam])
    spot = detector.counters["spot"]
    for axis, position in ((x, 1.0), (y, 2.0), (x, 0.5)):
        axis.move(position)
        assert detector.read(spot) == pytest.approx(math.exp(-(position**2) / 2), rel=1e-3)
