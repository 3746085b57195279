"""A multiplexer over TCP."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bliss_like.controllers.multiplexer import Multiplexer, MultiplexerSwitch
from bliss_like.controllers.simulated.servers.shutter_box import ShutterBox
from bliss_like.errors import DeviceError
from tests.proxy import Proxy
from tests.unit.devices.making import make

OUTPUTS = [
    {"name": "gate", "plug": 1, "inputs": {"nothing": 0, "timer": 1, "encoder": 2}},
    {"name": "shutter", "plug": 2, "inputs": {"nothing": 0, "timer": 1, "detector": 4}},
]


@pytest.fixture
def mux(shutter_proxy: Proxy) -> Iterator[Multiplexer]:
    mux = make(Multiplexer, "mux", address=shutter_proxy.address, outputs=OUTPUTS)
    yield mux
    mux.__close__()


def test_routes_by_name(mux: Multiplexer, shutter_box: ShutterBox) -> None:
    assert mux.getGlobalStat() == {"gate": "nothing", "shutter": "nothing"}
    mux.switch("shutter", "detector")
    assert shutter_box.routes["2"] == 4
    assert mux.getOutputStat("shutter") == "detector"
    assert mux.getPossibleValues("gate") == ["nothing", "timer", "encoder"]
    assert mux.getAllPossibleValues()["shutter"][-1] == "detector"
    shutter_box.routes["1"] = 7
    assert mux.__info__().splitlines()[1:] == ["  gate: input 7, which has no name", "  shutter: detector"]


def test_what_there_is_not(mux: Multiplexer, shutter_box: ShutterBox, shutter_proxy: Proxy) -> None:
    with pytest.raises(DeviceError, match="mux has no output 'shuter', did you mean 'shutter'"):
        mux.switch("shuter", "timer")
    with pytest.raises(
        DeviceError, match="mux: output gate has no input 'detector'; there are: nothing, timer, encoder"
    ):
        mux.switch("gate", "detector")
    assert set(shutter_box.routes.values()) == {0}
    wrong = make(Multiplexer, "mux", address=shutter_proxy.address, outputs=[{**OUTPUTS[0], "inputs": {"far": 9}}])
    with pytest.raises(
        DeviceError, match="mux did not switch gate to far: 'ROUTE 1 9' was answered 'ERROR no such input'"
    ):
        wrong.switch("gate", "far")
    wrong.__close__()


def test_states_are_kept_and_brought_back(mux: Multiplexer) -> None:
    mux.switch("gate", "timer")
    mux.storeCurrentStat("step scans")
    mux.switch("gate", "encoder")
    mux.switch("shutter", "detector")
    mux.storeCurrentStat("fly scans")
    mux.restoreStat("step scans")
    assert mux.getGlobalStat() == {"gate": "timer", "shutter": "nothing"}
    assert mux.getSavedStats() == ["step scans", "fly scans"]
    mux.removeSavedStats("fly scans")
    with pytest.raises(DeviceError, match="mux has kept nothing as 'fly scans'; there is: step scans"):
        mux.restoreStat("fly scans")


def test_one_output_is_a_switch(mux: Multiplexer) -> None:
    gate = make(MultiplexerSwitch, "gate_source", multiplexer=mux, output="gate")
    gate.set("TIMER")
    assert gate.get() == "timer"
    assert gate.states_list() == ["nothing", "timer", "encoder"]
    assert gate.__info__() == "MultiplexerSwitch gate_source: timer, of nothing, timer, encoder"
    with pytest.raises(DeviceError, match="gate_source has no state 'tmer', did you mean 'timer'"):
        gate.set("tmer")
