"""What scripts ask of a scan besides running it, with the names that they know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from bliss_like.common.protocols import CounterContainer, counter_namespace
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanError, ScanUsageError
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan, ScanPreset
from bliss_like.scanning.scan_info import ScanInfo
from bliss_like.scanning.scan_tools import get_counter, get_selected_counter_name
from bliss_like.scanning.toolbox import get_all_counters
from bliss_like.scans import ascan, dscan, loopscan
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, memory_environment


@pytest.fixture(autouse=True)
def memory() -> Any:
    with memory_environment():
        yield


@pytest.fixture
def diode() -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [1.0]))


def test_channels_and_nodes_by_name(diode: SamplingCounter) -> None:
    robx = make_axis("robx")
    scan = ascan(robx, 0, 2, 2, 0, diode)
    names = ["axis:robx", "timer:elapsed_time", "timer:epoch", "diodes:diode"]
    assert list(scan.get_channels_dict) == list(scan.streams) == names
    assert [channel.fullname for channel in scan.nodes] == names
    assert scan.nodes[scan.get_channels_dict["axis:robx"]].get(-1) == 2
    assert scan.get_db_names()[:3] == [scan.path, f"{scan.path}:axis", f"{scan.path}:axis:robx"]
    assert scan.root_node is not None and scan.root_node.db_name == "eh1:tmp:scans"


def test_streams_are_arrays_that_grow(diode: SamplingCounter) -> None:
    robx = make_axis("robx")
    scan = ascan(robx, 0, 4, 4, 0, diode)
    for key in (robx, "robx", "axis:robx", "*robx"):
        stream = scan.streams[key]
        assert (len(stream), stream[-1], stream[1:3].tolist(), stream[:].tolist()) == (5, 4, [1, 2], [0, 1, 2, 3, 4])
    with pytest.raises(KeyError, match="no channel 'roby'"):
        scan.streams["roby"]


def test_before_it_is_run_there_is_nothing_in_the_tree(diode: SamplingCounter) -> None:
    scan = loopscan(1, 0, diode, run=False)
    for ask in (lambda: scan.streams, scan.get_db_names, lambda: scan.root_node, lambda: len(scan.nodes)):
        with pytest.raises(ScanError, match="was not run yet"):
            ask()


def test_axes_are_brought_back_when_that_is_wanted(diode: SamplingCounter) -> None:
    robx = make_axis("robx")
    robx.move(7)
    scan = ascan(robx, 0, 1, 1, 0, diode, run=False)
    assert not scan.restore_motor_positions
    scan.restore_motor_positions = True
    scan.run()
    assert robx.position == 7
    home = dscan(robx, 0, 1, 1, 0, diode, run=False)
    assert home.restore_motor_positions
    home.restore_motor_positions = False
    home.run()
    assert robx.position == 8


def test_a_preset_knows_the_chain(diode: SamplingCounter) -> None:
    seen: list[AcquisitionChain | None] = []

    class Looking(ScanPreset):
        def prepare(self, scan: Scan) -> None:
            seen.append(self.acq_chain)

    scan = loopscan(1, 0, diode, run=False)
    scan.add_preset(Looking())
    scan.run()
    assert seen == [scan.acq_chain]


def test_an_info_that_a_script_has_made(diode: SamplingCounter) -> None:
    info = ScanInfo()
    info.set_channel_meta("diodes:diode", group="mine")
    info.add_curve_plot(x="timer:epoch", yleft="diodes:diode")
    info["sample"] = {"name": "gold"}
    scan = loopscan(2, 0, diode, scan_info=info)
    known: Mapping[str, Any] = scan.node.info
    assert known["channels"]["diodes:diode"]["group"] == "mine"
    assert [plot["x"] for plot in known["plots"]] == ["timer:epoch"]
    assert known["sample"] == ScanInfo.normalize({"sample": "gold"})["sample"]
    info.update(sample=3)
    with pytest.raises(ScanUsageError, match="sample: expected a dict, got 3"):
        loopscan(1, 0, diode, scan_info=info)


def test_whatever_has_counters(diode: SamplingCounter) -> None:
    class Box(CounterContainer):
        @property
        def counters(self) -> counter_namespace:
            return counter_namespace([diode])

    class Empty(CounterContainer):
        pass

    assert get_all_counters([Box(), diode]) == [diode]
    assert loopscan(1, 0, Box()).get_data(diode).tolist() == [1]
    with pytest.raises(NotImplementedError, match="Empty must overload the property `counters`"):
        get_all_counters([Empty()])


def test_the_counter_that_is_meant(diode: SamplingCounter) -> None:
    other = SamplingCounter("other", diode.controller)
    environment.names = lambda: {"diodes": diode.controller}
    with pytest.raises(ScanError, match="none of the last 0 scans"):
        get_selected_counter_name()
    ascan(make_axis("robx"), 0, 1, 1, 0, diode)
    name = get_selected_counter_name()
    assert (name, get_counter(name)) == ("diodes:diode", diode)
    assert get_selected_counter_name(other) == "diodes:other"
    with pytest.raises(ScanError, match="the session has no counter 'diodes:dioed', did you mean 'diodes:diode'"):
        get_counter("diodes:dioed")
