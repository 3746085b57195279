"""Tables of a scan as Parquet files: scalars as columns, spectra and images as columns of lists, complex numbers as structs.

Units, names and types are in the metadata of each field (`unit`, `fullname`, `db_name`, `dtype`, `shape`), the scan's info
in that of the file (`scan_info`, JSON). A point that is not there is null; a NaN is a NaN.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bliss_like.data.codec import to_json
from bliss_like.errors import ExportError

from .fold import Array, Column, ScanExporter, ScanFold, Segment, Table
from .target import Target

COMPRESSIONS = ("zstd", "snappy", "gzip", "lz4", "brotli", "none")
GROUP_BYTES = 32 << 20
"""Points that are gathered in memory before they are written as a row group."""
OVERHEAD = 128
"""Bytes that an array takes beside its points."""


class ParquetExporter(ScanExporter):
    """:param compression: `zstd`, `snappy`, `gzip`, `lz4`, `brotli` or `none`."""

    suffix = ".parquet"

    def __init__(self, target: Target, *, template: str = "", compression: str = "zstd") -> None:
        if compression not in COMPRESSIONS:
            raise ExportError(
                f"parquet: compression: expected zstd, snappy, gzip, lz4, brotli or none, got {compression!r}"
            )
        super().__init__(target, template=template)
        self._compression = compression
        self._writers: dict[Table, pq.ParquetWriter] = {}
        self._gathered: dict[Table, dict[Column, list[Segment]]] = {}
        self._gathered_bytes: dict[Table, int] = {}

    def begin(self, scan: ScanFold, table: Table) -> None:
        schema = pa.schema([_field(column, name) for column, name in _names(table).items()])
        file = self.create(scan, table)
        self._writers[table] = pq.ParquetWriter(file, schema, compression=self._compression)
        self._forget(table)

    def rows(self, scan: ScanFold, table: Table, cells: dict[Column, list[Segment]]) -> None:
        for column, segments in cells.items():
            self._gathered[table][column] += segments
            self._gathered_bytes[table] += sum(OVERHEAD + part.nbytes for part in segments if not isinstance(part, int))
        if self._gathered_bytes[table] > GROUP_BYTES:
            self._write_group(table)

    def end(self, scan: ScanFold, table: Table) -> None:
        self._write_group(table)
        writer = self._writers.pop(table)
        info = {"scan": scan.path, "scan_info": to_json(scan.info).decode(), "table": str(table.number)}
        writer.add_key_value_metadata({f"bliss_like.{key}": value for key, value in info.items()})
        writer.close()

    def end_scan(self, scan: ScanFold) -> None:
        if not scan.tables:
            self.warn(scan, "it has no channels: there is no table to write")

    def _write_group(self, table: Table) -> None:
        cells = self._gathered[table]
        writer = self._writers[table]
        arrays = [
            pa.chunked_array([_array(part, field.type) for part in _joined(segments)], field.type)
            for segments, field in zip(cells.values(), writer.schema, strict=True)
        ]
        if arrays and len(arrays[0]):
            writer.write_table(pa.table(arrays, writer.schema))
        self._forget(table)

    def _forget(self, table: Table) -> None:
        self._gathered[table] = {column: [] for column in table.columns}
        self._gathered_bytes[table] = 0


def _names(table: Table) -> dict[Column, str]:
    """Return names that no two columns share."""
    names = [column.name for column in table.columns]
    return {column: column.name if names.count(column.name) == 1 else column.path for column in table.columns}


def _field(column: Column, name: str) -> pa.Field:
    kind = _type(column.dtype, column)
    for _ in column.shape:
        kind = pa.list_(kind)
    about = {
        "unit": column.unit,
        "fullname": column.name,
        "db_name": column.path,
        "dtype": column.dtype.str,
        "shape": json.dumps(column.shape),
    }
    return pa.field(name, kind, metadata=about)


def _type(dtype: np.dtype[Any], column: Column) -> pa.DataType:
    if dtype.kind == "U":
        return pa.string()
    if dtype.kind == "c" and dtype.itemsize <= 16:
        part = pa.from_numpy_dtype(np.dtype(f"f{dtype.itemsize // 2}"))
        return pa.struct([("re", part), ("im", part)])
    try:
        return pa.from_numpy_dtype(dtype)
    except pa.ArrowNotImplementedError as error:
        raise ExportError(
            f"channel {column.path}: Parquet has no type for {dtype}; leave it out with --channels"
        ) from error


def _joined(segments: list[Segment]) -> Iterator[Segment]:
    """Yield consecutive points of one shape as one array: live scans bring them one by one."""
    for shape, some in groupby(segments, key=lambda part: None if isinstance(part, int) else part.shape[1:]):
        parts = list(some)
        yield sum(parts) if shape is None else parts[0] if len(parts) == 1 else np.concatenate(parts)


def _array(segment: Segment, kind: pa.DataType) -> pa.Array:
    if isinstance(segment, int):
        return pa.nulls(segment, kind)
    array = _flat(segment.reshape(-1))
    for axis in range(segment.ndim - 1, 0, -1):
        count = int(np.prod(segment.shape[:axis]))
        offsets = np.arange(count + 1, dtype=np.int32) * segment.shape[axis]
        array = pa.ListArray.from_arrays(offsets.astype(np.int32), array)
    return array


def _flat(values: Array) -> pa.Array:
    if values.dtype.kind == "U":
        return pa.array(values.tolist(), pa.string())
    if values.dtype.kind == "c":
        return pa.StructArray.from_arrays([pa.array(values.real.copy()), pa.array(values.imag.copy())], ["re", "im"])
    return pa.array(values)
