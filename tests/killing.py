"""A session, its writer and its server, each a process to be killed; and all points of a scan, in the store and in its file."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bliss_like.data.events import SavedScan
from bliss_like.data.node import ScanNode, get_node, get_session_node
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.saving import WriterStatus, saved, unsaved_scans, writer_status
from bliss_like.data.walker import Points, Walker
from bliss_like.errors import StoreUnavailable
from tests.conftest import RestartableServer
from tests.redis.others import Other, another
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[1]
SESSION = "eh1"
TREE = """
- class: Session
  name: eh1
  scan_saving: {base_path: BASE, min_free_mb: 0, warn_free_mb: 0}
"""
PROGRAM = """
from gevent import monkey
monkey.patch_all(thread=False, queue=False)
import os
import sys
import gevent
import numpy as np
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionChannel, AcquisitionMaster
from bliss_like.scanning.scan import Scan
from bliss_like.session import load_session

class Counting(AcquisitionMaster):
    def __init__(self, npoints, pause, held_at):
        super().__init__(name="counting", npoints=npoints)
        self.pause, self.held_at = pause, held_at
        self.channels.append(AcquisitionChannel("counting:number", int, ()))
        self.channels.append(AcquisitionChannel("counting:half", float, ()))
        self.channels.append(AcquisitionChannel("counting:spectrum", np.float32, (16,)))

    def start(self):
        numbers, halves, spectra = self.channels
        for n in range(self.npoints):
            while n == self.held_at and not os.path.exists(os.environ["BLISS_LIKE_HOME"] + "/go_on"):
                gevent.sleep(0.005)
            numbers.emit(n)
            halves.emit(n / 2)
            spectra.emit((n + np.arange(16)).astype(np.float32))
            if n % 10 == 9:
                gevent.sleep(self.pause)

def counting(npoints, pause=0.01, held_at=-1):
    chain = AcquisitionChain()
    chain.add(Counting(npoints, pause, held_at))
    return Scan(chain, "counting")

def count(npoints, pause=0.01, held_at=-1):
    counting(npoints, pause, held_at).run()

session = load_session("eh1")
assert session.setup(), session.error_report
print("ready", flush=True)
for line in sys.stdin:
    try:
        exec(line, globals())
        print("done", flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""
"""Session eh1, whose scans count: `count(npoints, pause, held_at)`, ten points after each pause (s); see `Beamline.go_on`."""


def expected(name: str, npoints: int) -> np.ndarray[Any, Any]:
    """Return the points that a channel of such a scan begins with."""
    numbers = np.arange(npoints)
    match name:
        case "counting:number":
            return numbers
        case "counting:half":
            return numbers / 2
    return (numbers[:, np.newaxis] + np.arange(16)).astype(np.float32)


@dataclass
class Beamline:
    """Where the processes find each other."""

    server: RestartableServer
    base: Path

    @property
    def store(self) -> RedisStore:
        return RedisStore(self.server.url)

    @contextlib.contextmanager
    def session(self) -> Iterator[Other]:
        with another(PROGRAM) as other:
            yield other

    def go_on(self) -> None:
        """Let a scan go on from the point that it is held at."""
        Path(os.environ["BLISS_LIKE_HOME"], "go_on").touch()

    def recover(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bliss_like.shell.main", "recover", *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, timeout=60, check=False)

    def recover_all(self) -> str:
        """Recover until nothing is left: a writer that lives goes on by itself."""
        told: list[str] = []

        def is_done() -> bool:
            done = self.recover(SESSION)
            told.append(done.stdout + done.stderr)
            return done.returncode == 0

        try:
            wait_until(is_done, timeout=40, interval=0.2)
        except TimeoutError as error:
            raise AssertionError("\n".join(told[-2:]) + self.writer_log()) from error
        return "".join(told)

    def writer_log(self) -> str:
        log = Path(os.environ["BLISS_LIKE_HOME"]) / f"writer-{SESSION}.log"
        return log.read_text()[-3000:] if log.exists() else ""

    # -- what is there -------------------------------------------------------------------------------------------------

    def scans(self) -> list[str]:
        return [node.db_name for node in get_session_node(SESSION, self.store).walk("scan", wait=False)]

    def writer(self) -> WriterStatus:
        """Return what the writer of the session says, as soon as there is one."""
        wait_until(lambda: writer_status(self.store, SESSION))
        status = writer_status(self.store, SESSION)
        assert status is not None
        return status

    def kill_writer(self, number: int = signal.SIGKILL) -> int:
        """Send a signal to the writer that lives; return its pid."""
        pid = self.writer().pid
        os.kill(pid, number)
        return pid

    def length(self, number: int) -> int:
        """Return how many points a scan has in the store, in its shortest channel; the first scan is number one."""
        try:
            path = "".join(self.scans()[number - 1 : number])
            node = get_node(path, self.store) if path else None
            channels = node.channels() if isinstance(node, ScanNode) else []
            return min(map(len, channels), default=0)
        except StoreUnavailable:
            return 0

    def published(self, scan: str) -> dict[str, np.ndarray[Any, Any]]:
        """Return all points of a scan that has ended, as its events tell them, by name of the channel."""
        blocks: dict[str, list[Any]] = {}
        for event in Walker(self.store, scan).events(wait=False):
            if isinstance(event, Points):
                assert event.expired == 0, f"{event.path}: {event.expired} points are lost"
                blocks.setdefault(event.path[len(scan) + 1 :], []).append(event.values)
        return {name: np.concatenate(arrays) for name, arrays in blocks.items()}

    def check(self, scan: str, at_least: int = 0, at_most: int = 1 << 30) -> SavedScan:
        """Assert that a scan has so many points, that they are right, and that its file has all of them."""
        event = saved(self.store, [scan])[0]
        assert event is not None and event.state == "SAVED", event
        published, in_file = self.published(scan), points_in(event)
        for name in ("counting:number", "counting:half", "counting:spectrum"):
            points = published.get(name, np.array([]))
            assert at_least <= len(points) <= at_most, f"{scan}: {name} has {len(points)} points"
            if len(points):
                np.testing.assert_array_equal(points, expected(name, len(points)))
                np.testing.assert_array_equal(in_file[name], points)
        assert unsaved_scans(self.store, SESSION) == []
        return event


def points_in(event: SavedScan) -> dict[str, np.ndarray[Any, Any]]:
    """Return the points of all channels that are in the entries of a scan, read as any program would."""
    found: dict[str, np.ndarray[Any, Any]] = {}

    def take(_: str, thing: Any) -> None:
        if isinstance(thing, h5py.Dataset) and "fullname" in thing.attrs:
            found[str(thing.attrs["fullname"])] = thing[()]

    with h5py.File(event.file) as file:
        for entry in event.entries:
            file[entry].visititems(take)
    return found


@pytest.fixture
def beamline(
    server_that_can_be_restarted: RestartableServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Beamline]:
    base = short_directory / "data"
    (short_directory / "config").mkdir()
    (short_directory / "config" / "all.yml").write_text(TREE.replace("BASE", str(base)))
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    monkeypatch.setenv("BLISS_LIKE_WRITER", "nexus")
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    yield Beamline(server_that_can_be_restarted, base)


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(f"{request.node.name} {os.environ.get('SEED', '7')}")
