"""A writer is killed at any instant, also in the middle of a commit: what was committed is there for whoever opens the file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("seed", "kills"),
    [(0, 8), *(pytest.param(n, 150, marks=[pytest.mark.soak, pytest.mark.timeout(600)]) for n in (1, 2, 3))],
)
def test_nothing_that_was_committed_is_lost(tmp_path: Path, seed: int, kills: int) -> None:
    command = [sys.executable, "-m", "tests.files.killed_writers", str(tmp_path / "a.h5"), str(seed), str(kills)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert sum(said["deaths"].values()) == kills and "in silence" not in said["deaths"], said
    # A block with a check sum that lies across two pages may be half written. Whoever writes next finishes it.
    assert len(said["broken"]) <= kills / 50, said
    assert said["entries"] > kills / 4 and said["points"] > 0
    assert [each.name for each in tmp_path.iterdir()] == ["a.h5"]
