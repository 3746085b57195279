"""Scalars as comma-separated values: a file for each table of a scan, and a file without header for each channel of spectra.

Texts are in quotes, a cell without a point is empty, complex numbers are as Python writes them, `(1+2j)`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from bliss_like.errors import ExportError

from .fold import Array, Column, ScanExporter, ScanFold, Segment, Table
from .target import Target


class CsvExporter(ScanExporter):
    """:param separator: one character between cells.
    :param units: write a second line with the units of the columns.
    """

    suffix = ".csv"

    def __init__(self, target: Target, *, template: str = "", separator: str = ",", units: bool = False) -> None:
        if len(separator) != 1 or separator in '"\n\r':
            raise ExportError(f"csv: separator: expected one character, got {separator!r}")
        super().__init__(target, template=template)
        self._separator, self._units = separator, units
        self._files: dict[Table, BinaryIO] = {}
        self._spectra: dict[Column, BinaryIO] = {}

    def begin(self, scan: ScanFold, table: Table) -> None:
        scalars = [column for column in table.columns if not column.shape]
        if scalars and not (self.target.single and self._files_were_made(table)):
            file = self._files[table] = self.create(scan, table)
            self._line(file, [_quoted(column.name) for column in scalars])
            if self._units:
                self._line(file, [_quoted(column.unit) for column in scalars])
        elif scalars:
            self._not_held(scan, scalars, "the output has room for one table; name a directory")
        spectra = [column for column in table.columns if len(column.shape) == 1]
        if self.target.single and spectra:
            self._not_held(scan, spectra, "spectra are in files of their own; name a directory as output")
        elif spectra:
            names = [column.short_name for column in spectra]
            for column in spectra:
                part = column.short_name if names.count(column.short_name) == 1 else column.path[len(scan.path) + 1 :]
                self._spectra[column] = self.create(scan, table, part)
        images = [column for column in table.columns if len(column.shape) > 1]
        if images:
            self._not_held(scan, images, "a table has no place for images; export them as tiff")

    def rows(self, scan: ScanFold, table: Table, cells: dict[Column, list[Segment]]) -> None:
        scalars = [_cells(segments) for column, segments in cells.items() if not column.shape]
        if table in self._files:
            rows = map(self._separator.join, zip(*scalars, strict=True))
            self._files[table].write(("\n".join(rows) + "\n").encode())
        for column, file in self._spectra.items():
            for segment in cells.get(column, ()):
                points: Iterable[Array] = [np.empty(0)] * segment if isinstance(segment, int) else segment
                for point in points:
                    self._line(file, _texts(point) if len(point) else [])

    def end(self, scan: ScanFold, table: Table) -> None:
        if file := self._files.pop(table, None):
            file.close()
        for column in table.columns:
            if file := self._spectra.pop(column, None):
                file.close()

    def end_scan(self, scan: ScanFold) -> None:
        if not scan.tables:
            self.warn(scan, "it has no channels: there is no table to write")

    def _files_were_made(self, table: Table) -> bool:
        return bool(self._files) or table.number > 1

    def _line(self, file: BinaryIO, cells: list[str]) -> None:
        file.write((self._separator.join(cells) + "\n").encode())

    def _not_held(self, scan: ScanFold, columns: list[Column], why: str) -> None:
        self.warn(scan, f"not written: {', '.join(map(str, columns))}: {why}")


def _cells(segments: list[Segment]) -> list[str]:
    cells: list[str] = []
    for segment in segments:
        cells += [""] * segment if isinstance(segment, int) else _texts(segment)
    return cells


def _texts(values: Array) -> list[str]:
    """Return values as they are read back without loss."""
    if values.dtype.kind == "U":
        return [_quoted(text) for text in values.tolist()]
    if values.dtype.itemsize < 8 and values.dtype.kind == "f" or values.dtype.char in "FgG":
        return [str(value) for value in values]  # fewer digits say it, or Python's floats have not enough
    return list(map(repr, values.tolist()))


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
