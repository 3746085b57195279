"""Channels of a scan as arrays for Tiled, read by the slice, and those of single values as a table."""

from __future__ import annotations

import math
from functools import cached_property
from typing import Any

import numpy as np
from starlette.exceptions import HTTPException
from tiled.adapters.array import ArrayAdapter
from tiled.adapters.core import Adapter
from tiled.ndslice import NDBlock, NDSlice
from tiled.structures.array import ArrayStructure, BuiltinDtype
from tiled.structures.core import StructureFamily
from tiled.structures.table import TableStructure

from bliss_like.data.channel_node import ChannelNode, NodeRefChannel
from bliss_like.data.events import NodeKind
from bliss_like.data.image_node import ImageNode
from bliss_like.data.tables import POINT, to_pandas
from bliss_like.errors import DataError

GONE = 404
"""Status of an answer about data that were there once: with 410, Tiled's client does not show why."""

_CHUNK = 8 << 20
"""About how many bytes a chunk has. The number of points of one never changes while a scan runs."""
_LETTERS = 16
"""Letters that texts have room for, or a multiple by two: so the type hardly ever changes while a scan runs."""


class ChannelArray(Adapter[ArrayStructure]):
    """A channel, shape (points so far, *shape of a point).

    Points whose shapes differ are filled up with NaN; references to scans are their db_names.
    """

    structure_family = StructureFamily.array

    def __init__(self, name: str, node: ChannelNode, about: dict[str, Any]) -> None:
        self._name, self._node, self._about = name, node, about

    @property
    def specs(self) -> list[Any]:
        return []

    def metadata(self) -> dict[str, Any]:
        return {**self._about, "fullname": self._node.fullname, "unit": self._node.unit}

    def structure(self) -> ArrayStructure:
        return self._kept

    @cached_property
    def _kept(self) -> ArrayStructure:
        dtype, shape = self._type()
        per_chunk = max(1, _CHUNK // max(1, dtype.itemsize * math.prod(shape[1:])))
        full, rest = divmod(shape[0], per_chunk)
        points = (*[per_chunk] * full, *[rest] * bool(rest)) or (0,)
        ends = ("y", "x") if self._node.type is NodeKind.IMAGE and len(shape) == 3 else map(str, range(len(shape) - 1))
        return ArrayStructure(
            data_type=BuiltinDtype.from_numpy_dtype(dtype),
            shape=shape,
            chunks=(points, *((size,) for size in shape[1:])),
            dims=(POINT, *(f"{self._name}_{end}" for end in ends)),
        )

    def _type(self) -> tuple[np.dtype[Any], tuple[int, ...]]:
        node = self._node
        if isinstance(node, ImageNode):
            return node.image_dtype, (len(node), *node.image_shape)
        if self._whole is not None:
            return self._whole.dtype, self._whole.shape
        return np.dtype(node.dtype), (len(node), *node.shape)

    @cached_property
    def _whole(self) -> np.ndarray[Any, Any] | None:
        """All points, where the form of the array cannot be known before they were looked at."""
        if isinstance(self._node, NodeRefChannel):
            return _texts(self._node.db_names())
        if isinstance(self._node, ImageNode):  # its points in the store may be texts: where the images are
            return None
        if self._node.dtype.kind == "U":
            return _texts(self._read(0, len(self._node)))
        return _filled(self._read(0, len(self._node))) if -1 in self._node.shape else None

    def read(self, slice: NDSlice = NDSlice(...)) -> np.ndarray[Any, Any]:
        """Return a part of the array; of the points, no more are read than are in it.

        :raises HTTPException: points are gone; the message says where they went.
        """
        shape = self._kept.shape
        first, *others = (slice or NDSlice(...)).expand_for_shape(shape)
        if isinstance(first, int):
            index = first + shape[0] * (first < 0)
            point: np.ndarray[Any, Any] = self._points(range(index, index + 1), tuple(others))[0]
            return point
        return self._points(range(shape[0])[first], tuple(others))

    def read_block(self, block: NDBlock, slice: NDSlice = NDSlice(...)) -> np.ndarray[Any, Any]:
        """Return a chunk, or a part of it."""
        place = block.slice_from_chunks(self._kept.chunks)
        values = self.read(NDSlice(*place))
        return values[tuple(slice)] if slice else values

    def _points(self, wanted: range, others: tuple[Any, ...]) -> np.ndarray[Any, Any]:
        kept = self._kept
        if self._whole is not None:
            return self._whole[wanted.start : wanted.stop][(_steps(wanted), *others)] if wanted else self._none(others)
        if not wanted:
            return self._none(others)
        if isinstance(self._node, ImageNode):  # one by one: of each, often a small part is wanted
            images = [self._read_image(index)[others] for index in wanted]
            return np.stack(images).astype(kept.data_type.to_numpy_dtype(), copy=False)
        low, high = min(wanted), max(wanted) + 1
        values: np.ndarray[Any, Any] = np.asarray(self._read(low, high))[:: abs(wanted.step)]
        return (values[::-1] if wanted.step < 0 else values)[(np.s_[:], *others)]

    def _none(self, others: tuple[Any, ...]) -> np.ndarray[Any, Any]:
        return np.empty((0, *self._kept.shape[1:]), self._kept.data_type.to_numpy_dtype())[(np.s_[:], *others)]

    def _read(self, start: int, stop: int) -> Any:
        try:
            return self._node[start:stop]
        except (DataError, IndexError) as error:
            raise HTTPException(GONE, str(error)) from error

    def _read_image(self, index: int) -> np.ndarray[Any, Any]:
        try:
            return self._node.get_image(index)  # type: ignore[attr-defined, no-any-return]
        except (DataError, IndexError) as error:
            raise HTTPException(GONE, str(error)) from error


class ScalarTable(Adapter[TableStructure]):
    """All channels of a scan whose points are single values, a row per point."""

    structure_family = StructureFamily.table

    def __init__(self, node: Any) -> None:
        self._node = node

    @property
    def specs(self) -> list[Any]:
        return []

    def metadata(self) -> dict[str, Any]:
        return {"units": self._table.attrs.get("units", {})}

    @cached_property
    def _table(self) -> Any:
        table = to_pandas(self._node)
        return table.rename(columns=lambda name: name.lstrip("_") or "unnamed")  # Tiled keeps names with _ for itself

    def structure(self) -> TableStructure:
        return TableStructure.from_pandas(self._table)

    def read(self, fields: list[str] | None = None) -> Any:
        return self._table if fields is None else self._table[fields]

    def read_partition(self, partition: int, fields: list[str] | None = None) -> Any:
        if partition:
            raise IndexError(f"partition {partition} of 1")
        return self.read(fields)

    def get(self, key: str) -> ArrayAdapter | None:
        return self[key] if key in self._table.columns else None

    def __getitem__(self, key: str) -> ArrayAdapter:
        return ArrayAdapter.from_array(self._table[key].to_numpy())


def _steps(wanted: range) -> slice:
    return np.s_[:: wanted.step]


def _texts(points: Any) -> np.ndarray[Any, Any]:
    longest = max((len(str(point)) for point in points), default=1)
    letters = _LETTERS
    while letters < longest:
        letters *= 2
    return np.array([str(point) for point in points], f"<U{letters}")


def _filled(points: Any) -> np.ndarray[Any, Any]:
    """Return points of different shapes as one array of floats, shape (npoints, *longest), filled up with NaN."""
    longest = tuple(map(max, zip(*(np.shape(point) for point in points), strict=True)))
    filled = np.full((len(points), *longest), np.nan)
    for row, point in zip(filled, points, strict=True):
        row[tuple(map(slice, np.shape(point)))] = point
    return filled
