"""Locks, settings, channels and events of several processes that are killed and frozen, on a server that goes and comes back."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config import locks
from bliss_like.config.channels import Channel
from bliss_like.config.lock_holder import Holder
from bliss_like.config.settings import HashSetting, SimpleSetting
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.redis_store import RedisStore
from bliss_like.errors import StoreUnavailable
from tests.conftest import RestartableServer
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]
SECONDS = 10

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]


class Crew:
    """Several processes of `tests.soak.shared_state`."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.directory = url, directory
        self.processes: dict[int, subprocess.Popen[str]] = {}
        self._next = 0

    def add(self) -> None:
        self._next += 1
        command = [sys.executable, "-m", "tests.soak.shared_state", self.url, str(self.directory), str(self._next)]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        self.processes[self._next] = process

    def kill(self, number: int) -> None:
        process = self.processes.pop(number)
        process.kill()
        process.communicate()

    def end(self) -> str:
        """End all of them; return what they have said."""
        for process in self.processes.values():
            process.terminate()
        said = [process.communicate(timeout=30)[1] for process in self.processes.values()]
        codes = [process.returncode for process in self.processes.values()]
        self.processes.clear()
        assert not any(codes), said
        return "".join(said)

    def notes(self) -> list[tuple[int, str, str]]:
        """Return who noted what about what."""
        notes = []
        for file in self.directory.glob("notes.*"):
            for line in file.read_text().splitlines():
                what, _, about = line.partition(" ")
                notes.append((int(file.suffix[1:]), what, about))
        return notes


@pytest.fixture
def crew(server_that_can_be_restarted: RestartableServer, tmp_path: Path) -> Iterator[Crew]:
    crew = Crew(server_that_can_be_restarted.url, tmp_path)
    here = Sharing(RedisStore(crew.url), session="here")
    use_sharing(here)
    yield crew
    for process in crew.processes.values():
        process.kill()
        process.wait()
    use_sharing(None)


def disturb(dice: random.Random, crew: Crew, server: RestartableServer) -> None:
    what = dice.choice(["kill", "freeze", "freeze", "server frozen", "server killed", "nothing"])
    number = dice.choice(list(crew.processes))
    match what:
        case "kill":
            crew.kill(number)
            crew.add()
        case "freeze":
            os.kill(crew.processes[number].pid, signal.SIGSTOP)
            time.sleep(dice.uniform(0, 0.5))
            os.kill(crew.processes[number].pid, signal.SIGCONT)
        case "server frozen":
            server.freeze()
            time.sleep(dice.uniform(0, 0.5))
            server.thaw()
        case "server killed":
            server.kill()
            time.sleep(dice.uniform(0, 0.5))
            server.start()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_is_lost_and_nobody_meets(
    crew: Crew, server_that_can_be_restarted: RestartableServer, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(3):
        crew.add()
    value = Channel("value")
    end = time.monotonic() + SECONDS
    number = 0
    next_disturbance = time.monotonic() + 0.5
    while time.monotonic() < end:
        number += 1
        with contextlib.suppress(StoreUnavailable):
            value.value = number
        time.sleep(0.002)
        if time.monotonic() > next_disturbance:
            disturb(dice, crew, server_that_can_be_restarted)
            next_disturbance = time.monotonic() + dice.uniform(0.1, 1)
    crew.end()
    check(crew)


def check(crew: Crew) -> None:
    notes = crew.notes()
    assert [note for note in notes if note[1] == "wrong"] == []
    counts = Counter((what, about) for _, what, about in notes)
    keys = RedisStore(crew.url).keys
    found = {
        "count": SimpleSetting("count", keys, default_value=0).get(),
        "table": sum(HashSetting("table", keys).get_all().values()),
    }
    for name, value in found.items():
        assert counts["done", name] <= value <= counts["begin", name] and value > 100, (name, value, counts)
    done = {(sender, about) for sender, what, about in notes if what == "done"}
    for _, what, about in notes:
        if what == "gap":
            sender, *missed = map(int, about.split())
            assert not {(sender, f"event.{each}") for each in missed} & done, f"events missed: {about}"
    wait_until(lambda: not held(crew))
    for key in keys.names("bl1:"):
        is_kept = key.startswith("bl1:setting:")
        assert is_kept or (keys.run(("PTTL", key)) or [0])[0] > 0, f"{key} stays for ever"


def held(crew: Crew) -> list[Holder]:
    sharing = Sharing(RedisStore(crew.url))
    return sharing.locks.holders()


FROZEN = """
import sys
from bliss_like.config.locks import lock
from bliss_like.config.sharing import Sharing, use_sharing
from bliss_like.data.redis_store import connect
here = Sharing(connect(), session="frozen")
here.locks.time_to_live = 4.0
use_sharing(here)
held = lock("taken", "let go")
print("ready", flush=True)
sys.stdin.readline()
print(held.is_held)
use_sharing(None)
"""


def test_who_was_frozen_past_his_time_learns_it(crew: Crew) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", FROZEN],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGSTOP)
        with locks.lock("let go", timeout=20):
            pass
        with locks.lock("taken", timeout=5):
            process.send_signal(signal.SIGCONT)
            said = process.stderr.readline() + process.stderr.readline()
            assert "lock of let go was gone and is taken again: for up to" in said
            assert "lock of taken, taken at" in said and "is lost: it is held by session here" in said
            assert process.communicate("\n", timeout=20)[0] == "False\n"
            assert [holder.session for holder in locks.lslock() if holder.name == "taken"] == ["here"]
