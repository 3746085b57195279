"""Encoders of scanned axes are counted without being asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config
from bliss_like.config.settings import use_store
from bliss_like.data.store import MemoryStore
from bliss_like.devices import motion_line
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.scanning import scan_tools
from bliss_like.scans import amesh, ascan, loopscan

YAML = """
- name: motors
  class: SimulatedMotors
  encoders: [{name: enc, steps_per_unit: 50}]
  axes: [{name: m, encoder: $enc}, {name: n}]
"""


@pytest.fixture
def motors(tmp_path: Path) -> Iterator[Config]:
    (tmp_path / "motors.yml").write_text(YAML)
    before = use_store(MemoryStore().keys)
    yield Config(tmp_path)
    motion_line.flush()
    use_store(before)


def test_they_are_counted_once(motors: Config) -> None:
    m, n, one = motors.get("m"), motors.get("n"), SoftCounter(value=lambda: 1.0, name="one")
    for counters in ([one], [one, m.encoder]):
        scan: Any = ascan(m, 0, 2, 2, 0, *counters)
        assert [channel.short_name for channel in scan.channels].count("enc") == 1
        assert scan.get_data("enc") == pytest.approx([0, 1, 2])
        assert scan.get_data(m.encoder) == pytest.approx(scan.get_data(m))
    mesh: Any = amesh(m, 0, 1, 1, n, 0, 1, 1, 0, one)
    assert mesh.get_data("enc") == pytest.approx([0, 1, 0, 1])
    for other in (ascan(n, 0, 2, 2, 0, one), loopscan(1, 0, one)):
        assert other is not None and "motors:enc" not in other.get_data()


def test_they_are_not_what_is_looked_for(motors: Config) -> None:
    m = motors.get("m")
    ascan(m, -3, 3, 30, 0, SoftCounter(value=lambda: 10 - abs(m.position - 1), name="tent"))
    assert scan_tools.peak() == pytest.approx(1)
