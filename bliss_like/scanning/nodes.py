"""The node tree of one scan: a container for each acquisition object, nested as the chain is, channels as leaves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bliss_like.data import paths
from bliss_like.data.events import NewNode, NodeKind
from bliss_like.data.publisher import Publisher
from bliss_like.devices.axis_group import AxisGroup

from .acquisition import AcquisitionMaster, AcquisitionObject
from .chain import AcquisitionChain, walk
from .channel import AcquisitionChannel


def announce(chain: AcquisitionChain, scan: str, publisher: Publisher) -> None:
    """Publish the nodes of all masters and channels below `scan`, parents first, and bind the channels."""
    _make_names_unique(chain)
    taken: set[str] = set()
    for top in chain.top_masters:
        _announce(top, scan, scan, publisher, taken)


def release(chain: AcquisitionChain) -> None:
    for channel in channels_of(chain):
        channel.release()


def channels_of(chain: AcquisitionChain) -> list[AcquisitionChannel]:
    return [channel for node in chain.nodes_list for channel in node.channels]


def driven_by(chain: AcquisitionChain) -> list[Any]:
    """Return the axes, controllers and other named devices that take part, each once."""
    devices: dict[int, Any] = {}
    for node in chain.nodes_list:
        for device in node.device.axes.values() if isinstance(node.device, AxisGroup) else [node.device]:
            if isinstance(getattr(device, "name", None), str):
                devices[id(device)] = device
    return list(devices.values())


def _announce(node: AcquisitionObject, parent: str, scan: str, publisher: Publisher, taken: set[str]) -> None:
    path = _free(paths.join(parent, paths.check_name(node.name, "acquisition object")), taken)
    info = {"name": node.name, "type": type(node).__name__}
    publisher.publish(NewNode(path, NodeKind.CONTAINER, info, scan))
    for channel in node.channels:
        channel_path = _free(paths.join(path, channel.short_name), taken)
        publisher.publish(NewNode(channel_path, channel.kind, channel.get_description(), scan))
        sink = publisher.open_channel(channel_path, channel.stored_dtype, channel.stored_shape, channel.kind)
        channel.bind(channel_path, sink)
    for slave in node.slaves if isinstance(node, AcquisitionMaster) else ():
        _announce(slave, path, scan, publisher, taken)


def _free(path: str, taken: set[str]) -> str:
    candidates: Iterator[str] = (path if n == 1 else f"{path}_{n}" for n in range(1, len(taken) + 2))
    found = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(found)
    return found


def _make_names_unique(chain: AcquisitionChain) -> None:
    """Put the name of its acquisition object before the full name of a channel that another one has already."""
    taken: set[str] = set()
    for top in chain.top_masters:
        for node in walk(top):
            for channel in node.channels:
                if channel.fullname in taken:
                    channel.fullname = _free(f"{node.name}:{channel.fullname}", taken)
                taken.add(channel.fullname)
