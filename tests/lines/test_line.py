"""Lines against a device behind a proxy that spoils the connection."""

from __future__ import annotations

import contextlib
import logging
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import pytest

from bliss_like.backends.line import Line
from bliss_like.errors import DeviceError, NotConnectedError
from tests.lines.conftest import REST
from tests.lines.device import Device, running_device
from tests.proxy import Proxy
from tests.waiting import wait_until_cooperative


@pytest.fixture
def device() -> Iterator[Device]:
    with running_device() as device:
        yield device


@pytest.fixture
def proxy(device: Device) -> Iterator[Proxy]:
    with Proxy(device.port) as proxy:
        yield proxy


@pytest.fixture
def line(proxy: Proxy) -> Iterator[Line]:
    line = Line(proxy.address, b"\r\n", 30.0, name="table")  # tests of silence have a timeout of their own
    yield line
    line.close()


# -- asking


def test_text_is_answered_with_text_and_bytes_with_bytes(line: Line) -> None:
    assert line.ask("ECHO hello") == "hello"
    assert line.ask(b"ECHO hello") == b"hello"
    assert line.ask_for(float, "ECHO 1.5") == 1.5


def test_nothing_is_opened_before_the_first_request(line: Line, proxy: Proxy) -> None:
    assert (proxy.accepted, line.is_open) == (0, False)
    line.ask("ECHO 1")
    line.ask("ECHO 2")
    assert (proxy.accepted, line.is_open) == (1, True)


def test_many_requests_cost_one_round_trip(line: Line, proxy: Proxy) -> None:
    line.ask("ECHO 0")
    proxy.delay = 0.1
    began = time.monotonic()
    assert line.ask_many([f"ECHO {i}" for i in range(200)]) == [str(i) for i in range(200)]
    assert time.monotonic() - began < 10  # 20 s and more, one after the other
    assert line.ask_many([]) == []


def test_many_requests_to_a_device_that_waits_for_acknowledgements(device: Device) -> None:
    line = Line(f"tcp://127.0.0.1:{device.port}", b"\r\n", 30.0)
    times = []
    for _ in range(50):
        began = time.monotonic()
        line.ask_many([f"ECHO {i}" for i in range(5)])
        times.append(time.monotonic() - began)
    assert min(times[1:]) < 0.03  # each is 40 ms and more, if it has to wait
    line.close()


def test_more_requests_than_buffers_hold(line: Line) -> None:
    long = "x" * 10_000
    assert line.ask_many([f"ECHO {i}{long}" for i in range(500)]) == [f"{i}{long}" for i in range(500)]


def test_a_device_that_takes_one_request_at_a_time(device: Device, proxy: Proxy) -> None:
    line = Line(proxy.address, b"\r\n", 30.0, pipelined=False)
    line.ask("ECHO 0")
    proxy.hold()
    asking = gevent.spawn(line.ask_many, ["COUNT", "COUNT"])
    wait_until_cooperative(lambda: device.seen.count("COUNT") == 1)
    gevent.sleep(0.05)
    assert device.seen.count("COUNT") == 1
    proxy.release()
    assert asking.get(timeout=30) == ["1", "2"]
    line.close()


def test_blocks_of_bytes(line: Line) -> None:
    with line.exchange():
        line.write("BLOCK 100000")
        assert line.read_exactly(100_000) == b"x" * 100_000
        line.write_exactly(b"ECHO raw\r\n")
        assert line.read_line() == b"raw"


def test_a_unix_socket(short_directory: Path) -> None:
    path = short_directory / "device"
    with socket.create_server(str(path), family=socket.AF_UNIX) as server:

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.sendall(client.recv(100).upper())

        serving = threading.Thread(target=serve)
        serving.start()
        line = Line(f"unix://{path}")
        assert line.ask("hello") == "HELLO"
        serving.join(30)
        line.close()


