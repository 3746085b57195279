"""The shipped session at a prompt: scans run, and Ctrl-C stops what moves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.places import scans_of
from tests.shell.conftest import SHIPPED, OpenShell
from tests.shell.terminal import Terminal


def test_a_scan_shows_what_it_was(demo: Terminal) -> None:
    demo.type("loopscan(3, 0.01, diode)\n")
    demo.wait_for("Scan 1 done: 3 points")
    demo.wait_for("DEMO_SESSION [2]:")
    assert "Out [1]" not in demo.text  # all of it stands above
    demo.type("SCANS[-1]\n")
    demo.wait_for("Scan 1: loopscan 3 0.01, DONE")
    demo.type("len(SCANS[-1].get_data()[diode])\n")
    demo.wait_for("Out [3]: 3")


def test_ctrl_c_stops_a_scan_and_its_motor(demo: Terminal) -> None:
    until_it_moves = "[gevent.sleep(0.01) for _ in iter(lambda: robx.is_moving, True)]"
    demo.type(
        f"robx.velocity = 1; import gevent; watch = gevent.spawn(lambda: ({until_it_moves}, print('o' + 'ff')))\n"
    )
    demo.wait_for("DEMO_SESSION [2]:")
    demo.type("ascan(robx, 0, 90, 9, 0.1, diode)\n")
    demo.wait_for("\noff")
    demo.interrupt()
    demo.wait_for("DEMO_SESSION [3]:")
    assert "\nInterrupted" in demo.text
    demo.type("SCANS[-1].state.name, robx.state.READY, robx.is_moving, robx.position < 90\n")
    demo.wait_for("Out [3]: ('USER_ABORTED', True, False, True)")


def test_ctrl_c_lets_go_on_what_is_in_the_background(demo: Terminal) -> None:
    demo.type(
        "watched = start_monitoring('ring', 0.01, diode, sleep_time=0.01); print('o' + 'ff'); timescan(1, diode)\n"
    )
    demo.wait_for("\noff")
    demo.interrupt()
    demo.wait_for("DEMO_SESSION [2]:")
    assert "\nInterrupted" in demo.text
    demo.type(
        "import time; n = watched.points; [time.sleep(0.01) for _ in iter(lambda: watched.points > n, True)]; n > 0\n"
    )
    demo.wait_for("DEMO_SESSION [3]:")
    demo.type("MONITORING_SCANS\n")
    demo.wait_for("RUNNING")
    assert "Error" not in demo.text


def test_ctrl_c_stops_a_motor(demo: Terminal) -> None:
    demo.type("robx.velocity = 1; print('off'); robx.move(90)\n")
    demo.wait_for("\noff")
    demo.interrupt()
    demo.wait_for("DEMO_SESSION [2]:")
    demo.type("robx.is_moving, robx.position < 90\n")
    demo.wait_for("Out [2]: (False, True)")


def test_limits_are_one_line(demo: Terminal) -> None:
    demo.type("ascan(robx, 0, 5000, 10, 0.1, diode)\n")
    demo.wait_for("DEMO_SESSION [2]:")
    assert "AxisLimitError: robx:" in demo.text
    assert "Traceback" not in demo.text


def test_groups_and_sequences_as_the_documentation_has_them(
    environment: Path, run: OpenShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(SHIPPED))
    terminal = run("-s", "test_session")
    text = (SHIPPED.parent / "docs" / "groups.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    for number, block in enumerate(blocks, 1):
        terminal.wait_for(f"TEST_SESSION [{number}]:")
        terminal.type(f"\x1b[200~{block.rstrip()}\x1b[201~")  # pasted, as terminals mark it
        terminal.wait_for(block.rstrip().splitlines()[-1].strip())
        terminal.type("\x1b\n")
    terminal.wait_for(f"TEST_SESSION [{len(blocks) + 1}]:")
    channel = f"{scans_of('test_session')}:8_sequence_of_scans:GroupingMaster:scans"
    assert f"event.NEW_NODE {channel}" in terminal.text and f"event.NEW_DATA {channel}" in terminal.text
    assert "Error" not in terminal.text
