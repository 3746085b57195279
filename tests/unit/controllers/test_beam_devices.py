"""Devices in the beam that are made of axes, signals and counters."""

from __future__ import annotations

import math
from typing import Any

import gevent
import numpy as np
import pytest
from pydantic import ValidationError

from bliss_like.backends.soft import VARIABLES, SoftVariable
from bliss_like.controllers.axis_actuator import AxisActuator
from bliss_like.controllers.camera_bpm import CameraBpm
from bliss_like.controllers.filter_set import FilterSet
from bliss_like.controllers.motor_shutter import MotorShutter
from bliss_like.controllers.multiple_positions import MultiplePositions
from bliss_like.controllers.quadrant_bpm import QuadrantBpm
from bliss_like.controllers.signal_shutter import SignalShutter
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.controllers.simulated.diode import SimulatedDiodes
from bliss_like.controllers.simulated.gaussian import GaussianDetector
from bliss_like.controllers.simulated.io_box import SimulatedIoBox
from bliss_like.controllers.simulated.shutter import SimulatedShutter
from bliss_like.controllers.valve import Valve
from bliss_like.devices.axis import Axis
from bliss_like.devices.shutter import BaseShutterState
from bliss_like.devices.signal import open_signal
from bliss_like.errors import AxisLimitError, DeviceError, UserAbort
from tests.unit.devices.making import make, make_axis

# -- shutters --------------------------------------------------------------------------------------------------------------


def test_a_shutter_that_is_an_axis() -> None:
    axis = make_axis("blade", velocity=1000, acceleration=1e6)
    shutter = make(MotorShutter, "fs", axis=axis, open_position=5, closed_position=0, tolerance=0.1)
    assert shutter.is_closed
    with shutter:
        assert axis.position == pytest.approx(5)
    assert axis.position == pytest.approx(0)
    axis.move(2)
    assert shutter.state is BaseShutterState.UNKNOWN
    shutter.close()
    assert shutter.is_closed


def test_an_axis_that_is_stopped_on_its_way_is_closed() -> None:
    axis = make_axis("blade", velocity=50, acceleration=1e6)
    shutter = make(MotorShutter, "fs", axis=axis, open_position=5, closed_position=0)
    task = gevent.spawn(shutter.open)
    with gevent.Timeout(5):
        while axis.position < 1:
            gevent.sleep(0.001)
    assert shutter.state is BaseShutterState.MOVING
    task.kill(UserAbort)
    with gevent.Timeout(5):
        while not shutter.is_closed:
            gevent.sleep(0.001)
    assert not axis.is_moving


def test_an_axis_that_may_not_go_there() -> None:
    shutter = make(MotorShutter, "fs", axis=make_axis("blade", high_limit=4), open_position=5, closed_position=0)
    with pytest.raises(AxisLimitError, match="blade"):
        shutter.open()
    assert shutter.is_closed


def test_open_and_closed_must_differ() -> None:
    with pytest.raises(ValidationError, match="cannot be told from each other"):
        make(MotorShutter, "fs", axis=make_axis(), open_position=0.01, closed_position=0, tolerance=0.1)


@pytest.fixture
def plant() -> Any:
    """Signals of a shutter that obeys: `open` and `close` set `status`."""
    for name, value in {"open": 0, "close": 0, "status": 2, "permit": 1}.items():
        VARIABLES[f"soft://fe/{name}"] = SoftVariable(value)
    status = open_signal("soft://fe/status")
    opener, closer = open_signal("soft://fe/open"), open_signal("soft://fe/close")
    opener.subscribe(lambda reading: status.put(1) if reading.value else None)
    closer.subscribe(lambda reading: status.put(2) if reading.value else None)
    yield status
    for name in ("open", "close", "status", "permit"):
        del VARIABLES[f"soft://fe/{name}"]


