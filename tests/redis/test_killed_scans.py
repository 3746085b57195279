"""Processes that are killed in the middle of a scan: afterwards its file has every point that was published, and no other.

The same at many more moments: tests/soak/test_killed_scans.py.
"""

from __future__ import annotations

import os
import random
import signal
import threading

import pytest

from bliss_like.data.node import get_node
from bliss_like.data.saving import progress, saved
from bliss_like.data.threads import begin_thread
from bliss_like.data.tree import Tree
from bliss_like.writers import process
from bliss_like.writers.process import Until, serve
from tests.killing import Beamline, points_in
from tests.publishing import PublishedScan
from tests.waiting import wait_until

NPOINTS = 300


def test_each_is_killed_in_turn(beamline: Beamline, dice: random.Random) -> None:
    moments = [dice.randrange(NPOINTS) for _ in range(3)]
    with beamline.session() as eh1:

        def begin(number: int, npoints: int = NPOINTS, held_at: int = -1) -> None:
            eh1.begin(f"count({npoints}, held_at={held_at})")
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
        begin(3, 10 * NPOINTS, 9 * NPOINTS)
        os.kill(eh1.pid, signal.SIGSTOP)  # so that neither has time to do something about the other
        beamline.kill_writer()
        eh1.kill()
    scan = beamline.scans()[2]
    listed = beamline.recover("--list")
    assert listed.returncode == 1, listed
    assert "Session eh1: 1 not saved; no writer lives" in listed.stdout and f"process {eh1.pid} on" in listed.stdout
    done = beamline.recover(scan)
    event = beamline.check(scan, moments[2], 10 * NPOINTS - 1)
    assert done.returncode == 0 and f"{scan}: ended and completed in {event.file}::3.1" in done.stdout
    node = get_node(scan, beamline.store)
    assert node is not None and node.info["state"] == "KILLED"
    assert beamline.recover().stdout == "Nothing is left to be saved.\n"


def test_a_writer_without_session_and_server_ends(beamline: Beamline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ALONE", 0.1)
    info = {"data_writer": "nexus", "filename": str(beamline.base / "data.h5"), "uid": "0" * 32, "host": "elsewhere"}
    scan = PublishedScan(Tree(beamline.store), info=info).prepare().emit([1.0])
    scan.publisher.flush()
    ended = threading.Event()

    def write() -> None:
        serve("eh1", beamline.store, until=Until(parent=-1))
        ended.set()

    begin_thread(write, "writer")
    wait_until(lambda: sum(progress(beamline.store, scan.path).values()) == 1)
    assert not ended.is_set()  # the scan may go on
    beamline.server.kill()
    assert ended.wait(30)
    beamline.server.start()
    beamline.recover("--end", scan.path)
    beamline.recover_all()  # the writer, a thread here, is believed to live for a moment
    event = saved(beamline.store, [scan.path])[0]
    assert event is not None and points_in(event)["timer:diode"].tolist() == [1.0]
