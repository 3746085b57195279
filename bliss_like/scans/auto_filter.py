"""Scans that choose the filters at each point, so that a detector counts neither too little nor too much.

A point that was counted too slowly or too fast is taken again with other filters, and nothing of it is published. Beside the
raw counter, which stays within its range, the scan publishes it divided by the transmission, and the transmission.
"""

from __future__ import annotations

import functools
import inspect
import logging
import math
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, Self

from pydantic import Field, model_validator

from bliss_like.config.models import ObjectConfig, Reference
from bliss_like.devices.counter import IntegratingCounter, SamplingCounter, SamplingMode
from bliss_like.devices.naming import name_of
from bliss_like.errors import ScanError, ScanUsageError
from bliss_like.scanning.acquisition import AcquisitionSlave
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.channel import AcquisitionChannel
from bliss_like.scanning.environment import environment
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan

from . import lookup, mesh, spiral, step
from .build import begin

_log = logging.getLogger(__name__)

PER_SECOND = (SamplingMode.INTEGRATE, SamplingMode.INTEGRATE_STATS)
"""Modes whose values grow with the count time."""

FAINT = 100.0
"""The dark: a rate below the lowest one wanted by more than this factor is taken for that, as it says nothing."""


P = ParamSpec("P")


def filtered(command: Callable[P, Scan | None]) -> Callable[Concatenate[AutoFilter, P], Scan | None]:
    """Make a standard scan a method of an auto-filter, with the same arguments."""
    signature = inspect.signature(command)

    @functools.wraps(command)
    def method(self: AutoFilter, *args: P.args, **kwargs: P.kwargs) -> Scan | None:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError:
            return command(*args, **kwargs)  # says what is wrong
        options = {"run": True, "return_scan": True, **bound.kwargs}
        group = environment.active_measurement_group()
        counters = bound.arguments.get("counters") or (() if group is None else (group,))
        bound.arguments["counters"] = (*counters, *self.own_counters)
        scan: Any = command(*bound.args, **{**bound.kwargs, "run": False, "return_scan": True})
        scan.add_preset(_Filtering(self, scan))
        if options["run"]:
            begin(scan)
        return scan if options["return_scan"] else None

    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    method.__signature__ = signature.replace(parameters=[this, *signature.parameters.values()])  # type: ignore[attr-defined]
    made: Any = method
    return made  # type: ignore[no-any-return]


class AutoFilter:
    """`autof.ascan(eta, 9, 9.2, 40, 0.1)`, and so on: the standard scans of axes, with their arguments."""

    class Config(ObjectConfig):
        filterset: Reference
        detector_counter: Reference = Field(description="what is to be kept in its range")
        monitor_counter: Reference | None = Field(default=None, description="of the beam before the filters")
        min_count_rate: float = Field(
            gt=0, description="of the detector, per second (or its value, where it is a mean)"
        )
        max_count_rate: float = Field(gt=0, description="of the detector, as above")
        always_back: bool = Field(default=True, description="after a scan, filters as before it")
        corr_suffix: str = Field(default="_corr", description="of the channel of the corrected detector")

        @model_validator(mode="after")
        def _check(self) -> Self:
            if not self.min_count_rate < self.max_count_rate:
                raise ValueError(
                    f"min_count_rate {self.min_count_rate:g} must be below max_count_rate {self.max_count_rate:g}"
                )
            return self

    def __init__(self, name: str, config: Config) -> None:
        self.name = name
        self.filterset = config.filterset
        self.detector_counter, self.monitor_counter = config.detector_counter, config.monitor_counter
        self.min_count_rate, self.max_count_rate = config.min_count_rate, config.max_count_rate
        self.always_back, self.corr_suffix = config.always_back, config.corr_suffix

    ascan = filtered(step.ascan)
    a2scan = filtered(step.a2scan)
    a3scan = filtered(step.a3scan)
    a4scan = filtered(step.a4scan)
    a5scan = filtered(step.a5scan)
    anscan = filtered(step.anscan)
    dscan = filtered(step.dscan)
    d2scan = filtered(step.d2scan)
    d3scan = filtered(step.d3scan)
    d4scan = filtered(step.d4scan)
    d5scan = filtered(step.d5scan)
    dnscan = filtered(step.dnscan)
    amesh = filtered(mesh.amesh)
    a3mesh = filtered(mesh.a3mesh)
    anmesh = filtered(mesh.anmesh)
    dmesh = filtered(mesh.dmesh)
    d3mesh = filtered(mesh.d3mesh)
    dnmesh = filtered(mesh.dnmesh)
    lookupscan = filtered(lookup.lookupscan)
    pointscan = filtered(lookup.pointscan)
    aspiral = filtered(spiral.aspiral)
    aspiral_fermat = filtered(spiral.aspiral_fermat)
    aspiral_square = filtered(spiral.aspiral_square)
    dspiral = filtered(spiral.dspiral)
    dspiral_fermat = filtered(spiral.dspiral_fermat)
    dspiral_square = filtered(spiral.dspiral_square)

    @property
    def own_counters(self) -> list[Any]:
        """What it needs to be counted in any case."""
        return [counter for counter in (self.detector_counter, self.monitor_counter) if counter is not None]

    def choose(self, bits: int, rate: float, too_bright: float = math.inf) -> int:
        """Return the filters for a point where `bits` gave `rate`: the same ones if that is in range, or nothing better is.

        :param too_bright: a transmission that is known to give too much.
        """
        known = self.filterset.transmissions()
        now = known.get(bits, 1e-30)
        if self.min_count_rate <= rate <= self.max_count_rate:
            return bits
        surely = max(rate, self.min_count_rate / FAINT)
        if rate > self.max_count_rate:
            choice = {other: t for other, t in known.items() if t < now}
        else:
            brightest = min(too_bright * (1 - 1e-9), now * self.max_count_rate / surely)
            choice = {other: t for other, t in known.items() if now < t <= brightest}
        goal = now * math.sqrt(self.min_count_rate * self.max_count_rate) / surely
        return min(choice, key=lambda other: abs(math.log(choice[other] / goal)), default=bits)

    def __info__(self) -> str:
        limits = f"{self.min_count_rate:g} .. {self.max_count_rate:g}"
        return f"{self.name}: keeps {name_of(self.detector_counter)} within {limits}\n{self.filterset.__info__()}"


