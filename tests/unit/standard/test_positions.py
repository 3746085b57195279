"""wa and its relatives: tables that come, whatever single axes do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gevent
import pytest
from gevent.event import Event

from bliss_like.controllers.calc.slits import Slits
from bliss_like.controllers.camera.exposure import CameraStatus
from bliss_like.controllers.simulated.camera import SimulatedCamera
from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis
from bliss_like.devices.axis_state import AxisState
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import DeviceError, NotConnectedError, UsageError
from bliss_like.standard import limastat, lscnt, lsmot, mv, sta, stm, sync, wa, wm, wu
from tests.unit.devices.calc import GAP, calc
from tests.unit.devices.making import make

Motors = Callable[..., Any]
Shown = pytest.CaptureFixture[str]


class Counted(SimulatedMotors):
    """Counts round trips."""

    questions = 0

    def read_positions(self, *axes: Axis) -> Sequence[float]:
        type(self).questions += 1
        return super().read_positions(*axes)


class Broken(SimulatedMotors):
    """Fails for axes called `bad`, and altogether for those called `dead`."""

    def read_position(self, axis: Axis) -> float:
        if axis.name.startswith("bad"):
            raise DeviceError("its cable is loose")
        if axis.name.startswith("dead"):
            raise NotConnectedError("no answer from the box")
        return super().read_position(axis)


class Silent(SimulatedMotors):
    """Answers when it is allowed to."""

    allowed = Event()

    def read_position(self, axis: Axis) -> float:
        self.allowed.wait()
        return super().read_position(axis)


def rows(shown: Shown) -> list[list[str]]:
    return [line.split() for line in shown.readouterr().out.splitlines()]


def test_all_axes_are_shown(motors: Motors, capsys: Shown) -> None:
    axes = motors(robx={"unit": "mm"}, roby={"sign": -1}).axes
    axes["roby"].offset = 10
    mv("roby", 9)
    wa()
    assert rows(capsys) == [["robx[mm]", "roby"], ["user", "0.0000", "9.0000"], ["dial", "0.0000", "1.0000"]]
    wu()
    assert rows(capsys) == [["robx[mm]", "roby"], ["user", "0.0000", "9.0000"]]


def test_soft_axes_are_not_among_all(motors: Motors, known: dict[str, Any], capsys: Shown) -> None:
    class Thing:
        position = 3.0

    motors(robx={})
    known["soft"] = SoftAxis("soft", Thing(), move="position")
    wa()
    assert "soft" not in capsys.readouterr().out
    wm("soft")
    assert "3.0000" in capsys.readouterr().out


def test_one_round_trip_for_each_controller(motors: Motors, capsys: Shown) -> None:
    motors(Counted, **{f"m{number}": {} for number in range(200)})
    Counted.questions = 0
    wa()
    assert Counted.questions == 1
    assert "m199" in capsys.readouterr().out


def test_pseudo_axes_are_calculated_from_what_was_read(motors: Motors, known: dict[str, Any], capsys: Shown) -> None:
    box = motors(up={"initial_position": 3}, down={"initial_position": 1})
    assert isinstance(box, SimulatedMotors)
    slits = calc(Slits, {"up": known["up"], "down": known["down"]}, GAP)
    known.update({"s1gap": slits.axes["vgap"], "s1offset": slits.axes["voffset"]})
    wa()
    before = box.exchanges
    capsys.readouterr()
    wa()
    assert box.exchanges == before + 1  # where they are and how they do
    assert capsys.readouterr().out.splitlines()[1].split() == ["user", "3.0000", "1.0000", "4.0000", "1.0000"]
    box.unplug()
    wa()
    assert "vgap, voffset: the real axes do not tell where they are: up, down" in capsys.readouterr().out


def test_columns_fit_the_terminal(motors: Motors, monkeypatch: pytest.MonkeyPatch, capsys: Shown) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    motors(**{f"m{number}": {} for number in range(20)})
    wa()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) < 60
    assert sum(line.count("m") for line in lines) == 20
    wa(max_cols=2)
    assert len([line for line in capsys.readouterr().out.splitlines() if line.startswith("user")]) == 10


def test_an_axis_that_fails_says_so_in_its_place(motors: Motors, capsys: Shown) -> None:
    motors(Broken, good={}, bad={}, other={})
    wa()
    assert rows(capsys) == [
        ["good", "bad", "other"],
        ["user", "0.0000", "!ERR", "0.0000"],
        ["dial", "0.0000", "!ERR", "0.0000"],
        [],
        ["bad:", "its", "cable", "is", "loose"],
    ]


def test_a_dead_controller_is_asked_once(motors: Motors, capsys: Shown) -> None:
    motors(robx={})
    motors(Broken, dead1={}, dead2={})
    wa(err="?")
    shown = capsys.readouterr().out
    assert shown.count("?") == 4 and "0.0000" in shown
    assert "\ndead1, dead2: no answer from the box" in shown


def test_a_silent_controller_does_not_hold_up_the_others(
    motors: Motors, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setattr("bliss_like.devices.inquiry.PATIENCE", 0.5)
    Silent.allowed.clear()
    motors(robx={})
    motors(Silent, mute={})
    wm("robx", "mute")
    shown = capsys.readouterr().out
    assert "mute: no answer within 0.5 s" in shown and "0.0000" in shown
    Silent.allowed.set()
    gevent.sleep(0)


def test_states_other_than_ready_are_shown(motors: Motors, capsys: Shown) -> None:
    axis = motors(robx={"velocity": 1}, roby={}).axes["robx"]
    axis.move(100, wait=False)
    wa()
    assert rows(capsys)[-1] == ["state", "MOVING"]
    axis.stop()


def test_values_that_are_no_numbers_are_shown_as_such(motors: Motors, capsys: Shown) -> None:
    class Lost(SimulatedMotors):
        def read_position(self, axis: Axis) -> float:
            return float("nan")

        def state(self, axis: Axis) -> AxisState:
            return AxisState("FAULT")

    motors(Lost, robx={})
    wa()
    assert rows(capsys)[1:] == [["user", "nan"], ["dial", "nan"], ["state", "FAULT"]]


def test_wm_shows_limits_and_offset(motors: Motors, capsys: Shown) -> None:
    axis = motors(robx={"low_limit": -5, "tolerance": 1e-6}).axes["robx"]
    axis.offset = 1
    mv(axis, 2)
    wm(axis)
    assert rows(capsys) == [
        ["robx"],
        ["user", "high", "inf"],
        ["user", "2.000000"],
        ["user", "low", "-4.000000"],
        ["offset", "1.000000"],
        ["dial", "high", "inf"],
        ["dial", "1.000000"],
        ["dial", "low", "-5.000000"],
    ]


def test_wm_and_stm_need_an_axis(motors: Motors) -> None:
    with pytest.raises(UsageError, match=r"wm: expected at least one axis.*\nusage: wm\(axis, ..., "):
        wm()
    for wrong in (0, "x", True):
        with pytest.raises(UsageError, match=r"wm: max_cols: expected a whole number, at least 1, got .*\nusage: wm"):
            wm("robx", max_cols=wrong)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="stm: argument 1: the session has no axis 'robx'"):
        stm("robx")


def test_states(motors: Motors, capsys: Shown) -> None:
    motors(robx={}, roby={})
    sta()
    assert rows(capsys)[2:] == [
        ["robx", *"READY (stands still and can be moved)".split()],
        ["roby", *"READY (stands still and can be moved)".split()],
    ]
    stm("roby", read_hw=True)
    assert rows(capsys)[2:] == [["roby", *"READY (stands still and can be moved)".split()]]


def test_states_of_what_fails(motors: Motors, capsys: Shown) -> None:
    class Mad(SimulatedMotors):
        def state(self, axis: Axis) -> AxisState:
            raise DeviceError("it is mad")

    motors(Mad, robx={})
    for read_hw in (False, True):
        sta(read_hw=read_hw)
        assert rows(capsys)[2:] == [["robx", "!ERR"], [], ["robx:", "it", "is", "mad"]]


def test_disabled_axes_are_told_in_place(motors: Motors, capsys: Shown) -> None:
    class Unready(SimulatedMotors):
        def initialize_axis(self, axis: Axis) -> None:
            if axis.name == "lame":
                raise DeviceError("has no card")

    axes = motors(Unready, good={}, lame={}, retired={}).axes
    axes["retired"].disable("it squeaks")
    wa()
    shown = rows(capsys)
    assert shown[1:3] == [["user", "0.0000", "!ERR", "!ERR"], ["dial", "0.0000", "!ERR", "!ERR"]]
    assert shown[3] == ["state", "DISABLED", "DISABLED"]
    assert " ".join(shown[5]) == "lame: has no card" and "it squeaks" in " ".join(shown[6])
    sta()
    shown = [" ".join(row) for row in rows(capsys)[2:]]
    assert (
        shown[0].startswith("good READY")
        and shown[1:3] == ["lame DISABLED", "retired DISABLED"]
        and shown[4].startswith("lame is disabled, as its hardware could not be set up: has no card")
        and shown[5].startswith("retired is disabled (it squeaks)")
    )


def test_an_axis_that_has_just_failed_is_disabled_in_the_same_table(motors: Motors, capsys: Shown) -> None:
    class Dead(SimulatedMotors):
        def initialize_hardware(self) -> None:
            raise NotConnectedError("box: no answer")

    motors(Dead, far={})
    sta()
    assert rows(capsys)[2:] == [["far", "DISABLED"], [], ["far:", "box:", "no", "answer"]]


def test_a_session_without_axes_says_so(known: dict[str, Any], capsys: Shown) -> None:
    for verb in (wa, wu, sta, lsmot):
        verb()
        assert capsys.readouterr().out == "The session has no axes.\n"


def test_sync_takes_the_position_of_the_hardware(motors: Motors) -> None:
    controller = motors(robx={}, roby={})
    axis = controller.axes["robx"]
    mv(axis, 1)
    controller.set_position(axis, 5)  # as by somebody else
    sync("robx")
    assert axis._set_position == 5
    controller.set_position(axis, 6)
    sync()
    assert axis._set_position == 6


def test_sync_tells_what_it_could_not_do_after_all_others(motors: Motors) -> None:
    axis = motors(robx={}).axes["robx"]
    motors(Broken, bad={})
    mv(axis, 1)
    axis.controller.set_position(axis, 5)
    with pytest.raises(DeviceError, match="bad: its cable is loose"):
        sync()
    assert axis._set_position == 5


def test_lists(motors: Motors, known: dict[str, Any], capsys: Shown) -> None:
    from bliss_like.controllers.simulated.diode import SimulatedDiodes

    motors(robx={"unit": "mm"})
    diodes = make(SimulatedDiodes, "diodes", counters=[{"name": "diode"}, {"name": "diode2"}])
    known["diodes"] = diodes
    lsmot()
    assert rows(capsys)[2:] == [["robx", "motors0", "SimulatedMotors", "mm"]]
    lscnt()
    assert rows(capsys)[2:] == [[f"diodes:{name}", "SimulatedDiodes", "0D"] for name in ("diode", "diode2")]
    lscnt(diodes.counters[0])
    assert len(rows(capsys)) == 3
    with pytest.raises(UsageError, match="lscnt: counters: 3"):
        lscnt(3)
    lscnt(diodes.counters + make_box("other", "diode").counters)  # of one name, in two boxes
    assert [row[0] for row in rows(capsys)[2:]] == ["diodes:diode", "diodes:diode2", "other:diode"]
    lscnt(make_box("b" * 60, "diode").counters)
    assert rows(capsys)[0] == ["counter", "shape"]
    diodes.unregister()
    lscnt()
    assert "no counters" in capsys.readouterr().out


def test_cameras(known: dict[str, Any], capsys: Shown) -> None:
    limastat()
    assert capsys.readouterr().out == "The session has no cameras.\n"
    camera = known["eye"] = make(SimulatedCamera, "eye", width=40, height=30)
    camera.saving.mode = "NOSAVING"
    lines = []
    for cameras in ((), (camera,)):
        limastat(*cameras)
        lines.append(rows(capsys)[2:])
    assert lines == [[["eye", "Ready", "40x30", "INTERNAL_TRIGGER_MULTI", "NOSAVING"]]] * 2

    class Dead(SimulatedCamera):
        def status(self) -> CameraStatus:
            raise NotConnectedError("no answer")

    known["blind"] = make(Dead, "blind")
    limastat()
    assert [row[:3] for row in rows(capsys)[2:]] == [["eye", "Ready", "40x30"], ["blind", "!ERR", "(no"]]
    with pytest.raises(
        UsageError, match=r"limastat: argument 1: expected a camera, got 'eye'\nusage: limastat\(\*cameras\)"
    ):
        limastat("eye")


def make_box(name: str, *counters: str) -> SamplingCounterController:
    box = SamplingCounterController(name)
    for counter in counters:
        box.create_counter(SamplingCounter, counter)
    return box
