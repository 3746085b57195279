"""The wire alone: what a channel can emit, how soon another process has it, what a point costs in the server.

    python -m scripts.bench.wire

Limits taken in the same run: redis-py's pipelined XADD of the same bytes, and XADD to blocking XREAD between processes.
"""

from __future__ import annotations

import itertools
import multiprocessing
import multiprocessing.connection
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import redis

from bliss_like.data.events import EndScan, NewNode, NodeKind, PreparedScan
from bliss_like.data.node import get_session_node
from bliss_like.data.publisher import ChannelBuffer, StreamPublisher
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from scripts.bench.table import Table, median_rate, quantiles

CONTAINER = "bench:wire"


class OneChannel:
    """A scan with one channel, or several, on a real server."""

    def __init__(self, url: str, shape: tuple[int, ...] = (), nchannels: int = 1) -> None:
        self.store = RedisStore(url)
        tree = Tree(self.store)
        self.path = f"{CONTAINER}:{tree.next_scan_number(CONTAINER)}_bench"
        self.publisher: StreamPublisher = tree.open_scan(self.path, NodeKind.SCAN, {})
        self.sinks: list[ChannelBuffer] = []
        for i in range(nchannels):
            name = f"{self.path}:c{i}"
            info = {"fullname": f"c{i}", "dtype": "<f8", "shape": list(shape)}
            self.publisher.publish(NewNode(name, NodeKind.CHANNEL, info, self.path))
            self.sinks.append(self.publisher.open_channel(name, np.dtype("<f8"), shape))
        self.publisher.publish(PreparedScan(self.path))
        self.publisher.flush()

    def end(self) -> None:
        self.publisher.publish(EndScan(self.path, "DONE", {sink.path: sink.length for sink in self.sinks}))
        self.publisher.close()


def emit_rate(url: str, npoints: int, point: Any, extend: bool = False) -> float:
    """Return emits per second until all are stored."""
    scan = OneChannel(url, shape=point.shape[1:] if extend else np.shape(point))
    sink = scan.sinks[0]
    take = sink.extend if extend else sink.append
    start = time.perf_counter()
    for _ in range(npoints):
        take(point)
    scan.publisher.flush()
    rate = npoints / (time.perf_counter() - start)
    scan.end()
    return rate


def pipelined_limit(url: str, ncommands: int, payload: bytes) -> float:
    """Return XADDs per second of redis-py's pipeline, 100 at a time."""
    client = redis.Redis.from_url(url)
    start = time.perf_counter()
    for _ in range(ncommands // 100):
        pipeline = client.pipeline(transaction=False)
        for _ in range(100):
            pipeline.xadd("limit", {b"d": payload})
        pipeline.execute()
    rate = ncommands / (time.perf_counter() - start)
    client.delete("limit")
    return rate


def _listen(url: str, ready: Any, results: multiprocessing.connection.Connection) -> None:
    delays: list[float] = []
    seen = 0
    events = get_session_node("bench", RedisStore(url)).walk_on_new_events(["channel", "scan"], started_event=ready)
    for event in events:
        now = time.time()
        if event.type.name == "NEW_DATA" and event.data:
            delays += [now - sent for sent in event.data.data]
            seen += len(event.data.data)
        elif event.type.name == "END_SCAN":
            break
    results.send((delays, seen))


def _listen_raw(url: str, ready: Any, results: multiprocessing.connection.Connection) -> None:
    client = redis.Redis.from_url(url, socket_timeout=None)
    delays: list[float] = []
    last = "0-0"
    ready.set()
    while True:
        reply: Any = client.xread({"latency": last}, block=0)
        now = time.time()
        for _, entries in reply.items() if isinstance(reply, dict) else reply:
            for last, fields in entries:
                if fields[b"d"] == b"end":
                    results.send((delays, len(delays)))
                    return
                delays.append(now - float(fields[b"d"]))


def latency(url: str, rate: float, npoints: int, listen: Callable[..., None], emit: Callable[[], Any]) -> list[float]:
    """Return the delays from emit to its arrival in another process, in s."""
    ready = multiprocessing.Event()
    receiver, sender = multiprocessing.Pipe(False)
    process = multiprocessing.Process(target=listen, args=(url, ready, sender))
    process.start()
    ready.wait(30)
    point, end = emit()
    start = time.perf_counter()
    for i in itertools.count():
        if i == npoints:
            break
        while time.perf_counter() < start + i / rate:
            time.sleep(max(0.0, start + i / rate - time.perf_counter()))
        point(time.time())
    end()
    delays, seen = receiver.recv()
    process.join()
    if seen != npoints:
        raise SystemExit(f"the listener saw {seen} of {npoints} points")
    return list(delays)


def _emit_ours(url: str) -> tuple[Callable[[float], None], Callable[[], None]]:
    scan = OneChannel(url)
    return scan.sinks[0].append, scan.end


def _emit_raw(url: str) -> tuple[Callable[[float], None], Callable[[], None]]:
    client = redis.Redis.from_url(url)
    return (lambda sent: client.xadd("latency", {"d": repr(sent)}), lambda: client.xadd("latency", {"d": "end"}))


def memory_per_point(url: str, npoints: int, pause: Callable[[], None]) -> float:
    client: Any = redis.Redis.from_url(url)
    scan = OneChannel(url)
    for i in range(npoints):
        scan.sinks[0].append(float(i))
        pause()
    scan.publisher.flush()
    used = client.memory_usage(scan.sinks[0].key, samples=0)
    scan.end()
    return float(used) / npoints


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        try:
            _measure(server.url)
        finally:
            server.stop()


def _measure(url: str) -> None:
    table = Table("work", "ours", "limit in the same run", "ratio")
    ours = median_rate(lambda: emit_rate(url, 100_000, 1.0))
    limit = median_rate(lambda: pipelined_limit(url, 50_000, bytes(8)))
    table.row("scalars on one channel, emits/s", ours, f"{limit:,.0f} XADD/s pipelined", ours / limit)
    ours = median_rate(lambda: 1000 * emit_rate(url, 5000, np.zeros(1000), extend=True))
    limit = 1000 * median_rate(lambda: pipelined_limit(url, 5000, bytes(8000)))
    table.row("blocks of 1000, points/s", ours, f"{limit:,.0f}", ours / limit)
    array = np.zeros(4096)
    ours = median_rate(lambda: emit_rate(url, 2000, array) * array.nbytes / 1e6)
    limit = median_rate(lambda: pipelined_limit(url, 2000, bytes(array.nbytes)) * array.nbytes / 1e6)
    table.row("arrays of 4096 float64, MB/s", ours, f"{limit:,.0f}", ours / limit)
    for rate in (100, 1000):
        raw = quantiles(latency(url, rate, 2 * rate, _listen_raw, lambda: _emit_raw(url)))
        mine = quantiles(latency(url, rate, 2 * rate, _listen, lambda: _emit_ours(url)))
        for name, value, floor in zip(("p50", "p99"), mine, raw, strict=True):
            table.row(
                f"emit to NEW_DATA elsewhere at {rate}/s, {name}, ms",
                1e3 * value,
                f"{1e3 * floor:.3g} XADD to XREAD",
                value / floor,
            )
        redis.Redis.from_url(url).delete("latency")
    table.row(
        "server memory per scalar point, emitted at 100 kHz, bytes", memory_per_point(url, 100_000, lambda: None), 8, ""
    )
    slow = memory_per_point(url, 3_000, lambda: time.sleep(0.001))
    table.row("the same, emitted singly now and then, bytes", slow, "15 (bare entry of 8 bytes)", slow / 15)


if __name__ == "__main__":
    main()
