"""Pseudo axes that were written for BLISS."""

from __future__ import annotations

import pytest

from bliss_like.errors import AxisLimitError
from bliss_like.standard import mv, umv
from tests.bliss_style.conftest import Configure

TILT = """
- name: legs
  class: SimulatedMotors
  axes:
    - {name: leg1, unit: mm, high_limit: 6}
    - {name: leg2, unit: mm}
- plugin: emotion
  package: tests.bliss_style
  class: Tilt
  name: tilt
  length: 1000
  material: granite
  axes:
    - {name: $leg1, tags: real front}
    - {name: $leg2, tags: real back}
    - {name: height, tags: height, unit: mm}
    - {name: angle, tags: angle, unit: mrad, comment: nose up}
"""


def test_pseudo_axes(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    config = configure(TILT)
    height, angle = config.get("height"), config.get("angle")
    umv(height, 5, angle, 1)
    assert (config.get("leg1").position, config.get("leg2").position) == pytest.approx((5.5, 4.5))
    shown = capsys.readouterr().out
    assert "height[mm]" in shown and "leg1[mm]" in shown and "5.5000" in shown
    with pytest.raises(AxisLimitError, match="leg1: .* above its high limit 6 .*height"):
        mv(height, 8)
    assert height.position == pytest.approx(5)
    assert height.controller.config.get("material") == "granite" and angle.config.get("comment") == "nose up"
