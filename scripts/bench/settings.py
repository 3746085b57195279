"""Settings: what a read costs while nobody changes it, and changes by one process and by several.

    python -m scripts.bench.settings

The limit, in the same run: one round trip to the server (PING).
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bliss_like.config.settings import HashSetting, ParametersWardrobe, SimpleSetting, use_store
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from scripts.bench.table import Table, median_rate, quantiles


def cost(action: Callable[[], object], ntimes: int = 2000) -> float:
    """Return the microseconds of one call, the median of five series."""

    def series() -> float:
        start = time.perf_counter()
        for _ in range(ntimes):
            action()
        return (time.perf_counter() - start) / ntimes * 1e6

    return median_rate(series)


def _increment(url: str, ntimes: int, ready: Any) -> None:
    use_store(RedisStore(url).keys)
    counter = SimpleSetting("contended", default_value=0)
    counter.get()
    ready.wait()
    for _ in range(ntimes):
        counter += 1


def contended(url: str, nprocesses: int, ntimes: int) -> float:
    """Return the microseconds of one increment where several processes increment one setting."""
    ready = multiprocessing.Barrier(nprocesses + 1)
    processes = [multiprocessing.Process(target=_increment, args=(url, ntimes, ready)) for _ in range(nprocesses)]
    for process in processes:
        process.start()
    counter = SimpleSetting("contended", default_value=0)
    counter.set(0)
    ready.wait()
    start = time.perf_counter()
    for process in processes:
        process.join()
    duration = time.perf_counter() - start
    if counter.get() != nprocesses * ntimes:
        raise SystemExit(f"expected {nprocesses * ntimes} increments, found {counter.get()}")
    return duration / (nprocesses * ntimes) * 1e6


def _watch(url: str, results: multiprocessing.connection.Connection) -> None:
    setting = SimpleSetting("watched", RedisStore(url).keys)
    setting.get()
    results.send("ready")
    last, delays = None, []
    while (value := setting.get()) != "end":
        if value != last:
            last = value
            delays.append(time.time() - value)
        time.sleep(0)
    results.send(delays)


def delays_of_changes(url: str, nchanges: int) -> list[float]:
    """Return the seconds from a change to the first read in another process that sees it, of those that one has seen."""
    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.Process(target=_watch, args=(url, sender))
    setting = SimpleSetting("watched")
    setting.clear()
    process.start()
    receiver.recv()
    for _ in range(nchanges):
        setting.set(time.time())
        time.sleep(0.005)
    setting.set("end")
    delays: list[float] = receiver.recv()
    process.join()
    return delays


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        try:
            _measure(server.url)
        finally:
            server.stop()


def _measure(url: str) -> None:
    store = RedisStore(url)
    use_store(store.keys)
    simple, table = SimpleSetting("simple"), HashSetting("table")
    simple.set(1.5)
    table.set({f"key{i}": i for i in range(20)})
    parameters = ParametersWardrobe("bench", {f"p{i}": i for i in range(10)})
    key = "bl1:setting:{simple}"
    rows: list[tuple[str, Callable[[], object]]] = [
        ("read of a key that nobody changes", lambda: store.keys.read(key)),
        ("SimpleSetting.get()", simple.get),
        ("HashSetting[key], 20 keys", lambda: table["key7"]),
        ("a parameter of 10", lambda: parameters.p7),
        ("read of a key just changed here", lambda: (store.keys.forget([key]), store.keys.read(key))),
        ("SimpleSetting.set()", lambda: simple.set(1.5)),
        ("SimpleSetting += 1, nobody else", lambda: simple.update(lambda value: value + 1)),
    ]
    output = Table("work", "us", "round trip (PING) in the same run, us", "ratio")
    for name, action in rows:
        ping = cost(lambda: store.call("PING"))
        ours = cost(action)
        output.row(name, ours, ping, ours / ping)
    ping = cost(lambda: store.call("PING"))
    ours = contended(url, 2, 2000)
    output.row("SimpleSetting += 1, two processes at once", ours, ping, ours / ping)
    p50, p99 = quantiles(delays_of_changes(url, 200))
    output.row("change to its first read in another process, p50 / p99", f"{1e6 * p50:.0f} / {1e6 * p99:.0f}", ping, "")


if __name__ == "__main__":
    main()
