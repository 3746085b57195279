"""Scans of an analyser: each point and in blocks, what is published of it, and what goes wrong."""

from __future__ import annotations

import math
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.controllers.mca import PresetMode, TriggerMode
from bliss_like.controllers.simulated.mca import SimulatedMCA
from bliss_like.errors import ChainError, DeviceError, UserAbort
from bliss_like.scanning.acquisition.mca import McaAcquisitionSlave
from bliss_like.scanning.chain import AcquisitionMaster
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scans import amesh, ascan, ct, loopscan, timescan
from tests.unit.controllers.mca.making import IRON, make_mca
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import chain_of, in_background
from tests.waiting import wait_until_cooperative


def settings(mca: SimulatedMCA, **acquisition: Any) -> list[dict[str, Any]]:
    return [{"device": mca, "acquisition_settings": acquisition}]


def of_mca(scan: Scan) -> list[str]:
    return [channel.short_name for channel in scan.channels if channel.name.startswith("mca:")]


# -- what comes of it


def test_a_point_has_spectra_statistics_and_regions() -> None:
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660]}, emitters=[{**IRON, "rate": 1e6}])
    scan = loopscan(3, 0.01, mca)
    assert of_mca(scan) == list(mca.counters.keys())
    spectra = np.array([scan.get_data(f"spectrum_det{element}") for element in (0, 1)])
    assert spectra.shape == (2, 3, 2048)
    assert spectra.dtype == np.uint32
    assert spectra.sum(axis=2) == pytest.approx(1e4, rel=0.05)
    regions = spectra[:, :, 620:660].sum(axis=2)
    assert scan.get_data("Fe_det1").tolist() == regions[1].tolist()
    assert scan.get_data("Fe").tolist() == regions.sum(axis=0).tolist()
    assert scan.get_data("realtime_det0") == pytest.approx(0.01)
    assert scan.get_data("events_det0").tolist() == spectra[0].sum(axis=1).tolist()
    assert "\ndet1 " in mca.__info__()


def test_a_region_alone_publishes_no_spectra() -> None:
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660]})
    scan = ct(0.001, mca.counters.Fe)
    assert of_mca(scan) == ["Fe"]
    assert of_mca(ct(0.001, mca.counter_groups.icr)) == ["icr_det0", "icr_det1"]


def test_a_value_may_be_converted() -> None:
    mca = make_mca(rois={"Fe": [620, 660]})
    mca.counters.Fe_det0.conversion_function = lambda counts: counts / 1000
    raw, converted = mca.counters.spectrum_det0, mca.counters.Fe_det0
    scan = loopscan(2, 0.002, raw, converted)
    assert scan.get_data("Fe_det0") == pytest.approx(scan.get_data("spectrum_det0")[:, 620:660].sum(axis=1) / 1000)


def test_a_map_of_iron_shows_its_grains() -> None:
    x, y = make_axis("x"), make_axis("y")
    grains = [(2.0, 1.0), (6.0, 4.0)]
    spots = [{"center": center, "sigma": 0.6} for center in grains]
    mca = make_mca(
        emitters=[{**IRON, "rate": 2e6, "axes": [x, y], "spots": spots}, {"symbol": "Ca", "rate": 1e6}],
        background=1e5,
        rois={"Fe": {"low": 6.2, "high": 6.6}, "Ca": {"low": 3.5, "high": 3.9}},
    )
    scan = amesh(x, 0, 8, 16, y, 0, 5, 10, 0.0005, mca.counter_groups.Fe, mca.counter_groups.Ca)
    iron, calcium = (scan.get_data(f"{name}_det0").reshape(11, 17) for name in ("Fe", "Ca"))
    for column, row in grains:
        around = iron[round(row * 2) - 2 : round(row * 2) + 3, round(column * 2) - 2 : round(column * 2) + 3]
        rows, columns = np.indices(around.shape)
        assert (rows * around).sum() / around.sum() == pytest.approx(2, abs=0.15)
        assert (columns * around).sum() / around.sum() == pytest.approx(2, abs=0.15)
        assert iron[round(row * 2), round(column * 2)] > 10 * iron[-1, 0]
    assert calcium.std() / calcium.mean() < 2 / math.sqrt(calcium.mean())


