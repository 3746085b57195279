"""Processes that are killed in the middle of a scan: afterwards its file has every point that was published, and no other.

The same at many more moments: tests/soak/test_killed_scans.py.
"""

from __future__ import annotations

import random

from bliss_like.data.node import get_node
from tests.killing import Beamline
from tests.waiting import wait_until

NPOINTS = 300


def test_each_is_killed_in_turn(beamline: Beamline, dice: random.Random) -> None:
    moments = [dice.randrange(NPOINTS) for _ in range(3)]
    with beamline.session() as eh1:

        def begin(number: int) -> None:
            eh1.begin(f"count({NPOINTS})")
            wait_until(lambda: beamline.length(number) >= moments[number - 1])

        begin(1)
        beamline.kill_writer()
        assert eh1.answer() == "done", beamline.writer_log()
        begin(2)
        beamline.server.kill()
        beamline.server.start()
        assert eh1.answer() == "done", beamline.writer_log()
        for scan in beamline.scans():
            beamline.check(scan, NPOINTS, NPOINTS)  # by itself
        begin(3)
        eh1.kill()
        beamline.kill_writer()
    scan = beamline.scans()[2]
    listed = beamline.recover("--list")
    assert listed.returncode == 1, listed
    assert "Session eh1: 1 not saved; no writer lives" in listed.stdout and f"process {eh1.pid} on" in listed.stdout
    done = beamline.recover(scan)
    event = beamline.check(scan, moments[2], NPOINTS)
    assert done.returncode == 0 and f"{scan}: ended and completed in {event.file}::/3.1" in done.stdout
    node = get_node(scan, beamline.store)
    assert node is not None and node.info["state"] == "KILLED"
    assert beamline.recover().stdout == "Nothing is left to be saved.\n"
