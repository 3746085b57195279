"""A motion hook that was written for BLISS: keys of its own in YAML, `super().__init__()` without arguments."""

from __future__ import annotations

import pytest

from tests.bliss_style.conftest import Configure

TREE = """
- {name: air, class: AirPads, package: tests.bliss_style, pressure: 4.5}
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, motion_hooks: [$air]}
"""


def test_a_hook_of_bliss(configure: Configure) -> None:
    config = configure(TREE)
    assert config.check() == []
    robx, air = config.get("robx"), config.get("air")
    robx.move(1)
    assert (robx.position, air.name, air.needed, air.lifted) == (1, "air", 4.5, [])
    air.pressure = 1
    with pytest.raises(RuntimeError, match="no air") as veto:
        robx.move(2)
    assert "air" in veto.value.__notes__[0]
    assert robx.position == 1
