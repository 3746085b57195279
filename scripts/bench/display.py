"""What showing scans costs them, in a whole shell in a terminal: points and processor time with the live display, and without it.

    python -m scripts.bench.display                      for some minutes
    python -m scripts.bench.display --memory 10000       the memory of a shell after so many scans that were shown

Points per second are those of the processor, of all threads of the shell: other programs do not count. The cost is the part of each
second that the display takes of it, which is what a scan is slowed down by when nobody else wants the processor. With and
without are measured in turn; what is told is the median of all pairs. Without: nobody follows the scans.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bliss_like.data.server import EmbeddedServer
from scripts.bench.session import boxes
from scripts.bench.start import THERE, WHERE_IS_THE_CURSOR
from scripts.bench.table import Table

NPOINTS = {1: 200_000, 10: 100_000, 100: 20_000}
"""By the number of counters: scans of a second or so."""
CONFIGURATION = """
- name: bench
  class: Session
  setup-file: ./setup.py
  config-objects: ["box*"]
  scan_saving: {base_path: HOME, writer: "null"}
"""
SETUP = """
import gc, json, statistics, time
from pathlib import Path
from bliss_like.scanning.environment import environment

def _seconds(make, is_shown):
    for subscription in environment.subscriptions:
        subscription.is_active = is_shown
    scan = make()
    gc.collect()
    began, worked = time.perf_counter(), time.process_time()
    scan.run()
    return time.process_time() - worked, time.perf_counter() - began

def compare(answer, pairs, counters, npoints, sleep, plot):
    box = globals()[f"box{counters}"]
    make = lambda: loopscan(npoints, 0, box, sleep_time=sleep, run=False)
    SCAN_DISPLAY.plot = plot
    _seconds(make, True)
    shown, hidden = [], []
    for number in range(pairs):
        turns = [(shown, True), (hidden, False)]
        for taken, is_shown in turns[:: 1 if number % 2 else -1]:
            taken.append(_seconds(make, is_shown))
    for subscription in environment.subscriptions:
        subscription.is_active = True
    Path(answer).write_text(json.dumps([shown, hidden]))

def memory(answer, nscans, step):
    told = []
    for number in range(0, nscans + 1):
        if number % step == 0:
            gc.collect()
            status = Path("/proc/self/status").read_text().splitlines()
            told.append(next(int(line.split()[1]) for line in status if line.startswith("VmRSS")))
        loopscan(3, 0, box10)
    Path(answer).write_text(json.dumps(told))
"""


class Shell:
    """A session at its prompt, in a terminal of which everything is read and nothing kept."""

    def __init__(self, home: Path) -> None:
        self._answer = home / "answer.json"
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            command = [sys.executable, "-m", "bliss_like.shell.main", "-s", "bench"]
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"})
        self._read_until(lambda: b"[1]" in self._seen)

    def answer(self, function: str, *arguments: object) -> list[list[list[float]]]:
        """Call a function of the setup file; return what it writes."""
        self._answer.unlink(missing_ok=True)
        given = ", ".join(map(repr, (str(self._answer), *arguments)))
        self._seen = b""
        os.write(self._terminal, f"{function}({given})\r".encode())
        self._read_until(self._answer.exists)
        self._read_until(lambda: b"]: " in self._seen[-400:])
        told: list[list[list[float]]] = json.loads(self._answer.read_text())
        return told

    def end(self) -> None:
        os.write(self._terminal, b"\x15\x04")
        try:
            while os.read(self._terminal, 65536):
                pass
        except OSError:
            pass
        os.waitpid(self._pid, 0)
        os.close(self._terminal)

    _seen = b""

    def _read_until(self, there: object) -> None:
        assert callable(there)
        while not there():
            if select.select([self._terminal], [], [], 0.2)[0]:
                data = os.read(self._terminal, 65536)
                self._seen = (self._seen + data)[-4096:]
                if WHERE_IS_THE_CURSOR in data:
                    os.write(self._terminal, THERE)


@contextmanager
def shell() -> Iterator[Shell]:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as name:
        home = Path(name)
        (home / "config").mkdir()
        (home / "config" / "bench.yml").write_text((CONFIGURATION + boxes()).replace("HOME", name))
        (home / "config" / "setup.py").write_text(SETUP)
        server = EmbeddedServer(home, ephemeral=True)
        server.ensure()
        os.environ.update(BLISS_LIKE_HOME=name, BLISS_LIKE_CONFIG=f"{home}/config", BLISS_LIKE_REDIS=server.url)
        running = Shell(home)
        try:
            yield running
        finally:
            running.end()
            server.stop()


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def measure_cost(pairs: int, wanted: list[int]) -> None:
    table = Table("loopscan in a shell", "shown", "not shown", "cost")
    with shell() as bench:
        for plot in ("off", "plot"):
            for counters in wanted:
                npoints = NPOINTS[counters]
                shown, hidden = bench.answer("compare", pairs, counters, npoints, 0, plot)
                cost = median([(a[0] - b[0]) / a[1] for a, b in zip(shown, hidden, strict=True)])
                rates = [npoints / median([each[0] for each in some]) for some in (shown, hidden)]
                what = f"{counters} counters{', with a plot' * (plot == 'plot')}, points/s"
                table.row(what, *rates, f"{100 * cost:.1f} %")
        for counters in wanted:
            shown, hidden = bench.answer("compare", max(3, pairs // 3), counters, 1000, 0.001, "off")
            parts = [100 * median([cpu / wall for cpu, wall in some]) for some in (shown, hidden)]
            what = f"{counters} counters, every 1 ms, processor"
            table.row(what, *(f"{part:.1f} %" for part in parts), f"{parts[0] - parts[1]:.1f} %")


def measure_memory(nscans: int) -> None:
    step = max(1, nscans // 10)
    with shell() as bench:
        told = bench.answer("memory", nscans, step)
    table = Table("scans of 10 counters that were shown", "resident, MB")
    for number, kib in enumerate(told):
        table.row(number * step, f"{kib / 1024:.1f}")  # type: ignore[operator]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--counters", type=int, nargs="*", default=list(NPOINTS))
    parser.add_argument("--memory", type=int, default=0, metavar="SCANS")
    chosen = parser.parse_args()
    if chosen.memory:
        measure_memory(chosen.memory)
    else:
        measure_cost(chosen.pairs, chosen.counters)


if __name__ == "__main__":
    main()
