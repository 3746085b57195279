"""The layout of the files: what is where in the entries of a scan, as values; nothing here touches a file.

`/12.1` is scan 12, or the part of it below its first top master; `/12.2` is what is below the second.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any

from bliss_like import __version__
from bliss_like.data.codec import to_json
from bliss_like.data.events import NewNode, NodeKind

from .nexus_items import External, Field, Group, Hard, Item, Points, Shapes, Soft, Virtual
from .nexus_metadata import collection, field_of, merge_into
from .nexus_names import RESERVED, Place, free_name, item_name, places_of
from .nexus_plots import plots_of, units_of
from .nexus_record import MAX_RUNS, ScanRecord

MAPPED = (".h5", ".hdf5", ".nxs", ".hdf")
"""Files whose images can be seen through ours."""

_USER_KEYS = ("technique",)


def entries_of(record: ScanRecord, status: str) -> dict[str, Group]:
    """Return the entries of a scan by their names, as far as it went.

    :param status: of the saving: `STARTING`, `RUNNING`, `SUCCEEDED` (all that was published is there), `FAILED`.
    """
    masters = record.masters() if record.prepared or record.end else []
    entries: dict[str, Group] = {}
    for index, master in enumerate(masters or [""], 1):
        entry = _Entry(record, master, f"{record.number}.{index}", places_of(record, master) if masters else [])
        entries[entry.name] = entry.first(status) if index == 1 else entry.other(f"/{record.number}.1")
    channels = [one for name, entry in entries.items() for one in _described(record, name, entry)]
    first = next(iter(entries.values()))
    first.group("writer").items["channels"] = _json(
        channels, "channels by their path below the scan, and where their points are"
    )
    return entries


class _Entry:
    """Makes one entry."""

    def __init__(self, record: ScanRecord, master: str, name: str, places: Sequence[Place]) -> None:
        self.record, self.info, self.master, self.name, self.places = record, record.info, master, name, places
        self._directory = os.path.dirname(record.file)

    def first(self, status: str) -> Group:
        entry = self._begin()
        entry.items |= self._about()
        entry.items["instrument"] = instrument = self._instrument()
        self._add_positioners(instrument)
        self._add_metadata(instrument)
        self._end(entry)
        if self.info.get("is_scan_sequence"):
            entry.items["scans"] = self._scans()
        entry.items["writer"] = self._writer(status)
        return entry

    def other(self, first: str) -> Group:
        """Return the entry of a further top master; what it shares with the first one is linked."""
        entry = self._begin()
        shared = self._about()
        entry.items |= {name: Hard(f"{first}/{name}") for name in shared}
        entry.items["instrument"] = instrument = self._instrument()
        shared_groups = Group("NXinstrument")
        self._add_positioners(shared_groups)
        for name in shared_groups.items:
            instrument.items[name] = Hard(f"{first}/instrument/{name}")
        self._end(entry)
        entry.items["writer"] = Hard(f"{first}/writer")
        return entry

    # -- what is said of the scan

    def _begin(self) -> Group:
        info = self.info
        entry = Group("NXentry")
        items = entry.items
        items["title"] = Field(str(info.get("title") or info.get("name") or ""))
        items["start_time"] = Field(str(info.get("start_time", "")))
        if info.get("end_time"):
            items["end_time"] = Field(str(info["end_time"]))
            if isinstance(info.get("start_timestamp"), float) and isinstance(info.get("end_timestamp"), float):
                duration = round((info["end_timestamp"] - info["start_timestamp"]) * 1000)
                items["duration"] = Field(duration, {"units": "ms"})  # NeXus wants it whole
        if self.record.end is not None:
            items["end_reason"] = Field(str(info.get("end_reason") or self.record.end.state))
        items["entry_identifier"] = Field(self.name)
        items["entry_identifier_uuid"] = Field(str(info.get("uid", "")))
        items["program_name"] = Field(
            str(info.get("publisher", "bliss_like")), {"version": str(info.get("publisher_version", __version__))}
        )
        dataset = info.get("dataset")
        for key, name in (("proposal", "experiment_identifier"), ("collection", "collection_identifier")):
            if isinstance(dataset, Mapping) and dataset.get(key):
                items[name] = Field(str(dataset[key]))
        return entry

    def _about(self) -> dict[str, Group]:
        """Return the groups of the users: who, what, how, and their notes."""
        info = self.info
        user = {"name": info.get("user_name") or None, **_dict(info.get("user"))}
        found = {"user": collection(user, "NXuser"), "sample": collection(_dict(info.get("sample")), "NXsample")}
        dataset = _dict(info.get("dataset"))
        if "name" not in found["sample"].items and dataset.get("sample"):
            found["sample"].items["name"] = Field(str(dataset["sample"]))
        if notes := _notes(info.get("comments")):
            found["notes"] = notes
        if configured := _dict(info.get("configuration")):
            text = json.dumps(json.loads(to_json(configured)), indent=1, ensure_ascii=False)
            items: dict[str, Item] = {"type": Field("application/json"), "data": Field(text)}
            items["description"] = Field("what was configured of the devices that took part")
            found["configuration"] = Group("NXcollection", items)
        skipped = {"instrument", "positioners", "sample", "user"}
        for category in dict.fromkeys(["technique", *map(str, info.get("scan_meta_categories") or ())]):
            if category not in skipped and (values := _dict(info.get(category))):
                name = item_name(category)
                found[name if name not in RESERVED or name in _USER_KEYS else f"{name}_"] = collection(values)
        return found

    def _writer(self, status: str) -> Group:
        record = self.record
        items: dict[str, Item] = {
            "status": Field(status),
            "scan_info": _json(record.told, "all that the scan says of itself"),
            "nodes": _json(
                [_node(record.scan), *map(_node, record.nodes.values())],
                "announcements of the scan, its masters and channels",
            ),
        }
        if (end := record.end) is not None:
            told = {"path": end.path, "state": end.state, "lengths": end.lengths, "info": end.info, "error": end.error}
            items["end"] = _json(told, "how the scan ended")
        if remarks := [*record.remarks, *_uneven(record)]:
            items["remarks"] = Field(remarks)
        attributes = {"uid": str(record.info.get("uid", "")), "db_name": record.scan.path}
        return Group("NXcollection", items, attributes)

    # -- devices

    def _instrument(self) -> Group:
        instrument = Group("NXinstrument")
        beamline = _dict(self.info.get("dataset")).get("beamline") or self.info.get("session_name") or ""
        instrument.items["name"] = Field(str(beamline))
        for place in self.places:
            group = instrument.group(place.group, place.nx_class)
            group.items[place.dataset] = Points(place.node.path, self._attributes(place))
            if len(place.shape) > 1 and place.is_ragged and place.kind != "U":
                group.items[f"{place.dataset}_shapes"] = Shapes(place.node.path, {"fullname": place.fullname})
            if place.refers_to_images and (images := self._images(place)) is not None:
                group.items["data"] = images
        return instrument

    def _attributes(self, place: Place) -> dict[str, Any]:
        meta = self.record.meta(place.node)
        attributes: dict[str, Any] = {"fullname": place.fullname, **({} if place.refers_to_images else units_of(place))}
        shown = str(meta.get("display_name") or place.name)
        if shown != place.name and shown != "image":
            attributes["long_name"] = shown
        if len(place.shape) in (1, 2) and place.kind != "U":
            attributes["interpretation"] = ("spectrum", "image")[len(place.shape) - 1]
        if isinstance(meta.get("decimals"), int):
            attributes["decimals"] = meta["decimals"]
        return attributes

    def _images(self, place: Place) -> External | Virtual | None:
        """Return how the images of a detector's own files are seen: all of one file by a link, else as a virtual dataset,
        which does not change any more: at the end."""
        runs = self.record.runs.get(place.node.path, [])
        if not runs or len(runs) >= MAX_RUNS or not all(run.file.endswith(MAPPED) and run.path for run in runs):
            return None
        if len(runs) == 1 and runs[0].first == 0:
            return External(relative(runs[0].file, self._directory), runs[0].path)
        if self.record.end is None:
            return None
        info = place.node.info
        attributes = {**units_of(place), "fullname": place.fullname, "interpretation": "image"}
        return Virtual(tuple(runs), tuple(info["image_shape"]), str(info["image_dtype"]), attributes)

    def _add_positioners(self, instrument: Group) -> None:
        positions = _dict(self.info.get("positioners"))
        units = _dict(positions.get("positioners_units"))
        written: dict[tuple[str, Any], str] = {}
        for name in ("positioners_start", "positioners_dial_start", "positioners_end", "positioners_dial_end"):
            values = _dict(positions.get(name))
            if not values:
                continue
            group = instrument.items[name] = Group("NXcollection")
            for axis, value in values.items():
                clean = free_name(axis, group.items)
                value = math.nan if value is None else value  # the same object: items are compared
                there = written.setdefault((axis, value), f"/{self.record.number}.1/instrument/{name}/{clean}")
                unit = {"units": str(units[axis])} if units.get(axis) else {}
                is_new = there.endswith(f"/{name}/{clean}")
                group.items[clean] = field_of(value, **unit) if is_new else Hard(there)

    def _add_metadata(self, instrument: Group) -> None:
        devices = _dict(self.info.get("devices"))
        for name, values in _dict(self.info.get("instrument")).items():
            clean = item_name(name)
            if not isinstance(values, Mapping):
                if values is not None and clean not in instrument.items:
                    instrument.items[clean] = field_of(values)
                continue
            group = collection(values, "NXdetector" if name in devices else "NXcollection")
            known = instrument.items.get(clean)
            if known is None:
                instrument.items[clean] = group
            elif isinstance(known, Group):
                merge_into(known, group)

    # -- measurement and plots

    def _end(self, entry: Group) -> None:
        """Add the links to the data, and the plots."""
        measurement = entry.group("measurement")
        links: dict[str, Item] = {}
        for place in self.places:
            group = entry.group("instrument").group(place.group)
            link: Item = Hard(f"/{self.name}/instrument/{place.group}/{place.dataset}")
            measurement.items[place.name] = link
            if place.refers_to_images:
                images = group.items.get("data")
                measurement.items[free_name(f"{place.name}_uris", measurement.items)] = link
                if images is None:
                    del measurement.items[place.name]
                    continue
                link = images if isinstance(images, External) else Hard(f"/{self.name}/instrument/{place.group}/data")
                measurement.items[place.name] = link
            links[place.node.path] = link
        plots = plots_of(self.record, self.places, links)
        for name, plot in plots.items():
            name = free_name(name, entry.items)
            plot.items.setdefault("title", Hard(f"/{self.name}/title"))
            entry.items[name] = plot
            entry.attributes.setdefault("default", name)

    def _scans(self) -> Group:
        """Return links to the scans of a sequence."""
        group = Group("NXcollection")
        told = _dict(_dict(self.info.get("sequence_info")).get("scans"))
        for path in self.record.members:
            scan = _dict(told.get(path))
            file = scan.get("filename")
            if not file or not scan.get("scan_nb"):
                continue
            for index in range(1, int(scan.get("masters") or 1) + 1):
                entry = f"{scan['scan_nb']}.{index}"
                same = file == self.record.file
                link = Soft(f"/{entry}") if same else External(relative(str(file), self._directory), f"/{entry}")
                group.items[free_name(entry, group.items)] = link
        return group


# -- parts --------------------------------------------------------------------------------------------------------------


def master_link(record: ScanRecord, master_file: str) -> External:
    """Return the link to the first entry that a master file has."""
    return External(relative(record.file, os.path.dirname(master_file)), f"/{record.number}.1")


def relative(file: str, directory: str) -> str:
    """Return the name of a file as seen from a directory, so that both can be moved together."""
    return os.path.relpath(file, directory)


def _described(record: ScanRecord, name: str, entry: Group) -> list[dict[str, Any]]:
    found = []
    for group_name, group in entry.group("instrument").groups():
        for dataset, item in group.items.items():
            if isinstance(item, Points):
                path = f"/{name}/instrument/{group_name}/{dataset}"
                shapes = f"{path}_shapes" if f"{dataset}_shapes" in group.items else None
                found.append(_channel(record, record.nodes[item.channel], path, shapes))
    return found


def _channel(record: ScanRecord, node: NewNode, path: str, shapes: str | None) -> dict[str, Any]:
    info = node.info
    described = {
        "name": node.path[len(record.scan.path) + 1 :],
        "fullname": info.get("fullname"),
        "kind": str(node.kind),
        "dtype": info.get("dtype"),
        "shape": list(info.get("shape", ())),
        "unit": info.get("unit"),
        "info": dict(info),
        "path": path,
    }
    return {**described, "shapes": shapes} if shapes else described


def _node(node: NewNode) -> dict[str, Any]:
    return {"path": node.path, "kind": str(node.kind), "info": dict(node.info), "scan": node.scan}


def _json(value: Any, about: str) -> Field:
    return Field(to_json(value).decode(), {"about": about, "type": "application/json"})


def _uneven(record: ScanRecord) -> list[str]:
    """Return which channels of one master have fewer points than others: a scan that was stopped within a point."""
    if record.end is None or record.scan.kind is NodeKind.SCAN_GROUP:
        return []
    found, final = [], record.final_lengths
    for master in record.masters():
        lengths = {place.name: final[place.node.path] for place in places_of(record, master)}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length}" for name, length in lengths.items())
            found.append(f"channels differ in length: {told}")
    return found


def _notes(comments: Any) -> Group | None:
    notes = Group("NXcollection")
    for number, comment in enumerate(comments if isinstance(comments, list | tuple) else (), 1):
        told = _dict(comment)
        items: dict[str, Item] = {"date": Field(str(told.get("timestamp", ""))), "type": Field("text/plain")}
        items["data"] = Field(str(told.get("message", "")))
        notes.items[f"note_{number:03d}"] = Group("NXnote", items)
    return notes if notes.items else None


def _dict(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}