def test_a_greeting_is_read_at_each_opening(device: Device, proxy: Proxy) -> None:
    device.greeting = b"welcome\r\n"
    greetings: list[bytes] = []

    def greet(line: Line) -> None:
        greetings.append(line.read_line())
        assert line.ask("ECHO login") == "login"

    line = Line(proxy.address, b"\r\n", 30.0, on_open=greet)
    assert line.ask("ECHO 1") == "1"
    proxy.cut()
    wait_until_cooperative(lambda: not gevent.sleep(0.05))
    assert line.ask("ECHO 2") == "2"
    assert greetings == [b"welcome"] * 2
    line.close()


@pytest.mark.parametrize(
    "address", ["", "host:5", "tcp://host", "tcp://host:x", "tcp://host:99999", "udp://h:1", "unix://"]
)
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(ValueError, match=f"tcp://host:port or unix:///path, got {address!r}"):
        Line(address)


def test_a_request_that_would_be_two(line: Line, device: Device) -> None:
    with pytest.raises(ValueError, match="must not hold its terminator"):
        line.ask("ECHO 1\r\nECHO 2")
    with pytest.raises(ValueError, match="must be ASCII text, or bytes; got 'µ'"):
        line.ask("µ")
    assert device.seen == []


def test_the_traffic_is_logged(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "bliss_like.device.table"):
        line.ask("ECHO 1")
        line.ask("ECHO " + "x" * 1000)
    told = [record.getMessage() for record in caplog.records]
    assert f"{line} < 'ECHO 1\\r\\n'" in told
    assert f"{line} > '1\\r\\n'" in told
    assert max(map(len, told)) < 250


# -- answers that do not come, come late, or make no sense


def test_a_late_answer_never_answers_the_next_request(line: Line, proxy: Proxy) -> None:
    line.ask("ECHO 0")
    proxy.hold()
    with pytest.raises(DeviceError, match=re.escape(f"table (tcp://127.0.0.1:{proxy.port}) did not answer 'ECHO 1'")):
        line.ask("ECHO 1", timeout=0.2)
    proxy.release()
    for i in range(2, 6):
        assert line.ask(f"ECHO {i}") == str(i)


def test_an_answer_after_the_timeout_and_before_the_next_request(line: Line, proxy: Proxy) -> None:
    proxy.hold()
    with pytest.raises(DeviceError):
        line.ask("ECHO late", timeout=0.1)
    proxy.release()
    gevent.sleep(0.05)
    assert line.ask("ECHO next") == "next"


def test_a_request_with_a_timeout_of_its_own(line: Line) -> None:
    assert line.ask("SLEEP 0.5", timeout=60) == "slept 0.5"
    began = time.monotonic()
    with pytest.raises(DeviceError, match="in time"):
        line.ask("QUIET", timeout=0.05)
    assert time.monotonic() - began < 20  # that of the line is 30 s


@pytest.mark.parametrize("end", [lambda asking: asking.kill(), lambda asking: asking.kill(KeyboardInterrupt)])
def test_a_kill_in_the_middle(line: Line, device: Device, end: Callable[[gevent.Greenlet], object]) -> None:
    def asks() -> None:
        try:
            line.ask("SLEEP 0.1")
        except KeyboardInterrupt:
            return

    asking = gevent.spawn(asks)
    wait_until_cooperative(lambda: device.seen)
    end(asking)
    assert line.ask("ECHO next") == "next"
    assert line.ask("ECHO next but one") == "next but one"


def test_a_gevent_timeout_in_the_middle(line: Line) -> None:
    with pytest.raises(gevent.Timeout), gevent.Timeout(0.02):
        line.ask("QUIET")
    assert line.ask("ECHO next") == "next"


def test_half_an_answer(line: Line, proxy: Proxy) -> None:
    proxy.spoil_next(lambda answer: answer[:3])
    with pytest.raises(DeviceError, match=r"did not answer 'ECHO hello' in time; what came was 'hel'"):
        line.ask("ECHO hello", timeout=2)
    assert line.ask("ECHO next") == "next"


def test_an_answer_that_is_no_text(line: Line, proxy: Proxy) -> None:
    with pytest.raises(DeviceError, match=re.escape(r"'BYTES' was answered '\xff\xfe': that is no text")):
        line.ask("BYTES")
    assert line.ask(b"BYTES") == b"\xff\xfe"
    assert proxy.accepted == 2


