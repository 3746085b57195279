"""The realistic beamline that comes with the project: each of its sessions starts, scans, and offers what its files say."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config
from bliss_like.data.tree import Tree
from bliss_like.errors import AxisLimitError
from bliss_like.session import Session, load_session

CONFIG = Path(__file__).parents[3] / "config"
SESSIONS = ["alignment", "hutch1", "hutch2", "optics"]


@pytest.fixture
def session(
    request: pytest.FixtureRequest, tmp_path: Path, cache_of_the_run: Path, monkeypatch: pytest.MonkeyPatch, tree: Tree
) -> Iterator[Session]:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_of_the_run))
    config = Config(CONFIG)
    session = load_session(request.param, config)
    assert session.setup(tree=tree), session.error_report
    session.scan_saving.base_path = tmp_path / "data"
    yield session
    config.close()


def in_session(name: str) -> Any:
    return pytest.mark.parametrize("session", [name], indirect=True)


def test_there_are_many_objects() -> None:
    config = Config(CONFIG / "beamline")
    assert config.errors == []
    classes = Counter(str(config.get_config(name).get_inherited("class")) for name in config.names_list)
    assert len(config.names_list) >= 150
    assert classes["Session"] == len(SESSIONS)
    assert classes["MeasurementGroup"] >= 10


def test_all_that_is_shipped_is_right() -> None:
    assert [str(error) for error in Config(CONFIG).check()] == []


@pytest.mark.parametrize("session", SESSIONS, indirect=True)
def test_each_session_scans(session: Session) -> None:
    scan = session.env_dict["loopscan"](2, 0.001)
    assert session.active_measurement_group is not None
    counters = session.active_measurement_group.counters
    assert len(counters) >= 3
    assert all(len(scan.get_data(counter)) == 2 for counter in counters)


@in_session("alignment")
def test_the_biggest_session(session: Session) -> None:
    assert len(session.object_names) >= 150
    names = session.env_dict
    screen = names["bv2_z"]
    screen.velocity, screen.acceleration = 1000, 100_000
    names["look_at"](screen)
    assert [screen.position for screen in names["screens"]] == [0, 50, 0]


@in_session("optics")
def test_the_optics(session: Session) -> None:
    names = session.env_dict
    assert names["energy"].position == pytest.approx(12.5, abs=0.001)
    names["energy"].move(12.51)
    assert names["bragg"].position == pytest.approx(9.0932, abs=0.001)
    assert names["wavelength"].position == pytest.approx(0.99108, abs=1e-5)
    assert names["mono_exit"].position == pytest.approx(12.0464, abs=1e-3)
    names["energy"].limits = None, None
    with pytest.raises(
        AxisLimitError, match="^bragg: 3.8.* is below its low limit 4 by .* where energy and mono_angle"
    ):
        names["energy"].move(29.5)
    assert {
        name: names[name].position for name in ("wbs_vg", "wbs_hg", "wbs_vo", "mbs_vg", "u18_energy")
    } == pytest.approx({"wbs_vg": 1.2, "wbs_hg": 2.5, "wbs_vo": 0, "mbs_vg": 0.5, "u18_energy": 12.5})
    names["wbs_vg"].rmove(-0.2)
    assert (names["wbs_up"].position, names["wbs_down"].position) == pytest.approx((0.5, 0.5))
    names["mono_pitch"].move(10)
    assert names["rocking_curve"](40, 4, 0.001) == pytest.approx(0)
    with names["rv1"]:
        assert names["rv1"].state.name == "OPEN"
    assert names["rv1"].state.name == "CLOSED"
    xbpm1 = names["loopscan"](1, 0.001, names["xbpm1"]).get_data("xbpm1_x")
    assert xbpm1 == pytest.approx(-0.09, abs=0.05)
    assert names["wba1_foils"].position == "empty" and names["wba_set"].transmission == 1


@in_session("hutch1")
def test_hutch_1(session: Session) -> None:
    names = session.env_dict
    assert names["rock"](0.06, 20, 0.001) == pytest.approx(9.1, abs=0.005)
    names["filters"](names["eh1_al2"])
    assert (names["eh1_al1"].position, names["eh1_al2"].position) == (0, 12)
    for motor in ("eh1_al1", "eh1_al2", "eh1_al3", "eh1_mo1", "eh1_mo2"):
        names[motor].velocity, names[motor].acceleration = 1000, 100_000
    names["eh1_att"].bits = 0
    filtered = names["eh1_autof"].ascan(names["eta"], 9.07, 9.1, 2, 0.001)
    assert filtered.get_data("apd").max() < 5e4 < filtered.get_data("apd_corr").max()
    names["eh1_fs"].open_for(0.01)
    assert names["eh1_fs"].is_closed
    scan = names["ascan"](names["eta"], 9.1, 9.11, 1, 0.001, names["i0"])
    assert {"axis:eta", "eh1_chambers:i0"} <= {channel.name for channel in scan.channels}
    assert names["mg_diffraction"].available[0] == "machine:sr_current"
    names["eh1_tpitch"].move(0.01)
    assert [names[leg].position for leg in ("eh1_tz1", "eh1_tz2", "eh1_tz3")] == pytest.approx([0.008, -0.008, -0.008])
    names["eh1_tx"].move(0.02)
    assert (names["eh1_tx1"].position, names["eh1_tyaw"].position) == pytest.approx((0.02, 0))


@in_session("hutch2")
def test_hutch_2(session: Session) -> None:
    names = session.env_dict
    assert names["focus_size"](names["px"], names["knife_x"], 20, 40, 0.001) == pytest.approx(5, abs=0.6)
    assert names["tomogram"](1, 2, 0.001).get_data("image").shape == (3, 512, 512)
    grain = names["ascan"](names["px"], -20, 20, 8, 0.005, names["sdd"].counter_groups.Fe)
    assert grain.get_data("Fe").argmax() == 4
    assert session.scan_saving.get_path().startswith(os.path.join(session.scan_saving.base_path, "beamline/hutch2", ""))
