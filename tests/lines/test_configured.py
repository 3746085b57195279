"""Both drivers from YAML, in a scan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config import Config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import load_session
from tests.lewis_servers import LewisServer
from tests.lines.test_piezo import Amplifier

YAML = """
- class: LewisMotor
  name: lewis
  address: tcp://127.0.0.1:{lewis}
  axes:
    - {{name: lew, unit: mm, low_limit: 0, high_limit: 250}}
- class: Piezo
  name: amplifier
  address: tcp://127.0.0.1:{piezo}
  axes:
    - {{name: px, channel: A, velocity: 5000, low_limit: 0, high_limit: 100, closed_loop: {{state: 'on'}}}}
    - {{name: po, channel: B, tolerance: null, closed_loop: {{state: 'off'}}}}
- class: SimulatedDiodes
  name: diodes
  counters: [{{name: diode}}]
- {{name: s, class: Session, config-objects: [lew, px, po, diode]}}
"""


@pytest.fixture
def servers() -> Iterator[tuple[LewisServer, Amplifier]]:
    lewis, piezo = LewisServer("example_motor"), Amplifier()
    yield lewis, piezo
    lewis.close()
    piezo.stop()


def test_scans(servers: tuple[LewisServer, Amplifier], tmp_path: Path) -> None:
    lewis, piezo = servers
    lewis.control.speed = 50.0
    (tmp_path / "devices.yml").write_text(YAML.format(lewis=lewis.port, piezo=piezo.port))
    config = Config(tmp_path)
    session = load_session("s", config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    names = session.env_dict
    scan = names["a2scan"](names["lew"], 0, 2, names["px"], 10, 30, 2, 0.001, names["diode"])
    assert scan.get_data("axis:lew").tolist() == [0, 1, 2]
    assert scan.get_data("axis:px") == pytest.approx([10, 20, 30], abs=0.05)
    names["po"].move(20)
    assert names["po"].position == pytest.approx(20, abs=2)
    assert piezo.say("SVO? B") == "B=0"
    assert "LewisMotor lewis" in repr(names["lew"].controller)
    config.close()
