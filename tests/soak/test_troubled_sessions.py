"""Ten axes of three sessions, with hooks, backlash, power and pseudo axes; all that can fail does, and the server goes and comes."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config.lock_space import LockSpace
from bliss_like.data.redis_store import RedisStore
from tests.conftest import RestartableServer
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]
SECONDS = 20
KEYS = (
    "velocity: 20, acceleration: 1000, hard_low_limit: -6, hard_high_limit: 6, low_limit: -5, high_limit: 5, timeout: 2"
)
TREE = f"""
- {{name: veto, package: tests.soak.troubled_session, class: Veto}}
- name: motors
  package: tests.soak.troubled_session
  class: TroubledMotors
  axes:
    - {{name: robx, {KEYS}}}
    - {{name: roby, {KEYS}, backlash: 0.2}}
    - {{name: robz, {KEYS}, sign: -1, steps_per_unit: -100, backlash: -0.1}}
    - {{name: held, {KEYS}, motion_hooks: [$veto], steps_per_unit: 10}}
    - {{name: power, {KEYS}, autopower: true}}
- name: others
  package: tests.soak.troubled_session
  class: TroubledMotors
  latency: 0.002
  axes:
    - {{name: up, {KEYS}, motion_hooks: [$veto]}}
    - {{name: down, {KEYS}, backlash: 0.1}}
    - {{name: far, {KEYS}, tolerance: null}}
- name: gaps
  class: Slits
  axes:
    - {{name: $up, tags: real up}}
    - {{name: $down, tags: real down}}
    - {{name: gap, tags: vgap}}
    - {{name: offset, tags: voffset}}
"""
AXES = "robx roby robz held power up down far gap offset"
SESSIONS = ("eh1", "eh2", "eh3")

pytestmark = [pytest.mark.soak, pytest.mark.timeout(120)]


@pytest.fixture
def environment(
    server_that_can_be_restarted: RestartableServer, short_directory: Path, tmp_path: Path
) -> Iterator[dict[str, str]]:
    sessions = [f"- {{name: {name}, class: Session, config-objects: [{AXES.replace(' ', ', ')}]}}" for name in SESSIONS]
    (tmp_path / "all.yml").write_text("\n".join([TREE, *sessions]))
    yield {
        **os.environ,
        "PYTHONFAULTHANDLER": "1",
        "PYTHONPATH": str(PROJECT),
        "BLISS_LIKE_CONFIG": str(tmp_path),
        "BLISS_LIKE_HOME": str(short_directory),
        "AXES": AXES,
    }


def begin(environment: dict[str, str], session: str) -> subprocess.Popen[str]:
    with open(Path(environment["BLISS_LIKE_CONFIG"]) / f"{session}.err", "a") as errors:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.soak.troubled_session", session],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )


def hear(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


def answer(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_nothing_is_left_moving_claimed_or_waiting(
    environment: dict[str, str], server_that_can_be_restarted: RestartableServer
) -> None:
    dice, server = random.Random(int(os.environ.get("SEED", "7"))), server_that_can_be_restarted
    sessions = {name: begin(environment, name) for name in SESSIONS}

    def said() -> str:
        return "\n".join(
            f"{name}: ...{(Path(environment['BLISS_LIKE_CONFIG']) / f'{name}.err').read_text()[-3000:]}"
            for name in SESSIONS
        )

    try:
        assert [hear(each) for each in sessions.values()] == ["ready"] * 3, said()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(dice.uniform(1, 3))
            match dice.choice(["session killed", "server killed", "server killed", "server frozen"]):
                case "session killed":
                    name = dice.choice(SESSIONS)
                    sessions[name].kill()
                    sessions[name].communicate()
                    sessions[name] = begin(environment, name)
                    assert hear(sessions[name]) == "ready", said()
                case "server killed":
                    server.kill()
                    time.sleep(dice.uniform(0, 0.5))
                    server.start()
                case "server frozen":
                    server.freeze()
                    time.sleep(dice.uniform(0, 1))
                    server.thaw()
        for session in sessions.values():
            session.terminate()
        assert [hear(each) for each in sessions.values()] == ["calm"] * 3, said()
        for session in sessions.values():  # one after the other: each moves all axes home
            answer(session)
            assert hear(session) == "fine", said()
        locks = LockSpace(RedisStore(server.url).keys)
        wait_until(lambda: not [each for each in locks.holders() if each.name in AXES.split()], timeout=20)
        for session in sessions.values():
            answer(session)
        assert [session.wait(20) for session in sessions.values()] == [0, 0, 0], said()
        print(said())
    finally:
        for session in sessions.values():
            session.kill()
            session.communicate()
