"""What showing scans costs them, in a whole shell in a terminal: points and processor time with the live display, and without it.

    python -m scripts.bench.display                      for some minutes
    python -m scripts.bench.display --memory 10000       the memory of a shell after so many scans that were shown
    python -m scripts.bench.display --pictures           what a picture takes, by its curves and their points

Points per second are those of the processor, of all threads of the shell: other programs do not count. With and without are measured
in turn; what is told is the median of all pairs, and in brackets the quartiles. Without: nobody follows the scans.

- "cost": the part of each second that the display takes of the processor, which is what a scan is slowed down by when nobody
  else wants the processor. The display goes by the clock: where others want it, too, the part of the time that the scan
  has is smaller, and what the display takes is a larger part of it, "with / without". Both say the same on an idle machine.
- "least / least": the same of the scan that took least with the display, and of the one that took least without: those that
  others have disturbed least.
- "had": the part of each second for which the shell had a processor: 100 % on an idle machine, as these scans wait for nothing.
- "frames": the part of each second that drawing frames and following the events of scans takes, counted there. Beyond it is
  what handing the events on costs, and what having something else done between costs a scan. It scatters little.
"""

from __future__ import annotations

import argparse
import json
import os
import pty
import select
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bliss_like.data.server import EmbeddedServer
from bliss_like.live.drawing import Curve, draw_panels
from bliss_like.live.look import UNICODE
from bliss_like.shell.style import Style
from scripts.bench.session import boxes
from scripts.bench.start import THERE, WHERE_IS_THE_CURSOR
from scripts.bench.table import Table

NPOINTS = {1: 200_000, 10: 100_000, 100: 20_000}
"""By the number of counters: scans of a second or so."""
PICTURED = (20, 1000, 30_000, 100_000)
"""Points of the curves of a picture."""
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
from bliss_like.shell.panel import Panel
from bliss_like.shell.scan_display import ScanDisplay

spent, depth = 0.0, 0

def _counted(owner, name):
    call = getattr(owner, name)
    def counted(*arguments):
        global spent, depth
        began, depth = time.thread_time(), depth + 1
        try:
            return call(*arguments)
        finally:
            depth -= 1
            if not depth:
                spent += time.thread_time() - began
    setattr(owner, name, counted)

_counted(Panel, "_draw")
_counted(ScanDisplay, "accept")

def _seconds(make, is_shown):
    for subscription in environment.subscriptions:
        subscription.is_active = is_shown
    scan = make()
    gc.collect()
    began, worked, before = time.perf_counter(), time.process_time(), spent
    scan.run()
    return time.process_time() - worked, time.perf_counter() - began, spent - before

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


def quartiles(values: list[float]) -> str:
    """Return `3.1 % (2.5 to 4.0)`, of parts."""
    first, middle, third = (100 * each for each in statistics.quantiles(values, n=4, method="inclusive"))
    return f"{middle:.1f} % ({first:.1f} to {third:.1f})"


def measure_cost(pairs: int, wanted: list[int], plots: list[str]) -> None:
    table = Table(
        "loopscan in a shell", "shown", "not shown", "cost", "with / without", "least / least", "frames", "had"
    )
    with shell() as bench:
        for plot in plots:
            for counters in wanted:
                npoints = NPOINTS[counters]
                shown, hidden = bench.answer("compare", pairs, counters, npoints, 0, plot)
                both = list(zip(shown, hidden, strict=True))
                rates = [npoints / median([each[0] for each in some]) for some in (shown, hidden)]
                table.row(
                    f"{counters} counters{', with a plot' * (plot == 'plot')}, points/s",
                    *rates,
                    quartiles([(a[0] - b[0]) / a[1] for a, b in both]),
                    quartiles([a[0] / b[0] for a, b in both]),
                    f"{100 * min(a[0] for a in shown) / min(b[0] for b in hidden):.1f} %",
                    quartiles([a[2] / a[1] for a in shown]),
                    f"{100 * median([a[0] / a[1] for a in shown]):.0f} %",
                )
        for counters in wanted if "off" in plots else []:
            shown, hidden = bench.answer("compare", max(3, pairs // 3), counters, 1000, 0.001, "off")
            parts = [100 * median([each[0] / each[1] for each in some]) for some in (shown, hidden)]
            what = f"{counters} counters, every 1 ms, processor"
            table.row(what, *(f"{part:.1f} %" for part in parts), f"{parts[0] - parts[1]:.1f} %")


def measure_memory(nscans: int) -> None:
    step = max(1, nscans // 10)
    with shell() as bench:
        told = bench.answer("memory", nscans, step)
    table = Table("scans of 10 counters that were shown", "resident, MB")
    for number, kib in enumerate(told):
        table.row(number * step, f"{kib / 1024:.1f}")  # type: ignore[operator]


def measure_pictures() -> None:
    look = Style(UNICODE, 256)
    table = Table("a picture of", *(f"{npoints:,} points, ms" for npoints in PICTURED))
    for count in (1, 8):
        took = []
        for npoints in PICTURED:
            x, rng = np.arange(npoints) * 1e-5, np.random.default_rng(1)
            values = [rng.normal(size=npoints) for _ in range(count)]
            times = []
            for _ in range(100):
                began = time.thread_time()
                draw_panels([[Curve(x, y, f"diode{n}") for n, y in enumerate(values)]], 120, 14, look)
                times.append(1e3 * (time.thread_time() - began))
            took.append(min(times))
        table.row(f"{count} curve{'s' * (count > 1)}, noise over time, 120 x 14 characters", *took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=15)
    parser.add_argument("--counters", type=int, nargs="*", default=list(NPOINTS))
    parser.add_argument("--plots", nargs="*", default=["off", "plot"], metavar="off|spark|plot")
    parser.add_argument("--memory", type=int, default=0, metavar="SCANS")
    parser.add_argument("--pictures", action="store_true")
    chosen = parser.parse_args()
    if chosen.memory:
        measure_memory(chosen.memory)
    elif chosen.pictures:
        measure_pictures()
    else:
        measure_cost(chosen.pairs, chosen.counters, chosen.plots)


if __name__ == "__main__":
    main()
