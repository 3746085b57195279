"""Ctrl-C and Ctrl-Z, whatever a command is doing: nothing moves afterwards, the tree of data is closed, the shell is there."""

from __future__ import annotations

import os
import signal
import termios
from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell
from tests.shell.matrix import Matrix, told, write_session
from tests.shell.terminal import Terminal
from tests.waiting import wait_until


@pytest.fixture
def shell(environment: Path, run: OpenShell) -> Terminal:
    """The session `matrix`, at its first prompt."""
    write_session(environment)
    terminal = run("-s", "matrix")
    terminal.wait_for("MATRIX [1]:")
    return terminal


def test_the_matrix(shell: Terminal) -> None:
    matrix = Matrix(shell)
    shell.interrupt()
    shell.type("nonsense that nobody wants")
    shell.wait_for("nobody wants")
    shell.interrupt()
    shell.wait_for(lambda: shell.last_line == "MATRIX [1]:")
    assert matrix.verdict() == "well"

    for command in ("mv(slow, 500)", "umv(slow, 500)", "slow.move(500)", "[slow.move(n) for n in (300, 400, 500)]"):
        said = told(matrix.interrupt(f"when(moving); {command}"))
        assert said.startswith("Interrupted: slow stopped at ") and said.endswith(
            ("(was going to 500).", "(was going to 300).")
        )
        assert matrix.verdict() == "well"

    # what the command has started and does not wait for is stopped, too
    said = told(matrix.interrupt("when(moving); slow.move(500, wait=False); time.sleep(60)"))
    assert said.startswith("Interrupted: slow stopped at ")
    assert matrix.verdict() == "well"
    said = matrix.interrupt("when(points(2)); gevent.joinall([gevent.spawn(loopscan, 5000, 0.01, diode)])")
    assert "\nScan 1 aborted: " in said and told(said) == "Interrupted."
    assert matrix.verdict() == "well USER_ABORTED"

    said = matrix.interrupt("when(points(0)); ct(60, diode)")
    assert "ct 60" in said.partition("\n")[2] and "aborted" in said  # by the display, or with the rest
    assert matrix.verdict() == "well USER_ABORTED"
    for where in ("prepare", "trigger", "PREPARED"):
        assert "\nlazy aborted: 0 points" in matrix.interrupt(f"slow_scan('{where}')")
        assert matrix.verdict() == "well USER_ABORTED"

    matrix.run("mv(robx, 1)")
    said = matrix.interrupt("when(points(3)); dscan(robx, -1, 1, 5000, 0.01, diode)")
    assert "\nScan 2 aborted: " in said and told(said) == "Interrupted: robx back at 1 mm."
    assert matrix.verdict() == "well USER_ABORTED"
    said = matrix.interrupt("when(lambda: robx.position > 20); ascan(robx, 0, 2000, 2, 0.01, diode)")
    assert "\nScan 3 aborted: 1 of 3 points" in said and told(said).startswith("Interrupted: robx stopped at ")
    assert matrix.verdict() == "well USER_ABORTED"
    said = matrix.interrupt("when(points(8)); amesh(robx, 0, 1, 50, roby, 0, 1, 50, 0.01, diode)")
    assert "\nScan 4 aborted: " in said and "robx " in told(said) and "roby " in told(said)
    assert matrix.verdict() == "well USER_ABORTED"

    scans = "loopscan(3, 0.01, diode, run=False), loopscan(5000, 0.01, diode, run=False)"
    said = matrix.interrupt(f"when(second_scan); in_sequence({scans})")
    assert "\nScan 7 aborted: " in said and "\nSequence 5 aborted: 2 scans" in said
    assert matrix.verdict() == "well USER_ABORTED DONE USER_ABORTED"

    said = told(matrix.interrupt("load_script('walk')"))
    assert said.startswith("Interrupted: roby ")
    assert matrix.verdict() == "well"

    assert told(matrix.interrupt("busy(60)")) == "Interrupted."
    assert matrix.verdict() == "well"
    assert told(matrix.interrupt("print('-n' + 'ow-'); subprocess.run(['sleep', '60'])")) == "Interrupted."
    assert told(matrix.interrupt("print('-n' + 'ow-'); os.system('sleep 60')")) == "Interrupted."
    # a shell that begins a long `sleep` just when the signal comes keeps its trap for the end of it: many short ones
    tidy = """os.system("trap 'echo tidied up; exit 3' INT; printf '%snow-' -; while :; do sleep 0.1; done")"""
    matrix.run("from bliss_like.shell import asking; asking.GRACE = 30")
    said = matrix.interrupt(tidy)
    assert "^Ctidied up\n" in said and told(said) == "Interrupted."
    for question in ("input('your ' + 'name? ')", "ask_yes_no('your ' + 'name?')", "ask_number('your ' + 'name?', 1)"):
        assert told(matrix.interrupt(question, "your name?")) == "Interrupted."
    assert matrix.verdict() == "well"