def test_an_answer_that_is_no_number(line: Line, proxy: Proxy) -> None:
    with pytest.raises(DeviceError, match="'ECHO x' was answered 'x': could not convert string to float: 'x'"):
        line.ask_for(float, "ECHO x")
    assert line.ask_for(float, "ECHO 2") == 2
    assert proxy.accepted == 2


def test_an_answer_without_end(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.backends.line.LONGEST", 5000)
    with pytest.raises(DeviceError, match="was answered by 5000 bytes that have no end"):
        line.ask("BLOCK 10000")
    assert line.ask("ECHO 1") == "1"


def test_more_than_one_answer(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    assert line.ask("TWICE") == "one"
    assert line.ask("ECHO 1") == "1"
    assert "sent what nobody asked for: 'two" in caplog.text


def test_what_nobody_asked_for(line: Line, proxy: Proxy) -> None:
    line.ask("ECHO 0")
    proxy.say(b"*** overheated ***\r\n")
    gevent.sleep(0.05)
    assert line.ask("ECHO 1") == "1"
    assert proxy.accepted == 2


def test_one_of_many_is_not_answered(line: Line) -> None:
    with pytest.raises(DeviceError, match="did not answer 'QUIET' in time"):
        line.ask_many(["ECHO 1", "QUIET"], timeout=2)
    assert line.ask_many(["ECHO 3", "ECHO 4"]) == ["3", "4"]


# -- lines that are drained instead of reopened


@pytest.fixture
def drained(proxy: Proxy) -> Iterator[Line]:
    line = Line(proxy.address, b"\r\n", 30.0, drain=1.0)
    yield line
    line.close()


def be_late(line: Line, proxy: Proxy) -> None:
    """A request that is answered too late: the answer is there before the next request."""
    passed = proxy.passed
    proxy.hold()
    with pytest.raises(DeviceError):
        line.ask("ECHO late", timeout=0.05)
    proxy.release()
    wait_until_cooperative(lambda: proxy.passed > passed)


def test_a_drained_line_stays_open(drained: Line, proxy: Proxy) -> None:
    be_late(drained, proxy)
    assert drained.ask("ECHO next") == "next"
    proxy.say(b"unasked\r\n")
    gevent.sleep(0.05)
    assert drained.ask("ECHO next") == "next"
    with pytest.raises(DeviceError):
        drained.ask("BYTES")
    assert drained.ask("ECHO next") == "next"
    assert proxy.accepted == 1


def test_a_drained_line_that_is_never_silent_is_reopened(drained: Line, proxy: Proxy) -> None:
    drained.timeout = 3.0
    drained.ask("ECHO 0")

    def talk() -> None:
        while True:
            proxy.say(b"bla\r\n")
            gevent.sleep(0.02)

    def is_reopened() -> bool:
        """False where the machine was away for so long that it seemed to be silent."""
        with contextlib.suppress(DeviceError):
            drained.ask_for(float, "ECHO no number")
        with contextlib.suppress(DeviceError):
            drained.ask("ECHO next")
        return proxy.accepted > 1

    talking = gevent.spawn(talk)
    wait_until_cooperative(is_reopened)
    talking.kill()
    assert drained.ask("ECHO next") == "next"


def test_a_kill_while_the_line_is_drained(drained: Line, proxy: Proxy) -> None:
    be_late(drained, proxy)
    with gevent.Timeout(0.05, False):
        drained.ask("ECHO never")
    assert drained.ask("ECHO next") == "next"


def test_a_drained_line_that_is_cut(drained: Line, proxy: Proxy) -> None:
    with pytest.raises(DeviceError):
        drained.ask("QUIET", timeout=0.05)
    proxy.cut()
    assert drained.ask("ECHO next") == "next"


# -- cuts


def test_a_line_that_was_cut_while_idle_is_opened_again(line: Line, proxy: Proxy, device: Device) -> None:
    line.ask("COUNT")
    proxy.cut()
    gevent.sleep(0.05)
    assert line.ask("COUNT") == "2"
    assert device.seen == ["COUNT", "COUNT"]


def test_a_request_that_may_have_been_executed_is_not_sent_again(line: Line, proxy: Proxy, device: Device) -> None:
    line.ask("ECHO 0")
    proxy.cut_after_request = b"COUNT"
    with pytest.raises(NotConnectedError, match="was lost after 'COUNT' was sent: .* It may have been executed"):
        line.ask("COUNT")
    proxy.cut_at_request = b"ECHO 1"
    with pytest.raises(NotConnectedError, match="was lost after 'ECHO 1' was sent"):
        line.ask("ECHO 1")
    with pytest.raises(NotConnectedError, match="Nothing was sent"):
        line.ask("COUNT")
    assert device.seen == ["ECHO 0", "COUNT"]


def test_a_cut_in_the_middle_of_an_answer(line: Line, proxy: Proxy) -> None:
    line.ask("ECHO 0")

    def half(answer: bytes) -> bytes:
        proxy.say(answer[:3])
        proxy.cut()
        return b""

    proxy.spoil_next(half)
    with pytest.raises(NotConnectedError, match="; what came was 'hel'"):
        line.ask("ECHO hello")
    assert line.ask("ECHO next") == "next"


# -- devices that are off


def failure(line: Line, request: str) -> str:
    with pytest.raises(NotConnectedError) as caught:
        line.ask(request)
    return str(caught.value)


def test_nobody_listens(line: Line, proxy: Proxy) -> None:
    proxy.refuse()
    where = re.escape(f"table (tcp://127.0.0.1:{proxy.port})")
    with pytest.raises(NotConnectedError, match=f"{where} cannot be reached: .*refused.*Nothing was sent"):
        line.ask("ECHO 1")
    left_alone = re.compile(rf"{where} does not answer since \d\d:\d\d:\d\d \(.*refused.*tried again in")
    wait_until_cooperative(
        lambda: left_alone.match(failure(line, "ECHO 1"))
    )  # on a machine that was away for longer, it is tried again
    proxy.accept()
    gevent.sleep(REST + 0.05)
    assert line.ask("ECHO 2") == "2"


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(NotConnectedError, match=r"tcp://no-such-host.invalid:5 cannot be reached"):
        Line("tcp://no-such-host.invalid:5", timeout=2).ask("ECHO")


def test_a_silent_device_costs_its_timeout_twice_then_nothing(
    line: Line, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bliss_like.backends.outage.REST", 1000.0)
    line.ask("ECHO 0")
    proxy.hold()
    for _ in range(2):
        with pytest.raises(DeviceError, match="in time"):
            line.ask("ECHO 1", timeout=0.2)
    for _ in range(10):
        with pytest.raises(NotConnectedError, match="no answer to 'ECHO 1'"):
            line.ask("ECHO 1")


def test_a_device_that_answers_again_has_its_two_timeouts_again(line: Line, proxy: Proxy) -> None:
    for i in range(2):
        line.ask(f"ECHO {i}")
        proxy.hold()
        for _ in range(2):
            with pytest.raises(DeviceError, match="in time"):
                line.ask("ECHO 1", timeout=0.2)
        proxy.release()
        gevent.sleep(REST + 0.05)


def test_a_polled_device_that_is_off_costs_no_time(line: Line, proxy: Proxy) -> None:
    line.timeout = 1.0
    proxy.hold()
    polls = [gevent.spawn(line.ask, "ECHO 1") for _ in range(40)]
    began = time.monotonic()
    gevent.joinall(polls, timeout=60)
    assert time.monotonic() - began < 20  # 40 s and more, if each of them waited
    assert all(isinstance(poll.exception, DeviceError) for poll in polls)


# -- several greenlets, threads, closing


def test_each_greenlet_gets_its_own_answer(line: Line) -> None:
    def ask(who: int) -> list[str]:
        return [line.ask(f"ECHO {who}-{i}") for i in range(20)]

    asking = [gevent.spawn(ask, who) for who in range(5)]
    gevent.joinall(asking, timeout=60, raise_error=True)
    assert [greenlet.value for greenlet in asking] == [[f"{who}-{i}" for i in range(20)] for who in range(5)]


def test_each_greenlet_gets_its_own_answer_though_others_are_killed(line: Line, proxy: Proxy) -> None:
    right = []

    def ask(who: int) -> None:
        for i in range(30):
            assert line.ask(f"ECHO {who}-{i}") == f"{who}-{i}"
            right.append(who)

    asking = [gevent.spawn(ask, who) for who in range(3)]
    proxy.delay = 0.001
    for _ in range(20):
        victim = gevent.spawn(line.ask, "ECHO victim")
        gevent.sleep(0.004)
        victim.kill()
    gevent.joinall(asking, timeout=60, raise_error=True)
    assert len(right) == 90


def test_whatever_happens_no_answer_is_that_of_another_request(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.backends.outage.REST", 0.005)
    chance = random.Random(7)
    line = Line(proxy.address, b"\r\n", 0.05)
    answered = failed = 0
    wrong = []

    def ask(who: int) -> None:
        nonlocal answered, failed
        for i in range(1000):
            requests = [f"ECHO {who}-{i}-{j}" for j in range(chance.choice((1, 1, 3)))]
            try:
                answers = line.ask_many(requests)
            except DeviceError:
                failed += 1
                gevent.sleep(0.002)
            else:
                answered += 1
                if answers != [request.removeprefix("ECHO ") for request in requests]:
                    wrong.append((requests, answers))

    faults: list[Callable[[], object]] = [
        proxy.cut,
        proxy.hold,
        proxy.release,
        lambda: proxy.spoil_next(lambda answer: answer[: len(answer) // 2]),
        lambda: asking[chance.randrange(3)].kill(block=False),
    ]
    asking = [gevent.spawn(ask, who) for who in range(3)]
    rounds = 0
    while rounds < 80 or answered <= 20 or failed <= 3:
        rounds += 1
        chance.choice(faults)()
        asking = [gevent.spawn(ask, who) if greenlet.ready() else greenlet for who, greenlet in enumerate(asking)]
        gevent.sleep(chance.random() * 0.05)
    proxy.release()
    gevent.killall(asking)
    assert wrong == []
    line.close()


def test_a_stop_does_not_wait_behind_a_reading_loop(line: Line, device: Device) -> None:
    reading = gevent.spawn(lambda: [line.ask("COUNT") for _ in range(100)])
    wait_until_cooperative(lambda: len(device.seen) > 5)
    before = len(device.seen)
    assert line.ask("ECHO stop") == "stop"
    assert device.seen.index("ECHO stop") - before <= 2
    reading.get(timeout=30)


def test_other_greenlets_run_while_one_waits(line: Line, proxy: Proxy, device: Device) -> None:
    proxy.hold()
    asking = gevent.spawn(line.ask, "ECHO 1")
    wait_until_cooperative(lambda: device.seen)
    for _ in range(5):
        gevent.sleep(0.01)
        assert not asking.ready()
    proxy.release()
    assert asking.get(timeout=30) == "1"


def test_another_thread_is_refused(line: Line) -> None:
    line.ask("ECHO 1")
    errors: list[Exception] = []

    def ask() -> None:
        try:
            line.ask("ECHO 2")
        except DeviceError as error:
            errors.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join(30)
    assert "belongs to another thread" in str(errors[0])
    assert line.ask("ECHO 3") == "3"


def test_a_closed_line_is_opened_by_the_next_request(line: Line, proxy: Proxy) -> None:
    line.ask("ECHO 1")
    line.close()
    assert not line.is_open
    assert line.ask("ECHO 2") == "2"
    assert proxy.accepted == 2


def test_closing_ends_a_request_that_is_under_way(line: Line, device: Device) -> None:
    asking = gevent.spawn(line.ask, "QUIET", timeout=60)
    wait_until_cooperative(lambda: device.seen)
    line.close()
    with pytest.raises(NotConnectedError):
        asking.get(timeout=30)


# -- what must be done in the end


def test_what_is_insisted_on_is_done_when_the_device_is_back(line: Line, proxy: Proxy, device: Device) -> None:
    line.ask("ECHO 0")
    proxy.refuse()
    with pytest.raises(NotConnectedError) as caught:
        line.insist("stopping x", lambda: line.ask("ECHO stop"))
    assert "stopping x is tried again until it answers" in caught.value.__notes__[0]
    proxy.accept()
    wait_until_cooperative(lambda: "ECHO stop" in device.seen)
    assert line.ask("ECHO next") == "next"
    gevent.sleep(2 * REST)
    assert device.seen.count("ECHO stop") == 1


def test_what_is_owed_comes_before_all_else(line: Line, proxy: Proxy, device: Device) -> None:
    line.ask("ECHO 0")
    proxy.cut_at_request = b"ECHO stop"
    with pytest.raises(NotConnectedError):
        line.insist("stopping x", lambda: line.ask("ECHO stop"))
    assert line.ask("ECHO go") == "go"
    assert device.seen == ["ECHO 0", "ECHO stop", "ECHO go"]


def test_a_kill_does_not_end_insisting(line: Line, proxy: Proxy, device: Device) -> None:
    line.ask("ECHO 0")
    proxy.hold()
    stopping = gevent.spawn(line.insist, "stopping x", lambda: line.ask("ECHO stop"))
    wait_until_cooperative(lambda: "ECHO stop" in device.seen)
    stopping.kill()
    proxy.release()
    assert line.ask("ECHO go") == "go"
    assert device.seen == ["ECHO 0", "ECHO stop", "ECHO stop", "ECHO go"]


def test_a_kill_before_its_turn_does_not_end_insisting(line: Line, proxy: Proxy, device: Device) -> None:
    proxy.hold()
    asking = gevent.spawn(line.ask, "ECHO first")
    wait_until_cooperative(lambda: device.seen)
    stopping = gevent.spawn(line.insist, "stopping x", lambda: line.ask("ECHO stop"))
    gevent.sleep(0)
    stopping.kill()
    assert device.seen == ["ECHO first"]
    proxy.release()
    wait_until_cooperative(lambda: "ECHO stop" in device.seen)
    assert asking.get() == "first"
    assert line.ask("ECHO go") == "go"
    assert device.seen == ["ECHO first", "ECHO stop", "ECHO go"]


def test_what_is_owed_and_not_answered_stays_owed_until_the_line_is_closed(
    line: Line, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bliss_like.backends.outage.REST", 1000.0)
    for _ in range(2):
        with pytest.raises(DeviceError, match="did not answer 'STOP'"):
            line.insist("stopping x", lambda: line.ask("STOP", timeout=0.05))
    with pytest.raises(NotConnectedError, match="no answer to 'STOP'"):
        line.ask("ECHO go")
    line.close()
    assert line.ask("ECHO forgotten") == "forgotten"
    assert device.seen == ["STOP", "STOP", "ECHO forgotten"]


def test_what_is_insisted_on_is_tried_again_also_after_a_timeout_of_gevent(line: Line, device: Device) -> None:
    def stop() -> None:
        line.ask("ECHO stop")
        if device.seen.count("ECHO stop") < 3:
            raise gevent.Timeout(1)

    with pytest.raises(gevent.Timeout):
        line.insist("stopping x", stop)
    wait_until_cooperative(lambda: device.seen.count("ECHO stop") == 3)


def test_a_refusal_is_not_insisted_on(line: Line, device: Device) -> None:
    def refused() -> None:
        raise DeviceError(f"{line}: {line.ask('STOPP')}")

    with pytest.raises(DeviceError, match="ERROR"):
        line.insist("stopping x", refused)
    assert line.ask("ECHO 1") == "1"
    assert device.seen == ["STOPP", "ECHO 1"]


# -- patched and unpatched processes


PATCH = "from gevent.monkey import patch_all; patch_all(thread=False, queue=False)\n"


@pytest.mark.parametrize("patch", ["", PATCH], ids=["unpatched", "patched"])
def test_processes(patch: str, device: Device) -> None:
    program = f"""{patch}
import gevent
from bliss_like.backends.line import Line
line = Line("tcp://127.0.0.1:{device.port}", b"\\r\\n", 60)
asking = [gevent.spawn(line.ask, f"ECHO {{i}}") for i in range(10)]
with gevent.Timeout(0.05, False):
    line.ask("SLEEP 0.2")
print([one.get() for one in asking] == [str(i) for i in range(10)], line.ask("ECHO 11"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100, check=False)
    assert done.stdout == "True 11\n", done.stderr
