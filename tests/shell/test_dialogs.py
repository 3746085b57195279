"""Questions of macros at the prompt of a session: in its place, beside scans, from the background."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell
from tests.shell.terminal import Terminal

OBJECTS = """
- name: motors
  class: SimulatedMotors
  axes: [{name: roby, velocity: 1, acceleration: 100}]
- name: diodes
  class: SimulatedDiodes
  counters: [{name: diode, value: 5}]
- {name: asking, class: Session, config-objects: ["*"], setup-file: ./asking.py}
"""

SETUP = """
import os

import gevent
from bliss_like.scanning.scan import ScanPreset, ScanState


def macro():
    try:
        if ask_yes_no("Close the shutter?"):
            return ask_number("Exposure time?", 0.001, 10, 0.1, "s")
    finally:
        print("cleaned up")


def in_background(go):
    def ask():
        while not os.path.exists(go):
            gevent.sleep(0.01)
        print("it was", ask_choice("Which one?", ["first", "second"], "second"))

    gevent.spawn(ask)


def during_a_move():
    task = gevent.spawn(roby.move, 50)
    while not roby.is_moving:
        gevent.sleep(0.01)
    try:
        ask_yes_no("Far enough?")
    finally:
        task.kill()


def during_a_scan():
    made = loopscan(100000, 0.01, diode, run=False, save=False)
    task = gevent.spawn(made.run)
    made.wait_state(ScanState.STARTING)
    try:
        return ask_yes_no("Enough of it?")
    finally:
        task.kill()


class Asking(ScanPreset):
    def prepare(self, scan):
        if not ask_yes_no("Is the beam on?"):
            raise RuntimeError("no beam")


def scan():
    s = loopscan(2, 0.01, diode, run=False, save=False)
    s.add_preset(Asking())
    s.run()
    return s.state.name
"""


@pytest.fixture
def shell(environment: Path, run: OpenShell) -> Terminal:
    """The session `asking`, at its first prompt."""
    (environment / "asking.yml").write_text(OBJECTS)
    (environment / "asking.py").write_text(SETUP)
    terminal = run("-s", "asking")
    terminal.wait_for("ASKING [1]:")
    return terminal


def test_questions_stand_below_what_was_printed_and_leave_a_line(shell: Terminal) -> None:
    shell.type("macro()\n")
    shell.wait_for("( ) yes  ( ) no")
    shell.type("y")
    shell.wait_for("> 0.1 s  (a number, 0.001 to 10 s)")
    shell.type("50\n")
    shell.wait_for("50 is above the high limit 10 s")
    shell.type("\x7f\n")
    shell.wait_for("ASKING [2]:")
    assert shell.above[-5:] == [
        "Close the shutter?  yes",
        "Exposure time?  5 s",
        "cleaned up",
        "   Out [1]: 5.0",
        "ASKING [2]:",
    ]
    shell.type("macro()\n")
    shell.wait_for("( ) yes  ( ) no")
    shell.interrupt()
    shell.wait_for("ASKING [3]:")
    assert shell.above[-4:] == ["Close the shutter?  -- Ctrl-C", "cleaned up", "Interrupted.", "ASKING [3]:"]
    shell.type("scan()\n")
    shell.wait_for("Is the beam on?")
    shell.type("y")
    shell.wait_for("'DONE'")
    shell.type("import os; os.environ['TERM'] = 'dumb'; macro()\n")  # the terminal edits the lines
    shell.wait_for("Close the shutter? (yes or no):")
    shell.type("y\n")
    shell.wait_for("Exposure time? (a number, 0.001 to 10 s) [0.1 s]:")
    shell.type("25\x7f\n")
    shell.wait_for("ASKING [5]:")
    assert "Exposure time? (a number, 0.001 to 10 s) [0.1 s]: 2\ncleaned up" in shell.text


def test_a_question_from_the_background_waits_for_the_prompt(shell: Terminal, short_directory: Path) -> None:
    go = short_directory / "go"
    shell.type(f"in_background('{go}')\n")
    shell.wait_for("ASKING [2]:")
    go.touch()
    shell.wait_for("Which one? (waits for you: press Enter on an empty line)")
    shell.type("'half a line'\n")
    shell.wait_for("> 2 second")
    assert "Out [2]: 'half a line'" in shell.text  # the keys were for the line
    shell.type("\n")
    shell.wait_for("it was second")
    shell.wait_for("ASKING [3]:")
    go.unlink()
    shell.type(f"in_background('{go}')\n")
    shell.wait_for("ASKING [4]:")
    go.touch()
    shell.wait_for(lambda: shell.text.count("Which one? (waits") == 2)
    shell.type("\x04")  # who leaves is not held up
    assert shell.wait_for_end() == 0


def test_ctrl_c_ends_the_command_that_asks_and_stops_what_it_moves(shell: Terminal) -> None:
    shell.type("during_a_move()\n")
    shell.wait_for("Far enough?")
    shell.interrupt()
    shell.wait_for("ASKING [2]:")
    assert any(line.startswith("Interrupted: roby stopped at ") for line in shell.lines)
    shell.type("roby.state\n")
    shell.wait_for("READY")


def test_ctrl_z_pauses_the_scan_beside_a_question(shell: Terminal) -> None:
    shell.type("during_a_scan()\n")
    shell.wait_for("Enough of it?")
    shell.type("\x1a")
    shell.wait_for("Paused after the point under way: scan (loopscan")
    shell.type("\x1a")
    shell.wait_for("Going on: scan (loopscan")
    shell.type("y\n")  # the question is still there
    shell.wait_for("Out [1]: True")
