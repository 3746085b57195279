"""The points of a scan as tables of numpy, pandas and xarray: one row per point.

A scan that runs gives the rows that are there so far. Where a channel has fewer points than others, what is missing is NaN,
or an empty text; whole numbers with something missing become floats.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from bliss_like.errors import DataError

from .channel_node import ChannelNode, NodeRefChannel
from .codec import Array
from .counting import counted, npoints_of
from .events import NodeKind
from .saved_store import SavedStore
from .scan_data import means

if TYPE_CHECKING:
    from .node import ScanNode

POINT = "point"
"""Name of the dimension, and of the index, along the points."""
MAX_BYTES = 1 << 30
"""What is read into memory in one go, unless channels are named."""

Names = str | Sequence[str] | None
"""Full names, short names or patterns of channels."""


def to_numpy(scan: ScanNode, channels: Names = None) -> Array:
    """Return a structured array, shape (npoints,), with a field for each channel.

    :param channels: which ones; by default all whose points are single values.
    :raises KeyError: no channel has that name.
    """
    columns = {name: _as_cells(_read(node)) for name, node in _chosen(scan, channels, _is_scalar).items()}
    nrows = max(map(len, columns.values()), default=0)
    full = {name: _padded(values, nrows) for name, values in columns.items()}
    table = np.empty(nrows, [(name, values.dtype, values.shape[1:]) for name, values in full.items()])
    for name, values in full.items():
        table[name] = values
    return table


def to_pandas(scan: ScanNode, channels: Names = None) -> Any:
    """Return a DataFrame whose index is the number of the point; what is known of the scan is in its `attrs`.

    :param channels: which ones; by default all whose points are single values. Arrays are put into the cells.
    :raises KeyError: no channel has that name.
    :raises DataError: pandas is not installed.
    """
    pandas = _library("pandas", "to_pandas")
    nodes = _chosen(scan, channels, _is_scalar)
    columns = {name: _as_cells(_read(node)) for name, node in nodes.items()}
    nrows = max(map(len, columns.values()), default=0)
    cells = {name: _listed(_padded(values, nrows)) for name, values in columns.items()}
    table = pandas.DataFrame(cells, index=pandas.RangeIndex(nrows, name=POINT))
    table.attrs = {**_about(scan), "units": {name: node.unit for name, node in nodes.items() if node.unit}}
    return table


def to_xarray(scan: ScanNode, channels: Names = None) -> Any:
    """Return a Dataset: axes and times are coordinates, units are in `attrs`; a mesh has the dimensions of its grid.

    The second and further top masters of a scan have points of their own, with the dimension `point_<master>`. Arrays of
    different lengths are filled up, and have their lengths beside them, `<name>_length`.

    :param channels: which ones; by default all but images. A camera's images are read from its files.
    :raises KeyError: no channel has that name.
    :raises DataError: xarray is not installed, or it would take more than 1 GiB of memory: name the channels then.
    """
    xarray = _library("xarray", "to_xarray")
    nodes = _chosen(scan, channels, lambda node: node.type is not NodeKind.IMAGE)
    if channels is None:
        _check_size(scan, nodes)
    variables: dict[str, Any] = {}
    coordinates: list[str] = []
    for name, node in nodes.items():
        values, lengths = _filled(_read(node))
        dims = [_dimension(node, nodes), *(f"{name}_{index}" for index in range(values.ndim - 1))]
        variables[name] = (dims, values, _described(scan, node))
        if lengths is not None:
            variables[f"{name}_length"] = (dims[:1], lengths, {})
        if node.fullname.startswith(("axis:", "timer:")):
            coordinates.append(name)
    sizes = {dims[0]: 0 for dims, _, _ in variables.values()}
    for dims, values, _ in variables.values():
        sizes[dims[0]] = max(sizes[dims[0]], len(values))
    full = {name: (dims, _padded(values, sizes[dims[0]]), attrs) for name, (dims, values, attrs) in variables.items()}
    grid = _Grid.of(scan, nodes)
    if grid is not None and max(sizes.values(), default=0) <= grid.size:
        full = grid.unfold(full)
        coordinates = [name for name in coordinates if name in full] + list(grid.axes)
    return xarray.Dataset(full, attrs=_about(scan)).set_coords(coordinates)


def told(scan: ScanNode) -> str:
    """Return a few lines about a scan, for people: what it was, its state, its channels, where it is."""
    info, nodes = scan.info, scan.channels()
    number = f"Scan {info['scan_nb']}" if info.get("save", True) else "Scan"
    is_group, lengths = scan.type is NodeKind.SCAN_GROUP, {node.db_name: len(node) for node in nodes}
    npoints = npoints_of(lengths, scan.db_name, is_whole=is_group or info.get("state") == "DONE")
    start = f", started {str(info['start_time'])[:19].replace('T', ' ')}" if info.get("start_time") else ""
    saved = None if isinstance(scan.store, SavedStore) else scan.saved
    in_file = saved.place if saved is not None and saved.state == "SAVED" else scan.db_name
    place = str(scan.store) if isinstance(scan.store, SavedStore) else in_file
    lines = [
        f"{number}: {info.get('title', '')}, {info.get('state', '')}{start}",
        f"{counted(npoints, 'scan' if is_group else 'point')}, {place}",
    ]
    names = ", ".join(f"{node.short_name} [{node.unit}]" if node.unit else node.short_name for node in nodes)
    return "\n".join([*lines, f"channels: {names or 'none'}"])


# -- which channels, and what they are called --------------------------------------------------------------------------


def _chosen(scan: ScanNode, channels: Names, by_default: Any) -> dict[str, ChannelNode]:
    """Return channels by short name, where that is one channel's only, else by full name."""
    nodes = scan.channels()
    short = [node.short_name for node in nodes]
    names = {node.short_name if short.count(node.short_name) == 1 else node.fullname: node for node in nodes}
    if channels is None:
        return {name: node for name, node in names.items() if by_default(node)}
    found: dict[str, ChannelNode] = {}
    for wanted in [channels] if isinstance(channels, str) else channels:
        fitting = {
            name: node for name, node in names.items() if means(str(wanted), node.fullname) or wanted == node.short_name
        }
        if not fitting:
            raise KeyError(f"no channel {wanted!r}; there are {', '.join(node.fullname for node in nodes) or 'none'}")
        found |= fitting
    return found


