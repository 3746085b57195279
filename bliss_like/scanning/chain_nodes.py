"""From counters to acquisition objects: what a chain is built of before its acquisition objects are made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bliss_like.devices.counter import Counter, CounterController
from bliss_like.devices.counter_controller import Params, register_chain_node
from bliss_like.errors import ChainError, ScanUsageError

from .acquisition import AcquisitionObject
from .parameters import ParameterError


class ChainNode:
    """One controller with the counters that are wanted of it; becomes one acquisition object."""

    def __init__(self, controller: CounterController) -> None:
        self.controller = controller
        self.counters: list[Counter] = []
        self.children: list[ChainNode] = []
        self.parent: ChainNode | None = None
        self.acquisition_obj: AcquisitionObject | None = None
        self.acquisition_parameters: Params | None = None
        self.controller_parameters: Params | None = None
        self.parent_parameters: Params | None = None

    @property
    def is_top_level(self) -> bool:
        return self.parent is None

    def add_child(self, node: ChainNode) -> None:
        if node not in self.children:
            self.children.append(node)
            node.parent = self

    def walk(self) -> Iterator[ChainNode]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def add_counter(self, counter: Counter) -> None:
        if counter not in self.counters:
            self.counters.append(counter)

    def set_parameters(
        self,
        acq_params: Mapping[str, Any] | None = None,
        ctrl_params: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> None:
        """Set the parameters of the acquisition object to come; what was set before stays, unless `force`."""
        if acq_params is not None and (force or self.acquisition_parameters is None):
            self.acquisition_parameters = dict(acq_params)
        if ctrl_params is not None and (force or self.controller_parameters is None):
            known = self.controller.get_current_parameters() or {}
            self.controller_parameters = {**known, **ctrl_params}

    def set_parent_parameters(self, parent_acq_params: Mapping[str, Any] | None, force: bool = False) -> None:
        if parent_acq_params is not None and (force or self.parent_parameters is None):
            self.parent_parameters = dict(parent_acq_params)

    def get_default_chain_parameters(self, scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]) -> Params:
        return self.controller.get_default_chain_parameters(scan_params, acq_params)

    def create_acquisition_object(self, force: bool = False) -> AcquisitionObject:
        """Return the acquisition object, made from the parameters set so far when it is not there yet.

        :raises ChainError: nothing is known about how to acquire the controller, or not with these parameters, or what it
            made is no such object.
        """
        if self.acquisition_obj is None or force:
            try:
                made = self._make()
            except ParameterError as error:
                raise ParameterError(f"controller {self.controller.name!r}: acquisition_settings: {error}") from error
            except TypeError as error:  # what Python says to a keyword that nobody knows does not name the device
                given = ", ".join(f"{name}={value!r}" for name, value in (self.acquisition_parameters or {}).items())
                raise ChainError(
                    f"controller {self.controller.name!r} cannot be acquired with ({given}): {error}; are its "
                    "acquisition_settings right? DEFAULT_CHAIN shows them"
                ) from error
            if not isinstance(made, AcquisitionObject):
                raise ChainError(
                    f"controller {self.controller.name!r}: expected an acquisition object, it made {made!r}"
                )
            for counter in self.counters:
                made.add_counter(counter)
            self.acquisition_obj = made
            for child in self.children:
                child.set_parent_parameters(self.acquisition_parameters)
        return self.acquisition_obj

    def _make(self) -> AcquisitionObject:
        # Copies: whoever makes an acquisition object may take out of them what it has used.
        acq_params = dict(self.acquisition_parameters or {})
        ctrl_params = dict(self.controller_parameters or self.controller.get_current_parameters() or {})
        parent_params = dict(self.parent_parameters or {})
        return self.controller.get_acquisition_object(acq_params, ctrl_params, parent_params)  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        return f"<ChainNode {self.controller.name}: {', '.join(counter.name for counter in self.counters)}>"


register_chain_node(CounterController, ChainNode)


def iter_counters(countable: Any) -> Iterator[Counter]:
    """Yield the counters of anything that has some: a counter, a controller, a measurement group, a list of those.

    :raises ScanUsageError: it has none.
    """
    if isinstance(countable, Counter):
        yield countable
    elif hasattr(type(countable), "counter_groups"):
        yield from iter_counters(default_group(countable))
    elif hasattr(countable, "counters"):
        yield from iter_counters(countable.counters)
    elif isinstance(getattr(countable, "counter", None), Counter):
        yield countable.counter
    elif isinstance(countable, Iterable) and not isinstance(countable, str | bytes):
        for item in countable:
            yield from iter_counters(item)
    else:
        raise ScanUsageError(
            f"{countable!r} ({type(countable).__name__}) is not a counter, nor has it any; expected counters, their "
            "controllers, or measurement groups"
        )


def default_group(controller: Any) -> Any:
    """Return the counters that stand for a controller: its group `default`, or all of them when it has no such group."""
    groups = controller.counter_groups
    return groups["default"] if "default" in groups else controller.counters


class ChainBuilder:
    """Sorts counters into one node for each controller, controllers under their masters."""

    def __init__(self, counters: Iterable[Any]) -> None:
        self._nodes: dict[CounterController, ChainNode] = {}
        self.add_extra_counters(*counters)

    def add_extra_counters(self, *counters: Any) -> None:
        for counter in dict.fromkeys(iter_counters(counters)):
            self.node_of(counter.controller).add_counter(counter)

    def node_of(self, controller: CounterController) -> ChainNode:
        """Return the node of a controller; made when it is not there yet."""
        node = self._nodes.get(controller)
        if node is None:
            node = self._nodes[controller] = controller.create_chain_node()
            if controller.master_controller is not None:
                self.node_of(controller.master_controller).add_child(node)
        return node

    @property
    def nodes(self) -> list[ChainNode]:
        return list(self._nodes.values())

    def get_all_nodes(self) -> list[ChainNode]:
        return self.nodes

    def get_top_level_nodes(self) -> list[ChainNode]:
        return [node for node in self.nodes if node.is_top_level]

    def get_nodes_by_controller_type(self, controller_class: type) -> list[ChainNode]:
        return [node for node in self.nodes if isinstance(node.controller, controller_class)]

    def get_nodes_by_controller_name(self, name: str) -> list[ChainNode]:
        return [node for node in self.nodes if node.controller.name == name]

    def get_nodes_not_ready(self) -> list[ChainNode]:
        """Return the nodes that have no acquisition object yet."""
        return [node for node in self.nodes if node.acquisition_obj is None]

    def __info__(self) -> str:
        def lines(node: ChainNode, indent: str) -> Iterator[str]:
            yield f"{indent}{node.controller.name}: {', '.join(counter.name for counter in node.counters)}"
            for child in node.children:
                yield from lines(child, indent + "  ")

        return "\n".join(line for node in self.get_top_level_nodes() for line in lines(node, ""))
