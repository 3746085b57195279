"""IcePAP in the process of a user: patched as the shell patches, with other greenlets that want their turn."""

from __future__ import annotations

from pathlib import Path

from tests.icepap.simulator import Simulator
from tests.patched import keeps_nobody_waiting
from tests.proxy import Proxy

STORY = """
import sys
from bliss_like.controllers.icepap import IcePAP
from bliss_like.errors import NotConnectedError
from tests.unit.devices.making import make

axes = [{"name": f"m{n}", "address": n, "velocity": 1000, "acceleration": 1e4, "tolerance": 1} for n in (1, 2, 11)]
icepap = make(IcePAP, "ice", host="127.0.0.1", port=int(sys.argv[1]), timeout=2, axes=axes)
away = make(IcePAP, "away", host="192.0.2.1", timeout=1, axes=[{"name": "m", "address": 1}]).axes["m"]
m1, m2, m11 = icepap.axes.values()
m1.position  # the client is imported
def unreachable():
    try:
        away.position
    except NotConnectedError:
        return "not connected"

begin_to_tick()
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
"""


def test_no_call_keeps_the_other_greenlets_waiting(simulator: Simulator, proxy: Proxy, tmp_path: Path) -> None:
    """Moves, reads, one given up, and a host that does not answer, over a line that needs 20 ms for an answer."""
    proxy.delay = 0.02
    assert keeps_nobody_waiting(0.8, STORY, tmp_path, proxy.port)  # a call that blocks would take 1 s
