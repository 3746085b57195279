"""A box of inputs and outputs over TCP, with a valve and filters on it."""

from __future__ import annotations

from collections.abc import Iterator

import gevent
import pytest

from bliss_like.controllers.box_actuator import BoxActuator
from bliss_like.controllers.filter_set import FilterSet
from bliss_like.controllers.io_box import IoBox
from bliss_like.controllers.simulated.servers.io_box import IoBoxServer
from bliss_like.controllers.valve import Valve
from bliss_like.devices.actuator import ActuatorState
from bliss_like.devices.attenuation import transmission
from bliss_like.devices.shutter import BaseShutterState
from bliss_like.errors import DeviceError, NotConnectedError
from tests.proxy import Proxy
from tests.unit.devices.making import make

NFILTERS = 4


@pytest.fixture
def box(io_proxy: Proxy) -> Iterator[IoBox]:
    inputs = {"rv_open": 1, "rv_closed": 2, "permit": 32}
    for n in range(NFILTERS):
        inputs |= {f"f{n}_in": 2 * n + 3, f"f{n}_out": 2 * n + 4}
    outputs = {"rv": 1, **{f"f{n}": n + 2 for n in range(NFILTERS)}}
    box = make(IoBox, "wago", address=io_proxy.address, inputs=inputs, outputs=outputs)
    yield box
    box.__close__()


@pytest.fixture
def valve(box: IoBox) -> Valve:
    plugs = {"output": "rv", "open_input": "rv_open", "closed_input": "rv_closed", "permit_input": "permit"}
    return make(Valve, "rv", box=box, timeout=30, **plugs)


@pytest.fixture
def filters(box: IoBox) -> FilterSet:
    blades = [
        make(BoxActuator, f"f{n}", box=box, output=f"f{n}", in_input=f"f{n}_in", out_input=f"f{n}_out", timeout=30)
        for n in range(NFILTERS)
    ]
    keys = [{"material": "Al", "thickness": 0.1 * 2**n, "actuator": blade} for n, blade in enumerate(blades)]
    return make(FilterSet, "att", energy=12, filters=keys)


def test_plugs_have_names(box: IoBox) -> None:
    assert box.get("rv_open", "rv", "permit") == [False, False, True]
    box.set("rv", 1, "f0", 1)
    assert box.get("rv", "f0", "f1") == [True, True, False]
    assert box.get("rv") is True
    assert "  rv: 1" in box.__info__()
    with pytest.raises(DeviceError, match="wago has no plug 'rv_opn', did you mean 'rv_open'"):
        box.get("rv", "rv_opn")
    with pytest.raises(DeviceError, match="wago has no plug 'permit'; there are: rv, f0"):
        box.set("rv", 0, "permit", 1)
    assert box.get("rv") is True


def test_a_plug_that_the_box_has_not(io_proxy: Proxy) -> None:
    box = make(IoBox, "wago", address=io_proxy.address, outputs={"lamp": 99})
    with pytest.raises(DeviceError, match=r"'OUT 99 1' was answered .*ERROR not understood.*expected OK"):
        box.set("lamp", 1)
    box.__close__()


def test_the_valve(valve: Valve, io_box: IoBoxServer) -> None:
    assert valve.state is BaseShutterState.CLOSED
    valve.open()
    assert valve.is_open and io_box.outputs[0]
    valve.close()
    assert valve.is_closed and not io_box.outputs[0]


def test_the_vacuum_system_forbids_it(valve: Valve, io_box: IoBoxServer) -> None:
    io_box.permit = False
    assert valve.state_string == ("closed by an interlock: the vacuum system does not permit it (permit is off)")
    with pytest.raises(DeviceError, match="rv stays closed: the vacuum system does not permit it"):
        valve.open()
    assert io_box.history == []


def test_a_valve_that_is_stuck(valve: Valve, io_box: IoBoxServer) -> None:
    io_box.stuck.add(1)
    valve.timeout = 0.2
    with pytest.raises(DeviceError, match="rv should be open and is moving"):
        valve.open(timeout=0.1)
    assert io_box.outputs[0] is False


def test_a_valve_is_closed_when_the_box_answers_again(
    valve: Valve, box: IoBox, io_box: IoBoxServer, io_proxy: Proxy
) -> None:
    valve.open()
    io_proxy.refuse()
    with pytest.raises(NotConnectedError, match="wago .* cannot be reached"):
        valve.close()
    with pytest.raises(NotConnectedError):
        box.set("f0", 1)  # nobody wants it to come in some time later
    io_proxy.accept()
    with gevent.Timeout(30):
        while io_box.outputs[0]:
            gevent.sleep(0.02)
    assert io_box.history == [(1, True), (1, False)]


def test_an_actuator(box: IoBox, io_box: IoBoxServer) -> None:
    diode = make(BoxActuator, "diode", box=box, output="f0", in_input="f0_in", out_input="f0_out", timeout=30)
    assert diode.is_out() and diode.state == "OUT"
    diode.toggle()
    assert diode.is_in() and not diode.is_out()
    io_box.stuck.add(2)
    diode.set_out(wait=False)
    assert diode.state is ActuatorState.MOVING
    with pytest.raises(DeviceError, match=r"diode is MOVING, neither in nor out: say set_in\(\) or set_out\(\)"):
        diode.toggle()
    io_box.stuck.clear()
    diode.wait(ActuatorState.OUT)
    io_box.stuck.add(2)
    with pytest.raises(DeviceError, match=r"diode should be IN and is MOVING, \d+\.\d s after it was told to"):
        diode.set_in(timeout=0.05)


def test_filters_by_bits_and_by_transmission(filters: FilterSet, io_box: IoBoxServer) -> None:
    assert (filters.bits, filters.transmission, filters.attenuation) == (0, 1, 1)
    filters.bits = 0b0101
    assert io_box.outputs[1:5] == [True, False, True, False]
    assert filters.transmission == pytest.approx(transmission("Al", 0.1 + 0.4, 12))
    reached = filters.set_transmission(0.1)
    assert reached == filters.transmission
    assert abs(filters.bits - 0b0101) == 1 or reached == pytest.approx(0.1, rel=0.3)
    filters.attenuation = 1
    assert filters.bits == 0


def test_filters_go_in_before_others_go_out(filters: FilterSet, io_box: IoBoxServer) -> None:
    filters.bits = 0b0011
    io_box.history.clear()
    filters.bits = 0b1100
    assert io_box.history == [(4, True), (5, True), (2, False), (3, False)]


def test_a_filter_that_is_stuck_lets_nothing_more_through(filters: FilterSet, io_box: IoBoxServer) -> None:
    filters.bits = 0b0001
    io_box.stuck.add(4)
    filters._filters[2].actuator.timeout = 0.2
    with pytest.raises(DeviceError, match="f2 should be IN and is MOVING"):
        filters.bits = 0b0100
    assert io_box.outputs[1] is True
    with pytest.raises(DeviceError, match=r"att: f2 is MOVING, neither in nor out; att\.bits = 0 takes all out"):
        filters.transmission  # noqa: B018
    io_box.stuck.clear()
    filters.bits = 0
    assert filters.bits == 0
