"""Scans that are ended by what they call themselves, which cannot wait for the end that waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from bliss_like.data.lifecycle import ScanState
from bliss_like.errors import UserAbort
from bliss_like.scanning.chain import AcquisitionChain
from bliss_like.scanning.presets import ChainIterationPreset, ChainPreset, ScanPreset
from bliss_like.scanning.scan import Scan
from tests.unit.scanning.making import Device, Log, Reader, in_background, timer_scan

VERBS = ("prepare", "trigger", "wait_ready", "reading", "stop")


class OfScan(ScanPreset):
    def __init__(self, does: dict[str, Callable[[], None]]) -> None:
        self._does = does

    def _call(self, verb: str) -> None:
        self._does.get(f"scan {verb}", lambda: None)()

    def prepare(self, scan: Scan) -> None:
        self._call("prepare")

    def start(self, scan: Scan) -> None:
        self._call("start")

    def stop(self, scan: Scan) -> None:
        self._call("stop")


class OfPoint(ChainIterationPreset):
    def __init__(self, does: dict[str, Callable[[], None]]) -> None:
        self._does = does

    def start(self) -> None:
        self._does.get("point start", lambda: None)()

    def stop(self) -> None:
        self._does.get("point stop", lambda: None)()


class OfPoints(ChainPreset):
    def __init__(self, does: dict[str, Callable[[], None]]) -> None:
        self._point = OfPoint(does)

    def get_iterator(self, chain: AcquisitionChain) -> Iterator[ChainIterationPreset]:
        while True:
            yield self._point


@pytest.mark.parametrize("how", ["stop", "abort"])
@pytest.mark.parametrize("where", [*VERBS, "scan prepare", "scan start", "scan stop", "point start", "point stop"])
@pytest.mark.parametrize("ndevices", [1, 2])
def test_a_scan_that_is_ended_by_what_it_calls(how: str, where: str, ndevices: int) -> None:
    does = {where: lambda: getattr(scan, how)()}
    verbs = {verb: call for verb, call in does.items() if verb in VERBS}
    devices = [Device("one", Log(), **verbs), Reader("other", Log(), npoints=5, **verbs)]
    if where == "reading":
        devices.reverse()
    scan = timer_scan(*devices[:ndevices], npoints=5)
    scan.add_preset(OfScan(does))
    scan.acq_chain.add_preset(OfPoints(does))
    error = in_background(scan).get(timeout=5)
    is_late = "stop" in (where, where.removeprefix("scan "))
    if how == "abort":
        assert isinstance(error, UserAbort) and scan.state in (ScanState.USER_ABORTED, *[ScanState.DONE] * is_late)
    else:
        assert error is None and scan.state is ScanState.DONE
