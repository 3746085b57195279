"""Writes described items into a growing file: what is new is made, what has changed is made anew, the rest stays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5p, h5s, h5t

from bliss_like.data.codec import Array
from bliss_like.data.events import NewNode
from bliss_like.hdf5 import Compression, GrowingDataset, GrowingFile, can_grow
from bliss_like.hdf5.virtual import make_virtual

from .nexus_items import Cut, External, Field, Gridded, Group, Hard, Item, Points, Shapes, Soft, Virtual
from .nexus_layout import relative
from .nexus_names import is_ragged

_ROOM = 4
"""Links that a group may get later, without being continued elsewhere."""
_SHORT = 1000
"""Bytes of a text."""
_COMPACT = 60_000
"""Bytes of a value that HDF5 keeps together with its description."""


class ItemWriter:
    """Makes the items of the entries of one scan."""

    def __init__(self, file: GrowingFile, nodes: Mapping[str, NewNode], compression: Compression) -> None:
        self._file, self._nodes, self._compression = file, nodes, compression
        self.points: dict[str, GrowingDataset] = {}
        """By channel, as `shapes`."""
        self.shapes: dict[str, GrowingDataset] = {}
        self.copies: list[tuple[Any, str, Cut | Gridded]] = []
        """What is to be made when the points are there."""
        self.npoints: int | None = None
        """How many points are expected, if that is known."""

    def write(self, parent: Any, name: str, new: Group, old: Group | None, may_exist: bool) -> None:
        """Bring a group up to date.

        :param parent: h5py.Group that it is in.
        :param old: what was written last.
        :param may_exist: it may be there although nothing is known of it: a writer has died.
        """
        exists = old is not None or (may_exist and name in parent)
        if exists and old is None and not isinstance(parent[name], h5py.Group):
            del parent[name]  # a value has become a group
            exists = False
        group = parent[name] if exists else self._file.make_group(parent, name, new.nx_class, len(new.items) + _ROOM)
        if exists and (old is None or old.nx_class != new.nx_class):
            set_attributes(group, {"NX_class": new.nx_class})
        if exists and old is None and new.nx_class == "NXentry":
            _forget_plots(group)
        before = old or Group("")
        set_attributes(
            group, {key: value for key, value in new.attributes.items() if before.attributes.get(key) != value}
        )
        for item_name, item in new.items.items():
            last = before.items.get(item_name)
            if item == last:
                continue
            if isinstance(item, Group) and isinstance(last, Group | None):
                self.write(group, item_name, item, last, exists)
            else:
                self._replace(group, item_name, item, is_there=last is not None or (exists and item_name in group))
        for item_name in before.items.keys() - new.items.keys():
            del group[item_name]

    def _replace(self, group: Any, name: str, item: Item, is_there: bool) -> None:
        if isinstance(item, Points | Shapes):
            self._grow(group, name, item, is_there)
            return
        if is_there:
            del group[name]
        match item:
            case Group():
                self.write(group, name, item, None, False)
            case Cut() | Gridded():
                self.copies.append((group, name, item))
            case Field(value=value, attributes=attributes):
                set_attributes(_make_field(group, name, value), attributes)
            case Hard(path=path):
                group.id.links.create_hard(name.encode(), self._file.h5.id, path.encode(), lcpl=_LCPL)
            case Soft(path=path):
                group[name] = h5py.SoftLink(path)
            case External(file=file, path=path):
                group[name] = h5py.ExternalLink(file, path)
            case Virtual():
                set_attributes(self._make_virtual(group, name, item), item.attributes)

    def append(self, dataset: GrowingDataset, block: Any) -> None:
        self._file.append(dataset, block)

    def let_go(self) -> None:
        """Forget the datasets of points: all that is to be in them is on disk."""
        for dataset in (*self.points.values(), *self.shapes.values()):
            self._file.let_go(dataset)

    def copy(self) -> None:
        """Make the copies of points that `write` has met; the points must be on disk by now."""
        while self.copies:
            group, name, item = self.copies[-1]
            points = self.points[item.channel]
            values = points.h5[: points.npoints]
            made = _make_field(group, name, values[: item.npoints] if isinstance(item, Cut) else on_grid(values, item))
            set_attributes(made, item.attributes)
            self.copies.pop()

    def _grow(self, group: Any, name: str, item: Points | Shapes, is_there: bool) -> None:
        """Make a dataset of points, or go on with the one that is there."""
        datasets = self.points if isinstance(item, Points) else self.shapes
        if item.channel in datasets:
            set_attributes(datasets[item.channel].h5, item.attributes)
            return
        if is_there and can_grow(group[name]):
            datasets[item.channel] = self._file.growing(f"{group.name}/{name}")
            return
        if is_there:  # what a device says of itself, before its channels were known
            del group[name]
        info = self._nodes[item.channel].info
        shape = tuple(info["shape"])
        dtype: Any = np.dtype(info["dtype"])
        if isinstance(item, Shapes):
            dtype, shape = np.dtype("<i8"), (len(shape),)
        elif dtype.kind == "U":
            dtype, shape = str, ()  # arrays of texts as JSON
        elif is_ragged(shape):
            shape = (-1,)
        made = self._file.make_dataset(group, name, dtype, shape, self.npoints, self._compression)
        datasets[item.channel] = made
        set_attributes(made.h5, item.attributes)

    def _make_virtual(self, group: Any, name: str, item: Virtual) -> Any:
        total = sum(run.count for run in item.runs)
        layout = h5py.VirtualLayout((total, *item.shape), item.dtype)
        first = 0
        directory = os.path.dirname(os.path.abspath(self._file.path))
        for run in item.runs:
            source = h5py.VirtualSource(
                relative(run.file, directory), run.path, shape=(run.first + run.count, *item.shape), dtype=item.dtype
            )
            layout[first : first + run.count] = source[run.first : run.first + run.count]
            first += run.count
        return make_virtual(self._file, group, name, layout)


def on_grid(values: Array, grid: Gridded) -> Array:
    """Return points in the order of a grid, shape (*grid.shape, *shape of a point)."""
    index = np.arange(len(values))
    if not grid.backnforth:
        return values.reshape(grid.shape + values.shape[1:])
    place = np.zeros(len(values), int)
    size = 1
    for number, points in enumerate(reversed(grid.shape)):
        along, line = index // size % points, index // (size * points)
        turned = np.where(line % 2 == 1, points - 1 - along, along) if number < len(grid.shape) - 1 else along
        place += turned * size
        size *= points
    ordered = np.empty_like(values)
    ordered[place] = values
    return ordered.reshape(grid.shape + values.shape[1:])


def _forget_plots(entry: Any) -> None:
    """Remove what a writer that has died has plotted: fewer things may fit together by now."""
    for name in list(entry):
        if not isinstance(entry.get(name, getlink=True), h5py.HardLink):
            continue
        if (group := entry[name]).attrs.get("NX_class") == "NXdata" and isinstance(group, h5py.Group):
            del entry[name]
    if entry.attrs.pop("default", None) is not None and entry.file.attrs.get("default") == entry.name.strip("/"):
        del entry.file.attrs["default"]


# -- attributes and small values; h5py's own ways take five times as long --------------------------------------------------

_LCPL = h5p.create(h5p.LINK_CREATE)
_LCPL.set_char_encoding(h5t.CSET_UTF8)
_SCALAR = h5s.create(h5s.SCALAR)
_STRING = h5py.string_dtype()
_TEXT = h5t.py_create(_STRING, logical=True)
_SMALL = h5p.create(h5p.DATASET_CREATE)
_SMALL.set_layout(h5d.COMPACT)
_SMALL.set_obj_track_times(False)
_LARGE = h5p.create(h5p.DATASET_CREATE)
_LARGE.set_obj_track_times(False)


def set_attributes(owner: Any, attributes: Mapping[str, Any]) -> None:
    """Set attributes of a group or dataset of h5py."""
    for name, value in attributes.items():
        if isinstance(value, str):
            _set_text(owner.id, name, value)
        else:
            owner.attrs[name] = _attribute_value(value)


def _set_text(owner: Any, name: str, value: str) -> None:
    key = name.encode()
    attribute = h5a.open(owner, key) if h5a.exists(owner, key) else None
    if attribute is not None and (attribute.shape != () or h5py.check_string_dtype(attribute.dtype) is None):
        h5a.delete(owner, key)
        attribute = None
    if attribute is None:
        attribute = h5a.create(owner, key, _TEXT, _SCALAR)
    # In its place: to make it anew, HDF5 would look through the links of its group again and again, seconds for a thousand.
    attribute.write(np.array(clean_text(value), dtype=_STRING))


def _attribute_value(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return np.array([clean_text(item) for item in value], dtype=h5py.string_dtype())
    return value


def clean_text(value: str) -> str:
    """Return a text that HDF5 can hold: it knows no NUL, and UTF-8 no half characters."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _make_text(group: Any, name: str, value: str) -> Any:
    """Return the h5py.Dataset of a text: as a string of any length, which all readers know; long ones of a fixed length, since
    those can be replaced without a trace."""
    data = value.encode()
    if len(data) <= _SHORT:
        made = h5d.create(group.id, name.encode(), _TEXT, _SCALAR, dcpl=_SMALL, lcpl=_LCPL)
        made.write(h5s.ALL, h5s.ALL, np.array(value, dtype=_STRING))
        return h5py.Dataset(made)
    file_type = h5t.C_S1.copy()
    file_type.set_size(len(data))
    file_type.set_cset(h5t.CSET_UTF8)
    file_type.set_strpad(h5t.STR_NULLPAD)
    options = _SMALL if len(data) <= _COMPACT else _LARGE
    made = h5d.create(group.id, name.encode(), file_type, _SCALAR, dcpl=options, lcpl=_LCPL)
    made.write(h5s.ALL, h5s.ALL, np.array(data, f"S{len(data)}"), mtype=file_type)
    return h5py.Dataset(made)


def _make_field(group: Any, name: str, value: Any) -> Any:
    """Return the h5py.Dataset of a value: a text, a number, a list of either, an array."""
    if isinstance(value, Sequence) and not isinstance(value, str) and value and isinstance(value[0], str):
        return group.create_dataset(name, data=_attribute_value(value))
    if isinstance(value, str):
        return _make_text(group, name, clean_text(value))
    data = np.asarray(value)
    file_type = h5t.py_create(data.dtype, logical=True)
    space = h5s.create_simple(data.shape) if data.ndim else _SCALAR
    options = _SMALL if 0 < data.nbytes <= _COMPACT else _LARGE
    made = h5d.create(group.id, name.encode(), file_type, space, dcpl=options, lcpl=_LCPL)
    if data.size:
        made.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(data), mtype=file_type)
    return h5py.Dataset(made)
