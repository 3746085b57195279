"""What is wrong with the structure of a NeXus file: whether viewers find their way, and what they find fits together.

Source: NeXus manual, rules for storing data items, NXdata and the chain of defaults.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from bliss_like.hdf5.reading import open_to_read

CLASSES = frozenset(
    "NXaperture NXattenuator NXbeam NXbeam_stop NXbending_magnet NXcapillary NXcite NXcollection NXcollimator NXcrystal "
    "NXcylindrical_geometry NXdata NXdetector NXdetector_channel NXdetector_group NXdetector_module NXdisk_chopper NXentry "
    "NXenvironment NXevent_data NXfermi_chopper NXfilter NXflipper NXfresnel_zone_plate NXgeometry NXgrating NXguide "
    "NXinsertion_device NXinstrument NXlog NXmirror NXmoderator NXmonitor NXmonochromator NXnote NXobject NXoff_geometry "
    "NXorientation NXparameters NXpdb NXpinhole NXpolarizer NXpositioner NXprocess NXreflections NXroot NXsample "
    "NXsample_component NXsensor NXshape NXslit NXsource NXsubentry NXtransformations NXtranslation NXuser "
    "NXvelocity_selector NXxraylens".split()
)
"""The base classes of NeXus."""


def check(file: str | os.PathLike[str], entry: str = "", *, points: bool = True) -> list[str]:
    """Return a sentence for each fault, none for a sound file.

    :param entry: a path like `/12.1`, to look at that one alone; otherwise at all that are in the file itself.
    :param points: count them, too.
    """
    try:
        h5 = open_to_read(file)
    except OSError as error:
        return [f"{os.fspath(file)}: expected an HDF5 file that can be opened: {error}"]
    with h5:
        if entry and not isinstance(h5.get(entry), h5py.Group):
            return [f"{entry}: expected an entry, there is none"]
        names = [entry] if entry else [name for name in h5 if isinstance(h5.get(name, getlink=True), h5py.HardLink)]
        faults = [] if entry else [*_root(h5), *_links(h5)]
        for name in names:
            if isinstance(h5[name], h5py.Group):
                faults += [*_entry(h5[name]), *(_channels(h5[name]) if points else ())]
        return faults


def check_structure(file: str | os.PathLike[str], entry: str = "") -> list[str]:
    """The same for those who count the points themselves."""
    return check(file, entry, points=False)


def default_plot(file: str | os.PathLike[str], entry: str = "") -> str:
    """Return the path of the plot that viewers show of a file, or of one of its entries; empty if they find none."""
    with open_to_read(file) as h5:
        found = _followed(h5[entry] if entry else h5)
        return str(found.name) if isinstance(found, h5py.Group) else ""


def _root(h5: h5py.File) -> Iterator[str]:
    if (nx_class := _attribute(h5, "NX_class")) != "NXroot":
        yield f"/: expected the class NXroot, got {nx_class!r}"
    if not any(_class_of(h5, name) == "NXentry" for name in h5):
        yield "/: expected an NXentry, there is none"
    if "default" in h5.attrs:
        yield from _default(h5)


def _entry(entry: h5py.Group) -> Iterator[str]:
    if (nx_class := _attribute(entry, "NX_class")) != "NXentry":
        yield f"{entry.name}: expected the class NXentry, got {nx_class!r}"
    if not _text(entry.get("title")):
        yield f"{entry.name}: expected a title, there is none"
    start, end = (_time(entry.get(name)) for name in ("start_time", "end_time"))
    if start is None:
        yield f"{entry.name}: expected a start_time in ISO 8601, got {_text(entry.get('start_time'))!r}"
    if "end_time" in entry and end is None:
        yield f"{entry.name}: expected an end_time in ISO 8601, got {_text(entry.get('end_time'))!r}"
    if start and end and (start.tzinfo is None) == (end.tzinfo is None) and end < start:
        yield f"{entry.name}: it ends at {end}, before it starts at {start}"
    if "default" in entry.attrs:
        yield from _default(entry)
    seen: set[Any] = set()
    yield from _group(entry, seen)


def _default(group: Any) -> Iterator[str]:
    found = _followed(group)
    if isinstance(found, str):
        yield f"{group.name}: its default plot is not found: {found}"


def _followed(group: Any) -> h5py.Group | str:
    """Return the NXdata at the end of the chain of defaults, or say where it breaks."""
    for _ in range(20):
        if _attribute(group, "NX_class") == "NXdata":
            return group
        name = _attribute(group, "default")
        if not isinstance(name, str):
            return f"{group.name} names none, and is no NXdata"
        if not isinstance(following := group.get(name), h5py.Group):
            return f"{group.name} names {name!r}, which is no group"
        group = following
    return "the chain has no end"


def _group(group: h5py.Group, seen: set[Any]) -> Iterator[str]:
    """Yield the faults of a group and of all below; what is linked from several places is looked at once."""
    address = h5py.h5o.get_info(group.id).addr
    if address in seen:
        return
    seen.add(address)
    nx_class = _attribute(group, "NX_class")
    if nx_class not in CLASSES:
        yield f"{group.name}: expected a class of NeXus, got {nx_class!r}"
    if nx_class == "NXdata":
        yield from _plot(group)
    yield from _links(group)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        item = group.get(name)
        if isinstance(item, h5py.Group):
            yield from _group(item, seen)
        elif isinstance(item, h5py.Dataset) and (place := h5py.h5o.get_info(item.id).addr) not in seen:
            seen.add(place)
            yield from _field(item)


def _links(group: Any) -> Iterator[str]:
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, (h5py.SoftLink, h5py.ExternalLink)) and group.get(name) is None:
            file = f"{link.filename}::" if isinstance(link, h5py.ExternalLink) else ""
            yield f"{group.name.rstrip('/')}/{name}: it is a link to {file}{link.path}, which is not there"


def _field(field: h5py.Dataset) -> Iterator[str]:
    if "units" in field.attrs and not isinstance(_attribute(field, "units"), str):
        yield f"{field.name}: expected its units to be a text, got {_attribute(field, 'units')!r}"
    if field.is_virtual:
        directory = os.path.dirname(os.path.abspath(field.file.filename))
        for file in sorted({source.file_name for source in field.virtual_sources()} - {"."}):
            if not os.path.exists(os.path.join(directory, file)):
                yield f"{field.name}: it is made of {file}, which is not there; readers get fill values"


def _plot(plot: h5py.Group) -> Iterator[str]:
    signal = _attribute(plot, "signal")
    found = plot.get(signal) if isinstance(signal, str) else None
    if not isinstance(found, h5py.Dataset):
        yield f"{plot.name}: expected a field as its signal, got {signal!r}"
        return
    for name in _names(plot, "auxiliary_signals"):
        other = plot.get(name)
        if not isinstance(other, h5py.Dataset) or other.shape != found.shape:
            yield f"{plot.name}: expected auxiliary signal {name!r} of shape {found.shape} as {signal}, got {_shape(other)}"
    yield from _axes(plot, signal, found.shape)


def _axes(plot: h5py.Group, signal: str, shape: tuple[int, ...]) -> Iterator[str]:
    axes = _names(plot, "axes")
    is_scatter = len(shape) == 1 and len(axes) > 1
    if axes and len(axes) != len(shape) and not is_scatter:
        yield f"{plot.name}: expected an axis for each of the {len(shape)} dimensions of {signal}, got {axes}"
        return
    for number, name in enumerate(axes):
        if name == ".":
            continue
        axis, dimension = plot.get(name), 0 if is_scatter else number
        if not isinstance(axis, h5py.Dataset):
            yield f"{plot.name}: its axis {name!r} is not there"
            continue
        told = np.atleast_1d(plot.attrs.get(f"{name}_indices", dimension)).tolist()
        fits = len(told) == axis.ndim and all(0 <= one < len(shape) for one in told)
        # of a histogram, the edges of the bins are one more
        if not fits or any(n - shape[one] not in (0, 1) for n, one in zip(axis.shape, told, strict=True)):
            yield f"{plot.name}: its axis {name!r} of shape {axis.shape} does not fit dimension {told} of {signal}, {shape}"


def _channels(entry: h5py.Group) -> Iterator[str]:
    """Yield what is not as the entry says of itself, when it says that all was saved."""
    note = entry.get("writer")
    if not isinstance(note, h5py.Group) or _text(note.get("status")) != "SUCCEEDED":
        return
    try:
        channels = json.loads(_text(note.get("channels")) or "[]")
        lengths = json.loads(_text(note.get("end")) or "{}").get("lengths", {})
        places = {str(channel["name"]): str(channel["path"]) for channel in channels}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{note.name}: expected JSON of channels and of the end, got something else: {error!r}"
        return
    for name, path in places.items():
        field = entry.file.get(path)
        if not isinstance(field, h5py.Dataset):
            yield f"{path}: expected the points of channel {name}, there are none"
            continue
        length = next((n for told, n in lengths.items() if told == name or told.endswith(f":{name}")), None)
        if isinstance(length, int) and len(field) != length:
            yield f"{path}: expected {length} points of channel {name}, got {len(field)}"


def _names(group: h5py.Group, attribute: str) -> list[str]:
    value = group.attrs.get(attribute)
    return [] if value is None else [_decoded(name) for name in np.atleast_1d(value).tolist()]


def _attribute(item: Any, name: str) -> Any:
    return _decoded(item.attrs.get(name))


def _decoded(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.item() if isinstance(value, np.generic) else value


def _class_of(group: Any, name: str) -> Any:
    item = group.get(name)
    return _attribute(item, "NX_class") if isinstance(item, h5py.Group) else None


def _text(item: Any) -> str:
    """Return the text of a field; empty if it is none."""
    if not isinstance(item, h5py.Dataset) or item.shape not in ((), (1,)) or item.dtype.kind not in "OS":
        return ""
    value = _decoded(item[()] if item.shape == () else item[0])
    return value if isinstance(value, str) else ""


def _time(item: Any) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(_text(item))
    except ValueError:
        return None


def _shape(item: Any) -> str:
    return str(item.shape) if isinstance(item, h5py.Dataset) else "nothing"
