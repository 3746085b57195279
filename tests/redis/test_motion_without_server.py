"""Axes in motion while the server is gone, frozen or full: they move on, are braked and stopped as always, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config.settings import HashSetting
from bliss_like.data.redis_store import RedisStore
from tests.conftest import RestartableServer
from tests.redis.others import SESSION, Other, another
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]

TREE = """
- name: motors
  package: tests.redis.test_motion_without_server
  class: OwnMotors
  axes:
    - {name: robx, velocity: 20, acceleration: 1000, low_limit: -50, high_limit: 50}
    - {name: roby, velocity: 20, acceleration: 1000, backlash: 0.5}
- {name: eh2, class: Session, config-objects: [robx, roby]}
"""

pytestmark = pytest.mark.timeout(120)


def _own_motors() -> type:
    from bliss_like.controllers.simulated.motors import SimulatedMotors
    from bliss_like.controllers.simulated.track import Tracks

    class OwnMotors(SimulatedMotors):
        """Their hardware needs no server."""

        def __init__(self, name: str, config: SimulatedMotors.Config) -> None:
            super().__init__(name, config)
            self._tracks = self._exchange.tracks = Tracks(self._tracks._tracks, None)

    return OwnMotors


OwnMotors = _own_motors()


@pytest.fixture
def session(
    short_directory: Path, server_that_can_be_restarted: RestartableServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Other]:
    (short_directory / "config").mkdir()
    (short_directory / "config" / "all.yml").write_text(TREE)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    with another("import time\n" + SESSION) as other:
        assert other.do("import gevent, time; robx.move(1); roby.move(1)") == "done"
        yield other


def timed(session: Other, line: str) -> tuple[str, float]:
    began = time.monotonic()
    return session.do(line), time.monotonic() - began


@pytest.mark.soak  # what was read is good for 10 s
@pytest.mark.parametrize("how", ["kill", "freeze"])
def test_a_jog_is_braked_before_its_limit(
    session: Other, server_that_can_be_restarted: RestartableServer, how: str
) -> None:
    """Also when what is known of the limits would have to be asked for again just then."""
    assert session.do("robx.jog(2)") == "done"
    assert session.do("robx.limits = -50, robx.position + 28") == "done"
    getattr(server_that_can_be_restarted, how)()
    began = time.monotonic()
    said = session.do("robx.wait_move()")
    assert said.startswith("AxisOnLimitError: robx was braked at"), said
    assert 12 < time.monotonic() - began < 16
    if how == "kill":
        server_that_can_be_restarted.start()
    else:
        server_that_can_be_restarted.thaw()


def test_a_move_over_an_outage_is_known_after_it(
    session: Other, server_that_can_be_restarted: RestartableServer
) -> None:
    session.begin(
        "robx.move(20, wait=False); print('moving', flush=True); robx.wait_move(); roby.move(3); roby.move(-2)"
    )
    assert session.answer() == "moving"
    server_that_can_be_restarted.kill()
    assert session.answer() == "done"
    said, duration = timed(session, "robx.rmove(1); roby.rmove(1)")
    assert said == "done" and duration < 20
    server_that_can_be_restarted.start()
    wait_until(lambda: HashSetting("robx").get("target") == 21 and HashSetting("roby").get("target") == -1, timeout=30)
    assert HashSetting("roby")["position"] == -1


def test_a_stop_while_the_server_is_frozen(session: Other, server_that_can_be_restarted: RestartableServer) -> None:
    assert session.do("robx.velocity = 1; robx.move(50, wait=False)") == "done"
    server_that_can_be_restarted.freeze()
    said, duration = timed(session, "robx.stop(); assert 0 < robx.position < 40")
    server_that_can_be_restarted.thaw()
    assert (said, duration < 20) == ("done", True)


def test_a_server_that_is_full(session: Other, server_that_can_be_restarted: RestartableServer) -> None:
    store = RedisStore(server_that_can_be_restarted.url)
    store.call("CONFIG", "SET", "maxmemory", "1")
    said, duration = timed(session, "robx.move(2); robx.rmove(1); assert robx.position == 3, robx.position")
    assert said == "done" and duration < 20
    assert "is full (its maxmemory)" in session.do("robx.offset = 5")
    assert session.do("assert (robx.offset, robx.position) == (0, 3), (robx.offset, robx.position)") == "done"
    store.call("CONFIG", "SET", "maxmemory", "0")
    wait_until(lambda: HashSetting("robx").get("target") == 3, timeout=30)


def test_the_last_position_is_written_at_the_end_of_the_process(
    session: Other, server_that_can_be_restarted: RestartableServer
) -> None:
    for n in range(2):
        session.begin(f"robx.move({n + 5}); raise SystemExit")
        assert session.process.wait(60) == 0
        assert HashSetting("robx")["position"] == n + 5
        assert HashSetting("robx")["target"] == n + 5
        if n == 0:
            session.process = _again()


def _again() -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SESSION], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    other = Other(process)
    assert other.answer() == "ready"
    assert other.do("robx.sync_hard()") == "done"
    return process


@pytest.mark.parametrize("when", [0.0, 0.01, 0.05, 0.3])
def test_an_interpreter_that_ends_in_motion_ends_as_it_should(
    session: Other, server_that_can_be_restarted: RestartableServer, when: float
) -> None:
    session.begin(f"robx.move(40, wait=False); roby.move(-40, wait=False); gevent.sleep({when}); raise SystemExit")
    assert session.process.wait(60) == 0


def test_an_interpreter_that_ends_while_the_server_is_frozen(
    session: Other, server_that_can_be_restarted: RestartableServer
) -> None:
    session.begin("robx.move(40, wait=False); print('moving', flush=True); gevent.sleep(1); raise SystemExit")
    assert session.answer() == "moving"
    server_that_can_be_restarted.freeze()
    # Known defect: now and then the interpreter crashes when all is done, perhaps by a thread that waits for the server in a
    # loop of gevent's. What must hold is that the process ends.
    assert session.process.wait(60) in (0, -signal.SIGSEGV)
