"""Locks of a beamline: all or none, counted, listed, renewed, taken away; on every store."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from bliss_like.config import sharing as sharing_module
from bliss_like.config.lock_holder import Holder
from bliss_like.config.lock_space import LockSpace
from bliss_like.config.locks import (
    AlreadyLockedDevices,
    Lock,
    force_unlock,
    is_locked,
    lock,
    lslock,
    synchronized,
    unlock,
)
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.key_store import Command, Is, KeyStore
from bliss_like.data.store import StreamStore
from bliss_like.errors import StoreUnavailable
from tests.waiting import wait_until


class Device:
    def __init__(self, name: str) -> None:
        self.name = name

    @synchronized(timeout=0)
    def is_mine(self) -> bool:
        return is_locked(self)


@pytest.fixture(autouse=True)
def here(store: StreamStore) -> Iterator[Sharing]:
    """This process, as session eh1 of beamline id00."""
    here = Sharing(store, beamline="id00", session="eh1")
    here.locks.time_to_live = 3.0
    use_sharing(here)
    yield here
    use_sharing(None)


@pytest.fixture
def there(store: StreamStore) -> Iterator[LockSpace]:
    """Another session."""
    there = LockSpace(store.keys, "id00", "eh2")
    yield there
    there.close()


def raw(here: Sharing, name: str) -> bytes | None:
    replies = here.store.keys.run(("GET", here.locks.key(name)))
    assert replies is not None
    return replies[0]


def test_held_in_its_context(there: LockSpace) -> None:
    roby = Device("roby")
    with lock(roby, "shutter") as held:
        assert held.is_held and is_locked("roby") and is_locked(Device("shutter"))
        with pytest.raises(AlreadyLockedDevices) as raised:
            there.acquire(["shutter"], timeout=0)
    assert str(raised.value).startswith("shutter is in use by session eh1 (pid ")
    assert str(raised.value).endswith("force_unlock('shutter')")
    assert not held.is_held and not is_locked(roby, "shutter")
    there.release(there.acquire(["roby", "shutter"], timeout=0))


def test_all_or_none(there: LockSpace) -> None:
    others = there.acquire(["b"])
    with pytest.raises(AlreadyLockedDevices, match="^b is in use by session eh2"):
        lock("a", "b", "c", timeout=0)
    assert not is_locked("a", "c")
    there.release(others)
    lock("a", "b", "c", timeout=0).release()


def test_the_same_process_may_take_it_again() -> None:
    with lock("a"), Lock("a", "b"):
        with lock("b"):
            pass
        assert is_locked("b")
    assert not is_locked("a", "b")


def test_one_object_used_twice() -> None:
    again = Lock("a")
    with again:
        with again:
            pass
        assert again.is_held and is_locked("a")
    assert not again.is_held and not is_locked("a")


def test_another_owner_in_the_same_process_is_refused() -> None:
    with lock("a", owner="one"):
        lock("a", owner="one", timeout=0).release()
        with pytest.raises(AlreadyLockedDevices, match=r"owner one\) since"):
            lock("a", owner="two", timeout=0)
        with pytest.raises(AlreadyLockedDevices):
            lock("a", timeout=0)
    lock("a", owner="two", timeout=0).release()


def test_until_unlock() -> None:
    lock("a")
    lock("a")
    unlock("a")
    assert is_locked("a")
    unlock("a", "never taken")
    assert not is_locked("a")


def test_unlock_what_somebody_else_has(there: LockSpace) -> None:
    there.acquire(["crane"], purpose="lock")
    lock("a")
    with pytest.raises(AlreadyLockedDevices, match=r"^crane is in use by session eh2 .*force_unlock\('crane'\)$"):
        unlock("a", "crane")
    assert not is_locked("a") and is_locked("crane")
    lock("a", owner="one")
    with pytest.raises(AlreadyLockedDevices, match="owner one"):
        unlock("a")
    unlock("a", owner="one")
    assert not is_locked("a")


def test_a_method_that_holds_its_object(there: LockSpace) -> None:
    assert Device("roby").is_mine()
    assert not is_locked("roby")
    there.acquire(["roby"])
    with pytest.raises(AlreadyLockedDevices):
        Device("roby").is_mine()


@pytest.mark.parametrize("devices", [(), (3,), ("",), (Device(""),)])
def test_what_has_no_name(devices: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="lock: expected devices or their names, got "):
        lock(*devices)


def test_waiting_for_it(there: LockSpace) -> None:
    others = there.acquire(["a"])
    began = threading.Event()

    def give_back() -> None:
        began.wait(30)
        there.release(others)

    giver = threading.Thread(target=give_back)
    giver.start()
    began.set()
    with lock("a", timeout=30):
        giver.join(30)
        assert not there.held("a", "")


def test_a_beamline_of_its_own(store: StreamStore) -> None:
    with lock("a"):
        elsewhere = LockSpace(store.keys, "id01", "eh1")
        elsewhere.release(elsewhere.acquire(["a"], timeout=0))
        nameless = LockSpace(store.keys)
        nameless.release(nameless.acquire(["a", "b"], timeout=0))


def test_the_list(there: LockSpace) -> None:
    assert str(lslock()) == "nothing is locked"
    there.acquire(["roby"], purpose="ascan roby 0 1 10 0.1")
    with lock("mca"):
        head, *rows = str(lslock()).splitlines()
        assert head.split() == ["name", "session", "pid", "host", "user", "since", "for"]
        assert [row.split()[:2] for row in rows] == [["mca", "eh1"], ["roby", "eh2"]]
        assert rows[1].endswith("ascan roby 0 1 10 0.1")
        assert [holder.name for holder in lslock()] == ["mca", "roby"]


def test_taken_away_by_force(here: Sharing, there: LockSpace, caplog: pytest.LogCaptureFixture) -> None:
    held = lock("a")
    assert [holder.session for holder in there.force(["a", "free"])] == ["eh1"]
    there.acquire(["a"], timeout=0)  # the former holder has not noticed: for somebody else it is free
    wait_until(lambda: any("lock of a, taken at" in message and "eh2" in message for message in caplog.messages))
    assert not held.is_held
    held.release()
    assert [holder.session for holder in lslock()] == ["eh2"]


def test_not_taken_again_after_force(here: Sharing, there: LockSpace) -> None:
    held = lock("a")
    there.force(["a"])
    there.release(there.acquire(["a"], timeout=0))
    wait_until(lambda: not held.is_held)
    assert not is_locked("a")
    with lock("a"):  # by somebody who asks for it
        assert is_locked("a")


def test_noticed_when_it_is_given_back(there: LockSpace, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), lock("a"):
        there.force(["a"])
    assert any("it was unlocked by session eh2" in message for message in caplog.messages)


def test_ones_own_by_force() -> None:
    held = lock("a")
    force_unlock("a")
    wait_until(lambda: not held.is_held)


def test_renewed_while_it_is_held(here: Sharing) -> None:
    holdings = here.locks.acquire(["a"])
    left: list[int] = []

    def was_renewed() -> bool:
        left.append((here.store.keys.run(("PTTL", here.locks.key("a"))) or [0])[0])
        return len(left) > 1 and left[-1] > left[-2]

    wait_until(was_renewed)
    here.locks.release(holdings)


def test_taken_again_when_the_server_has_lost_it(here: Sharing) -> None:
    holdings = here.locks.acquire(["a"])
    here.store.keys.run(("DEL", here.locks.key("a")))
    wait_until(lambda: is_locked("a"))
    assert not holdings[0].lost
    here.locks.release(holdings)
    assert raw(here, "a") is None


class Flaky:
    """Keys whose answer is lost on its way, once."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys, self._is_lost = keys, False
        self.read, self.slot, self.names = keys.read, keys.slot, keys.names

    def run(self, *commands: Command, when: Sequence[Is] = ()) -> list[Any] | None:
        replies = self._keys.run(*commands, when=when)
        if not self._is_lost:
            self._is_lost = True
            raise StoreUnavailable("no answer")
        return replies


