"""lewis' Linkam T95 over TCP: ramps, stops, and everything that may happen to the line on the way."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import gevent
import pytest

from bliss_like.controllers.regulation import Loop
from bliss_like.controllers.regulation.linkam import HOLDING, HOLDING_AS_TOLD, LinkamT95, Status
from bliss_like.errors import AxisLimitError, DeviceError, NotConnectedError, RegulationFault, UserAbort
from bliss_like.scans import ascan
from tests.lewis_servers import LewisServer
from tests.proxy import Proxy
from tests.unit.devices.making import make
from tests.unit.scanning.making import memory_environment
from tests.waiting import wait_until_cooperative as wait_until

SPEED = 20


@pytest.fixture(scope="module")
def server() -> Iterator[LewisServer]:
    server = LewisServer("linkam_t95", "lewis.devices", speed=SPEED)
    yield server
    server.close()


@pytest.fixture
def proxy(server: LewisServer) -> Iterator[Proxy]:
    with Proxy(server.port) as proxy:
        yield proxy


@pytest.fixture
def stage(proxy: Proxy) -> Iterator[LinkamT95]:
    stage = make(
        LinkamT95,
        "stage",
        address=proxy.address,
        timeout=30,
        inputs=[{"name": "stage_sensor", "unit": "degC"}],
        outputs=[{"name": "stage_pump"}],
        ctrl_loops=[
            {
                "name": "stage_loop",
                "input": "$stage_sensor",
                "output": "$stage_pump",
                "ramprate": 1,
                "deadband": 0.2,
                "deadband_time": 0.05,
                "polling_time": 0.02,
            }
        ],
        axes=[{"name": "stage_temp", "loop": "$stage_loop", "low_limit": 0, "high_limit": 600}],
    )
    yield stage
    stage.__close__()


@pytest.fixture
def loop(stage: LinkamT95) -> Loop:
    """It stands at 30 degrees."""
    (loop,) = stage.loops
    loop.ramprate = 2.5
    loop.axis.move(30)
    loop.ramprate = 1
    return loop


def truth(server: LewisServer) -> float:
    """The temperature that the box tells somebody else."""
    with socket.create_connection(("127.0.0.1", server.port), 5) as other, other.makefile("rwb") as line:
        line.write(b"T\r")
        line.flush()
        return Status.of(line.read(11)[:10]).temperature


def on_its_way(loop: Loop, to: float) -> gevent.Greenlet:
    start = loop.input.read()
    moving = gevent.spawn(loop.axis.move, to)
    wait_until(lambda: moving.ready() or abs(loop.input.read() - start) > 1)
    return moving


def test_heating_and_cooling(loop: Loop, stage: LinkamT95, server: LewisServer) -> None:
    for target in (42, 28.5):
        loop.axis.move(target)
        assert loop.axis.position == pytest.approx(target, abs=0.1)
        assert truth(server) == pytest.approx(target, abs=0.1)
        assert (stage.status().state, loop.input.state(), loop.setpoint) == (HOLDING, "HOLDING", target)
        assert not loop.is_ramping() and loop.is_in_deadband()


def test_the_rate_is_that_of_the_box(loop: Loop, server: LewisServer) -> None:
    loop.ramprate = 0.5
    assert loop.ramprate == 0.5
    began = time.monotonic()
    loop.axis.move(40)
    assert (time.monotonic() - began) * SPEED > 0.5 * 10 / 0.5
    with pytest.raises(ValueError, match="stage_loop: ramprate must be 0.00017 .. 2.5 degrees per second, got 3"):
        loop.ramprate = 3


def test_a_scan_over_temperature(loop: Loop) -> None:
    with memory_environment():
        scan = ascan(loop.axis, 30, 36, 2, 0.05, loop, save=False)
        assert scan.get_data("stage_loop").tolist() == [30, 33, 36]
        for name in ("stage_sensor", "axis:stage_temp"):
            assert scan.get_data(name) == pytest.approx([30, 33, 36], abs=0.2)
        assert scan.get_data("stage_pump").tolist() == [0, 0, 0]


def test_an_interrupted_motion_holds_where_it_is(loop: Loop, stage: LinkamT95, server: LewisServer) -> None:
    moving = on_its_way(loop, 300)
    moving.kill(UserAbort())
    wait_until(lambda: stage.status().state == HOLDING_AS_TOLD)
    held = truth(server)
    assert 30 < held < 300 and loop.setpoint == pytest.approx(held, abs=1)
    assert truth(server) == held and loop.axis.state == "READY"
    loop.axis.move(held + 5)
    assert truth(server) == pytest.approx(held + 5, abs=0.1)


def test_it_is_switched_off_and_on_again(loop: Loop, server: LewisServer) -> None:
    loop.stop_regulation()
    wait_until(lambda: not loop.is_regulating())
    assert loop.input.state() == "STOPPED"
    loop.axis.move(33)
    assert loop.is_regulating() and truth(server) == pytest.approx(33, abs=0.1)


def test_switched_off_on_the_way(loop: Loop) -> None:
    moving = on_its_way(loop, 300)
    loop.stop_regulation()
    with pytest.raises(RegulationFault, match=r"stage_loop: the regulation is off; stage_loop.start_regulation\(\)"):
        moving.get(timeout=30)


def test_limits_and_what_it_cannot(loop: Loop) -> None:
    with pytest.raises(AxisLimitError, match="stage_temp: 601 is above its high limit 600"):
        loop.setpoint = 601
    with pytest.raises(DeviceError, match="stage_pump cannot be set: the pump of stage follows the rate"):
        loop.output.set_value(3)
    with pytest.raises(DeviceError, match="stage_loop cannot be given a P: LinkamT95 stage has no means"):
        loop.kp = 1


# -- the line ----------------------------------------------------------------------------------------------------------


def test_a_cut_line_is_reopened_on_the_way(loop: Loop, proxy: Proxy, server: LewisServer) -> None:
    moving = on_its_way(loop, 45)
    proxy.cut()
    moving.get(timeout=30)
    assert truth(server) == pytest.approx(45, abs=0.1)


def test_garbage_on_the_way_is_borne(loop: Loop, proxy: Proxy, server: LewisServer) -> None:
    moving = on_its_way(loop, 45)
    proxy.spoil_next(lambda answer: b"\x10\x80\x80" + answer[-1:])
    moving.get(timeout=30)
    assert truth(server) == pytest.approx(45, abs=0.1)


def test_a_box_that_is_gone_on_the_way(loop: Loop, proxy: Proxy, server: LewisServer) -> None:
    moving = on_its_way(loop, 300)
    proxy.refuse()
    try:
        with pytest.raises(
            DeviceError, match=r"stage_loop was lost on its way to 300 degC: stage \(tcp://127.0.0.1:\d+\)"
        ):
            moving.get(timeout=60)
    finally:
        proxy.accept()
    wait_until(lambda: answers(loop))
    loop.axis.move(50)
    assert truth(server) == pytest.approx(50, abs=0.1)


def test_a_box_that_says_nothing(loop: Loop, stage: LinkamT95, proxy: Proxy) -> None:
    proxy.hold()
    stage._line.timeout = 0.3
    with pytest.raises(DeviceError, match=r"stage \(tcp://127.0.0.1:\d+\) did not answer 'T' in time"):
        loop.input.read()
    stage._line.timeout = 30.0
    proxy.release()
    wait_until(lambda: answers(loop))
    assert loop.input.read() == pytest.approx(30, abs=0.1)  # not the answer that came late


def test_a_box_that_is_off() -> None:
    off = make(LinkamT95, "off", address="tcp://127.0.0.1:1", inputs=[{"name": "off_sensor"}])
    with pytest.raises(NotConnectedError, match="tcp://127.0.0.1:1"):
        off.inputs[0].__connect__(1)
    off.__close__()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "expected ten bytes, came 0"),
        (b"\x99" + b"\x80" * 5 + b"0100", "its first byte 0x99 is no state"),
        (b"\x01" + b"\x80" * 5 + b"01G0", "invalid literal"),
    ],
)
def test_what_is_no_status_is_refused(answer: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Status.of(answer)


def test_a_status_below_zero_with_errors(stage: LinkamT95) -> None:
    status = Status.of(b"\x20\x82\x9e\x80\x80\x80ff9c")
    assert status == (0x20, 0x02, 30, -10.0)


def answers(loop: Loop) -> bool:
    try:
        loop.input.read()
    except DeviceError:
        return False
    return True
