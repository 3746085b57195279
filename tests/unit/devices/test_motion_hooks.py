"""Motion hooks: told of what moves, in order; a veto moves nothing; what was begun is always ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gevent
import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis, Motion
from bliss_like.devices.axis_group import move
from bliss_like.devices.motion_hook import MotionHook
from bliss_like.errors import AxisStopped, DeviceError, UserAbort
from tests.unit.devices.making import make
from tests.waiting import wait_until

SLOW = {"velocity": 10.0, "acceleration": 1000.0}


class Hook(MotionHook):
    """Notes its calls, and fails or waits where it is told to."""

    def __init__(self, name: str, notes: list[str]) -> None:
        super().__init__(name, None)
        self.notes = notes
        self.fails_in: set[str] = set()
        self.waits_in: set[str] = set()

    def _note(self, what: str, motions: Sequence[Motion]) -> None:
        self.notes.append(f"{self.name} {what} {' '.join(motion.axis.name for motion in motions)}".strip())
        if what in self.waits_in:
            gevent.sleep(10)
        if what in self.fails_in:
            raise DeviceError(f"{self.name} says no to {what}")

    def init(self) -> None:
        self._note("init", [])

    def pre_move(self, motion_list: Sequence[Motion]) -> None:
        self._note("pre", motion_list)

    def post_move(self, motion_list: Sequence[Motion]) -> None:
        self._note("post", motion_list)


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def air(notes: list[str]) -> Hook:
    return Hook("air", notes)


@pytest.fixture
def brake(notes: list[str]) -> Hook:
    return Hook("brake", notes)


def made(**hooks: list[Hook]) -> dict[str, Axis]:
    axes: list[dict[str, Any]] = [{"name": name, "motion_hooks": each, **SLOW} for name, each in hooks.items()]
    return make(SimulatedMotors, "motors", axes=axes).axes


def test_in_their_order_before_and_in_the_reverse_order_after(air: Hook, brake: Hook, notes: list[str]) -> None:
    robx = made(robx=[air, brake])["robx"]
    robx.move(0.1)
    assert notes == ["air init", "air pre robx", "brake init", "brake pre robx", "brake post robx", "air post robx"]
    notes.clear()
    robx.move(0.1)  # it is there
    assert notes == []
    robx.move(0.2)
    assert notes == ["air pre robx", "brake pre robx", "brake post robx", "air post robx"]


def test_axes_that_share_one_are_told_together(air: Hook, brake: Hook, notes: list[str]) -> None:
    axes = made(robx=[air], roby=[brake, air], robz=[])
    move(axes["robx"], 0.1, axes["roby"], 0.1, axes["robz"], 0.1)
    assert [note for note in notes if "init" not in note] == [
        "air pre robx roby",
        "brake pre roby",
        "brake post roby",
        "air post robx roby",
    ]


def test_a_veto_moves_nothing_and_all_that_were_begun_are_ended(air: Hook, brake: Hook, notes: list[str]) -> None:
    robx = made(robx=[air, brake])["robx"]
    brake.fails_in = {"pre"}
    with pytest.raises(DeviceError, match="brake says no to pre"):
        robx.move(1)
    assert notes[-2:] == ["brake post robx", "air post robx"]
    assert robx.position == 0
    assert not robx.is_moving
    brake.fails_in = set()
    robx.move(0.1)
    assert robx.position == pytest.approx(0.1)


def test_one_that_fails_at_the_end_does_not_keep_the_others_from_it(air: Hook, brake: Hook, notes: list[str]) -> None:
    robx = made(robx=[air, brake])["robx"]
    brake.fails_in = {"post"}
    with pytest.raises(DeviceError, match="brake says no to post"):
        robx.move(0.1)
    assert notes[-1] == "air post robx"
    assert robx.position == pytest.approx(0.1)


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_a_stop_interrupts_a_hook_that_waits(air: Hook, brake: Hook, notes: list[str], way: str) -> None:
    robx = made(robx=[air, brake])["robx"]
    brake.waits_in = {"pre"}
    moving = gevent.spawn(robx.move, 1)
    wait_until(lambda: gevent.sleep(0.001) or "brake pre robx" in notes)
    if way == "stop":
        robx.stop()
        with pytest.raises(AxisStopped):
            moving.get(timeout=5)
    else:
        moving.kill(UserAbort("Ctrl-C"), timeout=5)
    assert moving.dead
    assert notes[-2:] == ["brake post robx", "air post robx"]
    assert robx.position == 0
    assert not robx.is_moving


def test_a_motion_that_is_stopped_ends_its_hooks(air: Hook, notes: list[str]) -> None:
    robx = made(robx=[air])["robx"]
    robx.move(100, wait=False)
    wait_until(lambda: gevent.sleep(0.001) or robx.position > 0.5)
    robx.stop()
    assert notes[-1] == "air post robx"


def test_a_motion_that_fails_ends_its_hooks(air: Hook, notes: list[str]) -> None:
    axes: list[dict[str, Any]] = [{"name": "robx", "motion_hooks": [air], "fault": "start"}]
    robx = make(SimulatedMotors, "motors", axes=axes).axes["robx"]
    with pytest.raises(DeviceError, match="refuses to start"):
        robx.move(1)
    assert notes[-1] == "air post robx"


def test_home_and_limit_searches_and_jogs_have_them_too(air: Hook, notes: list[str]) -> None:
    axes: list[dict[str, Any]] = [{"name": "robx", "motion_hooks": [air], "hard_high_limit": 0.2, **SLOW}]
    robx = make(SimulatedMotors, "motors", axes=axes).axes["robx"]
    robx.hw_limit(1)
    assert notes == ["air init", "air pre robx", "air post robx"]
    robx.jog(-5)
    assert notes[-1] == "air pre robx"
    robx.stop()
    assert notes[-1] == "air post robx"


def test_out_of_limits_asks_no_hook(air: Hook, notes: list[str]) -> None:
    axes: list[dict[str, Any]] = [{"name": "robx", "motion_hooks": [air], "high_limit": 1}]
    robx = make(SimulatedMotors, "motors", axes=axes).axes["robx"]
    with pytest.raises(ValueError, match="above its high limit"):
        robx.move(2)
    assert notes == []
