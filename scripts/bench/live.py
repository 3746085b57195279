"""What subscribers cost a scan: points per second with none, with one that folds, and with several, lossy and lossless.

Seconds are those of the processor: these scans wait for nothing, and other programs do not count.

python -m scripts.bench.live
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all(thread=False, queue=False)

import statistics  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from typing import Any  # noqa: E402

from bliss_like.data.events import NewData  # noqa: E402
from bliss_like.live import LiveCallback, LiveScan, LiveTable, LiveTree  # noqa: E402
from scripts.bench.session import bench_session, boxes  # noqa: E402
from scripts.bench.table import Table  # noqa: E402

CONFIGURATION = """
- name: bench
  class: Session
  config-objects: ["box*"]
  scan_saving: {base_path: HOME, writer: "null"}
"""
NPOINTS = {1: 150_000, 10: 50_000, 100: 10_000}
"""By the number of counters: scans of a second or so."""


class Fold(LiveCallback):
    """Has all points of all channels, as whatever shows them."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def data(self, scan: LiveScan, channel: object) -> None:
        self.calls += 1


def heavy(event: object) -> None:
    """Calculate for a millisecond, with each event that has points."""
    end = time.perf_counter() + 0.001
    while isinstance(event, NewData) and time.perf_counter() < end:
        pass


def points_per_second(scan: Any, npoints: int) -> float:
    start = time.thread_time()
    scan.run()
    return npoints / (time.thread_time() - start)


CASES: dict[str, tuple[Callable[[], Any], bool, int]] = {
    "one fold": (Fold, False, 1),
    "one fold, lossless": (Fold, True, 1),
    "ten folds": (Fold, False, 10),
    "LiveTable": (lambda: LiveTable(width=250, out=lambda line: None), False, 1),
    "LiveTree, which has the progress": (LiveTree, False, 1),
    "one that calculates 1 ms for each event": (lambda: heavy, False, 1),
}


def main() -> None:
    table = Table("loopscan, subscribers", "points/s", "without, in the same run", "ratio")
    with bench_session(CONFIGURATION + boxes()) as names:
        for counters, npoints in NPOINTS.items():

            def scan(names: dict[str, Any] = names, counters: int = counters, npoints: int = npoints) -> Any:
                return names["loopscan"](npoints, 0, names[f"box{counters}"], run=False)

            for label, (make, lossless, number) in CASES.items():
                with_it, without = _in_turn(scan, make, lossless, number, npoints)
                table.row(f"{counters} counters, {label}", with_it, f"{without:,.0f}", with_it / without)


def _in_turn(
    scan: Callable[[], Any], make: Callable[[], Any], lossless: bool, number: int, npoints: int
) -> tuple[float, float]:
    """Return points per second with and without subscribers, measured in turn."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(5):
        followed = scan()
        for _ in range(number):
            followed.subscribe(make(), lossless=lossless)
        rates[0].append(points_per_second(followed, npoints))
        rates[1].append(points_per_second(scan(), npoints))
    return statistics.median(rates[0]), statistics.median(rates[1])


if __name__ == "__main__":
    main()
