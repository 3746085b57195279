"""IcePAP in the process of a user: patched as the shell patches, with other greenlets that want their turn."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.icepap.simulator import Simulator
from tests.iocs import ROOT
from tests.proxy import Proxy

PATCHED = [sys.executable, "-m", "gevent.monkey", "--no-thread", "--no-queue"]
"""What `bliss_like/shell/main.py` does: `patch_all(thread=False, queue=False)`."""

STORY = """
import sys, time
import gevent
from bliss_like.controllers.icepap import IcePAP
from bliss_like.errors import NotConnectedError
from tests.unit.devices.making import make

axes = [{"name": f"m{n}", "address": n, "velocity": 1000, "acceleration": 1e4, "tolerance": 1} for n in (1, 2, 11)]
icepap = make(IcePAP, "ice", host="127.0.0.1", port=int(sys.argv[1]), timeout=2, axes=axes)
away = make(IcePAP, "away", host="192.0.2.1", timeout=1, axes=[{"name": "m", "address": 1}]).axes["m"]
m1, m2, m11 = icepap.axes.values()
m1.position  # the client is imported
gaps = []

def tick():
    last = time.perf_counter()
    while True:
        gevent.sleep(0.002)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

def unreachable():
    try:
        away.position
    except NotConnectedError:
        return "not connected"

ticker = gevent.spawn(tick)
work = [
    gevent.spawn(m1.move, 500),
    gevent.spawn(m2.move, -300),
    gevent.spawn(unreachable),
    gevent.spawn(lambda: [icepap.read_positions(m1, m2, m11) for _ in range(20)]),
]
impatient = gevent.spawn(gevent.with_timeout, 0.01, icepap.read_position, m11, timeout_value="gave up")
gevent.joinall([*work, impatient], raise_error=True, timeout=20)
assert work[2].value == "not connected"
assert impatient.value == "gave up"
assert (m1.position, m2.position, m11.position) == (500, -300, 0)
print(len(gaps), max(gaps))
"""


def test_no_call_keeps_the_other_greenlets_waiting(simulator: Simulator, proxy: Proxy, tmp_path: Path) -> None:
    """Moves, reads, one given up, and a host that does not answer, over a line that needs 20 ms for an answer."""
    story = tmp_path / "story.py"
    story.write_text(textwrap.dedent(STORY))
    proxy.delay = 0.02
    run = subprocess.run(
        [*PATCHED, str(story), str(proxy.port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    ticks, largest_gap = run.stdout.split()
    assert int(ticks) > 100
    assert float(largest_gap) < 0.25  # a call that blocks would take 1 s
