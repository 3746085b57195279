"""A regulation loop over Channel Access: caproto's thermo_sim, which swings and settles."""

from __future__ import annotations

import time
from collections.abc import Iterator

import gevent
import pytest

from bliss_like.controllers.regulation import Loop
from bliss_like.controllers.regulation.signals import SignalRegulation
from bliss_like.devices.signal import open_signal
from bliss_like.errors import NotConnectedError, RegulationFault, UserAbort
from bliss_like.scans import ascan
from tests.iocs import Ioc
from tests.unit.devices.making import make
from tests.unit.scanning.making import memory_environment
from tests.waiting import wait_until_cooperative as wait_until


@pytest.fixture
def loop(thermo_sim: Ioc) -> Iterator[Loop]:
    thermo = make(
        SignalRegulation,
        "thermo",
        inputs=[{"name": "thermo_sensor", "signal": "ca://thermo:I", "unit": "K"}],
        outputs=[{"name": "thermo_swing", "signal": "ca://thermo:Tvar"}],
        ctrl_loops=[
            {
                "name": "thermo_loop",
                "input": "$thermo_sensor",
                "output": "$thermo_swing",
                "setpoint": "ca://thermo:SP",
                "deadband": 0.5,
                "deadband_time": 0.3,
            }
        ],
        axes=[{"name": "thermo_temp", "loop": "$thermo_loop", "low_limit": 4, "high_limit": 400}],
    )
    thermo.__connect__(10)
    open_signal("ca://thermo:K").put(0.1)  # it settles within a second
    yield thermo.loops[0]
    thermo.__close__()


def test_a_motion_ends_when_it_has_settled(loop: Loop) -> None:
    loop.axis.move(100)
    began = time.monotonic()
    loop.axis.move(120)
    assert 0.3 < time.monotonic() - began < 40
    assert loop.axis.position == pytest.approx(120, abs=0.5)
    assert open_signal("ca://thermo:SP").get() == 120


def test_a_scan_over_temperature(loop: Loop) -> None:
    with memory_environment():
        scan = ascan(loop.axis, 100, 110, 2, 0.1, loop, save=False)
        assert scan.get_data("thermo_loop").tolist() == [100, 105, 110]
        assert scan.get_data("thermo_sensor") == pytest.approx([100, 105, 110], abs=0.5)
        assert scan.get_data("axis:thermo_temp") == pytest.approx([100, 105, 110], abs=0.5)


def test_a_ramp_is_made_here_and_stops_where_it_is(loop: Loop) -> None:
    loop.axis.move(100)
    loop.ramprate = 4
    moving = gevent.spawn(loop.axis.move, 200)
    wait_until(lambda: loop.working_setpoint > 105)
    moving.kill(UserAbort())
    held = open_signal("ca://thermo:SP").get()
    assert 105 <= held < 200 and loop.setpoint == held and loop.axis.state == "READY"


def test_one_that_swings_on_and_on_says_so(loop: Loop) -> None:
    open_signal("ca://thermo:K").put(1e6)
    loop.timeout = 0.8
    with pytest.raises(
        RegulationFault, match=r"thermo_loop has not settled: .* setpoint is 150 K, to be held within 0.5"
    ):
        loop.axis.move(150)


def test_a_server_that_ends_on_the_way(loop: Loop, thermo_sim: Ioc) -> None:
    open_signal("ca://thermo:K").put(1e6)
    loop.setpoint = 150
    for signal in loop.controller._signals.values():  # type: ignore[attr-defined]
        signal.timeout = 0.3
    thermo_sim.stop()
    try:
        with pytest.raises(RegulationFault, match="thermo_loop was lost on its way to 150 K: .*thermo:I") as raised:
            loop.wait(60)
        assert isinstance(raised.value.__cause__, NotConnectedError)
    finally:
        thermo_sim.start()
