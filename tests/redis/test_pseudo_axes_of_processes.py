"""Pseudo axes that several processes have: each hears where the other one moves them, and stops them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gevent

from bliss_like.config.settings import HashSetting
from bliss_like.devices import events, motion_line
from bliss_like.devices.events import AxisEvent
from tests.redis.others import Other, seen, until_free
from tests.unit.devices.making import Notes
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]

TREE = """
- name: blades
  class: SimulatedMotors
  axes:
    - {name: up, velocity: 5, acceleration: 100}
    - {name: down, velocity: 5, acceleration: 100}
- name: gaps
  class: Slits
  axes:
    - {name: $up, tags: real up}
    - {name: $down, tags: real down}
    - {name: vgap, tags: vgap}
    - {name: voffset, tags: voffset}
- {name: eh1, class: Session, config-objects: [vgap, voffset]}
- {name: eh2, class: Session, config-objects: [vgap, voffset]}
"""


def test_events_of_a_pseudo_axis_whose_real_axes_another_session_moves(names: dict[str, Any], eh2: Other) -> None:
    vgap = names["vgap"]
    positions, states = Notes(), Notes()
    events.connect(vgap, AxisEvent.POSITION, positions.take)
    events.connect(vgap, AxisEvent.STATE, states.take)
    eh2.begin("vgap.move(40)")  # within 4 s
    wait_until(lambda: gevent.sleep(0.01) or (positions[-1:] == [40] and states[-1:] == ["READY"]))
    assert eh2.answer() == "done"
    assert len(positions) > 3
    assert any("MOVING" in state for state in states)
    assert (vgap.position, vgap._set_position) == (40, 40)
    until_free("up", "down", "vgap")
    vgap.rmove(1)
    assert seen(eh2, "(vgap.position, voffset.position) == (41, 0)")


def test_a_stop_here_ends_the_move_there(names: dict[str, Any], eh2: Other) -> None:
    vgap = names["vgap"]
    for stop in (vgap.stop, lambda: motion_line.request_stop("voffset"), lambda: motion_line.request_stop("vgap")):
        eh2.begin("vgap.move(1000)")
        wait_until(lambda: gevent.sleep(0.01) or vgap.is_moving)
        stop()
        assert eh2.answer().startswith("AxisStopped: stopped: up on its way to ")
        wait_until(lambda: gevent.sleep(0.01) or not vgap.is_moving)
        until_free("up", "down", "vgap")
    vgap.move(vgap.position + 0.1)


def test_whoever_has_no_devices_reads_where_it_is(names: dict[str, Any]) -> None:
    vgap = names["vgap"]
    vgap.move(1000, wait=False)
    wait_until(lambda: gevent.sleep(0.01) or "MOVING" in HashSetting("vgap").get("state", []))
    vgap.stop()
    vgap.move(1)
    motion_line.flush()
    assert (HashSetting("vgap")["position"], HashSetting("vgap")["state"]) == (1, ["READY"])
