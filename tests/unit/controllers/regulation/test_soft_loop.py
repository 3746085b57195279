"""Loops of this process: over an oven, over any counter and axis, and their safe end."""

from __future__ import annotations

import re
import time
from typing import Any

import gevent
import gevent.event
import pytest

from bliss_like.controllers.regulation import ExternalInput, ExternalOutput, Input, Output, SoftLoop
from bliss_like.devices.axis import Axis
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import ConfigError, DeviceError, RegulationFault
from tests.unit.controllers.regulation.making import QUICK, make_oven
from tests.unit.devices.making import make, make_axis
from tests.waiting import wait_until_cooperative as wait_until

PID = {"P": 0.05, "I": 0.1, "low_limit": 0, "high_limit": 1, "frequency": 100}


def soft_loop(tinput: Input, toutput: Output, **keys: Any) -> SoftLoop:
    return make(SoftLoop, "soft", input=tinput, output=toutput, **{**PID, **QUICK, **keys})


class Room:
    """Its temperature is that of its heater."""

    broken = False
    read = 0

    def __init__(self, heater: Axis) -> None:
        self._heater = heater

    def temperature(self) -> float:
        self.read += 1
        if self.broken:
            raise DeviceError("the thermometer does not answer")
        return 20 + self._heater.position


def make_room(**output: Any) -> tuple[Room, Axis, ExternalInput, ExternalOutput]:
    heater = make_axis("valve")
    room = Room(heater)
    counter = SoftCounter(room, "temperature")
    limits = {"low_limit": 0, "high_limit": 10}
    return (
        room,
        heater,
        make(ExternalInput, "thermo", device=counter, unit="degC"),
        make(ExternalOutput, "opening", device=heater, **{**limits, **output}),
    )


def test_it_regulates_an_oven() -> None:
    oven = make_oven()
    loop = soft_loop(oven.inputs[0], oven.outputs[0], deadband=0.5, axes=[{"name": "hot", "high_limit": 300}])
    assert not loop.is_regulating()
    loop.axis.move(120)
    assert loop.axis.name == "hot" and loop.axis.position == pytest.approx(120, abs=1)
    wait_until(lambda: oven.outputs[0].read() == pytest.approx(49, abs=3))
    assert [counter.name for counter in loop.counters] == ["soft", "oven_sensor", "oven_heater"]
    loop.close()
    assert oven.outputs[0].read() == 0 and not loop.is_regulating()


def test_it_regulates_with_any_counter_and_any_axis() -> None:
    _, valve, thermo, opening = make_room()
    loop = soft_loop(thermo, opening, P=0, I=2)
    loop.setpoint = 25
    loop.wait(10)
    assert valve.position == pytest.approx(5, abs=0.2) and opening.read() == valve.position
    loop.close()
    assert valve.position == pytest.approx(5, abs=0.2)  # a motor that stands still is safe


def test_relative_outputs_add_up() -> None:
    _, valve, thermo, opening = make_room(mode="relative")
    loop = soft_loop(thermo, opening, P=0.5, I=0, low_limit=-1, high_limit=1)
    loop.setpoint = 28
    loop.wait(10)
    assert valve.position == pytest.approx(8, abs=0.2)
    loop.setpoint = 45  # beyond what the valve can
    wait_until(lambda: valve.position == 10)
    loop.close()


def test_its_period_is_kept_whatever_a_reading_takes() -> None:
    room, _, thermo, opening = make_room()
    loop = soft_loop(thermo, opening, frequency=50)
    loop.start_regulation()
    room.read = 0
    began = time.monotonic()
    wait_until(lambda: room.read >= 25)
    assert time.monotonic() - began == pytest.approx(0.5, rel=0.2)
    loop.sampling_frequency = 200
    room.read, began = 0, time.monotonic()
    wait_until(lambda: room.read >= 50)
    assert time.monotonic() - began == pytest.approx(0.25, rel=0.4)
    loop.close()


def test_readings_that_fail_end_it_safely() -> None:
    room, valve, thermo, opening = make_room(safe_value=1)
    loop = soft_loop(thermo, opening, P=0, I=2)
    loop.setpoint = 25
    loop.wait(10)
    room.broken = True
    wait_until(lambda: not loop.is_regulating())
    wait_until(lambda: valve.position == 1)
    assert str(loop.failure) == "the thermometer does not answer"
    assert loop.failure is not None
    assert loop.failure.__notes__ == [
        "3 failures in a row ended the regulation; the output opening has its safe value."
    ]
    with pytest.raises(RegulationFault, match="soft: the regulation has failed: the thermometer does not answer"):
        loop.check_regulating()
    room.broken = False
    loop.setpoint = 24
    loop.wait(10)
    assert loop.failure is None
    loop.close()
    assert valve.position == 1