def test_a_scan_without_end() -> None:
    mca = make_mca(rois={"Fe": [620, 660]})
    scan = timescan(0.001, mca.counter_groups.Fe, run=False)
    task = in_background(scan)
    wait_until_cooperative(lambda: len(scan.get_data("Fe_det0")) >= 3 if scan.state.name == "STARTING" else False)
    scan.stop()
    assert task.get(timeout=5) is None


def test_what_a_scan_says_of_it() -> None:
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660], "Ca": [1, 2]}, calibration={"gain": 0.01})
    mca.rois.set("Ca", 350, 390, channel=1)
    assert ct(0.001, mca.counters.Fe).scan_info["instrument"]["mca"] == {
        "type": "mca",
        "elements": [0, 1],
        "rois": {"Fe": {"start": 620, "stop": 660}, "Ca": {"start": 350, "stop": 390, "channel": 1}},
        "calibration": {"offset": 0.0, "gain": 0.01},
    }


# -- presets


def test_the_real_time_is_the_count_time_unless_something_else_is_set() -> None:
    mca = make_mca(dead_time=5e-6)
    counters = [mca.counters.realtime_det0, mca.counters.energy_livetime_det0, mca.counters.events_det0]

    def measured(**acquisition: Any) -> list[float]:
        scan = loopscan(1, 0.004, *counters, chain_settings=settings(mca, **acquisition))
        return [float(scan.get_data(counter)[0]) for counter in counters]

    assert measured()[0] == pytest.approx(0.004)
    mca.preset_mode = "LIVETIME"
    real, live, _ = measured()
    assert (real, live) == pytest.approx((0.004 * math.exp(0.5), 0.004))
    mca.preset_value = 0.006
    assert measured()[1] == pytest.approx(0.006)
    assert measured(preset_value=0.002)[1] == pytest.approx(0.002)
    mca.preset_mode, mca.preset_value = PresetMode.EVENTS, 300
    assert measured()[2] == 300
    assert measured(preset_mode="REALTIME", count_time=0.003)[0] == pytest.approx(0.003)
    mca.preset_mode = "NONE"
    assert mca.preset_value is None  # it was a number of events
    assert 0.004 <= measured()[0] < 0.1


def test_each_point_may_have_its_own_time() -> None:
    mca = make_mca()
    times = [0.001, 0.003, 0.003, 0.002]
    scan = loopscan(4, 0, mca.counters.realtime_det0, chain_settings=settings(mca, preset_time=times))
    assert scan.get_data("realtime_det0") == pytest.approx(times)
    with pytest.raises(ChainError, match=r"mca: expected one count time, or 4, got \[1, 2\]"):
        loopscan(4, 0, mca, chain_settings=settings(mca, preset_time=[1, 2]))
    with pytest.raises(DeviceError, match="mca: count time with preset_mode REALTIME must be seconds, above 0, got 0"):
        loopscan(2, 0, mca, chain_settings=settings(mca, preset_time=[1, 0]))


# -- triggered by cables


class Cables(AcquisitionMaster):
    """Gives an analyser one pulse, or gate, after the other."""

    def __init__(self, mca: SimulatedMCA, npulses: int, seconds: float = 0.002) -> None:
        super().__init__(name="cables", npoints=1)
        self.mca, self.npulses, self.seconds = mca, npulses, seconds

    def start(self) -> None:
        self.trigger()

    def trigger(self) -> None:
        for _ in range(self.npulses):
            self.mca.pulse()
            self.mca.gate(True)
            gevent.sleep(self.seconds)
            self.mca.gate(False)


