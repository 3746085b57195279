"""IcePAP against its own simulator."""

from __future__ import annotations

import builtins
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import pytest
from pydantic import ValidationError

from bliss_like.config import Config
from bliss_like.controllers.icepap import IcePAP
from bliss_like.data.server import EmbeddedServer
from bliss_like.devices.axis_group import AxisGroup
from bliss_like.errors import AxisFault, DeviceError, NotConnectedError
from tests.icepap.simulator import Simulator
from tests.iocs import ROOT
from tests.proxy import Proxy
from tests.unit.devices.making import make
from tests.waiting import wait_until, wait_until_cooperative


def test_a_move_there_and_back(icepap: IcePAP) -> None:
    th, phi = icepap.axes["th"], icepap.axes["phi"]
    th.move(0.5)
    assert (th.position, th.dial, th.state) == (0.5, 0.5, "READY")
    phi.move(2)
    assert (phi.position, icepap.read_position(phi)) == (2, -200)
    th.rmove(-0.2)
    assert th.position == 0.3


def test_positions_and_states_of_many_axes_take_one_round_trip(proxied: IcePAP, proxy: Proxy) -> None:
    axes = list(proxied.axes.values())
    axes[2].move(1)
    proxy.requests.clear()
    assert list(proxied.read_positions(*axes)) == [0, 0, -100]
    assert all("READY" in state for state in proxied.states(*axes))
    assert proxy.requests == [b"?FPOS AXIS 1 2 11\r", b"?FSTATUS 1 2 11\r"]


def test_axes_start_and_stop_by_one_command(proxied: IcePAP, proxy: Proxy) -> None:
    group = AxisGroup(*proxied.axes.values())
    proxy.requests.clear()
    group.move({proxied.axes["th"]: 0.5, proxied.axes["phi"]: -0.5})
    assert [request for request in proxy.requests if b"MOVE" in request] == [b"#MOVE GROUP  1 500 11 50\r"]
    proxy.requests.clear()
    group.move({proxied.axes["th"]: 100, proxied.axes["tth"]: 100}, wait=False)
    wait_until(lambda: proxied.axes["th"].position > 0.6)
    group.stop()
    assert {request for request in proxy.requests if b"STOP" in request} == {b"#STOP 1 2\r"}
    assert "READY" in proxied.axes["th"].state
    assert 0.6 < proxied.axes["th"].position < 100


def test_a_target_between_two_steps_is_the_nearest_step(icepap: IcePAP) -> None:
    th = icepap.axes["th"]
    th.tolerance = 0
    for target, steps in ((0.0017, 2), (-0.0017, -2), (0.0036, 4), (0.0044, 4)):
        th.move(target)
        assert icepap.read_position(th) == steps


def test_velocity_and_acceleration_are_those_of_the_configuration(icepap: IcePAP, simulator: Simulator) -> None:
    th = icepap.axes["th"]
    assert (th.velocity, th.acceleration, th.acctime) == (4, 40, 0.1)
    assert simulator.tell("?VELOCITY 1").split() == ["?VELOCITY", "4000.0"]
    assert simulator.tell("?ACCTIME 1").split() == ["?ACCTIME", "0.1"]


def test_a_new_velocity_keeps_the_acceleration(icepap: IcePAP) -> None:
    th = icepap.axes["th"]
    th.velocity = 2
    assert (th.velocity, th.acceleration, th.acctime) == (2, 40, 0.05)
    th.acctime = 0.5
    assert (th.velocity, th.acceleration) == (2, 4)


def test_what_the_configuration_does_not_say_is_what_the_hardware_has(
    simulator: Simulator, new_icepap: Callable[..., IcePAP]
) -> None:
    simulator.tell("#VELOCITY 2 1000")
    simulator.tell("#ACCTIME 2 0.125")
    axis = new_icepap(simulator.port, axes=[{"name": "tth", "address": 2}]).axes["tth"]
    assert (axis.velocity, axis.acceleration) == (1000, 8000)


def test_the_register_is_written_without_a_move(icepap: IcePAP) -> None:
    th = icepap.axes["th"]
    th.dial = 3.2
    assert (th.dial, icepap.read_position(th)) == (3.2, 3200)
    assert th.position == 0  # the user's scale stays


def test_an_axis_turns_until_it_is_stopped_and_changes_its_velocity_meanwhile(
    icepap: IcePAP, simulator: Simulator
) -> None:
    th = icepap.axes["th"]
    th.jog(0.5)
    wait_until(lambda: th.position > 0.01)
    assert "MOVING" in th.state
    th.jog(1)
    wait_until(lambda: float(simulator.tell("?JOG 1").split()[1]) == 1000)
    th.stop()
    assert "READY" in th.state
    assert th.velocity == 4


