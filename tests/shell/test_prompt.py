"""The prompt of a session, as a person sees it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell
from tests.shell.terminal import Terminal
from tests.waiting import wait_until


def test_a_command_shows_its_value(shell: Terminal) -> None:
    shell.type("1 + 1\n")
    shell.wait_for("TINY [2]:")
    assert " Out [1]: 2" in shell.lines


def test_an_object_is_shown_by_its_info(shell: Terminal) -> None:
    shell.type("thing\n")
    shell.wait_for(" Out [1]: a thing")


def test_several_lines_make_one_command(shell: Terminal) -> None:
    shell.type("for number in range(3):\nprint('number', number)\n\n\n")
    shell.wait_for("number 2")
    shell.wait_for("TINY [2]:")


def test_names_are_completed_without_asking_the_hardware(shell: Terminal) -> None:
    shell.type("thing.po")
    shell.wait_for(lambda: shell.text.count("position") == 1)
    shell.type("\t")
    shell.wait_for("TINY [1]: thing.position")
    shell.type("\x03")
    shell.wait_for(lambda: "TINY [1]:" in shell.lines)
    shell.type("Thing.asked\n")
    shell.wait_for(" Out [1]: 0")


def test_arguments_are_completed(shell: Terminal) -> None:
    shell.type("thing.move(tar")
    shell.wait_for("target=")


def test_ctrl_c_clears_the_line(shell: Terminal) -> None:
    shell.type("nonsense that nobody wants")
    shell.wait_for("nobody wants")
    shell.interrupt()
    shell.wait_for(lambda: "TINY [1]:" in shell.lines)


def test_prints_in_the_background_leave_the_line_alone(shell: Terminal) -> None:
    shell.type("ticking()\n")
    shell.wait_for("TINY [2]:")
    shell.type("half a li")
    shell.wait_for("TINY [2]: half a li")
    shell.wait_for("tick 20")
    shell.type("ne")
    shell.wait_for("TINY [2]: half a line")
    ticks = [line for line in shell.lines if "tick" in line and "()" not in line]
    assert ticks == [f"tick {number}" for number in range(len(ticks))]
    assert sum("half a li" in line for line in shell.lines) == 1


def test_a_key_that_is_pressed_while_something_is_printed_above_is_none_for_the_terminal(shell: Terminal) -> None:
    shell.type("import gevent, termios; from prompt_toolkit.application import run_in_terminal\n")
    shell.wait_for("TINY [2]:")
    shell.type("edits = lambda: print('edits' if termios.tcgetattr(0)[3] & termios.ICANON else 'only hands on')\n")
    shell.wait_for("TINY [3]:")
    shell.type("task = gevent.spawn_later(0.3, run_in_terminal, edits)\n")
    shell.wait_for(lambda: any(line in ("edits", "only hands on") for line in shell.lines))
    assert "only hands on" in shell.lines


def test_an_error_takes_a_line_and_last_error_tells_all(shell: Terminal) -> None:
    shell.type("def divide(): return 1 / 0\n\n")
    shell.wait_for("TINY [2]:")
    shell.type("divide()\n")
    shell.wait_for("TINY [3]:")
    assert "ZeroDivisionError: division by zero (last_error() shows where)" in shell.lines
    assert "Traceback" not in shell.text
    shell.type("last_error()\n")
    shell.wait_for("TINY [4]:")
    trace = shell.text.partition("Traceback")[2]
    assert 'File "<command 1>", line 1, in divide' in trace
    assert "repl.py" not in trace


def test_an_error_in_a_statement_has_nothing_of_the_shell_in_it(shell: Terminal) -> None:
    shell.type("value = 1 / 0\n")
    shell.wait_for("TINY [2]:")
    shell.type("last_error()\n")
    shell.wait_for("TINY [3]:")
    trace = shell.text.partition("last_error()\n")[2]
    assert "ZeroDivisionError: division by zero" in trace
    assert "SyntaxError" not in trace and "repl.py" not in trace


def test_an_exit_in_the_background_does_not_end_the_shell(shell: Terminal) -> None:
    shell.type("exit_in_background()\n")
    shell.wait_for("TINY [2]:")
    shell.type("'still ' + 'here'\n")
    shell.wait_for("'still here'")


def test_history_is_kept_for_the_session(run: OpenShell) -> None:
    first = run("-s", "tiny")
    first.wait_for("TINY [1]:")
    first.type("'remember' + ' me'\n")
    first.wait_for("TINY [2]:")
    first.type("\x04")
    first.wait_for_end()
    second = run("-s", "tiny")
    second.wait_for("TINY [1]:")
    second.type("\x1b[A")
    second.wait_for("TINY [1]: 'remember' + ' me'")


# -- leaving -----------------------------------------------------------------------------------------------------------


def test_leaving_closes_the_session(environment: Path, run: OpenShell) -> None:
    for goodbye in ("\x04", "exit()\n", "quit\n"):
        shell = run("-s", "tiny")
        shell.wait_for("TINY [1]:")  # a session that was not closed could not be opened again
        shell.type(goodbye)
        assert shell.wait_for_end() == 0


@pytest.mark.parametrize("given_up_by", [signal.SIGINT, signal.SIGTERM])
def test_leaving_while_something_does_not_close(shell: Terminal, given_up_by: signal.Signals) -> None:
    shell.type("from bliss_like.session.hooks import SessionHooks\n")
    shell.type("stubborn = type('Stubborn', (SessionHooks,), {'close': lambda *_: gevent.sleep(60)})()\n")
    shell.type("current_session.hooks.session.register(stubborn)\n")
    shell.wait_for("TINY [4]:")
    shell.type("\x04")
    shell.wait_for("Session tiny is not closed yet. Ctrl-C gives up")
    os.kill(shell.pid, given_up_by)
    assert shell.wait_for_end() == 0
    assert "Session tiny is closed, but for what was interrupted." in shell.lines
    assert "Traceback" not in shell.text


def test_two_shells_cannot_have_one_session(shell: Terminal, run: OpenShell) -> None:
    second = run("-s", "tiny")
    assert second.wait_for_end() == 1
    assert "session 'tiny' is already open" in second.text


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


def test_ctrl_c_ends_a_command_that_waits(shell: Terminal) -> None:
    shell.type("sleeping()\n")
    shell.wait_for("\nsleeping")
    shell.interrupt()
    shell.wait_for("TINY [2]:")
    assert "slept out" in shell.text
    assert "Interrupted." in shell.lines


def test_ctrl_c_ends_a_command_that_computes(shell: Terminal) -> None:
    shell.type("busy()\n")
    shell.wait_for("\nbusy")
    shell.interrupt()
    shell.wait_for("TINY [2]:")
    assert "not busy any more" in shell.text


def test_ctrl_c_ends_a_computation_that_the_command_waits_for(shell: Terminal) -> None:
    shell.type("gevent.spawn(busy).join()\n")
    shell.wait_for("\nbusy")
    shell.interrupt()
    shell.wait_for("TINY [2]:")
    assert "not busy any more" in shell.text


def test_a_second_ctrl_c_waits_for_the_clean_up(shell: Terminal, short_directory: Path) -> None:
    go = short_directory / "go"
    shell.type(f"sleeping(clean_up=lambda: wait_for_file('{go}'))\n")
    shell.wait_for("\nsleeping")
    shell.interrupt()
    shell.wait_for("\ncleaning up")  # two signals that come at once are one
    shell.interrupt()
    shell.wait_for("press Ctrl-C once more")
    go.touch()
    shell.wait_for("TINY [2]:")
    assert "slept out" in shell.text


def test_a_third_ctrl_c_gives_up_on_the_clean_up(shell: Terminal) -> None:
    shell.type("sleeping(clean_up=lambda: time.sleep(60))\n")
    shell.wait_for("\nsleeping")
    shell.interrupt()
    shell.wait_for("\ncleaning up")
    shell.interrupt()
    shell.wait_for("press Ctrl-C once more")
    shell.interrupt()
    shell.wait_for("TINY [2]:")
    assert "slept out" not in shell.text


def test_the_prompt_comes_back_whatever_the_command_does(shell: Terminal) -> None:
    shell.type("stubborn()\n")
    shell.wait_for("\nstubborn")
    shell.interrupt()
    shell.wait_for("\nno")
    shell.interrupt()
    shell.wait_for("press Ctrl-C once more")
    shell.interrupt()
    shell.wait_for("it is left behind")
    shell.wait_for("TINY [2]:")


def test_a_signal_from_outside_does_not_end_the_shell(shell: Terminal) -> None:
    os.kill(shell.pid, signal.SIGINT)
    shell.type("'still ' + 'here'\n")
    shell.wait_for("'still here'")


def test_a_setup_file_that_fails_leaves_a_session_and_says_so(environment: Path, run: OpenShell) -> None:
    (environment / "setup.py").write_text("shutter = 'closed'\nraise RuntimeError('no ' + 'beam')\n")
    shell = run("-s", "tiny")
    shell.wait_for("TINY [1]:")
    assert "Not all went well, errors: 1. last_error(<number>) shows where." in shell.lines
    assert f"  [0] {environment}/setup.py:2: RuntimeError: no beam" in shell.lines
    assert "Traceback" not in shell.text
    shell.type("last_error(0)\n")
    shell.wait_for("TINY [2]:")
    assert f'File "{environment}/setup.py", line 2, in <module>' in shell.text
    shell.type("shutter\n")
    shell.wait_for("'closed'")


def test_names_of_the_session_are_protected(shell: Terminal) -> None:
    shell.type("ct = 3\n")
    shell.wait_for("TINY [2]:")
    assert "ProtectedName: ct is protected and cannot be modified: it belongs to the session." in shell.text
    shell.type("thing = 5\n")
    shell.wait_for("TINY [3]:")
    shell.type("thing, ct.__name__\n")
    shell.wait_for("Out [3]: (5, 'ct')")
    shell.type("current_session.unprotect('ct'); ct = 4\n")
    shell.wait_for("TINY [5]:")
    shell.type("ct\n")
    shell.wait_for("Out [5]: 4")


def test_errors_have_numbers(shell: Terminal) -> None:
    for number, command in enumerate(("1 / 0", "undefined"), 2):
        shell.type(f"{command}\n")
        shell.wait_for(f"TINY [{number}]:")
    shell.type("ERROR_REPORT\n")
    shell.wait_for("TINY [4]:")
    assert "  [0] ZeroDivisionError: division by zero" in shell.lines
    assert "  [1] NameError: name 'undefined' is not defined" in shell.lines
    shell.type("last_error(0)\n")
    shell.wait_for('File "<command 1>", line 1, in <module>')


def test_a_user_script_is_loaded_again(shell: Terminal, short_directory: Path) -> None:
    scripts = short_directory / "mine"
    scripts.mkdir()
    (scripts / "scans.py").write_text("def peak(): return 'at ' + str(thing.position)\n")
    shell.type(f"user_script_homedir('{scripts}')\n")
    shell.wait_for("TINY [2]:")
    shell.type("user_script_load('scans'); user.peak()\n")
    shell.wait_for("TINY [3]:")
    shell.type("user.peak()\n")
    shell.wait_for("Out [3]: 'at 1.5'")
    (scripts / "scans.py").write_text("def peak():\n    return 1 / 0\n\npeak()\n")
    shell.type("user_script_load('scans')\n")
    shell.wait_for("TINY [5]:")
    assert (
        f"ScriptError: {scripts}/scans.py:2: ZeroDivisionError: division by zero (last_error() shows where)"
        in shell.text
    )
    shell.type("user.peak()\n")
    shell.wait_for("Out [5]: 'at 1.5'")
    shell.wait_for("TINY [6]:")
    before = shell.text.count("scans")
    shell.type("user_script_load('sc")
    shell.wait_for(lambda: shell.text.count("scans") > before)
    shell.type("\t")
    shell.wait_for("TINY [6]: user_script_load('scans")
    shell.type("\x03")
    shell.wait_for(lambda: "TINY [6]:" in shell.lines)
    shell.type("user_script_list()\n")
    shell.wait_for("  scans")


def test_resetup_shows_what_has_changed(environment: Path, run: OpenShell) -> None:
    session = "- {name: tiny, class: Session, config-objects: ['d*']}\n"
    diodes = "- {name: diodes, class: SimulatedDiodes, counters: [{name: diode, value: %d}%s]}\n"
    (environment / "tiny.yml").write_text(session + diodes % (5, ""))
    shell = run("-s", "tiny")
    shell.wait_for("TINY [1]:")
    assert "Session tiny: 2 objects in " in shell.text and "  diode diodes" in shell.lines
    (environment / "tiny.yml").write_text(session + diodes % (6, ", {name: dark, value: 0}"))
    shell.type("resetup()\n")
    shell.wait_for("TINY [2]:")
    assert {"added: dark", "changed: diode, diodes"} <= set(shell.lines)
    shell.type("diode.raw_read, dark.raw_read\n")
    shell.wait_for("Out [2]: (6.0, 0.0)")


SLOW = """
import time
from bliss_like.config.models import ObjectConfig

