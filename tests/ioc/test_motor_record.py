"""Axes on motor records whose writes are answered at once, long before the motor has even started."""

from __future__ import annotations

import time

import gevent
import pytest

from bliss_like.controllers.epics_motor import EpicsMotors
from bliss_like.controllers.signal_axes import SignalAxes
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_group import move
from bliss_like.devices.signal import open_signal
from tests.iocs import Ioc
from tests.unit.devices.making import make
from tests.waiting import wait_until


@pytest.fixture(params=["signals", "record"])
def motors(fake_motor: Ioc, request: pytest.FixtureRequest) -> dict[str, Axis]:
    """Two axes, made of signals or on their record: without limits enforced, and with LVIO always 1."""
    if request.param == "record":
        axes = [{"name": name, "record": f"ca://sim:{name}", "velocity": 5} for name in ("mtr1", "mtr2")]
        return make(EpicsMotors, "records", axes=axes).axes  # type: ignore[return-value]

    def record(name: str) -> dict[str, object]:
        return {
            "name": name,
            "setpoint": f"ca://sim:{name}.VAL",
            "readback": f"ca://sim:{name}.RBV",
            "done": f"ca://sim:{name}.DMOV",
            "stop": f"ca://sim:{name}.STOP",
            "velocity_signal": f"ca://sim:{name}.VELO",
            "velocity": 5,
            "tolerance": 1e-4,
        }

    return make(SignalAxes, "records", axes=[record("mtr1"), record("mtr2")]).axes


def test_every_move_ends_at_its_target_with_the_motor_at_rest(motors: dict[str, Axis]) -> None:
    axis = motors["mtr1"]
    for target in (1, 1.5, 1.501, 4, 0):
        axis.move(target)
        assert open_signal("ca://sim:mtr1.RBV").get() == pytest.approx(target, abs=1e-4)
        assert open_signal("ca://sim:mtr1.DMOV").get() == 1
        assert open_signal("ca://sim:mtr1.MOVN").get() == 0


@pytest.mark.parametrize("motors", ["signals"], indirect=True)
def test_the_time_of_a_move_is_that_of_the_motor(motors: dict[str, Axis]) -> None:
    axis = motors["mtr1"]
    axis.move(0)
    began = time.monotonic()
    axis.move(5)
    assert 0.9 < time.monotonic() - began < 20


def test_the_stop_field_stops(motors: dict[str, Axis]) -> None:
    axis = motors["mtr1"]
    axis.move(0)
    axis.velocity = 1
    moving = gevent.spawn(axis.move, 10)
    with gevent.Timeout(30):
        while axis.position == 0:
            gevent.sleep(0.01)
    moving.kill(timeout=30)
    at = axis.position
    axis.velocity = 5
    assert 0 < at < 10
    assert open_signal("ca://sim:mtr1.DMOV").get() == 1
    gevent.sleep(0.3)
    assert axis.position == at


@pytest.mark.parametrize("motors", ["signals"], indirect=True)
def test_two_move_together(motors: dict[str, Axis]) -> None:
    both = list(motors.values())
    move(motors["mtr1"], 0, motors["mtr2"], 0)
    for axis in both:
        axis.velocity = 1
    moving = gevent.spawn(move, motors["mtr1"], 5, motors["mtr2"], 5)
    wait_until(lambda: gevent.sleep(0.01) or all(axis.position not in (0, 5) for axis in both))
    moving.get(timeout=30)
    for axis in both:
        axis.velocity = 5
    assert (motors["mtr1"].position, motors["mtr2"].position) == (5, 5)
