"""`bliss-like watch`: what the terminal of a session shows, in other terminals and pipes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.shell.conftest import SHIPPED, OpenShell
from tests.shell.terminal import Terminal

WATCH = [sys.executable, "-m", "bliss_like.shell.main", "watch", "demo_session"]
INTERRUPTED_WHILE_IT_WAITS = """
import os, signal, sys, threading

def restore(condition, state, restore=threading.Condition._acquire_restore):
    if sys._getframe(2).f_code.co_name == "get":  # of a queue
        os.kill(os.getpid(), signal.SIGINT)
    restore(condition, state)

threading.Condition._acquire_restore = restore
from bliss_like.shell.main import main
sys.exit(main(["watch", "demo_session"]))
"""
PAUSE = "\x1a"
AT_THE_THIRD_POINT = (  # somebody presses Ctrl-Z: who looks on needs a scan that goes on for as long as it takes to begin to look
    "import gevent, os, signal; gevent.spawn(lambda: ("
    "[gevent.sleep(0.01) for _ in iter(lambda: bool(SCANS) and SCANS[-1].channels[0].length > 2, True)],"
    " os.kill(os.getpid(), signal.SIGTSTP)));"
)


def rows_of(terminal: Terminal, scan: int) -> list[str]:
    """Return the rows of a scan."""
    title, end = f"Scan {scan}  ", f"Scan {scan} "
    lines = iter(terminal.lines)
    for line in lines:
        if line.startswith(title):
            break
    rows: list[str] = []
    for line in lines:
        if line.startswith(end):
            return rows
        if line.startswith(" ") and line.split()[:1] and line.split()[0].isdigit():  # others count the rows
            rows.append(line)
    return rows


def said(rows: list[str]) -> set[tuple[str, ...]]:
    """Return the points of rows, without the counter: its first row says how many decimals it has from there on."""
    return {tuple(row.split()[:3]) for row in rows}


def test_other_terminals_show_the_same(demo: Terminal, run: OpenShell) -> None:
    wide, narrow = run("watch", "demo_session"), run("watch", "demo_session", "--once", size=(60, 24))
    pipe = subprocess.Popen([*WATCH, "--once"], stdout=subprocess.PIPE, text=True)
    for terminal in (wide, narrow):
        terminal.wait_for(" demo_session ")
    demo.type(f"{AT_THE_THIRD_POINT}\n")
    demo.wait_for("DEMO_SESSION [2]:")
    demo.type("ascan(robx, 0, 1, 30, 0.05, diode)\n")  # so few that none is left out where they come all at once
    demo.wait_for("Paused after the point under way")
    wide.wait_for("%  ")
    late = run("watch", "demo_session", "--once", "--no-color", "--plot", "spark", size=(250, 40))
    late.wait_for(lambda: "diode " in late.text and "█" in late.text)
    assert pipe.stdout is not None
    title = pipe.stdout.readline()  # it looks on, too
    demo.type(PAUSE)
    demo.wait_for("DEMO_SESSION [3]:")
    for terminal in (narrow, late):
        assert terminal.wait_for_end() == 0
    wide.wait_for("Scan 1 done: 31 points")
    wide.interrupt()
    assert wide.wait_for_end() == 0
    shown = rows_of(demo, 1)
    assert len(shown) == 31 and rows_of(wide, 1) == shown == rows_of(narrow, 1)
    assert said(rows_of(late, 1)) <= said(shown) and said(shown[-1:]) <= said(rows_of(late, 1))
    for terminal in (wide, narrow, late):
        assert "━" not in terminal.text and "%" not in terminal.text  # the panel has gone
    assert b"\033[36m" not in late.seen and b"\033[2m" not in late.seen
    plain = title + pipe.communicate(timeout=60)[0]
    assert pipe.returncode == 0 and "\033" not in plain and "%" not in plain
    assert plain.startswith("Scan 1  ascan robx 0 1 30 0.05") and said(shown[-1:]) <= said(plain.splitlines())
    torn = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_WHILE_IT_WAITS], capture_output=True, text=True, timeout=60
    )
    assert torn.returncode == 0 and torn.stderr == ""  # Ctrl-C came where a lock was given back
    misspelt = run("watch", "demo_sesion")
    misspelt.wait_for("No scan of a session 'demo_sesion' so far, did you mean 'demo_session'?")
    misspelt.interrupt()
    assert misspelt.wait_for_end() == 0, misspelt.text


def test_a_terminal_that_can_do_nothing_has_rows_alone(run: OpenShell, environment: Path) -> None:
    shell = run("-s", "demo_session", terminal="dumb", BLISS_LIKE_CONFIG=str(SHIPPED))
    shell.wait_for("DEMO_SESSION [1]:")
    shell.type("ascan(robx, 0, 1, 4, 0.01, diode)\n")
    shell.wait_for("Scan 1 done: 5 points")
    assert len(rows_of(shell, 1)) == 5
    assert b"\033" not in shell.seen and "%" not in shell.text