@pytest.mark.parametrize(("mode", "npulses"), [("SYNC", 11), (TriggerMode.GATE, 10)])
@pytest.mark.parametrize("block_size", [None, 4])
def test_pulses_from_outside(mode: TriggerMode | str, npulses: int, block_size: int | None) -> None:
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660]})
    slave = McaAcquisitionSlave(*mca.counters, npoints=10, trigger_mode=mode, block_size=block_size, polling_time=0.001)
    blocks: list[int] = []
    slave.channels[0].connect(lambda _, block: blocks.append(len(block)))
    scan = Scan(chain_of(Cables(mca, npulses), slave), "fly")
    scan.run()
    assert scan.get_data("spectrum_det1").shape == (10, 2048)
    assert (
        scan.get_data("Fe").tolist()
        == sum(scan.get_data(f"spectrum_det{n}")[:, 620:660].sum(axis=1) for n in (0, 1)).tolist()
    )  # type: ignore[union-attr]
    assert (scan.get_data("realtime_det0") >= 0.0019).all()
    assert sum(blocks) == 10 and len(blocks) > 1  # while the scan ran
    if block_size:
        assert all(n % 4 == 0 for n in blocks[:-1])


def test_pulses_of_its_own_in_a_standard_scan() -> None:
    mca = make_mca(rois={"Fe": [620, 660]}, pulse_period=0.002)
    mca.trigger_mode, mca.block_size = "GATE", 5
    scan = loopscan(12, 0, mca.counter_groups.Fe, mca.counter_groups.realtime)
    assert scan.get_data("Fe_det0").shape == (12,)
    assert scan.get_data("realtime_det0") == pytest.approx(0.002)


def test_pulses_that_do_not_come() -> None:
    mca = make_mca(max_real_time=0.03)
    slave = McaAcquisitionSlave(
        mca.counters.icr_det0, npoints=10, preset_time=0, trigger_mode="GATE", polling_time=0.001
    )
    message = r"mca: point 4 of 10 has not come within 0.03 s: are its GATE signals connected\? mca.max_real_time ="
    with pytest.raises(DeviceError, match=message):
        Scan(chain_of(Cables(mca, 4), slave), "fly").run()
    assert not mca.is_acquiring()


# -- what goes wrong


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"preset_mode": "EVENTS"}, "mca: preset_mode EVENTS needs a number of them: set mca.preset_value"),
        (
            {"preset_mode": "EVENTS", "preset_value": 0},
            "preset_value of EVENTS must be a whole number, at least 1, got 0",
        ),
        (
            {"preset_mode": "TRIGGERS", "preset_value": 1.5},
            "preset_value of TRIGGERS must be a whole number, .* got 1.5",
        ),
        ({"preset_value": -1}, "preset_value of REALTIME must be seconds, above 0, got -1"),
        ({"preset_value": "1"}, "preset_value of REALTIME must be seconds, above 0, got '1'"),
        ({"preset_value": math.nan}, "preset_value of REALTIME must be seconds, above 0, got nan"),
        (
            {"preset_mode": "FAST"},
            "mca: preset_mode: expected one of NONE, REALTIME, LIVETIME, EVENTS, TRIGGERS, got 'FAST'",
        ),
        ({"trigger_mode": "CABLE"}, "mca: trigger_mode: expected one of SOFTWARE, SYNC, GATE, got 'CABLE'"),
        ({"spectrum_size": 1000}, "mca: spectrum_size: 1000 is not supported; expected one of 256, 512"),
        (
            {"spectrum_size": 512},
            r"mca: ROI 'Fe' ends at channel 660, the spectrum at 512; mca.rois.set\('Fe', start, stop\)",
        ),
        ({"block_size": 0, "trigger_mode": "SYNC"}, "mca: block_size must be a whole number, at least 1, got 0"),
        (
            {"npoints": 0, "trigger_mode": "SYNC"},
            "mca: SYNC needs to know how many points there will be, got 0: no end",
        ),
        ({"exposure": 1}, "controller 'mca': acquisition_settings: unknown parameter 'exposure'; there are: npoints, "),
        ({"spectrum_sise": 512}, "unknown parameter 'spectrum_sise', did you mean 'spectrum_size'"),
        ({"polling_time": "often"}, "parameter 'polling_time': expected a number.*, got 'often'"),
    ],
)
def test_what_cannot_be_done_is_told_before_anything_moves(keys: dict[str, Any], message: str) -> None:
    mca, x = make_mca(rois={"Fe": [620, 660]}), make_axis("x")
    with pytest.raises((DeviceError, ChainError), match=message):
        ascan(x, 1, 2, 3, 0.001, mca, chain_settings=settings(mca, **keys))
    assert x.position == 0
    assert not environment.scans or environment.scans[-1].state.name != "STARTING"


