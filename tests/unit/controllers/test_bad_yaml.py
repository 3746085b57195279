"""What is wrong with the YAML of motors and what is made of them: told with file and line, and nothing is made."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config
from bliss_like.devices.motor_controller import MotorController
from bliss_like.errors import ConfigError

BOX = "- {name: box, class: SimulatedMotors, axes: [{name: x}, {name: y}, {name: z}], encoders: [{name: enc}]}\n"
SHUTTER = "- {name: fs, class: SimulatedShutter}\n"


@pytest.fixture
def config_of(tmp_path: Path) -> Any:
    """A function that makes a configuration of one file, a.yml."""

    def config_of(text: str) -> Config:
        (tmp_path / "__init__.yml").touch()
        (tmp_path / "a.yml").write_text(text)
        return Config(tmp_path)

    return config_of


@pytest.fixture
def told(config_of: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that returns what is wrong with a file, `line:column: sentence` each."""

    @functools.wraps(MotorController.__init__)
    def refuse(*_: Any) -> None:
        pytest.fail("something was made")

    def told(text: str) -> list[str]:
        config = config_of(text)
        with monkeypatch.context() as patch:
            patch.setattr(MotorController, "__init__", refuse)
            errors = config.check()
        assert all(error.place is not None and error.place[0].endswith("a.yml") for error in errors)
        return [str(error).rpartition("a.yml:")[2] for error in errors]

    return told


def of_axis(keys: str) -> str:
    return f"{BOX}- name: motors\n  class: SimulatedMotors\n  axes:\n    - name: robx\n      {keys}\n"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ("velocty: 1", "6:7: axis 'robx': unknown key 'velocty', did you mean 'velocity'?"),
        ("velocity: 5mm", "6:7: axis 'robx': velocity: expected a number, came '5mm'"),
        ("velocity: .nan", "6:7: axis 'robx': velocity: expected a value > 0, came nan"),
        ("backlash: .nan", "6:7: axis 'robx': backlash: expected a finite number, came nan"),
        ("steps_per_unit: .inf", "6:7: axis 'robx': steps_per_unit: expected a finite number, came inf"),
        ("initial_position: .nan", "6:7: axis 'robx': initial_position: expected a finite number, came nan"),
        ("sign: 0", "6:7: axis 'robx': sign: expected 1 or -1, came 0"),
        ("low_limit: 1\n      high_limit: -1", "5:7: axis 'robx': low_limit 1 must be below high_limit -1"),
        ("hard_low_limit: 1\n      hard_high_limit: 1", "5:7: axis 'robx': hard_low_limit 1 must be below hard_high"),
        (
            "encoder: enc",
            "6:7: axis 'robx': encoder: expected a reference to an object, such as $robx, came 'enc'; wri",
        ),
        ("encoder: $ecn", "6:7: axis 'robx': encoder: no object 'ecn' in "),
        ("encoder: $x", "6:7: axis 'robx': encoder: expected a reference to an encoder, came $x"),
        ("motion_hooks: $x", "6:7: axis 'robx': motion_hooks: expected a list, came $x"),
        ("motion_hooks: [$x]", "6:22: axis 'robx': motion_hooks.0: expected a reference to a motion hook, came $x"),
        (
            "closed_loop: {state: no}",
            "6:21: axis 'robx': closed_loop.state: expected 'on', 'off' or 'manual', came 'no'",
        ),
        (
            "closed_loop: {kp: 1, ki: 1, kD: 1}",
            "6:35: axis 'robx': closed_loop: unknown key 'kD', expected one of state, kp, ki, kd",
        ),
    ],
)
def test_axes(told: Any, keys: str, sentence: str) -> None:
    errors = told(of_axis(keys))
    assert [line for line in errors if line.startswith(sentence)], errors


def slits(*items: str) -> str:
    return f"{BOX}- name: slits\n  class: Slits\n  axes:\n" + "".join(f"    - {{{item}}}\n" for item in items) + SHUTTER


GOOD = ("name: $x, tags: real up", "name: $y, tags: real down", "name: gap, tags: vgap", "name: off, tags: voffset")


