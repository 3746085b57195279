"""How benchmarks measure and print: medians of several runs, always beside what they are compared with."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable


def median_rate(run: Callable[[], float], runs: int = 5) -> float:
    """Return the median of `run()`, which returns a rate or a time."""
    return statistics.median(run() for _ in range(runs))


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(*actions: Callable[[], float], runs: int = 9) -> list[float]:
    """Return the medians in ms; measured in turn, as such machines change their pace, and all as in a new process."""

    def run(action: Callable[[], float]) -> float:
        gc.collect()
        gc.freeze()
        return action()

    rounds = [[run(action) for action in actions] for _ in range(runs + 1)]
    return [1e3 * statistics.median(times) for times in zip(*rounds[1:], strict=True)]


def quantiles(values: list[float]) -> tuple[float, float]:
    """Return p50 and p99."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


class Table:
    """Rows of a markdown table, printed as they come."""

    def __init__(self, *columns: str) -> None:
        print("| " + " | ".join(columns) + " |")
        print("|" + "---|" * len(columns))

    def row(self, *cells: object) -> None:
        print("| " + " | ".join(_text(cell) for cell in cells) + " |", flush=True)


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.0f}" if cell >= 1000 else f"{cell:.3g}"
    return str(cell)
