"""Names of items in a NeXus file, and where the points of a channel go."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bliss_like.data.events import NewNode, NodeKind

from .nexus_record import ScanRecord

RESERVED = frozenset(
    {
        *("title", "start_time", "end_time", "end_reason", "duration", "duration_unit", "entry_identifier"),
        *("entry_identifier_uuid", "experiment_identifier", "collection_identifier", "program_name", "definition"),
        *(
            "user",
            "sample",
            "notes",
            "technique",
            "instrument",
            "measurement",
            "writer",
            "scans",
            "grid",
            "plotselect",
            "configuration",
        ),
    }
)
"""Names of an entry that are ours."""

_OF_INSTRUMENT = frozenset(
    {"name", "positioners_start", "positioners_end", "positioners_dial_start", "positioners_dial_end"}
)
_ODD = re.compile(r"[/:\x00-\x1f]+")


def item_name(name: str) -> str:
    """Return a name that an item of a file can have, as near to `name` as it goes."""
    clean = _ODD.sub("_", name.encode("utf-8", "replace").decode())
    return clean if clean.strip(".") else clean.replace(".", "_") or "_"


def free_name(name: str, taken: Iterable[str] | Mapping[str, object]) -> str:
    """Return `name`, with a number after it if others have it already."""
    clean = item_name(name)
    if clean not in taken:
        return clean
    number = 2
    while f"{clean}_{number}" in taken:
        number += 1
    return f"{clean}_{number}"


def is_ragged(shape: Iterable[int]) -> bool:
    """Whether points of that shape are kept one by one."""
    return not {-1, 0}.isdisjoint(shape)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a channel is in an entry: `instrument/<group>/<dataset>`, and its name in `measurement`."""

    node: NewNode
    name: str
    group: str
    nx_class: str
    dataset: str

    @property
    def fullname(self) -> str:
        return str(self.node.info.get("fullname") or self.node.path)

    @property
    def is_axis(self) -> bool:
        return self.fullname.startswith("axis:")

    @property
    def is_timer(self) -> bool:
        return self.fullname.startswith("timer:")

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.node.info.get("shape", ()))

    @property
    def kind(self) -> str:
        """Kind of its dtype as numpy has it, e.g. `f`, `U`."""
        return str(self.node.info.get("dtype", "<f8"))[1]

    @property
    def refers_to_images(self) -> bool:
        return self.node.kind is NodeKind.IMAGE and bool(self.node.info.get("reference"))

    @property
    def is_ragged(self) -> bool:
        """Whether its points are kept one by one: they differ in shape, or have no values, which HDF5 takes only like that."""
        return is_ragged(self.shape)


def places_of(record: ScanRecord, master: str) -> list[Place]:
    """Return where the channels below a top master go, in the order in which they were announced."""
    channels = record.channels(master)
    short: dict[str, int] = {}
    for node in channels:
        short[_short_name(node)] = short.get(_short_name(node), 0) + 1
    places: list[Place] = []
    taken: set[str] = set()
    groups = set(_OF_INSTRUMENT)
    for node in channels:
        wanted = _short_name(node)
        if short[wanted] > 1:
            wanted = str(node.info.get("fullname") or wanted)
        name = free_name(wanted, taken)
        taken.add(name)
        places.append(_place(node, name, free_name(name, groups)))
        groups.add(places[-1].group)
    return places


def _place(node: NewNode, name: str, group: str) -> Place:
    fullname = str(node.info.get("fullname") or "")
    if fullname.startswith(("axis:", "timer:")):
        return Place(node, name, group, "NXpositioner", "value")
    if node.kind is NodeKind.NODE_REF_CHANNEL or ":GroupingMaster:scan_numbers" in node.path:
        return Place(node, name, group, "NXcollection", "value")
    refers = node.kind is NodeKind.IMAGE and node.info.get("reference")
    return Place(node, name, group, "NXdetector", "image_uris" if refers else "data")


def _short_name(node: NewNode) -> str:
    """Return its last name; of a camera's image, which says nothing, the camera's."""
    fullname = str(node.info.get("fullname") or node.path)
    device, _, last = fullname.rpartition(":")
    return device.rpartition(":")[2] if last == "image" and device else last
