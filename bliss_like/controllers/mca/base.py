"""The base class of multichannel analysers: elements, modes, regions, counters. What a driver has to do is in six methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from weakref import ref

from bliss_like.config.settings import ObjectSettings
from bliss_like.config.table import Text, table
from bliss_like.controllers.mca.config import McaConfig
from bliss_like.devices import mca as vocabulary
from bliss_like.devices import numbers
from bliss_like.devices.counter import CounterController, counter_namespace
from bliss_like.devices.counter_namespace import CounterGroups
from bliss_like.devices.mca import (
    AcquisitionMode,
    Brand,
    DetectorType,
    McaCounter,
    McaData,
    McaSetup,
    PresetMode,
    RoiMcaCounter,
    RoiSumMcaCounter,
    SpectrumMcaCounter,
    StatisticsMcaCounter,
    Stats,
    TriggerMode,
)
from bliss_like.devices.mca_rois import Calibration, Roi, Rois, Surroundings
from bliss_like.errors import DeviceError
from bliss_like.scanning.acquisition.mca import McaAcquisitionSlave

_TIMES = (PresetMode.NONE, PresetMode.REALTIME, PresetMode.LIVETIME)


class BaseMCA(CounterController):
    """An analyser; a driver overloads `prepare_acquisition` and the five methods below it, and says what is supported."""

    interlock = True

    Config = McaConfig

    detector_brand: Brand = Brand.SIMULATED
    detector_type: DetectorType = DetectorType.SIMULATED
    acquisition_mode: AcquisitionMode = AcquisitionMode.MCA
    supported_preset_modes: ClassVar[Sequence[PresetMode]] = (PresetMode.REALTIME,)
    supported_trigger_modes: ClassVar[Sequence[TriggerMode]] = (TriggerMode.SOFTWARE,)
    supported_spectrum_sizes: ClassVar[Sequence[int]] = ()
    """Empty: any."""

    def __init__(self, name: str, config: McaConfig) -> None:
        super().__init__(name)
        self.elements = tuple(config.elements)
        self.timeout, self.max_real_time = config.timeout, config.max_real_time
        self.last_data = McaData.nothing()
        """The last points of the last scan."""
        self._calibration = config.known_calibration()
        self._preset_mode = PresetMode.REALTIME
        self._preset_value: float | None = None
        self._trigger_mode = TriggerMode.SOFTWARE
        self._block_size: int | None = None
        self._spectrum_size = self._checked_size(config.spectrum_size)
        around = Surroundings(self.elements, lambda: self.spectrum_size, lambda: self._calibration, self._clash)
        self.rois = Rois(name, around, config.known_rois(), ObjectSettings.of(config, ":rois"))
        self._known_rois: dict[str, Roi] = {}
        self._occupant: ref[Any] | None = None
        for element in self.elements:
            SpectrumMcaCounter(self, element)
        for element in self.elements:
            for stat in Stats._fields:
                StatisticsMcaCounter(self, element, stat)

    # -- what a driver overloads -----------------------------------------------------------------------------------------

    def prepare_acquisition(self, setup: McaSetup) -> None:
        """Bring modes, preset and spectrum size to the hardware, for a series of points; called once for each scan."""
        raise NotImplementedError(f"{type(self).__name__} must overload prepare_acquisition(setup)")

    def start_acquisition(self) -> None:
        """In software mode begin one point, else wait for the pulses or gates of the whole series."""
        raise NotImplementedError(f"{type(self).__name__} must overload start_acquisition()")

    def is_acquiring(self) -> bool:
        """Return whether what was started is not yet over; returns at once."""
        raise NotImplementedError(f"{type(self).__name__} must overload is_acquiring()")

    def stop_acquisition(self) -> None:
        """End what was started; called at every end of a scan, also when nothing is under way."""
        raise NotImplementedError(f"{type(self).__name__} must overload stop_acquisition()")

    def get_acquisition_data(self, from_index: int) -> McaData:
        """Return the points since point `from_index` of what was started that are there; none is an answer, too."""
        raise NotImplementedError(f"{type(self).__name__} must overload get_acquisition_data(from_index)")

    # -- settings of the user ---------------------------------------------------------------------------------------------

    @property
    def preset_mode(self) -> PresetMode:
        """What ends a point: REALTIME LIVETIME EVENTS TRIGGERS, or NONE: the scan does, after the count time."""
        return self._preset_mode

    @preset_mode.setter
    def preset_mode(self, mode: PresetMode | str) -> None:
        found = self._supported(PresetMode, mode, "preset_mode", self.supported_preset_modes)
        if found is not self._preset_mode:  # a value of the other mode is in another unit
            self._preset_value = None
        self._preset_mode = found

    @property
    def preset_value(self) -> float | None:
        """Seconds, or how many events or triggers; None: the count time of the scan."""
        return self._preset_value

    @preset_value.setter
    def preset_value(self, value: float | None) -> None:
        what = f"preset_value of {self._preset_mode.name}"
        self._preset_value = None if value is None else self._checked_preset(self._preset_mode, value, what)

    @property
    def trigger_mode(self) -> TriggerMode:
        """Of scans that do not say theirs: SOFTWARE SYNC GATE."""
        return self._trigger_mode

    @trigger_mode.setter
    def trigger_mode(self, mode: TriggerMode | str) -> None:
        self._trigger_mode = self._supported(TriggerMode, mode, "trigger_mode", self.supported_trigger_modes)

    @property
    def spectrum_size(self) -> int:
        """Number of channels."""
        return self._spectrum_size

    @spectrum_size.setter
    def spectrum_size(self, size: int) -> None:
        self._spectrum_size = self._checked_size(size)

    @property
    def block_size(self) -> int | None:
        """How many points are delivered together in SYNC and GATE mode; None: as the device likes."""
        return self._block_size

    @block_size.setter
    def block_size(self, size: int | None) -> None:
        self._block_size = None if size is None else self._whole(size, "block_size", 1)

    @property
    def calibration(self) -> Calibration | None:
        """Offset and gain in keV, or None: energy = offset + gain * channel."""
        return self._calibration

    @calibration.setter
    def calibration(self, calibration: Sequence[float] | None) -> None:
        if calibration is None:
            self._calibration = None
            return
        try:
            offset, gain = calibration
        except (TypeError, ValueError):
            raise DeviceError(
                f"{self.name}: calibration: expected (offset, gain) in keV, got {numbers.brief(calibration)}"
            ) from None
        self._calibration = Calibration(
            numbers.number(self.name, offset, "offset of the calibration"),
            numbers.number(self.name, gain, "gain of the calibration", positive=True),
        )

    # -- counters -------------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> counter_namespace:
        """Spectra, statistics, regions; those of regions come and go with them."""
        self._follow_rois()
        return counter_namespace(self._counters)

    @property
    def counter_groups(self) -> CounterGroups:
        """`spectrum`, `icr` and so on, each region by its name, `det<n>`; `default` are all."""
        counters = self.counters
        groups = CounterGroups()
        for stem in (*self._known_rois, "spectrum", *Stats._fields):
            names = {stem, *(f"{stem}_det{element}" for element in self.elements)}
            groups[stem] = counter_namespace([counter for counter in counters if counter.name in names])
        for element in self.elements:
            own = [c for c in counters if isinstance(c, McaCounter) and c.detector_channel == element]
            groups[f"det{element}"] = counter_namespace(own)
        groups["default"] = counters
        return groups

    def _follow_rois(self) -> None:
        rois = self.rois.known()
        if rois == self._known_rois:
            return
        before = {name: counter for name, counter in self._counters.items() if isinstance(counter, RoiMcaCounter)}
        for name in before:
            del self._counters[name]
        self._known_rois = rois
        for roi_name, roi in rois.items():
            for name, element in self._names_of(roi_name, roi).items():
                if name in self._counters:  # of another process, which has other elements
                    continue
                if name in before and before[name].roi_name == roi_name:
                    self.add_counter(before[name])
                elif element is None:
                    RoiSumMcaCounter(self, roi_name)
                else:
                    RoiMcaCounter(self, roi_name, element)

    def _names_of(self, roi_name: str, roi: Roi) -> dict[str, int | None]:
        """Return the elements of the counters of a region, by their names; None is the sum of all."""
        elements = self.elements if roi.channel is None else (roi.channel,)
        names: dict[str, int | None] = {f"{roi_name}_det{element}": element for element in elements}
        return names if len(elements) == 1 else {**names, roi_name: None}

    def _clash(self, roi_name: str, roi: Roi) -> str:
        if roi_name in ("default", *(f"det{element}" for element in self.elements)):
            return roi_name
        own = [c.name for c in self.counters if isinstance(c, RoiMcaCounter) and c.roi_name == roi_name]
        taken = self.counters.keys() - own
        return next((name for name in self._names_of(roi_name, roi) if name in taken), "")

    # -- who acquires with it ---------------------------------------------------------------------------------------------

    def occupy(self, acquisition: Any) -> None:
        """Belong to an acquisition until it leaves.

        :raises DeviceError: there is another one: they would read each other's points.
        """
        if self._occupant is not None and self._occupant() not in (None, acquisition):
            raise DeviceError(f"{self.name} is acquiring already, for another scan: wait for its end, or abort it")
        self._occupant = ref(acquisition)

    def leave(self, acquisition: Any) -> bool:
        """Return whether it belonged to this acquisition; now it does no more."""
        is_own = self._occupant is not None and self._occupant() is acquisition
        if is_own:
            self._occupant = None
        return is_own

    # -- scans ------------------------------------------------------------------------------------------------------------

    def get_default_chain_parameters(
        self, scan_params: Mapping[str, Any], acq_params: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Real time of a point is the count time of the scan, unless `preset_mode` and `preset_value` say otherwise."""
        own = dict(acq_params)
        count_time = own.pop("count_time", scan_params.get("count_time"))
        return {"npoints": scan_params.get("npoints", 1), "preset_time": count_time, **own}

    def get_acquisition_object(
        self, acq_params: dict[str, Any], ctrl_params: dict[str, Any], parent_acq_params: dict[str, Any]
    ) -> McaAcquisitionSlave:
        return McaAcquisitionSlave(self, ctrl_params=ctrl_params, **McaAcquisitionSlave.validate_params(acq_params))

    def acquisition_setup(
        self,
        npoints: int = 1,
        preset_time: float | None = None,
        trigger_mode: TriggerMode | str | None = None,
        preset_mode: PresetMode | str | None = None,
        preset_value: float | None = None,
        spectrum_size: int | None = None,
        block_size: int | None = None,
    ) -> McaSetup:
        """Return how points are acquired; what is not given is as the user has set it.

        :param preset_time: seconds of a point, for modes that end by time, unless a `preset_value` is set.
        :raises DeviceError: it cannot be done so.
        """
        trigger = self._supported(
            TriggerMode, trigger_mode or self._trigger_mode, "trigger_mode", self.supported_trigger_modes
        )
        preset = self._supported(
            PresetMode, preset_mode or self._preset_mode, "preset_mode", self.supported_preset_modes
        )
        if preset_value is None and preset is self._preset_mode:
            preset_value = self._preset_value
        what = f"preset_value of {preset.name}"
        if preset_value is None and preset in _TIMES:
            preset_value, what = preset_time, f"count time with preset_mode {preset.name}"
        value = None if trigger is not TriggerMode.SOFTWARE else self._checked_preset(preset, preset_value, what)
        npoints = self._whole(npoints, "number of points", 0)
        if npoints == 0 and trigger is not TriggerMode.SOFTWARE:
            raise DeviceError(f"{self.name}: {trigger.name} needs to know how many points there will be, got 0: no end")
        block = self._block_size if block_size is None else self._whole(block_size, "block_size", 1)
        size = self._spectrum_size if spectrum_size is None else self._checked_size(spectrum_size)
        return McaSetup(trigger, preset, value, size, npoints, block)

    def time_limit(self, setup: McaSetup) -> float:
        """Return the seconds after which a point has failed."""
        if setup.preset_mode in _TIMES and setup.preset_value is not None:
            more = self.max_real_time if setup.preset_mode is PresetMode.LIVETIME else self.timeout
            return setup.preset_value + more
        return self.max_real_time

    def scan_metadata(self) -> dict[str, Any]:
        """What every scan writes into its info: how to make energies of channels, and what the regions were."""
        rois = {name: roi.described() for name, roi in self.rois.known().items()}
        described: dict[str, Any] = {"type": "mca", "elements": list(self.elements), "rois": rois}
        if self._calibration is not None:
            described["calibration"] = self._calibration._asdict()
        return described

    # -- checks -------------------------------------------------------------------------------------------------------------

    def _supported(self, kind: type[vocabulary.E], mode: vocabulary.E | str, what: str, known: Sequence[Any]) -> Any:
        found = vocabulary.mode_of(kind, mode, f"{self.name}: {what}")
        if found not in known:
            names = ", ".join(each.name for each in known)
            raise DeviceError(f"{self.name}: {what}: {found.name} is not supported; expected one of {names}")
        return found

    def _checked_preset(self, mode: PresetMode, value: Any, what: str) -> float:
        if mode not in _TIMES and value is None:
            raise DeviceError(
                f"{self.name}: preset_mode {mode.name} needs a number of them: set {self.name}.preset_value"
            )
        if mode not in _TIMES:
            return self._whole(value, what, 1)
        if not numbers.is_number(value) or not 0 < float(value) < float("inf"):
            raise DeviceError(f"{self.name}: {what} must be seconds, above 0, got {numbers.brief(value)}")
        return float(value)

    def _checked_size(self, size: Any) -> int:
        found = self._whole(size, "spectrum_size", 1)
        if self.supported_spectrum_sizes and found not in self.supported_spectrum_sizes:
            known = ", ".join(map(str, self.supported_spectrum_sizes))
            raise DeviceError(f"{self.name}: spectrum_size: {found} is not supported; expected one of {known}")
        return found

    def _whole(self, value: Any, what: str, least: int) -> int:
        if not numbers.is_number(value) or not float(value).is_integer() or value < least:
            raise DeviceError(
                f"{self.name}: {what} must be a whole number, at least {least}, got {numbers.brief(value)}"
            )
        return int(value)

    # -- for people -----------------------------------------------------------------------------------------------------------

    def __info__(self) -> str:
        preset = "count time of the scan" if self._preset_value is None else f"{self._preset_value:g}"
        if self._preset_mode not in _TIMES and self._preset_value is None:
            preset = "no value yet"
        lines = [
            f"{self.name}: {type(self).__name__} with elements {', '.join(map(str, self.elements))}",
            f"preset {self._preset_mode.name}: {preset}; trigger {self._trigger_mode.name}",
            f"spectrum of {self._spectrum_size} channels",
        ]
        if self._calibration is not None:
            lines[-1] += f", {self._calibration.offset:g} + {self._calibration.gain:g} keV * channel"
        lines += ["", self.rois.__info__()]
        if len(self.last_data):
            lines += ["", self.statistics()]
        return "\n".join(lines)

    def statistics(self) -> Text:
        """Return a table of how the elements have fared in the last point."""
        rows = (
            [
                (f"det{element}", *(f"{value:.4g}" for value in row))
                for element, row in zip(self.elements, self.last_data.statistics[-1], strict=True)
            ]
            if len(self.last_data)
            else []
        )
        names = ("real", "trig live", "live", "triggers", "events", "icr", "ocr", "dead")  # of the fields of Stats
        return table(("last point", *names), rows)
