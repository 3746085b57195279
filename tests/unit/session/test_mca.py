"""An analyser in a session: its regions outlive it, its counters have aliases and places in measurement groups."""

from __future__ import annotations

import numpy as np
import pytest

from bliss_like.config import get_config
from bliss_like.config.lock_space import LockSpace
from bliss_like.data.tree import Tree
from bliss_like.errors import AlreadyLockedDevices
from bliss_like.session import Session

from .conftest import MakeSession

SESSION = """
config-objects: [robx, sdd, other, mg_sdd]
aliases: [{original_name: "sdd:Fe", alias_name: iron}]
"""
OBJECTS = """
- name: sdd
  class: SimulatedMCA
  elements: [0, 1]
  spectrum_size: 1024
  emitters: [{symbol: Fe, rate: 1.0e+6, axes: [$robx], spots: [{center: [1], sigma: 0.2}]}]
  background: 0
  rois:
    Fe: {low: 6.2, high: 6.6}
- {name: other, class: SimulatedMCA, is_critical: false, rois: {Fe: [620, 660]}}
- {name: mg_sdd, class: MeasurementGroup, counters: ["sdd:Fe", sdd]}
"""


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session(SESSION, objects=OBJECTS)
    assert session.setup(tree=tree), session.error_report
    assert get_config().check() == []
    return session


def test_two_of_them_with_the_same_names(session: Session) -> None:
    names = session.env_dict
    scan = names["ascan"](names["robx"], 0, 2, 4, 0.002, names["iron"], names["other"].counter_groups.Fe)
    assert {channel.name for channel in scan.channels if "Fe" in channel.name or "iron" in channel.name} == {
        "sdd:iron",
        "other:Fe_det0",
    }
    assert scan.get_data("sdd:iron").argmax() == 2
    names["other"].is_plugged = False
    scan = names["ct"](0.002, names["iron"], names["other"].counter_groups.Fe)
    assert np.isnan(scan.get_data("other:Fe_det0")).all()


def test_one_session_at_a_time_counts_with_it(session: Session, tree: Tree) -> None:
    other = LockSpace(tree.store.keys, "", "eh2")
    others = other.acquire(["sdd"], purpose="ct")
    with pytest.raises(AlreadyLockedDevices, match="^sdd is in use by session eh2"):
        session.env_dict["ct"](0.001, session.env_dict["iron"])
    other.release(others)
    other.close()
    iron = session.env_dict["iron"]
    assert session.env_dict["ct"](0.001, iron).get_data(iron).shape == (1,)


def test_regions_are_kept_and_seen_by_groups(make_session: MakeSession, session: Session, tree: Tree) -> None:
    names = session.env_dict
    names["sdd"].rois.set("all", 0, 1024)
    names["sdd"].rois.set("Fe", 600, 680)
    assert "sdd:all" in names["mg_sdd"].available
    names["mg_sdd"].disable("*")
    names["mg_sdd"].enable("sdd:all", "*spectrum_det1")
    session.close()
    get_config().close()
    again = make_session(SESSION, objects=OBJECTS)
    assert again.setup(tree=tree), again.error_report
    names = again.env_dict
    assert dict(names["sdd"].rois) == {"Fe": (600, 680), "all": (0, 1024)}
    assert dict(names["other"].rois) == {"Fe": (620, 660)}
    assert names["mg_sdd"].enabled == ["sdd:spectrum_det1", "sdd:all"]
    scan = names["ct"](0.001)
    assert [channel.name for channel in scan.channels if channel.name.startswith("sdd")] == [
        "sdd:spectrum_det1",
        "sdd:all",
    ]
    names["sdd"].rois.reset()
    assert dict(names["sdd"].rois) == {"Fe": (620, 660)}
    assert "sdd:all" not in names["mg_sdd"].available
