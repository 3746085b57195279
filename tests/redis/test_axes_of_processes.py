"""Axes that several processes have: what is set by one is seen by the others, and where one moves it; stops from anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import gevent
import gevent.event
import pytest

from bliss_like.config import Config, get_config
from bliss_like.config.settings import HashSetting
from bliss_like.data.server import EmbeddedServer
from bliss_like.devices import events, motion_line
from bliss_like.devices.axis import Axis
from bliss_like.devices.events import AxisEvent
from bliss_like.errors import AxisDiscrepancy, AxisFault, AxisStopped, UserAbort
from bliss_like.session import load_session
from tests.redis.others import Other, seen, until_free
from tests.unit.devices.making import Notes
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("config")

TREE = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, unit: mm, velocity: 100, acceleration: 1000, low_limit: -50, high_limit: 50}
    - {name: slow, velocity: 1, acceleration: 100, tolerance: 0.01}  # for simulated motors that two processes stop at once
    - {name: play, velocity: 5, acceleration: 1000, backlash: 1}
- {name: eh1, class: Session, config-objects: [robx, slow, play]}
- {name: eh2, class: Session, config-objects: [robx, slow, play]}
"""


def test_what_is_set_is_seen_by_the_other_session(names: dict[str, Any], eh2: Other) -> None:
    robx: Axis = names["robx"]
    robx.position = 5
    robx.limits = (-10, 20)
    robx.velocity = 50
    robx.backlash = 0.25
    robx.sign = -1
    assert seen(eh2, "(robx.offset, robx.sign, robx.position) == (5, -1, 5)")
    assert seen(eh2, f"robx.limits == {robx.limits}")
    assert seen(eh2, "(robx.velocity, robx.backlash) == (50, 0.25)")
    assert eh2.do("robx.position = 0") == "done"
    wait_until(lambda: gevent.sleep(0.001) or robx.position == 0)


def test_the_settings_survive_the_process(config: Config, redis_server: EmbeddedServer) -> None:
    session = load_session("eh1")
    assert session.setup()
    robx: Axis = session.env_dict["robx"]
    robx.move(3)
    robx.position = 10
    robx.velocity = 50
    robx.limits = (-1, 30)
    session.close()
    config.close()
    again = load_session("eh1", get_config(config.path))
    assert again.setup()
    robx = again.env_dict["robx"]
    assert (robx.position, robx.dial, robx.offset) == (10, 3, 7)
    assert robx._set_position == 10
    assert (robx.velocity, robx.limits) == (50, (-1, 30))
    assert "set by hand: velocity 50 (the configuration says 100)" in robx.__info__()
    robx.apply_config()
    assert (robx.velocity, robx.dial_limits) == (100, (-50, 50))
    assert robx.position == 10
    again.close()


def test_nothing_is_set_while_another_session_moves_it(names: dict[str, Any], eh2: Other) -> None:
    slow: Axis = names["slow"]
    assert eh2.do("slow.move(1000, wait=False)") == "done"
    wait_until(lambda: gevent.sleep(0.01) or slow.is_moving)
    for name, value in {"position": 1, "dial": 1, "offset": 1, "sign": -1, "velocity": 2, "acceleration": 50}.items():
        with pytest.raises(AxisFault, match=r"slow is moving, but not in this session.*slow\.stop\(\)"):
            setattr(slow, name, value)
    slow.limits = -30, 30
    slow.stop()
    slow.position = 1
    assert slow.position == 1


def test_a_motion_of_another_session_is_waited_for(names: dict[str, Any], eh2: Other) -> None:
    slow: Axis = names["slow"]
    assert eh2.do("slow.move(2, wait=False)") == "done"
    wait_until(lambda: gevent.sleep(0.01) or slow.position > 0)
    slow.wait_move()
    assert (slow.position, str(slow.state.names[0])) == (2, "READY")
    assert eh2.do("slow.wait_move(); slow.move(1000, wait=False)") == "done"
    wait_until(lambda: gevent.sleep(0.01) or slow.is_moving)
    waiter = gevent.spawn(slow.wait_move)
    waiter.join(0.1)
    assert not waiter.ready()
    waiter.kill(UserAbort)
    wait_until(lambda: gevent.sleep(0.01) or not slow.is_moving)
    assert slow.position < 1000


def test_events_of_an_axis_that_another_session_moves(names: dict[str, Any], eh2: Other) -> None:
    slow: Axis = names["slow"]
    positions, states, limits = Notes(), Notes(), Notes()
    events.connect(slow, AxisEvent.POSITION, positions.take)
    events.connect(slow, AxisEvent.STATE, states.take)
    events.connect(slow, AxisEvent.LIMITS, limits.take)
    eh2.begin("slow.move(4)")
    wait_until(lambda: gevent.sleep(0.01) or (positions and positions[-1] == 4 and states and states[-1] == "READY"))
    assert eh2.answer() == "done"
    assert positions == sorted(positions)
    assert len(positions) > 3
    assert any("MOVING" in state for state in states)
    assert slow._set_position == 4
    assert eh2.do("slow.limits = -1, 30") == "done"
    wait_until(lambda: gevent.sleep(0.01) or limits[-1:] == [(-1, 30)])


