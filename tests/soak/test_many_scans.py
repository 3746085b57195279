"""Three thousand scans in one session leave no more behind than three hundred."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.data.server import EmbeddedServer

PROJECT = Path(__file__).parents[2]

pytestmark = [pytest.mark.soak, pytest.mark.timeout(150)]


def test_nothing_grows_but_the_data(redis_server: EmbeddedServer, short_directory: Path) -> None:
    environment = {
        **os.environ,
        "BLISS_LIKE_HOME": str(short_directory),
        "BLISS_LIKE_CONFIG": str(PROJECT / "config"),
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "tests.soak.many_scans", "3000", "300"]
    done = subprocess.run(command, env=environment, cwd=PROJECT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    lines = done.stderr.decode().splitlines()
    assert done.returncode == 0, done.stderr.decode()
    first, second, *_, last = [json.loads(line) for line in lines if line.startswith("{")]
    for what in ("greenlets", "threads", "files", "connections"):
        assert last[what] <= second[what] + 2, (what, second, last)  # a thread that is idle ends, with its connection
    assert last["objects"] - second["objects"] < 500, (second, last)
    assert last["resident_kib"] - second["resident_kib"] < 4096, (second, last)
    per_scan = (second["keys"] - first["keys"]) / 300
    assert last["keys"] - second["keys"] == pytest.approx(per_scan * (3000 - 600), abs=3)
    assert last["seconds_per_scan"] < 2 * first["seconds_per_scan"], (first, last)
