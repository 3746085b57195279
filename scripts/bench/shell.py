"""The prompt: from a key to what it shows, idle and beside a fast scan; completion, the first time and later.

    python -m scripts.bench.shell                     for some two minutes
    python -m scripts.bench.shell --peer PYTHON       also beside ptpython as it comes, in another environment

The limit in the same run: a pseudo-terminal that echoes by itself (`cat`).
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import random
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyte

from bliss_like.data.server import EmbeddedServer
from scripts.bench.table import Table, quantiles

ROWS, COLUMNS = 40, 120
CTRL_U, ENTER, END = "\x15", "\r", "\x04"
PATIENCE = 60.0
COUNTERS = 10
CONFIGURATION = f"""
- {{name: bench, class: Session, setup-file: ./setup.py, config-objects: ["*"]}}
- {{name: motors, class: SimulatedMotors, axes: [{{name: robx}}, {{name: roby}}]}}
- name: diodes
  class: SimulatedDiodes
  counters: [{", ".join(f"{{name: diode{number}}}" for number in range(COUNTERS))}]
"""
SETUP = """
import time
import gevent
from bliss_like.scanning.scan import ScanState

def scan_in_background():
    made = timescan(0.0001, diodes, run=False)
    gevent.spawn(made.run)
    made.wait_state(ScanState.STARTING)
    return made

def rate(scan, seconds=2):
    before, began = len(scan.get_data()[diode0]), time.monotonic()
    gevent.sleep(seconds)
    after, ended = len(scan.get_data()[diode0]), time.monotonic()
    print(f"rate {(after - before) / (ended - began):.0f}.")
"""
COMMANDS = ("ascan(robx, 0, 1, 10, 0.1, diode1, diode2)", "mv robx 1 roby 2", "x = [robx.position, roby.velocity]")


class Screen:
    """A program in a terminal, and what it shows."""

    def __init__(self, command: Sequence[str]) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._screen.write_process_input = self._answer  # type: ignore[method-assign]
        self._stream = pyte.ByteStream(self._screen)
        self.came_at = 0.0
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execvpe(command[0], list(command), {**os.environ, "TERM": "xterm-256color"})
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def type(self, text: str) -> float:
        """Press keys; return when."""
        pressed = time.perf_counter()
        os.write(self._terminal, text.encode())
        return pressed

    def wait_for(self, there: Callable[[], object]) -> float:
        """Return when what is waited for was there."""
        deadline = time.perf_counter() + PATIENCE
        while not there():
            if time.perf_counter() > deadline or not self.read(PATIENCE):
                raise SystemExit(f"nothing comes; the screen:\n{self.text}")
        return self.came_at

    def read(self, timeout: float) -> bool:
        if not select.select([self._terminal], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self._terminal, 65536)
        except OSError:  # it is over
            return False
        self.came_at = time.perf_counter()
        self._stream.feed(data)
        return bool(data)

    def rest(self, seconds: float) -> None:
        """Let it do what it wants for some time."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0:
            self.read(left)

    @property
    def text(self) -> str:
        return "\n".join(self._screen.display)

    @property
    def before_cursor(self) -> str:
        return str(self._screen.display[self._screen.cursor.y][: self._screen.cursor.x])

    def end(self) -> None:
        os.kill(self._pid, signal.SIGTERM)
        while self.read(PATIENCE):
            pass
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    def _answer(self, data: str) -> None:
        os.write(self._terminal, data.encode())


@contextmanager
def running(*command: str) -> Iterator[Screen]:
    screen = Screen(command)
    try:
        yield screen
    finally:
        screen.end()


def echoes(screen: Screen, commands: Sequence[str], keys: int, clear: str = CTRL_U) -> list[float]:
    """Return the ms from each key to the screen that shows it, typed as fast as people do."""
    pause, took = random.Random(1), []
    while len(took) < keys:
        for command in commands:
            start = screen.before_cursor
            for count in range(1, len(command) + 1):
                pressed = screen.type(command[count - 1])
                shown = start + command[:count]
                took.append(1e3 * (screen.wait_for(lambda: screen.before_cursor.rstrip() == shown.rstrip()) - pressed))  # noqa: B023
                screen.rest(pause.uniform(0.04, 0.12))
            screen.type(clear)
            screen.wait_for(lambda: screen.before_cursor.rstrip() == start.rstrip())  # noqa: B023
    return took