class Slow:
    Config = ObjectConfig

    def __init__(self, name, config):
        time.sleep(60)
"""


def test_what_the_setup_waits_for(environment: Path, run: OpenShell, monkeypatch: pytest.MonkeyPatch) -> None:
    (environment / "slow.py").write_text(SLOW)
    monkeypatch.setenv("PYTHONPATH", str(environment), prepend=os.pathsep)
    (environment / "objects.yml").write_text("- {name: lamp, class: Slow, package: slow}")
    (environment / "tiny.yml").write_text("- {name: tiny, class: Session, config-objects: [lamp]}")
    shell = run("-s", "tiny")
    shell.wait_for("Session tiny waits for lamp. Ctrl-C gives up.")
    shell.interrupt()
    assert shell.wait_for_end() == 130


def test_ctrl_c_ends_the_setup_of_a_session(environment: Path, run: OpenShell) -> None:
    (environment / "setup.py").write_text("import time\nprint('setting up')\ntime.sleep(60)\n")
    shell = run("-s", "tiny")
    shell.wait_for("setting up")
    shell.interrupt()
    assert shell.wait_for_end() == 130


@pytest.mark.parametrize("goodbye", [signal.SIGTERM, signal.SIGHUP])
def test_a_shell_that_is_told_to_end_cleans_up_first(shell: Terminal, goodbye: signal.Signals) -> None:
    shell.type("sleeping()\n")
    shell.wait_for("\nsleeping")
    os.kill(shell.pid, goodbye)
    assert shell.wait_for_end() == 0
    assert "slept out" in shell.text


def test_a_shell_at_its_prompt_can_be_told_to_end(shell: Terminal) -> None:
    os.kill(shell.pid, signal.SIGTERM)
    assert shell.wait_for_end() == 0


GOODBYE = """
import os
import signal
import sys


