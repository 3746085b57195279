"""A calc controller that was written for BLISS, from its YAML to scans."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from bliss_like.config import Config
from bliss_like.devices.axis import check_limits
from bliss_like.devices.axis_state import AxisState
from bliss_like.errors import AxisLimitError, ConfigError
from bliss_like.standard import mv, mvr
from tests.bliss_style.conftest import Configure

WEDGE = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: wpush, unit: mm, velocity: .inf, low_limit: 0, high_limit: 50}
    - {name: wedge0, unit: mm, velocity: .inf}
- class: Wedge
  plugin: emotion
  package: tests.bliss_style
  name: wedge_calc
  angle: 45
  remark: a key that no driver reads
  axes:
    - {name: $wpush, tags: real push}
    - {name: $wedge0, tags: param edge}
    - {name: wthick, tags: thickness, unit: mm, remark: read by nobody}
    - {name: wpass, tags: passes}
"""


@pytest.fixture
def config(configure: Configure) -> Config:
    return configure(WEDGE)


def test_it_moves(config: Config) -> None:
    push, passes, thick = config.get("wpush"), config.get("wpass"), config.get("wthick")
    assert passes.position == 1
    mv(passes, np.exp(-1))
    assert (push.position, thick.position) == (pytest.approx(2), pytest.approx(2))
    config.get("wedge0").move(1)
    assert thick.position == pytest.approx(1)
    mvr(passes, 0.1)
    assert passes.position == pytest.approx(np.exp(-0.5) + 0.1)
    assert passes.state == AxisState("READY")


def test_what_its_controller_knows(config: Config) -> None:
    calc = config.get("wedge_calc")
    assert [axis.name for axis in calc.pseudos] == ["wthick", "wpass"]
    assert calc.reals == [config.get("wpush")] and calc.params == [config.get("wedge0")]
    assert calc.get_axis("wpass") is config.get("wpass") is calc.get_axis_by_tag("passes")
    assert not calc.pseudos_are_moving()
    config.get("wpush").move(2)
    calc.length = 1
    assert config.get("wpass").position == pytest.approx(np.exp(-2))


def test_no_offset_is_what_the_driver_says(config: Config) -> None:
    passes, push = config.get("wpass"), config.get("wpush")
    push.move(2)
    passes.position = np.exp(-2)
    assert (push.position, push.dial, passes.offset) == (pytest.approx(4), 2, 0)


def test_limits_of_trajectories(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    passes = config.get("wpass")
    with caplog.at_level(logging.WARNING):
        check_limits({passes: np.linspace(0.1, 1, 5)})
        with pytest.raises(AxisLimitError, match="wpush: 55.2.* is above its high limit 50 by 5.2.* where wpass would"):
            check_limits({passes: [0.1, 1e-12]})
    assert "calc_to_real takes one position at a time" in caplog.text
    with pytest.raises(AxisLimitError, match="calc_to_real has no answer for .*passes = -1, .*: "):
        passes.move(-1)


def test_a_key_that_the_driver_needs(configure: Configure) -> None:
    config = configure(WEDGE.replace("  angle: 45\n", ""))
    with pytest.raises(ConfigError, match="wedge_calc: its configuration has no key 'angle', which its driver needs"):
        config.get("wpass")
