"""A scan of 100 counters at 1 kHz in a shell: the pace that it keeps, and from a key to what it shows meanwhile.

    python -m scripts.bench.pace                      for some two minutes

The scan waits for 1 ms at each point: were all else to take no time, it would make 1000 points per second. It runs beside the prompt.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

from bliss_like.data.server import EmbeddedServer
from scripts.bench.display import CONFIGURATION
from scripts.bench.session import boxes
from scripts.bench.shell import ENTER, Screen, echoes, running
from scripts.bench.table import Table, quantiles

SETUP = """
import time
import gevent
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import ScanState

def begin(is_followed):
    global made, marked
    for subscription in environment.subscriptions:
        subscription.is_active = is_followed
    made = timescan(0, box100, sleep_time=0.001, run=False)
    gevent.spawn(made.run)
    made.wait_state(ScanState.STARTING)
    gevent.sleep(1)
    for subscription in environment.subscriptions:
        subscription.is_active = True
    mark()

def mark():
    global marked
    marked = made.channels[0].length, time.monotonic()

def rate():
    length, began = marked
    print(f"rate {(made.channels[0].length - length) / (time.monotonic() - began):.0f}.")

def wait(seconds):
    mark()
    gevent.sleep(seconds)
    rate()

def end():
    made.stop()
"""
COMMANDS = ("loopscan(10, 0.1, box10)", "x = [1, 2, 3]")


class Prompt:
    """The prompt of the session, at which commands are typed."""

    def __init__(self, screen: Screen) -> None:
        self.screen, self._number = screen, 0
        self._next()
        screen.rest(1)

    def _next(self) -> None:
        self._number += 1
        self.screen.wait_for(lambda: f"BENCH [{self._number}]:" in self.screen.before_cursor)

    def run(self, command: str) -> float:
        """Return the rate that the command tells; 0 if it tells none."""
        self.screen.type(f"{command}{ENTER}")
        self._next()
        told = re.findall(r"rate (\d+)\.", self.screen.text)
        return float(told[-1]) if told else 0.0


def measure(keys: int, seconds: float) -> None:
    table = Table("timescan of 100 counters, waiting 1 ms each point", "", "p99")
    with running(sys.executable, "-m", "bliss_like.shell.main", "-s", "bench") as screen:
        prompt = Prompt(screen)
        table.row("echo of a key, idle, ms", *quantiles(echoes(screen, COMMANDS, keys)))
        for is_followed, what in ((False, "not followed"), (True, "followed by the display")):
            prompt.run(f"begin({is_followed})")
            table.row(f"{what}, points/s", prompt.run(f"wait({seconds})"), "")
            prompt.run("mark()")
            during = quantiles(echoes(screen, COMMANDS, keys))
            table.row(f"{what}, somebody types, points/s", prompt.run("rate()"), "")
            table.row(f"{what}, echo of a key, ms", *during)
            prompt.run("end()")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        (Path(home) / "config").mkdir()
        (Path(home) / "config" / "bench.yml").write_text((CONFIGURATION + boxes()).replace("HOME", home))
        (Path(home) / "config" / "setup.py").write_text(SETUP)
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        os.environ.update(BLISS_LIKE_HOME=home, BLISS_LIKE_CONFIG=f"{home}/config", BLISS_LIKE_REDIS=server.url)
        try:
            measure(chosen.keys, chosen.seconds)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