@pytest.mark.parametrize("goodbye", ["exit()\n", "\x04", signal.SIGTERM, signal.SIGHUP])
def test_the_terminal_is_left_as_it_was_found(shell: Terminal, goodbye: str | signal.Signals) -> None:
    if isinstance(goodbye, str):
        shell.type(goodbye)
    else:
        shell.type("time.sleep(60)\n")
        wait_until(lambda: not shell.settings[3] & termios.ICANON and shell.settings[3] & termios.ISIG)
        assert not shell.settings[3] & termios.ECHO
        os.kill(shell.pid, goodbye)
    assert shell.wait_for_end() == 0
    assert shell.settings == shell.settings_before


def test_two_and_three_presses(shell: Terminal) -> None:
    matrix = Matrix(shell)
    begin = matrix.type("hang(); when(moving); hung.move(500)")
    matrix.wait("-now-", begin)
    shell.interrupt()
    matrix.wait("-stopping-", begin)
    shell.interrupt()
    matrix.wait("press Ctrl-C once more", begin)
    shell.interrupt()
    assert "hung WAS NOT SEEN TO STOP, look after it" in told(matrix.over(begin))
    matrix.run("heal()")
    assert matrix.verdict() == "well"


def test_locks_of_threads(shell: Terminal) -> None:
    matrix = Matrix(shell)
    matrix.run("from bliss_like.shell import interrupts; interrupts._LONGEST = 0.1")
    for wait in ("join", "get", "acquire"):
        for is_deaf in (True, False):
            assert told(matrix.interrupt(f"beside_thread({wait}, {is_deaf})")) == "Interrupted."
    # an application that was shown meanwhile changes nothing
    question = "ask_yes_no('your ' + 'name?'); beside_thread(join, True)"
    begin = matrix.type(question)
    matrix.wait("your name?", begin)
    shell.type("y")
    matrix.wait("-now-", begin)
    shell.interrupt()
    assert told(matrix.over(begin)) == "Interrupted."
    assert matrix.verdict() == "well"


@pytest.mark.parametrize("goodbye", [signal.SIGTERM, signal.SIGHUP])
def test_a_goodbye_during_a_lock_of_threads(shell: Terminal, goodbye: signal.Signals) -> None:
    matrix = Matrix(shell)
    matrix.wait("-now-", matrix.type("beside_thread(join, True)"))
    os.kill(shell.pid, goodbye)
    assert shell.wait_for_end() == 0


def test_while_the_file_is_waited_for(shell: Terminal) -> None:
    matrix = Matrix(shell)
    matrix.run("SCAN_SAVING.writer = 'nexus'; loopscan(1, 0.01, diode)")
    assert matrix.verdict() == "well DONE"
    scan = "when(lambda: SCANS[-1] not in known and SCANS[-1].state.is_final); loopscan(3, 0.01, diode)"
    said = matrix.interrupt(f"stop_writer(signal.SIGSTOP); {scan}")
    assert (
        told(said)
        == "Interrupted: scan 2 (loopscan 3 0.01) is complete; its file and callbacks were waited for no more."
    )
    matrix.run("stop_writer(signal.SIGCONT)")
    assert matrix.verdict() == "well DONE"
    assert "3 points" in matrix.run("loopscan(3, 0.01, diode)")


def test_pausing(shell: Terminal) -> None:
    matrix = Matrix(shell)
    begin = matrix.type("slow_scan('pause')")
    matrix.wait("-now-", begin)
    shell.type("\x1a")
    matrix.wait("Paused after the point under way: scan (lazy). Ctrl-Z goes on, Ctrl-C ends it.", begin)
    shell.type("\x1a")
    matrix.wait("Going on: scan (lazy).", begin)
    assert "\nlazy done: 10 points" in matrix.over(begin)
    assert matrix.verdict() == "well DONE"

    begin = matrix.type(
        "when(points(3)); when(lambda: SCANS[-1].scan_info.get('paused'), 'held'); loopscan(5000, 0.02, diode)"
    )
    matrix.wait("-now-", begin)
    shell.type("\x1a")
    matrix.wait("-held-", begin)
    shell.interrupt()
    assert "\nScan 1 aborted: " in matrix.over(begin)
    assert matrix.verdict() == "well USER_ABORTED"

    begin = matrix.type("when(moving); slow.move(500)")
    matrix.wait("-now-", begin)
    shell.type("\x1a")
    matrix.wait("Nothing to pause: no scan runs.", begin)
    shell.interrupt()
    assert "slow stopped at" in told(matrix.over(begin))
    assert matrix.verdict() == "well"


def test_keys_while_a_command_runs(shell: Terminal, short_directory: Path) -> None:
    matrix = Matrix(shell)
    go = short_directory / "go"
    matrix.run(f"go = '{go}'")
    begin = matrix.type("print('-n' + 'ow-'); wait_for_file(go); print('do' + 'ne')")
    matrix.wait("-now-", begin)
    shell.type("'typed ' + 'ahead'\n\x13\x1a")
    matrix.wait("Nothing to pause", begin)  # the last of the keys, hence all of them were pressed
    go.touch()
    matrix.wait("done", begin)
    matrix.wait("'typed ahead'", begin)
    assert "typed" not in matrix.over(begin)
    matrix._number += 1

    begin = matrix.type("when(moving); slow.move(500)")
    matrix.wait("-now-", begin)
    os.kill(shell.pid, signal.SIGQUIT)
    matrix.wait("The command is here; Ctrl-C ends it.", begin)
    shell.interrupt()
    matrix.over(begin)
    assert matrix.verdict() == "well"


