"""Auto-filters on a simulated beam of six decades."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bliss_like.controllers.box_actuator import BoxActuator
from bliss_like.controllers.filter_set import FilterSet
from bliss_like.controllers.simulated.gaussian import GaussianDetector
from bliss_like.controllers.simulated.io_box import SimulatedIoBox
from bliss_like.devices.calc_counter import CalcCounterController
from bliss_like.devices.counter import (
    Counter,
    IntegratingCounter,
    IntegratingCounterController,
    SamplingCounter,
    SamplingCounterController,
)
from bliss_like.errors import ScanUsageError, UserAbort
from bliss_like.scanning.acquisition.integrating import IntegratingCounterAcquisitionSlave
from bliss_like.scanning.acquisition.step import VariableStepTriggerMaster
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan
from bliss_like.scans import ascan, lookup, mesh, spiral, step
from bliss_like.scans.auto_filter import AutoFilter
from tests.unit.devices.making import make, make_axis

LOW, HIGH = 1e3, 5e4
PEAK = 1e9


def filter_set(nfilters: int = 8, thinnest: float = 0.05, travel_time: float = 0.0) -> FilterSet:
    names = [f"f{n}" for n in range(nfilters)]
    cylinders = [
        {"output": name, "on_input": f"{name}_in", "off_input": f"{name}_out", "travel_time": travel_time}
        for name in names
    ]
    box = make(SimulatedIoBox, "box", cylinders=cylinders)
    blades = [
        make(BoxActuator, name, box=box, output=name, in_input=f"{name}_in", out_input=f"{name}_out") for name in names
    ]
    filters = [{"material": "Al", "thickness": thinnest * 2**n, "actuator": blade} for n, blade in enumerate(blades)]
    return make(FilterSet, "att", energy=12, filters=filters)


class Beam:
    """A peak on an axis, seen through filters."""

    def __init__(self, background: float = 0.0, **keys: Any) -> None:
        self.axis = make_axis("x")
        self.filters = filter_set()
        counter = {"name": "apd", "axes": [self.axis], "height": PEAK, "sigma": 0.1, "background": background}
        box = make(GaussianDetector, "det", counters=[{**counter, "through": [self.filters]}])
        self.apd = box.counters["apd"]
        keys = {"min_count_rate": LOW, "max_count_rate": HIGH, "detector_counter": self.apd, **keys}
        self.auto = make(AutoFilter, "autof", filterset=self.filters, **keys)

    @staticmethod
    def true(x: Any) -> Any:
        return PEAK * np.exp(-(np.asarray(x) ** 2) / (2 * 0.1**2))


def test_six_decades() -> None:
    beam = Beam()
    scan = beam.auto.ascan(beam.axis, -0.52, 0.52, 52, 0.0, save=False)
    assert scan is not None
    data = scan.get_data()
    x, raw, corrected, transm = (data[name] for name in ("x", "apd", "apd_corr", "autof_transm"))
    assert len(x) == len(raw) == len(corrected) == len(transm) == 53
    assert beam.true(x).max() / beam.true(x).min() > 0.7e6
    np.testing.assert_allclose(corrected, beam.true(x), rtol=1e-9)
    assert (raw <= HIGH).all()
    assert (raw[beam.true(x) > LOW] >= LOW).all()
    assert transm.min() < 1e-4 and transm.max() == 1
    assert beam.filters.bits == 0
    assert len(data["elapsed_time"]) == 53 and (np.diff(data["elapsed_time"]) > 0).all()
    np.testing.assert_allclose([beam.filters.transmission_of(int(bits)) for bits in data["autof_filteridx"]], transm)


class Seen(ScanPreset):
    """What listeners of a scan get of one counter."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self.values: list[float] = []

    def prepare(self, scan: Scan) -> None:
        self.connect_data_channels([self._counter], lambda counter, name, block: self.values.extend(block))


def test_listeners_hear_only_of_what_is_kept() -> None:
    beam = Beam()
    scan: Any = beam.auto.ascan(beam.axis, -0.3, 0.3, 6, 0.0, run=False, save=False)
    seen = Seen(beam.apd)
    scan.add_preset(seen)
    scan.run()
    assert seen.values == list(scan.get_data("apd"))
    assert max(seen.values) <= HIGH