class _Corrected(AcquisitionSlave):
    """The channels of what is calculated for each point that is kept."""

    def __init__(self, auto: AutoFilter) -> None:
        super().__init__(name=auto.name)
        detector, monitor = auto.detector_counter, auto.monitor_counter
        corrected = f"{name_of(detector)}{auto.corr_suffix}"
        names = {f"{auto.name}_transm": None, f"{auto.name}_filteridx": None, corrected: detector.unit}
        if monitor is not None:
            names[f"{auto.name}_ratio"] = None
        self.channels.extend(
            AcquisitionChannel(f"{auto.name}:{name}", float, (), unit=unit) for name, unit in names.items()
        )

    def emit(self, transmission: float, bits: int, detector: float, monitor: float | None) -> None:
        corrected = detector / transmission
        values = [transmission, float(bits), corrected]
        if monitor is not None:
            values.append(corrected / monitor if monitor else math.nan)
        self.channels.update_from_iterable(values)


class _Filtering(ScanPreset):
    """Judges each point of one scan."""

    def __init__(self, auto: AutoFilter, scan: Scan) -> None:
        self._auto, self._filterset = auto, auto.filterset
        chain = scan.acq_chain
        master, timer = chain.top_masters[0], chain.timer
        if not isinstance(master, VariableStepTriggerMaster) or timer is None:
            raise ScanUsageError(
                f"{auto.name}: {scan.name} does not go from point to point, its points cannot be taken again"
            )
        for node in chain.nodes_list:
            if node.comes_late:
                node.point_by_point()
        self._count_time = float(scan.scan_info["count_time"])
        self._held = [channel for channel in scan.channels if not channel.is_derived]
        self._detector = self._channel_of(chain, auto.detector_counter)
        self._monitor = None if auto.monitor_counter is None else self._channel_of(chain, auto.monitor_counter)
        self._corrected = _Corrected(auto)
        chain.add(timer, self._corrected)
        for channel in self._held:
            channel.hold()
        master.again = self._again
        self._before = self._bits = 0
        self._too_bright = math.inf
        self._is_begun = False

    @staticmethod
    def _channel_of(chain: Any, counter: Any) -> AcquisitionChannel:
        (node,) = chain.get_node_from_devices(counter)
        found: AcquisitionChannel = node._counters[counter][0]
        if found.is_derived:
            raise ScanUsageError(
                f"{name_of(counter)} is calculated from counters of points that are kept; points can be judged by a counter "
                "that is read"
            )
        return found

    def prepare(self, scan: Scan) -> None:
        self._before = self._bits = self._filterset.bits
        self._is_begun = True

    def _again(self) -> bool:
        """Keep a point that is as good as it can be; else change the filters and have it taken again."""
        rate = self._rate()
        bits = self._auto.choose(self._bits, rate, self._too_bright)
        if bits != self._bits:
            for channel in self._held:
                channel.drop()
            if rate > self._auto.max_count_rate:
                self._too_bright = self._filterset.transmission_of(self._bits)
            self._filterset.bits = self._bits = bits
            return True
        if rate > self._auto.max_count_rate:
            _log.warning(
                "%s: %g is too much, and there are no more filters", name_of(self._auto.detector_counter), rate
            )
        self._keep()
        return False

    def _keep(self) -> None:
        detector, monitor = self._value(self._detector), None if self._monitor is None else self._value(self._monitor)
        for channel in self._held:
            channel.keep()
        self._corrected.emit(self._filterset.transmission_of(self._bits), self._bits, detector, monitor)
        self._too_bright = math.inf

    def _rate(self) -> float:
        counter, value = self._auto.detector_counter, self._value(self._detector)
        grows = isinstance(counter, IntegratingCounter) or (
            isinstance(counter, SamplingCounter) and counter.mode in PER_SECOND
        )
        return value / self._count_time if grows and self._count_time else value

    def _value(self, channel: AcquisitionChannel) -> float:
        held = channel.held
        if len(held) != 1:
            raise ScanError(f"{self._auto.name}: expected one point of {channel.name} at each place, got {len(held)}")
        return float(held[0])

    def stop(self, scan: Scan) -> None:
        """Keep the last point of a scan that ended between two; bring the filters back."""
        in_range = self._auto.min_count_rate, self._auto.max_count_rate
        if all(len(channel.held) == 1 for channel in self._held) and in_range[0] <= self._rate() <= in_range[1]:
            self._keep()
        if self._auto.always_back and self._is_begun:
            self._filterset.bits = self._before
