"""Scans, with a listener in another process: points per second, the cost of a whole scan, of a step, and of the past.

    python -m scripts.bench.scans [--peer PYTHON]

`--peer` names the Python of an environment with bluesky, which then does the same work in the same run, each with its
instant devices of the smallest possible kind; bluesky without a listener.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import redis  # noqa: E402

from bliss_like.config import get_config  # noqa: E402
from bliss_like.data.node import get_node, get_session_node  # noqa: E402
from bliss_like.data.server import EmbeddedServer  # noqa: E402
from bliss_like.session import load_session  # noqa: E402
from scripts.bench.table import Table  # noqa: E402

CONFIGURATION = """
- name: bench
  class: Session
  config-objects: [axis, axis2, "box*"]
- name: motors
  class: SimulatedMotors
  axes:
    - {name: axis, steps_per_unit: 1000, velocity: .inf, acceleration: .inf}
    - {name: axis2, steps_per_unit: 1000, velocity: .inf, acceleration: .inf}
"""
LISTENER = """
import sys
from bliss_like.data.node import get_session_node
points = 0
print("ready", flush=True)
for event, node, data in get_session_node("bench").walk_on_new_events():
    if event.name == "NEW_DATA":
        points += len(data.data)
    elif event.name == "END_SCAN":
        print(node.db_name, points, flush=True)
        points = 0
"""


@contextmanager
def bench_session() -> Iterator[dict[str, Any]]:
    """A session on instant devices and a server of its own; yields its names."""
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        boxes = "".join(
            f"- name: box{n}\n  class: SimulatedDiodes\n  counters:\n"
            + "".join(f"    - {{name: box{n}_{i}, value: 1}}\n" for i in range(n))
            for n in (1, 10, 100)
        )
        (Path(home) / "config").mkdir()
        (Path(home) / "config" / "bench.yml").write_text(CONFIGURATION + boxes)
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        os.environ["BLISS_LIKE_REDIS"] = server.url
        session = load_session("bench", get_config(Path(home) / "config"))
        try:
            if not session.setup():
                raise SystemExit(session.error_report)
            yield session.env_dict
        finally:
            session.close()
            server.stop()


class Listener:
    """Walks all events in another process and counts the points of each scan."""

    def __enter__(self) -> Listener:
        self._process = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
        self._readline()
        time.sleep(0.5)
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait()

    def points_of_next_scan(self) -> tuple[str, int]:
        name, points = self._readline().split()
        return name, int(points)

    def _readline(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def rate(names: dict[str, Any], listener: Listener, counters: int, npoints: int) -> float:
    """Return points per second of a loopscan, and check that the listener saw each of them."""
    start = time.perf_counter()
    scan = names["loopscan"](npoints, 0, names[f"box{counters}"])
    elapsed = time.perf_counter() - start
    name, seen = listener.points_of_next_scan()
    expected = npoints * len(scan.channels)
    if name != scan.path or seen != expected:
        raise SystemExit(f"{name}: the listener saw {seen} of {expected} points of {scan.path}")
    return npoints / elapsed


def per_point(scan: Callable[[int], object], few: int, many: int) -> float:
    """Return the time of one point, in s, from scans of two lengths."""

    def elapsed(npoints: int) -> float:
        start = time.perf_counter()
        scan(npoints)
        return time.perf_counter() - start

    return (elapsed(many) - elapsed(few)) / (many - few)


def median(action: Callable[[], float], runs: int = 5) -> float:
    return statistics.median(action() for _ in range(runs))


def timed(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def peer(python: str) -> dict[str, float]:
    if not python:
        return {}
    script = Path(__file__).with_name("bluesky_peer.py")
    runs = [json.loads(subprocess.run([python, script], check=True, stdout=subprocess.PIPE).stdout) for _ in range(3)]
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", default="", help="Python of an environment with bluesky")
    theirs = peer(parser.parse_args().peer)
    with bench_session() as names:
        table = Table("work", "ours", "bluesky in the same run", "ratio")
        _speed(names, table, theirs)
        _past(names, table)


def _speed(names: dict[str, Any], table: Table, theirs: dict[str, float]) -> None:
    def row(work: str, value: float, other: str, better: Callable[[float, float], float], scale: float = 1.0) -> None:
        compared = (theirs[other] * scale, better(value, theirs[other] * scale)) if theirs else ("", "")
        table.row(work, value, *compared)

    with Listener() as listener:
        for counters in (1, 10, 100):
            value = median(lambda: rate(names, listener, counters, 1000))  # noqa: B023
            row(
                f"loopscan(1000, 0, ...), {counters} counters, points/s", value, f"count_{counters}", lambda a, b: a / b
            )
    one_point = median(lambda: timed(lambda: names["loopscan"](1, 0, names["box1"])), 50)
    row("whole scan of one point, ms", 1e3 * one_point, "one_point", lambda a, b: b / a, 1e3)
    ascan, amesh, axis, axis2, box = (names[name] for name in ("ascan", "amesh", "axis", "axis2", "box1"))
    step = median(lambda: per_point(lambda n: ascan(axis, 0, 1, n, 0, box), 10, 500))
    row("ascan, a point, instant axis, ms", 1e3 * step, "ascan_point", lambda a, b: b / a, 1e3)
    mesh = median(lambda: per_point(lambda n: amesh(axis, 0, 1, 9, axis2, 0, 1, n // 10 - 1, 0, box), 20, 500))
    table.row("amesh, a point, instant axes, ms", 1e3 * mesh, "", "")


def _past(names: dict[str, Any], table: Table) -> None:
    """What must not grow: the cost of a point with the points before it, of a scan with the scans before it."""
    loopscan, box = names["loopscan"], names["box10"]
    short, long = (median(lambda: n / timed(lambda: loopscan(n, 0, box)), 3) for n in (2_000, 100_000))  # noqa: B023
    table.row(
        "loopscan, 10 counters, 100 000 points instead of 2 000, points/s",
        long,
        f"{short:,.0f} (2 000 points)",
        long / short,
    )
    before = median(lambda: timed(lambda: loopscan(1, 0, names["box1"])), 200)
    client: Any = redis.Redis.from_url(os.environ["BLISS_LIKE_REDIS"])
    first = loopscan(1, 0, names["box1"])
    keys = client.dbsize()
    while loopscan(1, 0, names["box1"]).scan_number < first.scan_number + 1000:
        pass
    table.row("keys per scan of one counter", (client.dbsize() - keys) / 1000, "", "")
    after = median(lambda: timed(lambda: loopscan(1, 0, names["box1"])), 200)
    table.row(
        "whole scan of one point after 1 000 others, ms",
        1e3 * after,
        f"{1e3 * before:.3g} (before them)",
        after / before,
    )
    session = get_session_node("bench")
    scans = timed(lambda: list(session.walk("scan", wait=False)))
    nodes = timed(lambda: list(session.walk(wait=False)))
    events = timed(lambda: list(session.walk_events(wait=False)))
    nscans = len(list(session.walk("scan", wait=False)))
    table.row(
        f"walk {nscans} scans: scans only / all nodes / all events, s",
        f"{scans:.2g} / {nodes:.2g} / {events:.2g}",
        "",
        "",
    )
    node: Any = get_node(first.path)
    table.row(
        "read one channel of a past scan, ms",
        1e3 * median(lambda: timed(lambda: node.get_data("elapsed_time"))),
        "",
        "",
    )


if __name__ == "__main__":
    main()