def test_a_shutter_made_of_signals(plant: Any) -> None:
    shutter = make(
        SignalShutter,
        "fe",
        open="soft://fe/open",
        close="soft://fe/close",
        status="soft://fe/status",
        states={"OPEN": [1], "CLOSED": [2], "FAULT": [3, 4]},
        permits=[{"signal": "soft://fe/permit", "words": "the ring gives no permission"}],
        timeout=0.1,
    )
    shutter.__connect__(1)
    with shutter:
        assert plant.get() == 1
    assert plant.get() == 2
    open_signal("soft://fe/permit").put(0)
    with pytest.raises(DeviceError, match="^fe stays closed: the ring gives no permission$"):
        shutter.open()
    plant.put(4)
    assert shutter.state is BaseShutterState.FAULT
    plant.put(7)
    assert shutter.state is BaseShutterState.UNKNOWN
    shutter.__close__()


def test_states_have_known_names() -> None:
    with pytest.raises(ValidationError, match="states: expected of OPEN, CLOSED, .*, got OUVERT"):
        make(SignalShutter, "fe", open="soft://a", close="soft://b", status="soft://c", states={"OUVERT": [1]})


def test_a_detector_behind_a_shutter() -> None:
    shutter = make(SimulatedShutter, "fs")
    beam = {"name": "apd", "axes": [make_axis()], "height": 5, "through": [shutter]}
    apd = make(GaussianDetector, "det", counters=[beam]).counters["apd"]
    assert apd.raw_read == 0
    with shutter:
        assert apd.raw_read == 5


def test_the_gauges_of_a_valve() -> None:
    cylinder = {"output": "rv", "on_input": "rv_open", "off_input": "rv_closed", "travel_time": 0.01}
    box = make(SimulatedIoBox, "box", cylinders=[cylinder], on=["permit"])
    counters = [{"name": "before", "value": 1e-8, "unit": "mbar"}, {"name": "behind", "value": 3.5e-4, "unit": "mbar"}]
    gauges = make(SimulatedDiodes, "vacuum", counters=counters)
    limits = [{"counter": counter, "below": 1e-6} for counter in gauges.counters]
    plugs = {"output": "rv", "open_input": "rv_open", "closed_input": "rv_closed", "permit_input": "permit"}
    valve = make(Valve, "rv", box=box, gauges=limits, **plugs)
    with pytest.raises(DeviceError, match=r"^rv stays closed: behind reads 0\.00035 mbar, it opens below 1e-06 mbar$"):
        valve.open()
    box.switches["permit"] = False
    assert valve.state is BaseShutterState.INTERLOCK
    assert "does not permit it (permit is off), behind reads" in valve.state_string
    box.switches["permit"] = True
    make(Valve, "rv", box=box, gauges=limits[:1], **plugs).open()
    assert valve.is_open
    valve.close()


# -- places ----------------------------------------------------------------------------------------------------------------


def ladder(axis: Axis) -> MultiplePositions:
    places = {"empty": 0, "Cu_20": 10, "Cu_40": 20}
    positions = [
        {"label": label, "target": [{"axis": axis, "destination": place, "tolerance": 0.1}]}
        for label, place in places.items()
    ]
    return make(MultiplePositions, "foils", positions=positions)


def test_places_by_name() -> None:
    axis = make_axis("z")
    foils = ladder(axis)
    assert foils.position == "empty"
    foils.move("Cu_40")
    assert axis.position == 20
    foils.Cu_20()
    assert (axis.position, foils.position, foils.state) == (10, "Cu_20", "READY")
    assert foils.positions_list == ["empty", "Cu_20", "Cu_40"]
    assert "Cu_20" in dir(foils)
    assert "* Cu_20: z 10" in foils.__info__()
    axis.move(12)
    assert foils.position == "unknown"
    with pytest.raises(DeviceError, match="foils has no position 'Cu_30', did you mean 'Cu_"):
        foils.move("Cu_30")
    with pytest.raises(AttributeError, match="no 'Cu_30'"):
        foils.Cu_30  # noqa: B018


@pytest.mark.parametrize("together", [True, False])
def test_places_of_several_axes(together: bool) -> None:
    x, z = make_axis("x"), make_axis("z")
    target = [{"axis": x, "destination": 1}, {"axis": z, "destination": 2}]
    home = [{"axis": x, "destination": 0}, {"axis": z, "destination": 0}]
    positions = [{"label": "park", "target": target}, {"label": "home", "target": home}]
    table = make(MultiplePositions, "table", positions=positions, move_in_parallel=together)
    table.park()
    assert (x.position, z.position, table.position) == (1, 2, "park")
    x.move(0)
    assert table.position == "unknown"
    if not together:
        with pytest.raises(DeviceError, match="it has to wait"):
            table.move("home", wait=False)


