"""Thousands of scans in one session leave no more behind than hundreds, and a million points cost what the first ones do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bliss_like.data.server import EmbeddedServer

PROJECT = Path(__file__).parents[2]

pytestmark = pytest.mark.soak


def said_by(home: Path, program: str, *arguments: int) -> list[dict[str, Any]]:
    """Run a program of this directory with a server; return what it says in JSON."""
    environment = {
        **os.environ,
        "BLISS_LIKE_HOME": str(home),
        "BLISS_LIKE_CONFIG": str(PROJECT / "config"),
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", f"tests.soak.{program}", *map(str, arguments)]
    done = subprocess.run(command, env=environment, cwd=PROJECT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr.decode()
    return [json.loads(line) for line in done.stderr.decode().splitlines() if line.startswith("{")]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("nscans", "step"), [(3000, 300), pytest.param(10_200, 600, marks=pytest.mark.slow)])
def test_nothing_grows_but_the_data(
    redis_server: EmbeddedServer, short_directory: Path, nscans: int, step: int
) -> None:
    first, second, *_, last = said_by(short_directory, "many_scans", nscans, step)
    for what in ("greenlets", "threads", "files", "connections"):
        assert last[what] <= second[what] + 2, (what, second, last)  # a thread that is idle ends, with its connection
    assert last["objects"] - second["objects"] < 500, (second, last)
    assert last["resident_kib"] - second["resident_kib"] < 4096, (second, last)
    per_scan = (second["keys"] - first["keys"]) / step
    assert last["keys"] - second["keys"] == pytest.approx(per_scan * (nscans - 2 * step), abs=3)
    assert last["seconds_per_scan"] < 2 * first["seconds_per_scan"], (first, last)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("npoints", [200_000, pytest.param(1_000_000, marks=pytest.mark.slow)])
def test_the_last_points_cost_what_the_first_did(
    redis_server: EmbeddedServer, short_directory: Path, npoints: int
) -> None:
    (said,) = said_by(short_directory, "million_points", npoints)
    assert said["npoints"] == [npoints, npoints] and said["in_order"]
    assert said["last_rate"] > said["first_rate"] / 3  # the pace of the machine changes, too
    assert said["grown_kib"] < 32 * 1024