def test_a_reading_that_gives_up_with_a_timeout_of_gevent_ends_it_safely_too() -> None:
    room, valve, thermo, opening = make_room(safe_value=1)
    loop = soft_loop(thermo, opening, P=0, I=2)
    loop.setpoint = 25
    loop.wait(10)

    def give_up() -> float:
        raise gevent.Timeout(1)

    thermo.read = give_up  # type: ignore[method-assign]
    wait_until(lambda: valve.position == 1)
    assert isinstance(loop.failure, gevent.Timeout) and not loop.is_regulating()


def test_two_starts_at_once_are_one_regulation() -> None:
    room, valve, thermo, opening = make_room(safe_value=1)
    loop = soft_loop(thermo, opening, P=0, I=2)
    read, answer = thermo.read, gevent.event.Event()
    thermo.read = lambda: answer.wait() and read()  # type: ignore[method-assign]
    starting = [gevent.spawn(loop.start_regulation) for _ in range(2)]
    gevent.sleep(0.01)
    answer.set()
    gevent.joinall(starting, timeout=5, raise_error=True)
    loop.stop_regulation()
    before = room.read
    gevent.sleep(0.1)
    assert (room.read, valve.position) == (before, 1)


def test_who_waits_hears_of_the_failure() -> None:
    room, _, thermo, opening = make_room()
    loop = soft_loop(thermo, opening, P=0, I=0)
    moving = gevent.spawn(loop.axis.move, 25)
    wait_until(lambda: loop.is_regulating())
    room.broken = True
    with pytest.raises(RegulationFault, match="the thermometer does not answer"):
        moving.get(timeout=10)


def test_it_waits_while_its_input_does_not_allow() -> None:
    _, valve, thermo, opening = make_room()
    asked: list[bool] = []

    def allow() -> bool:
        asked.append(valve.position == 0)
        return len(asked) > 10

    thermo.allow_regulation = allow  # type: ignore[method-assign]
    loop = soft_loop(thermo, opening, P=1)
    loop.setpoint = 25
    wait_until(lambda: valve.position > 0)
    assert all(asked[:11])
    loop.close()


def test_proportional_on_measurement_makes_no_kick() -> None:
    first: dict[bool, float] = {}
    for on_measurement in (False, True):
        oven = make_oven()
        (heater,) = oven.outputs
        loop = soft_loop(oven.inputs[0], heater, P=1, I=0.0001, deadband=1)
        loop.apply_proportional_on_measurement(on_measurement)
        loop.setpoint = oven.temperature + 100
        wait_until(lambda heater=heater: heater.read() > 0)
        first[on_measurement] = heater.read()
        loop.close()
    assert first[True] < first[False] / 10


def test_outputs_have_limits_and_a_ramp() -> None:
    oven = make_oven()
    (heater,) = oven.outputs
    with pytest.raises(
        ValueError, match=re.escape("oven_heater: 401 W is not between its limits 0 and 400. Nothing was set")
    ):
        heater.set_value(401)
    heater.limits = (None, 50)
    heater.set_value(-5)
    with pytest.raises(ValueError, match="the low limit must be below the high limit"):
        heater.limits = (3, 2)
    heater.set_value(0)
    heater.ramprate = 100
    heater.soft_ramp.poll_time = 0.01
    began = time.monotonic()
    heater.set_value(20)
    assert heater.is_ramping() and heater.read() < 20
    wait_until(lambda: not heater.is_ramping())
    assert heater.read() == 20 and 0.19 < time.monotonic() - began < 0.6
    heater.set_value(50)
    heater.stop_ramp()
    assert heater.read() < 50


def test_what_is_no_input_is_refused() -> None:
    oven, axis = make_oven(), make_axis()
    with pytest.raises(
        ConfigError, match="soft: expected an Input as its input, got <Axis .*; an ExternalInput makes one"
    ):
        soft_loop(axis, oven.outputs[0])  # type: ignore[arg-type]
    with pytest.raises(DeviceError, match="bad: expected a counter, an axis or something with a method read"):
        make(ExternalInput, "bad", device=object()).read()


def test_an_axis_can_be_an_input() -> None:
    axis = make_axis()
    axis.move(3)
    tinput = make(ExternalInput, "place", device=axis, unit="mm")
    assert tinput.read() == 3 and tinput.state() == "READY"
    assert [counter.fullname for counter in tinput.counters] == ["place:place"]
