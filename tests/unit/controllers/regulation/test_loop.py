"""Loops: setpoints, waiting, stops, and each way in which a box can fail."""

from __future__ import annotations

import re
import time
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.controllers.regulation import Loop, WaitMode
from bliss_like.controllers.regulator import Controller
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import (
    AxisFault,
    AxisLimitError,
    AxisStopped,
    DeviceError,
    RegulationFault,
    UserAbort,
)
from bliss_like.scans import ascan, ct, loopscan
from tests.unit.controllers.regulation.making import Bath, Sawtooth, make_bath, make_oven
from tests.unit.devices.making import make
from tests.unit.scanning.making import memory_environment
from tests.waiting import wait_until_cooperative as wait_until


def test_a_setpoint_starts_the_way_and_wait_ends_with_it() -> None:
    bath, loop = make_bath(deadband_time=0.1)
    began = time.monotonic()
    loop.setpoint = 50
    assert (bath.setpoint, loop.setpoint, loop.axis.state) == (50, 50, "MOVING")
    loop.wait(5)
    assert 0.1 <= time.monotonic() - began < 1
    assert loop.axis.state == "READY" and loop.is_in_deadband()
    loop.wait()  # at once
    assert loop.approach is not None and loop.approach.is_over


def test_the_names_of_everything() -> None:
    bath, loop = make_bath()
    assert isinstance(bath, Controller)
    assert [item.name for item in (*bath.inputs, *bath.outputs, *bath.loops)] == [
        "bath_sensor",
        "bath_heater",
        "bath_loop",
    ]
    assert (loop.input.name, loop.output.name, loop.axis.name) == ("bath_sensor", "bath_heater", "bath_temp")
    assert bath.get_object("bath_loop") is loop and bath.get_item("bath_temp") is loop.axis
    assert [counter.fullname for counter in loop.counters] == ["bath:bath_loop", "bath:bath_sensor", "bath:bath_heater"]
    assert loop.axis.unit == "degC" and loop.axis.limits == (5, 95)
    with pytest.raises(KeyError, match="bath has no 'bad'; it has bath_sensor, bath_heater, bath_loop, bath_temp"):
        bath.get_object("bad")
    unnamed = make_oven({}).loops[0]
    assert unnamed.axis.name == "oven_loop_axis"
    assert "regulation off" in unnamed.__info__() and "oven_sensor 22 degC" in unnamed.__info__()


def test_parameters() -> None:
    loop = make_oven(
        {"P": 3, "I": 0.2, "D": 0.1, "frequency": 5, "ramprate": 2, "low_limit": 0, "high_limit": 1}
    ).loops[0]
    assert (loop.kp, loop.ki, loop.kd, loop.sampling_frequency, loop.ramprate) == (3, 0.2, 0.1, 5, 2)
    assert loop.pid_range == (0, 1)
    loop.kp, loop.pid_range, loop.ramprate = 4, (0, 2), 0
    assert (loop.kp, loop.pid_range, loop.ramprate) == (4, (0, 2), 0)
    loop.deadband, loop.deadband_time, loop.wait_mode = 0.5, 3, "ramp"
    assert (loop.deadband, loop.deadband_time, loop.wait_mode) == (0.5, 3, WaitMode.RAMP)
    loop.wait_mode = 2
    assert loop.wait_mode is WaitMode.DEADBAND


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("kp", "much", "oven_loop: kp must be a number, got 'much'"),
        ("ki", float("nan"), "oven_loop: ki must be finite, got nan"),
        ("ramprate", -1, "oven_loop: ramprate must be at least 0, got -1"),
        ("deadband", -0.1, "oven_loop: deadband must be at least 0, got -0.1"),
        ("wait_mode", "settle", "oven_loop: wait_mode must be 'ramp' or 'deadband', got 'settle'"),
        ("pid_range", (1, 0), "oven_loop: pid_range must be (low, high), got (1, 0)"),
        ("setpoint", float("nan"), "oven_loop: setpoint must be finite, got nan"),
    ],
)
def test_wrong_values_are_refused(attribute: str, value: Any, message: str) -> None:
    loop = make_oven({}).loops[0]
    with pytest.raises(ValueError, match=re.escape(message)):
        setattr(loop, attribute, value)


def test_what_the_box_cannot_do_is_said() -> None:
    bath, loop = make_bath()
    with pytest.raises(DeviceError, match="bath_loop cannot be given a P: Bath bath has no means for it"):
        loop.kp = 1
    with pytest.raises(DeviceError, match="bath_loop cannot be switched off"):
        loop.stop_regulation()
    with pytest.raises(DeviceError, match="bath_heater cannot be set: Bath bath has no means"):
        bath.outputs[0].set_value(1)


def test_a_box_without_ramp_gets_one() -> None:
    bath, loop = make_bath(ramprate=100, wait_mode="ramp")
    loop.soft_ramp.poll_time = 0.01
    began = time.monotonic()
    loop.setpoint = 50
    assert loop.is_ramping() and loop.setpoint == 50 and bath.setpoint < 50
    loop.wait(5)
    assert 0.29 < time.monotonic() - began < 1
    assert bath.setpoint == 50 and not loop.is_ramping()


