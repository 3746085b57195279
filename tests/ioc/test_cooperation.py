"""Channel Access in the process of a user: patched as the shell patches, with other greenlets that want their turn."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.iocs import ROOT, Ioc
from tests.patched import PATCHED, keeps_nobody_waiting

IN_A_PATCHED_PROCESS = "BLISS_LIKE_TESTS_PATCHED"

pytestmark = pytest.mark.skipif(IN_A_PATCHED_PROCESS in os.environ, reason="this is the patched process")


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_all_tests_of_this_directory_pass_in_a_patched_process() -> None:
    run = subprocess.run(
        [*PATCHED, "--module", "pytest", "-q", "-p", "no:cacheprovider", str(Path(__file__).parent)],
        cwd=ROOT,
        env={**os.environ, IN_A_PATCHED_PROCESS: "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "passed" in run.stdout


def test_no_call_keeps_the_other_greenlets_waiting(mini_beamline: Ioc, tmp_path: Path) -> None:
    """Gets, a motion, a count, an image, an absent variable; the ticker's largest gap is what a user's Ctrl-C waits."""
    story = """
        from bliss_like.controllers.signal_axes import SignalAxes
        from bliss_like.controllers.signal_counters import SignalCounters
        from bliss_like.devices.signal import open_signal
        from bliss_like.errors import NotConnectedError
        from tests.unit.devices.making import make

        motor = {"name": "ph", "setpoint": "ca://mini:ph:mtr", "tolerance": 1e-3}
        axis = make(SignalAxes, "motors", axes=[motor]).axes["ph"]
        counter = {"name": "det", "signal": "ca://mini:ph:det"}
        det = make(SignalCounters, "detectors", counters=[counter]).counters["det"]
        axis.position, det.raw_read  # connected: libca is loaded

        def absent():
            try:
                open_signal("ca://mini:nothing", timeout=1).get()
            except NotConnectedError:
                return "not found"

        begin_to_tick()
        image = open_signal("ca://mini:dot:det")
        work = [
            gevent.spawn(axis.rmove, 1),
            gevent.spawn(lambda: det.raw_read),
            gevent.spawn(absent),
            gevent.spawn(lambda: [open_signal("ca://mini:current").get() for _ in range(200)]),
            gevent.spawn(lambda: [image.get() for _ in range(3)]),
        ]
        gevent.joinall(work, raise_error=True, timeout=30)
        assert work[2].value == "not found"
        assert len(work[3].value) == 200
    """
    assert keeps_nobody_waiting(0.6, story, tmp_path)  # a call that blocks takes 0.7 s and more