def completion(screen: Screen, typed: str, offered: str) -> float:
    """Return the ms from the last key to a menu that offers something."""
    *first, last = typed
    for key in first:
        screen.type(key)
    screen.rest(0.5)
    if re.search(offered, screen.text):
        raise SystemExit(f"{offered!r} is offered too early")
    pressed = screen.type(last)
    took = 1e3 * (screen.wait_for(lambda: re.search(offered, screen.text)) - pressed)
    screen.type(CTRL_U)
    screen.rest(0.5)
    return took


def measure_session(table: Table, keys: int) -> None:
    with running(sys.executable, "-m", "bliss_like.shell.main", "-s", "bench") as shell:
        shell.wait_for(lambda: "BENCH [1]:" in shell.text)
        shell.rest(1)
        for what in ("first", "second"):
            took = completion(shell, "d", r"d2scan +scan")
            table.row(f"{what} completion of a name", took, "")
        for what in ("first", "second"):
            table.row(f"{what} completion of an attribute", completion(shell, "robx.", r"acceleration +"), "")
        table.row("echo of a key, idle", *quantiles(echoes(shell, COMMANDS, keys)))
        shell.type(f"scan = scan_in_background(){ENTER}")
        shell.wait_for(lambda: "BENCH [2]:" in shell.text)
        shell.type(f"rate(scan){ENTER}")
        shell.wait_for(lambda: "BENCH [3]:" in shell.text)
        before = _rate(shell)
        during = quantiles(echoes(shell, COMMANDS, keys))
        table.row(f"echo of a key beside a scan of {COUNTERS} counters, {before:.0f} points/s", *during)
        took = completion(shell, "d", r"d2scan +scan")
        table.row("completion of a name beside the scan", took, "")
        shell.type("import numpy; numpy.zeros(3)[0].zz")
        shell.wait_for(lambda: shell.before_cursor.endswith(".zz"))
        shell.type("\t")
        during = quantiles(echoes(shell, ("z" * 50,), 50, clear="\x7f" * 50))
        table.row("echo of a key beside the scan, and a Tab that jedi computes for", *during)
        shell.type(f"scan.stop(){ENTER}")
        shell.rest(1)


def _rate(shell: Screen) -> float:
    found = re.search(r"rate (\d+)\.", shell.text)
    if found is None:
        raise SystemExit(f"no rate:\n{shell.text}")
    return float(found[1])


def measure_peer(table: Table, python: str, keys: int) -> None:
    with running(python, "-m", "ptpython") as peer:
        peer.wait_for(lambda: ">>>" in peer.text)
        peer.type(f"import os; globals().update({{'diode' + '0': 3}}){ENTER}")
        peer.rest(1)
        for what in ("first", "second"):
            table.row(f"ptpython: {what} completion of a name", completion(peer, "d", "diode0"), "")
        for what in ("first", "second"):
            table.row(f"ptpython: {what} completion of an attribute", completion(peer, "os.", "abort"), "")
        table.row("ptpython: echo of a key, idle", *quantiles(echoes(peer, ("mv(robx, 1, roby, 2)",), keys // 4)))


def measure_terminal(table: Table, keys: int) -> None:
    with running("cat") as cat:
        table.row("a terminal that echoes by itself", *quantiles(echoes(cat, COMMANDS[:1], keys // 4)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peer", metavar="PYTHON", help="of an environment with ptpython and jedi")
    parser.add_argument("--keys", type=int, default=300)
    chosen = parser.parse_args()
    table = Table("work", "ms, p50", "p99")
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        (Path(home) / "config").mkdir()
        (Path(home) / "config" / "bench.yml").write_text(CONFIGURATION)
        (Path(home) / "config" / "setup.py").write_text(SETUP)
        os.environ.update(BLISS_LIKE_HOME=home, BLISS_LIKE_CONFIG=f"{home}/config", BLISS_LIKE_WRITER="null")
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        os.environ["BLISS_LIKE_REDIS"] = server.url
        try:
            measure_terminal(table, chosen.keys)
            measure_session(table, chosen.keys)
            if chosen.peer:
                measure_peer(table, chosen.peer, chosen.keys)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
