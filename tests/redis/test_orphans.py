"""A session that is killed in the middle of a scan: what was published stays, and the next session ends the scan."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.data.counting import npoints_of
from bliss_like.data.node import ScanNode, get_node, get_session_node
from bliss_like.data.orphans import end_orphans
from bliss_like.data.redis_store import RedisStore
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

        try:
            wait_until(lambda: points() > 5)
        finally:
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


AROUND = """
from bliss_like.session import load_session
session = load_session("test_session")
session.setup()
names = session.env_dict
names["mv"](names["roby"], 1)
names["dscan"](names["roby"], -0.5, 0.5, 10_000, 0.01, names["diode"])
"""


def test_the_user_is_told_once_where_the_axes_of_a_killed_scan_stood(
    redis_server: EmbeddedServer,
    short_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(PROJECT / "config"))
    monkeypatch.setenv("COLUMNS", "1000")
    with subprocess.Popen([sys.executable, "-c", AROUND], cwd=PROJECT) as process:
        path = f"{scans_of('test_session')}:1_dscan"

        def points() -> int:
            node = get_node(path)
            lengths = {one.db_name: len(one) for one in node.channels()} if isinstance(node, ScanNode) else {}
            return npoints_of(lengths, path, is_whole=False)

        wait_until(lambda: points() > 3)
        process.kill()
    npoints = points()
    assert end_orphans(RedisStore(redis_server.url), "test_session") == [path]  # as a writer does, or `recover`
    config = get_config(PROJECT / "config")
    session = load_session("test_session", config)
    assert session.setup(verbose=True), session.error_report
    names = session.env_dict
    told = capsys.readouterr().out.splitlines()[-1]
    at = re.sub(r".*(?: it is| it still moves, and is) at ([\d.]+) mm.*", r"\1", told)
    assert float(at) == pytest.approx(
        names["roby"].position, abs=0.001
    )  # it may have been on its way to the next point
    assert told.replace("still moves, and ", "") == (
        f"Scan 1 (dscan: ascan roby 0.5 1.5 10000 0.01) was cut off at {npoints} of 10001 points; "
        f"roby stood at 1 mm before it, it is at {at} mm; mv(roby, 1) brings it back."
    )
    names["mv"](names["roby"], 1)
    session.close()
    assert session.setup(verbose=True), session.error_report
    assert "cut off" not in capsys.readouterr().out
    session.close()
    config.close()