@pytest.mark.parametrize(
    ("items", "sentence"),
    [
        (
            ("name: $x, tags: real upp", *GOOD[1:]),
            "2:3: Slits 'slits': no axis has the tag up; there are $x (upp), $y (down), gap (vgap), off (voffset)",
        ),
        (GOOD[2:], "2:3: Slits 'slits': no axis has the tag up, down; there are gap (vgap), off (voffset)"),
        (
            ("name: $x, tags: real up", "name: $y, tags: real up", *GOOD[2:]),
            "2:3: Slits 'slits': axes $x and $y have the same tag 'up'",
        ),
        (
            ("name: $x, tags: real up", "name: $x, tags: real down", *GOOD[2:]),
            "2:3: Slits 'slits': $x is there twice; it can be one thing only",
        ),
        (
            ("name: $xx, tags: real up", *GOOD[1:]),
            "5:8: axis '$xx': name: no object 'xx' in ",
        ),
        (("name: $enc, tags: real up", *GOOD[1:]), "5:7: axis '$enc': expected a reference to an axis, came $enc"),
        (("name: $fs, tags: real up", *GOOD[1:]), "5:7: axis '$fs': expected a reference to an axis, came $fs"),
        (
            ("name: $x, tags: reall up", *GOOD[1:]),
            "5:7: axis '$x': tags: of a $axis, they begin with 'real' or 'param', came 'reall up'",
        ),
        (
            (*GOOD[:3], "name: off, tags: voffset, velocity: 2"),
            "8:7: axis 'off': velocity: a pseudo axis has none; give",
        ),
        (
            ("name: $gap, tags: real up", *GOOD[1:]),
            "5:8: Slits 'slits': objects that need each other",
        ),
    ],
)
def test_pseudo_axes(told: Any, config_of: Any, items: tuple[str, ...], sentence: str) -> None:
    errors = told(slits(*items))
    assert len(errors) == 1 and errors[0].startswith(sentence), errors
    with pytest.raises(ConfigError) as raised:  # and the same when they are made
        config_of(slits(*items)).get("off")
    assert sentence.split(": ")[-1].partition(", came")[0] in str(raised.value)


def test_good_ones_are_made(told: Any, config_of: Any) -> None:
    assert told(slits(*GOOD)) == []
    config = config_of(slits(*GOOD))
    config.get("gap").move(2)
    assert config.get("x").position == 1


TABLE = "[{name: $x, tags: real a}, {name: $y, tags: real b}, {name: up, tags: z}, {name: tilt, tags: pitch}]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "- {name: ice, class: IcePAP, host: ice, axes: [{name: a, address: 1}, {name: b, address: 1}]}",
            "1:3: IcePAP 'ice': axes a and b have the same address 1",
        ),
        (
            "- {name: m, class: EpicsMotors, axes: [{name: a, record: 'IOC:m1'}, {name: b, record: 'ca://IOC:m1'}]}",
            "1:3: EpicsMotors 'm': axes a and b have the same record IOC:m1",
        ),
        (
            "- {name: p, class: Piezo, address: 'tcp://h:1', axes: [{name: a, channel: A}, {name: b, channel: A}]}",
            "1:3: Piezo 'p': axes a and b have the same channel A",
        ),
        (
            "- {name: p, class: Piezo, address: 'tcp://h:1', axes: [{name: a, channel: A, closed_loop: {kp: 1}}]}",
            "1:92: axis 'a': closed_loop: unknown key 'kp', expected one of state",
        ),
        (
            "- {name: m, class: SimulatedMotors, axes: [{name: a}], encoders: [{name: e, steps_per_unit: 0}]}",
            "1:67: encoder 'e': steps_per_unit must not be 0",
        ),
        (
            f"{SHUTTER}- {{name: s, class: MotorShutter, axis: $fs, open_position: 1, closed_position: 0}}",
            "2:34: MotorShutter 's': axis: expected a reference to an axis, came $fs",
        ),
        (
            f"{BOX}- {{name: a, class: AxisActuator, axis: $x, in_position: 1, out_position: 1}}",
            "2:3: AxisActuator 'a': in_position 1 and out_position 1 cannot be told from each other within a tolerance",
        ),
        (
            f"{BOX}- {{name: f, class: FilterSet, energy: 10, filters: [{{material: Al, thickness: 1, actuator: $x}}]}}",
            "2:82: FilterSet 'f': filters.0.actuator: expected a reference to an actuator, came $x",
        ),
        (
            f"{BOX}- {{name: t, class: Table, legs: {{a: [0, 0], c: [1, 1]}}, axes: {TABLE}}}",
            "2:3: Table 't': no axis has the tag c; there are $x (a), $y (b), up (z), tilt (pitch)",
        ),
    ],
)
def test_other_classes(told: Any, text: str, sentence: str) -> None:
    errors = told(f"{text}\n")
    assert len(errors) == 1 and errors[0].startswith(sentence), errors


def test_what_is_no_encoder_is_told_before_anything_moves(config_of: Any) -> None:
    config = config_of(of_axis("encoder: $x"))
    robx = config.get("robx")
    with pytest.raises(
        ConfigError, match="^axis 'robx': encoder: expected a reference to an encoder, came <Axis x of box>$"
    ):
        robx.move(1)
    assert (robx.position, robx.state) == (0, "READY")