def test_labels_come_once() -> None:
    target = [{"axis": make_axis(), "destination": 1}]
    with pytest.raises(ValidationError, match="label in comes twice"):
        make(MultiplePositions, "p", positions=[{"label": "in", "target": target}] * 2)
    with pytest.raises(ValidationError, match="can be no label"):
        make(MultiplePositions, "p", positions=[{"label": "unknown", "target": target}])


def test_an_actuator_on_an_axis() -> None:
    axis = make_axis("z")
    screen = make(AxisActuator, "screen", axis=axis, in_position=50, out_position=0)
    assert screen.is_out()
    screen.set_in()
    assert (axis.position, screen.state) == (50, "IN")
    screen.toggle()
    axis.move(25)
    assert screen.state == "UNKNOWN"


# -- filters ---------------------------------------------------------------------------------------------------------------


def ladder_filters(axis: Axis, **keys: Any) -> FilterSet:
    foils = ladder(axis)
    filters = [{"material": "Cu", "thickness": d, "ladder": foils, "label": f"Cu_{d * 1000:.0f}"} for d in (0.02, 0.04)]
    return make(FilterSet, "att", filters=filters, **{"energy": 10, **keys})


def test_filters_on_a_ladder() -> None:
    axis = make_axis("z")
    att = ladder_filters(axis)
    assert att.combinations == [0, 1, 2]
    att.bits = 2
    assert axis.position == 20
    att.transmission = 0.02
    assert (att.bits, axis.position) == (1, 10)
    att.bits = 0
    assert axis.position == 0
    with pytest.raises(
        DeviceError, match="att cannot have bits 3: expected 0 to 3, and one filter of a ladder at most"
    ):
        att.bits = 3
    axis.move(5)
    with pytest.raises(DeviceError, match=r"att: foils is between its places, att\.bits = 0 takes all out"):
        att.transmission  # noqa: B018
    att.bits = 0
    assert att.bits == 0


def test_scans_are_told_what_is_in_the_beam() -> None:
    att = ladder_filters(make_axis("z"))
    att.bits = 1
    said = att.scan_metadata()
    assert said["filters"] == [{"material": "Cu", "thickness": 0.02}] and (said["bits"], said["energy"]) == (1, 10)
    assert said["transmission"] == att.transmission < 1
    foils = ladder(make_axis("z"))
    assert foils.scan_metadata() == {"position": "empty"} and foils.scan_metadata_name == "foils"
    foils.disable_scan_metadata()
    assert not foils.scan_metadata_enabled and att.scan_metadata_enabled


def test_the_energy_is_that_of_an_axis_or_a_number() -> None:
    energy = make_axis("energy", initial_position=8.9)
    att = ladder_filters(make_axis("z"), energy=None, energy_axis=energy)
    att.bits = 1
    below = att.transmission
    energy.move(9.1)
    assert att.transmission < below / 5
    with pytest.raises(DeviceError, match="att takes the energy from energy: move that"):
        att.energy = 9
    fixed = ladder_filters(make_axis("z"))
    fixed.energy = 20
    assert fixed.energy == 20
    with pytest.raises(DeviceError, match="tabulated from 2 to 100 keV"):
        fixed.energy = 500
    assert "transmission 1 at 20 keV, bits 0" in fixed.__info__()


@pytest.mark.parametrize("value", [0, -1, 1.5, math.nan])
def test_a_transmission_that_cannot_be(value: float) -> None:
    att = ladder_filters(make_axis("z"))
    with pytest.raises(DeviceError, match="expected a transmission above 0 and up to 1"):
        att.transmission = value
    with pytest.raises(DeviceError, match="expected an attenuation of 1 or more"):
        att.attenuation = 0.5


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"material": "Xx"}, "material: expected one of Be, C, Al"),
        ({"label": "there"}, "expected an actuator, or a ladder and the label"),
        ({"actuator": None}, "expected an actuator, or a ladder"),
        ({"thickness": 0}, "greater than 0"),
    ],
)
def test_filters_that_make_no_sense(keys: dict[str, Any], message: str) -> None:
    blade = make(AxisActuator, "a", axis=make_axis(), in_position=1, out_position=0)
    item = {"material": "Al", "thickness": 1.0, "actuator": blade, **keys}
    with pytest.raises(ValidationError, match=message):
        make(FilterSet, "att", energy=10, filters=[item])


