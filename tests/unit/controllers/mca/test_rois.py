"""Regions of an analyser, and the counters that come and go with them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bliss_like.controllers.mca import Calibration, Roi
from bliss_like.errors import DeviceError
from tests.unit.controllers.mca.making import make_mca


def regions(mca: Any) -> list[str]:
    return [name for name in mca.counters.keys() if not name.startswith(("spectrum", *STATS))]


STATS = ("realtime", "trigger", "energy", "events", "icr", "ocr", "dead")


def test_a_region_is_a_counter_of_each_element_and_of_all() -> None:
    mca = make_mca(elements=[0, 2])
    mca.rois.set("Fe", 620, 660)
    assert regions(mca) == ["Fe_det0", "Fe_det2", "Fe"]
    mca.rois.set("Ca", 350, 390, channel=2)
    assert regions(mca) == ["Fe_det0", "Fe_det2", "Fe", "Ca_det2"]
    assert mca.counters.Fe.fullname == "mca:Fe"
    assert str(mca.counters.Fe.dtype) == "int64"


def test_one_element_needs_no_sum() -> None:
    mca = make_mca()
    mca.rois["Fe"] = 620, 660
    assert regions(mca) == ["Fe_det0"]


def test_it_is_a_dict() -> None:
    mca = make_mca(elements=[0, 1])
    rois = mca.rois
    rois.update({"Fe": (620, 660), "Ca": (350, 390, 1)})
    assert rois.get_names() == list(rois) == ["Fe", "Ca"]
    start, stop = rois["Fe"]
    assert (start, stop) == rois.get("Fe") == (620, 660)
    assert rois["Ca"] == Roi(350, 390, channel=1) != Roi(350, 390)
    assert "Fe" in rois and "Zn" not in rois and len(rois) == 2
    assert rois.get("Zn") is None
    rois["Cu"] = rois["Ca"]
    assert rois["Cu"].channel == 1
    del rois["Fe"]
    rois.remove("Cu")
    assert dict(rois.items()) == {"Ca": (350, 390)}
    rois.clear()
    assert not rois and regions(mca) == []


def test_those_of_yaml_and_those_of_the_prompt() -> None:
    mca = make_mca(rois={"Fe": {"low": 6.2, "high": 6.6}, "Ca": [350, 390]})
    assert dict(mca.rois) == {"Fe": (620, 660), "Ca": (350, 390)}
    mca.rois.remove("Fe")
    mca.rois.set("Ca", 340, 400)
    mca.rois.set("Zn", 840, 890)
    assert dict(mca.rois) == {"Ca": (340, 400), "Zn": (840, 890)}
    mca.rois.clear()
    assert dict(mca.rois) == {}
    mca.rois.reset()
    assert dict(mca.rois) == {"Fe": (620, 660), "Ca": (350, 390)}


def test_a_counter_stays_the_same_one_when_its_limits_change() -> None:
    mca = make_mca(elements=[0, 1])
    mca.rois.set("Fe", 620, 660)
    iron = mca.counters.Fe
    mca.rois.set("Fe", 600, 660)
    mca.rois.set("Ca", 350, 390)
    assert mca.counters.Fe is iron
    mca.rois.remove("Fe")
    assert "Fe" not in mca.counters
    with pytest.raises(AttributeError, match="no counter 'Fe'"):
        mca.counters.Fe  # noqa: B018


def test_energies() -> None:
    mca = make_mca(calibration={"offset": -0.5, "gain": 0.01})
    mca.rois.set_energy("Fe", 6.2, 6.6)
    assert mca.rois["Fe"] == (670, 710)
    assert "Fe   670    710   6.2 .. 6.6  all" in mca.rois.__info__()
    mca.calibration = 0, 0.005
    assert mca.calibration == Calibration(0, 0.005)
    mca.rois.set_energy("Fe", 6.2, 6.6)
    assert mca.rois["Fe"] == (1240, 1320)
    mca.calibration = None
    assert "Fe   1240   1320  -    all" in mca.rois.__info__()
    with pytest.raises(
        ValueError, match=r"mca: ROI 'Ca' cannot be set by energy: write `calibration.* mca.calibration ="
    ):
        mca.rois.set_energy("Ca", 3.5, 3.9)


def test_groups() -> None:
    mca = make_mca(elements=[0, 1])
    mca.rois.set("Fe", 620, 660)
    groups = mca.counter_groups
    assert list(groups.spectrum.keys()) == ["spectrum_det0", "spectrum_det1"]
    assert list(groups.icr.keys()) == ["icr_det0", "icr_det1"]
    assert list(groups.Fe.keys()) == ["Fe_det0", "Fe_det1", "Fe"]
    assert list(groups.det1.keys())[0] == "spectrum_det1" and "Fe_det1" in groups.det1 and len(groups.det1) == 10
    assert list(groups.default.keys()) == list(mca.counters.keys())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("Fe", 660, 620), r"mca: ROI 'Fe': expected 0 <= start < stop <= 2048 \(spectrum_size\), got 660 and 620"),
        (("Fe", 620, 620), "got 620 and 620"),
        (("Fe", -1, 620), "got -1 and 620"),
        (("Fe", 620, 2049), "got 620 and 2049"),
        (("Fe", 6.2, 6.6), "start and stop must be numbers of channels, got 6.2 and 6.6"),
        (("Fe", "620", 660), "start and stop must be numbers of channels, got '620' and 660"),
        (("Fe", True, 660), "must be numbers of channels, got True"),
        (("Fe", None, None), "must be numbers of channels, got None"),
        (("Fe K", 620, 660), "the name of an ROI is that of counters: letters, digits and _, got 'Fe K'"),
        (("", 620, 660), "letters, digits and _, got ''"),
        ((620, 660, "Fe"), "letters, digits and _, got 620"),
        (("Fe", 620, 660, 7), "channel must be an element of the detector, one of 0, 1, got 7"),
        (("Fe", 620, 660, False), "channel must be an element of the detector, one of 0, 1, got False"),
        (("spectrum", 620, 660), "mca has another counter or group 'spectrum_det0' already; choose another name"),
        (("icr_det1", 620, 660), "mca has another counter or group 'icr_det1' already"),
        (("Ca_det0", 620, 660), "mca has another counter or group 'Ca_det0' already"),
    ],
)
def test_what_is_refused(arguments: tuple[Any, ...], message: str) -> None:
    mca = make_mca(elements=[0, 1])
    mca.rois.set("Ca", 350, 390)
    with pytest.raises(ValueError, match=message) as caught:
        mca.rois.set(*arguments)
    assert isinstance(caught.value, DeviceError)
    assert dict(mca.rois) == {"Ca": (350, 390)}
    assert regions(mca) == ["Ca_det0", "Ca_det1", "Ca"]


def test_limits_that_are_none_and_names_that_nobody_has() -> None:
    mca = make_mca(rois={"Fe_alpha": [620, 660]})
    with pytest.raises(ValueError, match=r"mca: ROI 'Ca': expected \(start, stop\), perhaps with an element, got 7"):
        mca.rois["Ca"] = 7
    for call in (lambda: mca.rois["Fe_alfa"], lambda: mca.rois.remove("Fe_alfa")):
        with pytest.raises(KeyError, match="mca has no ROI 'Fe_alfa', did you mean 'Fe_alpha'.* there are: Fe_alpha"):
            call()


def test_info() -> None:
    mca = make_mca(elements=[0, 1])
    assert "mca has no ROIs; mca.rois.set(name, start, stop) makes one" in mca.__info__()
    mca.rois.set("Fe", 620, 660, channel=1)
    mca.preset_mode = "events"
    assert mca.__info__() == (
        "mca: SimulatedMCA with elements 0, 1\n"
        "preset EVENTS: no value yet; trigger SOFTWARE\n"
        "spectrum of 2048 channels, 0 + 0.01 keV * channel\n"
        "\n"
        "ROI  start  stop  keV         elements\n"
        "---  -----  ----  ----------  --------\n"
        "Fe   620    660   6.2 .. 6.6  det1"
    )
    mca.preset_value = 1000
    assert "preset EVENTS: 1000; trigger SOFTWARE" in mca.__info__()


NAMES = st.sampled_from(["Fe", "Ca", "Zn"])
LIMITS = st.tuples(st.integers(0, 2000), st.integers(1, 48)).map(lambda pair: (pair[0], pair[0] + pair[1]))
CHANGES = st.one_of(
    st.tuples(st.just("set"), NAMES, LIMITS, st.sampled_from([None, 0, 1])),
    st.tuples(st.just("remove"), NAMES),
    st.tuples(st.just("clear")),
    st.tuples(st.just("reset")),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(CHANGES, max_size=12))
def test_counters_follow_any_changes(changes: list[tuple[Any, ...]]) -> None:
    written = {"Fe": Roi(620, 660)}
    mca, expected = make_mca(elements=[0, 1], rois={"Fe": [620, 660]}), dict(written)
    for what, *arguments in changes:
        match what, arguments:
            case "set", (name, limits, channel):
                mca.rois.set(name, *limits, channel=channel)
                expected[name] = Roi(*limits, channel)
            case "remove", (name,) if name in expected:
                mca.rois.remove(name)
                del expected[name]
            case "clear", _:
                mca.rois.clear()
                expected = {}
            case "reset", _:
                mca.rois.reset()
                expected = dict(written)
        counters = {
            name if element is None else f"{name}_det{element}"
            for name, roi in expected.items()
            for element in ((None, 0, 1) if roi.channel is None else (roi.channel,))
        }
        assert dict(mca.rois) == expected
        assert set(regions(mca)) == counters
