"""Motion hooks of the axes of a scan."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis, Motion
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.motion_hook import MotionHook
from bliss_like.errors import DeviceError
from bliss_like.scanning.scan import ScanState
from bliss_like.scans import dscan
from tests.unit.devices.making import make
from tests.unit.scanning.making import Values


class Hook(MotionHook):
    def __init__(self) -> None:
        super().__init__("hook", None)
        self.notes: list[str] = []
        self.fails_in = ""

    def _note(self, what: str, axes: Sequence[Axis]) -> None:
        self.notes.append(f"{what} {' '.join(axis.name for axis in axes)} at {axes[0].position:g}")
        if what == self.fails_in:
            raise DeviceError(f"no {what}")

    def pre_scan(self, axes_list: Sequence[Axis]) -> None:
        self._note("pre_scan", axes_list)

    def post_scan(self, axes_list: Sequence[Axis]) -> None:
        self._note("post_scan", axes_list)

    def pre_move(self, motion_list: Sequence[Motion]) -> None:
        self._note("pre_move", [motion.axis for motion in motion_list])


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def robx(hook: Hook) -> Axis:
    axes = [{"name": "robx", "initial_position": 1, "motion_hooks": [hook]}]
    return make(SimulatedMotors, "motors", axes=axes).axes["robx"]


@pytest.fixture
def diode() -> SamplingCounter:
    return SamplingCounter("diode", Values("diodes", lambda: [1.0]))


def test_told_before_it_begins_and_when_the_axes_are_back(robx: Axis, hook: Hook, diode: SamplingCounter) -> None:
    dscan(robx, 1, 2, 2, 0, diode)
    assert [note for note in hook.notes if "scan" in note] == ["pre_scan robx at 1", "post_scan robx at 1"]
    assert hook.notes[0] == "pre_scan robx at 1"
    assert hook.notes[-2:] == ["pre_move robx at 3", "post_scan robx at 1"]


def test_a_veto_of_a_scan(robx: Axis, hook: Hook, diode: SamplingCounter) -> None:
    hook.fails_in = "pre_scan"
    scan = dscan(robx, 1, 2, 2, 0, diode, run=False)
    with pytest.raises(DeviceError, match="no pre_scan"):
        scan.run()
    assert hook.notes == ["pre_scan robx at 1", "post_scan robx at 1"]
    assert scan.state is ScanState.KILLED
