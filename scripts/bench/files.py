"""Files beside h5py alone, in turn on the same disk, in MB/s: growing files, and scans on their way from the store.

python -m scripts.bench.files [DIRECTORY]
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from bliss_like.data import paths
from bliss_like.data.redis_store import connect
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.store import StreamStore
from bliss_like.data.tree import Tree
from bliss_like.data.walker import Walker
from bliss_like.hdf5 import Compression, GrowingFile
from bliss_like.writers.recovery import recover
from scripts.bench.table import Table
from tests.publishing import PublishedScan

RUNS = 3


@dataclass(frozen=True)
class Work:
    """What is written: blocks of points to so many datasets, a commit or a flush after every `every` of them."""

    name: str
    block: np.ndarray[Any, Any]
    nblocks: int
    every: int
    ndatasets: int = 1
    compression: Compression = "none"
    npoints: int | None = None

    @property
    def megabytes(self) -> float:
        return self.ndatasets * self.nblocks * self.block.nbytes / 1e6


def ours(path: str, work: Work) -> None:
    with GrowingFile.open(path, new=True) as file:
        shape = work.block.shape[1:]
        datasets = [
            file.make_dataset(file.h5, f"d{n}", work.block.dtype, shape, work.npoints, work.compression)
            for n in range(work.ndatasets)
        ]
        for number in range(work.nblocks):
            for dataset in datasets:
                file.append(dataset, work.block)
            if number % work.every == work.every - 1:
                file.commit()


def plain(path: str, work: Work) -> None:
    shape, length = work.block.shape[1:], len(work.block)
    rows = max(1, min(work.npoints or 2048, (1 << 20) // work.block[0].nbytes)) if work.compression == "none" else 1
    options = {} if work.compression == "none" else dict(hdf5plugin.Bitshuffle(cname="lz4"))
    with h5py.File(path, "x", libver=("earliest", "v108"), locking=False) as file:
        datasets = [
            file.create_dataset(
                f"d{n}", (0, *shape), work.block.dtype, maxshape=(None, *shape), chunks=(rows, *shape), **options
            )
            for n in range(work.ndatasets)
        ]
        for number in range(work.nblocks):
            first = number * length
            for dataset in datasets:
                dataset.resize(first + length, 0)
                dataset[first:] = work.block
            if number % work.every == work.every - 1:
                file.flush()


def rate(write: Callable[[str, Work], None], directory: str, work: Work) -> float:
    path = os.path.join(directory, "file.h5")
    begin = time.perf_counter()
    write(path, work)
    with open(path, "rb") as file:
        os.fsync(file.fileno())  # else it is the memory that is measured
    took = time.perf_counter() - begin
    os.unlink(path)
    return work.megabytes / took


def main(directory: str | None) -> None:
    rng = np.random.default_rng(1)
    images = rng.poisson(20, (2, 2048, 2048)).astype(np.uint16)
    works = [
        Work("100 scalars, blocks of 1000", rng.random(1000), 500, 10, 100, npoints=500_000),
        Work("100 scalars, blocks of 50", rng.random(50), 1000, 10, 100, npoints=50_000),
        Work("100 scalars, blocks of 50, number not known", rng.random(50), 1000, 10, 100),
        Work("100 scalars, one by one", rng.random(1), 1000, 50, 100, npoints=1000),
        Work("4096 float64, one by one", rng.random((1, 4096)), 8000, 50, npoints=8000),
        Work("4096 float64, blocks of 16", rng.random((16, 4096)), 2000, 10, npoints=32_000),
        Work("4096 float64, blocks of 16, number not known", rng.random((16, 4096)), 2000, 10),
        Work("2k x 2k uint16", images, 120, 4, npoints=240),
        Work("2k x 2k uint16, number not known", images, 120, 4),
        Work("2k x 2k uint16, bitshuffle and lz4", images, 60, 4, compression="bitshuffle"),
    ]
    table = Table("MB/s", "growing file", "h5py alone", "ratio")
    with tempfile.TemporaryDirectory(dir=directory) as place:
        for work in works:
            pairs = [(rate(ours, place, work), rate(plain, place, work)) for _ in range(RUNS)]
            mine, theirs = (statistics.median(rates) for rates in zip(*pairs, strict=True))
            table.row(work.name, mine, theirs, statistics.median(one / other for one, other in pairs))

    _scans(directory)


def _scans(directory: str | None) -> None:
    """Whole scans as the writer saves them, who reads the points from the store; h5py has them in memory."""
    rng = np.random.default_rng(1)
    works = [
        Work("100 scalars, blocks of 1000", rng.random(1000), 250, 10, 100, npoints=250_000),
        Work("4096 float64, blocks of 16", rng.random((16, 4096)), 500, 10, npoints=8000),
        Work(
            "2k x 2k uint16",
            rng.poisson(20, (1, 2048, 2048)).astype("<u2"),
            40,
            4,
            compression="bitshuffle",
            npoints=40,
        ),
    ]
    table = Table("scans, MB/s", "from store to file", "h5py alone", "ratio", "only reading the store")
    with tempfile.TemporaryDirectory(prefix="bl-", dir=directory or "/tmp") as place:
        server = EmbeddedServer(Path(place), ephemeral=True)
        server.ensure()
        os.environ["BLISS_LIKE_HOME"], os.environ["BLISS_LIKE_REDIS"] = place, server.url
        try:
            store = connect()
            for work in works:
                rounds = [(_saved(store, place, work), rate(plain, place, work)) for _ in range(RUNS)]
                mine, theirs, reading = (
                    statistics.median(rates)
                    for rates in ([a[0] for a, _ in rounds], [b for _, b in rounds], [a[1] for a, _ in rounds])
                )
                table.row(work.name, mine, theirs, statistics.median(a[0] / b for a, b in rounds), reading)
        finally:
            server.stop()


def _saved(store: StreamStore, directory: str, work: Work) -> tuple[float, float]:
    """Return the rates of saving a scan that has been published, and of reading it only."""
    path = os.path.join(directory, "scan.h5")
    info = {
        "data_writer": "nexus",
        "filename": path,
        "base_path": directory,
        "uid": uuid.uuid4().hex,
        "start_timestamp": 1.0,
    }
    channels = {f"c{n}": (work.block.dtype.str, work.block.shape[1:]) for n in range(work.ndatasets)}
    scan = PublishedScan(Tree(store), channels=channels, info={**info, "npoints": work.npoints}).prepare()
    for _ in range(work.nblocks):
        for name in channels:
            scan.emit(work.block, name)
    scan.end()
    begin = time.perf_counter()
    for _ in Walker(store, scan.path, patience=0).events(wait=False):
        pass
    middle = time.perf_counter()
    (event,) = recover(store, [scan.path])
    end = time.perf_counter()
    if event.state != "SAVED":
        raise SystemExit(event.error)
    os.unlink(path)
    store.delete([paths.scan(scan.path), *(paths.data(sink.path, scan.path) for sink in scan.sinks.values())])
    return work.megabytes / (end - middle), work.megabytes / (middle - begin)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
