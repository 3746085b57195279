"""Images of scans as TIFF files, one for each image or a stack of all; what is known of an image is in its description, JSON."""

from __future__ import annotations

from typing import Any

import numpy as np
import tifffile

from bliss_like.data.codec import to_json
from bliss_like.data.images import read_references, to_references

from .fold import Array, Column, ScanExporter, ScanFold, Segment, Table
from .target import Target

LARGE = 3 << 30
"""Bytes from which on a stack is a BigTIFF; a TIFF ends at 4 GiB."""
AT_ONCE = 8
"""Images that are read from the detector's files at once."""


class TiffExporter(ScanExporter):
    """Scalars of the same point are in the description of an image, and can be in its name.

    :param stack: all images of a channel in one file, each a page. A point that is itself a stack of planes is a file of pages,
        or, if the template has `{i}`, a file for each plane.
    """

    suffix = ".tif"
    template = "{session}_{scan_nb}_{name}/{channel}_{event.seq_num:05d}"
    template_of_stacks = "{session}_{scan_nb}_{name}_{channel}"

    def __init__(self, target: Target, *, template: str = "", stack: bool = False) -> None:
        super().__init__(target, template=template or (self.template_of_stacks if stack else ""))
        self._stack = stack
        self._stacks: dict[Column, tifffile.TiffWriter] = {}
        self._rows: dict[Table, int] = {}

    def begin(self, scan: ScanFold, table: Table) -> None:
        images = [column for column in table.columns if column.is_image]
        self._rows[table] = 0
        left_out = [column.name for column in table.columns if len(column.shape) == 1]
        left_out += [] if images else [column.name for column in table.columns if not column.shape]
        if left_out and any(column.is_image for column in scan.columns()):
            self.warn(scan, f"not written: {', '.join(left_out)}: no image is of their points, or they are spectra")

    def rows(self, scan: ScanFold, table: Table, cells: dict[Column, list[Segment]]) -> None:
        scalars = {
            column: _values(parts) for column, parts in cells.items() if not column.shape and not column.is_image
        }
        nrows = 0
        for column, parts in cells.items():
            nrows = sum(part if isinstance(part, int) else len(part) for part in parts)
            if column.is_image:
                row = 0
                for part in parts:
                    row = self._write_part(scan, table, column, part, row, scalars)
        self._rows[table] += nrows

    def end(self, scan: ScanFold, table: Table) -> None:
        for column in table.columns:
            if writer := self._stacks.pop(column, None):
                writer.close()

    def end_scan(self, scan: ScanFold) -> None:
        if not any(column.is_image and column.length for column in scan.columns()):
            self.warn(scan, "it has no images: there is no file to write")

    def _write_part(
        self, scan: ScanFold, table: Table, column: Column, part: Segment, row: int, scalars: dict[Column, list[Any]]
    ) -> int:
        """Write consecutive images; return the row after the last one."""
        if isinstance(part, int):
            return row + part
        for first in range(0, len(part), AT_ONCE):
            some = part[first : first + AT_ONCE]
            for image in read_references(to_references(some)) if column.is_reference else some:
                data = {known.name: values[row] for known, values in scalars.items() if values[row] is not None}
                if image.size:
                    self._write_image(scan, column, self._rows[table] + row, image, data)
                else:
                    self.warn(
                        scan, f"{column.name}: not written: image {self._rows[table] + row + 1}, it has no pixels"
                    )
                row += 1
        return row

    def _write_image(self, scan: ScanFold, column: Column, index: int, image: Array, data: dict[str, Any]) -> None:
        short = {name.rpartition(":")[2]: value for name, value in data.items()}
        point = {"channel": column.short_name, "seq_num": index + 1, "data": short | data}
        description = _description(scan, column, index, data)
        planes = _planes(image)
        if self._stack:
            if column not in self._stacks:
                file = self.target.create(self.naming.name(scan, point={"channel": column.short_name}), seek=True)
                self._stacks[column] = tifffile.TiffWriter(file, bigtiff=_is_large(scan, image))
            _write_planes(self._stacks[column], planes, description)
        elif "i" in self.naming.fields:
            for number, plane in enumerate(planes):
                self._write_file(self.naming.name(scan, point=point | {"i": number}), plane[np.newaxis], description)
        else:
            self._write_file(self.naming.name(scan, point=point), planes, description)

    def _write_file(self, name: str, planes: Array, description: str) -> None:
        with (
            self.target.create(name, seek=True) as file,
            tifffile.TiffWriter(file, bigtiff=planes.nbytes > LARGE) as writer,
        ):
            _write_planes(writer, planes, description)


def _write_planes(writer: tifffile.TiffWriter, planes: Array, description: str) -> None:
    for plane in planes:
        # Said for each page, else three columns of pixels would be taken for colours.
        writer.write(plane, photometric="minisblack", description=description, metadata=None, contiguous=False)


def _planes(image: Array) -> Array:
    """Return the two-dimensional planes of a point."""
    planes = image.reshape(-1, *image.shape[-2:])
    return planes.astype(np.uint8) if planes.dtype.kind == "b" else planes


def _values(parts: list[Segment]) -> list[Any]:
    values: list[Any] = []
    for part in parts:
        values += [None] * part if isinstance(part, int) else part.tolist()
    return values


def _description(scan: ScanFold, column: Column, index: int, data: dict[str, Any]) -> str:
    keys = (
        "scan_nb",
        "name",
        "title",
        "uid",
        "session_name",
        "user_name",
        "start_time",
        "count_time",
        "sample",
        "filename",
    )
    about = {key: scan.info[key] for key in keys if key in scan.info}
    units = {known.name: known.unit for known in scan.columns() if known.unit and known.name in data}
    point = {"channel": column.name, "unit": column.unit, "index": index}
    values = {name: _plain(value) for name, value in data.items()}
    return to_json({"scan": scan.path, **about, **point, "data": values, "units": units}).decode()


def _is_large(scan: ScanFold, image: Array) -> bool:
    """Whether a stack may grow beyond what a TIFF can be; one that has no end may."""
    npoints = scan.info.get("npoints") or 0
    return not npoints or npoints * image.nbytes > LARGE


def _plain(value: Any) -> Any:
    """Return a value of a channel as JSON has it."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return [value.real, value.imag] if isinstance(value, complex) else value
