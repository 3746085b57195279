"""Sequences of concurrent scans that are aborted at any moment: devices stopped, every end published, states right."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.data.server import EmbeddedServer

PROJECT = Path(__file__).parents[2]

pytestmark = [pytest.mark.soak, pytest.mark.timeout(150)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_aborts_at_any_moment(redis_server: EmbeddedServer, short_directory: Path, seed: int) -> None:
    environment = {
        **os.environ,
        "BLISS_LIKE_HOME": str(short_directory),
        "BLISS_LIKE_CONFIG": str(PROJECT / "config"),
        "PYTHONPATH": str(PROJECT),
    }
    command = [sys.executable, "-m", "tests.soak.aborted_sequences", str(seed), "60"]
    done = subprocess.run(command, env=environment, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
