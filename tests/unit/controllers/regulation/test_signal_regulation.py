"""Loops made of signals, on signals in memory."""

from __future__ import annotations

from typing import Any

import pytest

from bliss_like.controllers.regulation import Loop
from bliss_like.controllers.regulation.signals import SignalRegulation
from bliss_like.devices.signal import Reading, Signal
from bliss_like.errors import DeviceError, RegulationFault
from tests.unit.controllers.regulation.making import QUICK
from tests.unit.controllers.test_signal_devices import variable
from tests.unit.devices.making import make


def make_loop(sensor: Signal, heater: Signal, setpoint: Signal, **loop: Any) -> Loop:
    addresses = {key: value.address if isinstance(value, Signal) else value for key, value in loop.items()}
    furnace = make(
        SignalRegulation,
        "furnace",
        inputs=[{"name": "furnace_sensor", "signal": sensor.address, "unit": "K"}],
        outputs=[{"name": "furnace_heater", "signal": heater.address, "high_limit": 10}],
        ctrl_loops=[
            {
                "name": "furnace_loop",
                "input": "$furnace_sensor",
                "output": "$furnace_heater",
                "setpoint": setpoint.address,
                **QUICK,
                **addresses,
            }
        ],
    )
    furnace.__connect__(1)
    return furnace.loops[0]


def test_a_setpoint_and_a_readback_make_a_loop() -> None:
    both, heater = variable(20.0), variable()
    loop = make_loop(both, heater, both)
    loop.axis.move(30)
    assert (both.get(), loop.axis.position, loop.setpoint) == (30, 30, 30)
    assert loop.is_regulating()  # always: there is no switch
    loop.output.set_value(7)
    assert heater.get() == 7 == loop.output.read()
    with pytest.raises(
        DeviceError, match="furnace_loop: no signal is known for it; give the address as `kp` in its configuration"
    ):
        loop.kp = 3


def test_all_that_a_loop_may_have() -> None:
    both, switch, rate, ramping, working = variable(20.0), variable(), variable(2.0), variable(0), variable(20.0)
    kp = variable()
    loop = make_loop(
        both,
        variable(),
        both,
        regulation=switch,
        ramprate_signal=rate,
        ramping=ramping,
        working_setpoint=working,
        kp=kp,
        P=5,
    )
    assert (loop.kp, kp.get(), loop.ramprate) == (5, 5, 2)
    assert not loop.is_regulating()
    ramping.put(1)
    loop.setpoint = 80
    assert (both.get(), switch.get(), loop.is_ramping(), loop.working_setpoint) == (80, 1, True, 20)
    working.put(33.0)
    loop.stop()
    assert both.get() == 33
    loop.ramprate = 3
    assert rate.get() == 3
    loop.setpoint = 50
    switch.put(0)
    with pytest.raises(RegulationFault, match="furnace_loop: the regulation is off"):
        loop.wait(5)


def test_an_alarm_is_a_fault() -> None:
    sensor = variable(20.0)
    loop = make_loop(sensor, variable(), variable())
    assert loop.input.state() == "READY"
    sensor.backend._variable.reading = Reading(20.0, 0.0, "INVALID")  # type: ignore[attr-defined]
    assert loop.input.state() == "FAULT (alarm INVALID)"
