"""The line that is typed: what is helped, shown and kept."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell
from tests.shell.terminal import Terminal
from tests.waiting import wait_until

MACRO = """\
def macro(text):
    for number in range(2):

        if number:
            print(text, number)

    return 'done'
"""


def paste(shell: Terminal, text: str) -> None:
    shell.type("\x1b[200~" + text + "\x1b[201~")


def test_calls_are_typed_without_brackets(shell: Terminal) -> None:
    shell.type("thing.move 3\n")
    shell.wait_for("TINY [2]:")
    assert "TINY [1]: thing.move(3)" in shell.lines
    shell.type("vars thing; wa\n")
    shell.wait_for("TINY [3]:")
    assert "TINY [2]: vars(thing); wa()" in shell.lines
    shell.type("\x1b[A\x1b[A")
    shell.wait_for("TINY [3]: thing.move(3)")  # the history has what ran
    shell.interrupt()
    shell.wait_for(lambda: "TINY [3]:" in shell.lines)


def test_the_typing_helper_can_be_switched_off_for_good(run: OpenShell) -> None:
    first = run("-s", "tiny")
    first.wait_for("TINY [1]:")
    first.type("\x1b[18~")  # F7
    first.wait_for("typing helper off (F7)")
    first.type("thing.move 3\n")
    first.wait_for("no Python: invalid syntax")
    first.interrupt()
    first.type("\x04")
    assert first.wait_for_end() == 0
    second = run("-s", "tiny")
    second.wait_for("typing helper off (F7)")
    second.type("\x1b[18~thing.move 3\n")
    second.wait_for("TINY [2]:")
    assert "TINY [1]: thing.move(3)" in second.lines


def test_signatures_and_the_bottom_line_come_and_go(shell: Terminal) -> None:
    shell.wait_for(lambda: shell.bottom_line == "not saved")
    shell.type("ascan thing 0 ")
    shell.wait_for("ascan(motor, start, stop, intervals, count_time,")
    assert "a number, in the unit of the axis" in shell.text
    shell.interrupt()
    shell.wait_for(lambda: "motor, start" not in shell.text)
    shell.type("\x1b[19~")  # F8
    shell.wait_for(lambda: "not saved" not in shell.text)
    shell.type("\x1b[19~")
    shell.wait_for("not saved")
    shell.type("thing.asked\n")
    shell.wait_for(" Out [1]: 0")  # nobody has read its position


def test_a_macro_is_pasted_as_it_is(shell: Terminal) -> None:
    paste(shell, MACRO)
    shell.wait_for("return 'done'")
    shell.type("\n")
    shell.wait_for("TINY [2]:")
    paste(shell, "macro('point')\n")
    shell.type("\n")
    shell.wait_for("Out [2]: 'done'")
    assert "point 1" in shell.lines
    shell.type("\x12return")  # Ctrl-R
    shell.wait_for(lambda: shell.text.count("return 'done'") == 2)
    shell.type("\n\x01\x1b<")
    shell.interrupt()
    shell.type("\x1b[17~")  # F6, where a terminal cannot tell what is pasted
    shell.wait_for("paste mode (F6)")
    shell.type(MACRO.replace("macro", "other"))
    shell.type("\x1b[17~\n")
    shell.wait_for("TINY [4]:")
    shell.type("other('pasted')\n")
    shell.wait_for("Out [4]: 'done'")


def test_up_finds_what_begins_as_the_line(shell: Terminal) -> None:
    for number, command in enumerate(("first = 1", "second = 2", " secret = 3"), 2):
        shell.type(f"{command}\n")
        shell.wait_for(f"TINY [{number}]:")
    shell.type("\x1b[A")
    shell.wait_for("TINY [4]: second = 2")
    shell.interrupt()
    shell.wait_for(lambda: "TINY [4]:" in shell.lines)
    shell.type("fi\x1b[A")
    shell.wait_for("TINY [4]: first = 1")
    shell.interrupt()
    shell.wait_for(lambda: "TINY [4]:" in shell.lines)
    shell.type("fi")
    shell.wait_for(lambda: any("filter" in line for line in shell.lines))
    shell.type("\x1b[A")  # the menu is for who goes down
    shell.wait_for(lambda: shell.lines.count("TINY [4]: first = 1") == 2)


def test_lines_from_a_file(environment: Path, tmp_path: Path) -> None:
    commands = tmp_path / "commands"
    commands.write_text("thing.move(3)\nprint('at', thing.target)\n")
    line = f"{sys.executable} -m bliss_like.shell.main -s tiny < {commands}"
    terminal = Terminal(["/bin/sh", "-c", line], dict(os.environ))
    try:
        assert terminal.wait_for_end() == 0
        assert "\nat 3\n" in terminal.text
        assert b"\x1b[6n" not in terminal.seen  # whose answer would be for the next program
    finally:
        terminal.close()


def test_a_dumb_terminal(environment: Path, run: OpenShell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell = run("-s", "tiny", terminal="dumb")
    shell.wait_for("TINY [1]:")
    shell.type("thing.move 3\n")
    shell.wait_for("TINY [2]:")
    shell.type("thing.target\n")
    shell.wait_for("Out [2]: 3")
    shell.type("for number in range(3):\n    print('number', number)\n\n")
    shell.wait_for("TINY [4]:")
    assert "number 2" in shell.lines
    shell.type("sleeping()\n")
    shell.wait_for("\nsleeping")
    shell.interrupt()
    shell.wait_for("TINY [5]:")
    shell.interrupt()  # a line that is typed, not the next command
    shell.type("1 +\n")
    shell.wait_for("SyntaxError")
    shell.wait_for("TINY [6]:")
    assert shell.text.count("Interrupted") == 1
    shell.type("\x04")
    assert shell.wait_for_end() == 0
    assert b"\x1b" not in shell.seen


def test_no_colours(environment: Path, run: OpenShell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    shell = run("-s", "tiny")
    shell.wait_for(lambda: shell.bottom_line == "not saved")
    shell.type("1 / 0\n")
    shell.wait_for("TINY [2]:")
    coloured = [
        code for code in range(30, 50) if f"[{code}m".encode() in shell.seen or f";{code}".encode() in shell.seen
    ]
    assert not [code for code in coloured if code not in (39, 49)]


def _programs_of(shell: Terminal, name: str) -> list[int]:
    """Return the processes that a shell has started and whose command line has a name in it."""
    children = Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split()
    return [int(pid) for pid in children if name in Path(f"/proc/{pid}/cmdline").read_text()]


def _bytes_waiting_for(program: int) -> int:
    """Return how much a program has not read of what was written to it."""
    with open(f"/proc/{program}/fd/0", "rb") as its_input:
        return int(array.array("i", fcntl.ioctl(its_input, termios.FIONREAD, b"\0" * 4))[0])


def test_a_line_runs_while_somebody_still_computes_what_could_be_offered(shell: Terminal) -> None:
    shell.type("from textwrap import ded\t")
    shell.wait_for("from textwrap import dedent")
    (jedi,) = _programs_of(shell, "inference_program")
    os.kill(jedi, signal.SIGSTOP)  # from now on it computes for ever
    wait_until(lambda: "\nState:\tT" in Path(f"/proc/{jedi}/status").read_text())  # before, it could read a question
    shell.type("\x15import textw\t")
    deadline = time.monotonic() + 30
    while not _bytes_waiting_for(jedi):
        shell.look(0.02)
        assert time.monotonic() < deadline, shell.text
    shell.type("\x151 + 1\n")
    shell.wait_for("Out [1]: 2")
    shell.type("import textw\t")  # by another one
    shell.wait_for("import textwrap")
    shell.interrupt()
    shell.type("\x04")
    assert shell.wait_for_end() == 0
    assert not Path(f"/proc/{jedi}").exists()
