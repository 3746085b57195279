"""A simulated analyser driven by hand, in a time that the test makes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from bliss_like.controllers.mca import McaSetup, PresetMode, Stats, TriggerMode
from bliss_like.controllers.simulated.mca import SimulatedMCA
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import DeviceError, NotConnectedError
from tests.unit.controllers.mca.making import IRON, Clock, make_mca, with_clock
from tests.unit.devices.making import make_axis


def start(mca: SimulatedMCA, **setup: Any) -> None:
    mca.prepare_acquisition(McaSetup(**{"spectrum_size": mca.spectrum_size, **setup}))
    mca.start_acquisition()


def one_point(mca: SimulatedMCA, clock: Clock, **setup: Any) -> tuple[np.ndarray, list[Stats]]:
    start(mca, **setup)
    clock.now += 1000
    assert not mca.is_acquiring()
    data = mca.get_acquisition_data(0)
    assert len(data) == 1
    return data.spectra[0], [Stats(*row) for row in data.statistics[0]]


def test_one_point_of_two_elements() -> None:
    mca, clock = with_clock(elements=[0, 3], spectrum_size=1024, efficiency=[1, 0.5])
    start(mca, preset_value=0.5)
    clock.now += 0.25
    assert mca.is_acquiring()
    assert len(mca.get_acquisition_data(0)) == 0
    clock.now += 1
    assert not mca.is_acquiring()
    data = mca.get_acquisition_data(0)
    assert data.spectra.shape == (1, 2, 1024)
    assert data.spectra.sum(axis=2)[0] == pytest.approx([5e4, 2.5e4], rel=0.02)
    assert data.statistics[0, :, 0] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("mode", "value", "field"),
    [
        (PresetMode.REALTIME, 0.3, "realtime"),
        (PresetMode.LIVETIME, 0.3, "energy_livetime"),
        (PresetMode.EVENTS, 5000, "events"),
        (PresetMode.TRIGGERS, 5000, "triggers"),
    ],
)
def test_presets_end_each_element(mode: PresetMode, value: float, field: str) -> None:
    mca, clock = with_clock(elements=[0, 1], dead_time=2e-6)
    _, stats = one_point(mca, clock, preset_mode=mode, preset_value=value)
    for element in stats:
        assert getattr(element, field) == pytest.approx(value)
        assert 1 - element.deadtime == pytest.approx(math.exp(-0.2))


def test_without_preset_it_goes_on_until_it_is_stopped() -> None:
    mca, clock = with_clock()
    start(mca, preset_mode=PresetMode.NONE, preset_value=None)
    clock.now += 3600
    assert mca.is_acquiring()
    mca.stop_acquisition()
    assert not mca.is_acquiring()
    assert mca.get_acquisition_data(0).statistics[0, 0, 0] == 3600
    mca.stop_acquisition()
    assert len(mca.get_acquisition_data(0)) == 1


def test_a_point_that_is_stopped_and_the_next() -> None:
    mca, clock = with_clock()
    start(mca, preset_value=10)
    clock.now += 1
    mca.stop_acquisition()
    assert mca.get_acquisition_data(0).statistics[0, 0, 0] == pytest.approx(1)
    _, (stats,) = one_point(mca, clock, preset_value=2)
    assert stats.realtime == pytest.approx(2)


def test_it_sees_what_is_where_its_axes_are() -> None:
    x, y = make_axis("x"), make_axis("y")
    iron = {**IRON, "axes": [x, y], "spots": [{"center": [1, 2], "sigma": 0.5}, {"center": [5, 5], "sigma": 1}]}
    mca, clock = with_clock(emitters=[iron])
    for position, amount in {(1, 2): 1, (1.5, 2): math.exp(-0.5), (5, 4): math.exp(-0.5), (20, 0): 0}.items():
        x.move(position[0])
        y.move(position[1])
        spectra, _ = one_point(mca, clock, preset_value=1)
        assert spectra.sum() == pytest.approx(1e5 * amount, rel=0.03)


def test_the_beam_has_to_hit_and_comes_through_what_is_open() -> None:
    x = make_axis("x")

    class Filters:
        transmission = 0.25

    mca, clock = with_clock(
        background=3e4, beam={"axes": [x], "spots": [{"center": [0], "sigma": 1}]}, through=[Filters()]
    )
    assert one_point(mca, clock, preset_value=1)[0].sum() == pytest.approx(1.3e5 / 4, rel=0.03)
    x.move(1)
    assert one_point(mca, clock, preset_value=1)[0].sum() == pytest.approx(1.3e5 / 4 * math.exp(-0.5), rel=0.03)


def test_what_changes_during_a_point_counts_for_its_time() -> None:
    beam = SoftAxis("beam_height", type("Height", (), {"position": 0.0})(), export_to_session=False)
    mca, clock = with_clock(beam={"axes": [beam], "spots": [{"center": [0], "sigma": 0.1}]})
    start(mca, preset_value=2)
    clock.now += 1
    assert mca.is_acquiring()
    beam.move(1)
    assert mca.is_acquiring()  # looks again: from here on there is nothing
    clock.now += 1
    assert not mca.is_acquiring()
    assert mca.get_acquisition_data(0).spectra.sum() == pytest.approx(1e5, rel=0.03)


def test_n_points_take_n_pulses_and_one() -> None:
    mca, clock = with_clock()
    mca.pulse()  # of nobody's interest
    start(mca, trigger_mode=TriggerMode.SYNC, preset_value=None, npoints=3)
    clock.now += 7  # before the first pulse nothing counts
    for seconds in (0.1, 0.2, 0.3):
        mca.pulse()
        assert mca.is_acquiring()
        clock.now += seconds
    assert len(mca.get_acquisition_data(0)) == 2
    mca.pulse()
    assert not mca.is_acquiring()
    data = mca.get_acquisition_data(0)
    assert data.statistics[:, 0, 0] == pytest.approx([0.1, 0.2, 0.3])
    assert data.spectra.sum(axis=(1, 2)) == pytest.approx([1e4, 2e4, 3e4], rel=0.05)
    assert len(mca.get_acquisition_data(2)) == 1
    mca.pulse()
    assert len(mca.get_acquisition_data(0)) == 3


def test_a_point_lasts_as_long_as_its_gate_is_open() -> None:
    mca, clock = with_clock()
    start(mca, trigger_mode=TriggerMode.GATE, preset_value=None, npoints=2)
    for opened, closed in ((0.1, 0.4), (0.2, 0.4)):
        mca.pulse()  # of the other mode
        mca.gate(True)
        clock.now += opened
        mca.gate(False)
        clock.now += closed
    assert not mca.is_acquiring()
    assert mca.get_acquisition_data(0).statistics[:, 0, 0] == pytest.approx([0.1, 0.2])


def test_blocks_and_the_rest_at_the_end() -> None:
    mca, clock = with_clock()
    start(mca, trigger_mode=TriggerMode.SYNC, preset_value=None, npoints=8, block_size=3)
    there = []
    for _ in range(9):
        mca.pulse()
        clock.now += 0.01
        there.append(len(mca.get_acquisition_data(0)))
    assert there == [0, 0, 0, 3, 3, 3, 6, 6, 8]


def test_what_was_counted_before_a_stop_is_delivered() -> None:
    mca, clock = with_clock(pulse_period=0.1)
    start(mca, trigger_mode=TriggerMode.GATE, preset_value=None, npoints=100, block_size=50)
    clock.now += 0.75
    assert mca.is_acquiring()
    assert len(mca.get_acquisition_data(0)) == 0
    mca.stop_acquisition()
    assert mca.get_acquisition_data(0).statistics[:, 0, 0] == pytest.approx([0.1] * 7)


def test_its_own_pulses() -> None:
    mca, clock = with_clock(pulse_period=0.1)
    start(mca, trigger_mode=TriggerMode.SYNC, preset_value=None, npoints=20)
    clock.now += 0.35
    assert len(mca.get_acquisition_data(0)) == 3
    clock.now += 5
    assert not mca.is_acquiring()
    data = mca.get_acquisition_data(0)
    assert data.statistics[:, 0, 0] == pytest.approx([0.1] * 20)


def test_points_between_two_looks_are_where_the_axis_was() -> None:
    clock = Clock()
    stage = type("Stage", (), {"position": property(lambda _: clock.now)})()
    axis = SoftAxis("x", stage, move=lambda _: None, export_to_session=False)
    emitter = {**IRON, "rate": 1e6, "axes": [axis], "spots": [{"center": [1], "sigma": 0.3}]}
    mca = make_mca(pulse_period=0.1, emitters=[emitter])
    mca.clock = clock
    start(mca, trigger_mode=TriggerMode.GATE, preset_value=None, npoints=20)
    for _ in range(5):
        clock.now += 0.45
        mca.is_acquiring()
    counts = mca.get_acquisition_data(0).spectra.sum(axis=(1, 2))
    assert (np.arange(20) * counts).sum() / counts.sum() == pytest.approx(9.5, abs=0.5)
    assert len(set(counts.tolist())) > 15


def test_a_dead_element_counts_nothing_and_holds_nobody_up() -> None:
    mca, clock = with_clock(elements=[0, 1, 2], faults={1: "dead"})
    spectra, stats = one_point(mca, clock, preset_mode=PresetMode.EVENTS, preset_value=1000)
    assert spectra.sum(axis=1).tolist() == [1000, 0, 1000]
    assert stats[1][3:] == (0, 0, 0, 0, 0)
    mca.faults = {}
    assert one_point(mca, clock, preset_value=0.1)[0].sum(axis=1) == pytest.approx([1e4] * 3, rel=0.1)


def test_elements_that_are_broken() -> None:
    mca, clock = with_clock(elements=[0, 1])
    mca.faults[1] = "stuck"
    start(mca, preset_value=0.1)
    clock.now += 100
    assert mca.is_acquiring()
    mca.stop_acquisition()
    mca.faults[1] = "silent"
    with pytest.raises(DeviceError, match="mca: element 1 does not answer"):
        mca.get_acquisition_data(0)
    mca.is_plugged = False
    for call in (mca.start_acquisition, mca.is_acquiring, mca.stop_acquisition):
        with pytest.raises(NotConnectedError, match="mca does not answer"):
            call()


def test_another_spectrum_size_cuts_the_range() -> None:
    mca, clock = with_clock()
    mca.spectrum_size = 512  # 5.12 keV: no iron
    assert mca.counters.spectrum_det0.shape == (512,)
    spectra, (stats,) = one_point(mca, clock, preset_value=0.1)
    assert spectra.shape == (1, 512)
    assert spectra.sum() == 0
    assert stats.events == pytest.approx(1e4, rel=0.05)


def test_the_same_seed_gives_the_same_spectra() -> None:
    def spectrum(seed: int) -> np.ndarray:
        mca, clock = with_clock(seed=seed)
        return one_point(mca, clock, preset_value=0.1)[0]

    assert np.array_equal(spectrum(7), spectrum(7))
    assert not np.array_equal(spectrum(7), spectrum(8))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"elements": []}, "elements"),
        ({"elements": [0, 0]}, "elements: expected different numbers from 0"),
        ({"spectrum_size": 0}, "spectrum_size"),
        ({"rois": {"Fe": [10, 5]}}, "rois: Fe: expected channels 0 <= start < stop <= 2048"),
        ({"rois": {"Fe": [10, 5000]}}, "rois: Fe: expected channels"),
        ({"rois": {"Fe": {"low": 6.2}}}, r"expected \[start, stop\]"),
        ({"rois": {"Fe": {"start": 1, "stop": 2, "low": 6.2, "high": 6.6}}}, r"expected \[start, stop\]"),
        ({"rois": {"6keV": [10, 50]}}, "6keV"),
        ({"rois": {"Fe": {"start": 1, "stop": 2, "channel": 4}}}, r"rois: Fe: channel: expected one of \[0\]"),
        ({"rois": {"Fe": {"low": 6.2, "high": 6.6}}, "calibration": None}, "low and high need a calibration"),
        ({"emitters": [{"symbol": "Xx", "rate": 1}]}, "symbol: expected one of Si, P"),
        ({"emitters": [{"rate": 1}]}, "expected a symbol or an energy"),
        ({"emitters": [{"energy": 5, "rate": 1, "spots": [{"center": [1], "sigma": 1}]}]}, "expected a center with 0"),
        ({"through": [make_axis()]}, "expected a reference to a shutter or a set of filters, came"),
        ({"pileup_time": 1e-6}, "pileup_time: expected at most the dead_time"),
        ({"faults": {0: "tired"}}, "faults"),
    ],
)
def test_keys_that_are_wrong(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make_mca(**keys)


def test_a_spectrum_size_that_is_not_supported() -> None:
    with pytest.raises(DeviceError, match=r"mca: spectrum_size: 1000 is not supported; expected one of 256, 512"):
        make_mca(spectrum_size=1000)
