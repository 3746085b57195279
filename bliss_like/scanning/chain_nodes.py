"""From counters to acquisition objects: what a chain is built of before its acquisition objects are made."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bliss_like.devices.calc_counter import CalcCounterController, with_inputs
from bliss_like.devices.counter import Counter, CounterController
from bliss_like.devices.counter_controller import Params, register_chain_node
from bliss_like.errors import ChainError, ScanUsageError

from .acquisition import AcquisitionMaster, AcquisitionObject
from .parameters import ParameterError
from .tolerance import FAILURES

_log = logging.getLogger(__name__)


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

    @property
    def is_master(self) -> bool:
        """Whether others are triggered by it."""
        return bool(self.children)

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
            if self.acquisition_obj is not None:
                self.acquisition_obj.add_counter(counter)

    def set_parameters(
        self,
        acq_params: Mapping[str, Any] | None = None,
        ctrl_params: Mapping[str, Any] | None = None,
        force: bool = False,
    ) -> None:
        """Set the parameters of the acquisition object to come; what was set before stays, unless `force`."""
        if acq_params is not None:
            if force or self.acquisition_parameters is None:
                self.acquisition_parameters = dict(acq_params)
            elif self.acquisition_parameters != acq_params:
                _log.warning(
                    "%s: has its parameters %s already, %s are ignored; set_parameters(..., force=True) replaces them",
                    self.controller.name,
                    self.acquisition_parameters,
                    dict(acq_params),
                )
        if ctrl_params is not None and (force or self.controller_parameters is None):
            known = self.controller.get_current_parameters() or {}
            self.controller_parameters = {**known, **ctrl_params}

    def set_parent_parameters(self, parent_acq_params: Mapping[str, Any] | None, force: bool = False) -> None:
        if parent_acq_params is not None and (force or self.parent_parameters is None):
            self.parent_parameters = dict(parent_acq_params)

    def get_default_chain_parameters(self, scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]) -> Params:
        """Return what the acquisition object is made with in a standard scan, as its controller says."""
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
                child.create_acquisition_object(force)
        return self.acquisition_obj

    def _make(self) -> AcquisitionObject:
        # Copies: whoever makes an acquisition object may take out of them what it has used.
        acq_params = dict(self.acquisition_parameters or {})
        ctrl_params = dict(self.controller_parameters or self._current_parameters())
        parent_params = dict(self.parent_parameters or {})
        return self.get_acquisition_object(acq_params, ctrl_params, parent_params)

    def _current_parameters(self) -> Params:
        """Return those of the hardware; none of one that does not tell and is not critical: the scan will say what is wrong."""
        try:
            return self.controller.get_current_parameters() or {}
        except FAILURES:
            if self.controller.is_critical:
                raise
            return {}

    def get_acquisition_object(
        self, acq_params: Params, ctrl_params: Params, parent_acq_params: Params
    ) -> AcquisitionObject:
        """Return what the controller makes of these parameters; a node of another kind overloads it."""
        return self.controller.get_acquisition_object(acq_params, ctrl_params, parent_acq_params)  # type: ignore[no-any-return]

    def get_repr_str(self) -> str:
        made = self.acquisition_obj
        return f"{self.controller.name}: {type(made).__name__ if made is not None else 'not yet made'}"

    def __repr__(self) -> str:
        return f"<ChainNode {self.controller.name}: {', '.join(counter.name for counter in self.counters)}>"


class CalcCounterChainNode(ChainNode):
    """A controller that calculates its counters from those of other nodes."""

    controller: CalcCounterController

    def __init__(self, controller: CalcCounterController) -> None:
        super().__init__(controller)
        self.dependencies: dict[CounterController, ChainNode] = {}
        """The nodes of its inputs, by their controllers."""

    def get_acquisition_object(
        self, acq_params: Params, ctrl_params: Params, parent_acq_params: Params
    ) -> AcquisitionObject:
        """:raises ChainError: a controller of its inputs has no acquisition object yet."""
        devices = [self._made(node) for node in self.dependencies.values()]
        return self.controller.get_acquisition_object(acq_params, ctrl_params, parent_acq_params, devices)  # type: ignore[no-any-return]

    def _made(self, node: ChainNode) -> AcquisitionObject:
        if node.acquisition_obj is None:
            names = ", ".join(each.name for each in self.controller.input_counters if each in node.counters)
            raise ChainError(
                f"calc controller {self.controller.name!r}: its inputs {names} are of {node.controller.name!r}, which has no "
                "acquisition object yet; add that node to the chain first: builder.nodes has them in the right order"
            )
        return node.acquisition_obj

    def common_master(self) -> AcquisitionMaster | None:
        """Return the lowest master above the acquisition objects of all inputs; None when there is none."""
        lines = [_masters_above(self._made(node)) for node in self.dependencies.values()]
        first, *others = lines or [[]]
        return next((master for master in first if all(master in line for line in others)), None)


def _masters_above(acquisition: AcquisitionObject) -> list[AcquisitionMaster]:
    """Return the masters of an acquisition object, the nearest first; a top master itself."""
    above: list[AcquisitionMaster] = []
    master = acquisition.parent
    if master is None and isinstance(acquisition, AcquisitionMaster):
        master = acquisition
    while master is not None:
        above.append(master)
        master = master.parent
    return above


register_chain_node(CounterController, ChainNode)
register_chain_node(CalcCounterController, CalcCounterChainNode)


@contextmanager
def naming(device: str) -> Iterator[None]:
    """Note in which device something was raised that does not say so itself."""
    try:
        yield
    except Exception as error:
        if device not in str(error) and not getattr(error, "__notes__", ()):
            error.add_note(f"(in {device})")
        raise


def iter_counters(countable: Any) -> Iterator[Counter]:
    """Yield the counters of anything that has some: a counter, a controller, a measurement group, a list of those.

    :raises ScanUsageError: it has none.
    """
    if isinstance(countable, Counter):
        yield countable
    elif hasattr(type(countable), "counter_groups"):
        with naming(str(getattr(countable, "name", ""))):
            counters = default_group(countable)
        yield from iter_counters(counters)
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
    """Sorts counters into one node for each controller, controllers under their masters.

    What counters are calculated from comes along; nodes of inputs come before those that need them.

    :raises DeviceError: counters are calculated from each other in a circle.
    """

    def __init__(self, counters: Iterable[Any]) -> None:
        self._nodes: dict[CounterController, ChainNode] = {}
        self.add_extra_counters(*counters)

    def add_extra_counters(self, *counters: Any) -> None:
        """Acquire more counters, and what they are calculated from."""
        for counter in with_inputs(iter_counters(counters)):
            self.node_of(counter.controller).add_counter(counter)

    def node_of(self, controller: CounterController) -> ChainNode:
        """Return the node of a controller; made when it is not there yet."""
        node = self._nodes.get(controller)
        if node is None:
            with naming(controller.name):
                node = self._nodes[controller] = controller.create_chain_node()
            if isinstance(node, CalcCounterChainNode):
                for counter in node.controller.input_counters:
                    node.dependencies[counter.controller] = self.node_of(counter.controller)
            if controller.master_controller is not None:
                self.node_of(controller.master_controller).add_child(node)
        return node

    # -- nodes; all methods look at those of the top level, unless they are given others ---------------------------------

    @property
    def nodes(self) -> list[ChainNode]:
        return self.get_top_level_nodes()

    def get_all_nodes(self) -> list[ChainNode]:
        """Return the nodes of all levels."""
        return list(self._nodes.values())

    def get_top_level_nodes(self, nodes: Iterable[ChainNode] | None = None) -> list[ChainNode]:
        """Return the nodes that no other node triggers."""
        return [node for node in (self._nodes.values() if nodes is None else nodes) if node.is_top_level]

    def get_nodes_by_controller_type(self, ctrl_class: type, nodes: Nodes = None) -> list[ChainNode]:
        """Return the nodes of controllers of a class."""
        return [node for node in self._among(nodes) if isinstance(node.controller, ctrl_class)]

    def get_nodes_by_acquisition_type(self, acq_obj_class: type, nodes: Nodes = None) -> list[ChainNode]:
        """Return the nodes whose acquisition object is of a class."""
        return [node for node in self._among(nodes) if isinstance(node.acquisition_obj, acq_obj_class)]

    def get_nodes_by_node_type(self, node_class: type, nodes: Nodes = None) -> list[ChainNode]:
        """Return the nodes of a class, or of one derived from it."""
        return [node for node in self._among(nodes) if isinstance(node, node_class)]

    def get_nodes_by_controller_name(self, name: str, nodes: Nodes = None) -> list[ChainNode]:
        """Return the nodes of the controllers of that name."""
        return [node for node in self._among(nodes) if node.controller.name == name]

    def get_nodes_not_ready(self, nodes: Nodes = None) -> list[ChainNode]:
        """Return the nodes that have no acquisition object yet."""
        return [node for node in self._among(nodes) if node.acquisition_obj is None]

    def _among(self, nodes: Nodes) -> Iterable[ChainNode]:
        return self.nodes if nodes is None else nodes

    # -- for people ------------------------------------------------------------------------------------------------------

    def print_tree(self, nodes: Nodes = None, not_ready_only: bool = True) -> None:
        """Print the nodes, those below a master under it; `not_ready_only`: nothing when all are ready."""
        chosen = self.get_all_nodes() if nodes is None else list(nodes)
        if not not_ready_only or self.get_nodes_not_ready(chosen):
            sys.stdout.write(_tree(self.get_top_level_nodes(chosen)) + "\n")

    def __info__(self) -> str:
        return _tree(self.nodes)


Nodes = Iterable[ChainNode] | None


def _tree(nodes: Iterable[ChainNode]) -> str:
    def lines(node: ChainNode, indent: str) -> Iterator[str]:
        counters = ", ".join(counter.name for counter in node.counters) or "no counters"
        inputs = ", ".join(each.name for each in getattr(node, "dependencies", ()))
        yield f"{indent}{node.get_repr_str()} ({counters}){' <- ' + inputs if inputs else ''}"
        for child in node.children:
            yield from lines(child, indent + "  ")

    return "\n".join(line for node in nodes for line in lines(node, ""))