def test_encoders_of_one_register_are_read_in_one_round_trip(proxy: Proxy, new_icepap: Callable[..., IcePAP]) -> None:
    encoders = [
        {"name": "th_encoder", "address": 1, "steps_per_unit": 1000},
        {"name": "phi_encoder", "address": 11, "steps_per_unit": -100},
    ]
    icepap = new_icepap(proxy.port, encoders=encoders)
    th_encoder, phi_encoder = icepap.encoders.values()
    icepap.axes["th"].move(0.25)
    icepap.axes["phi"].move(-1)
    assert (th_encoder.read(), phi_encoder.read()) == (0.25, -1)
    proxy.requests.clear()
    assert list(icepap.read_encoders(phi_encoder, th_encoder)) == [100, 250]
    assert proxy.requests == [b"?FPOS MEASURE 11 1\r"]
    proxy.requests.clear()
    th_encoder.set(0.5)
    assert proxy.requests[0] == b"#POS MEASURE 1 500\r"


def test_the_simulator_knows_no_registers_of_encoders(simulator: Simulator, new_icepap: Callable[..., IcePAP]) -> None:
    encoder = {"name": "encoder", "address": 1, "source": "ENCIN"}
    encoder = new_icepap(simulator.port, encoders=[encoder]).encoders["encoder"]
    with pytest.raises(DeviceError, match=re.escape("refused '?ENC ENCIN 1': Command not recognised")):
        encoder.read()


def test_the_states_of_a_home_search(proxied: IcePAP, proxy: Proxy) -> None:
    """By answers as the manual has them: the simulator knows none."""
    th = proxied.axes["th"]
    proxy.garble(1, b"1:?HOMESTAT MOVING 1\r\n")
    assert proxied.home_state(th).names == ("MOVING",)
    proxy.garble(1, b"1:?HOMESTAT FOUND 1\r\n")
    assert "READY" in proxied.home_state(th)
    proxy.garble(1, b"1:?HOMESTAT NOTFOUND 0\r\n")
    assert "FAULT" in proxied.home_state(th)


def test_power(icepap: IcePAP, simulator: Simulator) -> None:
    th = icepap.axes["th"]
    assert "OFF" not in th.state
    th.off()
    assert "OFF" in th.state
    assert "READY" not in th.state
    with pytest.raises(AxisFault, match="OFF"):
        th.move(1)
    th.on()
    assert simulator.tell("?POWER 1").split() == ["?POWER", "ON"]
    assert "READY" in th.state


@pytest.mark.parametrize("power_on", [True, False])
def test_power_at_the_first_use(simulator: Simulator, new_icepap: Callable[..., IcePAP], power_on: bool) -> None:
    simulator.tell("#POWER OFF 1")
    axis = new_icepap(simulator.port, axes=[{"name": "th", "address": 1, "power_on": power_on}]).axes["th"]
    assert ("OFF" in axis.state) is not power_on


def test_a_stopped_move(icepap: IcePAP) -> None:
    th = icepap.axes["th"]
    th.move(100, wait=False)
    wait_until(lambda: th.position > 0.3)
    th.stop()
    assert "MOVING" not in th.state
    assert 0.3 < th.position < 100
    th.move(0)


def test_what_it_tells_of_itself(icepap: IcePAP, simulator: Simulator) -> None:
    phi = icepap.axes["phi"]
    assert icepap.get_id(phi) == "IcePAP 3.17, crate 1 (0008.01C4.E8A1), driver 1"
    assert icepap.get_axis_info(phi) == f"  address   11 of ice (tcp://127.0.0.1:{simulator.port})"
    assert "name           phi\nposition       0 steps\nvelocity" in icepap.get_info(phi)


def test_the_hardware_can_be_asked_in_its_own_language(icepap: IcePAP) -> None:
    icepap.raw_write("POS AXIS 1 7")
    assert icepap.raw_write_read("1:?POS") == "7"
    assert icepap.raw_write_read(b"?fpos 1 2") == "7 0"
    assert icepap.raw_write_read("#POS AXIS 1 0") == ""
    assert icepap.raw_write_read("1:?VER INFO").splitlines()[1].split() == ["CONTROLLER:", "3.17"]
    icepap.raw_write(":POS AXIS")  # a broadcast, never acknowledged
    assert icepap.raw_write_read("?VER") == "3.17"
    with pytest.raises(DeviceError, match=re.escape("one line of ASCII, such as '?FPOS 1 2', came '?VER\\r?VER'")):
        icepap.raw_write_read("?VER\r?VER")


def test_the_official_client_speaks_over_the_same_line(icepap: IcePAP) -> None:
    assert icepap.client.find_axes() == [1, 2, 11]
    assert icepap.client[1].name == "th"
    assert icepap.client.ver["SYSTEM"]["VER"][0] == 3.17
    assert icepap.client.get_power([1, 2]) == [True, True]
    assert icepap.client.connected
    icepap.client.disconnect()
    assert not icepap.client.connected
    assert icepap.client.get_fpos([1, 2]) == [0, 0]