def test_input_keeps_nobody_waiting(shell: Terminal, short_directory: Path) -> None:
    matrix = Matrix(shell)
    go = short_directory / "go"
    matrix.run(f"import getpass; go = '{go}'")
    begin = matrix.type("when(lambda: os.path.exists(go)); who = input('your ' + 'name? ')")
    matrix.wait("your name?", begin)
    go.touch()
    matrix.wait("-now-", begin)
    shell.type("marie\n")
    matrix.over(begin)
    assert "'marie'" in matrix.run("who")
    begin = matrix.type("secret = getpass.getpass()")
    matrix.wait("Password:", begin)
    shell.type("radium\n")
    assert "radium" not in matrix.over(begin)
    assert "'radium'" in matrix.run("secret")
    begin = matrix.type("input('mo' + 're? ')")
    matrix.wait("more?", begin)
    shell.type("\x04")
    assert "EOFError" in matrix.over(begin)
    begin = matrix.type("sys.stdin.readline()")
    shell.type("a line\n")
    assert r"'a line\n'" in matrix.over(begin)
    begin = matrix.type("os.system('printf who; read x; echo $x | rev; exit 3')")
    matrix.wait("\nwho", begin)
    shell.type("pierre\n")
    said = matrix.over(begin)
    assert "whopierre\nerreip\n" in said and f"Out [{begin}]: 768" in said  # it has an echo, and lines
    begin = matrix.type("x = 3; breakpoint(); x += 1; when(moving); slow.move(500)")
    matrix.wait("(Pdb)", begin)
    shell.type("p x + 10\n")
    matrix.wait("\n14\n(Pdb)", begin)
    shell.type("c\n")
    matrix.wait("-now-", begin)
    shell.interrupt()
    assert "slow stopped at" in told(matrix.over(begin))


def test_forked_processes_are_no_shells(shell: Terminal, short_directory: Path) -> None:
    matrix = Matrix(shell)
    matrix.run("import multiprocessing, os, signal, sys; many = multiprocessing.get_context('fork')")
    assert "\n1024" in matrix.run("pid = os.fork() or os._exit(4); print(os.waitpid(pid, 0)[1])")
    for ending, code in (("sys.exit(4)", 4), ("1 / 0", 1), ("'the end'", 0)):
        matrix.run(f"pid = os.fork(); pid or {ending}")
        assert f"\nended with {code}." in matrix.run("print(f'ended with {os.waitpid(pid, 0)[1] >> 8}.')")
    said = matrix.run("with many.Pool(2) as pool: print(pool.map(abs, [-1, -2]))\n")
    assert "[1, 2]" in said and "Traceback" not in said
    matrix.run(f"pool = many.Pool(2); at_work = {str(short_directory)!r}")
    for _ in range(2):
        said = matrix.run("replace_workers(pool, at_work); print(pool.map(abs, range(-4, 0)))")
        assert "[4, 3, 2, 1]" in said and "Traceback" not in said
    assert "Traceback" not in matrix.run("pool.terminate(); pool.join(); print(multiprocessing.active_children())")
    matrix.run("p = many.Process(target=time.sleep, args=(60,)); p.start()")
    for number in range(5):  # it takes nothing that the shell waits for
        assert f"-{number}-" in matrix.run(f"gevent.sleep(0.05); print('-%d-' % {number})")
    said = matrix.run("print('alive:', p.is_alive()); p.terminate(); p.join(); print(f'ended by {p.exitcode}.')")
    assert "alive: True" in said and "ended by -15." in said and "Traceback" not in said
    assert "ran: 0" in matrix.run("import subprocess; print('ran:', subprocess.run(['true']).returncode)")
    matrix.run("signal.signal(signal.SIGINT, signal.SIG_IGN)")
    begin = matrix.type("when(moving); slow.move(500)")
    matrix.wait("-now-", begin)
    shell.interrupt()
    assert "slow stopped at" in told(matrix.over(begin))
    assert matrix.verdict() == "well"


def test_a_pool_of_which_only_some_are_at_work(shell: Terminal) -> None:
    matrix = Matrix(shell)
    matrix.run("from bliss_like.shell import interrupts; interrupts._LONGEST = 0.1")
    matrix.run("pool = multiprocessing.get_context('fork').Pool(3); pool.map(abs, range(100))")
    for _ in range(5):
        begin = matrix.type("pool.map(exec, ['import os, time; os.write(1, bytes([10, 64, 64, 10])); time.sleep(60)'])")
        matrix.wait("@@", begin)
        shell.interrupt()
        said = matrix.over(begin)
        assert told(said) == "Interrupted."
        assert "[4, 3, 2, 1]" in matrix.run("print(pool.map(abs, range(-4, 0)))")
    assert "Traceback" not in shell.text
    shell.type("exit()\n")
    assert shell.wait_for_end() == 0
