"""What it costs a scan to be saved while it runs: points per second, a whole scan of one point; and how far the file is behind.

python -m scripts.bench.saving [--writer FORMAT]
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import argparse  # noqa: E402
import statistics  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from bliss_like.data.redis_store import connect  # noqa: E402
from bliss_like.data.saving import progress  # noqa: E402
from scripts.bench.scans import boxes  # noqa: E402
from scripts.bench.session import bench_session  # noqa: E402
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
    writer = parser.parse_args().writer
    with bench_session(CONFIGURATION + boxes()) as names:
        names["SCAN_SAVING"].writer = writer
        first = seconds(lambda: names["loopscan"](1, 0, names["box1"]))
        table = Table("work", "saved", "not saved", "ratio")
        table.row("first scan of one point, which waits for the writer, ms", 1e3 * first, "", "")
        _one_point(names, table)
        for counters, npoints in ((1, 200_000), (10, 100_000), (100, 15_000)):
            _rate(names, table, counters, npoints)
        _delay(names, table)


def _one_point(names: dict[str, Any], table: Table) -> None:
    loopscan, box = names["loopscan"], names["box1"]
    saved, not_saved = in_turn(
        lambda: seconds(lambda: loopscan(1, 0, box)), lambda: seconds(lambda: loopscan(1, 0, box, save=False)), runs=50
    )
    table.row("whole scan of one point, ms", saved, not_saved, saved / not_saved)


def _rate(names: dict[str, Any], table: Table, counters: int, npoints: int) -> None:
    """From the first point to the last, so that what a scan waits for at its end does not count."""

    def run(save: bool) -> float:
        scan = names["loopscan"](npoints, 0, names[f"box{counters}"], save=save)
        info = scan.scan_info
        return float(info["end_timestamp"] - info["start_timestamp"]) / npoints

    saved, not_saved = in_turn(lambda: run(True), lambda: run(False), runs=5)
    work = f"loopscan of {npoints:,} points, {counters} counters, points/s"
    table.row(work, 1e3 / saved, 1e3 / not_saved, not_saved / saved)


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
    table.row("a point is on disk after, ms: median", half, "", "")
    table.row("the slowest of a hundred", most, f"{statistics.mean(delays):.3g} (mean)", "")


if __name__ == "__main__":
    main()
