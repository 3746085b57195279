"""A driver over TCP that was written for BLISS, from its YAML to its last motion."""

from __future__ import annotations

import pytest

from bliss_like.config import Config
from bliss_like.errors import ConfigError
from bliss_like.standard import mv, mvr, wa, wm
from tests.bliss_style.conftest import Configure
from tests.bliss_style.stage_server import StageBox

STAGE = """
- name: stage
  class: Stage
  package: tests.bliss_style
  plugin: emotion
  host: 127.0.0.1
  port: {port}
  firmware: {{any: [thing, 3]}}
  axes:
    - {{name: sx, channel: 1, steps_per_unit: 100, velocity: 50, acceleration: 2000, unit: mm, low_limit: -10, high_limit: 10}}
    - {{name: sy, channel: "2", steps_per_unit: -200, velocity: 50, acceleration: 2000, label: table, class: LevelledAxis}}
"""


@pytest.fixture
def config(configure: Configure, box: tuple[StageBox, int]) -> Config:
    return configure(STAGE.format(port=box[1]))


def test_axes_move(config: Config, box: tuple[StageBox, int]) -> None:
    sx, sy = config.get("sx"), config.get("sy")
    mv(sx, 1.5, sy, -0.25)
    mvr(sx, 0.5)
    assert (sx.position, sy.position) == pytest.approx((2, -0.25))
    assert "MOVE 1 150.0" in box[0].requests and "MOVE 2 50.0" in box[0].requests


def test_settings_reach_the_box(config: Config, box: tuple[StageBox, int]) -> None:
    sx = config.get("sx")
    sx.velocity = 20
    sx.acceleration = 1000
    sx.dial = 3
    motor = box[0].motors[1]
    assert (motor.velocity, motor.acceleration, motor.position) == (2000, 100000, 300)
    assert sx.velocity == 20
    sx.position = 5
    assert (sx.dial, sx.offset) == (3, 2)


def test_a_motion_is_stopped(config: Config) -> None:
    sx = config.get("sx")
    sx.velocity = 1
    sx.move(10, wait=False)
    assert sx.is_moving
    sx.stop()
    assert 0 <= sx.position < 9 and sx.state == "READY"


def test_states_of_its_own(config: Config) -> None:
    sx = config.get("sx")
    assert sx.state == "READY"
    sx.controller.set_off(sx)
    state = sx.hw_state if hasattr(sx, "hw_state") else sx.state
    assert "PARKED" in state and state.OFF and not state.READY
    assert "power is off, brake is on" in str(state)


def test_methods_of_the_controller_that_axes_have(config: Config) -> None:
    sx, sy = config.get("sx"), config.get("sy")
    sx.position, sy.position  # noqa: B018 - the first use connects
    assert (sx.get_id(), sy.get_id()) == ("STAGE-1", "STAGE-2")
    assert sy.park(why="for the night") == "sy parked for the night"
    assert not sx.controller.state(sy).READY


def test_verbs_show_them(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    wm(config.get("sx"), config.get("sy"))
    shown = capsys.readouterr().out
    assert "sx[mm]" in shown and "-10.0000" in shown
    wa()
    assert "no axes" in capsys.readouterr().out


def test_the_driver_looks_into_its_configuration(config: Config) -> None:
    stage = config.get("stage")
    assert stage.config.get("host") == "127.0.0.1"
    assert isinstance(stage.config.get("port"), str) and isinstance(stage.config.get("port", int), int)
    assert stage.config.get("firmware")["any"] == ["thing", 3]
    assert stage.config.get("absent", int, 7) == 7 and stage.config.get("absent", default=None) is None
    assert "host" in stage.config and "absent" not in stage.config
    assert stage.config.config_dict["class"] == "Stage"
    sy = stage.get_axis("sy")
    assert sy.config.get("channel", int) == 2 and sy.config.get("steps_per_unit", float) == -200


def test_a_key_that_the_driver_needs_is_asked_for(config: Config) -> None:
    axis = config.get("sx")
    with pytest.raises(KeyError) as missing:
        axis.config.get("address", int)
    assert str(missing.value).startswith(
        "sx: its configuration has no key 'address', which its driver needs; it has name"
    )
    with pytest.raises(ConfigError, match="sy: key label: its driver expects int, came 'table'"):
        config.get("sy").config.get("label", int)


def test_an_axis_of_a_class_beside_the_driver(config: Config, configure: Configure) -> None:
    assert config.get("sy").level == "sy is level"


def test_a_class_of_axes_that_is_nowhere(configure: Configure) -> None:
    config = configure(STAGE.format(port=1).replace("LevelledAxis", "CrookedAxis"))
    with pytest.raises(
        ConfigError, match="sy: class: expected one of Axis, .* tests.bliss_style.stage, came CrookedAxis"
    ):
        config.get("sx")


def test_known_keys_are_still_checked(configure: Configure) -> None:
    config = configure(STAGE.format(port=1).replace("velocity: 50", "velocity: fast"))
    with pytest.raises(ConfigError, match=r"motors.yml:10.*velocity: expected a number, came 'fast'"):
        config.get("sx")


def test_what_the_box_refuses_is_told(config: Config) -> None:
    stage, sx = config.get("stage"), config.get("sx")
    sx.position  # noqa: B018 - the first use connects
    with pytest.raises(RuntimeError, match="stage: JUMP 1: ERROR unknown command"):
        stage._ask("JUMP 1")
