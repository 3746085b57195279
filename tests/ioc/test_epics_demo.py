"""The session `epics_demo` that comes with the project: scans of a beamline that nobody here wrote."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import numpy as np
import pytest

from bliss_like.config import Config
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import AxisLimitError, UserAbort
from bliss_like.session import load_session
from tests.iocs import ROOT, Ioc


@pytest.fixture
def names(mini_beamline: Ioc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What the session offers at its prompt."""
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = Config(ROOT / "config")
    session = load_session("epics_demo", config)
    assert session.setup(tree=Tree(MemoryStore())), session.errors
    yield session.env_dict
    config.close()


def test_an_edge_is_an_edge(names: dict[str, Any]) -> None:
    edge = names["edge"]
    scan = names["ascan"](edge, 2, 8, 4, 0.1, names["edge_det"], names["ring_current"], save=False)
    data = scan.get_data()
    assert data[edge].tolist() == [2, 3.5, 5, 6.5, 8]
    expected = [100 * math.erfc(-(position - 5) / 2.5) for position in data[edge]]
    measured = data[names["edge_det"]] / data[names["ring_current"]]
    # The ring swings by 5 % within the half second between a value of the detector and one of the current.
    np.testing.assert_allclose(measured, expected, rtol=0.15)


def test_a_scan_beyond_the_limits_moves_nothing(names: dict[str, Any]) -> None:
    slit = names["slit"]
    position = slit.position
    with pytest.raises(AxisLimitError, match="slit: 24 is above its high limit 20"):
        names["ascan"](slit, 0, 30, 5, 0.1, names["slit_det"], save=False)
    assert slit.position == position


def test_an_aborted_scan_leaves_its_motor_at_rest(names: dict[str, Any]) -> None:
    pinhole = names["pinhole"]
    scan = names["ascan"](pinhole, -15, 15, 200, 0.1, names["pinhole_det"], save=False, run=False)
    running = gevent.spawn(scan.run)
    with gevent.Timeout(30):
        while not pinhole.is_moving:
            gevent.sleep(0.01)
    running.kill(UserAbort, timeout=30)
    assert scan.state is ScanState.USER_ABORTED
    assert not pinhole.is_moving
    position = pinhole.position
    gevent.sleep(0.3)
    assert pinhole.position == position
