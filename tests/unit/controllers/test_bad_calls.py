"""Wrong calls of what stands in the beam and of what regulates: refused before anything opens, moves or heats."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import gevent
import pytest

from bliss_like.controllers.axis_actuator import AxisActuator
from bliss_like.controllers.filter_set import FilterSet
from bliss_like.controllers.multiple_positions import MultiplePositions
from bliss_like.controllers.simulated.shutter import SimulatedShutter
from bliss_like.devices.axis import Axis
from bliss_like.errors import DeviceError
from tests.unit.controllers.regulation.making import make_bath
from tests.unit.devices.making import make, make_axis


@pytest.fixture(autouse=True)
def _in_time() -> Any:
    with gevent.Timeout(10):  # who waits for NaN seconds waits for ever
        yield


@pytest.mark.parametrize("seconds", ["1", None, True, -1, math.nan, math.inf], ids=repr)
def test_a_shutter_is_not_opened_for_no_time(seconds: Any) -> None:
    shutter = make(SimulatedShutter, "fs")
    shutter.open()
    shutter.close()
    seen = shutter.state
    with pytest.raises(ValueError, match="^fs: the time to be open for must be seconds, at least 0, got "):
        shutter.open_for(seconds)
    assert shutter.state is seen


@pytest.mark.parametrize("timeout", ["1", -1, math.nan], ids=repr)
def test_a_shutter_is_not_opened_with_a_wrong_timeout_but_closed_all_the_same(timeout: Any) -> None:
    shutter = make(SimulatedShutter, "fs")
    with pytest.raises(ValueError, match="^fs: timeout must be seconds, at least 0, got "):
        shutter.open(timeout)
    assert shutter.is_closed
    shutter.open()
    with pytest.raises(ValueError, match="^fs: timeout must be seconds, at least 0, got "):
        shutter.close(timeout)
    shutter.close()
    assert shutter.is_closed


@pytest.fixture
def motor() -> Axis:
    return make_axis("motor", low_limit=-1, high_limit=13)


@pytest.fixture
def actuator(motor: Axis) -> AxisActuator:
    return make(AxisActuator, "f1", axis=motor, in_position=12, out_position=0)


def test_an_actuator(actuator: AxisActuator) -> None:
    for call in (actuator.set_in, actuator.set_out):
        with pytest.raises(ValueError, match="^f1: timeout must be seconds, at least 0, got nan$"):
            call(timeout=math.nan)
    with pytest.raises(ValueError, match="^f1: expected one of IN, OUT, MOVING, UNKNOWN, FAULT to wait for, got 'in'$"):
        actuator.wait("in", 1)  # type: ignore[arg-type]
    assert actuator.is_out()
    actuator.wait("OUT", 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("bits", 1.0, "att cannot have bits 1.0: expected 0 to 1, and one filter of a ladder at most"),
        ("bits", "1", "att cannot have bits '1': expected 0 to 1"),
        ("transmission", "0.5", "att: expected a transmission above 0 and up to 1, got '0.5'"),
        ("transmission", None, "att: expected a transmission above 0 and up to 1, got None"),
        ("attenuation", "5", "att: expected an attenuation of 1 or more, got '5'"),
        ("energy", "10", "att: energy must be a number, got '10'"),
        ("energy", math.nan, "att: energy must be finite, got nan"),
    ],
)
def test_filters(actuator: AxisActuator, name: str, value: Any, sentence: str) -> None:
    att = make(FilterSet, "att", energy=10, filters=[{"material": "Al", "thickness": 0.2, "actuator": actuator}])
    with pytest.raises((DeviceError, ValueError), match=f"^{sentence}"):
        setattr(att, name, value)
    assert (att.bits, att.energy) == (0, 10)


@pytest.mark.parametrize("label", ["INN", None, 5, ["IN"]], ids=repr)
def test_positions(motor: Axis, label: Any) -> None:
    target = [{"axis": motor, "destination": 12, "tolerance": 0.1}]
    screen = make(MultiplePositions, "screen", positions=[{"label": "IN", "target": target}])
    with pytest.raises(DeviceError, match="^screen has no position .*; there are: IN$"):
        screen.move(label)
    assert motor.position == 0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda loop: setattr(loop, "setpoint", "50"), "bath_loop: setpoint must be a number, got '50'"),
        (lambda loop: setattr(loop, "setpoint", True), "bath_loop: setpoint must be a number, got True"),
        (lambda loop: setattr(loop, "ramprate", "fast"), "bath_loop: ramprate must be a number, got 'fast'"),
        (lambda loop: setattr(loop, "pid_range", 5), r"bath_loop: pid_range must be \(low, high\), got 5"),
        (
            lambda loop: setattr(loop, "pid_range", (0, 1, 2)),
            r"bath_loop: pid_range must be \(low, high\), got \(0, 1, 2",
        ),
        (lambda loop: loop.wait(math.nan), "bath_loop: timeout must be at least 0, got nan"),
        (lambda loop: loop.wait("1 s"), "bath_loop: timeout must be a number, got '1 s'"),
    ],
)
def test_loops(call: Callable[[Any], object], sentence: str) -> None:
    bath, loop = make_bath()
    before = bath.setpoint
    with pytest.raises(ValueError, match=f"^{sentence}"):
        call(loop)
    assert bath.setpoint == before
    assert loop.approach is None
