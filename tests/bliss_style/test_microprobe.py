"""A night of scans of a BLISS user runs, with the name of the package changed and nothing else."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data.lifecycle import ScanState
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.scanning.group import Sequence
from bliss_like.scanning.scan import Scan
from bliss_like.session import Session, load_session
from tests.bliss_style.conftest import Configure

GRAIN = (0.4, -0.25)
"""Where iron is: sy, sz."""

BEAMLINE = """
- name: sample_motors
  class: SimulatedMotors
  axes:
    - {name: sx, unit: mm, velocity: 1000, acceleration: 100000, steps_per_unit: 10000, low_limit: -20, high_limit: 20}
    - {name: sy, unit: mm, velocity: 1000, acceleration: 100000, steps_per_unit: 10000}
    - {name: sz, unit: mm, velocity: 1000, acceleration: 100000, steps_per_unit: 10000}
- {name: fsh, class: SimulatedShutter, opening_time: 0, closing_time: 0}
- name: beam_detector
  class: GaussianDetector
  seed: 5
  counters: [{name: beam, axes: [$sx], center: 0.7, sigma: 0.4, height: 1000, noise: 60, background: 200}]
- {name: box, class: SimulatedDiodes, seed: 6, counters: [{name: diode, value: 1.0e+4, noise: 30, mode: SINGLE}, {name: behind, value: 2500}]}
- {name: ring, class: SimulatedDiodes, counters: [{name: mon, value: 200, unit: mA}]}
- plugin: bliss
  class: Transmission
  package: tests.bliss_style
  module: transmission
  name: absorption
  inputs: [{counter: $diode, tags: diode}, {counter: $behind, tags: behind}]
  outputs: [{name: transmission, tags: ratio}, {name: absorption_counter, tags: absorption}]
- name: mca
  class: SimulatedMCA
  seed: 7
  background: 3000
  emitters:
    - {symbol: Ca, rate: 20000}
    - {symbol: Fe, rate: 200000, axes: [$sy, $sz], spots: [{center: [0.4, -0.25], sigma: 0.2}]}
- {name: cam, class: SimulatedCamera, width: 64, height: 64, axis_x: $sy, axis_y: $sz, pixels_per_unit: 20, sigma: 5,
   intensity: 20000, seed: 8}
- {name: mg, class: MeasurementGroup, counters: [diode, behind, absorption, mon]}
- {name: microprobe, class: Session, config-objects: ["*"]}
"""


@pytest.fixture
def session(configure: Configure, tmp_path: Path) -> Iterator[Session]:
    config = configure(BEAMLINE)
    macro = (Path(__file__).parent / "microprobe.py").read_text()
    scripts = tmp_path / "config" / "scripts"
    scripts.mkdir()
    (scripts / "microprobe.py").write_text(re.sub(r"^from bliss(?=[. ])", "from bliss_like", macro, flags=re.MULTILINE))
    session = load_session("microprobe", config)
    assert session.setup(tree=Tree(MemoryStore())), session.error_report
    session.scan_saving.base_path = str(tmp_path / "data")
    session.env_dict["load_script"]("microprobe")
    yield session
    session.close()


def test_a_night_at_a_microprobe(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    names = session.env_dict
    done = names["night"]()
    check_beam(done["beam"], names)
    check_map(done["map"])
    check_sequence(done["seq"], done["seen"], names)

    counted = ["absorption:absorption_counter", "box:behind", "box:diode", "timer:elapsed_time", "timer:epoch"]
    assert done["names"] == counted
    assert done["once"].get_data("absorption_counter") == pytest.approx(math.log(4), abs=0.05)
    assert not done["once"].save
    assert [node.info["title"] for node in done["group"].scan.get_data("scans")] == ["map of iron", "ct 0.001"]

    shown = capsys.readouterr().out
    assert "session microprobe counts with mg" in shown
    assert "beam, scan 11: ascan sx" in shown and "fwhm" in shown  # where()
    ring = names["MONITORING_SCANS"]["ring"]
    assert ring.state == "ENDED" and ring.points > 3 and not ring.error
    assert "no settings" in session.default_chain.__info__()


def test_a_scan_that_finds_nothing(session: Session) -> None:
    """The axis is where it was, and so is its velocity."""
    names = session.env_dict
    names["mv"](names["sx"], 1)
    names["diode"].mode = "SINGLE"
    with pytest.raises(RuntimeError, match="the centre of box:diode .* nothing moved"):
        names["centre"](names["sx"], 2, names["diode"])
    assert names["sx"].position == 1


def test_a_scan_that_is_broken_off(session: Session) -> None:
    assert session.env_dict["drift"]()


def check_beam(found: dict[str, float], names: dict[str, Any]) -> None:
    """It was scanned through noise of 6 % on a background."""
    assert (found["cen"], found["com"], found["peak"]) == pytest.approx((0.7, 0.7, 0.7), abs=0.12)
    assert found["fwhm"] == pytest.approx(0.4 * 2.355, rel=0.25)
    assert names["sx"].position == pytest.approx(0.7, abs=0.15)  # where lineup went


def check_map(scan: Scan) -> None:
    data = scan.get_data()
    y, iron, calcium = data["sy"], data["Fe_det0"], data["Ca_det0"]
    assert data["spectrum_det0"].shape == (77, 2048) and data["diode_N"].min() >= 1
    assert (y.reshape(7, 11)[1] == y.reshape(7, 11)[0][::-1]).all()  # backnforth
    best = iron.argmax()
    assert (y[best], data["sz"][best]) == pytest.approx(GRAIN, abs=0.15)
    assert iron.max() > 5 * np.median(iron) and calcium.std() < 0.3 * calcium.mean()  # a grain, and everywhere
    middle = np.hypot(y, data["sz"]).argmin()  # where the spot is in the middle of the image
    assert data["cam:roi_counters:spot_sum"][middle] > 0.9 * data["spot_sum"].max() > 2 * data["ring_sum"][middle]


def check_sequence(sequence: Sequence, seen: list[float], names: dict[str, Any]) -> None:
    scans = sequence.scan.get_data("scans")
    assert [node.info["type"] for node in scans] == 2 * ["dscan", "dscan", "dmesh"]
    assert [node.state for node in scans] == 6 * [ScanState.DONE]
    centres = sequence.scan.get_data("centre")
    assert centres == pytest.approx(np.array([GRAIN, GRAIN]), abs=0.05)
    assert (names["sy"].position, names["sz"].position) == pytest.approx(tuple(centres[-1]), abs=0.001)
    assert len(seen) == 4 * 16 and max(seen) > 3 * min(seen)  # what the preset has seen of all points
    temperatures = [node.get_data("temperature")[0] for node in scans if node.info["type"] == "dscan"]
    assert temperatures == [80, 80, 85, 85]
    assert scans[2].get_data("cam:image").shape == (9, 64, 64)
    assert names["fsh"].is_closed
