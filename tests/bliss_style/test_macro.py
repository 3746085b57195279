"""The alignment macro of a BLISS user runs, with the name of the package changed and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import load_session
from tests.bliss_style.conftest import Configure

BEAMLINE = """
- name: sample_motors
  class: SimulatedMotors
  axes:
    - {name: sy, unit: mm, velocity: 500, acceleration: 50000, low_limit: -20, high_limit: 20}
    - {name: sz, unit: mm, velocity: 500, acceleration: 50000}
- name: optics_motors
  class: SimulatedMotors
  axes:
    - {name: s1u, unit: mm}
    - {name: s1d, unit: mm}
    - {name: mono, unit: deg, initial_position: 10}
- name: s1
  class: Slits
  axes:
    - {name: $s1u, tags: real up}
    - {name: $s1d, tags: real down}
    - {name: s1vg, tags: vgap, unit: mm}
    - {name: s1vo, tags: voffset, unit: mm}
- name: mono_energy
  class: EnergyWavelength
  crystal: Si(111)
  axes:
    - {name: $mono, tags: real monoang}
    - {name: energy, tags: energy, unit: keV}
- name: detector
  class: GaussianDetector
  counters: [{name: beam, axes: [$sy], center: 0.7, sigma: 0.3, height: 1000}]
- {name: align, class: Session, config-objects: ["*"]}
"""


def test_an_alignment_macro(configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = configure(BEAMLINE)
    macro = (Path(__file__).parent / "alignment.py").read_text()
    scripts = tmp_path / "config" / "scripts"
    scripts.mkdir()
    (scripts / "alignment.py").write_text(re.sub(r"^from bliss\.", "from bliss_like.", macro, flags=re.MULTILINE))
    session = load_session("align", config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    try:
        session.env_dict["load_script"]("alignment")
        assert session.env_dict["align"]()
        names = session.env_dict
        sy = names["sy"]
        assert (sy.position, sy.dial, sy.offset) == pytest.approx((0, 0.7, -0.7), abs=0.02)
        assert sy.limits == pytest.approx((-2, 2))
        assert sy.velocity == 250
        assert (names["s1u"].position, names["s1d"].position) == pytest.approx((0.1, 0.1))
        assert names["energy"].position == pytest.approx(12) and names["mono"].position == pytest.approx(
            9.485, abs=0.01
        )
        assert names["sz"].position == pytest.approx(0)
    finally:
        session.close()
    shown = capsys.readouterr().out
    assert "beam at 0.7" in shown
    assert "refused: sy: 3 is above its high limit 2" in shown
    assert "s1vg[mm]" in shown and "energy[keV]" in shown
