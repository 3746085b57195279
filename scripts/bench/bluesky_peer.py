"""The same work with bluesky, run by `scans.py` in an environment of its own; prints one JSON object.

Devices are as small as bluesky allows: `ophyd.sim` would cost some 40 % more. As it is installed ("stock").
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from bluesky import RunEngine
from bluesky.plans import count, scan


class Status:
    done = success = True

    def add_callback(self, callback: Any) -> None:
        callback(self)

    def exception(self, timeout: float = 0) -> None:
        return None


class Counter:
    parent = None

    def __init__(self, name: str) -> None:
        self.name = name

    def read(self) -> dict[str, Any]:
        return {self.name: {"value": 1.0, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        return {self.name: {"source": "bench", "dtype": "number", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        return {}

    describe_configuration = read_configuration


class SlowCounter(Counter):
    """Needs 50 ms for a reading, as most ophyd devices do in their `read`."""

    def read(self) -> dict[str, Any]:
        time.sleep(0.05)
        return super().read()


class Motor(Counter):
    position = 0.0

    def set(self, value: float) -> Status:
        self.position = value
        return Status()

    @property
    def hints(self) -> dict[str, Any]:
        return {"fields": [self.name]}


def main() -> None:
    engine = RunEngine({})
    engine.subscribe(lambda name, document: None)
    results: dict[str, float] = {}
    for counters, npoints in ((1, 1000), (10, 300), (100, 50)):
        detectors = [Counter(f"c{i}") for i in range(counters)]
        start = time.perf_counter()
        engine(count(detectors, num=npoints))
        results[f"count_{counters}"] = npoints / (time.perf_counter() - start)
    one = [Counter("c0")]
    start = time.perf_counter()
    for _ in range(50):
        engine(count(one, num=1))
    results["one_point"] = (time.perf_counter() - start) / 50
    start = time.perf_counter()
    engine(scan(one, Motor("m"), 0, 1, 500))
    results["ascan_point"] = (time.perf_counter() - start) / 500
    start = time.perf_counter()
    engine(count([SlowCounter(f"s{i}") for i in range(8)], num=5))
    results["slow_detectors"] = time.perf_counter() - start
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
