"""Counters that are calculated from others: a controller that overloads `calc_function` is all it takes.

In a scan the inputs are acquired by whoever acquires them, and the outputs follow as soon as all inputs of a point are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import DTypeLike

from bliss_like.config.models import ObjectConfig
from bliss_like.config.table import table
from bliss_like.devices.calc_counter_config import CalcCounterControllerConfig, validated
from bliss_like.devices.counter import (
    Conversion,
    Counter,
    CounterController,
    SamplingCounter,
    SamplingCounterController,
    counter_namespace,
)
from bliss_like.devices.naming import both_names_of, name_of
from bliss_like.errors import CalculationError, DeviceError

Array = np.ndarray[Any, Any]
Inputs = dict[str, Array]
"""By tag: shape (npoints, *shape of the counter)."""
Calculation = Callable[[Inputs], Mapping[str, Any]]


class CalcCounter(Counter):
    """A counter that is calculated from others; counted alone, it brings them with it.

    :param dim: number of dimensions of one point, each of any length; or its `shape`.
    """

    controller: CalcCounterController

    def __init__(
        self,
        name: str,
        controller: CalcCounterController,
        dim: int | None = None,
        conversion_function: Conversion | None = None,
        unit: str | None = None,
        dtype: DTypeLike | None = None,
        shape: Sequence[int] | None = None,
    ) -> None:
        if dim is not None and shape is not None and len(shape) != dim:
            raise DeviceError(
                f"counter {name!r}: shape {tuple(shape)} has not the {dim} dimensions of dim; give one of them"
            )
        shape = (-1,) * (dim or 0) if shape is None else shape
        super().__init__(name, controller, conversion_function, unit, float if dtype is None else dtype, shape)

    @property
    def inputs(self) -> counter_namespace:
        return self.controller.inputs

    @property
    def raw_read(self) -> Any:
        """Its value now, from one reading of its inputs."""
        return self.controller.read_all(self)[0]

    def __info__(self) -> str:
        names = ", ".join(both_names_of(counter) for counter in self.controller.input_counters)
        return f"{super().__info__()}\ncalculated from {names or 'nothing'}"


class CalcCounterController(CounterController):
    """Calculates counters, its outputs, from others, its inputs: overload `calc_function`."""

    Config: ClassVar[type[ObjectConfig]] = CalcCounterControllerConfig

    def __init__(self, name: str, config: Any, register_counters: bool = True) -> None:
        """:param config: an instance of `Config`, or a dict of its keys."""
        super().__init__(name, register_counters=register_counters)
        self._config: Any = validated(self.Config, name, config) if isinstance(config, Mapping) else config
        self._input_counters: list[Counter] = []
        self._tags: dict[str, str] = {}
        self.build_counters(self._config)

    # -- to be overloaded ----------------------------------------------------------------------------------------------

    def calc_function(self, input_dict: Inputs) -> Mapping[str, Any]:
        """Return the outputs by their tags, from the inputs by theirs.

        Called with as many points as there are: one in a step scan, a block where points come in blocks.

        :param input_dict: arrays of shape (npoints, *shape of the counter); they may be changed in place.
        :return: the same of the outputs; for a single point its first axis may be missing.
        """
        raise NotImplementedError(f"{type(self).__name__} must overload calc_function(input_dict)")

    def calculation(self, counters: Sequence[Counter]) -> Calculation:
        """Return what calculates some of the outputs from now on, by default `calc_function`.

        Called when a scan is prepared: what is looked up in settings is looked up here, and not for each point.
        """
        return self.calc_function

    def build_counters(self, config: Any) -> None:
        """Make inputs and outputs of what is written, by `add_input` and `add_output`."""
        for item in config.inputs:
            self.add_input(item.counter, item.tag)
        for item in config.outputs:
            self.add_output(item.name, item.tag, dim=item.dim, shape=item.shape, dtype=item.dtype, unit=item.unit)

    # -- inputs and outputs --------------------------------------------------------------------------------------------

    def add_input(self, counter: Counter, tag: str = "") -> None:
        """Calculate with a counter, called `tag`.

        :raises DeviceError: it is none.
        """
        if not isinstance(counter, Counter):
            raise DeviceError(
                f"calc controller {self.name!r}: expected a counter as its input {tag!r}, got {counter!r}"
            )
        self._input_counters.append(counter)
        self._tag(counter, tag)

    def add_output(self, name: str, tag: str = "", **keys: Any) -> CalcCounter:
        """Calculate a counter, called `tag`; the keywords are those of `CalcCounter`."""
        counter = self.create_counter(CalcCounter, name, **keys)
        self._tag(counter, tag)
        return counter

    def _tag(self, counter: Counter, tag: str) -> None:
        self._tags[counter.fullname] = tag or counter.name
        self._tags.setdefault(counter.name, tag or counter.name)

    @property
    def inputs(self) -> counter_namespace:
        return counter_namespace(self._input_counters)

    @property
    def outputs(self) -> counter_namespace:
        return self.counters

    @property
    def input_counters(self) -> list[Counter]:
        """All inputs, also those that have the same name."""
        return list(self._input_counters)

    @property
    def tags(self) -> dict[str, str]:
        """How the calculation calls inputs and outputs, by their names, full names and aliases."""
        counters = [*self._input_counters, *self.counters]
        return {**{name_of(counter): self.tag_of(counter) for counter in counters}, **self._tags}

    def tag_of(self, counter: Counter) -> str:
        return self._tags.get(counter.fullname) or self._tags.get(counter.name, counter.name)

    def get_input_counter_from_tag(self, tag: str) -> Counter | None:
        """Return the input of that tag; None when there is none."""
        return next((counter for counter in self._input_counters if self.tag_of(counter) == tag), None)

    def get_output_counter_from_tag(self, tag: str) -> Counter | None:
        """Return the output of that tag; None when there is none."""
        return next((counter for counter in self.counters if self.tag_of(counter) == tag), None)

    # -- values --------------------------------------------------------------------------------------------------------

    def read_all(self, *counters: Counter) -> list[Any]:
        """Return the values of `counters` now, from one reading of the inputs.

        :raises DeviceError: an input can only be counted in a scan.
        """
        values = read_now(counters)
        return [values[counter] for counter in counters]

    def calculated(self, inputs: Inputs, counters: Iterable[Counter], calculate: Calculation) -> list[Array]:
        """Return a block of points of each of `counters`, shape (npoints, *shape).

        :param calculate: what `calculation` has returned.
        :raises CalculationError: it raised, or returned something else than that.
        """
        npoints = len(next(iter(inputs.values())))
        try:
            found = calculate(inputs)
        except CalculationError:
            raise
        except Exception as error:
            given = ", ".join(f"{tag} of shape {np.shape(values)}" for tag, values in inputs.items())
            raise CalculationError(
                f"calc controller {self.name!r}: calc_function failed, given {given}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(found, Mapping):
            raise CalculationError(
                f"calc controller {self.name!r}: expected a dict of {', '.join(map(self.tag_of, counters))} from "
                f"calc_function, it returned {found!r:.80}"
            )
        return [self._block(found, counter, npoints) for counter in counters]

    def _block(self, found: Mapping[str, Any], counter: Counter, npoints: int) -> Array:
        tag = self.tag_of(counter)
        if found.get(tag) is None:
            there = ", ".join(map(str, found)) or "nothing"
            raise CalculationError(
                f"calc controller {self.name!r}: expected {tag!r}, which is counter {name_of(counter)}, from calc_function, "
                f"it returned {there}"
            )
        try:
            values = np.asarray(found[tag])
        except ValueError as error:
            raise self._wrong_shape(tag, counter, npoints, f"no regular array: {error}") from None
        shape = (npoints, *counter.shape)
        if npoints == 1 and values.ndim == len(shape) - 1:
            values = values[np.newaxis]
        if values.shape != shape and not _fits(values.shape, shape):
            raise self._wrong_shape(tag, counter, npoints, f"shape {np.shape(found[tag])}")
        return np.asarray([counter.conversion_function(value) for value in values]) if counter.is_converted else values

    def _wrong_shape(self, tag: str, counter: Counter, npoints: int, came: str) -> CalculationError:
        point = f" of shape {counter.shape}" if counter.shape else ""
        return CalculationError(
            f"calc controller {self.name!r}: expected {npoints} point{'s' * (npoints > 1)}{point} of {tag!r}, which is counter "
            f"{name_of(counter)}, from calc_function, it returned {came}; the first axis of each array is that of the points"
        )

    # -- scans ---------------------------------------------------------------------------------------------------------

    def get_acquisition_object(
        self,
        acq_params: dict[str, Any],
        ctrl_params: dict[str, Any],
        parent_acq_params: dict[str, Any],
        acq_devices: Sequence[Any] = (),
    ) -> Any:
        """Return what calculates the counters in a scan.

        :param acq_devices: the acquisition objects of the inputs.
        """
        return super().get_acquisition_object(
            {**acq_params, "acq_devices": acq_devices}, ctrl_params, parent_acq_params
        )

    def __info__(self) -> str:
        rows = [("input", self.tag_of(each), both_names_of(each), each.unit or "") for each in self._input_counters]
        rows += [("output", self.tag_of(each), both_names_of(each), each.unit or "") for each in self.counters]
        return f"{type(self).__name__} {self.name}\n{table(('', 'tag', 'counter', 'unit'), rows)}"


def _fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Tell whether a shape is the expected one, where -1 is anything."""
    return len(shape) == len(expected) and all(n in (-1, m) for n, m in zip(expected, shape, strict=True))