class Goodbye:
    def find_spec(self, name, path=None, target=None):
        if name == "bliss_like.shell.repl":  # the session is set up, and there is no prompt yet
            os.kill(os.getpid(), signal.SIGTERM)


sys.meta_path.insert(0, Goodbye())
"""


def test_a_shell_without_a_prompt_yet_can_be_told_to_end(environment: Path, run: OpenShell) -> None:
    (environment / "setup.py").write_text(GOODBYE)
    shell = run("-s", "tiny")
    assert shell.wait_for_end() == 0
    assert run("--list").wait_for_end() == 0


@pytest.mark.parametrize("terminal", ["xterm-256color", "dumb"])
def test_a_shell_that_asks_can_be_told_to_end(run: OpenShell, terminal: str) -> None:
    shell = run("-s", "tiny", terminal=terminal)
    shell.wait_for("TINY [1]:")
    if terminal != "dumb":
        shell.type("asking = gevent.spawn(input, 'Well' + '? ')\n\n")
        shell.wait_for("\nWell?")
    os.kill(shell.pid, signal.SIGTERM)
    assert shell.wait_for_end() == 0


def test_a_terminal_that_goes_away_ends_the_command(environment: Path, run: OpenShell, short_directory: Path) -> None:
    shell = run("-s", "tiny")
    shell.wait_for("TINY [1]:")
    note = short_directory / "note"
    shell.type(f"import pathlib; note = pathlib.Path({str(note)!r})\n")
    shell.wait_for("TINY [2]:")
    shell.type("try:\nprint('sleep' + 'ing'); time.sleep(60)\n\x7f\x7f\x7f\x7ffinally:\nnote.touch()\n\n\n")
    shell.wait_for("\nsleeping")
    shell.hang_up()
    wait_until(note.exists)


def test_keys_count_for_nothing_else_than_what_was_seen(shell: Terminal) -> None:
    shell.type("sleeping()\nprint('a' + 'b')\n")  # the second line waits in the editor already
    shell.wait_for("\nsleeping")
    shell.interrupt()
    shell.wait_for("Interrupted.")
    shell.type("a = ask_yes_no('Open?'); b = input('St' + 'art? ')\n")
    shell.wait_for("( ) yes")
    shell.type("y\n")  # the y is enough; the Enter is not for the next question
    shell.wait_for("Start?")
    shell.type("now\n")
    shell.wait_for("[3]:")
    shell.type("print(a, b)\n")
    shell.wait_for("True now")
    assert "\nab" not in shell.text
    shell.type("e = ValueError('no'); e.offer = \"print('o' + 'ffered')\"; raise e\n\n")
    shell.wait_for("last_error()")
    shell.wait_for(lambda: shell.last_line.endswith("print('o' + 'ffered')"))
    shell.type(" # mine\n")
    shell.wait_for("\noffered")
    assert "'ffered') # mine" in shell.text


def test_a_command_may_break_what_the_shell_stands_on(shell: Terminal) -> None:
    for number, broken in enumerate(("None", "3", "open(os.devnull)"), 2):
        shell.type(f"import os, sys; sys.stdout = sys.stderr = {broken}; 1 / 0\n")
        shell.wait_for(f"[{number}]:")
    assert shell.text.count("sys.stderr: put back") == 3
    shell.type("print('a' + 'b')\n")
    shell.wait_for("\nab")
    shell.type("import tty; tty.setraw(0)\n")  # Ctrl-C would be a key like any other
    shell.wait_for("[6]:")
    shell.type("sleeping()\n")
    shell.wait_for("\nsleeping")
    shell.interrupt()
    shell.wait_for("Interrupted.")