def test_an_answer_that_was_lost(store: StreamStore, there: LockSpace, caplog: pytest.LogCaptureFixture) -> None:
    space = LockSpace(Flaky(store.keys), "id00", "eh1")
    with pytest.raises(StoreUnavailable):
        space.acquire(["a"])
    space.acquire(["a"], timeout=0)  # what may have been given is no obstacle
    with pytest.raises(AlreadyLockedDevices):
        there.acquire(["a"], timeout=0.1)
    space.close()
    there.release(there.acquire(["a"], timeout=0))
    assert "is lost" not in caplog.text


def test_an_answer_that_was_lost_of_what_somebody_else_has(
    store: StreamStore, there: LockSpace, caplog: pytest.LogCaptureFixture
) -> None:
    there.acquire(["a"])
    space = LockSpace(Flaky(store.keys), "id00", "eh1")
    with pytest.raises(StoreUnavailable):
        space.acquire(["a"], timeout=0)
    space.release(space.acquire(["b"]))  # when that is given back, so is the other
    assert "is lost" not in caplog.text and [holder.name for holder in there.holders()] == ["a"]


def test_who_was_frozen_for_too_long_is_told(here: Sharing, caplog: pytest.LogCaptureFixture) -> None:
    here.locks.acquire(["a"], ttl=0.2)  # less than the time between two looks, so it is over at the first
    wait_until(lambda: "others could have it" in caplog.text)
    assert is_locked("a")