# -- as an axis and as counters ----------------------------------------------------------------------------------------


def test_it_is_an_axis() -> None:
    bath, loop = make_bath()
    axis = loop.axis
    axis.move(50)
    axis.rmove(5)
    assert (bath.setpoint, axis.position, loop.setpoint) == (55, 55, 55)
    axis.position = 0  # its zero moves, the limits of the bath do not
    axis.move(10)
    assert bath.setpoint == 65 and axis.limits == (-50, 40)
    loop.ramprate = 3
    assert axis.velocity == 3
    with pytest.raises(
        DeviceError, match="bath_temp: its velocity is the ramprate of bath_loop; set bath_loop.ramprate"
    ):
        axis.velocity = 4


def test_relative_motions_start_from_the_setpoint() -> None:
    bath, loop = make_bath(deadband=0.5)
    loop.axis.move(50)
    bath.frozen_at = 50.3
    loop.axis.move(0.2, relative=True)
    assert bath.setpoint == 50.2
    bath.frozen_at = None
    loop.setpoint = 60
    loop.wait(5)
    loop.axis.rmove(-1)
    assert bath.setpoint == 59


def test_it_can_be_scanned_and_counted() -> None:
    bath, loop = make_bath()
    heat = SoftCounter(bath, "setpoint", name="heat")
    with memory_environment():
        scan = ascan(loop.axis, 20, 60, 4, 0.01, heat, loop, save=False)
        assert scan.get_data("axis:bath_temp").tolist() == [20, 30, 40, 50, 60]
        for name in ("heat", "bath_loop", "bath_sensor"):
            assert scan.get_data(name).tolist() == [20, 30, 40, 50, 60]
        assert ct(0.01, loop.input).get_data("bath_sensor")[0] == 60
        assert loopscan(2, 0.01, bath, save=False).get_data("bath_heater").tolist() == [0, 0]


def test_a_broken_sensor_is_counted_as_such() -> None:
    oven = make_oven({}, broken=True)
    with memory_environment():
        assert np.isnan(ct(0.01, oven.inputs[0]).get_data("oven_sensor")[0])
    assert oven.inputs[0].state() == "FAULT"


# -- stops -------------------------------------------------------------------------------------------------------------


def test_a_stop_holds_the_ramp_where_it_is() -> None:
    bath, loop = make_bath(ramprate=10)
    loop.soft_ramp.poll_time = 0.005
    loop.setpoint = 90
    wait_until(lambda: bath.setpoint > 20.5)
    loop.stop()
    held = bath.setpoint
    assert 20 < held < 90 and loop.setpoint == held and loop.axis.state == "READY"
    loop.wait()
    loop.stop()  # nothing more
    assert bath.setpoint == held


def test_a_stop_without_ramp_keeps_the_present_value() -> None:
    bath, loop = make_bath()
    bath.frozen_at = 33.0
    loop.setpoint = 90
    loop.stop()
    assert bath.setpoint == 33


@pytest.mark.parametrize("how", ["wait", "move"])
def test_who_is_interrupted_while_waiting_leaves_a_held_loop(how: str) -> None:
    bath, loop = make_bath(ramprate=10)
    loop.soft_ramp.poll_time = 0.005
    if how == "wait":
        loop.setpoint = 90
        waiting = gevent.spawn(loop.wait)
    else:
        waiting = gevent.spawn(loop.axis.move, 90)
    wait_until(lambda: bath.setpoint > 20.5)
    waiting.kill(UserAbort("Ctrl-C"))
    held = bath.setpoint
    assert held < 90 and not loop.is_ramping() and loop.axis.state == "READY" and loop.setpoint == held


def test_a_motion_that_somebody_stops_says_so() -> None:
    bath, loop = make_bath(ramprate=10)
    loop.soft_ramp.poll_time = 0.005
    moving = gevent.spawn(loop.axis.move, 90)
    wait_until(lambda: bath.setpoint > 20.5)
    with pytest.raises(AxisFault, match="bath_temp is moving"):
        loop.setpoint = 30
    loop.stop()
    with pytest.raises(AxisStopped):
        moving.get(timeout=5)


def test_a_new_setpoint_on_the_way_is_welcome() -> None:
    bath, loop = make_bath(ramprate=10)
    loop.soft_ramp.poll_time = 0.005
    loop.setpoint = 90
    wait_until(lambda: bath.setpoint > 20.5)
    loop.setpoint = 20.1
    loop.wait(5)
    assert bath.setpoint == 20.1


# -- failures ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [4, 95.1, float("inf")])
def test_beyond_the_limits_nothing_happens(wanted: float) -> None:
    bath, loop = make_bath()
    with pytest.raises(ValueError, match="bath_temp: 4 is below its low limit 5|95.1 is above its high limit|finite"):
        loop.setpoint = wanted
    with pytest.raises(AxisLimitError):
        loop.axis.move(wanted)
    assert bath.setpoint == 20 and loop.approach is None


