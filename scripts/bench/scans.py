"""Scans, with a listener in another process: points per second, the cost of a whole scan, of a step, and of the past.

    python -m scripts.bench.scans [--peer PYTHON] [--long]

`--peer` names the Python of an environment with bluesky, which then does the same work in the same run, each with its
instant devices of the smallest possible kind; bluesky without a listener. `--long` takes a million points instead of a hundred
thousand, and ten thousand scans instead of a thousand: some four minutes.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import argparse  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import redis  # noqa: E402

from bliss_like.data.node import get_node, get_session_node  # noqa: E402
from bliss_like.devices.axis_group import AxisGroup  # noqa: E402
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController  # noqa: E402
from scripts.bench.session import bench_session, boxes  # noqa: E402
from scripts.bench.table import Table  # noqa: E402

CONFIGURATION = """
- name: bench
  class: Session
  config-objects: [axis, axis2, "box*", camera]
  scan_saving: {base_path: HOME, writer: "null"}  # as bluesky beside it; saving.py has what a file costs
- name: motors
  class: SimulatedMotors
  axes:
    - {name: axis, steps_per_unit: 1000, velocity: .inf, acceleration: .inf}
    - {name: axis2, steps_per_unit: 1000, velocity: .inf, acceleration: .inf}
- name: camera
  class: SimulatedCamera
  width: 64
  height: 64
  axis_x: $axis
  axis_y: $axis2
  intensity: 2.0e+5
  rois: {spot: [16, 16, 32, 32]}
"""
LISTENER = """
import sys
from bliss_like.data.node import get_session_node
class Started:
    def set(self):
        print("ready", flush=True)
points = 0
for event, node, data in get_session_node("bench").walk_on_new_events(started_event=Started()):
    if event.name == "NEW_DATA":
        points += len(data.data)
    elif event.name == "END_SCAN":
        print(node.db_name, points, flush=True)
        points = 0
"""


class Listener:
    """Walks all events in another process and counts the points of each scan."""

    def __enter__(self) -> Listener:
        self._process = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
        self._readline()
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
    parser.add_argument("--long", action="store_true", help="a million points, ten thousand scans")
    options = parser.parse_args()
    theirs = peer(options.peer)
    with bench_session(CONFIGURATION + boxes()) as names:
        table = Table("work", "ours", "bluesky in the same run", "ratio")
        _speed(names, table, theirs)
        _modes(names, table)
        _devices(names, table, theirs)
        _past(names, table)
        _flat(names, table, *((1_000_000, 10_000) if options.long else (100_000, 1_000)))


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
    group = AxisGroup(axis)
    move = median(lambda: timed(lambda: [group.move({axis: n % 2}) for n in range(500)]) / 500)
    table.row("of that beyond the move and the count time, ms", 1e3 * (step - move), f"{1e3 * move:.3g} (move)", "")
    mesh = median(lambda: per_point(lambda n: amesh(axis, 0, 1, 9, axis2, 0, 1, n // 10 - 1, 0, box), 20, 500))
    table.row("amesh, a point, instant axes, ms", 1e3 * mesh, "", "")


def _modes(names: dict[str, Any], table: Table) -> None:
    """Counters that publish more than their mean, or the mean of several readings."""
    for counters, npoints in ((1, 1000), (10, 1000), (100, 200)):
        box, rates = names[f"box{counters}"], {}
        for mode in ("MEAN", "STATS", "SAMPLES"):
            for counter in box.counters:
                counter.mode = mode
            rates[mode] = median(lambda: npoints / timed(lambda: names["loopscan"](npoints, 0, box)), 3)  # noqa: B023
        for counter in box.counters:
            counter.mode = "MEAN"
        for mode in ("STATS", "SAMPLES"):
            work = f"loopscan, {counters} counters in {mode}, points/s"
            table.row(work, rates[mode], f"{rates['MEAN']:,.0f} (MEAN)", rates[mode] / rates["MEAN"])


class _Slow(SamplingCounterController):
    """Needs 50 ms for a reading."""

    def read_all(self, *counters: SamplingCounter) -> Sequence[float]:
        time.sleep(0.05)
        return [1.0] * len(counters)


def _devices(names: dict[str, Any], table: Table, theirs: dict[str, float]) -> None:
    slow = [SamplingCounter(f"slow{n}", _Slow(f"detector{n}")) for n in range(8)]
    together = median(lambda: timed(lambda: names["loopscan"](5, 0, *slow)), 3)
    other = theirs.get("slow_detectors")
    table.row("8 detectors of 50 ms, 5 points, s", together, other or "", other / together if other else "")
    amesh, axis, axis2, camera = (names[name] for name in ("amesh", "axis", "axis2", "camera"))
    spot = [counter for counter in camera.roi_counters.counters if counter.name.startswith("spot")]
    exposure = 1e-4  # without one the images would be dark, and cost nothing
    mesh, plain = (
        timed(lambda: amesh(axis, 0, 1, 99, axis2, 0, 1, 99, exposure, names["box10"], *more, save_images=False))  # noqa: B023
        for more in (spot, ())
    )
    table.row(
        "amesh of 100 x 100, 10 counters and a ROI of a camera, s", mesh, f"{plain:.3g} (no camera)", mesh / plain
    )


def _resident_kib() -> int:
    gc.collect()
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if "VmRSS" in line)


def _flat(names: dict[str, Any], table: Table, npoints: int, nscans: int) -> None:
    """The last tenth of many points against the first, the last scans of many against the first."""
    loopscan, box = names["loopscan"], names["box1"]
    before = _resident_kib()
    scan = loopscan(npoints, 0, box)
    grown = (_resident_kib() - before) / 1024
    epochs, tenth = scan.get_data("timer:epoch"), npoints // 10
    first, last = (tenth / (part[-1] - part[0]) for part in (epochs[:tenth], epochs[-tenth:]))
    table.row(
        f"loopscan of {npoints:,} points: the last tenth, points/s", last, f"{first:,.0f} (first tenth)", last / first
    )
    table.row("memory that it leaves in the session, MB", grown, "", "")
    del scan, epochs
    few = min(500, nscans // 4)
    times: list[float] = []
    for number in range(nscans):
        times.append(timed(lambda: loopscan(1, 0, box)))
        if number == few:
            settled = _resident_kib()
    early, late = statistics.median(times[:few]), statistics.median(times[-few:])
    table.row(
        f"whole scan of one point, the last {few} of {nscans:,}, ms",
        1e3 * late,
        f"{1e3 * early:.3g} (first {few})",
        late / early,
    )
    table.row("memory that those between leave in the session, MB", (_resident_kib() - settled) / 1024, "", "")


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
    client: Any = redis.Redis.from_url(os.environ["BLISS_LIKE_REDIS"])
    first = loopscan(1, 0, names["box1"])
    keys = client.dbsize()
    while loopscan(1, 0, names["box1"]).scan_number < first.scan_number + 1000:
        pass
    table.row("keys per scan of one counter", (client.dbsize() - keys) / 1000, "", "")
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
