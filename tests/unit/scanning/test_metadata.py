"""Who is asked for metadata, when, and what becomes of those who fail or hang."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import monotonic
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.common.protocols import HasMetadataForDataset, HasMetadataForScan, HasMetadataForScanExclusive
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanError, ScanUsageError
from bliss_like.scanning import gathering
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan_meta import META_TIMING, ScanMeta, get_user_scan_meta
from bliss_like.scans import ascan, ct, loopscan
from bliss_like.standard import metadata_profiling
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values


class Furnace(HasMetadataForScan):
    name = "furnace"
    nasked = 0

    def scan_metadata(self) -> Mapping[str, Any] | None:
        self.nasked += 1
        return {"temperature": 351.5}


@pytest.fixture
def meta() -> ScanMeta:
    environment.scan_meta = ScanMeta()
    return environment.scan_meta


@pytest.fixture
def diode() -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [1.0]))


def test_objects_of_the_session_are_asked_whether_they_take_part_or_not(diode: SamplingCounter) -> None:
    furnace = Furnace()
    environment.metadata_sources = lambda: [furnace, object(), diode]
    assert loopscan(1, 0, diode).node.info["instrument"] == {"furnace": {"temperature": 351.5}}
    furnace.disable_scan_metadata()
    assert not furnace.scan_metadata_enabled
    assert "instrument" not in loopscan(1, 0, diode).node.info
    furnace.enable_scan_metadata()
    assert "instrument" in loopscan(1, 0, diode).node.info
    assert furnace.nasked == 2
    assert "instrument" not in ct(0, diode).node.info


def test_what_takes_part_is_asked_once(diode: SamplingCounter) -> None:
    class Box(Values, Furnace):
        scan_metadata_name = "box 1"

    class Exclusive(Values, HasMetadataForScanExclusive):
        def scan_metadata(self) -> Mapping[str, Any] | None:
            return {"range": "1 uA"}

    box, exclusive = Box("box", lambda: [1.0]), Exclusive("ammeter", lambda: [1.0])
    inside, current = SamplingCounter("inside", box), SamplingCounter("current", exclusive)
    environment.metadata_sources = lambda: [box, exclusive]
    assert loopscan(1, 0, diode).node.info["instrument"] == {"box 1": {"temperature": 351.5}}
    before = box.nasked
    info = loopscan(1, 0, inside, current).node.info
    assert info["instrument"] == {"box 1": {"temperature": 351.5}, "ammeter": {"range": "1 uA"}}
    assert box.nasked == before + 1


def test_axes_that_take_part_are_asked(monkeypatch: pytest.MonkeyPatch, diode: SamplingCounter) -> None:
    robx = make_axis("robx")
    monkeypatch.setattr(type(robx), "scan_metadata", lambda axis: {"velocity": axis.velocity}, raising=False)
    info = ascan(robx, 0, 1, 1, 0, diode).node.info
    assert info["instrument"] == {"robx": {"velocity": robx.velocity}}


def test_of_a_dataset() -> None:
    class Beam(HasMetadataForDataset):
        name = "beam"

    beam = Beam()
    assert beam.dataset_metadata_enabled and beam.dataset_metadata_groups() == []
    beam.disable_dataset_metadata()
    assert not beam.dataset_metadata_enabled
    beam.enable_dataset_metadata()
    with pytest.raises(NotImplementedError, match=r"Beam: write dataset_metadata\(self\)"):
        beam.dataset_metadata()


# -- failing, hanging -------------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(meta: ScanMeta) -> ScanMeta:
    meta.gatherer.patience = 0.05
    return meta


def test_who_hangs_holds_nobody_up_and_is_asked_again_when_it_has_answered(
    impatient: ScanMeta, diode: SamplingCounter, caplog: pytest.LogCaptureFixture
) -> None:
    answer, nasked = Event(), []

    def hang(scan: Any) -> dict[str, Any]:
        nasked.append(scan)
        assert answer.wait(10)
        return {"slits": {"gap": 1}}

    impatient.instrument.set("slits", hang)
    impatient.instrument.set("ring", lambda scan: {"ring": {"current": 200}})
    info = loopscan(1, 0, diode).node.info
    assert info["instrument"] == {"ring": {"current": 200}}
    assert info["metadata_missing"] == {"instrument.slits": "no answer within 0.05 s"}
    began = monotonic()
    again = loopscan(1, 0, diode)
    assert monotonic() - began < 0.05
    assert again.node.info["metadata_missing"] == {"instrument.slits": "no answer for 0 s"}
    assert len(nasked) == 1 and caplog.text.count("metadata instrument.slits are missing in the scan") == 1
    answer.set()
    gevent.sleep(0)
    info = loopscan(1, 0, diode).node.info
    assert info["instrument"]["slits"] == {"gap": 1} and "metadata_missing" not in info
    assert "instrument.slits" in impatient.metadata_profiling()


def test_a_driver_that_times_out_costs_only_itself(meta: ScanMeta, diode: SamplingCounter) -> None:
    def timed_out(scan: Any) -> dict[str, Any]:
        raise gevent.Timeout(3)

    meta.instrument.set("slits", timed_out)
    assert "Timeout" in loopscan(1, 0, diode).node.info["metadata_missing"]["instrument.slits"]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (lambda scan: {"image": "x" * 1000}, "expected at most 0.0001 MB: arrays belong into channels"),
        (lambda scan: {"handle": object()}, "handle: expected JSON types"),
        (lambda scan: [1], "expected a dict, got [1]"),
        (lambda scan: gevent.getcurrent().throw(), "killed from outside"),
    ],
)
def test_what_cannot_be_written_is_named(
    values: Any, problem: str, meta: ScanMeta, diode: SamplingCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "LARGEST", 100)
    meta.technique.set("bad", values)
    meta.technique.set("good", lambda scan: {"energy": 12.4})
    info = loopscan(1, 0, diode).node.info
    assert problem in info["metadata_missing"]["technique.bad"]
    assert info["technique"] == {"energy": 12.4}


def test_an_axis_whose_controller_hangs_is_missing_and_the_others_are_there(
    impatient: ScanMeta, diode: SamplingCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    robx, roby = make_axis("robx", unit="mm"), make_axis("roby")
    environment.axes = lambda: [robx, roby]
    answer = Event()
    monkeypatch.setattr(robx.controller, "read_dials", lambda *axes: answer.wait(10) and [0.0])
    began = monotonic()
    info = loopscan(1, 0, diode).node.info
    assert monotonic() - began < 1
    assert info["positioners"]["positioners_start"] == {"robx": None, "roby": 0.0}
    assert info["positioners"]["positioners_end"] == {"robx": None, "roby": 0.0}
    assert info["positioners"]["positioners_units"] == {"robx": "mm", "roby": None}
    assert info["metadata_missing"]["positioners.robx"].startswith("no answer")
    answer.set()


def test_each_controller_is_asked_once(diode: SamplingCounter, meta: ScanMeta, monkeypatch: pytest.MonkeyPatch) -> None:
    robx = make_axis("robx")
    environment.axes = lambda: [robx] * 3
    asked: list[int] = []
    read = robx.controller.read_dials
    monkeypatch.setattr(robx.controller, "read_dials", lambda *axes: asked.append(len(axes)) or read(*axes))
    loopscan(1, 0, diode)
    assert asked == [1, 1]
    assert f"positioners, {robx.controller.name}" in meta.metadata_profiling()


# -- what users set ------------------------------------------------------------------------------------------------------------


def test_pieces_are_merged(meta: ScanMeta, diode: SamplingCounter) -> None:
    meta.instrument.set("gap", {"slits": {"gap": 0.1}})
    meta.instrument.set("offset", lambda scan: {"slits": {"offset": 0.2}})
    meta.technique.set("late", lambda scan: {"end": scan.state.name})
    meta.technique.timing = META_TIMING.START | META_TIMING.END
    info = loopscan(1, 0, diode, scan_info={"instrument": {"slits": {"gap": 7}, "mine": 1}}).node.info
    assert info["instrument"] == {"slits": {"gap": 7, "offset": 0.2}, "mine": 1}
    assert info["technique"] == {"end": "STOPPING"}
    meta.add_categories(["weather"])
    meta.weather.set("outside", {"temperature": 21.5, "wind": 3})
    info = loopscan(1, 0, diode, scan_info={"weather": {"temperature": 19}}).node.info
    assert info["weather"] == {"temperature": 19, "wind": 3}


def test_what_is_set_is_known(meta: ScanMeta, diode: SamplingCounter) -> None:
    assert get_user_scan_meta() is meta and "nothing is set of instrument" in meta.__info__()
    meta.sample.set(diode, {"a": 1})
    meta.add_categories({"Weather"})
    assert meta.sample.is_set("diode") and meta.sample.keys == ["diode"] and "weather" in dir(meta)
    assert meta.used_categories_names() == ["sample"] and "gathered at START" in meta.__info__()
    copy = meta.copy()
    meta.clear()
    assert (meta.used_categories_names(), copy.used_categories_names()) == ([], ["sample"])
    assert "sample: diode" in repr(copy.sample) and "weather" in copy.categories_names()


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        (
            "slits",
            3,
            "metadata sample.slits: expected a dict of what JSON can hold, or a function.*: expected a dict, got 3",
        ),
        ("slits", {"a": {"b": object()}}, "metadata sample.slits: .*: a.b: expected JSON types"),
        ("paper", {"name": 3}, "metadata sample.paper: sample.name: expected a text, got 3"),
        ("", {}, "metadata sample: expected a name, or an object that has one, got ''"),
        (object(), {}, "metadata sample: expected a name, or an object that has one, got <object"),
    ],
)
def test_what_is_wrong_is_refused_when_it_is_set(name: Any, values: Any, message: str, meta: ScanMeta) -> None:
    with pytest.raises(ScanUsageError, match=message):
        meta.sample.set(name, values)
    assert meta.sample.keys == []


def test_what_a_function_says_against_the_schema_is_missing(meta: ScanMeta, diode: SamplingCounter) -> None:
    meta.sample.set("paper", lambda scan: {"name": 3})
    meta.sample.set("oven", lambda scan: {"temperature": 300})
    info = loopscan(1, 0, diode).node.info
    assert info["metadata_missing"] == {"sample.paper": "ValueError: sample.name: expected a text, got 3"}
    assert info["sample"] == {"temperature": 300}


@pytest.mark.parametrize("names", ["sample", [3], ["a b"], ["channels"], 3, ["_x"]])
def test_categories_that_cannot_be(names: Any, meta: ScanMeta) -> None:
    with pytest.raises(ScanUsageError, match="metadata categories: "):
        meta.add_categories(names)
    assert meta.categories_names() == ["instrument", "positioners", "sample", "technique"]


def test_without_a_session() -> None:
    with pytest.raises(ScanError, match="metadata of scans belong to a session, there is none"):
        get_user_scan_meta()


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    yield lambda: capsys.readouterr().out


def test_profiling(meta: ScanMeta, diode: SamplingCounter, shown: Any) -> None:
    metadata_profiling()
    assert shown() == "No scan has gathered metadata yet.\n"
    robx = make_axis("robx")
    environment.axes = lambda: [robx]
    meta.instrument.set("slits", lambda scan: {"gap": 1})
    meta.instrument.set("gone", lambda scan: {"gap": 1})
    loopscan(1, 0, diode)
    meta.instrument.remove("gone")
    loopscan(1, 0, diode)
    metadata_profiling()
    lines = shown().splitlines()
    assert lines[0].split() == ["metadata", "ms"]
    assert {line.split("  ")[0] for line in lines[2:]} == {
        "instrument.slits", "positioners", f"positioners, {robx.controller.name}",
    }  # fmt: skip
