"""Verbs at the prompt, as a person sees them: live positions, keys that move, ways out that are offered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell
from tests.shell.terminal import Terminal

OBJECTS = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, unit: mm, velocity: 5, acceleration: 100}
    - {name: roby, velocity: 1, acceleration: 100}
- name: diodes
  class: SimulatedDiodes
  counters: [{name: diode, value: 5}]
- {name: moving, class: Session, config-objects: ["*"], setup-file: ./moving.py}
"""

SETUP = """
import gevent
import time


class WrongPlace(Exception):
    offer = "mv(robx, 1.5)"


def lost():
    raise WrongPlace("robx is somewhere else")


def chatter():
    def talk():
        for number in range(5):
            time.sleep(0.15)
            print("chatter", number)

    gevent.spawn(talk)
"""


@pytest.fixture
def shell(environment: Path, run: OpenShell) -> Terminal:
    """The session `moving`, at its first prompt."""
    (environment / "moving.yml").write_text(OBJECTS)
    (environment / "moving.py").write_text(SETUP)
    terminal = run("-s", "moving")
    terminal.wait_for("MOVING [1]:")
    return terminal


def lines_with(shell: Terminal, start: str) -> list[str]:
    return [line for line in shell.lines if line.startswith(start)]


def test_positions_stay_when_it_is_over(shell: Terminal) -> None:
    shell.type("umv(robx, 4, roby, -0.5)\n")
    shell.wait_for("MOVING [2]:")
    assert [line.split() for line in lines_with(shell, "user")] == [["user", "4.0000", "-0.5000"]]
    assert [line.split() for line in lines_with(shell, "dial")] == [["dial", "4.0000", "-0.5000"]]
    assert sum("robx[mm]" in line for line in shell.lines) == 1


def test_positions_change_in_place_and_ctrl_c_stops_and_shows_where(shell: Terminal) -> None:
    shell.type("chatter(); umv(roby, 500)\n")
    seen: set[str] = set()

    def is_live() -> bool:
        seen.update(lines_with(shell, "user"))
        return len(seen) > 3 and "\nchatter 4\n" in shell.text

    shell.wait_for(is_live)
    shell.interrupt()
    shell.wait_for("MOVING [2]:")
    assert "\nInterrupted" in shell.text
    assert lines_with(shell, "chatter ") == [f"chatter {number}" for number in range(5)]  # what others print stays
    assert len(lines_with(shell, "user")) == 1
    shell.type("print('stands at', f'{roby.position:.4f}', roby.state.READY)\n")
    shell.wait_for("MOVING [3]:")
    stands_at = lines_with(shell, "stands at")[0].split()
    assert lines_with(shell, "user")[-1].split() == ["user", stands_at[2]] and stands_at[3] == "True"


def test_a_move_in_the_background_leaves_the_line_alone(shell: Terminal) -> None:
    shell.type("task = gevent.spawn(umv, robx, 3)\n")
    shell.wait_for("MOVING [2]:")
    shell.type("half a li")
    shell.wait_for("MOVING [2]: half a li")
    shell.wait_for(lambda: shell.text.count("3.0000") == 2 and lines_with(shell, "MOVING [2]: half a li"))
    shell.type("ne")
    shell.wait_for("MOVING [2]: half a line")
    assert len(lines_with(shell, "user     3")) == 1


def test_a_way_out_is_offered_and_enter_takes_it(shell: Terminal) -> None:
    shell.type("lost()\n")
    shell.wait_for("MOVING [2]: mv(robx, 1.5)")
    assert "WrongPlace: robx is somewhere else (last_error() shows where)" in shell.lines
    shell.type("\n")
    shell.wait_for("MOVING [3]:")
    shell.wait_for(lambda: "MOVING [3]:" in shell.lines)  # it is offered once
    shell.type("wa()\n")
    shell.wait_for("1.5000")


def test_a_way_out_need_not_be_taken(shell: Terminal) -> None:
    shell.type("lost()\n")
    shell.wait_for("MOVING [2]: mv(robx, 1.5)")
    shell.interrupt()
    shell.wait_for(lambda: "MOVING [2]:" in shell.lines)


# -- tweak -------------------------------------------------------------------------------------------------------------


