"""What drivers of analysers do wrong, and two scans that want one analyser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.controllers.mca import BaseMCA, McaConfig, McaData, McaSetup, PresetMode, Stats, TriggerMode
from bliss_like.errors import DeviceError, UserAbort
from bliss_like.scans import ct, loopscan
from tests.unit.controllers.mca.making import make_mca
from tests.unit.scanning.making import in_background, memory_environment
from tests.waiting import wait_until_cooperative


@pytest.fixture(autouse=True)
def in_memory() -> Iterator[None]:
    with memory_environment():
        yield


class Driver(BaseMCA):
    """Gives spectra of 8 channels, each with the number of the point; or does what it is told to."""

    supported_preset_modes = tuple(PresetMode)
    supported_trigger_modes = tuple(TriggerMode)

    def __init__(self, **does: Callable[[], Any]) -> None:
        super().__init__("mca", McaConfig.model_validate({"name": "mca", "spectrum_size": 8}))
        self.does, self.calls, self.npoints = does, list[str](), 0

    def _do(self, verb: str) -> Any:
        self.calls.append(verb)
        return self.does.get(verb, lambda: None)()

    def prepare_acquisition(self, setup: McaSetup) -> None:
        self._do("prepare")

    def start_acquisition(self) -> None:
        self.npoints += 1
        self._do("start")

    def is_acquiring(self) -> bool:
        return bool(self._do("acquiring"))

    def stop_acquisition(self) -> None:
        self._do("stop")

    def get_acquisition_data(self, from_index: int) -> McaData:
        stats = Stats.counted(1.0, 0.9, 0.8, 100, 80)
        return self._do("data") or McaData.of([[(np.full(8, self.npoints), stats)]])


@pytest.mark.parametrize("count", [1.5, -1, 2**33, math.nan])
@pytest.mark.parametrize("counter", ["spectrum_det0", "r_det0", "icr_det0"])
def test_spectra_that_are_no_counts(count: float, counter: str) -> None:
    mca = Driver(data=lambda: McaData(np.full((1, 1, 8), count), np.zeros((1, 1, 8))))
    mca.rois.set("r", 0, 4)
    with pytest.raises(DeviceError, match=r"mca: expected counts from 0 to 4294967295 from its driver, got spectra of"):
        ct(0.001, mca.counters[counter])


def test_counts_in_any_dtype() -> None:
    for dtype in ("i8", "f8", "u1", ">u4"):
        mca = Driver(data=lambda dtype=dtype: McaData(np.full((1, 1, 8), 200, dtype), np.zeros((1, 1, 8))))  # type: ignore[misc]
        assert ct(0.001, mca).get_data("spectrum_det0").tolist() == [[200] * 8]


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        (np.zeros((1, 1, 3)), r"expected statistics of shape \(1, 1, 8\) from its driver, got \(1, 1, 3\)"),
        (np.full((1, 1, 8), math.nan), "expected numbers of triggers and events from its driver, got"),
    ],
)
def test_statistics_that_are_none(statistics: Any, message: str) -> None:
    mca = Driver(data=lambda: McaData(np.zeros((1, 1, 8), np.uint32), statistics))
    with pytest.raises(DeviceError, match=message):
        ct(0.001, mca.counters.events_det0)


@pytest.mark.parametrize("mode", ["SOFTWARE", "GATE"])
@pytest.mark.parametrize("verb", ["prepare", "start", "acquiring", "data"])
def test_an_abort_while_a_driver_hangs(verb: str, mode: str) -> None:
    mca = Driver(**{verb: lambda: gevent.sleep(100)})
    settings = [{"device": mca, "acquisition_settings": {"trigger_mode": mode}}]
    scan = loopscan(3, 0.001, mca, run=False, chain_settings=settings)
    task = in_background(scan)
    wait_until_cooperative(lambda: verb in mca.calls)
    scan.abort(wait=False)
    assert isinstance(task.get(timeout=3), UserAbort)
    assert mca.calls[-1] == "stop"


def test_two_scans_do_not_read_the_points_of_each_other() -> None:
    mca = make_mca()
    scan = loopscan(2, 0.05, mca.counters.realtime_det0, run=False)
    task = in_background(scan)
    wait_until_cooperative(mca.is_acquiring)
    with pytest.raises(DeviceError, match="mca is acquiring already, for another scan: wait for its end, or abort it"):
        loopscan(2, 0.001, mca.counters.realtime_det0)
    assert task.get(timeout=5) is None
    assert scan.get_data("realtime_det0") == pytest.approx([0.05, 0.05])
    assert len(loopscan(2, 0.001, mca).get_data("icr_det0")) == 2


@pytest.mark.parametrize("name", ["default", "det0", "spectrum", "icr"])
def test_regions_that_are_called_like_groups(name: str) -> None:
    mca = make_mca(elements=[0, 1])
    with pytest.raises(DeviceError, match=f"ROI '{name}': mca has another counter or group"):
        mca.rois.set(name, 1, 5)
    assert len(mca.counter_groups.default) == len(mca.counters) == 18