def test_receivers_that_wait_hear_of_things_in_order_and_hold_nobody_up(names: dict[str, Any], eh2: Other) -> None:
    slow, robx = names["slow"], names["robx"]
    asked, positions, others, go_on = Notes(), Notes(), Notes(), gevent.event.Event()

    def take(position: float) -> None:
        asked.append(position)
        if len(asked) == 1:
            go_on.wait()
        positions.append(position)

    events.connect(slow, AxisEvent.POSITION, take)
    events.connect(robx, AxisEvent.POSITION, others.take)
    eh2.begin("slow.move(0.5); robx.move(1)")
    wait_until(lambda: gevent.sleep(0.01) or others[-1:] == [1])
    assert not positions
    assert eh2.answer() == "done"
    go_on.set()
    wait_until(lambda: gevent.sleep(0.01) or 0.5 in positions)
    assert positions == sorted(positions)
    assert len(positions) > 3


def test_a_look_at_an_axis_in_motion_is_not_told_after_its_end(names: dict[str, Any], eh2: Other) -> None:
    """What this session has seen may come to the server later than what the other one tells, which sees more."""
    slow, line = names["slow"], motion_line._the_line()
    eh2.begin("slow.move(1)")
    wait_until(lambda: gevent.sleep(0.01) or slow.is_moving)
    while not line._flushing.acquire(blocking=False):
        gevent.sleep(0.001)
    try:
        assert "MOVING" in slow.state
        assert eh2.answer() == "done"
        wait_until(lambda: gevent.sleep(0.01) or HashSetting("slow")["state"] == ["READY"])
    finally:
        line._flushing.release()
    motion_line.flush()
    assert HashSetting("slow")["state"] == ["READY"]


def test_a_move_here_goes_on_from_where_the_other_has_left_it(names: dict[str, Any], eh2: Other) -> None:
    robx: Axis = names["robx"]
    robx.move(1)
    until_free("robx")
    assert eh2.do("robx.rmove(1)") == "done"
    until_free("robx")
    robx.rmove(1)
    assert seen(eh2, "robx.position == 3")


def test_a_stop_here_ends_the_move_there(names: dict[str, Any], eh2: Other) -> None:
    slow: Axis = names["slow"]
    eh2.begin("slow.move(100)")
    wait_until(lambda: gevent.sleep(0.01) or slow.is_moving)
    slow.stop()
    assert eh2.answer() == "AxisStopped: stopped: slow on its way to 100"
    assert not slow.is_moving
    until_free("slow")
    slow.rmove(0.01)


def test_its_scale_stays_while_the_other_session_moves_it(names: dict[str, Any], eh2: Other) -> None:
    """The user's zero would be somewhere on the way."""
    slow: Axis = names["slow"]
    assert slow.position == 0
    eh2.begin("slow.move(100)")
    wait_until(lambda: gevent.sleep(0.01) or slow.is_moving)
    for attempt in (
        lambda: setattr(slow, "position", 5),
        lambda: setattr(slow, "dial", 5),
        lambda: setattr(slow, "offset", 5),
        lambda: setattr(slow, "sign", -1),
        slow.sync_hard,
    ):
        with pytest.raises(AxisFault, match=r"slow is moving, but not in this session; .* slow.stop\(\)"):
            attempt()
    slow.stop()
    assert eh2.answer().startswith("AxisStopped")
    assert (slow.offset, slow.sign) == (0, 1)
    slow.position = 5


def test_all_stop(names: dict[str, Any], eh2: Other) -> None:
    """Also what has backlash stands still at once; who waits is told, here and there."""
    slow, play = names["slow"], names["play"]
    eh2.begin("slow.move(1000)")
    moving = gevent.spawn(play.move, -1000)
    wait_until(lambda: gevent.sleep(0.01) or (slow.is_moving and play.position < -0.1))
    assert motion_line.request_stop(patience=5) == ["play", "slow"]
    with pytest.raises(AxisStopped):
        moving.get(timeout=30)
    assert eh2.answer() == "AxisStopped: stopped: slow on its way to 1000"
    at = play.position
    gevent.sleep(0.1)
    assert play.position == at
    assert motion_line.request_stop(patience=0.2) == []


def test_a_session_that_is_slow_to_answer_is_waited_for(names: dict[str, Any], eh2: Other) -> None:
    """Else it would be said that nothing moves."""
    eh2.begin("slow.move(100)")
    wait_until(lambda: gevent.sleep(0.01) or HashSetting("slow").get("state") == ["MOVING"])
    os.kill(eh2.pid, signal.SIGSTOP)
    asking = gevent.spawn(motion_line.request_stop, "slow", patience=0.01)
    with pytest.raises(gevent.Timeout):
        asking.get(timeout=0.5)
    os.kill(eh2.pid, signal.SIGCONT)
    assert asking.get(timeout=30) == ["slow"]
    assert eh2.answer() == "AxisStopped: stopped: slow on its way to 100"


