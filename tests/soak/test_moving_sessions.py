"""Sessions that want the same axes, interrupted, killed and frozen, on a server that goes and comes back: one drives at a time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from bliss_like.config.lock_space import LockSpace
from bliss_like.data.redis_store import RedisStore
from tests.conftest import RestartableServer
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]
SECONDS = 8
TREE = """
- name: motors
  package: tests.soak.moving_session
  class: NotedMotors
  axes:
    - {name: robx, velocity: 100, acceleration: 10000}
    - {name: roby, velocity: 100, acceleration: 10000}
- {name: diodes, class: SimulatedDiodes, counters: [{name: diode}]}
- {name: eh1, class: Session, config-objects: [robx, roby, diode]}
- {name: eh2, class: Session, config-objects: [robx, roby, diode]}
- {name: eh3, class: Session, config-objects: [robx, roby, diode]}
"""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]


class Driven(NamedTuple):
    """When an axis was driven, and by which process."""

    start: float
    end: float
    pid: int


@pytest.fixture
def environment(
    server_that_can_be_restarted: RestartableServer, short_directory: Path, tmp_path: Path
) -> Iterator[dict[str, str]]:
    (tmp_path / "all.yml").write_text(TREE)
    variables = {
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": str(PROJECT),
        "BLISS_LIKE_CONFIG": str(tmp_path),
        "NOTES": str(tmp_path / "notes"),
    }
    yield {**os.environ, **variables, "BLISS_LIKE_HOME": str(short_directory)}


def begin(environment: dict[str, str], session: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.soak.moving_session", session]
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == "ready\n", process.stderr.read()
    return process


@pytest.mark.parametrize("seed", [1, 2])
def test_one_drives_at_a_time(
    environment: dict[str, str], server_that_can_be_restarted: RestartableServer, seed: int
) -> None:
    dice, server = random.Random(seed), server_that_can_be_restarted
    sessions = {name: begin(environment, name) for name in ("eh1", "eh2", "eh3")}
    killed: dict[int, float] = {}
    try:
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.1, 0.8))
            name = dice.choice(list(sessions))
            match dice.choice(["kill", "freeze", "freeze", "server killed", "server frozen"]):
                case "kill":
                    killed[sessions[name].pid] = time.monotonic()
                    sessions[name].kill()
                    sessions[name].communicate()
                    sessions[name] = begin(environment, name)
                case "freeze":
                    sessions[name].send_signal(signal.SIGSTOP)
                    time.sleep(dice.uniform(0, 1))
                    sessions[name].send_signal(signal.SIGCONT)
                case "server killed":
                    server.kill()
                    server.start()
                case "server frozen":
                    server.freeze()
                    time.sleep(dice.uniform(0, 1))
                    server.thaw()
        for session in sessions.values():
            session.terminate()
        said = [session.communicate(timeout=30)[1] for session in sessions.values()]
        assert [session.returncode for session in sessions.values()] == [0, 0, 0], "\n".join(said)
    finally:
        for session in sessions.values():
            session.kill()
    check(Path(environment["NOTES"]), killed)
    locks = LockSpace(RedisStore(server.url).keys)
    wait_until(lambda: not locks.holders())


def check(notes: Path, killed: dict[int, float]) -> None:
    driven: dict[str, list[Driven]] = defaultdict(list)
    began: dict[tuple[int, str], float] = {}
    nrefused = 0
    for line in notes.read_text().splitlines():
        pid, what, axis, moment = line.split()
        nrefused += what == "refused"
        if what == "starts":
            began[int(pid), axis] = float(moment)
        elif what == "rests":
            driven[axis].append(Driven(began.pop((int(pid), axis)), float(moment), int(pid)))
    for (pid, axis), start in began.items():
        driven[axis].append(Driven(start, killed[pid], pid))
    for axis, times in driven.items():
        times.sort()
        meetings = [(one, two) for one, two in zip(times, times[1:], strict=False) if two.start < one.end]
        assert meetings == [], f"{axis} was driven by two: {meetings}"
        assert len(times) > 30 and len({each.pid for each in times}) >= 3
    assert nrefused > 10
