"""Channels and events between processes that share a beamline, on every store; here the processes are two `Sharing`s."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

from bliss_like.config import live_line
from bliss_like.config.channels import Cache, Channel, EventChannel, clear_cache
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data import paths
from bliss_like.data.store import Append, StreamStore
from bliss_like.errors import DataError
from tests.waiting import wait_until

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def here(store: StreamStore) -> Iterator[Sharing]:
    here = Sharing(store, beamline="id00", session="eh1")
    use_sharing(here)
    yield here
    use_sharing(None)


@pytest.fixture
def there(store: StreamStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Makes a channel as another process would: `there(Channel, "energy")`."""
    other = Sharing(store, beamline="id00", session="eh2")

    def make(kind: Any, *args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr("bliss_like.config.channels.sharing", lambda: other)
        try:
            return kind(*args, **kwargs)
        finally:
            monkeypatch.undo()

    yield make
    other.close()


def test_a_value_is_known_here_at_once_and_there_soon(there: Make) -> None:
    mine, other = Channel("energy", default_value=1), there(Channel, "energy")
    assert (mine.value, other.value, mine.is_set) == (1, None, False)
    mine.value = 12.4
    assert mine.value == 12.4
    wait_until(lambda: other.value == 12.4)
    other.value = 13
    wait_until(lambda: mine.value == 13)


def test_one_object_of_each_name(there: Make) -> None:
    first = Channel("energy", default_value=5)
    assert Channel("energy") is first is Channel("energy", value=3)
    assert (first.value, first.default_value) == (3, 5)
    assert there(Channel, "energy") is not first
    assert Channel("other") is not first


def test_who_comes_late_reads_the_value(there: Make) -> None:
    Channel("energy").value = 7  # and let go at once
    gc.collect()
    assert there(Channel, "energy", default_value=0).value == 7


@pytest.mark.parametrize("value", [None, "0001", [1, {"a": float("inf")}], b"\0", 2**70], ids=repr)
def test_values_come_back_as_they_were(there: Make, value: Any) -> None:
    other = there(Channel, "any", default_value="nothing")
    mine = Channel("any", value)
    wait_until(lambda: other.is_set)
    assert other.value == mine.value == value and type(other.value) is type(value)


def test_arrays_small_and_large(there: Make) -> None:
    other, mine = there(Channel, "any"), Channel("any")
    for array in (np.arange(3, dtype=np.uint16), np.arange(30_000, dtype=np.uint16)):
        mine.value = array
        wait_until(partial(has_length, other, len(array)))
        assert np.array_equal(other.value, array) and other.value.dtype == np.uint16


def has_length(channel: Any, length: int) -> bool:
    return bool(channel.is_set and len(channel.value) == length)


def test_what_cannot_be_shared() -> None:
    with pytest.raises(TypeError, match="channel any: cannot store a object"):
        Channel("any").value = object()
    with pytest.raises(ValueError, match="Channel: expected a name, got 3"):
        Channel(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="expected a callback, got 3"):
        Channel("any").register_callback(3)  # type: ignore[arg-type]


def test_callbacks_here_and_there(there: Make) -> None:
    heard: dict[str, list[Any]] = {"here": [], "there": []}
    mine = Channel("energy", callback=lambda value: heard["here"].append(value))
    other = there(Channel, "energy", callback=lambda value: heard["there"].append(value))
    mine.value = 1
    wait_until(lambda: heard == {"here": [1], "there": [1]})
    other.value = 2
    wait_until(lambda: heard == {"here": [1, 2], "there": [1, 2]})


def test_a_callback_taken_away(there: Make) -> None:
    heard: list[Any] = []
    told = heard.append

    def callback(value: Any) -> None:
        told(value)

    mine = Channel("energy", callback=callback)
    mine.register_callback(callback)  # twice is once
    mine.value = 1
    wait_until(lambda: heard)
    mine.unregister_callback(callback)
    mine.unregister_callback(callback)
    last: list[Any] = []
    mine.register_callback(lambda value: last.append(value))
    mine.value = 2
    wait_until(lambda: last)
    assert heard == [1]


def test_a_device_is_not_kept_alive_by_its_callback() -> None:
    class Device:
        def __init__(self, channel: Channel) -> None:
            self.heard: list[Any] = []
            channel.register_callback(self.hear)

        def hear(self, value: Any) -> None:
            self.heard.append(value)

    mine = Channel("energy")
    device = Device(mine)
    heard, life = device.heard, weakref.ref(device)
    mine.value = 1
    wait_until(lambda: heard == [1])
    del device
    wait_until(lambda: life() is None)
    mine.value = 2  # nobody is called, nothing fails


def test_nobody_is_called_when_nobody_has_the_channel() -> None:
    heard: list[Any] = []
    mine = Channel("energy", callback=heard.append)
    news = EventChannel("news")
    news.register_callback(heard.extend)
    lives = [weakref.ref(mine), weakref.ref(news)]
    del mine, news

    def are_gone() -> bool:
        gc.collect()  # the first connection of the client may leave a cycle that has them
        return [life() for life in lives] == [None, None]

    wait_until(are_gone)  # the thread that calls back may have them still
    Channel("energy").value = 1
    assert Channel("energy").value == 1 and heard == []


def test_a_callback_may_set_the_channel_and_others(there: Make) -> None:
    other = there(Channel, "answer")

    def double(value: int) -> None:
        if value < 100:
            mine.value = 2 * value
        else:
            answer.value = value

    answer = Channel("answer")
    mine = Channel("question", callback=double)
    mine.value = 7
    wait_until(lambda: other.value == 112)


def test_slow_and_failing_callbacks_hurt_nobody(caplog: pytest.LogCaptureFixture) -> None:
    go_on = threading.Event()
    heard: list[int] = []
    slow_heard: list[int] = []

    def slow(value: int) -> None:
        slow_heard.append(value)
        go_on.wait(60)

    def fail(value: int) -> None:
        raise RuntimeError(f"value {value}")

    mine = Channel("energy", callback=slow)
    mine.register_callback(fail)
    mine.register_callback(lambda value: heard.append(value))
    for value in range(5):
        mine.value = value
        wait_until(lambda: value in heard)  # noqa: B023
    assert slow_heard == [0]
    go_on.set()
    wait_until(lambda: slow_heard == [0, 4])  # what was between is out of date
    wait_until(lambda: any("callback of a channel, failed" in message for message in caplog.messages))


def test_what_comes_while_a_callback_gives_up_is_told_all_the_same() -> None:
    """As when its greenlet is killed, or by gevent's Timeout, which is no Exception."""
    is_called, go_on = threading.Event(), threading.Event()
    heard: list[int] = []

    class GivesUp(BaseException):
        pass

    def impatient(value: int) -> None:
        heard.append(value)
        is_called.set()
        go_on.wait(30)
        if value == 1:
            raise GivesUp

    mine = Channel("energy", callback=impatient)
    silence, threading.excepthook = threading.excepthook, lambda _: None
    try:
        mine.value = 1
        assert is_called.wait(30)
        mine.value = 2
        go_on.set()
        wait_until(lambda: heard == [1, 2])
    finally:
        threading.excepthook = silence


def test_a_callback_taken_away_is_not_told_what_waits(store: StreamStore) -> None:
    begun: list[Callable[[], object]] = []
    line = live_line.LiveLine(store, "id00", begun.append)
    heard: list[Any] = []
    events = line.events("news")
    for event in (b"1", b"2"):
        events.add(heard.append, bytes.decode)  # again: it is told once, and loses nothing
        events.tell(event)
    events.remove(heard.append)
    for deliver in begun:
        deliver()
    assert heard == [] and len(begun) == 1
    line.close()


def test_all_agree_on_what_came_last(store: StreamStore) -> None:
    shares = [Sharing(store, beamline="id00") for _ in range(4)]
    values = [share.line.value("energy") for share in shares]

    def work(number: int) -> None:
        for turn in range(25):
            shares[number].line.publish(values[number], b"%d" % (100 * number + turn))

    workers = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    wait_until(lambda: len({value.stored for value in values}) == 1)
    stored = (store.keys.run(("HGET", values[0].key, "value")) or [None])[0]
    assert stored == values[0].stored.raw
    for share in shares:
        share.close()


def test_nobody_is_told_an_older_value_after_a_newer_one(store: StreamStore) -> None:
    """Two threads take values at the same time; what is told last is what came last."""
    is_first, second = threading.Lock(), threading.Thread(target=lambda: line.publish(shared, b"2"))

    def begin(call: Callable[[], object]) -> None:
        if is_first.acquire(blocking=False):
            second.start()
            second.join(0.3)
        call()

    line = Sharing(store, beamline="id00", begin=begin).line
    shared = line.value("energy")
    told: list[bytes] = []
    shared.add(lambda value: None, bytes, only_latest=True)
    shared.add(told.append, bytes, only_latest=True)
    line.publish(shared, b"1")
    second.join(30)
    wait_until(lambda: told and told[-1] == b"2")
    assert told == sorted(told)
    line.close()


def test_two_who_ask_for_a_channel_at_once_find_the_value(
    store: StreamStore, here: Sharing, there: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = there(Channel, "energy", value=7)
    last_ids, found = store.last_ids, []

    def meanwhile(keys: Any) -> Any:
        monkeypatch.undo()
        found.append(Channel("energy", default_value=0).value)
        return last_ids(keys)

    monkeypatch.setattr(store, "last_ids", meanwhile)
    assert Channel("energy", default_value=0).value == 7 == other.value
    assert found == [7]


def test_what_another_program_has_put_there_silences_nobody(
    here: Sharing, there: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_line, "_TICK", 0.02)
    monkeypatch.setattr(live_line, "TIME_TO_LIVE", 0.1)
    mine, energy = Channel("energy"), Channel("mine", value=1)
    here.store.keys.run(("SET", paths.channel("id00", "energy"), "yes"))
    here.store.append([Append(paths.live("id00"), None, {b"channel": b"energy", b"version": b"9" * 15})])
    other = there(Channel, "mine")
    for value in (2, 3):
        other.value = value
        wait_until(lambda value=value: energy.value == value)
    assert not mine.is_set


def test_the_default_when_nobody_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_line, "TIME_TO_LIVE", 0.2)
    mine = Channel("energy", value=1, default_value=0)
    mine.close()
    with pytest.raises(DataError, match=r"channel 'energy' is closed; make it anew: Channel\('energy'\)"):
        mine.value = 2

    def is_default() -> bool:
        again = Channel("energy", default_value=0)
        found = again.value
        again.close()
        return bool(found == 0)

    wait_until(is_default, interval=0.05)


def test_kept_alive_and_restored(here: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_line, "_TICK", 0.05)
    monkeypatch.setattr(live_line, "TIME_TO_LIVE", 0.6)
    mine = Channel("energy", value=1)
    key = paths.channel("id00", "energy")
    renewals: list[int] = []

    def was_renewed() -> bool:
        renewals.append((here.store.keys.run(("PTTL", key)) or [0])[0])
        return len(renewals) > 1 and renewals[-1] > renewals[-2]

    wait_until(was_renewed)
    here.store.keys.run(("DEL", key))
    wait_until(lambda: here.store.keys.run(("HGET", key, "value")) == [b"1"])
    assert mine.value == 1


def test_a_beamline_of_its_own(store: StreamStore) -> None:
    Channel("energy", value=1)
    elsewhere = Sharing(store, beamline="id01")
    assert elsewhere.line.value("energy").stored.version == 0


def test_events_come_all_and_in_order(there: Make) -> None:
    heard: dict[str, list[Any]] = {"here": [], "there": []}
    mine, other = EventChannel("news"), there(EventChannel, "news")
    mine.register_callback(lambda events: heard["here"].extend(events))
    other.register_callback(lambda events: heard["there"].extend(events))
    for number in range(100):
        (mine if number % 2 else other).post({"number": number})
    wait_until(lambda: len(heard["here"]) == len(heard["there"]) == 100)
    assert [event["number"] for event in heard["here"]] == list(range(100))
    assert heard["here"] == heard["there"]


def test_events_wait_for_a_slow_callback() -> None:
    batches: list[list[int]] = []
    go_on = threading.Event()

    def slow(events: list[int]) -> None:
        batches.append(events)
        go_on.wait(60)

    news = EventChannel("news")
    news.register_callback(slow)
    for number in range(50):
        news.post(number)
        wait_until(lambda: batches)
    go_on.set()
    wait_until(lambda: sum(map(len, batches)) == 50)
    assert [number for batch in batches for number in batch] == list(range(50))
    news.unregister_callback(slow)


def test_old_entries_leave_the_line(here: Sharing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_line, "_TICK", 0.02)
    stream = paths.live("id00")
    news = EventChannel("news")
    news.post("old")
    first = here.store.first_ids([stream])[0]
    assert first is not None
    monkeypatch.setattr(live_line, "KEPT", 0.1)

    def is_gone() -> bool:
        news.post("new")
        oldest = here.store.first_ids([stream])[0]
        return oldest is not None and oldest > first

    wait_until(is_gone, interval=0.02)


def test_caches(there: Make) -> None:
    class Device:
        name = "mca"

    mine, other = Cache(Device(), "gain", default_value=2), there(Cache, "mca", "gain", default_value=2)
    unrelated = Cache("diode", "gain", default_value=0)
    unrelated.value = 9
    assert mine.value == 2
    mine.value = 3
    wait_until(lambda: other.value == 3)
    clear_cache(Device())
    assert mine.value == 2 and unrelated.value == 9
    wait_until(lambda: other.value == 2)
    clear_cache()
    assert unrelated.value == 0
    assert repr(mine) == "<Cache mca:gain: 2>"
    Channel("mca:gain").close()  # as one is whose session has been closed
    unrelated.value = 9
    clear_cache()
    assert unrelated.value == 0


def test_how_long_it_takes(there: Make) -> None:
    arrived = threading.Event()
    mine = Channel("energy")
    other = there(Channel, "energy", callback=lambda value: arrived.set())
    times = []
    for number in range(30):
        arrived.clear()
        began = time.perf_counter()
        mine.value = number
        assert arrived.wait(30)
        times.append(time.perf_counter() - began)
    assert other.is_set
    assert min(times) < 0.05
