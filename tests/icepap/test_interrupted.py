"""IcePAP behind a network and a firmware that fail: the next command works, and no answer is given to another question."""

from __future__ import annotations

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator

import gevent
import pytest

from bliss_like.controllers.icepap import IcePAP
from bliss_like.devices.axis import Axis
from bliss_like.errors import DeviceError, NotConnectedError
from tests.icepap.simulator import Simulator
from tests.proxy import Proxy, impatience
from tests.waiting import wait_until, wait_until_cooperative

DOUBT = ". It may have been executed"


def message(call: Callable[[], object]) -> str:
    with pytest.raises(DeviceError) as caught:
        call()
    return str(caught.value)


@pytest.fixture
def where(proxy: Proxy) -> str:
    return f"ice (tcp://127.0.0.1:{proxy.port})"


@pytest.fixture(autouse=True)
def _all_is_well_afterwards(proxied: IcePAP) -> Iterator[None]:
    """Whatever a test did to the connection: the next questions get their own answers, each another one."""
    yield
    th, tth = proxied.axes["th"], proxied.axes["tth"]
    wait_until_cooperative(lambda: stands_still(proxied))
    for value in (11, 222, 3333):
        proxied.set_position(th, value)
        proxied.set_position(tth, -value)
        assert list(proxied.read_positions(th, tth)) == [value, -value]
        assert proxied.read_velocity(th) == 4000


def stands_still(icepap: IcePAP) -> bool:
    """False also as long as the line leaves a controller alone that did not answer."""
    with contextlib.suppress(NotConnectedError):
        return "MOVING" not in icepap.state(icepap.axes["th"])
    return False


# -- one question ------------------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost(proxied: IcePAP, proxy: Proxy, where: str) -> None:
    proxy.drop()
    with impatience(proxied._line):
        told = message(lambda: proxied.read_position(proxied.axes["th"]))
    assert told == f"{where} did not answer '?FPOS AXIS 1' in time{DOUBT}"


def test_a_command_whose_answer_is_lost_is_not_sent_again(proxied: IcePAP, proxy: Proxy, where: str) -> None:
    proxy.drop()
    proxy.requests.clear()
    with impatience(proxied._line):
        told = message(lambda: proxied.raw_write("POS AXIS 1 5"))
    assert told == f"{where} did not answer '#POS AXIS 1 5' in time{DOUBT}"
    assert proxy.requests == [b"#POS AXIS 1 5\r"]


def test_an_answer_that_comes_too_late_answers_nothing(proxied: IcePAP, proxy: Proxy) -> None:
    th = proxied.axes["th"]
    proxied.set_position(th, 10)
    proxy.hold()
    with impatience(proxied._line):
        assert "did not answer" in message(lambda: proxied.read_position(th))
    proxy.release()
    proxied.set_position(th, 20)
    for _ in range(3):
        assert proxied.read_position(th) == 20


def test_an_answer_in_pieces_is_put_together(proxied: IcePAP, proxy: Proxy) -> None:
    proxied.set_position(proxied.axes["th"], 123456)
    proxy.split()
    assert proxied.read_position(proxied.axes["th"]) == 123456
    proxy.split(pause=0.001)
    assert "DSP" in proxied.raw_write_read("0:?VER INFO")


def test_an_answer_of_which_the_rest_is_lost(proxied: IcePAP, proxy: Proxy) -> None:
    proxied.set_position(proxied.axes["th"], 123456)
    proxy.halve()
    with impatience(proxied._line):
        assert "did not answer" in message(lambda: proxied.read_position(proxied.axes["th"]))
    proxied.raw_write_read("?VER")
    proxy.halve()
    with impatience(proxied._line):
        assert "did not answer" in message(lambda: proxied.raw_write_read("0:?VER INFO"))


def test_an_answer_that_drips_is_not_waited_for_beyond_the_timeout(proxied: IcePAP, proxy: Proxy) -> None:
    proxy.split(pause=5)
    began = time.monotonic()
    with impatience(proxied._line):
        assert "did not answer" in message(lambda: proxied.read_position(proxied.axes["th"]))
    assert time.monotonic() - began < 30  # 50 s and more, until all of it is there