def test_a_count_time_of_nothing() -> None:
    mca = make_mca()
    with pytest.raises(DeviceError, match="mca: count time with preset_mode REALTIME must be seconds, above 0, got 0"):
        loopscan(1, 0, mca)


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("preset_mode", "ALWAYS", "mca: preset_mode: expected one of NONE, .* got 'ALWAYS'"),
        ("preset_value", "long", "mca: preset_value of REALTIME must be seconds, above 0, got 'long'"),
        ("trigger_mode", None, "mca: trigger_mode: expected one of SOFTWARE, SYNC, GATE, got None"),
        ("spectrum_size", 7, "mca: spectrum_size: 7 is not supported"),
        ("spectrum_size", math.nan, "mca: spectrum_size must be a whole number, at least 1, got nan"),
        ("block_size", -3, "mca: block_size must be a whole number, at least 1, got -3"),
        ("calibration", 5, r"mca: calibration: expected \(offset, gain\) in keV, got 5"),
    ],
)
def test_attributes_that_are_refused(attribute: str, value: Any, message: str) -> None:
    mca = make_mca()
    before = getattr(mca, attribute)
    with pytest.raises(DeviceError, match=message):
        setattr(mca, attribute, value)
    assert getattr(mca, attribute) == before


def test_a_region_that_was_removed() -> None:
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660]})
    iron = mca.counters.Fe
    mca.rois.remove("Fe")
    with pytest.raises(DeviceError, match="counter 'mca:Fe' has lost its region: mca has no ROI 'Fe'; there are: none"):
        ct(0.001, iron)
    mca.rois.set("Fe", 600, 700)
    assert ct(0.001, iron).get_data(iron) > 0


def test_an_element_that_never_finishes() -> None:
    mca = make_mca(faults={0: "stuck"}, timeout=0.02)
    message = (
        "mca has not finished point 0 within 0.021 s: preset REALTIME of 0.001; is there beam, does it run.* It is stopped "
        "now. mca.timeout = ... allows more"
    )
    with pytest.raises(DeviceError, match=message):
        loopscan(3, 0.001, mca)
    assert not mca.is_acquiring()
    mca.faults = {}
    assert len(loopscan(3, 0.001, mca).get_data("icr_det0")) == 3


def test_events_that_do_not_come_without_beam() -> None:
    mca = make_mca(emitters=[], max_real_time=0.02)
    mca.preset_mode, mca.preset_value = "EVENTS", 100
    with pytest.raises(DeviceError, match="preset EVENTS of 100; is there beam.*mca.max_real_time = ... allows more"):
        ct(0.001, mca)
    assert not mca.is_acquiring()


