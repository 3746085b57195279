"""A session on an IOC that is there, and on one that is not: it comes up, says so, and has waited once."""

from __future__ import annotations

import time
from pathlib import Path

import gevent
import pytest

from bliss_like.config import Config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.devices.signal import open_signal
from bliss_like.errors import NotConnectedError
from bliss_like.session import load_session
from tests.iocs import Ioc

YAML = """
- name: optics
  class: SignalAxes
  axes:
    - {name: pinhole, setpoint: "ca://mini:ph:mtr", velocity_signal: "ca://mini:ph:vel"}
    - {name: edge, setpoint: "ca://mini:edge:mtr", velocity_signal: "ca://gone:edge:vel"}
- name: detectors
  class: SignalCounters
  counters: [{name: det, signal: "ca://mini:ph:det"}]
- name: old_optics
  class: SignalAxes
  axes: [%s]
- {name: s, class: Session, config-objects: [pinhole, edge, det, "old*"]}
"""

AXIS = '{name: old%d, setpoint: "ca://gone:%d", velocity_signal: "ca://gone:%d.VELO"}'


def test_a_dead_ioc_costs_its_timeout_once(mini_beamline: Ioc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path / "home"))
    (tmp_path / "all.yml").write_text(YAML % ", ".join(AXIS % ((number,) * 3) for number in range(15)))
    config = Config(tmp_path)
    for there in ("ph:mtr", "ph:vel", "edge:mtr", "ph:det"):
        open_signal(f"ca://mini:{there}", timeout=30).get()  # found in time, however busy the machine is
    session = load_session("s", config)
    began = time.monotonic()
    assert session.setup(tree=Tree(MemoryStore())) is False
    assert 2 <= time.monotonic() - began < 45  # 31 process variables are not there, and each may take 2 s
    try:
        assert len(session.object_names) == 19
        edge, *old = session.errors
        assert all(isinstance(error, NotConnectedError) for error in session.errors)
        assert str(edge).startswith("edge: process variable gone:edge:vel was not found within 2 s. Is its IOC running")
        assert [str(error).partition(":")[0] for error in old] == sorted(f"old{number}" for number in range(15))
        assert str(old[0]).endswith("The same with ca://gone:0.VELO")
        summary = session.summary.text(80)
        assert "The same with: old0" in summary and len(summary.splitlines()) < 16
        assert session.env_dict["pinhole"].controller._drives[session.env_dict["pinhole"]].setpoint.connected
        scan = session.env_dict["loopscan"](2, 0, session.env_dict["det"])
        assert len(scan.get_data("det")) == 2
    finally:
        config.close()


def test_what_comes_back_needs_no_new_session(
    mini_beamline: Ioc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path / "home"))
    text = '- {name: c, class: SignalCounters, counters: [{name: det, signal: "ca://mini:slit:det", fresh: false}]}\n'
    (tmp_path / "all.yml").write_text(text + "- {name: s, class: Session, config-objects: [det]}\n")
    mini_beamline.kill()
    config = Config(tmp_path)
    session = load_session("s", config)
    try:
        assert session.setup(tree=Tree(MemoryStore())) is False
        det = session.env_dict["det"]
        mini_beamline.start()
        with gevent.Timeout(45):
            while _fails(det):
                gevent.sleep(0.05)
        assert session.env_dict["ct"](0, det).get_data("det").size == 1
    finally:
        mini_beamline.start()
        config.close()


def _fails(counter: object) -> bool:
    try:
        counter.raw_read  # type: ignore[attr-defined]  # noqa: B018
    except NotConnectedError:
        return True
    return False
