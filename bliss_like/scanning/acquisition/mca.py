"""Acquisition of multichannel analysers: point by point, or in blocks while cables trigger them.

One read-out gives everything; only what was asked for is published: a region alone does not bring spectra with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

import gevent
import numpy as np

from bliss_like.devices.counter import Counter
from bliss_like.devices.mca import Extract, McaCounter, McaData, McaSetup, PresetMode, SpectrumMcaCounter, TriggerMode
from bliss_like.errors import ChainError, DeviceError

from ..channel import AcquisitionChannel
from ..tolerance import bearable_dtype
from . import TriggerType
from .counting import BaseCounterAcquisitionSlave


class McaAcquisitionSlave(BaseCounterAcquisitionSlave):
    """Acquires the points of one analyser.

    :param preset_time: seconds of a point, for presets that are times; or a list with those of each point.
    :param block_size: how many points are delivered together in SYNC and GATE mode.
    :param polling_time: seconds between two looks at the device, at most.
    :raises DeviceError: it cannot be done so; nothing was asked of the hardware.
    """

    def __init__(
        self,
        *mca_or_mca_counters: Any,
        npoints: int = 1,
        trigger_mode: TriggerMode | str | None = None,
        preset_time: float | Sequence[float] | None = 1.0,
        preset_mode: PresetMode | str | None = None,
        preset_value: float | None = None,
        block_size: int | None = None,
        polling_time: float = 0.02,
        spectrum_size: int | None = None,
        ctrl_params: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        device, _ = self.init(mca_or_mca_counters)
        times = list(preset_time) if isinstance(preset_time, Sequence | np.ndarray) else [preset_time]
        if isinstance(preset_time, str) or len(times) not in (1, npoints):
            raise ChainError(f"{device.name}: expected one count time, or {npoints}, got {preset_time!r}")
        self._setups = [
            device.acquisition_setup(npoints, time, trigger_mode, preset_mode, preset_value, spectrum_size, block_size)
            for time in times
        ]
        self.setup = self._setups[0]
        self.polling_time = polling_time
        self._patience = device.max_real_time + max(time or 0.0 for time in times)
        self._extracts: list[Extract] = []
        self._is_armed = self._is_stopping = self._is_stopped = False
        trigger_type = TriggerType.HARDWARE if self._is_hardware else TriggerType.SOFTWARE
        options = {"prepare_once": True, "start_once": npoints > 0, "trigger_type": trigger_type, **kwargs}
        super().__init__(*mca_or_mca_counters, npoints=npoints, ctrl_params=ctrl_params, **options)

    @staticmethod
    def get_param_validation_schema() -> Mapping[str, Any] | None:
        own = {
            "npoints": {"type": "int", "min": 0},
            "prepare_once": {"type": "boolean"},
            "start_once": {"type": "boolean"},
            "preset_time": {"type": ["numeric", "list"], "nullable": True},
            "polling_time": {"type": "numeric", "min": 0.001},
        }
        # What these may be depends on the device: it says so itself.
        of_device = ("trigger_mode", "preset_mode", "preset_value", "spectrum_size", "block_size")
        return {"acq_params": {"type": "dict", "schema": {**own, **{name: {} for name in of_device}}}}

    @property
    def _is_hardware(self) -> bool:
        return self.setup.trigger_mode is not TriggerMode.SOFTWARE

    @property
    def has_reading(self) -> bool:
        return self._is_hardware

    def _do_add_counter(self, counter: Counter) -> None:
        if not isinstance(counter, McaCounter):
            raise ChainError(f"{self.name}: {counter!r} is no counter of an MCA, it cannot be acquired with one")
        counter.extractor(self.setup.spectrum_size)  # what cannot be made is told before anything moves
        shape = (self.setup.spectrum_size,) if isinstance(counter, SpectrumMcaCounter) else counter.shape
        dtype = bearable_dtype(counter.data_dtype, counter.is_critical)
        self._add_channel(counter, AcquisitionChannel(counter.fullname, dtype, shape, unit=counter.unit))

    # -- verbs -----------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        self.device.occupy(self)
        self._npoint = 0
        self._is_stopping = self._is_stopped = False
        size = self.setup.spectrum_size
        self._extracts = [counter.extractor(size) for counter in self._counters if isinstance(counter, McaCounter)]
        self.setup = self._setups[0]
        self.tolerance.begin()
        self._is_armed, _ = self.tolerance.attempt(lambda: self.device.prepare_acquisition(self.setup))

    def start(self) -> None:
        if self._is_hardware and self._is_armed:
            self._is_armed, _ = self.tolerance.attempt(self.device.start_acquisition)

    def stop(self) -> None:
        self._is_stopping = True
        try:
            if self.device.leave(self):
                self.tolerance.attempt(self.device.stop_acquisition, even_resting=True)
        finally:
            self._is_stopped = True  # from now on there comes no more than what is there

    def trigger(self) -> None:
        """Acquire one point, in software mode."""
        setup = self._setups[self._npoint] if len(self._setups) > 1 else self.setup
        is_there, data = self.tolerance.attempt(lambda: self._point(setup))
        if is_there:
            self._emit(data)
        else:
            self._npoint += 1
            self._emit_nothing()

    def _point(self, setup: McaSetup) -> McaData:
        if setup != self.setup or not self._is_armed:
            self.setup = setup
            self.device.prepare_acquisition(setup)
        self._is_armed = False  # if it fails, and the scan goes on without this point, the next one is prepared anew
        self.device.start_acquisition()
        self._wait_for_point()
        data: McaData = self.device.get_acquisition_data(0)
        self._is_armed = True
        if len(data) != 1:
            raise DeviceError(f"{self.name}: expected one point, got {len(data)} from get_acquisition_data")
        return data

    def _wait_for_point(self) -> None:
        """:raises DeviceError: it takes too long."""
        device, setup, began = self.device, self.setup, monotonic()
        if setup.preset_mode in (PresetMode.REALTIME, PresetMode.NONE):
            gevent.sleep(setup.preset_value)
        if setup.preset_mode is PresetMode.NONE:
            device.stop_acquisition()
        limit = device.time_limit(setup)
        while device.is_acquiring():
            elapsed = monotonic() - began
            if elapsed > limit:
                raise DeviceError(
                    f"{self.name} has not finished point {self._npoint} within {limit:g} s: preset {setup.preset_mode.name} "
                    f"of {setup.preset_value:g}; is there beam, does it run? It is stopped now. {_way_out(self.name, setup)}"
                )
            gevent.sleep(min(self.polling_time, 0.001 + 0.05 * elapsed))

    def reading(self) -> None:
        """Fetch blocks as they come, in hardware mode."""
        is_there, _ = self.tolerance.attempt(self._fetch_all) if self._is_armed else (False, None)
        if not is_there:
            self._emit_nothing(self.npoints - self._npoint)

    def _fetch_all(self) -> None:
        device, last = self.device, monotonic()
        while self._npoint < self.npoints:
            was_stopped, was_acquiring = self._is_stopped, device.is_acquiring()
            data = device.get_acquisition_data(self._npoint)
            if len(data):
                self._emit(data)
                last = monotonic()
            elif was_stopped:
                return
            elif self._is_stopping:
                gevent.sleep(0.001)
            elif not was_acquiring:
                raise DeviceError(f"{self.name} has ended after {self._npoint} of {self.npoints} points")
            elif monotonic() - last > self._patience:
                raise DeviceError(
                    f"{self.name}: point {self._npoint} of {self.npoints} has not come within {self._patience:g} s: are "
                    f"its {self.setup.trigger_mode.name} signals connected? {self.name}.max_real_time = ... allows more"
                )
            else:
                gevent.sleep(self.polling_time)

    def _emit(self, data: McaData) -> None:
        expected = (len(data), len(self.device.elements), self.setup.spectrum_size)
        if data.spectra.shape != expected or self._npoint + len(data) > self.npoints > 0:
            raise DeviceError(
                f"{self.name}: expected spectra of shape {expected}, up to point {self.npoints}; got shape "
                f"{data.spectra.shape} from point {self._npoint} on"
            )
        data = data.checked(self.name)
        points = self._as_published([extract(data) for extract in self._extracts])
        self._npoint += len(data)
        self.device.last_data = data
        self._emit_all(points)


def _way_out(name: str, setup: McaSetup) -> str:
    known = setup.preset_mode in (PresetMode.REALTIME, PresetMode.NONE)
    return f"{name}.{'timeout' if known else 'max_real_time'} = ... allows more"