def test_an_answer_that_comes_after_the_state(names: dict[str, Any], eh2: Other) -> None:
    """What stands still by now may have been stopped."""
    assert eh2.do("import gevent; from bliss_like.devices import motion_line; line = motion_line._the_line()") == "done"
    assert eh2.do("post = line.post") == "done"
    assert eh2.do("line.post = lambda event: (gevent.sleep(0.3 * ('stopped' in event)), post(event))") == "done"
    eh2.begin("slow.move(100)")
    wait_until(lambda: gevent.sleep(0.01) or HashSetting("slow").get("state") == ["MOVING"])
    assert motion_line.request_stop("slow", patience=0.01) == ["slow"]
    assert eh2.answer() == "AxisStopped: stopped: slow on its way to 100"


def test_a_plain_script_reads_where_axes_are(names: dict[str, Any], redis_server: EmbeddedServer) -> None:
    """Whoever has no devices reads the settings: at most 50 ms old, and the state with it."""
    slow: Axis = names["slow"]
    script = (
        "from bliss_like.config.settings import HashSetting\n"
        "slow = HashSetting('slow')\n"
        "print(slow['position'], *slow['state'], flush=True)\n"
    )
    slow.move(100, wait=False)
    wait_until(lambda: gevent.sleep(0.01) or slow.position > 0.2)
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert said[1:] == ["MOVING"]
    assert 0.1 < float(said[0]) < slow.position
    for _ in range(20):
        was = slow.position
        wait_until(lambda was=was: gevent.sleep(0.001) or float(HashSetting("slow")["position"]) >= was)
        told = float(HashSetting("slow")["position"])
        assert told <= slow.position  # how far behind is told by the benchmark
    slow.stop()
    motion_line.flush()
    assert HashSetting("slow")["position"] == slow.position
    assert HashSetting("slow")["state"] == ["READY"]


def test_what_a_motion_depends_on_is_not_changed_by_another_session(names: dict[str, Any], eh2: Other) -> None:
    slow: Axis = names["slow"]
    slow.move(100, wait=False)
    wait_until(lambda: gevent.sleep(0.01) or slow.position > 0.1)
    motion_line.flush()
    changes = ["position = 0", "dial = 0", "offset = 1", "sign = -1", "velocity = 3", "acceleration = 3", "sync_hard()"]
    for change in changes:
        assert eh2.do(f"slow.{change}") == (
            "AxisFault: slow is moving, but not in this session; wait until it stands still (slow.wait_move()), or stop it: "
            "slow.stop()"
        )
    assert (slow.offset, slow.sign, slow.velocity) == (0, 1, 1)
    slow.stop()
    for change in changes:
        wait_until(lambda change=change: eh2.do(f"slow.{change}") == "done")  # type: ignore[misc]


def test_a_process_that_died_in_motion(names: dict[str, Any], eh2: Other) -> None:
    """The motor runs on to its target, as real ones do; on its way it is no surprise to who comes next."""
    slow: Axis = names["slow"]
    assert eh2.do("slow.move(4, wait=False)") == "done"
    wait_until(lambda: gevent.sleep(0.01) or 0.1 < slow.position)
    eh2.kill()
    wait_until(lambda: gevent.sleep(0.01) or not slow.is_moving)
    assert slow.position == 4
    slow.move(0.5)
    assert slow.position == 0.5


def test_a_controller_that_has_forgotten_where_it_is(names: dict[str, Any]) -> None:
    robx: Axis = names["robx"]
    robx.move(20)
    robx.controller.set_position(robx, 0.0)  # as after a power cut
    with pytest.raises(AxisDiscrepancy, match="robx is at 0 mm, but was left at 20 mm") as caught:
        robx.move(10)
    assert caught.value.offer == "sync(robx)"
    assert robx.position == 0
    robx.dial = 20
    robx.move(10)
    assert robx.position == 10


def test_a_changed_number_of_steps_keeps_the_user_position(config: Config, redis_server: EmbeddedServer) -> None:
    session = load_session("eh1")
    assert session.setup()
    robx: Axis = session.env_dict["robx"]
    robx.move(10)
    robx.position = 12
    robx.dial_limits = (-20, 30)
    session.close()
    config.close()
    tree = Path(config.path) / "all.yml"
    tree.write_text(TREE.replace("name: robx,", "name: robx, steps_per_unit: 2,"))
    again = load_session("eh1", get_config(config.path))
    assert again.setup()
    robx = again.env_dict["robx"]
    assert robx.position == 12
    assert robx.dial == 5
    assert robx.dial_limits == (-10, 15)
    robx.rmove(1)
    assert robx.position == 13
    again.close()


def test_what_is_set_while_positions_are_written(names: dict[str, Any]) -> None:
    robx: Axis = names["robx"]
    for dial in range(30):
        robx.rmove(0.001)  # the line writes where it is, some time later
        robx.position = 0
        robx.dial = dial
        motion_line.flush()
        kept = HashSetting("robx").get_all()
        assert (kept["target"], kept["dial"], kept["position"]) == (dial, dial, 0)
