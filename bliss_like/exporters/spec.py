"""Scans in the format of SPEC: motors, times and user in headers, scalars as columns, spectra as MCA lines; one file for many scans.

Its readers know numbers only, and no NaN (silx reads 0 or loses the line): where one is, or where a point is missing, stands
1e999, which they read as infinity, and a comment lists the points.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, BinaryIO

import numpy as np

from .fold import Array, Column, ScanExporter, ScanFold, Segment, Table
from .target import Target

PER_LINE = 8
CHANNELS_PER_LINE = 16
NO_NUMBER = "1e999"


class SpecExporter(ScanExporter):
    """Several tables of a scan are scans of the same number, which readers call `12.1`, `12.2`."""

    suffix = ".spec"
    template = "{session}"

    def __init__(self, target: Target, *, template: str = "") -> None:
        super().__init__(target, template=template)
        self._files: dict[str, BinaryIO] = {}
        self._motors: dict[str, list[str]] = {}
        """Those in the last header of each file."""
        self._lines: dict[Table, IO[bytes]] = {}
        self._odd: dict[Column, list[int]] = {}
        """Points with a NaN, or that are missing."""

    def begin(self, scan: ScanFold, table: Table) -> None:
        self._lines[table] = tempfile.SpooledTemporaryFile(max_size=16 << 20)  # noqa: SIM115 - closed with its scan
        left_out = [column for column in table.columns if not _held(column)]
        texts = [column.name for column in left_out if not column.shape]
        images = [column.name for column in left_out if column.shape]
        if texts:
            self.warn(scan, f"not written: {', '.join(texts)}: SPEC has no texts, nor references")
        if images:
            self.warn(scan, f"not written: {', '.join(images)}: SPEC has no images; export them as tiff")

    def rows(self, scan: ScanFold, table: Table, cells: dict[Column, list[Segment]]) -> None:
        lines = self._lines[table]
        scalars = [
            text
            for column, parts in cells.items()
            if _is_scalar(column)
            for text in self._columns(table, column, parts)
        ]
        spectra = [list(self._spectra(table, column, parts)) for column, parts in cells.items() if _is_spectrum(column)]
        nrows = sum(part if isinstance(part, int) else len(part) for part in next(iter(cells.values())))
        for row in range(nrows):
            text = "".join(line for spectrum in spectra for line in spectrum[row])
            if scalars:
                text += " ".join(column[row] for column in scalars) + "\n"
            lines.write(text.encode())

    def end_scan(self, scan: ScanFold) -> None:
        name = next(iter(self._files)) if self.target.single and self._files else self.naming.name(scan)
        if name not in self._files:
            self._files[name] = self.target.create(name)
        file = self._files[name]
        start = scan.info.get("positioners", {}).get("positioners_start", {})
        positions = {motor: position for motor, position in start.items() if position is not None}
        if self._motors.get(name) != list(positions):
            file.write("\n".join([*_file_header(scan, name, list(positions)), "", ""]).encode())
            self._motors[name] = list(positions)
        for table in scan.tables or [Table(1)]:
            header = [*_scan_header(scan, table, list(positions.values())), *self._odd_points(scan, table)]
            file.write(_line("\n".join([*header, *_columns_header(table), ""])))
            if lines := self._lines.pop(table, None):
                lines.seek(0)
                while chunk := lines.read(1 << 20):
                    file.write(chunk)
                lines.close()
            file.write(b"\n")

    def close(self) -> None:
        super().close()
        for file in self._files.values():
            file.close()

    # -- values ------------------------------------------------------------------------------------------------------

    def _columns(self, table: Table, column: Column, parts: list[Segment]) -> list[list[str]]:
        """Return the texts of one column, or of two for complex numbers."""
        texts: list[list[str]] = [[], []] if column.dtype.kind == "c" else [[]]
        index = column.length - column.waiting - sum(part if isinstance(part, int) else len(part) for part in parts)
        for part in parts:
            if isinstance(part, int):
                self._odd.setdefault(column, []).extend(range(index, index + part))
                for text in texts:
                    text += [NO_NUMBER] * part
                index += part
                continue
            self._odd.setdefault(column, []).extend((index + np.flatnonzero(np.isnan(part))).tolist())
            values = [part.real, part.imag] if part.dtype.kind == "c" else [part]
            for text, numbers in zip(texts, values, strict=True):
                text += _texts(numbers)
            index += len(part)
        return texts

    def _spectra(self, table: Table, column: Column, parts: list[Segment]) -> Iterator[list[str]]:
        """Yield the lines of each spectrum."""
        index = column.length - column.waiting - sum(part if isinstance(part, int) else len(part) for part in parts)
        for part in parts:
            points: Iterable[Array] = [np.empty(0)] * part if isinstance(part, int) else part
            for point in points:
                if not len(point) or np.isnan(point).any():
                    self._odd.setdefault(column, []).append(index)
                yield [_spectrum(_texts(point) or [NO_NUMBER])]
                index += 1

    def _odd_points(self, scan: ScanFold, table: Table) -> list[str]:
        comments = []
        for column in table.columns:
            if indices := self._odd.pop(column, []):
                comments.append(f"#C {NO_NUMBER} stands for NaN or nothing: {_name(column)}: points {_ranges(indices)}")
                self.warn(
                    scan,
                    f"{column.name}: SPEC has no NaN: {len(indices)} points with one, or missing, have {NO_NUMBER}",
                )
        return comments


def _held(column: Column) -> bool:
    return _is_scalar(column) or _is_spectrum(column)


def _is_scalar(column: Column) -> bool:
    return not column.shape and column.dtype.kind in "biufc"


def _is_spectrum(column: Column) -> bool:
    return len(column.shape) == 1 and column.dtype.kind in "biuf"


def _texts(values: Array) -> list[str]:
    """Return numbers as all readers of the format know them."""
    if values.dtype.kind == "b":
        values = values.astype(np.uint8)
    if values.dtype.kind in "iu":
        return [str(value) for value in values.tolist()]
    texts = (
        [repr(value) for value in values.tolist()] if values.dtype.itemsize == 8 else [str(value) for value in values]
    )
    for index in np.flatnonzero(~np.isfinite(values)):
        texts[index] = f"-{NO_NUMBER}" if values[index] == -np.inf else NO_NUMBER
    return texts


def _spectrum(texts: list[str]) -> str:
    lines = [" ".join(texts[first : first + CHANNELS_PER_LINE]) for first in range(0, len(texts), CHANNELS_PER_LINE)]
    return "@A " + "\\\n ".join(lines) + "\n"


# -- headers -------------------------------------------------------------------------------------------------------------


def _file_header(scan: ScanFold, name: str, motors: list[str]) -> list[str]:
    info = scan.info
    lines = [
        f"#F {_one_line(name)}",
        f"#E {int(info.get('start_timestamp', 0))}",
        f"#D {_date(info.get('start_time'))}",
    ]
    lines.append(_one_line(f"#C {info.get('session_name', '')}  User = {info.get('user_name', '')}", spaces=True))
    for first in range(0, len(motors), PER_LINE):
        lines.append(
            f"#O{first // PER_LINE} " + "  ".join(_one_line(motor) for motor in motors[first : first + PER_LINE])
        )
    return lines


def _scan_header(scan: ScanFold, table: Table, positions: list[float]) -> list[str]:
    info = scan.info
    lines = [_one_line(f"#S {info.get('scan_nb', 0)} {info.get('title') or info.get('name', '')}")]
    lines.append(f"#D {_date(info.get('start_time'))}")
    if isinstance(info.get("count_time"), int | float):
        lines.append(f"#T {info['count_time']}  (Seconds)")
    for first in range(0, len(positions), PER_LINE):
        texts = _texts(np.array(positions[first : first + PER_LINE], float))
        lines.append(f"#P{first // PER_LINE} " + " ".join(texts))
    told = {key: info.get(key) for key in ("uid", "user_name", "start_time", "end_time", "state", "filename")}
    told["sample"] = info.get("sample", {}).get("name")
    lines += [_one_line(f"#C {key} = {value}") for key, value in told.items() if value]
    lines += [_one_line(f"#C {note['timestamp']} {note['message']}") for note in info.get("comments", ())]
    if scan.end and scan.end.error:
        lines.append(_one_line(f"#C error: {scan.end.error.get('type')}: {scan.end.error.get('message')}"))
    return lines


def _columns_header(table: Table) -> list[str]:
    lines: list[str] = []
    spectra = [column for column in table.columns if _is_spectrum(column)]
    lines += [f"#@DET_{number} {_name(column)}" for number, column in enumerate(spectra)]
    if spectra:
        lines.append(f"#@MCA %{CHANNELS_PER_LINE}C")
        lines += [f"#@CHANN {size} 0 {size - 1} 1" for column in spectra for size in column.shape if size > 0][:1]
    names: list[str] = []
    for column in table.columns:
        if _is_scalar(column):
            name = _name(column) if _name(column) not in names else _one_line(column.path)
            names += [f"{name}.re", f"{name}.im"] if column.dtype.kind == "c" else [name]
    units = "  ".join(f"{_name(column)} {_one_line(column.unit)}" for column in table.columns if column.unit)
    lines += [f"#C units: {units}"] if units else []
    return [*lines, f"#N {len(names)}", "#L " + "  ".join(names)]


def _name(column: Column) -> str:
    return _one_line(column.name)


def _one_line(text: object, spaces: bool = False) -> str:
    """Return a text without line ends, and without two spaces in a row, which separate names."""
    return re.sub(r"[\r\n\t]+" if spaces else r"\s+", " ", str(text)).strip()


def _line(text: str) -> bytes:
    return text.encode("utf-8")


def _date(iso: object) -> str:
    try:
        return datetime.fromisoformat(str(iso)).strftime("%a %b %d %H:%M:%S %Y")
    except ValueError:
        return str(iso or "")


def _ranges(indices: list[int]) -> str:
    """Return `0-2 7` of 0, 1, 2, 7."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    return " ".join(f"{first}" if first == last else f"{first}-{last}" for first, last in runs)
