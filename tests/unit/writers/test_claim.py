"""That a session has one writer, at moments that are hard to meet: what is in the store changes between a look and a word."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from bliss_like.data.key_store import Command, Is, Value
from bliss_like.data.saving import WriterStatus, writer_status
from bliss_like.data.store import MemoryStore
from bliss_like.errors import DataError, SavingError, StoreUnavailable
from bliss_like.writers import claim
from bliss_like.writers.claim import Claim
from tests.saved_files import tell_end, tell_status
from tests.waiting import wait_until

pytestmark = pytest.mark.real_time


class Keys:
    """Those of a store, as a writer meets them; a test decides on what happens between two of its steps."""

    def __init__(self, store: MemoryStore) -> None:
        self._keys = store.keys
        self.after_read: list[Callable[[], object]] = []
        """What happens once, after the next one was read."""
        self.before_run: list[Callable[[], object]] = []
        self.after_set: Callable[[], object] = lambda: None

    def read(self, key: str) -> Value | None:
        value = self._keys.read(key)
        if self.after_read:
            self.after_read.pop()()
        return value

    def run(self, *commands: Command, when: Sequence[Is] = ()) -> list[Any] | None:
        if self.before_run:
            self.before_run.pop()()
        replies = self._keys.run(*commands, when=when)
        if commands[0][0] == "SET":
            self.after_set()
        return replies


class Line(MemoryStore):
    """To the same store, of one writer."""

    def __init__(self, store: MemoryStore) -> None:
        self.keys: Any = Keys(store)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def keys(line: Line) -> Keys:
    keys: Keys = line.keys
    return keys


@pytest.fixture
def line(store: MemoryStore) -> Line:
    return Line(store)


@pytest.fixture
def ours(line: Line, monkeypatch: pytest.MonkeyPatch) -> Iterator[Claim]:
    monkeypatch.setattr(claim, "BEAT", 0.02)
    monkeypatch.setattr(claim, "LIFE", 60.0)
    status = WriterStatus("eh1", socket.gethostname(), os.getpid(), "1", time.time())
    bytes_behind = itertools.count()
    ours = Claim(line, lambda: replace(status, behind=next(bytes_behind)))  # no two of its words are the same
    yield ours
    ours.give_back()


def living() -> WriterStatus:
    return WriterStatus("eh1", "elsewhere", 7, "1", time.time())


def dead() -> WriterStatus:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return WriterStatus("eh1", socket.gethostname(), process.pid, "1", time.time())


def is_ours(status: WriterStatus | None) -> bool:
    return status is not None and status.pid == os.getpid()


def test_the_word_of_a_dead_writer_that_runs_out_meanwhile_keeps_nobody_out(
    ours: Claim, keys: Keys, store: MemoryStore
) -> None:
    tell_status(store, dead())
    keys.before_run.append(lambda: tell_end(store, dead()))
    ours.take()
    assert is_ours(writer_status(store, "eh1"))


def test_who_has_taken_the_place_of_a_dead_writer_meanwhile_keeps_it(
    ours: Claim, keys: Keys, store: MemoryStore
) -> None:
    tell_status(store, dead())
    other = living()
    keys.after_read.append(lambda: tell_status(store, other))
    with pytest.raises(SavingError, match=r"the writer of session eh1 \(pid 7 on elsewhere\) is there already"):
        ours.take()
    assert writer_status(store, "eh1") == other


def test_who_has_taken_over_is_not_pushed_out_by_who_was_silent(ours: Claim, keys: Keys, store: MemoryStore) -> None:
    ours.take()
    other = living()
    keys.after_read.append(lambda: tell_status(store, other))
    tell_end(store, other)
    wait_until(lambda: ours.lost)
    ours.give_back()
    assert writer_status(store, "eh1") == other


def test_a_word_that_runs_out_again_is_said_again(ours: Claim, keys: Keys, store: MemoryStore) -> None:
    ours.take()
    keys.after_read.append(lambda: tell_status(store, dead()))
    tell_end(store, living())
    wait_until(lambda: not keys.after_read and is_ours(writer_status(store, "eh1")))
    assert not ours.lost


def test_who_saves_only_what_was_left_gives_way_to_a_writer(ours: Claim, store: MemoryStore) -> None:
    recovering = replace(living(), gives_way=True)
    tell_status(store, recovering)
    ours.take()
    assert is_ours(writer_status(store, "eh1"))
    with pytest.raises(SavingError, match="is there already"):
        Claim(store, lambda: recovering).take()


def test_nothing_is_said_after_the_end(ours: Claim, keys: Keys, store: MemoryStore) -> None:
    speaking, may_speak = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def hold() -> None:
        threads.append(threading.current_thread())
        speaking.set()
        may_speak.wait(60)

    ours.take()
    keys.before_run.append(hold)
    assert speaking.wait(30)
    end = threading.Thread(target=ours.give_back)
    end.start()
    end.join(0.2)  # as far as it gets before the other one has spoken
    may_speak.set()
    for thread in (*threads, end):
        thread.join(30)
        assert not thread.is_alive()
    assert writer_status(store, "eh1") is None


def test_a_word_whose_answer_is_lost_is_taken_back_at_the_end(ours: Claim, keys: Keys, store: MemoryStore) -> None:
    said = threading.Event()

    def lose() -> None:
        said.set()
        raise StoreUnavailable("lost")

    ours.take()
    keys.after_set = lose
    assert said.wait(30)
    ours.give_back()
    assert writer_status(store, "eh1") is None


def test_a_server_that_takes_nothing_for_a_time_is_told_again(ours: Claim, keys: Keys, store: MemoryStore) -> None:
    refused = threading.Event()

    def refuse() -> None:
        refused.set()
        raise DataError("it is full")

    ours.take()
    keys.before_run.append(refuse)
    assert refused.wait(30)
    tell_end(store, living())
    wait_until(lambda: is_ours(writer_status(store, "eh1")))
