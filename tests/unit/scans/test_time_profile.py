"""Where the time of a scan went, by a clock that stands still while code runs."""

from __future__ import annotations

from typing import Any

import pytest
from gevent import sleep, spawn_later

from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import ScanError, UserAbort
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.environment import environment
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan
from bliss_like.scans import ascan, dscan, loopscan
from bliss_like.standard import time_profile
from tests.clock import Clock
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, end_of


@pytest.fixture
def diode() -> SamplingCounter:
    return Values("card", lambda: [1.0]).create_counter(SamplingCounter, "diode")


def profile(scan: Scan | None) -> dict[str, Any]:
    assert scan is not None
    assert end_of(scan).info["time_profile"] == scan.scan_info["time_profile"]
    return {name: pytest.approx(seconds, abs=0.1) for name, seconds in scan.scan_info["time_profile"].items()}


def test_of_a_scan_that_moves(clock: Clock, diode: SamplingCounter) -> None:
    robx = make_axis(velocity=1.0, acceleration=1e6)
    scan = dscan(robx, -5, 5, 5, 2, diode, sleep_time=0.5, stab_time=1)
    told = {"prepare": 5 + 1, "motion": 5 * (2 + 1), "count": 6 * 2, "sleep": 5 * 0.5, "readout": 0, "stop": 5}
    assert profile(scan) == told


def test_of_a_slow_counter(clock: Clock) -> None:
    def read() -> list[float]:
        sleep(3)
        return [1.0]

    slow = Values("card", read).create_counter(SamplingCounter, "slow")
    told = {"prepare": 0, "motion": 0, "count": 4 * 1, "sleep": 0, "readout": 4 * 2, "stop": 0}
    assert profile(loopscan(4, 1, slow)) == told


def test_of_a_scan_that_is_interrupted(clock: Clock, diode: SamplingCounter) -> None:
    class Impatient(ScanPreset):
        def start(self, scan: Scan) -> None:
            spawn_later(20, scan.abort, wait=False)

    robx = make_axis(velocity=1.0, acceleration=1e6)
    scan: Any = ascan(robx, 0, 100, 2, 1, diode, run=False)
    scan.add_preset(Impatient())
    with pytest.raises(UserAbort):
        scan.run()
    assert profile(scan) == {"prepare": 0, "motion": 19, "count": 1, "sleep": 0, "readout": 0, "stop": 0}


def test_what_is_shown(clock: Clock, diode: SamplingCounter, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ScanError, match="there is no scan yet"):
        time_profile()
    robx = make_axis(velocity=1.0, acceleration=1e6)
    first = dscan(robx, -5, 5, 5, 2, diode)
    loopscan(2, 1, diode, save=False)
    for given in (None, first, getattr(first, "node", None), 1):
        time_profile(given)
    last, *others = capsys.readouterr().out.split("Scan")[1:]
    assert last.startswith(" (loopscan 2 1): 2 points\n") and "motion" not in last
    assert others[0] == others[1] == others[2]
    lines = others[0].splitlines()
    assert lines[0] == " 1 (ascan robx -5 5 5 2): 6 points"
    rows = {line.split()[0]: line.split()[1:] for line in lines[3:]}
    assert list(rows) == ["prepare", "motion", "count", "readout", "stop", "rest", "total"]
    assert [float(cell) for cell in rows["count"][:3]] == pytest.approx([12, 37.5, 2000], rel=0.01)
    assert [float(cell) for cell in rows["motion"][:3]] == pytest.approx([10, 31.2, 1667], rel=0.01)
    assert float(rows["total"][0]) == pytest.approx(32, rel=0.01)


def test_of_a_scan_that_runs(clock: Clock, diode: SamplingCounter) -> None:
    refused: list[ScanError] = []

    class Curious(ScanPreset):
        def start(self, scan: Scan) -> None:
            with pytest.raises(ScanError) as caught:
                time_profile(scan)
            refused.append(caught.value)

    scan: Any = loopscan(1, 0, diode, run=False)
    scan.add_preset(Curious())
    scan.run()
    assert [str(error) for error in refused] == ["Scan 1 (loopscan 1 0): where its time went is not known: it runs"]
    assert environment.scans[-1] is scan


def test_of_a_chain_that_somebody_has_made(clock: Clock) -> None:
    chain = AcquisitionChain()
    chain.add(SoftwareTimerMaster(2.0, npoints=3, name="first"))
    chain.add(SoftwareTimerMaster(1.0, npoints=9, name="other"))
    scan = Scan(chain, "mine")
    scan.run()
    assert profile(scan) == {"prepare": 0, "motion": 0, "count": 3 * 2, "sleep": 0, "readout": 0, "stop": 0}
