"""What it costs a scan to be saved while it runs: points per second, a whole scan of one point; and how far the file is behind.

python -m scripts.bench.saving [--writer FORMAT] [--long]

`--long` takes a million points and ten thousand scans to see whether the memory of the writer stays flat: some five minutes.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import argparse  # noqa: E402
import os  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from bliss_like.data.redis_store import connect  # noqa: E402
from bliss_like.data.saving import progress, writer_status  # noqa: E402
from scripts.bench.session import bench_session, boxes  # noqa: E402
from scripts.bench.table import Table, in_turn, quantiles, seconds  # noqa: E402

CONFIGURATION = """
- name: bench
  class: Session
  config-objects: ["box*"]
  scan_saving: {base_path: HOME/data}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writer", default="nexus", help="format")
    parser.add_argument("--long", action="store_true", help="a million points, ten thousand scans")
    options = parser.parse_args()
    with bench_session(CONFIGURATION + boxes()) as names:
        names["SCAN_SAVING"].writer = options.writer
        first = seconds(lambda: names["loopscan"](1, 0, names["box1"]))
        table = Table("work", "saved", "not saved", "ratio", "CPU of the writer")
        table.row("first scan of one point, which waits for the writer, ms", 1e3 * first, "", "", "")
        _one_point(names, table)
        for counters, npoints in ((1, 200_000), (10, 100_000), (100, 15_000)):
            _rate(names, table, counters, npoints)
        _delay(names, table)
        _memory(names, table, *((1_000_000, 10_000) if options.long else (200_000, 1_000)))


def _writer() -> int:
    """Return the pid of the writer."""
    status = writer_status(connect(), "bench")
    if status is None:
        raise SystemExit("the writer has died")
    return status.pid


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if "VmRSS" in line) / 1024


def _one_point(names: dict[str, Any], table: Table) -> None:
    loopscan, box, pid, runs = names["loopscan"], names["box1"], _writer(), 50
    before = _cpu_seconds(pid)
    saved, not_saved = in_turn(
        lambda: seconds(lambda: loopscan(1, 0, box)),
        lambda: seconds(lambda: loopscan(1, 0, box, save=False)),
        runs=runs,
    )
    spent = 1e3 * (_cpu_seconds(pid) - before) / (runs + 1)
    table.row("whole scan of one point, ms", saved, not_saved, saved / not_saved, f"{spent:.3g} ms a scan")


def _rate(names: dict[str, Any], table: Table, counters: int, npoints: int) -> None:
    """From the first point to the last, so that what a scan waits for at its end does not count."""

    def run(save: bool) -> float:
        scan = names["loopscan"](npoints, 0, names[f"box{counters}"], save=save)
        info = scan.scan_info
        return float(info["end_timestamp"] - info["start_timestamp"]) / npoints

    pid, runs = _writer(), 5
    before = _cpu_seconds(pid)
    saved, not_saved = in_turn(lambda: run(True), lambda: run(False), runs=runs)
    spent = 1e6 * (_cpu_seconds(pid) - before) / (runs + 1) / npoints
    work = f"loopscan of {npoints:,} points, {counters} counters, points/s"
    table.row(work, 1e3 / saved, 1e3 / not_saved, not_saved / saved, f"{spent:.3g} us a point")


def _delay(names: dict[str, Any], table: Table) -> None:
    """Of points that come every 10 ms: from the moment when each is there to that when its writer says that it is on disk."""
    scan = names["loopscan"](300, 0.01, names["box10"], run=False)
    seen: list[tuple[float, int]] = []

    def look() -> None:
        while True:
            done = min(progress(connect(), scan.path).values(), default=0) if scan.path else 0
            seen.append((time.time(), done))
            gevent.sleep(0.002)

    looking = gevent.spawn(look)
    scan.run()
    looking.kill()
    epochs = scan.get_data("timer:epoch")
    delays = [
        1e3 * (next(when for when, done in seen if done > index) - epoch)
        for index, epoch in enumerate(epochs)
        if index < seen[-1][1]
    ]
    half, most = quantiles(delays)
    table.row("a point is on disk after, ms: median", half, "", "", "")
    table.row("the slowest of a hundred", most, f"{statistics.mean(delays):.3g} (mean)", "", "")


def _memory(names: dict[str, Any], table: Table, npoints: int, nscans: int) -> None:
    """Of the writer: after a tenth of the points or scans, and after all."""
    loopscan, box, pid = names["loopscan"], names["box1"], _writer()
    loopscan(npoints // 10, 0, box)
    before = _megabytes(pid)
    loopscan(npoints, 0, box)
    after = _megabytes(pid)
    table.row(
        f"memory of the writer after {npoints:,} points, MB", after, f"{before:.3g} (a tenth)", after / before, ""
    )
    times: list[float] = []
    for number in range(nscans):
        times.append(seconds(lambda: loopscan(1, 0, box)))
        if number == nscans // 10:
            before = _megabytes(pid)
    after = _megabytes(pid)
    table.row(f"the same after {nscans:,} scans", after, f"{before:.3g} (a tenth)", after / before, "")
    few = nscans // 10
    first, last = (1e3 * statistics.median(some) for some in (times[:few], times[-few:]))
    table.row(
        f"whole scan of one point, the last {few:,} of {nscans:,}, ms", last, f"{first:.3g} (first)", last / first, ""
    )


if __name__ == "__main__":
    main()
