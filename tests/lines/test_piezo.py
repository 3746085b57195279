"""The piezo driver against the simulated amplifier, started as a user would, behind a proxy."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import gevent
import pytest

from bliss_like.controllers.piezo import Piezo
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_group import move
from bliss_like.errors import AxisFault, AxisStopped, DeviceError, NotConnectedError
from tests.ports import free_port
from tests.proxy import Proxy, impatience
from tests.unit.devices.making import make
from tests.waiting import wait_until, wait_until_cooperative


class Amplifier:
    """The server, and a connection of the test's own."""

    def __init__(self) -> None:
        self.port = free_port()
        module = "bliss_like.controllers.simulated.servers.piezo"
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, "--port", str(self.port)], stderr=subprocess.DEVNULL
        )
        wait_until(self._listens)

    def _listens(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def say(self, *lines: str) -> str:
        """Say some lines, and return the answer of the last one."""
        with closing(socket.create_connection(("127.0.0.1", self.port), 5)) as connection:
            connection.sendall("".join(f"{line}\n" for line in lines).encode())
            return connection.makefile().readline().strip() if lines[-1].split()[0].endswith("?") else ""

    def position(self, channel: str = "A") -> float:
        return float(self.say(f"POS? {channel}").partition("=")[2])

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(30)


@pytest.fixture(scope="module")
def amplifier() -> Iterator[Amplifier]:
    amplifier = Amplifier()
    yield amplifier
    amplifier.stop()


@pytest.fixture
def proxy(amplifier: Amplifier) -> Iterator[Proxy]:
    for channel in "ABC":
        amplifier.say(f"HLT {channel}", f"VEL {channel} 2000", f"SVO {channel} 1", f"MOV {channel} 50", "ERR?")
    wait_until(lambda: all(amplifier.say(f"ONT? {channel}") == f"{channel}=1" for channel in "ABC"))
    with Proxy(amplifier.port) as proxy:
        yield proxy


@pytest.fixture
def piezo(proxy: Proxy) -> Iterator[Piezo]:
    channels = {"px": "A", "py": "B"}
    axes = [
        {"name": name, "channel": channel, "low_limit": -5, "timeout": 30, "closed_loop": {"state": "on"}}
        for name, channel in channels.items()
    ]
    piezo = make(Piezo, "piezo", address=proxy.address, axes=[*axes, {"name": "pz", "channel": "Z"}])
    piezo._line.timeout = 30.0
    yield piezo
    piezo.__close__()


@pytest.fixture
def axis(piezo: Piezo) -> Axis:
    return piezo.axes["px"]


@pytest.fixture
def without_servo(proxy: Proxy, amplifier: Amplifier) -> Iterator[Axis]:
    amplifier.say("SVO C 0", "SVA C 30", "ERR?")
    wait_until(lambda: amplifier.say("VOL? C") == "C=30.0000")
    piezo = make(Piezo, "open", address=proxy.address, axes=[{"name": "po", "channel": "C", "tolerance": None}])
    yield piezo.axes["po"]
    piezo.__close__()


def on_its_way(axis: Axis, amplifier: Amplifier) -> gevent.Greenlet:
    """A move that takes a long time, begun."""
    axis.velocity = 2
    at = amplifier.position()
    moving = gevent.spawn(axis.move, at - 40 if at > 45 else at + 40)
    wait_until_cooperative(lambda: abs(amplifier.position() - at) > 0.2)
    return moving


def assert_at_rest(amplifier: Amplifier) -> None:
    assert amplifier.say("ONT? A") == "A=1"


def moves_again(axis: Axis, amplifier: Amplifier) -> None:
    wait_until_cooperative(lambda: not failing(axis))
    axis.velocity = 2000
    axis.move(30)
    assert abs(amplifier.position() - 30) < 0.02


def failing(axis: Axis) -> bool:
    try:
        return "MOVING" in axis.state
    except DeviceError:
        return True


# -- with servo


def test_moves_end_within_the_tolerance_of_a_noisy_read_back(axis: Axis, amplifier: Amplifier) -> None:
    for target in (10, 10.1, 80, 0):
        axis.move(target)
        assert_at_rest(amplifier)
        assert abs(amplifier.position() - target) < 0.02
    readings = {axis.position for _ in range(10)}
    assert len(readings) > 1
    assert max(readings) - min(readings) < 0.05


def test_the_velocity_is_the_slew_rate(axis: Axis, amplifier: Amplifier) -> None:
    axis.move(10)
    axis.velocity = 100
    assert amplifier.say("VEL? A") == "A=100.0000"
    assert axis.velocity == 100
    began = time.monotonic()
    axis.move(50)
    assert time.monotonic() - began > 0.4
    with pytest.raises(ValueError, match="velocity"):
        axis.velocity = -1


def test_two_channels_in_one_motion(piezo: Piezo, amplifier: Amplifier) -> None:
    px, py = piezo.axes["px"], piezo.axes["py"]
    move(px, 20, py, 30)
    assert (amplifier.position("A"), amplifier.position("B")) == pytest.approx((20, 30), abs=0.02)


def test_a_kill_stops(axis: Axis, amplifier: Amplifier) -> None:
    on_its_way(axis, amplifier).kill(timeout=30)
    assert_at_rest(amplifier)
    moves_again(axis, amplifier)


def test_a_stop_from_elsewhere(axis: Axis, amplifier: Amplifier) -> None:
    moving = on_its_way(axis, amplifier)
    axis.stop()
    with pytest.raises(AxisStopped):
        moving.get(timeout=30)
    assert_at_rest(amplifier)


def test_refusals(piezo: Piezo, axis: Axis, amplifier: Amplifier, proxy: Proxy) -> None:
    where = re.escape(f"piezo ({proxy.address})")
    with pytest.raises(DeviceError, match=f"{where} refused 'MOV A -1.0000': error 7, the target is out of its limits"):
        axis.move(-1)
    assert_at_rest(amplifier)
    axis.move(1)
    with impatience(piezo._line), pytest.raises(DeviceError, match=r"did not answer 'POS\? Z'"):
        piezo.axes["pz"].position  # noqa: B018
    assert axis.position == pytest.approx(1, abs=0.02)


def test_identity_and_own_words(piezo: Piezo, axis: Axis) -> None:
    assert "simulated piezo" in piezo.get_id(axis)
    piezo.raw_write("SVO B 0")
    assert piezo.raw_write_read("SVO? B") == "B=0"


# -- without servo


def test_without_servo_the_read_back_tells_the_truth(without_servo: Axis, amplifier: Amplifier) -> None:
    axis = without_servo
    axis.move(60)
    assert amplifier.say("SVA? C") == "C=60.0000"
    forth = axis.position
    axis.move(90)
    axis.move(60)
    back = axis.position
    assert amplifier.say("VOL? C") == "C=60.0000"
    assert back - forth == pytest.approx(1.6, abs=0.5)  # the loop of its hysteresis, less what it crept


def test_a_move_without_servo_ends_when_the_read_back_stands_still(without_servo: Axis) -> None:
    axis = without_servo
    axis.velocity = 100
    began = time.monotonic()
    axis.move(80)
    assert time.monotonic() - began > 0.5
    axis.velocity = 4
    moving = gevent.spawn(axis.move, 20)
    wait_until_cooperative(lambda: axis.position < 79)
    assert axis.state == "MOVING"
    moving.kill(timeout=30)
    assert axis.position > 30
    assert axis.state == "READY"


def test_with_a_tolerance_a_move_without_servo_says_that_it_missed(axis: Axis, amplifier: Amplifier) -> None:
    axis.move(40)
    axis.closed_loop.off()
    axis.timeout = 0.3
    assert (axis.closed_loop.state.value, amplifier.say("SVO? A")) == ("off", "A=0")
    with pytest.raises(AxisFault, match="px did not arrive"):
        axis.move(44)
    axis.timeout = 30.0
    axis.closed_loop.on()
    wait_until_cooperative(lambda: not failing(axis))
    axis.move(60)
    assert axis.position == pytest.approx(60, abs=0.02)


# -- what may happen to the line


GARBAGE = [b"\xff\xfe\n", b"B=12\n", b"A=1,5\n", b"A=1", b"\n\n\n\n"]


@pytest.mark.parametrize("answer", GARBAGE)
def test_garbage_in_a_move_stops_it(axis: Axis, amplifier: Amplifier, proxy: Proxy, answer: bytes) -> None:
    moving = on_its_way(axis, amplifier)
    with impatience(axis.controller._line, proxy), pytest.raises(DeviceError, match=r"piezo \(tcp://.*answer"):
        proxy.spoil_next(lambda _: answer)
        moving.get(timeout=30)
    wait_until_cooperative(lambda: not failing(axis))
    assert_at_rest(amplifier)
    moves_again(axis, amplifier)


def test_a_cut_in_a_move_stops_it(axis: Axis, amplifier: Amplifier, proxy: Proxy) -> None:
    moving = on_its_way(axis, amplifier)
    proxy.cut_after_request = b"POS?"
    with pytest.raises(NotConnectedError, match=r"was lost after '(POS|SVO)\? A' was sent"):
        moving.get(timeout=30)
    assert_at_rest(amplifier)
    moves_again(axis, amplifier)


def test_an_amplifier_that_is_away_in_a_move_is_stopped_when_it_is_back(
    axis: Axis, amplifier: Amplifier, proxy: Proxy
) -> None:
    moving = on_its_way(axis, amplifier)
    proxy.refuse()
    with pytest.raises(NotConnectedError, match=r"piezo \(tcp://"):
        moving.get(timeout=30)
    assert amplifier.say("ONT? A") == "A=0"
    proxy.accept()
    wait_until_cooperative(lambda: amplifier.say("ONT? A") == "A=1")
    moves_again(axis, amplifier)


def test_a_frozen_amplifier_is_stopped_when_it_thaws(axis: Axis, amplifier: Amplifier, proxy: Proxy) -> None:
    moving = on_its_way(axis, amplifier)
    with impatience(axis.controller._line, proxy):
        amplifier.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(NotConnectedError, match="did not answer"):
                moving.get(timeout=30)
        finally:
            amplifier.process.send_signal(signal.SIGCONT)
    wait_until_cooperative(lambda: amplifier.say("ONT? A") == "A=1")
    moves_again(axis, amplifier)


def test_a_start_that_is_not_confirmed_is_stopped_and_not_repeated(
    axis: Axis, amplifier: Amplifier, proxy: Proxy
) -> None:
    axis.velocity = 2
    proxy.cut_after_request = b"MOV A"
    with pytest.raises(NotConnectedError, match="It may have been executed"):
        axis.move(90)
    assert b"".join(proxy.requests).count(b"MOV A") == 1
    assert_at_rest(amplifier)
    assert amplifier.position() < 85


def test_an_error_that_went_down_with_a_connection_is_not_told_of_the_next_command(
    axis: Axis, amplifier: Amplifier, proxy: Proxy
) -> None:
    axis.move(40)
    amplifier.say("MOV A 1000", "POS? A")
    proxy.cut()
    gevent.sleep(0.05)
    axis.move(50)
