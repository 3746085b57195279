"""What is wrong with the structure of a NeXus file: the rules that viewers rely on, checked without any of them.

Source: the NeXus manual, rules for storing data items, and the classes NXroot, NXentry and NXdata.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

CLASSES = {
    *("NXroot", "NXentry", "NXinstrument", "NXdetector", "NXpositioner", "NXsample", "NXuser", "NXnote", "NXdata"),
    *("NXcollection", "NXslit", "NXattenuator", "NXmonochromator", "NXsource", "NXparameters"),
}
FORBIDDEN = set("/\x00")


def problems(file: Path | str) -> list[str]:
    """Return one sentence for each thing that is wrong, none when the file is sound."""
    with h5py.File(file, "r", locking=False) as h5:
        return [*_root(h5), *(problem for entry in _entries(h5) for problem in _entry(entry))]


def default_plot(file: Path | str, entry: str = "") -> str:
    """Return the path of the plot that viewers open; empty when there is none."""
    with h5py.File(file, "r", locking=False) as h5:
        group = h5[entry] if entry else h5
        while group.attrs.get("NX_class") != "NXdata":
            name = group.attrs.get("default")
            if not name or name not in group:
                return ""
            group = group[name]
        return str(group.name)


def _entries(h5: Any) -> list[Any]:
    return [h5[name] for name in h5 if h5.get(name, getlink=True).__class__ is h5py.HardLink]


def _root(h5: Any) -> Iterator[str]:
    if h5.attrs.get("NX_class") != "NXroot":
        yield f"/: expected NX_class NXroot, it is {h5.attrs.get('NX_class')!r}"
    for name in ("file_name", "file_time", "creator", "HDF5_Version", "h5py_version"):
        if not isinstance(h5.attrs.get(name), str):
            yield f"/: expected a text in the attribute {name}, it is {h5.attrs.get(name)!r}"
    for name in h5:
        link = h5.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink) and name not in h5:
            yield f"/{name}: its target {link.filename}{link.path} is not there"


def _entry(entry: Any) -> Iterator[str]:
    if entry.attrs.get("NX_class") != "NXentry":
        yield f"{entry.name}: expected an NXentry, it is {entry.attrs.get('NX_class')!r}"
    for name in ("title", "start_time"):
        if name not in entry:
            yield f"{entry.name}: it has no {name}"
    if (default := entry.attrs.get("default")) and entry.get(default, {}).attrs.get("NX_class") != "NXdata":
        yield f"{entry.name}: its default {default} is no NXdata"
    yield from _items(entry)


def _items(group: Any) -> Iterator[str]:
    nx_class = group.attrs.get("NX_class")
    if nx_class not in CLASSES:
        yield f"{group.name}: unknown class {nx_class!r}"
    if nx_class == "NXdata":
        yield from _data(group)
    for name in group:
        if not name or FORBIDDEN & set(name):
            yield f"{group.name}: an item has the name {name!r}"
        link = group.get(name, getlink=True)
        if name not in group:
            yield f"{group.name}/{name}: its target {getattr(link, 'filename', '')}{link.path} is not there"
        elif isinstance(group[name], h5py.Group):
            if isinstance(link, h5py.HardLink):
                yield from _items(group[name])
        elif "units" in group[name].attrs and not isinstance(group[name].attrs["units"], str):
            yield f"{group.name}/{name}: its units are no text"


def _data(group: Any) -> Iterator[str]:
    signal = group.attrs.get("signal")
    if signal not in group:
        yield f"{group.name}: its signal {signal!r} is not there"
        return
    shape = group[signal].shape
    for name in np.atleast_1d(group.attrs.get("auxiliary_signals", [])):
        if name not in group or group[name].shape != shape:
            yield f"{group.name}: its auxiliary signal {name!r} is not there, or has another shape than {signal}"
    axes = list(np.atleast_1d(group.attrs.get("axes", [])))
    is_scatter = len(shape) == 1 and len(axes) > 1
    if axes and len(axes) != len(shape) and not is_scatter:
        yield f"{group.name}: it has {len(axes)} axes, its signal {len(shape)} dimensions"
        return
    for number, name in enumerate(axes):
        length = shape[0 if is_scatter else number]
        if name != "." and (name not in group or group[name].shape != (length,)):
            yield f"{group.name}: its axis {name!r} is not there, or has not the length {length}"
        if name != "." and group.attrs.get(f"{name}_indices", -1) != (0 if is_scatter else number):
            yield f"{group.name}: expected {name}_indices to say which dimension it is of"
