"""Random scans, listeners that come at random moments, a server that dies at random moments: every guarantee holds."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from bliss_like.errors import StoreUnavailable
from tests.conftest import RestartableServer
from tests.soak.listener import listen
from tests.soak.random_scans import publish

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]

NSCANS = 60


class Listeners:
    """Listeners in threads and processes; `result` collects what each saw."""

    def __init__(self, url: str, nscans: int) -> None:
        self._url, self._nscans = url, nscans
        self._threads = ThreadPoolExecutor(8)
        self._results: list[Future[set[int]]] = []
        self._stopped = threading.Event()

    def add_thread(self) -> None:
        self._results.append(self._threads.submit(listen, self._url, self._nscans, self._stopped.is_set))

    def add_process(self) -> None:
        self._results.append(self._threads.submit(self._run_process))

    def _run_process(self) -> set[int]:
        command = [sys.executable, "-m", "tests.soak.listener", self._url, str(self._nscans)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
        assert process.returncode == 0, err
        return set(json.loads(out))

    def results(self) -> list[set[int]]:
        try:
            return [result.result(60) for result in self._results]
        finally:
            self._stopped.set()
            self._threads.shutdown()


@contextmanager
def restarting(server: RestartableServer, dice: random.Random) -> Iterator[None]:
    """Kill the server again and again and start it a little later, while the context is open."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(dice.uniform(0.05, 0.6)):
            server.kill()
            over.wait(dice.uniform(0.0, 0.4))
            server.start()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def publish_all(url: str, seeds: list[int]) -> None:
    """Publish scans one after the other; one whose opening fails is tried again with the next number."""
    tree = Tree(RedisStore(url))
    for seed in seeds:
        while True:
            try:
                publish(tree, seed, time.sleep)
                break
            except StoreUnavailable:
                time.sleep(0.05)


def run_all(url: str, seed: int) -> None:
    dice = random.Random(seed)
    seeds = [seed * 1000 + n for n in range(NSCANS)]
    listeners = Listeners(url, NSCANS)
    moments = [
        (dice.choice([0.0, dice.random(), 1.0]), dice.choice(["thread", "process"])) for _ in range(dice.randint(1, 5))
    ]
    publishers: list[threading.Thread] = []
    progress = [0]

    def publish_part(part: list[int]) -> None:
        for one in part:
            publish_all(url, [one])
            progress[0] += 1

    def add(upto: float) -> None:
        while moments and moments[0][0] <= upto:
            getattr(listeners, f"add_{moments.pop(0)[1]}")()

    moments.sort()
    add(0.0)
    publishers += [threading.Thread(target=publish_part, args=(seeds[n::3],)) for n in range(3)]
    for publisher in publishers:
        publisher.start()
    while any(publisher.is_alive() for publisher in publishers):
        add(progress[0] / NSCANS * 0.999)
        time.sleep(0.005)
    add(1.0)
    for seen in listeners.results():
        assert seen == set(seeds)


@pytest.mark.parametrize("seed", range(1, 9))
def test_every_guarantee_holds_for_listeners_that_come_at_any_moment(redis_server: EmbeddedServer, seed: int) -> None:
    run_all(redis_server.url, seed)


@pytest.mark.parametrize("seed", range(11, 17))
def test_every_guarantee_holds_while_the_server_dies_and_comes_back(
    server_that_can_be_restarted: RestartableServer, seed: int
) -> None:
    with restarting(server_that_can_be_restarted, random.Random(seed)):
        run_all(server_that_can_be_restarted.url, seed)


NUMBERS = """
import sys, json
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.tree import Tree
from tests.soak.random_scans import publish
tree = Tree(RedisStore(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([publish(tree, seed, lambda seconds: None) for seed in range(int(sys.argv[2]), int(sys.argv[2]) + 150)]))
"""


def test_two_processes_publish_in_one_container_at_once(redis_server: EmbeddedServer) -> None:
    listeners = Listeners(redis_server.url, 300)
    listeners.add_thread()
    listeners.add_process()
    processes: list[subprocess.Popen[str]] = [
        subprocess.Popen(
            [sys.executable, "-c", NUMBERS, redis_server.url, str(first)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for first in (5000, 6000)
    ]
    for process in processes:
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
    outputs: list[Any] = [process.communicate for process in processes]
    with ThreadPoolExecutor(2) as threads:
        scans = [json.loads(done[0]) for done in threads.map(lambda talk: talk("go\n", 60), outputs)]
    every = scans[0] + scans[1]
    assert len(set(every)) == 300
    for container in {scan.rpartition(":")[0] for scan in every}:
        numbers = sorted(int(scan.rpartition(":")[2].partition("_")[0]) for scan in every if scan.startswith(container))
        assert numbers == list(range(1, len(numbers) + 1))
    for seen in listeners.results():
        assert seen == set(range(5000, 5150)) | set(range(6000, 6150))
