"""The end of a process that has used a control system which does not answer any more."""

from __future__ import annotations

import subprocess
import sys

from tests.iocs import Ioc

PROGRAM = """
import sys
from bliss_like.devices.signal import open_signal

print(open_signal("ca://mini:ph:mtr").get() > -100, flush=True)
sys.stdin.read()
"""


def test_a_process_ends_although_its_ioc_is_frozen(mini_beamline: Ioc) -> None:
    command = [sys.executable, "-c", PROGRAM]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "True\n"
    mini_beamline.freeze()
    try:
        assert process.communicate("", timeout=20) == ("", "")  # by itself libca would wait for 30 s
    finally:
        mini_beamline.thaw()
        process.kill()
    assert process.returncode == 0
