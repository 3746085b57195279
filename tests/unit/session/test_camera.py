"""A camera in a session: one session at a time drives it, its regions are in measurement groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.config.lock_space import LockSpace
from bliss_like.data.tree import Tree
from bliss_like.errors import AlreadyLockedDevices, SessionError
from bliss_like.session import Session

from .conftest import MakeSession

OBJECTS = """
- {name: cam, class: SimulatedCamera, width: 40, height: 30, axis_x: $robx, rois: {spot: [10, 5, 9, 9]}}
- {name: mg_cam, class: MeasurementGroup, counters: ["cam:roi_counters", "cam:bpm:x", "cam:spot"]}
"""


@pytest.fixture
def session(make_session: MakeSession, tree: Tree, tmp_path: Path) -> Session:
    session = make_session(
        f"config-objects: [robx, cam, mg_cam]\nscan_saving: {{base_path: {tmp_path}}}\n", objects=OBJECTS
    )
    assert session.setup(tree=tree), session.error_report
    return session


def test_one_session_at_a_time_exposes(session: Session, tree: Tree) -> None:
    names = session.env_dict
    cam, ct = names["cam"], names["ct"]
    other = LockSpace(tree.store.keys, "", "eh2")
    others = other.acquire(["cam"], purpose="ct")
    for counters in (cam, cam.image, cam.roi_counters, cam.counter_groups.spot, cam.bpm):
        with pytest.raises(AlreadyLockedDevices, match="^cam is in use by session eh2"):
            ct(0.001, counters)
    for expose in (cam.take_image, lambda time: cam.take_dark(time, "/tmp")):
        with pytest.raises(AlreadyLockedDevices, match="^cam is in use by session eh2"):
            expose(0.001)
    other.release(others)
    other.close()
    assert cam.take_image(0.001).shape == (30, 40)


def test_regions_in_measurement_groups(session: Session) -> None:
    names = session.env_dict
    stats = [f"cam:roi_counters:spot_{stat}" for stat in ("sum", "avg", "std", "min", "max")]
    assert names["mg_cam"].available == [*stats, "cam:bpm:x"]
    assert len(names["ct"](0.001).get_data("spot_sum")) == 1
    names["cam"].roi_counters["other"] = 0, 0, 2, 2
    assert "cam:roi_counters:other_sum" in names["mg_cam"].available
    del names["cam"].roi_counters["spot"]
    with pytest.raises(
        SessionError, match=r"no counter 'cam:spot'.*; to go on without it: mg_cam.disable\('cam:spot'\)"
    ):
        names["ct"](0.001)
