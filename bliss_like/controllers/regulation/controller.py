"""A box that regulates: its inputs, outputs and loops, from YAML. A driver overloads the methods of RegulationDriver."""

from __future__ import annotations

from typing import Any, ClassVar

from gevent.lock import RLock

from bliss_like.config.models import ObjectConfig
from bliss_like.controllers.regulation.driver import RegulationDriver
from bliss_like.controllers.regulation.input import Input
from bliss_like.controllers.regulation.keys import RegulationConfig, own_name
from bliss_like.controllers.regulation.loop import Loop
from bliss_like.controllers.regulation.output import Output
from bliss_like.devices.axis import Axis
from bliss_like.devices.counter import counter_namespace


class Controller(RegulationDriver):
    """Base of the drivers of boxes; nothing touches the hardware before the first use."""

    Config: ClassVar[type[ObjectConfig]] = RegulationConfig

    def __init__(self, name: str, config: Any) -> None:
        """:param config: an instance of `Config`."""
        self.name = name
        self.config = config
        self._inputs = {item.name: Input(self, item) for item in config.inputs}
        self._outputs = {item.name: Output(self, item) for item in config.outputs}
        axes = {own_name(item.loop): item for item in config.axes}
        self._loops = {
            item.name: Loop(
                self,
                item,
                self._inputs[own_name(item.input)],
                self._outputs[own_name(item.output)],
                axes.get(item.name),
                config.node,
            )
            for item in config.ctrl_loops
        }
        self._items: dict[str, Any] = {**self._inputs, **self._outputs, **self._loops}
        self._items |= {loop.axis.name: loop.axis for loop in self._loops.values()}
        self._initializing = RLock()
        self._is_initialized = False
        self._ready: set[Any] = set()

    @property
    def inputs(self) -> list[Input]:
        return list(self._inputs.values())

    @property
    def outputs(self) -> list[Output]:
        return list(self._outputs.values())

    @property
    def loops(self) -> list[Loop]:
        return list(self._loops.values())

    @property
    def counters(self) -> counter_namespace:
        """Those of all inputs, outputs and loops."""
        items: list[Any] = [*self.inputs, *self.outputs, *self.loops]
        return counter_namespace([counter for item in items for counter in item.counters])

    def get_object(self, name: str) -> Input | Output | Loop | Axis:
        """Return an input, an output, a loop or the axis of a loop.

        :raises KeyError: there is none of that name.
        """
        try:
            found: Input | Output | Loop | Axis = self._items[name]
        except KeyError:
            raise KeyError(f"{self.name} has no {name!r}; it has {', '.join(self._items) or 'nothing'}") from None
        return found

    get_item = get_object

    def make_ready(self, item: Any) -> None:
        """Initialise the controller and an item at their first use; after a failure the next use tries again."""
        if item in self._ready:
            return
        with self._initializing:
            if not self._is_initialized:
                self.initialize_controller()
                self._is_initialized = True
            if item in self._ready:
                return
            self._ready.add(item)
            try:
                self._initialize(item)
            except BaseException:
                self._ready.discard(item)
                raise

    def _initialize(self, item: Any) -> None:
        if isinstance(item, Input):
            self.initialize_input(item)
        elif isinstance(item, Output):
            self.initialize_output(item)
            if item.config.ramprate is not None:
                item.apply_ramprate(item.config.ramprate)
        else:
            self.initialize_loop(item)
            item.apply_config()

    def __connect__(self, timeout: float) -> None:
        self.connect_item(self, timeout)

    def __refuse_close__(self) -> None:
        for loop in self.loops:
            loop.__refuse_close__()

    def __close__(self) -> None:
        for loop in self.loops:
            loop.close()
        for output in self.outputs:
            output.close()
        if self._is_initialized:
            self.close_controller()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {' '.join(self._items)}>"

    def __info__(self) -> str:
        lines = [f"{type(self).__name__} {self.name}"]
        for title, names in [("inputs", [*self._inputs]), ("outputs", [*self._outputs]), ("loops", [*self._loops])]:
            lines.append(f"  {title:9} {', '.join(names) or 'none'}")
        return "\n".join(lines)