LEFT, RIGHT, UP, DOWN, PAGE_DOWN = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[6~"


def row(shell: Terminal, name: str) -> list[str]:
    """Return the values of the last row of a name."""
    return lines_with(shell, name)[-1].split()[1:] if lines_with(shell, name) else []


def position(shell: Terminal) -> list[str]:
    return row(shell, "user")


def test_keys_move_an_axis(shell: Terminal) -> None:
    shell.type("tweak(robx, step_size=0.5)\n")
    shell.wait_for(lambda: position(shell) == ["0.0000"])
    shell.type(RIGHT)
    shell.wait_for(lambda: position(shell) == ["0.5000"] and "state" not in shell.text)
    shell.type(UP)
    shell.wait_for(lambda: row(shell, "step") == ["1"])
    shell.type(LEFT)
    shell.wait_for(lambda: position(shell) == ["-0.5000"] and "state" not in shell.text)
    shell.type("0.25\n")
    shell.wait_for(lambda: row(shell, "step") == ["0.25"])
    shell.type(PAGE_DOWN)
    shell.wait_for("0.025")
    shell.type(RIGHT)
    shell.wait_for(lambda: position(shell) == ["-0.4750"])
    shell.type("q")
    shell.wait_for("MOVING [2]:")
    assert position(shell) == ["-0.4750"] and "page keys" not in shell.text


def test_a_key_selects_the_axis_and_a_counter_is_shown(shell: Terminal) -> None:
    shell.type("tweak(robx, 'roby', counter=diode, exp=0.01)\n")
    shell.wait_for("diode  5")
    shell.wait_for(">robx[mm]")
    shell.type("\t")
    shell.wait_for(">roby")
    shell.type(RIGHT)
    shell.wait_for(lambda: position(shell) == ["0.0000", "1.0000"])
    shell.type("q")
    shell.wait_for("MOVING [2]:")


def test_keys_stop_a_motion(shell: Terminal) -> None:
    shell.type("tweak(roby, step_size=100)\n")
    shell.wait_for(lambda: position(shell) == ["0.0000"])
    shell.type(RIGHT)
    shell.wait_for(lambda: "state" in shell.text and position(shell) > ["0.1"])
    shell.type(RIGHT)
    shell.wait_for("roby is on its way; s stops it")
    shell.type("s")
    shell.wait_for("roby was stopped")
    shell.type(RIGHT)
    shell.wait_for(lambda: "state" in shell.text)
    shell.interrupt()
    shell.wait_for("MOVING [2]:")
    assert "\nInterrupted" in shell.text
    shell.type("roby.state\n")
    shell.wait_for("READY")


def test_what_a_motion_says_is_shown_where_the_keys_are(shell: Terminal) -> None:
    shell.type("robx.limits = -1, 1\n")
    shell.wait_for("MOVING [2]:")
    shell.type("tweak(robx, step_size=3)\n")
    shell.wait_for(lambda: position(shell) == ["0.0000"])
    shell.type(RIGHT)
    shell.wait_for("above its high limit 1")
    shell.type("q")
    shell.wait_for("MOVING [3]:")


# -- stops from elsewhere ----------------------------------------------------------------------------------------------


def test_axes_are_stopped_from_anywhere(shell: Terminal, run: OpenShell) -> None:
    idle = run("stop")
    assert idle.wait_for_end() == 0
    assert idle.lines == ["No session of the beamline moves anything."]
    shell.type("umv(roby, 100)\n")
    shell.wait_for(lambda: any(line.split()[1:] > ["0.1"] for line in lines_with(shell, "user")))
    stopping = run("stop", "roby", "robx")
    assert stopping.wait_for_end() == 0
    assert stopping.lines == ["Stopped: roby", "No session of the beamline moves robx."]
    shell.wait_for("MOVING [2]:")
    assert any(line.startswith("AxisStopped: ") for line in shell.lines)


def test_somebody_else_has_moved_an_axis_and_the_way_out_is_offered(shell: Terminal) -> None:
    shell.type("mv(robx, 1); robx.controller.set_position(robx, 3)\n")
    shell.wait_for("MOVING [2]:")
    shell.type("mv(robx, 2)\n")
    shell.wait_for("MOVING [3]: sync(robx)")
    shell.type("\n")
    shell.wait_for(lambda: "MOVING [4]:" in shell.lines)
    shell.type("mv(robx, 2); wa()\n")
    shell.wait_for("2.0000")
