"""Motor records whose IOC freezes, dies and comes back: clear errors, nothing left moving, and the next move works."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import gevent
import pytest

from bliss_like.controllers.epics_motor import EpicsMotors
from bliss_like.controllers.motor_record import COMMANDS, WATCHED
from bliss_like.controllers.record_axis import RecordAxis
from bliss_like.devices.signal import open_signal
from bliss_like.errors import DeviceError, NotConnectedError
from tests.iocs import Ioc
from tests.unit.devices.making import make


def until(condition: Callable[[], bool], timeout: float = 30) -> None:
    """Let other greenlets run until it is true."""
    with gevent.Timeout(timeout):
        while not condition():
            gevent.sleep(0.01)


@pytest.fixture
def m1(motor_ioc: Ioc) -> Iterator[RecordAxis]:
    open_signal("ca://rec:m1.VELO").put(10)
    axis = make(EpicsMotors, "motors", axes=[{"name": "m1", "record": "ca://rec:m1"}]).axes["m1"]
    axis.move(0)
    yield axis
    motor_ioc.start()
    axis.controller.__close__()


def under_way(axis: RecordAxis) -> gevent.Greenlet[..., None]:
    """A move that takes a long time."""
    axis.velocity = 1
    moving = gevent.spawn(axis.move, 15)
    until(lambda: axis.position > 0.2)
    return moving


def wait_for(axis: RecordAxis, seconds: float) -> None:
    """What each answer of the record is waited for."""
    for name in (*WATCHED, *COMMANDS):
        axis.field(name).timeout = seconds


def test_a_frozen_ioc_stops_its_motor_when_it_answers_again(motor_ioc: Ioc, m1: RecordAxis) -> None:
    moving = under_way(m1)
    wait_for(m1, 0.5)
    motor_ioc.freeze()
    try:
        with pytest.raises(NotConnectedError, match=r"process variable rec:m1.(RBV|DMOV): no answer within [\d.]+ s"):
            moving.get(timeout=30)
        with pytest.raises(DeviceError, match="rec:m1.DMOV: no answer within 0.5 s"):
            print(m1.state)
    finally:
        wait_for(m1, 20)
        motor_ioc.thaw()
    until(lambda: not m1.is_moving)
    assert m1.position < 14
    m1.move(1)
    assert m1.position == pytest.approx(1)


def test_an_ioc_that_comes_back_with_its_motor_moving_stops_it(
    motor_ioc: Ioc, m1: RecordAxis, monkeypatch: pytest.MonkeyPatch
) -> None:
    moving = under_way(m1)
    wait_for(m1, 0.5)
    motor_ioc.kill()
    with pytest.raises(
        NotConnectedError, match="process variable rec:m1.(RBV|DMOV|VAL): the connection to its IOC is lost"
    ):
        moving.get(timeout=30)
    with pytest.raises(NotConnectedError, match="rec:m1.RBV: the connection to its IOC is lost"):
        print(m1.position)
    monkeypatch.setenv("MOTORS_MOVE", "1")
    motor_ioc.start()
    wait_for(m1, 20)
    until(lambda: m1.field("RBV").connected and m1.field("DMOV").connected, timeout=60)
    until(lambda: not m1.is_moving)
    assert open_signal("ca://rec:m1.DMOV").get() == 1
    assert m1.position < 14
    m1.move(1)
    assert m1.position == pytest.approx(1)


def test_a_record_that_is_absent_is_named(motor_ioc: Ioc) -> None:
    axis = make(EpicsMotors, "motors", axes=[{"name": "m9", "record": "ca://rec:m9"}]).axes["m9"]
    for name in (*WATCHED, *COMMANDS):
        axis.field(name).timeout = 0.3
    with pytest.raises(NotConnectedError, match="process variable rec:m9.* was not found within 0.3 s"):
        axis.move(1)
    assert axis.state.DISABLED


def test_a_motor_that_does_not_move_is_told_with_its_retries(motor_ioc: Ioc, m1: RecordAxis) -> None:
    stuck = open_signal("ca://rec:m1:stuck")
    stuck.put(1)
    try:
        with pytest.raises(
            DeviceError, match=r"m1 did not arrive: it is at 0 and should be at 1. .*3 retries \(MISS\)"
        ):
            m1.move(1)
    finally:
        stuck.put(0)
    m1.move(1)