@pytest.mark.parametrize("trigger_mode", TriggerMode)
def test_an_abort_in_the_middle_stops_it(trigger_mode: TriggerMode) -> None:
    mca = make_mca(rois={"Fe": [620, 660]})
    scan = loopscan(2, 30, mca, run=False, chain_settings=settings(mca, trigger_mode=trigger_mode))
    task = in_background(scan)
    wait_until_cooperative(mca.is_acquiring)
    scan.abort(wait=False)
    assert isinstance(task.get(timeout=5), UserAbort)
    assert not mca.is_acquiring()
    assert len(loopscan(2, 0.001, mca).get_data("Fe_det0")) == 2


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_device_that_is_gone_is_named_and_works_again(when: str) -> None:
    mca = make_mca()
    scan = loopscan(2, 0.02 if when == "before" else 0.1, mca, run=False)
    task = None
    if when == "before":
        mca.is_plugged = False
        task = in_background(scan)
    else:
        task = in_background(scan)
        wait_until_cooperative(mca.is_acquiring)
        mca.is_plugged = False
    error = task.get(timeout=5)
    assert isinstance(error, DeviceError)
    assert "mca does not answer" in str(error)
    mca.is_plugged = True
    assert len(loopscan(2, 0.001, mca).get_data("icr_det0")) == 2


def test_an_element_that_cannot_be_read() -> None:
    mca = make_mca(elements=[0, 1], faults={1: "silent"})
    with pytest.raises(DeviceError, match="mca: element 1 does not answer"):
        ct(0.001, mca)


# -- an analyser that the scan can do without


def test_points_that_a_dispensable_analyser_does_not_deliver() -> None:
    x = make_axis("x")
    mca = make_mca(elements=[0, 1], rois={"Fe": [620, 660]})
    mca.is_critical = False
    mca.is_plugged = False
    scan = ascan(x, 0, 3, 3, 0.001, mca)
    assert scan.state.name == "DONE" and x.position == 3
    for name in ("spectrum_det0", "events_det1", "Fe"):
        data = scan.get_data(name)
        assert len(data) == 4 and np.isnan(data).all()
    mca.is_plugged = True
    scan = loopscan(2, 0.005, mca)
    assert scan.get_data("spectrum_det0").sum(axis=1).tolist() == scan.get_data("events_det0").tolist()
    assert scan.get_data("events_det0").min() > 300


def test_a_dispensable_analyser_that_comes_back() -> None:
    mca = make_mca(rois={"Fe": [620, 660]})
    mca.is_critical = False
    scan = loopscan(60, 0.002, mca.counters.events_det0, run=False)
    channel = scan.channels[-1]
    assert channel.short_name == "events_det0"
    changes = {10: False, 15: True}
    channel.connect(lambda *_: setattr(mca, "is_plugged", changes.get(channel.length, mca.is_plugged)))
    scan.run()
    missing = np.isnan(scan.get_data("events_det0"))
    assert not missing[:10].any() and missing[10] and not missing[-1]
    assert 5 <= missing.sum() < 50


@pytest.mark.parametrize("when", [0, 4])
def test_blocks_that_a_dispensable_analyser_does_not_deliver(when: int) -> None:
    mca = make_mca(rois={"Fe": [620, 660]}, pulse_period=0.005)
    mca.is_critical = False
    mca.is_plugged = when > 0
    gate = settings(mca, trigger_mode="GATE", polling_time=0.001)
    scan = loopscan(50, 0, mca.counters.Fe_det0, run=False, chain_settings=gate)
    (channel,) = (channel for channel in scan.channels if channel.short_name == "Fe_det0")
    channel.connect(lambda *_: setattr(mca, "is_plugged", channel.length < when))
    scan.run()
    missing = np.isnan(scan.get_data("Fe_det0"))
    assert len(missing) == 50
    assert not missing[:when].any() and missing[-1]


def test_counters_of_something_else() -> None:
    mca, other = make_mca(), make_mca("other")
    with pytest.raises(ChainError, match="is of controller 'other', expected one of 'mca'"):
        McaAcquisitionSlave(mca).add_counter(other.counters.icr_det0)
