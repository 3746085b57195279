"""The sessions that come with the project, from the project's own files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bliss_like.config import Config
from bliss_like.data.tree import Tree
from bliss_like.session import Session, load_session
from bliss_like.session.measurement_group import MeasurementGroup
from tests.places import scans_of

CONFIG = Path(__file__).parents[3] / "config"
COUNTERS = {"diode", "diode2", "diode3", "sim_ct_gauss", "thermo_sample"}


@pytest.fixture(params=["demo_session", "test_session"])
def session(
    request: pytest.FixtureRequest, tmp_path: Path, cache_of_the_run: Path, monkeypatch: pytest.MonkeyPatch, tree: Tree
) -> Iterator[Session]:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_of_the_run))
    config = Config(CONFIG)
    assert config.errors == []
    session = load_session(request.param, config)
    assert session.setup(tree=tree), session.error_report
    yield session
    config.close()
    assert not session.is_active


def test_the_names_of_the_examples(session: Session) -> None:
    assert {"robx", "roby", "robz", "m0", "camera"} | COUNTERS <= set(session.object_names)
    assert len(session.measurement_groups) == 1
    (group,) = session.measurement_groups
    assert isinstance(group, MeasurementGroup) and group.counters
    assert session.scan_saving.container == scans_of(session.name)


def test_counters_can_be_read(session: Session) -> None:
    values = {name: session.env_dict[name].raw_read for name in sorted(COUNTERS)}
    assert all(np.isscalar(value) for value in values.values())
    assert session.env_dict["camera"].counters["image"].raw_read.shape == (256, 256)


def test_a_spectrum_and_its_regions(session: Session) -> None:
    names = session.env_dict
    scan = names["sct"](0.01, names["spectrum"], names["mca"].counter_groups.Fe)
    assert scan.get_data("spectrum").shape == (1, 1024)
    assert scan.get_data("Fe_det0") == scan.get_data("spectrum")[:, 620:660].sum()
    assert {"mca:spectrum", "mca:Fe_det0"} <= {channel.name for channel in scan.channels}


def test_the_beam_is_where_robx_is_at_zero(session: Session) -> None:
    robx, detector = session.env_dict["robx"], session.env_dict["sim_ct_gauss"]
    assert detector.raw_read == pytest.approx(1000)
    robx.move(1)
    assert detector.raw_read == pytest.approx(1000 * np.exp(-0.5), rel=1e-3)


def test_what_the_setup_files_offer(session: Session) -> None:
    names = session.env_dict
    robx = names["robx"]
    if session.name == "demo_session":
        assert names["align"](robx, -2, 2, intervals=8, count_time=0.001) == pytest.approx(0)
    else:
        robx.move(2)
        names["home"]()
    assert robx.position == pytest.approx(0, abs=1e-3)
