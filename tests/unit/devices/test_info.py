"""What people see at the prompt of an axis, a controller, a group, an encoder; also of those that do not answer."""

from __future__ import annotations

from bliss_like.controllers.calc.slits import Slits
from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis_group import AxisGroup
from tests.unit.devices.making import make, make_axis


def lines(thing: object) -> list[str]:
    return str(thing.__info__()).splitlines()  # type: ignore[attr-defined]


def test_an_axis() -> None:
    keys = {"velocity": 5, "acceleration": 20, "steps_per_unit": 1000, "unit": "deg", "low_limit": -5, "high_limit": 5}
    assert lines(make_axis("th", **keys)) == [
        "axis th of th_motors (SimulatedMotors)",
        "  position  0 deg   (dial 0, offset 0, sign +1)",
        "  limits    -5 .. 5 deg",
        "  state     READY (stands still and can be moved)",
        "  velocity  5 deg/s, acceleration 20 deg/s² (there in 0.25 s)",
        "  steps     1000 per deg, tolerance 0.0001 deg",
    ]
    turn = make_axis(
        "phi", **{"modulo": 360, "class": "ModuloAxis", "closed_loop": {"state": "on", "kp": 1, "ki": 0, "kd": 0}}
    )
    assert "  limits    none" in lines(turn)
    assert "  modulo    360" in lines(turn)
    assert "  loop      on, kp 1.0, ki 0.0, kd 0.0" in lines(turn)


def test_an_axis_that_does_not_answer() -> None:
    axis = make_axis("th", velocity=5, low_limit=-5, high_limit=5)
    axis.controller.unplug()  # type: ignore[attr-defined]
    axis.disable("under repair")
    assert lines(axis)[:3] == ["axis th of th_motors (SimulatedMotors)", "  position  !ERR", "  limits    -5 .. 5"]
    assert "DISABLED" in lines(axis)[3] and "under repair" in lines(axis)[3]
    axis._disabled = ""
    assert "does not answer" in lines(axis)[3]


def test_controllers_and_groups() -> None:
    motors = make(SimulatedMotors, "mc", axes=[{"name": "su", "unit": "mm"}, {"name": "sd", "unit": "mm"}])
    up, down = motors.axes.values()
    axes = [{"name": up, "tags": "real up"}, {"name": down, "tags": "real down"}, {"name": "vg", "tags": "vgap"}]
    slits = make(Slits, "slits", axes=[*axes, {"name": "vo", "tags": "voffset"}])
    up.move(1)
    assert lines(motors) == [
        "SimulatedMotors mc",
        "axis  position  unit  state",
        "----  --------  ----  -----",
        "su    1.0000    mm    READY",
        "sd    0.0000    mm    READY",
    ]
    assert lines(slits)[0] == "Slits slits"
    assert [line.split() for line in lines(slits)[3:]] == [
        ["vg", "1.0000", "READY", "vgap"],
        ["vo", "0.5000", "READY", "voffset"],
        ["su", "1.0000", "mm", "READY", "real", "up"],
        ["sd", "0.0000", "mm", "READY", "real", "down"],
    ]
    motors.unplug()
    group = AxisGroup(up, down)
    assert lines(group)[0] == "group of 2 axes"
    assert "su    !ERR" in lines(group)[3]


def test_an_encoder() -> None:
    motors = make(SimulatedMotors, "mc", axes=[{"name": "th"}], encoders=[{"name": "enc", "steps_per_unit": 50}])
    encoder = motors.encoders["enc"]
    assert lines(encoder)[0] == "Encoder mc:enc: float64, unit none, mode MEAN"
    assert "enc is at no axis" in lines(encoder)[1]
    assert lines(encoder)[2] == "  steps     50 per unit of its axis, tolerance 0.0001"