def test_some_energy_is_needed() -> None:
    with pytest.raises(ValidationError, match="either `energy` in keV, or `energy_axis`"):
        ladder_filters(make_axis(), energy=None)


# -- beam-position monitors ------------------------------------------------------------------------------------------------


def quadrants(*currents: float, **keys: Any) -> QuadrantBpm:
    names = ("left", "right", "top", "bottom")
    box = make(SimulatedDiodes, "box", counters=[{"name": n, "value": v} for n, v in zip(names, currents, strict=True)])
    return make(QuadrantBpm, "bpm", **{name: box.counters[name] for name in names}, **keys)


def test_the_position_from_four_plates() -> None:
    bpm = quadrants(1, 3, 2, 2, scale_x=10, scale_y=20)
    assert bpm.position() == (5, 0, 8)
    assert [counter.name for counter in bpm.counters] == ["bpm_x", "bpm_y", "bpm_intensity"]
    assert bpm.read_all(*[bpm.counters[name] for name in ("bpm_intensity", "bpm_x")]) == [8, 5]


def test_the_position_from_four_corners() -> None:
    # left: upper left, right: lower right, top: upper right, bottom: lower left
    assert quadrants(1, 1, 3, 1, arrangement="square").position() == pytest.approx((1 / 3, 1 / 3, 6))
    assert quadrants(3, 1, 1, 1, arrangement="square").position() == pytest.approx((-1 / 3, 1 / 3, 6))


def test_the_background_is_subtracted() -> None:
    bpm = quadrants(1.5, 3.5, 2.5, 2.5)
    bpm.background = [0.5] * 4
    assert bpm.position() == (0.5, 0, 8)
    bpm.clear_bg()
    assert bpm.bg(0.02) == pytest.approx([1.5, 3.5, 2.5, 2.5])
    assert bpm.background == pytest.approx([1.5, 3.5, 2.5, 2.5])
    assert math.isnan(bpm.position()[0])
    for wrong in ([1, 2, 3], [1, 2, 3, math.nan]):
        with pytest.raises(DeviceError, match="bpm: expected numbers as the background of left, right, top, bottom"):
            bpm.background = wrong


def test_without_beam_there_is_no_position() -> None:
    x, y, intensity = quadrants(0.01, 0.02, 0.01, 0.01, too_little=0.1).position()
    assert math.isnan(x) and math.isnan(y) and intensity == pytest.approx(0.05)


def test_the_spot_of_a_camera() -> None:
    x, y = make_axis("x"), make_axis("y")
    keys = {"width": 200, "height": 150, "sigma": 8, "seed": 1, "pixels_per_unit": 10, "intensity": 2000, "dark": 50}
    camera = make(SimulatedCamera, "cam", axis_x=x, axis_y=y, **keys)
    image = camera.counters["image"]
    bpm = make(CameraBpm, "bpm", image=image, center_x=99.5, center_y=74.5, pixel_size=0.1, unit="mm")
    x.move(2)
    y.move(-3)
    values = dict(zip([c.name for c in bpm.counters], bpm.read_all(*bpm.counters), strict=True))
    assert values["bpm_x"] == pytest.approx(2, abs=0.05)
    assert values["bpm_y"] == pytest.approx(-3, abs=0.05)
    assert values["bpm_fwhm_x"] == pytest.approx(0.8 * 2.355, rel=0.06)
    assert values["bpm_fwhm_y"] == pytest.approx(0.8 * 2.355, rel=0.06)
    assert values["bpm_intensity"] == pytest.approx(200 * 2 * np.pi * 64, rel=0.05)


def test_a_camera_that_sees_nothing() -> None:
    camera = make(SimulatedCamera, "cam", width=20, height=20, intensity=0, dark=0)
    bpm = make(CameraBpm, "bpm", image=camera.counters["image"])
    *where, intensity = bpm.read_all(*bpm.counters)
    assert all(map(math.isnan, where)) and intensity == 0
