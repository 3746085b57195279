"""What is remembered of an axis: no value is lost, whoever writes at the same time, and nonsense is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest

from bliss_like.config.settings import HashSetting
from bliss_like.config.settings.base import use_store
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.key_store import Command
from bliss_like.data.memory_keys import MemoryKeys
from bliss_like.data.store import MemoryStore
from bliss_like.devices import motion_line
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_settings import AxisSettings
from bliss_like.devices.events import AxisEvent, connect
from bliss_like.errors import DataError, StoreUnavailable
from tests.unit.devices.making import Notes, make_axis
from tests.waiting import wait_until

pytestmark = pytest.mark.real_time  # a thread writes behind


class Gated(MemoryKeys):
    """Lets the thread that writes behind wait before what it writes arrives, or answers nobody."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.waits = threading.Event(), threading.Event()
        self.gate.set()
        self.is_away = False
        self.nasked = 0

    def run(self, *commands: Command, when: Any = ()) -> list[Any] | None:
        if threading.current_thread().name == "bliss_like axes":
            self.waits.set()
            self.gate.wait(30)
        self._ask()
        return super().run(*commands, when=when)

    def read(self, key: str) -> Any:
        self._ask()
        return super().read(key)

    def _ask(self) -> None:
        self.nasked += 1
        if self.is_away:
            raise StoreUnavailable("away")


@pytest.fixture
def keys() -> Iterator[Gated]:
    store = MemoryStore()
    store.keys = keys = Gated()
    before = use_store(keys)
    use_sharing(Sharing(store, sleep=gevent.sleep))
    yield keys
    keys.gate.set()
    keys.is_away = False
    motion_line.leave()
    use_sharing(None)
    use_store(before)


def shared(axis: Axis) -> Axis:
    axis.settings = AxisSettings(axis.name, "")
    return axis


def test_what_is_set_while_the_line_writes_is_not_overwritten_by_it(keys: Gated) -> None:
    settings, stored = AxisSettings("robx", ""), HashSetting("robx")
    keys.gate.clear()
    settings.remember(target=5.0, heading=None)
    assert keys.waits.wait(30)
    settings.store(target=0.0, offset=1.0)
    keys.gate.set()
    wait_until(lambda: not settings.pending() and stored.get("target") is not None)
    motion_line.flush()
    assert (stored["target"], settings["target"]) == (0.0, 0.0)
    assert stored["offset"] == 1.0


def after_a_look(keys: Gated, settings: AxisSettings, call: Callable[[], None]) -> None:
    """Make a call when the settings have been read, and are not known yet."""
    settings.look_again()
    HashSetting("robx")["unit"] = "mm"  # something is new
    read = keys.read

    def slowly(key: str) -> Any:
        found = dict(read(key))
        keys.read = read  # type: ignore[method-assign]
        call()
        return found

    keys.read = slowly  # type: ignore[method-assign]


def test_what_was_read_before_a_change_does_not_undo_it(keys: Gated) -> None:
    settings = AxisSettings("robx", "")
    settings.store(offset=1.0)
    after_a_look(keys, settings, lambda: settings.store(offset=2.0))
    assert settings.now()["offset"] == 2.0
    assert settings.now()["offset"] == 2.0


def test_what_was_read_before_others_are_known_to_have_changed_it_is_not_trusted(keys: Gated) -> None:
    """As when the devices of a move are claimed while somebody here has asked already."""
    settings = AxisSettings("robx", "")
    settings.store(target=1.0)

    def change() -> None:
        HashSetting("robx")["target"] = 2.0
        settings.look_again()

    after_a_look(keys, settings, change)
    settings.now()
    assert settings.now()["target"] == 2.0


def test_what_was_read_before_it_was_written_behind_does_not_undo_it(keys: Gated) -> None:
    settings = AxisSettings("robx", "")
    settings.store(target=1.0)
    settings.remember(target=2.0)
    settings.look_again()
    read = keys.read

    def slowly(key: str) -> Any:
        found = dict(read(key))
        keys.read = read  # type: ignore[method-assign]
        motion_line.flush()
        return found

    keys.gate.clear()  # only the flush here writes
    keys.read = slowly  # type: ignore[method-assign]
    assert settings.now()["target"] == 2.0


@pytest.mark.parametrize(
    ("key", "value"),
    [("offset", "abc"), ("sign", 0), ("sign", "-1"), ("low_limit", [1]), ("backlash", {}), ("steps_per_unit", "x")],
)
def test_a_setting_of_another_type(keys: Gated, key: str, value: Any) -> None:
    robx = shared(make_axis("robx", velocity=100.0))
    robx.move(1)
    motion_line.flush()
    HashSetting("robx")[key] = value
    robx.settings.look_again()
    expected = rf"axis robx: its setting '{key}' must be .*, found .*del robx.settings\['{key}'\]"
    for attempt in (lambda: robx.position, lambda: robx.move(2), lambda: robx.limits):
        with pytest.raises(DataError, match=expected):
            attempt()
    del robx.settings[key]
    robx.move(2)
    assert robx.position == 2


def test_what_is_no_json(keys: Gated) -> None:
    robx = shared(make_axis("robx"))
    robx.move(1)
    keys.run(("HSET", HashSetting("robx")._key, "offset", b"abc"))
    robx.settings.look_again()
    with pytest.raises(DataError, match=r"'robx'\['offset'\]: expected a value in JSON, found b'abc'"):
        robx.move(2)
    robx.settings["offset"] = 0.0
    robx.move(2)


