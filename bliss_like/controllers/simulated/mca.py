"""A simulated multichannel analyser: a fluorescence detector that sees what is in the beam, and loses what comes too fast."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from bliss_like.config.models import StrictModel
from bliss_like.controllers.mca.base import BaseMCA
from bliss_like.controllers.mca.config import McaCalibration, McaConfig
from bliss_like.controllers.simulated.beam import InBeam, transmission
from bliss_like.controllers.simulated.fluorescence import K_LINES, Array, Response, SimulatedElement
from bliss_like.devices.axis_config import AxisReference
from bliss_like.devices.mca import McaData, McaSetup, PresetMode, Stats, TriggerMode
from bliss_like.errors import DeviceError, NotConnectedError

Fault = Literal["dead", "stuck", "silent"]
"""Counts nothing; never finishes a point; cannot be read."""


class Spot(StrictModel):
    """Where there is something: a gaussian of the positions of axes."""

    center: list[float]
    sigma: float = Field(gt=0)
    height: float = Field(default=1.0, ge=0)

    def at(self, positions: Sequence[float]) -> float:
        distance = sum((position - center) ** 2 for position, center in zip(positions, self.center, strict=True))
        return self.height * math.exp(-distance / (2 * self.sigma**2))


class Places(StrictModel):
    """How much there is of something where axes stand; everywhere the same without axes."""

    axes: list[AxisReference] = Field(default_factory=list, description="whose read-back positions are followed")
    spots: list[Spot] = Field(default_factory=list)

    @model_validator(mode="after")
    def _check_spots(self) -> Self:
        for spot in self.spots:
            if len(spot.center) != len(self.axes):
                raise ValueError(
                    f"spots: expected a center with {len(self.axes)} positions, as axes, got {spot.center}"
                )
        if bool(self.axes) != bool(self.spots):
            raise ValueError("expected axes and spots, or neither")
        return self

    def amount(self) -> float:
        if not self.axes:
            return 1.0
        positions = [axis.position for axis in self.axes]
        return sum(spot.at(positions) for spot in self.spots)


class Emitter(Places):
    """A chemical element with its K lines, or a single line."""

    symbol: str | None = Field(default=None, description="chemical element, such as Fe")
    energy: float | None = Field(default=None, gt=0, description="of a single line, keV")
    rate: float = Field(ge=0, description="photons per second that an element of the detector sees where there is most")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.symbol is None) == (self.energy is None):
            raise ValueError("expected a symbol or an energy")
        if self.symbol is not None and self.symbol not in K_LINES:
            raise ValueError(f"symbol: expected one of {', '.join(K_LINES)}, got {self.symbol!r}")
        return self

    def shape(self, response: Response) -> Array:
        return response.emission(self.symbol) if self.symbol else response.line(self.energy or 0.0)


class SimulatedMCA(BaseMCA):
    """Counts in real time, by all presets and trigger modes.

    In SYNC and GATE mode `pulse()` and `gate(is_open)` are its cables; with `pulse_period` it has a generator of its own.
    """

    supported_preset_modes = tuple(PresetMode)
    supported_trigger_modes = tuple(TriggerMode)
    supported_spectrum_sizes = (256, 512, 1024, 2048, 4096, 8192)

    class Config(McaConfig):
        calibration: McaCalibration | None = McaCalibration(gain=0.01)
        emitters: list[Emitter] = Field(default_factory=list)
        background: float = Field(default=100.0, ge=0, description="scattered photons per second")
        beam: Places = Field(default_factory=Places, description="where axes have to be for the beam to hit")
        through: list[InBeam] = Field(default_factory=list, description="shutters and filter sets in the beam")
        noise: float = Field(default=0.1, ge=0, description="of the electronics, FWHM in keV")
        fano: float = Field(default=0.115, gt=0)
        dead_time: float = Field(default=1e-6, ge=0, description="seconds after each photon")
        pileup_time: float = Field(default=0.0, ge=0, description="seconds within which two photons are taken for one")
        efficiency: list[float] = Field(default_factory=list, description="of each element; 1 for those not listed")
        faults: dict[int, Fault] = Field(default_factory=dict, description="by the number of the element")
        pulse_period: float | None = Field(default=None, gt=0, description="seconds, of its own generator of pulses")
        seed: int | None = Field(default=None, description="the same seed gives the same noise")

        @model_validator(mode="after")
        def _check_simulation(self) -> Self:
            if self.pileup_time > self.dead_time:
                raise ValueError("pileup_time: expected at most the dead_time")
            return self

    def __init__(self, name: str, config: Config) -> None:
        super().__init__(name, config)
        self.faults = dict(config.faults)
        self.pulse_period = config.pulse_period
        self.clock: Callable[[], float] = monotonic
        self.is_plugged = True
        """Set it to False, and every request fails as if the cable was out."""
        self._config = config
        self._random = np.random.default_rng(config.seed)
        self._setup = McaSetup(spectrum_size=self.spectrum_size)
        self._elements = self._made_elements()
        self._is_armed = False
        self._points: list[list[tuple[Any, Stats]]] = []
        self._rates = np.zeros(1 + len(config.emitters))
        self._now = self._next_pulse = 0.0

    def _made_elements(self) -> list[SimulatedElement]:
        config = self._config
        offset, gain = config.known_calibration() or (0.0, 0.01)
        response = Response(self._setup.spectrum_size, offset, gain, config.noise, config.fano)
        shapes = np.array([response.background(), *(emitter.shape(response) for emitter in config.emitters)])
        efficiency = [*config.efficiency, *[1.0] * len(self.elements)]
        zero = max(0, round(-offset / gain))
        return [
            SimulatedElement(shapes, self._random, efficiency[n], config.dead_time, config.pileup_time, zero)
            for n in range(len(self.elements))
        ]

    # -- driver ------------------------------------------------------------------------------------------------------------

    def prepare_acquisition(self, setup: McaSetup) -> None:
        self._ask()
        is_other = setup.spectrum_size != self._setup.spectrum_size
        self._setup = setup
        if is_other:
            self._elements = self._made_elements()

    def start_acquisition(self) -> None:
        self._ask()
        self._points = []
        self._rates = self._present_rates()
        self._now = self.clock()
        self._is_armed = True
        if self._setup.trigger_mode is TriggerMode.SOFTWARE:
            self._begin_point()
        elif self.pulse_period is not None:
            self._next_pulse = self._now
            self._catch_up()

    def is_acquiring(self) -> bool:
        self._ask()
        self._catch_up()
        return self._is_armed

    def stop_acquisition(self) -> None:
        self._ask()
        self._catch_up()
        if self._is_armed and self._setup.trigger_mode is TriggerMode.SOFTWARE:
            self._end_point()
        self._is_armed = False

    def get_acquisition_data(self, from_index: int) -> McaData:
        self._ask()
        for element in self.elements:
            if self.faults.get(element) == "silent":
                raise DeviceError(f"{self.name}: element {element} does not answer")
        self._catch_up()
        block = self._setup.block_size or 1
        ready = len(self._points) if not self._is_armed else len(self._points) // block * block
        points = self._points[from_index:ready]
        return McaData.of(points) if points else McaData.nothing()

    # -- cables ------------------------------------------------------------------------------------------------------------

    def pulse(self) -> None:
        """A pulse comes in: in SYNC mode it ends a point and begins the next, otherwise it means nothing."""
        self._catch_up()
        if self._is_armed and self._setup.trigger_mode is TriggerMode.SYNC:
            self._next_point()

    def gate(self, is_open: bool) -> None:
        """The gate opens or closes: in GATE mode a point begins or ends, otherwise it means nothing."""
        self._catch_up()
        if not self._is_armed or self._setup.trigger_mode is not TriggerMode.GATE:
            return
        if is_open:
            self._begin_point()
        else:
            self._end_point()

    def _next_point(self) -> None:
        self._end_point()
        if self._is_armed:
            self._begin_point()

    # -- time --------------------------------------------------------------------------------------------------------------

    def _begin_point(self) -> None:
        setup = self._setup
        for element in self._elements:
            if setup.preset_value is None or setup.trigger_mode is not TriggerMode.SOFTWARE:
                element.start()
            else:
                element.start(setup.preset_mode, setup.preset_value)

    def _end_point(self) -> None:
        """Keep what was counted, if anything was begun."""
        if self._elements[0].realtime or any(element.is_counting for element in self._elements):
            self._points.append([(element.spectrum(), element.stats) for element in self._elements])
        for element in self._elements:
            element.is_counting = False
            element.realtime = 0.0
        if self._setup.trigger_mode is TriggerMode.SOFTWARE or len(self._points) >= self._setup.npoints:
            self._is_armed = False

    def _catch_up(self) -> None:
        """Count up to now, as if the rates had changed evenly since the last look."""
        if not self._is_armed:
            return
        rates = self._present_rates()  # may let others run
        now = self.clock()
        if not self._is_armed:
            return
        if now <= self._now:
            self._rates = rates
            return
        change = (rates - self._rates) / (now - self._now)
        if self._setup.trigger_mode is not TriggerMode.SOFTWARE and self.pulse_period is not None:
            while self._is_armed and self._next_pulse <= now:
                self._advance_to(self._next_pulse, change)
                self._next_pulse += self.pulse_period
                self._next_point()
        self._advance_to(now, change)
        self._rates = rates
        if self._setup.trigger_mode is TriggerMode.SOFTWARE and not self._is_counting():
            self._end_point()

    def _advance_to(self, now: float, change: Array) -> None:
        """Count until then with rates that change by so much in a second."""
        seconds = max(0.0, now - self._now)
        rates = self._rates + change * seconds / 2
        for number, element in zip(self.elements, self._elements, strict=True):
            element.advance(seconds, rates * (self.faults.get(number) != "dead"))
        self._rates = self._rates + change * seconds
        self._now += seconds

    def _is_counting(self) -> bool:
        stuck = any(self.faults.get(number) == "stuck" for number in self.elements)
        # What has no counts never reaches a preset of counts: it ends with the others, as where the electronics gang them.
        alive = [e for n, e in zip(self.elements, self._elements, strict=True) if self.faults.get(n) != "dead"]
        return stuck or any(element.is_counting for element in alive or self._elements)

    def _present_rates(self) -> Array:
        config = self._config
        beam = config.beam.amount() * transmission(config.through)
        amounts = [config.background, *(emitter.rate * emitter.amount() for emitter in config.emitters)]
        return beam * np.array(amounts)

    def _ask(self) -> None:
        if not self.is_plugged:
            raise NotConnectedError(f"{self.name} does not answer: is it switched on, and its cable in?")