class Pulses(IntegratingCounterController):
    """Counts by itself while it is started: one point for each start, until it overflows."""

    MOST = 1e6

    def __init__(self, rate: Callable[[], float]) -> None:
        super().__init__("p201")
        self._rate = rate
        self.starts = 0
        self.create_counter(IntegratingCounter, "pulses")

    def get_acquisition_object(self, acq: dict[str, Any], ctrl: dict[str, Any], parent: dict[str, Any]) -> Any:
        controller = self

        class Slave(IntegratingCounterAcquisitionSlave):
            def start_device(self) -> None:
                controller.starts += 1

        return Slave(self, ctrl_params=ctrl, **acq)

    def get_values(self, from_index: int, *counters: Counter) -> Sequence[Sequence[Any]]:
        return [[min(self.MOST, self._rate() * 0.01)]]


def test_a_detector_that_integrates_and_overflows() -> None:
    beam = Beam()
    pulses = Pulses(lambda: float(beam.true(beam.axis.position)) * beam.filters.transmission)
    auto = make(
        AutoFilter,
        "autof",
        filterset=beam.filters,
        detector_counter=pulses.counters["pulses"],
        min_count_rate=1e5,
        max_count_rate=5e6,
    )
    scan: Any = auto.ascan(beam.axis, -0.2, 0.2, 10, 0.01, save=False)
    raw, corrected = scan.get_data("pulses"), scan.get_data("pulses_corr")
    assert len(raw) == 11 and (raw <= 5e4).all() and (raw >= 1e3).all()
    np.testing.assert_allclose(corrected, beam.true(scan.get_data("x")) * 0.01, rtol=1e-9)
    assert pulses.starts > 11


def test_a_monitor_gives_a_ratio() -> None:
    beam = Beam()
    ring = make(
        GaussianDetector, "ring", counters=[{"name": "i0", "axes": [beam.axis], "height": 0, "background": 200}]
    )
    beam.auto.monitor_counter = ring.counters["i0"]
    scan: Any = beam.auto.dscan(beam.axis, -0.1, 0.1, 4, 0.0, save=False)
    np.testing.assert_allclose(scan.get_data("autof_ratio"), beam.true(scan.get_data("x")) / 200)


@pytest.mark.parametrize("always_back", [True, False])
def test_filters_come_back(always_back: bool) -> None:
    beam = Beam(always_back=always_back)
    beam.filters.bits = 0b1
    beam.auto.ascan(beam.axis, -0.1, 0, 2, 0.0, save=False)
    assert (beam.filters.bits == 0b1) is always_back


def test_an_aborted_scan_keeps_whole_points_and_brings_filters_back() -> None:
    beam = Beam()

    class Aborting(SamplingCounterController):
        def read(self, counter: SamplingCounter) -> float:
            if beam.axis.position > 0.05:
                raise UserAbort
            return 1.0

    aborting = Aborting("aborting")
    aborting.create_counter(SamplingCounter, "fine")
    scan: Any = beam.auto.ascan(beam.axis, -0.2, 0.2, 4, 0.0, aborting, run=False, save=False)
    with pytest.raises(UserAbort):
        scan.run()
    assert {len(points) for points in scan.get_data().values()} == {3}
    assert beam.filters.bits == 0


def test_a_scan_that_is_stopped_keeps_its_last_point() -> None:
    beam = Beam()
    scan: Any = beam.auto.ascan(beam.axis, 0, 0.1, 10, 0.0, run=False, save=False)

    class Stopping(ScanPreset):
        def prepare(self, scan: Scan) -> None:
            self.connect_data_channels([beam.apd], lambda *_: scan.stop(wait=False))

    scan.add_preset(Stopping())
    scan.run()
    lengths = {len(points) for points in scan.get_data().values()}
    assert lengths == {2}


def test_all_the_scans_of_axes() -> None:
    beam = Beam()
    x, y = beam.axis, make_axis("y")
    scans: list[Any] = [
        beam.auto.a2scan(x, 0, 0.1, y, 0, 1, 2, 0.0, save=False),
        beam.auto.d2scan(x, 0, 0.1, y, 0, 1, 2, 0.0, save=False),
        beam.auto.anscan([(x, 0, 0.1)], 2, 0.0, save=False),
        beam.auto.dnscan([(x, 0, 0.1)], 2, 0.0, save=False),
        beam.auto.amesh(x, 0, 0.1, 2, y, 0, 1, 1, 0.0, save=False),
        beam.auto.dmesh(x, 0, 0.1, 2, y, 0, 1, 1, 0.0, save=False),
        beam.auto.lookupscan([(x, [0, 0.1])], 0.0, save=False),
        beam.auto.pointscan(x, [0, 0.1], 0.0, save=False),
    ]
    for scan in scans:
        np.testing.assert_allclose(scan.get_data("apd_corr"), beam.true(scan.get_data("x")))
    assert inspect.signature(beam.auto.ascan) == inspect.signature(ascan)


