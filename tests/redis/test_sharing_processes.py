"""Several processes on one beamline: sessions side by side and in each other's way, locks of those who die, live values."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from bliss_like.config.channels import Channel, EventChannel
from bliss_like.config.locks import AlreadyLockedDevices, lock, lslock
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data import paths
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.store import Append
from bliss_like.devices.axis_group import move
from tests.conftest import RestartableServer
from tests.redis.others import SESSION, another, until_free
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("config")

TREE = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, velocity: 100, acceleration: 1000}
    - {name: roby, velocity: 100, acceleration: 1000}
    - {name: slow, velocity: 1, acceleration: 100}
- name: diodes
  class: SimulatedDiodes
  counters: [{name: diode, value: 5}]
- {name: camera, class: SimulatedCamera, width: 8, height: 8}
- {name: eh1, class: Session, config-objects: [robx, roby, slow, diode, camera]}
- {name: eh2, class: Session, config-objects: [robx, roby, slow, diode, camera]}
"""

SCRIPT = """
import sys
from bliss_like.config.locks import lock
lock(*sys.argv[1:])
print("ready", flush=True)
sys.stdin.read()
"""


def test_two_sessions_side_by_side(names: dict[str, Any]) -> None:
    with another(SESSION) as eh2:
        assert {holder.name for holder in lslock()} == {"session:eh1", "session:eh2"}
        eh2.begin("scan = ascan(roby, 0, 5, 20, 0.01, diode)")
        scan = names["ascan"](names["robx"], 0, 5, 20, 0.01, names["diode"])
        assert list(scan.get_data("diode")) == [5] * 21
        assert eh2.answer() == "done"
        assert eh2.do("assert list(scan.get_data('diode')) == [5] * 21") == "done"


def test_in_each_others_way(names: dict[str, Any]) -> None:
    robx, roby, slow = names["robx"], names["roby"], names["slow"]
    with another(SESSION) as eh2:
        eh2.begin("ascan(slow, 0, 100, 100, 0, diode)")
        wait_until(lambda: any(holder.name == "slow" for holder in lslock()))
        for attempt in (
            lambda: move(robx, 1, slow, 1),
            lambda: slow.move(1),
            lambda: names["ascan"](slow, 0, 1, 2, 0, names["diode"]),
            lambda: names["a2scan"](robx, 0, 1, slow, 0, 1, 2, 0, names["diode"]),
        ):
            with pytest.raises(
                AlreadyLockedDevices,
                match=rf"^slow is in use by session eh2 \(pid {eh2.pid}, \w+, .*\) since \d\d:\d\d:\d\d: ascan slow 0 100",
            ):
                attempt()
        assert robx.position == 0
        roby.move(3)
        eh2.process.send_signal(signal.SIGINT)
        eh2.process.wait(60)
    slow.move(0.01)


def test_killed_while_it_moves(names: dict[str, Any]) -> None:
    with another(SESSION) as eh2:
        assert eh2.do("slow.move(100, wait=False)") == "done"
        with pytest.raises(AlreadyLockedDevices, match="since .*: moving slow to 100; "):
            names["slow"].move(1)
        wait_until(lambda: names["slow"].is_moving)
        eh2.kill()
        assert names["slow"].is_moving  # nobody has told the hardware to stop
        names["slow"].stop()
        wait_until(lambda: not names["slow"].is_moving)
        names["slow"].move(0.01)
        wait_until(lambda: {holder.name for holder in lslock()} == {"session:eh1"})
    with another(SESSION) as again:  # at once
        assert again.do("robx.move(1)") == "done"


def test_a_motor_is_the_same_for_all_and_stays_where_it_was_left(names: dict[str, Any]) -> None:
    robx = names["robx"]
    with another(SESSION) as eh2:
        assert eh2.do("robx.velocity = 4; robx.move(3, wait=False)") == "done"
        wait_until(lambda: robx.position > 0, interval=0)
        assert eh2.do("robx.wait_move()") == "done"
        wait_until(lambda: robx.position == 3)
        until_free("robx")
        robx.rmove(1)
    until_free("robx")
    with another(SESSION) as again:
        assert again.do("assert robx.position == 4; robx.rmove(-1)") == "done"
        wait_until(lambda: robx.position == 3)


def test_a_script_and_a_session_respect_each_other(names: dict[str, Any]) -> None:
    with another(SCRIPT, "roby", "shutter") as script:
        with pytest.raises(AlreadyLockedDevices, match=rf"^roby is in use by a script \(pid {script.pid}, "):
            names["roby"].move(1)
        with pytest.raises(AlreadyLockedDevices, match="^shutter is in use by a script"):
            lock("shutter", timeout=0)
        script.kill()
        lock("shutter", timeout=0).release()
        names["roby"].move(1)