def test_one_that_never_settles_says_where_it_is() -> None:
    bath, loop = make_bath(timeout=0.2, deadband=0.5)
    bath.frozen_at = Sawtooth(60, 3)
    message = (
        r"bath_loop has not settled: after 0\.\d s it is at \S+ degC, its setpoint is 60 degC, to be held within 0.5 for "
        r"1 s; in the last 0.2 s it came no nearer and was between 57\S* and 6\S+\. The regulation goes on\."
    )
    loop.deadband_time = 1
    with pytest.raises(RegulationFault, match=message):
        loop.axis.move(60)
    assert bath.setpoint == 60 and loop.axis.state == "READY"
    with pytest.raises(RegulationFault, match="bath_loop has not settled"):
        loop.wait()


def test_waiting_has_a_timeout_of_its_own() -> None:
    bath, loop = make_bath()
    bath.frozen_at = 30.0
    loop.setpoint = 60
    with pytest.raises(RegulationFault, match=r"it is at 30 degC, its setpoint is 60 degC.*; waited for 0.05 s"):
        loop.wait(0.05)
    assert loop.axis.state == "MOVING"
    bath.frozen_at = None
    loop.wait(5)


def test_a_sensor_that_breaks_on_the_way() -> None:
    bath, loop = make_bath()
    bath.frozen_at = 30.0
    loop.setpoint = 60
    bath.frozen_at = float("nan")
    with pytest.raises(
        RegulationFault, match="bath_loop was lost on its way to 60 degC: bath_loop: its input bath_sensor reads nan"
    ):
        loop.wait(5)
    with pytest.raises(DeviceError, match="is the sensor connected"):
        loop.axis.move(50)


def test_a_sensor_that_gives_up_with_a_timeout_of_gevent_has_not_settled() -> None:
    bath, loop = make_bath()
    bath.frozen_at = 30.0
    loop.setpoint = 60

    def give_up() -> float:
        raise gevent.Timeout(1)

    bath.frozen_at = give_up
    with pytest.raises(RegulationFault, match="bath_loop was lost on its way to 60 degC: 1 second"):
        loop.wait(5)


def test_some_readings_may_fail() -> None:
    bath, loop = make_bath(max_attempts_before_failure=1000)
    bath.frozen_at = 30.0
    loop.setpoint = 60
    bath.gone = True
    gevent.sleep(0.05)
    bath.gone, bath.frozen_at = False, None
    loop.wait(5)


@pytest.mark.parametrize("ramprate", [0, 100])
def test_a_box_that_is_gone_on_the_way(ramprate: float) -> None:
    bath, loop = make_bath(ramprate=ramprate)
    loop.soft_ramp.poll_time = 0.005
    bath.frozen_at = 30.0
    moving = gevent.spawn(loop.axis.move, 60)
    wait_until(lambda: loop.axis.state == "MOVING")
    bath.gone = True
    with pytest.raises(DeviceError, match="bath does not answer: is it on"):
        moving.get(timeout=5)
    assert not loop.is_ramping()
    bath.gone, bath.frozen_at = False, None
    loop.axis.move(60)


def test_a_loop_whose_regulation_is_off() -> None:
    oven = make_oven({"autostart": False, "P": 1})
    (loop,) = oven.loops
    message = r"oven_loop: the regulation is off; oven_loop.start_regulation\(\) switches it on"
    with pytest.raises(RegulationFault, match=message):
        loop.setpoint = 50
    with pytest.raises(AxisFault, match="its state is OFF"):
        loop.axis.move(50)
    loop.start_regulation()
    loop.setpoint = 50
    loop.stop_regulation()
    with pytest.raises(RegulationFault, match=message):
        loop.wait(5)


def test_abort_switches_it_off() -> None:
    loop = make_oven({"P": 1}).loops[0]
    loop.setpoint = 50
    assert loop.is_regulating()
    loop.abort()
    assert not loop.is_regulating() and loop.axis.state == "READY"


def test_the_first_use_tries_again_after_a_failure() -> None:
    class Cold(Bath):
        attempts = 0

        def initialize_loop(self, tloop: Loop) -> None:
            self.attempts += 1
            if self.attempts == 1:
                raise DeviceError("still booting")

    cold = make(
        Cold,
        "cold",
        inputs=[{"name": "i"}],
        outputs=[{"name": "o"}],
        ctrl_loops=[{"name": "l", "input": "i", "output": "o"}],
    )
    with pytest.raises(DeviceError, match="still booting"):
        cold.loops[0].setpoint = 5
    cold.loops[0].setpoint = 6
    assert (cold.attempts, cold.setpoint) == (2, 6)
    cold.loops[0].close()


def test_closing_follows_nothing_any_more() -> None:
    bath, loop = make_bath(ramprate=1)
    loop.setpoint = 60
    bath.__close__()
    assert not loop.is_ramping() and loop.approach is not None and loop.approach.is_over
