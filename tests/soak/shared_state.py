"""One of several processes that lock, count, tell and hear at random; notes in a file what it has done and what was wrong.

Each line is flushed before the next thing is begun, so that what a killed process has done is known: `wrong` with a
sentence, `begin`/`done`/`unknown` of a change.
"""

from __future__ import annotations

import fcntl
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bliss_like.config import locks
from bliss_like.config.channels import Channel, EventChannel
from bliss_like.config.settings import HashSetting, SimpleSetting, use_store
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.process import is_gone, this_process
from bliss_like.data.redis_store import RedisStore
from bliss_like.errors import AlreadyLockedDevices, StoreUnavailable

NAMES = ("a", "b", "c")
TIME_TO_LIVE = 4.0


class Worker:
    def __init__(self, url: str, directory: Path, number: int) -> None:
        self.number, self.directory = number, directory
        self.dice = random.Random(number)
        self.notes = os.open(directory / f"notes.{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        sharing = Sharing(RedisStore(url), session=f"s{number}")
        sharing.locks.time_to_live = TIME_TO_LIVE
        use_sharing(sharing)
        use_store(sharing.store.keys)
        self.count, self.table = SimpleSetting("count", default_value=0), HashSetting("table")
        self.last_count = 0
        self.last_value = -1
        self.heard: dict[int, int] = {}
        self.skipped: set[int] = set()
        self.posted = 0
        self.value = Channel("value", callback=self.hear_value)
        self.events = EventChannel("events")
        self.events.register_callback(self.hear_events)

    def note(self, what: str, about: str) -> None:
        os.write(self.notes, f"{what} {about}\n".encode())

    def attempt(self, what: str, call: Callable[[], object]) -> bool:
        """Make a change and note what became of it."""
        self.note("begin", what)
        try:
            call()
        except StoreUnavailable:
            self.note("unknown", what)
            return False
        self.note("done", what)
        return True

    # -- what is heard -------------------------------------------------------------------------------------------------

    def hear_value(self, value: int) -> None:
        if value < self.last_value:
            self.note("wrong", f"channel told {value} after {self.last_value}")
        self.last_value = value

    def hear_events(self, events: list[list[int]]) -> None:
        for sender, number in events:
            last = self.heard.get(sender)
            if last is not None and number <= last:
                self.note("wrong", f"event {number} of {sender} came after {last}")
            if last is not None and number > last + 1:
                self.note("gap", " ".join([str(sender), *map(str, range(last + 1, number))]))
            self.heard[sender] = number

    # -- what is done --------------------------------------------------------------------------------------------------

    def lock_some(self) -> None:
        names = self.dice.sample(NAMES, self.dice.choice([1, 1, 2]))
        try:
            held = locks.lock(*names, timeout=self.dice.choice([0, 0.05, 1]))
        except (AlreadyLockedDevices, StoreUnavailable):
            return
        files = [(directory := self.directory / f"inside.{name}") and directory.open("a+") for name in sorted(names)]
        try:
            for file in files:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.seek(0)
                    other = {**this_process(), "pid": int(file.read() or 0)}
                    if not is_gone(other):
                        self.note("wrong", f"two inside {file.name}: {this_process()} and {other} at {time.time():.2f}")
                    fcntl.flock(
                        file, fcntl.LOCK_EX
                    )  # a killed process does nothing more, but its files close a bit later
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
            time.sleep(self.dice.choice([0, 0.001, 0.01]))
        finally:
            for file in files:
                file.close()
            held.release()

    def count_one(self) -> None:
        self.attempt("count", lambda: self.count.update(lambda value: value + 1))

    def count_in_table(self) -> None:
        key = self.dice.choice(NAMES)
        self.attempt("table", lambda: self.table.update_item(key, lambda value: value + 1, 0))

    def read(self) -> None:
        try:
            value = self.count.get()
        except StoreUnavailable:
            return
        if value < self.last_count:
            self.note("wrong", f"count read as {value} after {self.last_count}")
        self.last_count = value

    def post(self) -> None:
        self.posted += 1
        number = self.posted
        self.attempt(f"event.{number}", lambda: self.events.post([self.number, number]))

    def look(self) -> None:
        value: Any = self.value.value
        if value is not None and value < self.last_value - 1:
            self.note("wrong", f"channel is {value} after {self.last_value} was told")

    def run(self) -> None:
        is_over = False

        def end(*_: object) -> None:
            nonlocal is_over
            is_over = True

        signal.signal(signal.SIGTERM, end)
        print("ready", flush=True)
        steps = [self.lock_some] * 3 + [self.count_one, self.count_in_table, self.post] + [self.read, self.look] * 5
        while not is_over:
            self.dice.choice(steps)()
        use_sharing(None)


if __name__ == "__main__":
    Worker(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])).run()
