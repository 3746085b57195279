"""What a scan says of devices of which nothing is heard."""

from __future__ import annotations

import time
from typing import Any

import gevent
import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.data.events import ScanInfoUpdate
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_state import AxisState
from bliss_like.errors import DeviceError, UserAbort
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.scan import Scan, ScanState
from tests.unit.devices.making import make
from tests.unit.scanning.making import Device, Log, Master, chain_of, in_background, published, timer_scan


def told(scan: Scan, key: str = "waiting") -> list[Any]:
    return [event.info[key] for event in published(scan) if isinstance(event, ScanInfoUpdate) and key in event.info]


@pytest.mark.parametrize(
    "verb, said",
    [
        ("prepare", "d to prepare"),
        ("start", "d"),
        ("trigger", "d"),
        ("wait_ready", "d to be ready"),
        ("stop", "d to stop"),
    ],
)
def test_a_device_that_takes_its_time(verb: str, said: str) -> None:
    does: dict[str, Any] = {verb: lambda: gevent.sleep(8)}
    scan = timer_scan(Device("d", Log(), **does), npoints=1)
    began = time.time()
    scan.run()
    assert told(scan) == [said, ""]
    assert told(scan, "waiting_since") == [pytest.approx(began, abs=1)]
    assert scan.scan_info["waiting"] == ""


def test_those_that_are_waited_for_are_named() -> None:
    slow = [Device(name, Log(), trigger=lambda: gevent.sleep(8)) for name in "abcde"]
    quick = Device("quick", Log())
    scan = timer_scan(*slow, quick, npoints=1)
    scan.run()
    assert told(scan) == ["a, b, c and 2 more", ""]


def test_of_masters_that_wait_for_their_slaves_those_are_told() -> None:
    outer, inner = Master("outer", Log()), Master("inner", Log())
    chain = chain_of(outer, inner)
    chain.add(inner, Device("d", Log(), trigger=lambda: gevent.sleep(8)))
    scan = Scan(chain, "nested")
    scan.run()
    assert told(scan) == ["d", ""]


def test_what_takes_as_long_as_it_should_is_not_told() -> None:
    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(1.5)), npoints=3)
    scan.run()
    counting = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(10)), npoints=2)
    counting.scan_info["count_time"] = 10.0
    counting.run()
    assert told(scan) == told(counting) == []


def test_a_scan_that_is_paused_waits_for_nobody() -> None:
    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(0.1)), npoints=3)
    task = in_background(scan)
    scan.wait_state(ScanState.STARTING)
    scan.pause()
    gevent.sleep(20)
    scan.resume()
    task.get(timeout=5)
    assert told(scan) == []


def test_a_scan_that_is_aborted_says_what_it_waits_for_then() -> None:
    scan = timer_scan(Device("d", Log(), trigger=lambda: gevent.sleep(8), stop=lambda: gevent.sleep(6)), npoints=1)
    task = in_background(scan)
    gevent.sleep(5)
    task.kill(UserAbort)
    assert scan.state is ScanState.USER_ABORTED
    assert told(scan)[0] == "d" and "d to stop" in told(scan) and told(scan)[-1] == ""


class Odd(SimulatedMotors):
    """Its axes may not answer for a while, or say that they move when they do not."""

    silent = 0.0
    stuck = False

    def read_position(self, axis: Axis) -> float:
        seconds, self.silent = self.silent, 0.0
        gevent.sleep(seconds)
        return super().read_position(axis)

    def state(self, axis: Axis) -> AxisState:
        return AxisState("MOVING") if self.stuck else super().state(axis)


def odd_scan(**keys: Any) -> tuple[Odd, Scan]:
    motors = make(Odd, "motors", axes=[{"name": "robx", "unit": "mm", "velocity": 1.0, "acceleration": 100.0, **keys}])
    axis = motors.axes["robx"]
    return motors, Scan(chain_of(VariableStepTriggerMaster(axis, [0, 10]), Device("d", Log())), "odd")


def test_a_motion_may_take_as_long_as_it_takes() -> None:
    _, scan = odd_scan()
    scan.run()
    assert told(scan) == []


def test_an_axis_that_does_not_answer() -> None:
    motors, scan = odd_scan()
    task = in_background(scan)
    gevent.sleep(2)
    motors.silent = 8.0
    task.get(timeout=30)
    assert told(scan) == ["an answer of robx", ""]


def test_an_axis_that_says_that_it_moves_and_does_not() -> None:
    motors, scan = odd_scan(tolerance=0.01)
    task = in_background(scan)
    gevent.sleep(5)
    motors.stuck = True
    gevent.sleep(12)
    motors.stuck = False
    assert task.get(timeout=30) is None
    assert told(scan) == ["robx, MOVING at 10 mm", ""]


def test_an_error_of_a_device_comes_with_what_was_waited_for_told_no_more() -> None:
    def fail() -> None:
        gevent.sleep(5)
        raise DeviceError("d: no answer within 5 s")

    scan = timer_scan(Device("d", Log(), trigger=fail), npoints=1)
    with pytest.raises(DeviceError):
        scan.run()
    assert told(scan) == ["d", ""]