def test_what_a_later_version_keeps_there_is_left_alone(keys: Gated) -> None:
    robx = shared(make_axis("robx"))
    robx.move(1)
    HashSetting("robx")["tune"] = {"by": "tomorrow"}
    keys.run(("HSET", HashSetting("robx")._key, "strange", b'{"$quaternion": [1, 0, 0, 0]}'))
    keys.run(("HSET", HashSetting("robx")._key, "low_limit", b"null"))
    robx.settings.look_again()
    robx.move(2)
    assert robx.limits == (float("-inf"), float("inf"))
    assert robx.settings["tune"] == {"by": "tomorrow"}


def test_one_key_of_somebody_else_does_not_silence_the_other_axes(keys: Gated) -> None:
    robx, roby = AxisSettings("robx", ""), AxisSettings("roby", "")
    keys.run(("SET", HashSetting("robx")._key, b"mine"))
    robx.remember(position=1.0)
    roby.remember(position=2.0)
    motion_line.flush()
    assert HashSetting("roby")["position"] == 2.0
    assert not roby.pending()


def test_a_server_that_is_away_is_not_asked_at_every_look(keys: Gated) -> None:
    axes = [shared(make_axis(name, velocity=100.0)) for name in ("robx", "roby")]
    for axis in axes:
        axis.move(1)
    keys.is_away = True
    before = keys.nasked
    for _ in range(20):
        for axis in axes:
            axis.settings.look_again()
            assert axis.position == 1
    assert keys.nasked - before <= 10  # of 40 looks
    for axis in axes:
        axis.move(2)
        with pytest.raises(StoreUnavailable):
            axis.offset = 5
        assert axis.offset == 0


def test_the_register_is_as_it_was_when_the_dial_cannot_be_stored(keys: Gated) -> None:
    robx = shared(make_axis("robx", velocity=100.0))
    robx.move(1)
    robx.position = 10
    keys.is_away = True
    with pytest.raises(StoreUnavailable):
        robx.dial = 5
    assert (robx.dial, robx.position) == (1, 10)
    robx.move(11)


def test_in_motion_nobody_is_asked(keys: Gated) -> None:
    robx = shared(make_axis("robx", velocity=10.0, acceleration=1000.0))
    assert robx.position == 0
    robx.move(3, wait=False)
    before, positions = keys.nasked, Notes()
    connect(robx, AxisEvent.POSITION, positions.take)
    read = keys.read
    asked = Notes()
    keys.read = lambda key: asked.take(key) or read(key)  # type: ignore[method-assign]
    robx.wait_move()
    motion_line.flush()
    assert positions[-1] == 3 and keys.nasked > before  # written it is
    assert [key for key in asked if "robx" in key] == []


def test_what_others_set_in_motion_is_heard(keys: Gated) -> None:
    robx = shared(make_axis("robx", velocity=10.0, acceleration=1000.0))
    robx.move(2, wait=False)
    robx.settings.heard({"offset": 5.0, "low_limit": None})
    assert robx.offset == 5.0
    HashSetting("robx")["offset"] = 5.0
    robx.wait_move()
    assert robx.position == 7


def test_the_last_position_that_was_told_is_that_of_another_session(keys: Gated) -> None:
    robx = shared(make_axis("robx", velocity=100.0))
    robx.move(1)
    positions = Notes()
    connect(robx, AxisEvent.POSITION, positions.take)
    robx.heard({"position": 5.0})
    robx.sync_hard()
    assert positions == [5.0, 1.0]


def test_a_state_that_another_session_has_left_is_replaced(keys: Gated) -> None:
    robx = shared(make_axis("robx", velocity=100.0))
    assert robx.state == "READY"
    motion_line.flush()
    HashSetting("robx")["state"] = ["LIMPOS", "READY"]  # and it was not heard of here
    robx.settings.look_again()
    robx.sync_hard()
    motion_line.flush()
    assert HashSetting("robx")["state"] == ["READY"]


def test_two_greenlets_write_what_has_changed(keys: Gated) -> None:
    """Their locks are real: neither must wait for the other without letting it go on."""
    settings = AxisSettings("robx", "")
    keys.gate.clear()
    settings.remember(position=1.0)
    run = keys.run

    def slowly(*commands: Command, when: Any = ()) -> Any:
        gevent.sleep(0.01)
        return run(*commands, when=when)

    assert keys.waits.wait(30)
    keys.gate.set()
    motion_line.flush()
    settings.remember(position=2.0)
    keys.run = slowly  # type: ignore[method-assign]
    writing = [gevent.spawn(motion_line.flush) for _ in range(3)]
    gevent.joinall(writing, timeout=30, raise_error=True)
    assert all(each.ready() for each in writing)
    assert HashSetting("robx")["position"] == 2.0


def test_a_forked_child_has_a_line_of_its_own(keys: Gated) -> None:
    """The thread of its parent may have been writing: its locks are held for ever."""
    import os

    settings = AxisSettings("robx", "")
    settings.remember(position=1.0)
    line = motion_line._the_line()
    with line._flushing:
        child = os.fork()
        if child == 0:
            try:
                motion_line.flush()
                os._exit(0)
            finally:
                os._exit(1)
        deadline = gevent.Timeout.start_new(30)
        try:
            while os.waitpid(child, os.WNOHANG) == (0, 0):
                gevent.sleep(0.01)
        except gevent.Timeout:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child waits for ever")
        finally:
            deadline.cancel()