def _is_scalar(node: ChannelNode) -> bool:
    return node.shape == () and node.type is not NodeKind.IMAGE


def _dimension(node: ChannelNode, nodes: Mapping[str, ChannelNode]) -> str:
    """Return the name of the dimension along the points of a channel: those of the first top master have the plain one."""
    masters = list(dict.fromkeys(_master(other) for other in nodes.values()))
    master = _master(node)
    return POINT if master == masters[0] else f"{POINT}_{master}"


def _master(node: ChannelNode) -> str:
    return node.db_name[len(node.structure.path) + 1 :].partition(":")[0]


def _check_size(scan: ScanNode, nodes: Mapping[str, ChannelNode]) -> None:
    sizes = {name: len(node) * node.dtype.itemsize * math.prod(map(abs, node.shape)) for name, node in nodes.items()}
    if sum(sizes.values()) > MAX_BYTES:
        largest = max(sizes, key=lambda name: sizes[name])
        raise DataError(
            f"{scan.db_name}: its channels take {sum(sizes.values()) / 1e9:.1f} GB, {largest!r} most of it; name those that "
            f"are wanted: to_xarray(channels=[...])"
        )


# -- their points ------------------------------------------------------------------------------------------------------


def _read(node: ChannelNode) -> Any:
    """Return all points; of references to nodes, their names."""
    return node.db_names() if isinstance(node, NodeRefChannel) else node.get(0, -1)


def _as_cells(points: Any) -> Array:
    """Return points as one array, each of them a cell where they are no single values."""
    if not isinstance(points, list):
        array: Array = points
        return array
    cells = np.empty(len(points), object)
    for index, point in enumerate(points):
        cells[index] = point
    return cells


def _listed(values: Array) -> Any:
    """Return what pandas takes as a column: arrays one by one."""
    return list(values) if values.ndim > 1 else values


