"""A fast shutter against its box over TCP, and against all that can happen to the line."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest

from bliss_like.controllers.simulated.servers.shutter_box import CLOSING_TIME, OPENING_TIME, ShutterBox
from bliss_like.controllers.timed_shutter import TimedShutter
from bliss_like.devices.shutter import BaseShutterState, ShutterMode
from bliss_like.errors import DeviceError, NotConnectedError, UserAbort
from tests.proxy import Proxy
from tests.unit.devices.making import make
from tests.waiting import wait_until


@pytest.fixture
def shutter(shutter_proxy: Proxy) -> Iterator[TimedShutter]:
    shutter = make(TimedShutter, "fs", address=shutter_proxy.address, channel=1, timeout=30)
    shutter._line.timeout = 30.0
    yield shutter
    shutter.__close__()


def test_it_opens_and_closes(shutter: TimedShutter, shutter_box: ShutterBox) -> None:
    with shutter:
        assert shutter.is_open
        assert shutter_box.blades["1"].state() == "OPEN"
        assert shutter_box.blades["2"].state() == "CLOSED"
    assert shutter_box.blades["1"].state() == "CLOSED"
    assert shutter.measure_open_close_time() == pytest.approx((OPENING_TIME, CLOSING_TIME))


@pytest.mark.parametrize("seconds", [0.002, 0.03])
def test_the_box_times_the_opening(shutter: TimedShutter, seconds: float) -> None:
    shutter.open_for(seconds)
    assert shutter.is_closed
    assert seconds <= shutter.cycle[2] < seconds + 20  # its own clock may be late on a busy machine


@pytest.mark.parametrize("seconds", [0, -1, 1001, float("nan")])
def test_no_time_to_be_open_for(shutter: TimedShutter, seconds: float, shutter_box: ShutterBox) -> None:
    with pytest.raises(DeviceError, match=r"fs: expected 0\.001 to 1000 s to be open for, got"):
        shutter.open_for(seconds)
    assert shutter_box.blades["1"].ncycles == 0


def test_an_interrupted_exposure_is_closed_at_once(shutter: TimedShutter, shutter_box: ShutterBox) -> None:
    blade = shutter_box.blades["1"]
    task = gevent.spawn(shutter.open_for, 500)
    with gevent.Timeout(30):
        while blade.state() != "OPEN":
            gevent.sleep(0.001)
    task.kill(UserAbort, timeout=30)
    assert task.ready()
    wait_until(lambda: blade.state() == "CLOSED")
    assert shutter.is_closed


def test_the_safety_system_is_quoted(shutter: TimedShutter, shutter_box: ShutterBox) -> None:
    blade = shutter_box.blades["1"]
    blade.forbid("hutch EH1 is not searched")
    for action in (shutter.open, lambda: shutter.open_for(0.01)):
        with pytest.raises(DeviceError, match="^fs stays closed: hutch EH1 is not searched$"):
            action()
    assert shutter.state is BaseShutterState.INTERLOCK
    assert shutter.state_string == "closed by an interlock: hutch EH1 is not searched"


def test_a_blade_that_is_stuck(shutter: TimedShutter, shutter_box: ShutterBox) -> None:
    shutter_box.blades["1"].stuck = True
    shutter.timeout = 0.2
    with pytest.raises(DeviceError, match=r"fs should be open and is moving, .* raise `timeout`"):
        shutter.open(timeout=0.05)
    assert shutter_box.blades["1"].is_open is False


def test_the_safety_system_ends_an_exposure(shutter: TimedShutter, shutter_box: ShutterBox) -> None:
    blade = shutter_box.blades["1"]

    def forbid() -> None:
        while blade.state() != "OPEN":
            gevent.sleep(0.001)
        blade.forbid("the ring lost its beam")

    gevent.spawn(forbid)
    with pytest.raises(
        DeviceError, match="fs was not open for 6 s, it is closed by an interlock: the ring lost its beam"
    ):
        shutter.open_for(6)


def test_the_cable_opens_it_in_external_mode(shutter: TimedShutter) -> None:
    shutter.mode = "external"
    assert shutter.mode is ShutterMode.EXTERNAL
    with pytest.raises(DeviceError, match=r"in mode EXTERNAL that is done by a cable.*fs\.mode = 'MANUAL'"):
        shutter.open()
    shutter.mode = ShutterMode.MANUAL
    shutter.open()
    assert shutter.is_open


def test_a_channel_that_the_box_has_not(shutter_proxy: Proxy) -> None:
    other = make(TimedShutter, "fs9", address=shutter_proxy.address, channel=9)
    with pytest.raises(DeviceError, match=r"'\?STATE 9' was answered .*ERROR \?STATE 9 is not understood"):
        other.state  # noqa: B018
    with pytest.raises(DeviceError, match=r"fs9 refused 'CLOSE 9': CLOSE 9 is not understood"):
        other.close()
    other.__close__()


# -- the line ------------------------------------------------------------------------------------------------------------


def test_garbage_is_told_and_the_next_answer_is_right(shutter: TimedShutter, shutter_proxy: Proxy) -> None:
    assert shutter.is_closed
    shutter_proxy.spoil_next(lambda answer: b"\x07CLO?\n")
    with pytest.raises(DeviceError, match="expected one of OPEN, CLOSED"):
        shutter.state  # noqa: B018
    shutter_proxy.spoil_next(lambda answer: b"fine\n")
    with pytest.raises(DeviceError, match=r"'OPEN 1' was answered 'fine': expected OK"):
        shutter._command("OPEN")
    shutter.close()
    assert shutter.is_closed


def test_a_late_answer_answers_nothing_else(shutter: TimedShutter, shutter_proxy: Proxy) -> None:
    assert shutter.is_closed
    shutter_proxy.hold()
    shutter._line.timeout = 0.3
    with pytest.raises(DeviceError, match="did not answer"):
        shutter.cycle  # noqa: B018
    shutter._line.timeout = 30.0
    shutter_proxy.release()
    with gevent.Timeout(30):
        while True:
            try:
                assert shutter.state is BaseShutterState.CLOSED
                break
            except DeviceError:
                gevent.sleep(0.05)


def test_a_killed_question_leaves_no_answer_behind(shutter: TimedShutter, shutter_proxy: Proxy) -> None:
    assert shutter.is_closed
    shutter_proxy.hold()
    task = gevent.spawn(lambda: shutter.cycle)
    gevent.sleep(0.02)
    task.kill(UserAbort)
    shutter_proxy.release()
    assert shutter.mode is ShutterMode.MANUAL
    assert shutter.is_closed


def test_a_cut_line_is_opened_again(shutter: TimedShutter, shutter_proxy: Proxy) -> None:
    shutter.open()
    shutter_proxy.cut()
    wait_until(lambda: not shutter_proxy.is_connected)
    assert shutter.is_open
    assert shutter_proxy.accepted == 2
    shutter.close()


def test_a_close_that_was_not_heard_is_said_again(
    shutter: TimedShutter, shutter_box: ShutterBox, shutter_proxy: Proxy
) -> None:
    shutter.open()
    shutter_proxy.refuse()
    with pytest.raises(NotConnectedError, match="cannot be reached"):
        shutter.close()
    assert shutter_box.blades["1"].is_open
    shutter_proxy.accept()
    with gevent.Timeout(30):
        while shutter_box.blades["1"].is_open:
            gevent.sleep(0.02)


def test_an_open_whose_answer_was_lost_is_closed(
    shutter: TimedShutter, shutter_box: ShutterBox, shutter_proxy: Proxy
) -> None:
    assert shutter.is_closed
    shutter_proxy.cut_after_request = b"OPEN"
    with pytest.raises(NotConnectedError, match="may have been executed"):
        shutter.open()
    with gevent.Timeout(30):
        while shutter_box.blades["1"].is_open:
            gevent.sleep(0.02)


def test_the_box_is_off(shutter: TimedShutter, shutter_proxy: Proxy) -> None:
    shutter_proxy.refuse()
    with pytest.raises(NotConnectedError, match=r"fs \(tcp://127\.0\.0\.1:\d+\) cannot be reached"):
        shutter.open()
    shutter_proxy.accept()


def test_others_run_while_it_is_waited_for(shutter: TimedShutter, shutter_proxy: Proxy) -> None:
    shutter_proxy.hold()
    task = gevent.spawn(shutter.open)
    with gevent.Timeout(30):
        while not shutter_proxy.requests:
            gevent.sleep(0.001)
    for _ in range(5):
        gevent.sleep(0.001)
        assert not task.ready()
    shutter_proxy.release()
    task.get(timeout=30)
    shutter.close()
