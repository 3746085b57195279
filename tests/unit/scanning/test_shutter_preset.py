"""A shutter that scans open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gevent
import pytest

from bliss_like.controllers.simulated.shutter import SimulatedShutter
from bliss_like.devices import events
from bliss_like.devices.counter import SamplingCounter
from bliss_like.devices.events import ShutterEvent
from bliss_like.devices.shutter import BaseShutterState
from bliss_like.errors import DeviceError, ScanUsageError, UserAbort
from bliss_like.scanning.scan import Scan
from bliss_like.scanning.shutter_preset import ShutterPreset
from bliss_like.scans import ascan
from tests.unit.devices.making import Notes, make, make_axis
from tests.unit.scanning.making import Values, in_background, memory_environment

OPEN, CLOSED = BaseShutterState.OPEN, BaseShutterState.CLOSED


@pytest.fixture(autouse=True)
def memory() -> Iterator[None]:
    with memory_environment():
        yield


class Beamline:
    """An axis, a shutter, and a counter that sees whether it is open and whether the axis moves."""

    def __init__(self) -> None:
        self.axis = make_axis("x", velocity=1000, acceleration=1e6)
        self.shutter = make(SimulatedShutter, "fs", opening_time=0.001, closing_time=0.001)
        self.counter = Values("sees", lambda: [float(self.shutter.is_open and not self.axis.is_moving)])
        self.counter.create_counter(SamplingCounter, "light")
        self.states = Notes()
        events.connect(self.shutter, ShutterEvent.STATE, self.states.take)

    def scan(self, each: Any) -> Scan:
        scan = ascan(self.axis, 0, 2, 2, 0.001, self.counter, run=False, save=False)
        assert scan is not None
        scan.acq_chain.add_preset(ShutterPreset(self.shutter, each=each))
        return scan


@pytest.mark.parametrize(("each", "times"), [("point", 3), ("scan", 1)])
def test_it_is_open_while_there_is_counted(each: str, times: int) -> None:
    beamline = Beamline()
    scan = beamline.scan(each)
    scan.run()
    assert list(scan.get_data("light")) == [1, 1, 1]
    assert beamline.states.count(OPEN) == times
    assert beamline.shutter.state is CLOSED


@pytest.mark.parametrize("each", ["point", "scan"])
@pytest.mark.parametrize("error", [UserAbort(), ZeroDivisionError()])
def test_it_is_closed_however_the_scan_ends(each: str, error: BaseException) -> None:
    beamline = Beamline()
    counting = gevent.event.Event()

    def count() -> list[float]:
        counting.set()
        if isinstance(error, ZeroDivisionError):
            raise error
        gevent.sleep(10)
        return [0.0]

    beamline.counter._read = count
    running = in_background(beamline.scan(each))
    assert counting.wait(5)
    running.kill(type(error), timeout=5)
    assert running.ready()
    assert OPEN in beamline.states
    assert beamline.shutter.state is CLOSED


@pytest.mark.parametrize("each", ["point", "scan"])
def test_a_shutter_that_may_not_open_ends_the_scan(each: str) -> None:
    beamline = Beamline()
    beamline.shutter.forbidden = "hutch EH1 is not searched"
    with pytest.raises(DeviceError, match="fs stays closed: hutch EH1 is not searched"):
        beamline.scan(each).run()
    assert beamline.counter.nreadings == 0


def test_for_each_what() -> None:
    with pytest.raises(ScanUsageError, match="each: expected 'point' or 'scan', got 'line'"):
        ShutterPreset(Beamline().shutter, each="line")  # type: ignore[arg-type]