def test_unlocked_before_its_context_began() -> None:
    taken = lock("a")
    unlock("a")
    with taken:
        assert is_locked("a")
    assert not is_locked("a")


def test_a_process_of_another_host_is_believed_until_its_time_is_over(here: Sharing) -> None:
    gone = Holder(
        "a", "eh2", since=time.time(), token="x", process={"pid": 1 << 30, "host": "elsewhere", "user": "ada"}
    )

    def is_believed() -> bool:
        """False where its time was over before it was looked at."""
        here.store.keys.run(("SET", here.locks.key("a"), gone.to_json(), "PX", 300))
        try:
            lock("a", timeout=0).release()
        except AlreadyLockedDevices as refused:
            return "session eh2 (pid 1073741824, ada, elsewhere)" in str(refused)
        return False

    wait_until(is_believed)
    lock("a", timeout=30).release()


def test_what_another_program_has_put_there(here: Sharing) -> None:
    for value in ("yes", '{"process": 3}', '{"since": "noon"}'):
        here.store.keys.run(("SET", here.locks.key("a"), value))
        with pytest.raises(AlreadyLockedDevices, match="by something that is not bliss_like: b'"):
            lock("a", timeout=0)
        assert [holder.name for holder in lslock()] == ["a"]


def test_many_who_want_several_at_once(store: StreamStore) -> None:
    inside: dict[str, int] = dict.fromkeys("abcd", 0)
    collisions: list[str] = []
    done: list[int] = []

    def work(number: int) -> None:
        space = LockSpace(store.keys, "id00", f"s{number}")
        for turn in range(6):
            names = ["abcd"[(number + turn) % 4], "abcd"[(number + 2 * turn + 1) % 4]]
            holdings = space.acquire(names, timeout=60)
            for name in set(names):
                inside[name] += 1
            collisions.extend(name for name in set(names) if inside[name] != 1)
            for name in set(names):
                inside[name] -= 1
            space.release(holdings)
        done.append(number)

    workers = [threading.Thread(target=work, args=(number,)) for number in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(done) == list(range(5)) and collisions == []


def test_one_space_used_by_many_threads(here: Sharing, there: LockSpace) -> None:
    refused: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(30):
                here.locks.release(here.locks.acquire(["a", "b"], timeout=0), wait=False)
        except AlreadyLockedDevices as error:
            refused.append(error)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert refused == []
    there.release(there.acquire(["a", "b"], timeout=30))
    assert sharing_module.sharing() is here
