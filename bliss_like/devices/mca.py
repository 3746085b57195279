"""What multichannel analysers (1D detectors) have in common: their modes, what they deliver, and counters made of that."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from bliss_like.devices.counter import Counter, CounterController
from bliss_like.errors import DeviceError

if TYPE_CHECKING:
    from bliss_like.devices.mca_rois import Rois

E = TypeVar("E", bound=enum.Enum)


class TriggerMode(enum.Enum):
    """What begins and ends the points of a series."""

    SOFTWARE = 1
    """A command begins each point, its preset ends it."""
    SYNC = 2
    """Each pulse ends a point and begins the next: n points take n + 1 pulses."""
    GATE = 3
    """A point lasts as long as its gate is open."""


class PresetMode(enum.Enum):
    """What ends a point that was begun by a command."""

    NONE = 1
    REALTIME = 2
    LIVETIME = 3
    EVENTS = 4
    TRIGGERS = 5


class AcquisitionMode(enum.Enum):
    """Whether spectra are read out."""

    MCA = 1
    HWSCA = 2


class Brand(enum.Enum):
    """Who made an analyser."""

    SIMULATED = 1
    XIA = 2
    OCEAN_OPTICS = 3
    ISG = 4
    HAMAMATSU = 5
    AMPTEK = 6
    VANTEC = 7
    CANBERRA = 8
    RONTEC = 9
    XGLAB = 10


class DetectorType(enum.Enum):
    """Which electronics an analyser has, of those that BLISS tells apart."""

    SIMULATED = 1
    FALCONX = 2
    XMAP = 3
    MERCURY = 4
    MICRO_DXP = 5
    DXP_2X = 6
    MAYA2000 = 7
    MUSST_MCA = 8
    MCA8000D = 9
    DSA1000 = 10
    MULTIMAX = 11
    DANTE = 12


class Stats(NamedTuple):
    """How one element of the detector has fared in one point; times are seconds, rates 1/s, the dead time a fraction."""

    realtime: float
    trigger_livetime: float
    energy_livetime: float
    triggers: int
    events: int
    icr: float
    ocr: float
    deadtime: float

    @classmethod
    def counted(
        cls, realtime: float, trigger_livetime: float, energy_livetime: float, triggers: int, events: int
    ) -> Stats:
        """Make them of times and numbers, for hardware that gives no rates."""
        icr = triggers / trigger_livetime if trigger_livetime else 0.0
        ocr = events / realtime if realtime else 0.0
        dead = 1 - energy_livetime / realtime if realtime else 0.0
        return cls(realtime, trigger_livetime, energy_livetime, triggers, events, icr, ocr, dead)


UNITS = Stats("s", "s", "s", None, None, "1/s", "1/s", None)  # type: ignore[arg-type]
"""The units of the statistics, by name."""


def mode_of(kind: type[E], mode: E | str, what: str) -> E:
    """Return a mode that may be given by its name.

    :raises DeviceError: there is none of that name.
    """
    if isinstance(mode, kind):
        return mode
    try:
        return kind[str(mode).upper()]
    except KeyError:
        known = ", ".join(kind.__members__)
        raise DeviceError(f"{what}: expected one of {known}, got {mode!r}") from None


@dataclass(frozen=True)
class McaSetup:
    """How the points of a series are to be acquired.

    :ivar preset_value: seconds, or how many events or triggers; None without a preset.
    :ivar npoints: of the series; 0 for no end, in software mode only.
    :ivar block_size: how many points are delivered together in SYNC and GATE mode; None: as the device likes.
    """

    trigger_mode: TriggerMode = TriggerMode.SOFTWARE
    preset_mode: PresetMode = PresetMode.REALTIME
    preset_value: float | None = 1.0
    spectrum_size: int = 2048
    npoints: int = 1
    block_size: int | None = None


@dataclass(frozen=True)
class McaData:
    """Consecutive points of all elements.

    :ivar spectra: counts, shape (npoints, number of elements, spectrum size).
    :ivar statistics: shape (npoints, number of elements, 8): the fields of `Stats`.
    """

    spectra: NDArray[Any]
    statistics: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.spectra)

    def checked(self, name: str) -> McaData:
        """Return the same with counts as `uint32`; nothing is cut off or wrapped.

        :param name: of the analyser.
        :raises DeviceError: its driver gives something else.
        """
        expected = (*self.spectra.shape[:2], len(Stats._fields))
        if self.statistics.shape != expected:
            raise DeviceError(
                f"{name}: expected statistics of shape {expected} from its driver, got {self.statistics.shape}"
            )
        numbers = self.statistics[..., [Stats._fields.index("triggers"), Stats._fields.index("events")]]
        if not np.isfinite(numbers).all():
            raise DeviceError(
                f"{name}: expected numbers of triggers and events from its driver, got {numbers.tolist()}"
            )
        if self.spectra.dtype == np.uint32:
            return self
        with np.errstate(invalid="ignore"):
            counts = self.spectra.astype(np.uint32)
        if not (counts == self.spectra).all():
            raise DeviceError(
                f"{name}: expected counts from 0 to {2**32 - 1} from its driver, got spectra of {self.spectra.dtype} from "
                f"{self.spectra.min()} to {self.spectra.max()}"
            )
        return replace(self, spectra=counts)

    @classmethod
    def of(cls, points: Sequence[Sequence[tuple[Any, Stats]]]) -> McaData:
        """Make it of points, each a (spectrum, statistics) of each element, in the order of the elements."""
        spectra = np.array([[spectrum for spectrum, _ in point] for point in points])
        return cls(spectra, np.array([[stats for _, stats in point] for point in points], float))

    @classmethod
    def nothing(cls) -> McaData:
        """There is no point yet."""
        return cls(np.empty((0, 0, 0), np.uint32), np.empty((0, 0, len(Stats._fields))))


Extract = Callable[[McaData], NDArray[Any]]


class McaController(Protocol):
    """What counters ask of their analyser."""

    name: str
    rois: Rois

    @property
    def elements(self) -> Sequence[int]:
        """Numbers of the elements of the detector, in the order of its data."""

    @property
    def spectrum_size(self) -> int:
        """Number of channels."""


class McaCounter(Counter):
    """One value of each point, made of what the analyser delivers.

    :param element: number of the detector's element; None for all of them.
    """

    def __init__(self, name: str, controller: CounterController, element: int | None, **keys: Any) -> None:
        self.detector_channel = element
        super().__init__(name, controller, **keys)

    @property
    def mca(self) -> McaController:
        return cast(McaController, self.controller)

    @property
    def index(self) -> int:
        """Place of the element in the data."""
        return list(self.mca.elements).index(cast(int, self.detector_channel))

    def extractor(self, spectrum_size: int) -> Extract:
        """Return what makes the values of all points, shape (npoints, *self.shape), of the data; called for each scan.

        :raises DeviceError: they cannot be made of spectra of that size.
        """
        raise NotImplementedError(f"{type(self).__name__} must overload extractor(spectrum_size)")


class SpectrumMcaCounter(McaCounter):
    """`spectrum_det<n>`: counts by channel."""

    def __init__(self, controller: CounterController, element: int) -> None:
        super().__init__(f"spectrum_det{element}", controller, element, dtype=np.uint32, unit="counts")

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.mca.spectrum_size,)

    def extractor(self, spectrum_size: int) -> Extract:
        index = self.index
        return lambda data: data.spectra[:, index]


class StatisticsMcaCounter(McaCounter):
    """`<name of a statistic>_det<n>`."""

    def __init__(self, controller: CounterController, element: int, stat_name: str) -> None:
        self.stat_name = stat_name
        dtype = int if stat_name in ("triggers", "events") else float
        unit = getattr(UNITS, stat_name)
        super().__init__(f"{stat_name}_det{element}", controller, element, dtype=dtype, unit=unit)

    def extractor(self, spectrum_size: int) -> Extract:
        index, column, dtype = self.index, Stats._fields.index(self.stat_name), self.dtype
        return lambda data: data.statistics[:, index, column].astype(dtype)


class RoiMcaCounter(McaCounter):
    """`<region>_det<n>`: the counts of one element between the limits that the region has when a scan is built."""

    def __init__(self, controller: CounterController, roi_name: str, element: int | None) -> None:
        self.roi_name = roi_name
        name = roi_name if element is None else f"{roi_name}_det{element}"
        super().__init__(name, controller, element, dtype=np.int64, unit="counts")

    def extractor(self, spectrum_size: int) -> Extract:
        try:
            roi = self.mca.rois[self.roi_name]
        except KeyError as error:
            raise DeviceError(f"counter {self.fullname!r} has lost its region: {error.args[0]}") from None
        if roi.stop > spectrum_size:
            raise DeviceError(
                f"{self.mca.name}: ROI {self.roi_name!r} ends at channel {roi.stop}, the spectrum at {spectrum_size}; "
                f"{self.mca.name}.rois.set({self.roi_name!r}, start, stop) changes it"
            )
        elements = slice(None) if self.detector_channel is None else slice(self.index, self.index + 1)
        return lambda data: _sums(data.spectra[:, elements, roi.start : roi.stop])


class RoiSumMcaCounter(RoiMcaCounter):
    """`<region>`: the counts of all elements between its limits."""

    def __init__(self, controller: CounterController, roi_name: str) -> None:
        super().__init__(controller, roi_name, None)


def _sums(spectra: NDArray[Any]) -> NDArray[Any]:
    found: NDArray[Any] = spectra.sum(axis=(1, 2), dtype=np.int64)
    return found
