"""Exporting a scan to a file: each format beside a plain write of the same arrays by its library, on the same disk in the same run.

python -m scripts.bench.export
"""

from __future__ import annotations

import base64
import json
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import h5py
import hdf5plugin
import msgpack
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tifffile

from bliss_like.exporters import feed, make_exporter, target_of
from scripts.bench.table import Table, in_turn, seconds
from tests.exporting import ChannelOf, ScanOf

Arrays = dict[str, np.ndarray]

BLOCK = 1000
"""Points that a walker yields at once of a scan that was; of images, one."""


def main() -> None:
    warnings.simplefilter("ignore")
    random = np.random.default_rng(1)
    scalars = {f"c{n}": random.normal(size=5000) for n in range(100)}
    spectra = {"mca": random.poisson(20, (500, 4096)).astype("<u4")}
    images = {"cam": random.poisson(20, (10, 2048, 2048)).astype("<u2")}
    table = Table("100 channels x 5000 scalars", "ours, MB/s", "plain library", "MB/s", "ratio")
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as directory:
        for format, (what, plain) in PLAIN.items():
            if format != "tiff":
                _row(table, f"scalars to {format}", format, what, plain, scalars, Path(directory))
        for format in ("csv", "spec", "parquet", "msgpack", "nexus"):
            _row(table, f"spectra of 4096 to {format}", format, *PLAIN[format], spectra, Path(directory))
        for format in ("tiff", "parquet", "msgpack", "nexus"):
            _row(table, f"images of 2048 x 2048 to {format}", format, *PLAIN[format], images, Path(directory))


def _row(
    table: Table,
    work: str,
    format: str,
    what: str,
    plain: Callable[[Arrays, Path], object],
    arrays: Arrays,
    directory: Path,
) -> None:
    npoints = len(next(iter(arrays.values())))
    channels = {f"timer:{name}": ChannelOf(values) for name, values in arrays.items()}
    scan = ScanOf(channels, info={"npoints": npoints})
    events = scan.events(BLOCK if next(iter(arrays.values())).ndim < 3 else 1)
    megabytes = sum(values.nbytes for values in arrays.values()) / 1e6

    def ours() -> None:
        target, template = target_of(
            directory / f"ours{{scan_nb}}{'_{event.seq_num}' * (format == 'tiff')}.{format}", overwrite=True
        )
        feed(make_exporter(format, target, template), target, events)

    mine, theirs = in_turn(lambda: seconds(ours), lambda: seconds(lambda: plain(arrays, directory)), runs=3)
    table.row(work, 1e3 * megabytes / mine, what, 1e3 * megabytes / theirs, theirs / mine)


def _text(arrays: Arrays, directory: Path) -> None:
    values = next(iter(arrays.values()))
    columns = np.column_stack(list(arrays.values())) if values.ndim == 1 else values
    np.savetxt(directory / "plain.txt", columns, fmt="%.17g", delimiter=",")


def _parquet(arrays: Arrays, directory: Path) -> None:
    columns = {}
    for name, values in arrays.items():
        column = pa.array(values.reshape(-1))
        for size in values.shape[:0:-1]:
            column = pa.FixedSizeListArray.from_arrays(column, size)
        columns[name] = column
    pq.write_table(pa.table(columns), directory / "plain.parquet", compression="zstd")


def _msgpack(arrays: Arrays, directory: Path) -> None:
    with open(directory / "plain.msgpack", "wb") as file:
        for values in arrays.values():
            step = BLOCK if values.ndim < 3 else 1
            for first in range(0, len(values), step):
                msgpack.pack({"shape": values.shape, "data": values[first : first + step].tobytes()}, file)


def _json(arrays: Arrays, directory: Path) -> None:
    with open(directory / "plain.jsonl", "w") as file:
        for values in arrays.values():
            for first in range(0, len(values), BLOCK):
                text = base64.b64encode(values[first : first + BLOCK].tobytes()).decode()
                file.write(json.dumps({"shape": values.shape, "data": text}) + "\n")


def _tiff(arrays: Arrays, directory: Path) -> None:
    for values in arrays.values():
        for index, image in enumerate(values):
            tifffile.imwrite(directory / f"plain_{index}.tif", image, photometric="minisblack", metadata=None)


def _hdf5(arrays: Arrays, directory: Path) -> None:
    with h5py.File(directory / "plain.h5", "w", libver=("v108", "v108"), locking=False) as file:
        for name, values in arrays.items():
            step = BLOCK if values.ndim < 3 else 1
            shape = values.shape[1:]
            options = dict(hdf5plugin.Bitshuffle(cname="lz4")) if shape else {}
            data = file.create_dataset(
                name,
                (0, *shape),
                values.dtype,
                maxshape=(None, *shape),
                chunks=(1 if shape else BLOCK, *shape),
                **options,
            )
            for first in range(0, len(values), step):
                block = values[first : first + step]
                data.resize(first + len(block), axis=0)
                data[first:] = block


PLAIN: dict[str, tuple[str, Callable[[Arrays, Path], object]]] = {
    "csv": ("numpy.savetxt", _text),
    "spec": ("numpy.savetxt", _text),
    "jsonl": ("json, base64", _json),
    "msgpack": ("msgpack", _msgpack),
    "parquet": ("pyarrow", _parquet),
    "nexus": ("h5py, compressed alike", _hdf5),
    "tiff": ("tifffile", _tiff),
}


if __name__ == "__main__":
    main()
