"""Axes and counters made of signals, on signals in memory."""

from __future__ import annotations

import itertools
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.backends.soft import VARIABLES, SoftVariable
from bliss_like.controllers.signal_axes import SignalAxes
from bliss_like.controllers.signal_counters import SignalCounters
from bliss_like.devices.axis import Axis
from bliss_like.devices.signal import Signal, open_signal
from bliss_like.errors import AxisFault, DeviceError
from tests.unit.devices.making import make

_numbers = itertools.count()


def variable(value: Any = 0.0) -> Signal:
    """A signal in memory that no other test knows."""
    address = f"soft://devices:{next(_numbers)}"
    VARIABLES[address] = SoftVariable(value)
    return open_signal(address)


def make_axis(setpoint: Signal, **keys: Any) -> Axis:
    addresses = {key: value.address if isinstance(value, Signal) else value for key, value in keys.items()}
    motor = {"name": "m", "setpoint": setpoint.address, **addresses}
    return make(SignalAxes, "motors", axes=[motor]).axes["m"]


def make_counter(source: Signal, **keys: Any) -> Any:
    return make(SignalCounters, "values", counters=[{"name": "c", "signal": source.address, **keys}]).counters["c"]


def test_a_setpoint_alone_is_an_axis() -> None:
    setpoint = variable()
    axis = make_axis(setpoint, steps_per_unit=100)
    axis.move(2)
    assert (axis.position, setpoint.get()) == (2, 200)


def test_arrival_needs_the_read_back_and_the_done_signal() -> None:
    setpoint, readback, done = variable(), variable(), variable(1)
    axis = make_axis(setpoint, readback=readback, done=done, completion=False, tolerance=0.1)
    done.put(0)
    with pytest.raises(AxisFault, match="m cannot be moved: its state is MOVING"):
        axis.move(5)
    done.put(1)
    axis.move(5, wait=False)
    assert setpoint.get() == 5
    gevent.sleep(0.05)
    assert axis.is_moving  # done says so already, the read-back does not
    done.put(0)
    readback.put(5.05)
    gevent.sleep(0.05)
    assert axis.is_moving  # the read-back is there, the motor is not done
    done.put(1)
    axis.wait_move()
    assert axis.position == 5.05
    assert not axis.is_moving


def test_a_stop_signal_is_written_and_otherwise_the_position_is_held() -> None:
    setpoint, readback, stop = variable(), variable(1.5), variable(0)
    axis = make_axis(setpoint, readback=readback, stop=stop, stop_value=7, completion=False)
    axis.move(5, wait=False)
    axis.stop()
    assert (stop.get(), setpoint.get()) == (7, 5)
    axis = make_axis(setpoint, readback=readback, completion=False)
    axis.move(9, wait=False)
    axis.stop()
    assert setpoint.get() == 1.5


def test_velocity_has_a_signal_or_is_an_error_that_says_so() -> None:
    velocity = variable(1.0)
    axis = make_axis(variable(), velocity_signal=velocity, velocity=3, steps_per_unit=10)
    assert axis.velocity == 3
    assert velocity.get() == 30
    with pytest.raises(DeviceError, match="m: its controller motors has no velocity; give it a velocity_signal"):
        print(make_axis(variable()).velocity)


def test_a_long_way_is_sent_in_pieces() -> None:
    setpoint = variable()
    sent: list[float] = []
    setpoint.subscribe(lambda reading: sent.append(reading.value))
    axis = make_axis(setpoint, max_step=2)
    axis.move(5)
    axis.move(-1)
    assert sent == [0, 2, 4, 5, 3, 1, -1]


def test_a_write_that_is_refused_fails_the_move() -> None:
    axis = make_axis(variable("a word"), readback=variable())
    with pytest.raises(DeviceError, match="cannot be set: expected text, got 3.0"):
        axis.move(3)
    assert not axis.is_moving


def test_a_counter_waits_for_what_is_published_after_it_was_asked() -> None:
    source = variable(1.0)
    counter = make_counter(source)
    source.put(2.0)
    reading = gevent.spawn(lambda: counter.raw_read)
    gevent.sleep(0.02)
    assert not reading.ready()
    source.put(3.0)
    assert reading.get(timeout=1) == 3.0
    reading = gevent.spawn(lambda: counter.raw_read)
    gevent.sleep(0.02)
    source.put(3.0)
    assert reading.get(timeout=1) == 3.0


def test_what_is_published_while_time_from_before_is_integrated_does_not_count() -> None:
    source = variable(1.0)
    counter = make_counter(source, integration_time=0.1)
    reading = gevent.spawn(lambda: counter.raw_read)
    gevent.sleep(0.02)
    source.put(2.0)
    gevent.sleep(0.15)
    assert not reading.ready()
    source.put(3.0)
    assert reading.get(timeout=1) == 3.0


def test_a_silent_source_is_named() -> None:
    source = variable(4.0)
    with pytest.raises(DeviceError, match=f"{source.address} published no new value within 0.3 s; its last one is 4.0"):
        print(make_counter(source, timeout=0.3).raw_read)
    assert make_counter(source, fresh=False).raw_read == 4.0


def test_an_image_comes_in_its_shape() -> None:
    source = variable(np.arange(6.0))
    image = make_counter(source, shape=[2, 3], fresh=False).raw_read
    assert image.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_one_of_several_that_fails_does_not_leave_the_others_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    silent, other = variable(), variable()
    values = make(
        SignalCounters,
        "values",
        counters=[{"name": "a", "signal": silent.address, "timeout": 0.1}, {"name": "b", "signal": other.address}],
    )
    with gevent.Timeout(2), pytest.raises(DeviceError, match=silent.address):
        values.read_all(*values.counters)
    assert capsys.readouterr().err == ""  # the traceback of a greenlet is for nobody
