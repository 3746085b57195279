"""Ten random moments for each process of a scan to be killed at: its file has every point that was published, and no other."""

from __future__ import annotations

import os
import random
import signal
import time

import pytest

from tests.killing import Beamline
from tests.redis.others import Other
from tests.waiting import wait_until

NPOINTS = 800
TIMES = 10
SEQUENCE = """
from bliss_like.scanning.group import Sequence
def several():
    with Sequence().sequence_context() as sequence:
        while True:
            sequence.add_and_run(counting(20))
"""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(400)]


def moments(dice: random.Random) -> list[int]:
    """Return after how many points to kill: once at the beginning, once at the end, and between them."""
    return [0, *(dice.randrange(NPOINTS) for _ in range(TIMES - 2)), NPOINTS]


def run_until(moment: int, beamline: Beamline, eh1: Other) -> int:
    """Begin a scan and return its number when it has so many points, which may be all of them."""
    number = len(beamline.scans()) + 1
    eh1.begin(f"count({NPOINTS})")
    wait_until(lambda: beamline.length(number) >= moment)
    return number


@pytest.mark.parametrize("whom", [["writer"], ["server"], ["writer", "server"]])
def test_a_session_goes_on_by_itself(whom: list[str], beamline: Beamline, dice: random.Random) -> None:
    with beamline.session() as eh1:
        for moment in moments(dice):
            number = run_until(moment, beamline, eh1)
            kill(whom, beamline, eh1, dice)
            told = eh1.answer()
            if moment == 0 and told.startswith("StoreUnavailable"):
                assert len(beamline.scans()) < number  # it did not begin
                continue
            assert told == "done", told + beamline.writer_log()
            beamline.check(beamline.scans()[number - 1], NPOINTS, NPOINTS)


@pytest.mark.parametrize("whom", [["session"], ["session", "writer"], ["session", "server"], ["all"]])
def test_what_a_killed_session_has_published_is_recovered(
    whom: list[str], beamline: Beamline, dice: random.Random
) -> None:
    for moment in moments(dice):
        with beamline.session() as eh1:
            number = run_until(moment, beamline, eh1)
            kill(whom, beamline, eh1, dice)
        if dice.random() < 0.5:
            beamline.recover_all()
        else:
            with beamline.session() as eh1:  # the next one recovers by itself
                wait_until(lambda eh1=eh1: eh1.do("gevent.sleep(0.5)") and nothing_is_left(beamline))  # type: ignore[misc]
        for scan in beamline.scans()[number - 1 :]:  # killed early, it was never announced
            beamline.check(scan, moment, NPOINTS)


def nothing_is_left(beamline: Beamline) -> bool:
    return beamline.recover("--list").returncode == 0


def kill(whom: list[str], beamline: Beamline, eh1: Other, dice: random.Random) -> None:
    """Kill some of the processes, in any order; a server comes back after a while."""
    processes = {"session": eh1.pid, "writer": beamline.writer().pid, "server": beamline.server.pid}
    chosen = list(processes) if whom == ["all"] else whom
    for name in dice.sample(chosen, len(chosen)):
        time.sleep(dice.choice([0.0, dice.uniform(0, 0.05)]))
        if name == "server":
            beamline.server.kill()
        else:
            os.kill(processes[name], signal.SIGKILL)
    if "session" in chosen:
        eh1.process.wait(10)
    if "server" in chosen:
        time.sleep(dice.uniform(0, 1))
        beamline.server.start()


def test_a_sequence_and_its_scans(beamline: Beamline, dice: random.Random) -> None:
    for _ in range(3):
        with beamline.session() as eh1:
            assert eh1.do(f"exec({SEQUENCE!r}, globals())") == "done"
            nscans = len(beamline.scans())
            eh1.begin("several()")
            wait_until(lambda limit=nscans + dice.randrange(1, 6): len(beamline.scans()) > limit)  # type: ignore[misc]
            kill(dice.choice([["session"], ["session", "writer"], ["all"]]), beamline, eh1, dice)
        beamline.recover_all()
        for scan in beamline.scans()[nscans:]:
            beamline.check(scan)