def test_a_script_that_ends_leaves_nothing(names: dict[str, Any], redis_server: EmbeddedServer) -> None:
    with another(SCRIPT, "roby", "shutter") as script:
        assert script.process.stdin is not None
        script.process.stdin.close()
        assert script.process.wait(60) == 0
    held = RedisStore(redis_server.url).keys.names("bl1:lock:")
    assert [key.rpartition("}")[2] for key in held] == ["session:eh1"]  # for other hosts, too


TURNS = """
from bliss_like.errors import AlreadyLockedDevices
done = 0
while done < 15:
    try:
        robx.move(done % 2)
        done += 1
    except AlreadyLockedDevices:
        pass
"""


def test_who_both_want_an_axis_take_turns(names: dict[str, Any]) -> None:
    with another(SESSION) as eh2:
        eh2.begin(f"exec({TURNS!r})")
        exec(TURNS, {"robx": names["robx"]})
        assert eh2.answer() == "done"


def test_live_values_and_events_between_sessions(names: dict[str, Any]) -> None:
    news: list[Any] = []
    events = EventChannel("news")
    events.register_callback(news.extend)
    energy = Channel("energy", default_value=1)
    with another(SESSION) as eh2:
        assert (
            eh2.do("energy = Channel('energy', callback=lambda v: EventChannel('news').post(['heard', v]))") == "done"
        )
        energy.value = 5
        # At its prompt, greenlets run while it waits for input; here, when it does something that waits.
        wait_until(lambda: eh2.do("import gevent; gevent.sleep(0.1); assert energy.value == 5") == "done")
        with gevent.Timeout(30):
            while not news:  # the callback is called in a greenlet
                gevent.sleep(0.005)
        assert news == [["heard", 5]]


@pytest.fixture
def here(server_that_can_be_restarted: RestartableServer) -> Iterator[Sharing]:
    here = Sharing(RedisStore(server_that_can_be_restarted.url), session="eh1")
    here.locks.time_to_live = 6.0
    use_sharing(here)
    yield here
    use_sharing(None)


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_locks_and_values_survive_a_restart(
    here: Sharing, server_that_can_be_restarted: RestartableServer, end: str
) -> None:
    server = server_that_can_be_restarted
    heard: list[Any] = []
    energy = Channel("energy", value=1, callback=heard.append)
    held = lock("roby")
    other = Sharing(RedisStore(server.url), session="eh2")
    there = other.line.value("energy")
    getattr(server, end)()
    server.start()
    here.locks.keys.run(("DEL", here.locks.key("roby")))  # as if it had not been on disk yet
    wait_until(lambda: [holder.name for holder in lslock()] == ["roby"] and held.is_held)
    other.line.publish(there, b"2")
    wait_until(lambda: heard and heard[-1] == 2)
    energy.value = 3
    wait_until(lambda: there.stored.raw == b"3")
    held.release()
    other.close()


def test_a_lock_is_not_sure_while_its_server_is_gone_for_longer_than_it_lives(
    here: Sharing, server_that_can_be_restarted: RestartableServer
) -> None:
    held = lock("roby")
    server_that_can_be_restarted.kill()
    assert held.is_held
    wait_until(lambda: not held.is_held)
    server_that_can_be_restarted.start()
    wait_until(lambda: held.is_held)
    held.release()


def test_values_set_while_a_process_was_cut_off(
    here: Sharing, server_that_can_be_restarted: RestartableServer, caplog: pytest.LogCaptureFixture
) -> None:
    server = server_that_can_be_restarted
    heard = threading.Event()
    energy = Channel("energy", value=1)
    energy.register_callback(lambda value: heard.set() if value == 2 else None)
    server.kill()
    wait_until(lambda: any("values are read again" in message for message in caplog.messages))
    server.start()
    other = Sharing(RedisStore(server.url))
    other.line.publish(other.line.value("energy"), b"2")
    assert heard.wait(30) and energy.value == 2
    other.close()


def test_events_are_not_told_again_by_a_server_that_has_lost_the_last_ones(
    here: Sharing, server_that_can_be_restarted: RestartableServer
) -> None:
    server, stream = server_that_can_be_restarted, paths.live("")
    heard: list[Any] = []
    news = EventChannel("news")
    news.register_callback(heard.extend)
    for number in range(3):
        news.post(number)
    wait_until(lambda: heard == [0, 1, 2])
    store = RedisStore(server.url)
    kept = [*store.range(stream)][:2]  # as if its disk did not have the third yet
    store.delete([stream])
    store.append([Append(stream, *entry) for entry in kept])
    server.kill()
    server.start()
    news.post(3)
    wait_until(lambda: heard[-1] == 3)
    assert heard == [0, 1, 2, 3]


def test_a_server_that_is_full_stops_nobody(
    names: dict[str, Any], redis_server: EmbeddedServer, caplog: pytest.LogCaptureFixture
) -> None:
    store = RedisStore(redis_server.url)
    store.call("CONFIG", "SET", "maxmemory", "1")
    try:
        names["robx"].move(1)
    finally:
        store.call("CONFIG", "SET", "maxmemory", "0")
    assert names["robx"].position == 1
    assert "robx: not known whether another session drives it: Redis server" in caplog.text
