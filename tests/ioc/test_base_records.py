"""Signals and axes on the C IOC of EPICS Base, whose writes are complete when all has happened that follows from them."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import pytest

from bliss_like.controllers.signal_axes import SignalAxes
from bliss_like.devices.axis import Axis
from bliss_like.devices.signal import open_signal
from bliss_like.errors import DeviceError
from tests.iocs import CIoc
from tests.unit.devices.making import make


def until(condition: Callable[[], object], timeout: float = 30) -> None:
    with gevent.Timeout(timeout):
        while not condition():
            gevent.sleep(0.01)


@pytest.fixture
def m(base_records: CIoc) -> Axis:
    open_signal("ca://sc:m:velo").put(10)
    axis = make(
        SignalAxes,
        "motors",
        axes=[
            {
                "name": "m",
                "setpoint": "ca://sc:m",
                "readback": "ca://sc:m:rbv",
                "done": "ca://sc:m:done",
                "stop": "ca://sc:m:stop.PROC",
                "velocity_signal": "ca://sc:m:velo",
            }
        ],
    ).axes["m"]
    until(lambda: not open_signal("ca://sc:m:wait.PACT").get())
    axis.move(0)
    return axis


def test_a_move_ends_with_the_completion_of_its_write(m: Axis) -> None:
    for target in (3, 3.5, 0):
        m.move(target)
        assert m.position == target
        assert open_signal("ca://sc:m:done").get() == 1


def test_stop(m: Axis) -> None:
    m.velocity = 4
    moving = gevent.spawn(m.move, 20)
    until(lambda: m.position > 0)
    moving.kill(timeout=30)
    m.velocity = 10
    at = m.position
    assert 0 < at < 20
    gevent.sleep(0.3)
    assert m.position == at
    m.move(0)


def test_a_second_write_waits_here_and_the_server_still_answers_and_stops(m: Axis) -> None:
    """A C server that is given a second write with completion answers nothing to this process until the first is done."""
    setpoint = open_signal("ca://sc:m")
    m.velocity = 4
    with pytest.raises(DeviceError, match="sc:m: setting it to 20 took over 0.1 s"):
        setpoint.put(20, timeout=0.1)
    second = gevent.spawn(setpoint.put, 0)
    gevent.sleep(0.01)  # it has been asked for
    assert m.position < 20 and not second.ready()
    with pytest.raises(
        DeviceError, match="sc:m was not set to 5: its server has not completed the write before for 0.1 s"
    ):
        setpoint.put(5, timeout=0.1)
    open_signal("ca://sc:m:stop.PROC").put(1, wait=False)
    second.get(timeout=30)
    until(lambda: m.position == 0)


def test_a_menu_gives_its_words(base_records: CIoc) -> None:
    waited = open_signal("ca://sc:m:waited")
    assert waited.description.choices == ("no", "yes")
    assert waited.description.unit is None