def _filled(points: Any) -> tuple[Array, Array | None]:
    """Return points as one array, shape (npoints, *longest); of points of different shapes, also the length of each."""
    if not isinstance(points, list):
        return points, None
    longest = tuple(map(max, zip(*(point.shape for point in points), strict=True)))
    filled = np.full((len(points), *longest), np.nan, np.result_type(points[0].dtype, np.float32))
    for row, point in zip(filled, points, strict=True):
        row[tuple(map(slice, point.shape))] = point
    return filled, np.array([len(point) for point in points])


def _padded(values: Array, length: int) -> Array:
    """Return values with as many missing ones behind them as there are to be."""
    if len(values) == length:
        return values
    kind = values.dtype.kind
    dtype = np.result_type(values.dtype, np.float64) if kind in "iub" else values.dtype
    missing: Any = "" if kind == "U" else None if kind == "O" else np.nan
    behind = np.full((length - len(values), *values.shape[1:]), missing, dtype)
    return np.concatenate([values.astype(dtype), behind])


# -- grids -------------------------------------------------------------------------------------------------------------


class _Grid:
    """The regular grid of a mesh; its axes by name, the slowest first."""

    def __init__(self, axes: Mapping[str, Array], turning: bool, attrs: Mapping[str, Any]) -> None:
        self.axes = dict(axes)
        self.shape = tuple(map(len, axes.values()))
        self.size = math.prod(self.shape)
        self._attrs = attrs
        self._order = _order(self.shape, turning)

    @classmethod
    def of(cls, scan: ScanNode, nodes: Mapping[str, ChannelNode]) -> _Grid | None:
        """Return the grid of a scan, None if it is not one, or channels of more than one master are asked for."""
        if int(scan.info.get("data_dim") or 1) < 2 or len({_master(node) for node in nodes.values()}) != 1:
            return None
        infos = scan.info.get("channels", {})
        metas = {
            name: infos.get(node.fullname, {}) for name, node in nodes.items() if node.fullname.startswith("axis:")
        }
        metas = {
            name: meta for name, meta in metas.items() if {"axis_id", "start", "stop", "axis_points"} <= meta.keys()
        }
        if len(metas) != scan.info["data_dim"]:
            return None
        ordered = dict(sorted(metas.items(), key=lambda item: -int(item[1]["axis_id"])))
        axes = {name: np.linspace(meta["start"], meta["stop"], meta["axis_points"]) for name, meta in ordered.items()}
        turning = any(meta.get("axis_kind") == "backnforth" for meta in metas.values())
        return cls(axes, turning, {name: _described(scan, nodes[name]) for name in axes})

    def unfold(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Return variables on the grid; where an axis was read at each point is `<axis>_measured`."""
        grid: dict[str, Any] = {name: ([name], values, self._attrs[name]) for name, values in self.axes.items()}
        for name, (dims, values, attrs) in variables.items():
            flat = _padded(values, self.size)
            there = np.empty_like(flat)
            there[self._order] = flat
            place = f"{name}_measured" if name in self.axes else name
            grid[place] = ([*self.axes, *dims[1:]], there.reshape(*self.shape, *flat.shape[1:]), attrs)
        return grid


def _order(shape: Sequence[int], turning: bool) -> Array:
    """Return where on the flat grid each point is; all axes but the slowest may turn round at the ends of their lines."""
    order = np.arange(1)
    for size in reversed(shape):
        lines = [order[::-1] if turning and index % 2 else order for index in range(size)]
        order = np.concatenate([line + index * len(order) for index, line in enumerate(lines)])
    return order


# -- what is said of them ----------------------------------------------------------------------------------------------


def _about(scan: ScanNode) -> dict[str, Any]:
    wanted = ("title", "name", "scan_nb", "uid", "session_name", "start_time", "end_time", "state", "filename")
    info = scan.info
    return {"db_name": scan.db_name, **{key: info[key] for key in wanted if info.get(key) is not None}}


def _described(scan: ScanNode, node: ChannelNode) -> dict[str, Any]:
    shown = scan.info.get("channels", {}).get(node.fullname, {}).get("display_name")
    said = {"units": node.unit, "long_name": shown, "fullname": node.fullname}
    return {key: value for key, value in said.items() if value}


def _library(name: str, wanted: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise DataError(
            f"{wanted} needs {name}, which is not installed here: pip install 'bliss_like[export]'"
        ) from error
