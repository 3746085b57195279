"""Axes made of any object."""

from __future__ import annotations

import gevent
import pytest

from bliss_like.devices.axis_group import move
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import AxisFault, AxisLimitError, DeviceError
from tests.unit.devices.making import make_axis
from tests.waiting import wait_until_cooperative as wait_until


class Furnace:
    """Goes half of the way at once, and to the end when told that it may."""

    def __init__(self) -> None:
        self.temperature = 20.0
        self.may_end = gevent.event.Event()
        self.stopped = False

    def heat(self, temperature: float) -> None:
        self.temperature = (self.temperature + temperature) / 2
        self.may_end.wait(5)
        self.temperature = temperature

    def read(self) -> float:
        return self.temperature

    def halt(self) -> None:
        self.stopped = True


@pytest.fixture
def furnace() -> Furnace:
    return Furnace()


def test_an_attribute(furnace: Furnace) -> None:
    axis = SoftAxis("oven", furnace, position="temperature", move="temperature", unit="°C")
    axis.move(100)
    assert (axis.position, furnace.temperature, axis.unit) == (100, 100, "°C")
    axis.rmove(10)
    furnace.temperature = 50
    axis.rmove(10)
    assert axis.position == 60


def test_methods_and_callables(furnace: Furnace) -> None:
    furnace.may_end.set()
    for axis in (
        SoftAxis("by name", furnace, position="read", move="heat"),
        SoftAxis("by callable", None, position=furnace.read, move=furnace.heat),
    ):
        axis.move(50)
        axis.move(20)
        assert axis.position == furnace.temperature == 20


def test_a_method_that_blocks_is_a_motion(furnace: Furnace) -> None:
    axis = SoftAxis("oven", furnace, position="temperature", move="heat")
    axis.move(100, wait=False)
    gevent.sleep(0)
    assert axis.is_moving
    assert axis.position == 60
    furnace.may_end.set()
    axis.wait_move()
    assert "READY" in axis.state
    assert axis.position == 100


def test_a_stop_ends_the_call_and_calls_the_objects_own(furnace: Furnace) -> None:
    axis = SoftAxis("oven", furnace, position="temperature", move="heat", stop="halt")
    axis.move(100, wait=False)
    axis.stop()
    assert furnace.stopped
    assert axis.position == furnace.temperature == 60


def test_what_the_object_raises_is_raised_by_the_move() -> None:
    def burn(target: float) -> None:
        raise DeviceError("fuse blown")

    axis = SoftAxis("oven", None, position=lambda: 0.0, move=burn)
    with pytest.raises(DeviceError, match="fuse blown"):
        axis.move(1)
    assert "READY" in axis.state


def test_it_moves_until_the_call_has_ended_that_is_stopped(furnace: Furnace) -> None:
    """A stop may take its time, and the call may fail of it: both belong to this motion, and to none after it."""
    is_stopping, may_stop = gevent.event.Event(), gevent.event.Event()

    def halt() -> None:
        is_stopping.set()
        may_stop.wait()

    def heat(temperature: float) -> None:
        may_stop.wait()
        raise DeviceError("told to stop")

    axis = SoftAxis("oven", furnace, position="temperature", move=heat, stop=halt)
    moving = gevent.spawn(axis.move, 100)
    wait_until(lambda: axis.is_moving)
    stopping = gevent.spawn(axis.stop)
    is_stopping.wait()
    assert "MOVING" in axis.read_state()
    may_stop.set()
    gevent.joinall([moving, stopping], timeout=5)
    assert (moving.ready(), stopping.ready()) == (True, True)
    assert axis.read_state() == "READY"


def test_limits_and_tolerance(furnace: Furnace) -> None:
    axis = SoftAxis("oven", furnace, "temperature", move=lambda target: None, low_limit=0, high_limit=500, tolerance=1)
    with pytest.raises(AxisLimitError, match="oven: 501 is above its high limit 500"):
        axis.move(501)
    axis.timeout = 0.05
    with pytest.raises(AxisFault, match="oven did not arrive: it is at 20 and should be at 30"):
        axis.move(30)


def test_the_objects_state_is_asked(furnace: Furnace) -> None:
    states = [AxisState("READY"), "MOVING", "MOVING", AxisState("READY")]
    axis = SoftAxis("oven", furnace, "temperature", move="temperature", state=lambda: states.pop(0))
    axis.move(30)
    assert states == []


def test_it_moves_together_with_a_motor(furnace: Furnace) -> None:
    furnace.may_end.set()
    axis, motor = SoftAxis("oven", furnace, "temperature", "heat"), make_axis("robx")
    move(axis, 300, motor, 1)
    assert (axis.position, motor.position) == (300, 1)


def test_a_method_that_gives_up_with_a_timeout_of_gevent() -> None:
    """It is no Exception, and must not be taken for an arrival."""

    class Oven:
        position = 0.0

        def move(self, position: float) -> None:
            with gevent.Timeout(0.02):
                gevent.sleep(10)

    axis = SoftAxis("temperature", Oven(), move="move", tolerance=None)
    with pytest.raises(gevent.Timeout):
        axis.move(5)
    assert not axis.is_moving