def with_inputs(counters: Iterable[Counter]) -> list[Counter]:
    """Return counters with all that they are calculated from, each once, the inputs before what needs them.

    :raises DeviceError: some need each other.
    """
    done: dict[Counter, None] = {}

    def add(counter: Counter, way: tuple[Counter, ...]) -> None:
        if counter in done:
            return
        if counter in way:
            circle = " <- ".join(name_of(each) for each in (*way[way.index(counter) :], counter))
            raise DeviceError(
                f"calculated counters that need each other: {circle}; take one out of the inputs of another"
            )
        if isinstance(counter.controller, CalcCounterController):
            for each in counter.controller.input_counters:
                add(each, (*way, counter))
        done[counter] = None

    for counter in counters:
        add(counter, ())
    return list(done)


def read_now(counters: Iterable[Counter]) -> dict[Counter, Any]:
    """Return one reading of each counter, and of all that they are calculated from; each controller is read once.

    :raises DeviceError: one of them can only be counted in a scan.
    """
    by_controller: dict[CounterController, list[Counter]] = {}
    for counter in with_inputs(counters):
        by_controller.setdefault(counter.controller, []).append(counter)
    values: dict[Counter, Any] = {}
    for controller, wanted in by_controller.items():  # those of inputs come before what needs them
        if isinstance(controller, SamplingCounterController):
            sampled = [counter for counter in wanted if isinstance(counter, SamplingCounter)]
            readings = controller.read_all(*sampled)
            values |= {each: each.conversion_function(value) for each, value in zip(sampled, readings, strict=True)}
        elif not isinstance(controller, CalcCounterController):
            values |= {each: _read_alone(each) for each in wanted}
    pending = [(each, wanted) for each, wanted in by_controller.items() if isinstance(each, CalcCounterController)]
    for calculating, wanted in pending:
        inputs = {calculating.tag_of(each): np.array(values[each])[np.newaxis] for each in calculating.input_counters}
        blocks = calculating.calculated(inputs, wanted, calculating.calculation(wanted))
        values |= {each: block[0] for each, block in zip(wanted, blocks, strict=True)}
    return values


def _read_alone(counter: Counter) -> Any:
    if not hasattr(type(counter), "raw_read"):
        name = name_of(counter)
        raise DeviceError(
            f"{name}: its device counts by itself, it cannot be read outside a scan; count it: ct(0.1, {name})"
        )
    return counter.conversion_function(counter.raw_read)  # type: ignore[attr-defined]