def test_wrong_arguments_have_the_words_of_the_scan() -> None:
    beam = Beam()
    for arguments in [(beam.axis, 0), (beam.axis, 0, "far", 10, 0.1)]:
        with pytest.raises(ScanUsageError, match="(?s)^ascan: .*ascan\\(motor, start, stop"):
            beam.auto.ascan(*arguments)  # type: ignore[arg-type]


def test_limits_that_cross() -> None:
    with pytest.raises(ValidationError, match="min_count_rate 10 must be below max_count_rate 5"):
        make(AutoFilter, "a", filterset=1, detector_counter=1, min_count_rate=10, max_count_rate=5)


def test_no_more_filters_is_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    beam = Beam(background=2 * HIGH)
    beam.auto.ascan(beam.axis, 0, 0.1, 1, 0.0, save=False)
    assert "apd: 1" in caplog.text and "is too much, and there are no more filters" in caplog.text


@given(
    intensity=st.floats(0, 1e12),
    nfilters=st.integers(1, 7),
    thinnest=st.floats(0.01, 0.5),
    saturation=st.floats(1.5 * HIGH, 1e9),
    first=st.integers(0, 127),
)
def test_whatever_the_beam_and_the_filters_it_ends(
    intensity: float, nfilters: int, thinnest: float, saturation: float, first: int
) -> None:
    """It settles, and what it settles on is in range, or the nearest that there is on the safe side."""
    filters = filter_set(nfilters, thinnest)
    auto = make(AutoFilter, "a", filterset=filters, detector_counter=1, min_count_rate=LOW, max_count_rate=HIGH)
    known = filters.transmissions()
    bits = first % (1 << nfilters)
    if bits not in known:
        return
    too_bright, tried = np.inf, 0
    while True:
        rate = min(saturation, intensity * known[bits])
        chosen = auto.choose(bits, rate, too_bright)
        if chosen == bits:
            break
        if rate > HIGH:
            too_bright = known[bits]
        bits, tried = chosen, tried + 1
        assert tried <= len(known)
    rates = {other: intensity * transmission for other, transmission in known.items()}
    if rates[bits] > HIGH:
        assert known[bits] == min(known.values())
    if rates[bits] < LOW:
        brighter = [other for other in known if known[other] > known[bits] * 1.0001 and rates[other] <= HIGH]
        assert not [other for other in brighter if rates[other] >= LOW]


def test_a_step_master_takes_a_point_again() -> None:
    axis = make_axis("x")
    master = VariableStepTriggerMaster(axis, [0, 1])
    judged: list[dict[Any, float]] = []

    def again() -> bool:
        judged.append(dict(master._targets))
        return len(judged) in (1, 2)

    master.again = again
    assert [dict(master._targets)[axis] for _ in master] == [0, 0, 0, 1]


def test_what_is_calculated_follows_the_points_that_are_kept() -> None:
    beam = Beam()
    half = Half("half", {"inputs": [{"counter": beam.apd, "tags": "apd"}], "outputs": [{"name": "half_apd"}]})
    scan = beam.auto.ascan(beam.axis, -0.52, 0.52, 26, 0.0, half, save=False)
    assert scan is not None
    data = scan.get_data()
    np.testing.assert_array_equal(data["half_apd"], data["apd"] / 2)
    assert len(data["half_apd"]) == 27
    judged = make(
        AutoFilter,
        "autof",
        filterset=beam.filters,
        detector_counter=half.counters[0],
        min_count_rate=LOW,
        max_count_rate=HIGH,
    )
    with pytest.raises(ScanUsageError, match="half_apd is calculated .* a counter that is read"):
        judged.ascan(beam.axis, -1, 1, 2, 0.0, save=False)


class Half(CalcCounterController):
    def calc_function(self, input_dict: dict[str, Any]) -> dict[str, Any]:
        return {"half_apd": input_dict["apd"] / 2}


def test_it_has_all_scans_of_axes_that_go_from_point_to_point() -> None:
    for module in (step, mesh, lookup, spiral):
        for name in module.__all__:
            plain = inspect.signature(getattr(module, name))
            assert list(inspect.signature(getattr(AutoFilter, name)).parameters) == ["self", *plain.parameters]
