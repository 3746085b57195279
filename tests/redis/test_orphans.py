"""A session that is killed in the middle of a scan: what was published stays, and the next session ends the scan."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.data.node import ScanNode, get_node, get_session_node
from bliss_like.data.server import EmbeddedServer
from bliss_like.session import load_session
from tests.places import scans_of
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]

ENDLESS = """
from bliss_like.session import load_session
session = load_session("test_session")
session.setup()
session.env_dict["timescan"](0.01, session.env_dict["diode"])
"""


def test_a_killed_scan_is_ended_by_the_next_session(
    redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(PROJECT / "config"))
    with subprocess.Popen([sys.executable, "-c", ENDLESS], cwd=PROJECT) as process:
        path = f"{scans_of('test_session')}:1_timescan"

        def points() -> int:
            node = get_node(path)
            return len(node.get_data("elapsed_time")) if isinstance(node, ScanNode) and node.channels() else 0

        wait_until(lambda: points() > 5)
        process.kill()
    npoints = points()
    config = get_config(PROJECT / "config")
    session = load_session("test_session", config)
    assert session.setup(), session.error_report
    *_, end = get_session_node("test_session").walk_events("scan", wait=False)
    assert end.type.name == "END_SCAN" and end.data is not None
    assert (
        end.data.description
        == f"ProcessDied: process {process.pid} on {end.node.info['host']} died before the end of the scan"
    )
    assert end.node.info["state"] == "KILLED" and points() == npoints
    running = session.env_dict["loopscan"](1, 0.01, session.env_dict["diode"])
    assert running.scan_number == 2  # numbers go on
    session.close()
    config.close()