def test_a_refused_command_says_who_refused_what_and_why(
    simulator: Simulator, new_icepap: Callable[..., IcePAP]
) -> None:
    axis = new_icepap(simulator.port, axes=[{"name": "absent", "address": 158}]).axes["absent"]
    where = re.escape(f"ice (tcp://127.0.0.1:{simulator.port})")
    with pytest.raises(DeviceError, match=f"^{where} refused '\\?FSTATUS 158': "):
        axis.controller.make_ready(axis)
    with pytest.raises(NotConnectedError, match="^absent: .* refused"):
        axis.controller.connect_axis(axis, 1)


@pytest.mark.parametrize(
    ("call", "command"),
    [
        (lambda icepap, axis: axis.home(1), "1:HOME 1"),
        (lambda icepap, axis: axis.home(-1), "1:HOME -1"),
        (lambda icepap, axis: axis.hw_limit(1), "1:SRCH LIM+ POSEDGE +1"),
        (lambda icepap, axis: axis.hw_limit(-1), "1:SRCH LIM- POSEDGE -1"),
        (lambda icepap, axis: icepap.activate_closed_loop(axis, True), "1:PCLOOP ON"),
        (lambda icepap, axis: icepap.get_closed_loop_state(axis), "1:?PCLOOP"),
    ],
)
def test_commands_that_the_simulator_does_not_know(
    icepap: IcePAP, call: Callable[[IcePAP, Any], Any], command: str
) -> None:
    """They are sent as the manual has them; what the hardware does with them cannot be seen here."""
    with pytest.raises(DeviceError, match=re.escape(f"refused '{command}': Command not recognised")):
        call(icepap, icepap.axes["th"])


@pytest.mark.parametrize("address", [0, 9, 10, 159, 200, -1])
def test_an_address_that_no_driver_has(address: int) -> None:
    with pytest.raises(
        ValidationError, match=re.escape(f"10 * crate (0..15) + driver (1..8), such as 1 or 23, came {address}")
    ):
        make(IcePAP, "ice", host="h", axes=[{"name": "th", "address": address}])


def test_two_axes_at_one_address() -> None:
    with pytest.raises(ValidationError, match="axes a and b have the same address 8"):
        make(IcePAP, "ice", host="h", axes=[{"name": "a", "address": 8}, {"name": "b", "address": 8}])


def test_without_the_client_the_error_says_what_to_install(
    simulator: Simulator, new_icepap: Callable[..., IcePAP], monkeypatch: pytest.MonkeyPatch
) -> None:
    really_import = builtins.__import__

    def without_icepap(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "icepap":
            raise ModuleNotFoundError("No module named 'icepap'", name="icepap")
        return really_import(name, *args, **kwargs)

    axis = new_icepap(simulator.port).axes["th"]
    monkeypatch.setattr(builtins, "__import__", without_icepap)
    with pytest.raises(DeviceError, match=re.escape("ice: the package icepap cannot be imported")) as caught:
        axis.controller.make_ready(axis)
    assert "pip install 'bliss_like[icepap]'" in str(caught.value)
    monkeypatch.undo()
    axis.controller.make_ready(axis)


def test_a_stop_by_somebody_else_ends_the_move(icepap: IcePAP, simulator: Simulator) -> None:
    th = icepap.axes["th"]
    th.move(100, wait=False)
    wait_until_cooperative(lambda: th.position > 0.1)
    simulator.tell("#STOP 1")
    with gevent.Timeout(30), pytest.raises(AxisFault, match="th did not arrive.*Somebody else has stopped it"):
        th.wait_move()


BEAMLINE = """
- name: ice
  class: IcePAP
  host: 127.0.0.1
  port: {port}
  axes:
    - {{name: th, address: 1, steps_per_unit: 1000, velocity: 4, acctime: 0.1, encoder: $th_encoder, unit: deg}}
  encoders:
    - {{name: th_encoder, address: 1, steps_per_unit: 1000, tolerance: 0.01}}
"""


def test_an_axis_of_a_configuration(proxy: Proxy, tmp_path: Path, redis_server: EmbeddedServer) -> None:
    (tmp_path / "ice.yml").write_text(BEAMLINE.format(port=proxy.port))
    config = Config(tmp_path)
    th = config.get("th")
    th.move(0.25)
    assert (th.position, th.measured_position, th.acctime) == (0.25, 0.25, 0.1)
    assert f"  address   1 of ice (tcp://127.0.0.1:{proxy.port})" in th.__info__()
    config.close()
    wait_until(lambda: not proxy.is_connected)


def test_a_configuration_is_checked_without_the_client(tmp_path: Path) -> None:
    (tmp_path / "ice.yml").write_text(BEAMLINE.format(port=1))
    program = (
        "import sys; sys.modules['icepap'] = None; from bliss_like.config import Config; config = Config(sys.argv[1]); "
        "assert config.check() == []; assert config.get('th').controller.name == 'ice'"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
