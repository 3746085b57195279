"""The pictures in docs/screens: somebody types in a terminal, waits for what is to come, and looks.

Needs tmux. The session is that of config/small, with a data server and directories of its own; all of it is gone at the end.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from terminal_svg import DARK, LIGHT, svg

ROOT = Path(__file__).resolve().parent.parent
SCREENS = ROOT / "docs" / "screens"
COLUMNS = 100
DIRECTORY = "/data/id00"
PATIENCE = 20.0
"""Seconds that something may take to appear."""
PROMPT = re.compile(r"\[(\d+)\]: *$", re.MULTILINE)


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, tmux: list[str], name: str, environment: Mapping[str, str]) -> None:
        self._tmux, self._name = tmux, name
        self._environment = environment

    def start(self, command: str, rows: int) -> None:
        variables = [f"-e{key}={value}" for key, value in self._environment.items()]
        size = ["-x", str(COLUMNS), "-y", str(rows)]
        self._run("new-session", "-d", "-s", self._name, *size, *variables, command)

    def type(self, text: str) -> None:
        self._run("send-keys", "-t", self._name, "-l", text)

    def press(self, *keys: str) -> None:
        """`Enter`, `Tab`, `C-c`, `Down`."""
        self._run("send-keys", "-t", self._name, *keys)

    def enter(self, text: str) -> None:
        self.type(text)
        self.press("Enter")

    def command(self, text: str) -> None:
        """Type a line, and wait until the next prompt is there."""
        before = self.prompt_number
        self.enter(text)
        self.wait(lambda: self.prompt_number == before + 1)

    @property
    def prompt_number(self) -> int:
        """The number of the prompt that waits, 0 while a command runs."""
        lines = [line for line in self.text.splitlines() if line.strip()]
        found = next((PROMPT.search(line) for line in reversed(lines[-2:]) if PROMPT.search(line)), None)
        return int(found[1]) if found else 0

    @property
    def text(self) -> str:
        return self._run("capture-pane", "-p", "-t", self._name)

    def wait(self, what: str | Callable[[], object], patience: float = PATIENCE) -> None:
        """Return when a pattern is on the screen, or something is true.

        :raises SystemExit: it is not; the message shows the screen.
        """
        there = (lambda: re.search(what, self.text, re.MULTILINE)) if isinstance(what, str) else what
        deadline = time.monotonic() + patience
        while not there():
            if time.monotonic() > deadline:
                raise SystemExit(f"{what!r} did not come within {patience} s; the screen:\n{self.text}")
            time.sleep(0.02)

    def close(self) -> None:
        """Close the window, and wait until the program has ended."""
        try:
            pid = int(self._run("list-panes", "-t", self._name, "-F", "#{pane_pid}"))
        except subprocess.CalledProcessError:  # the program has ended by itself
            return
        self._run("kill-session", "-t", self._name)
        deadline = time.monotonic() + PATIENCE
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def look(self) -> str:
        """Return the screen with its colours."""
        return self._run("capture-pane", "-p", "-e", "-t", self._name)

    def _run(self, *arguments: str) -> str:
        return subprocess.run([*self._tmux, *arguments], check=True, capture_output=True, text=True).stdout


Open = Callable[[str], Terminal]
Scene = Callable[[Open], str]


def session(terminals: Open) -> Terminal:
    """Return a terminal with a session at its first prompt, the screen cleared."""
    terminal = terminals(f"{sys.executable} -m bliss_like.shell.main -s demo_session")
    terminal.wait(lambda: terminal.prompt_number == 1)
    return terminal


def scan(terminals: Open) -> str:
    """A scan that runs: its header, its rows, how far it is, how long it takes, where the motors are."""
    terminal = session(terminals)
    terminal.command("plotselect(sim_ct_gauss)")
    terminal.enter("ascan(robx, -2, 2, 40, 0.2, sim_ct_gauss, diode)")
    terminal.wait(r"^ *15 ")
    return terminal.look()


def plot(terminals: Open) -> str:
    """A scan that is over: where its peak is, the way there, and its plot."""
    terminal = session(terminals)
    terminal.command("plotselect(sim_ct_gauss)")
    terminal.command("ascan(robx, -3, 3, 50, 0.01, sim_ct_gauss, diode)")
    terminal.command("plot(height=18)")
    return terminal.look()


def error(terminals: Open) -> str:
    """Errors: a line says what is wrong and how to go on."""
    terminal = session(terminals)
    terminal.command("mv(robx, 1000)")
    terminal.command("ascan(robx, 0, 1, 10, 0.1, diod)")
    terminal.command("ascan(robx, 0, 1)")
    terminal.command("robx.velocity = -1")
    terminal.command("umv(robx)")
    return terminal.look()


def completion(terminals: Open) -> str:
    """What can be typed next, and how a scan is called, while it is typed."""
    terminal = session(terminals)
    terminal.type("ascan(robx, -1, 1, 20, 0.1, d")
    terminal.press("Tab")
    terminal.wait(r"diode3 +counter")
    terminal.wait(r"ascan\(.*counters")
    return terminal.look()


def dialog(terminals: Open) -> str:
    """A form that a script asks for, with numbers that have limits."""
    terminal = session(terminals)
    terminal.enter(
        "ask_form('Alignment', {'axis': ['robx', 'roby'], 'width': 2.0, 'steps': 40, 'save': True, 'sample': 'LaB6'})"
    )
    terminal.wait(r"^ *sample")
    return terminal.look()


def aborted(terminals: Open) -> str:
    """Ctrl-C: the scan has stopped its motors, and says how it went."""
    terminal = session(terminals)
    terminal.command("plotselect(sim_ct_gauss)")
    terminal.command("umv(robx, 0.4)")
    terminal.enter("dscan(robx, -2, 2, 40, 0.1)")
    terminal.wait(r"^ *12 ")
    terminal.press("C-c")
    terminal.wait(lambda: terminal.prompt_number == 4)
    return terminal.look()


def sequence(terminals: Open) -> str:
    """A sequence and its scans, as a tree."""
    terminal = session(terminals)
    terminal.enter(
        "with Sequence(title='alignment', scan_info={'sequence_info': {'scan_count': 3}}).sequence_context() as seq: "
        "[seq.add_and_run(ascan(axis, -1, 1, 8, 0.05, sim_ct_gauss, run=False)) for axis in (robx, roby, robz)]"
    )
    terminal.press("Enter")
    terminal.wait("roby -1")
    terminal.wait(r"^ *3 ")
    return terminal.look()


def watch(terminals: Open) -> str:
    """The same scan, seen from another terminal that came later."""
    terminal = session(terminals)
    terminal.enter("ascan(robx, -2, 2, 40, 0.2, sim_ct_gauss, diode)")
    terminal.wait(r"^ *10 ")
    other = terminals(f"{sys.executable} -m bliss_like.shell.main watch demo_session")
    other.wait(r"^ *15 ")
    return other.look()


SCENES: dict[str, tuple[Scene, int]] = {
    "scan": (scan, 28),
    "plot": (plot, 28),
    "error": (error, 21),
    "completion": (completion, 18),
    "dialog": (dialog, 14),
    "aborted": (aborted, 26),
    "sequence": (sequence, 29),
    "watch": (watch, 24),
}
"""What there is to be seen, in how many lines."""


@contextmanager
def stage(rows: int) -> Iterator[Open]:
    """A tmux server, a data server and directories for the time of the context; yields what starts programs there."""
    base = Path(tempfile.mkdtemp(prefix="bl-", dir="/var/tmp"))
    environment = {
        "BLISS_LIKE_HOME": str(base / "home"),
        "BLISS_LIKE_DATA": str(base / "data"),
        "BLISS_LIKE_CONFIG": str(ROOT / "config" / "small"),
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "NO_COLOR": "",
    }
    tmux = ["tmux", "-L", base.name, "-f", "/dev/null"]
    opened: list[Terminal] = []

    def open_terminal(command: str) -> Terminal:
        terminal = Terminal(tmux, f"screen{len(opened)}", environment)
        opened.append(terminal)
        terminal.start(command, rows)
        return terminal

    try:
        yield open_terminal
    finally:
        for terminal in opened:
            terminal.close()
        subprocess.run([*tmux, "kill-server"], capture_output=True)
        subprocess.run(
            [sys.executable, "-m", "bliss_like.shell.main", "server", "stop"],
            env={**os.environ, **environment},
            capture_output=True,
        )
        shutil.rmtree(base, ignore_errors=True)


def tidy(screen: str) -> str:
    """Return a screen with a name of a directory as it may be, for the one that is there for these pictures only."""

    def renamed(found: re.Match[str]) -> str:
        blanks = found[2] + " " * (len(found[1]) - len(DIRECTORY)) if found[2] else ""
        return DIRECTORY + found[0][len(found[1]) : len(found[0]) - len(found[2] or "")] + blanks

    return re.sub(r"(/var/tmp/bl-\w+/data)\S*( {2,})?", renamed, screen)


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pictures in docs/screens.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCENES)}; none: all")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--light", action="store_true", help="on a light background")
    parser.add_argument("--into", type=Path, default=SCREENS, metavar="DIRECTORY")
    chosen = parser.parse_args()
    if chosen.list:
        for name, (scene, _) in SCENES.items():
            print(f"{name:12} {scene.__doc__}")
        return
    if unknown := [name for name in chosen.names if name not in SCENES]:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(SCENES)}")
    chosen.into.mkdir(parents=True, exist_ok=True)
    for name in chosen.names or SCENES:
        scene, rows = SCENES[name]
        with stage(rows) as terminals:
            screen = tidy(scene(terminals))
        picture = svg(screen, COLUMNS, rows, LIGHT if chosen.light else DARK, scene.__doc__ or "")
        (chosen.into / f"{name}.svg").write_text(picture, encoding="utf-8")
        print(f"{name}.svg", flush=True)


if __name__ == "__main__":
    main()
