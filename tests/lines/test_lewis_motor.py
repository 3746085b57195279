"""lewis' example motor over TCP: moves, refusals, and everything that may happen to the line on the way."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import suppress

import gevent
import pytest

from bliss_like.controllers.lewis_motor import LewisMotor
from bliss_like.devices.axis import Axis
from bliss_like.errors import AxisFault, AxisLimitError, AxisStopped, DeviceError, NotConnectedError
from tests.lewis_servers import LewisServer
from tests.lines.conftest import REST
from tests.proxy import Proxy, impatience
from tests.unit.devices.making import make
from tests.waiting import wait_until_cooperative


@pytest.fixture(scope="module")
def server() -> Iterator[LewisServer]:
    server = LewisServer("example_motor")
    yield server
    server.close()


@pytest.fixture
def proxy(server: LewisServer) -> Iterator[Proxy]:
    server.control.call("stop")
    server.control.speed = 60.0
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def controller(proxy: Proxy) -> Iterator[LewisMotor]:
    axis = {"name": "lew", "unit": "mm", "low_limit": 0, "high_limit": 300}
    controller = make(LewisMotor, "lewis", address=proxy.address, axes=[axis])
    controller._line.timeout = 30.0
    yield controller
    controller.__close__()


@pytest.fixture
def axis(controller: LewisMotor) -> Axis:
    return controller.axes["lew"]


def on_its_way(axis: Axis, server: LewisServer, to: float) -> gevent.Greenlet:
    """A move that takes a long time, begun."""
    server.control.speed = 5.0
    moving = gevent.spawn(axis.move, to)
    at = server.control.position
    wait_until_cooperative(lambda: server.control.position != at)
    return moving


def far_from(position: float) -> float:
    return 200.0 if position < 100 else 20.0


def test_a_move_there_and_back(axis: Axis, server: LewisServer) -> None:
    for target in (10, 12.25, 3):
        axis.move(target)
        assert (axis.position, server.control.position, server.control.state) == (target, target, "idle")
        assert axis.state == "READY"


def test_a_move_takes_the_time_of_the_motor(axis: Axis, server: LewisServer) -> None:
    axis.move(10)
    server.control.speed = 20.0
    began = time.monotonic()
    axis.move(15)
    assert time.monotonic() - began > 0.2


def test_a_kill_stops(axis: Axis, server: LewisServer) -> None:
    on_its_way(axis, server, far_from(axis.position)).kill(timeout=30)
    assert server.control.state == "idle"
    assert axis.position == server.control.position
    axis.rmove(0.5)


def test_a_stop_from_elsewhere(axis: Axis, server: LewisServer) -> None:
    moving = on_its_way(axis, server, far_from(axis.position))
    axis.stop()
    assert server.control.state == "idle"
    with pytest.raises(AxisStopped, match="lew on its way to"):
        moving.get(timeout=30)


def test_limits_of_ours_and_of_the_device(axis: Axis, server: LewisServer, proxy: Proxy) -> None:
    at = axis.position
    with pytest.raises(AxisLimitError, match="lew: 301 is above its high limit 300"):
        axis.move(301)
    where = re.escape(f"lewis ({proxy.address})")
    with pytest.raises(DeviceError, match=f"{where} refused 'T=260.000000': err: not 0<=T<=250"):
        axis.move(260)
    assert (axis.position, axis.state, server.control.state) == (at, "READY", "idle")
    axis.move(at + 1)


def test_a_target_that_the_device_has_from_somebody_else(axis: Axis, server: LewisServer) -> None:
    at = axis.position
    server.control.speed = 5.0
    server.control.target = far_from(at)
    wait_until_cooperative(lambda: server.control.position != at)
    assert axis.state == "MOVING"
    with pytest.raises(AxisFault, match="lew"):
        axis.move(at)
    server.control.call("stop")


def test_words_that_the_device_does_not_know(controller: LewisMotor, axis: Axis, proxy: Proxy) -> None:
    with impatience(axis.controller._line), pytest.raises(DeviceError, match="did not answer 'WHO' in time"):
        controller.raw_write_read("WHO")
    assert controller.raw_write_read("S?") == "idle"
    assert controller.raw_write_read(b"S?") == b"idle"


@pytest.mark.parametrize("answer", [b"\xff\xfe\r\n", b"moo\r\n", b"12:30\r\n", b"idl", b"\r\n\r\n\r\n\r\n"])
def test_garbage_in_a_move_stops_it(axis: Axis, server: LewisServer, proxy: Proxy, answer: bytes) -> None:
    moving = on_its_way(axis, server, far_from(axis.position))
    with impatience(axis.controller._line, proxy), pytest.raises(DeviceError, match=r"lewis \(tcp://") as caught:
        proxy.spoil_next(lambda _: answer)
        moving.get(timeout=30)
    wait_until_cooperative(lambda: not failing(axis))
    assert "answer" in str(caught.value)
    assert server.control.state == "idle"
    assert axis.state == "READY"
    axis.rmove(0.5)
    assert axis.position == server.control.position


@pytest.mark.parametrize("reads", [1, 3, 5])
def test_a_cut_in_a_move_stops_it(axis: Axis, server: LewisServer, proxy: Proxy, reads: int) -> None:
    moving = on_its_way(axis, server, far_from(axis.position))
    for _ in range(reads):
        gevent.sleep(0.003)
    proxy.cut()
    with suppress(NotConnectedError, gevent.Timeout):  # between two requests it does no harm
        moving.get(timeout=0.2)
    moving.kill(timeout=30)
    assert server.control.state == "idle"
    axis.rmove(0.5)
    assert axis.position == server.control.position


def test_a_device_that_is_away_in_a_move_is_stopped_when_it_is_back(
    axis: Axis, server: LewisServer, proxy: Proxy
) -> None:
    moving = on_its_way(axis, server, far_from(axis.position))
    proxy.refuse()
    with pytest.raises(NotConnectedError, match=r"lewis \(tcp://"):
        moving.get(timeout=30)
    assert server.control.state == "moving"
    proxy.accept()
    wait_until_cooperative(lambda: server.control.state == "idle")
    wait_until_cooperative(lambda: not failing(axis))
    axis.rmove(0.5)
    assert axis.position == server.control.position


def test_a_frozen_device_is_stopped_when_it_thaws(axis: Axis, server: LewisServer, proxy: Proxy) -> None:
    moving = on_its_way(axis, server, far_from(axis.position))
    with impatience(axis.controller._line, proxy):
        server.freeze()
        try:
            with pytest.raises(NotConnectedError, match="did not answer"):
                moving.get(timeout=30)
        finally:
            server.thaw()
    wait_until_cooperative(lambda: server.control.state == "idle")
    wait_until_cooperative(lambda: not failing(axis))
    axis.rmove(0.5)


def test_a_start_that_is_not_answered_is_not_repeated_but_stopped(
    axis: Axis, server: LewisServer, proxy: Proxy
) -> None:
    target = far_from(axis.position)
    server.control.speed = 5.0
    proxy.cut_after_request = b"T="
    with pytest.raises(NotConnectedError, match="was lost after 'T=.*' was sent.*may have been executed"):
        axis.move(target)
    assert b"".join(proxy.requests).count(b"T=") == 1
    wait_until_cooperative(lambda: server.control.state == "idle")
    assert axis.position != target
    axis.rmove(0.5)


def test_a_late_position_is_not_taken_for_a_later_one(axis: Axis, server: LewisServer, proxy: Proxy) -> None:
    at = axis.position
    elsewhere = at + 1 if at < 100 else at - 1
    proxy.hold()
    with impatience(axis.controller._line), pytest.raises(NotConnectedError, match=r"did not answer 'P\?'"):
        axis.position  # noqa: B018
    server.control.target = elsewhere
    wait_until_cooperative(lambda: server.control.position == elsewhere)
    proxy.release()
    assert axis.position == elsewhere


def test_a_power_cut(axis: Axis, server: LewisServer) -> None:
    moving = on_its_way(axis, server, far_from(axis.position))
    server.stop()
    try:
        with pytest.raises(NotConnectedError):
            moving.get(timeout=30)
    finally:
        server.start()
    wait_until_cooperative(lambda: not failing(axis))
    axis.sync_hard()
    axis.move(0.25)
    assert (axis.position, server.control.position) == (0.25, 0.25)


def failing(axis: Axis) -> bool:
    try:
        return "MOVING" in axis.state
    except DeviceError:
        return True


def test_a_session_starts_without_the_device(axis: Axis, proxy: Proxy, controller: LewisMotor) -> None:
    proxy.refuse()
    with pytest.raises(NotConnectedError, match="cannot be reached"):
        controller.connect_axis(axis, 1)
    proxy.accept()
    gevent.sleep(REST)
    controller.connect_axis(axis, 30)