def test_noise_instead_of_an_answer_is_ridden_out_once(
    proxied: IcePAP, proxy: Proxy, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    th = proxied.axes["th"]
    proxied.set_position(th, 7)
    proxy.garble()
    with caplog.at_level(logging.WARNING):
        assert proxied.read_position(th) == 7
    assert f"{where}: '?FPOS AXIS 1' was answered" in caplog.text
    proxy.garble(2, b"#\x00~\xff\n")
    assert message(lambda: proxied.read_position(th)) == (
        f"{where}: '?FPOS AXIS 1' was answered '#\\x00~\\xff': that is no answer to it"
    )


def test_noise_after_a_command(proxied: IcePAP, proxy: Proxy) -> None:
    proxy.garble()
    proxy.requests.clear()
    assert message(lambda: proxied.raw_write("POS AXIS 1 5")).endswith("that is no answer to it")
    assert proxy.requests == [b"#POS AXIS 1 5\r"]


@pytest.mark.parametrize("answer", [b"?FPOS AXIS\n", b"?FPOS\n", b"?FPOS 1 2\n", b"?FPOS nan\n", b"?FPOS 1e999\n"])
def test_an_answer_that_is_not_what_was_asked_for(proxied: IcePAP, proxy: Proxy, where: str, answer: bytes) -> None:
    proxy.garble(1, answer)
    text = message(lambda: proxied.read_position(proxied.axes["th"]))
    assert re.fullmatch(f"{re.escape(where)}: '\\?FPOS AXIS 1' was answered '.*': expected a number", text)


def test_the_answer_to_another_question_is_no_answer(proxied: IcePAP, proxy: Proxy) -> None:
    proxy.garble(2, b"?FSTATUS 0x00A03203\n")
    assert "that is no answer to it" in message(lambda: proxied.read_position(proxied.axes["th"]))


def test_an_answer_that_comes_twice(proxied: IcePAP, proxy: Proxy, simulator: Simulator) -> None:
    th = proxied.axes["th"]
    for value in range(20):
        try:
            proxied.raw_write(f"POS AXIS 1 {value}")
        except DeviceError:  # the second copy came while this was asked
            proxied.raw_write(f"POS AXIS 1 {value}")
        assert float(simulator.tell("?POS 1").split()[1]) == value
        proxy.repeat()
        assert proxied.read_position(th) == value


def test_an_answer_without_end(proxied: IcePAP, proxy: Proxy) -> None:
    proxy.garble(1, b"x" * (2 << 20))
    with impatience(proxied._line):
        assert "did not answer" in message(lambda: proxied.read_position(proxied.axes["th"]))


# -- the connection ----------------------------------------------------------------------------------------------------


def test_an_idle_connection_that_was_cut_is_opened_again_unnoticed(proxied: IcePAP, proxy: Proxy) -> None:
    accepted = proxy.accepted
    proxy.cut()
    wait_until(lambda: not proxy.is_connected)
    proxied.raw_write("POS AXIS 1 5")
    assert proxied.read_position(proxied.axes["th"]) == 5
    assert proxy.accepted == accepted + 1


def test_a_connection_that_is_cut_instead_of_an_answer(proxied: IcePAP, proxy: Proxy, where: str) -> None:
    proxy.cut_at_answer()
    assert proxied.read_position(proxied.axes["th"]) == 0
    proxy.requests.clear()
    proxy.cut_at_answer()
    text = message(lambda: proxied.raw_write("POS AXIS 1 5"))
    assert text.startswith(f"{where} was lost after '#POS AXIS 1 5' was sent: ")
    assert text.endswith(DOUBT)
    assert proxy.requests == [b"#POS AXIS 1 5\r"]


def test_a_controller_that_is_away(proxied: IcePAP, proxy: Proxy, where: str) -> None:
    proxy.refuse()
    text = message(lambda: proxied.read_position(proxied.axes["th"]))
    assert text.startswith(f"{where} cannot be reached: ")
    assert text.endswith("Nothing was sent: '?FPOS AXIS 1'")
    wait_until_cooperative(  # where the machine was away for longer, it is tried again
        lambda: "does not answer since" in message(lambda: proxied.read_position(proxied.axes["th"]))
    )
    proxy.accept()


def test_a_host_that_does_not_exist(new_icepap: Callable[..., IcePAP]) -> None:
    controller = new_icepap(5000, host="nowhere.invalid")
    text = message(lambda: controller.axes["th"].position)
    assert text.startswith("ice (tcp://nowhere.invalid:5000) cannot be reached: ")


def test_those_who_wait_for_a_silent_controller_wait_once(
    proxy: Proxy, new_icepap: Callable[..., IcePAP], monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = new_icepap(proxy.port)
    monkeypatch.setattr("bliss_like.backends.outage.REST", 3.0)
    proxy.freeze()
    axes = list(controller.axes.values())
    asking = [gevent.spawn(message, lambda axis=axis: controller.connect_axis(axis, 0.3)) for axis in axes]
    gevent.joinall(asking, raise_error=True)
    assert "did not answer '?FSTATUS 1'" in asking[0].value
    assert re.search("does not answer since .* Nothing was sent; .*: '\\?FSTATUS 11'", asking[2].value)
    proxy.release()
    for axis in axes:
        wait_until_cooperative(lambda axis=axis: connects(axis))


def connects(axis: Axis) -> bool:
    with contextlib.suppress(NotConnectedError):
        axis.controller.connect_axis(axis, 30)
        return True
    return False


def test_a_stop_is_tried_also_when_the_question_before_was_not_answered(
    proxied: IcePAP, proxy: Proxy, simulator: Simulator
) -> None:
    simulator.tell("#MOVE 1 1000000")
    proxy.drop()
    with impatience(proxied._line):
        asking = gevent.spawn(message, lambda: proxied.read_position(proxied.axes["th"]))
        gevent.sleep(0)
    stopping = gevent.spawn(proxied.stop, proxied.axes["th"])
    gevent.joinall([asking, stopping], raise_error=True)
    wait_until(lambda: not moves(simulator))


# -- killed in the middle ----------------------------------------------------------------------------------------------


def test_a_question_that_is_killed_leaves_no_answer_behind(proxied: IcePAP, proxy: Proxy) -> None:
    th = proxied.axes["th"]
    proxy.delay = 0.03
    for value in range(1, 6):
        proxied.set_position(th, value)
        asking = gevent.spawn(proxied.read_position, th)
        requests = len(proxy.requests)
        while len(proxy.requests) == requests:
            gevent.sleep(0.001)
        asking.kill()
        assert proxied.read_velocity(th) == 4000
        with gevent.Timeout(0.02, False):
            proxied.read_position(th)
        assert proxied.read_position(th) == value
    proxy.delay = 0


def test_greenlets_that_ask_at_once_get_their_own_answers(proxied: IcePAP, proxy: Proxy) -> None:
    th, tth = proxied.axes["th"], proxied.axes["tth"]
    proxied.set_position(th, 1)
    proxied.set_position(tth, 2)
    proxy.delay = 0.002
    asking = [gevent.spawn(proxied.read_position, axis) for axis in (th, tth) * 20]
    gevent.joinall(asking, raise_error=True)
    assert [greenlet.value for greenlet in asking] == [1, 2] * 20


def test_other_greenlets_run_while_one_waits(proxied: IcePAP, proxy: Proxy) -> None:
    proxy.hold()
    asked = len(proxy.requests)
    asking = gevent.spawn(proxied.read_position, proxied.axes["th"])
    wait_until_cooperative(lambda: len(proxy.requests) > asked)
    for _ in range(50):
        gevent.sleep(0.001)
        assert not asking.ready()
    proxy.release()
    assert asking.get(timeout=30) == 0


# -- in the middle of a move -------------------------------------------------------------------------------------------


def start_a_long_move(icepap: IcePAP) -> None:
    th = icepap.axes["th"]
    th.move(1000, wait=False)
    wait_until(lambda: th.position > 0.3)


def moves(simulator: Simulator) -> bool:
    return bool(int(simulator.tell("?FSTATUS 1").split()[1], 16) & 0x400)


@pytest.mark.parametrize("fault", [Proxy.garble, Proxy.cut, Proxy.cut_at_answer, Proxy.split])
def test_a_move_survives(proxied: IcePAP, proxy: Proxy, fault: Callable[[Proxy], None]) -> None:
    th = proxied.axes["th"]
    th.move(1, wait=False)
    wait_until(lambda: th.position > 0.3)
    fault(proxy)
    th.wait_move()
    assert th.position == 1


@pytest.mark.parametrize("fault", [Proxy.drop, Proxy.halve])
def test_a_move_of_which_an_answer_is_lost_is_stopped(
    proxied: IcePAP, proxy: Proxy, simulator: Simulator, fault: Callable[[Proxy], None]
) -> None:
    start_a_long_move(proxied)
    with impatience(proxied._line, proxy):
        fault(proxy)
        assert "did not answer '?F" in message(proxied.axes["th"].wait_move)
    assert not moves(simulator)


def test_a_move_that_is_killed_is_stopped(proxied: IcePAP, proxy: Proxy, simulator: Simulator) -> None:
    th = proxied.axes["th"]
    proxy.delay = 0.01
    moving = gevent.spawn(th.move, 1000)
    wait_until_cooperative(lambda: moves(simulator) and th.position > 0.3)
    moving.kill()
    assert not moves(simulator)
    proxy.delay = 0
    assert "READY" in th.state


def test_a_move_whose_controller_does_not_answer_is_stopped_when_it_is_back(
    proxied: IcePAP, proxy: Proxy, simulator: Simulator, where: str
) -> None:
    start_a_long_move(proxied)
    with impatience(proxied._line, proxy):
        proxy.freeze()
        with pytest.raises(NotConnectedError, match=re.escape(f"{where} did not answer")) as caught:
            proxied.axes["th"].wait_move()
    assert "Stopping the axes failed too" in "".join(caught.value.__notes__)
    assert moves(simulator)
    proxy.release()
    wait_until_cooperative(lambda: not moves(simulator))


def test_a_move_whose_controller_is_unreachable_is_stopped_when_it_is_back(
    proxied: IcePAP, proxy: Proxy, simulator: Simulator, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    start_a_long_move(proxied)
    proxy.refuse()
    with pytest.raises(NotConnectedError, match=re.escape(f"{where} cannot be reached")):
        proxied.axes["th"].wait_move()
    assert moves(simulator)
    with caplog.at_level(logging.INFO):
        proxy.accept()
        wait_until_cooperative(lambda: f"{where} answers again: stopping th was done" in caplog.text)
    wait_until_cooperative(lambda: not moves(simulator))
    proxied.axes["th"].move(0.01 + proxied.axes["th"].position)


def test_a_start_of_which_the_answer_is_lost_is_stopped(proxied: IcePAP, proxy: Proxy, simulator: Simulator) -> None:
    th = proxied.axes["th"]
    th.move(0.01)
    proxy.drop_after_request = b"MOVE"
    with impatience(proxied._line):
        text = message(lambda: th.move(1000))
    assert re.search(f"did not answer '#MOVE .*' in time{DOUBT}", text)
    wait_until(lambda: not moves(simulator))
    assert 0 < th.position < 1000


def test_a_controller_that_freezes_and_goes_on(proxied: IcePAP, proxy: Proxy, simulator: Simulator) -> None:
    start_a_long_move(proxied)
    with impatience(proxied._line, proxy):
        simulator.freeze()
        try:
            assert "did not answer" in message(proxied.axes["th"].wait_move)
        finally:
            simulator.thaw()
    wait_until_cooperative(lambda: not moves(simulator))


def test_a_controller_that_is_restarted_gets_its_velocities_again(
    proxied: IcePAP, simulator: Simulator, caplog: pytest.LogCaptureFixture
) -> None:
    start_a_long_move(proxied)
    simulator.kill()
    with pytest.raises(DeviceError, match="cannot be reached|was lost"):
        proxied.axes["th"].wait_move()
    simulator.start()
    wait_until_cooperative(lambda: stands_still(proxied))
    th = proxied.axes["th"]
    assert th.velocity == 1
    with caplog.at_level(logging.WARNING):
        th.move(0.5)
    assert "velocity was 1000 steps/s" in caplog.text
    assert (th.position, th.velocity, th.acceleration) == (0.5, 4, 40)
