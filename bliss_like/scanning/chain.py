"""The acquisition chain: who triggers whom in a scan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bliss_like.errors import ChainError

from .acquisition import (
    META_TIMING,
    AcquisitionMaster,
    AcquisitionObject,
    AcquisitionSlave,
    MetaTiming,
    TriggerType,
)
from .chain_nodes import ChainNode
from .channel import AcquisitionChannel, AcquisitionChannelList
from .presets import ChainIterationPreset, ChainPreset

TRIGGER_MODE_ENUM = TriggerType
"""BLISS' name of it."""

__all__ = [
    "META_TIMING",
    "TRIGGER_MODE_ENUM",
    "AcquisitionChain",
    "AcquisitionChannel",
    "AcquisitionChannelList",
    "AcquisitionMaster",
    "AcquisitionObject",
    "AcquisitionSlave",
    "ChainIterationPreset",
    "ChainNode",
    "ChainPreset",
    "MetaTiming",
    "TriggerType",
]


class AcquisitionChain:
    """Masters with their slaves, which may be masters too. Top masters run side by side.

    :param parallel_prepare: prepare all levels at the same time, not the slaves before their masters.
    """

    def __init__(self, parallel_prepare: bool = False) -> None:
        self.parallel_prepare = parallel_prepare
        self.timer: AcquisitionMaster | None = None
        """The master that gives the count time, where there is one."""
        self.runs_in: Any = None
        """The scan that runs it now."""
        self._top_masters: list[AcquisitionMaster] = []
        self._presets: list[tuple[ChainPreset, AcquisitionMaster | None]] = []

    # -- building ------------------------------------------------------------------------------------------------------

    def add(self, master: AcquisitionMaster | ChainNode, slave: AcquisitionObject | ChainNode | None = None) -> None:
        """Put a slave, or a master with its slaves, under a master; without a slave, add a top master.

        :raises ChainError: not a master; a slave of another one; a name that another top master has; a loop.
        """
        master_object = self._unfold(master)
        if not isinstance(master_object, AcquisitionMaster):
            raise ChainError(f"expected an AcquisitionMaster to add to, got {master_object!r}")
        if slave is None:
            self._add_master(master_object)
            return
        slave_object = slave.create_acquisition_object() if isinstance(slave, ChainNode) else slave
        self._add_slave(master_object, slave_object)
        if isinstance(slave, ChainNode):
            self._unfold(slave)

    def _unfold(self, node: AcquisitionObject | ChainNode) -> AcquisitionObject:
        """Return the acquisition object of `node`, with those of its children added below it."""
        if not isinstance(node, ChainNode):
            return node
        master = node.create_acquisition_object()
        for child in node.children:
            if not isinstance(master, AcquisitionMaster):
                raise ChainError(f"{master!r} has children {node.children} but is no AcquisitionMaster")
            self.add(master, child)
        return master

    def _add_master(self, master: AcquisitionMaster) -> None:
        if master in self.nodes_list:
            return
        if any(node.name == master.name for node in self._top_masters):
            raise ChainError(f"cannot add master {master.name!r}: the chain has a top master of that name already")
        self._top_masters.append(master)

    def _add_slave(self, master: AcquisitionMaster, slave: AcquisitionObject) -> None:
        if not isinstance(slave, AcquisitionObject):
            raise ChainError(f"expected an acquisition object to add to {master.name!r}, got {slave!r}")
        if slave.parent is master and slave in master.slaves:
            self._add_master(self._top_of(master))
            return
        if slave.parent is not None and slave in slave.parent.slaves:
            raise ChainError(
                f"cannot add {slave.name!r} to master {master.name!r}: its master is {slave.parent.name!r} already"
            )
        if any(node is master for node in walk(slave)):
            raise ChainError(f"cannot add {slave.name!r} to {master.name!r}: it is itself above that")
        if slave in self._top_masters:
            self._top_masters.remove(slave)
        slave.parent = master
        master.slaves.append(slave)
        self._add_master(self._top_of(master))

    @staticmethod
    def _top_of(master: AcquisitionMaster) -> AcquisitionMaster:
        while master.parent is not None:
            master = master.parent
        return master

    def add_preset(self, preset: ChainPreset, master: AcquisitionMaster | None = None) -> None:
        """Add a preset to one top master, by default the first.

        :raises ChainError: no preset, or not a top master of this chain.
        """
        if not isinstance(preset, ChainPreset):
            raise ChainError(f"expected a ChainPreset, got {preset!r}")
        if master is not None and master not in self._top_masters:
            raise ChainError(f"{master!r} is no top master of this chain; those are {self._top_masters}")
        self._presets.append((preset, master))

    def append(self, chain: AcquisitionChain, add_presets: bool = False) -> None:
        """Take in the top masters of another chain, with all below them."""
        for master in chain.top_masters:
            self._add_master(master)
        if add_presets:
            self._presets += chain._presets

    # -- looking at it -------------------------------------------------------------------------------------------------

    @property
    def top_masters(self) -> list[AcquisitionMaster]:
        return list(self._top_masters)

    @property
    def nodes_list(self) -> list[AcquisitionObject]:
        """All acquisition objects, every master before its slaves."""
        return [node for top in self._top_masters for node in walk(top)]

    @property
    def tree(self) -> dict[AcquisitionObject, Any]:
        """The chain as nested dictionaries: {master: {slave: {}, ...}, ...}."""
        return {top: _tree(top) for top in self._top_masters}

    def presets_of(self, master: AcquisitionMaster) -> list[ChainPreset]:
        """Return the presets that run around a top master."""
        is_first = master is self._top_masters[0]
        return [preset for preset, of in self._presets if of is master or (of is None and is_first)]

    def get_node_from_devices(self, *devices: Any) -> list[AcquisitionObject | None]:
        """Return the acquisition object of each controller, counter or axis, or None where there is none."""
        owners: dict[int, AcquisitionObject] = {}
        for node in self.nodes_list:
            axes = getattr(node.device, "axes", ())
            for device in (node.device, *node.counters, *(axes.values() if isinstance(axes, dict) else axes)):
                owners.setdefault(id(device), node)
        return [owners.get(id(device)) for device in devices]

    def __info__(self) -> str:
        def lines(node: AcquisitionObject, indent: str) -> Iterator[str]:
            channels = ", ".join(channel.short_name for channel in node.channels)
            yield f"{indent}{node.name} ({type(node).__name__}){': ' + channels if channels else ''}"
            for slave in getattr(node, "slaves", ()):
                yield from lines(slave, indent + "  ")

        return "\n".join(line for top in self._top_masters for line in lines(top, "")) or "an empty chain"


def walk(node: AcquisitionObject) -> Iterator[AcquisitionObject]:
    """Yield an acquisition object and all below it, every master before its slaves."""
    yield node
    for slave in node.slaves if isinstance(node, AcquisitionMaster) else ():
        yield from walk(slave)


def _tree(node: AcquisitionObject) -> dict[AcquisitionObject, Any]:
    return {slave: _tree(slave) for slave in (node.slaves if isinstance(node, AcquisitionMaster) else ())}
