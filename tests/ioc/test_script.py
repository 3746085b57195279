"""`scripts/mini_beamline`, as a person uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.iocs import ROOT


@pytest.fixture
def mini_beamline_script(tmp_path: Path) -> list[str]:
    command = [sys.executable, str(ROOT / "scripts" / "mini_beamline"), "--state", str(tmp_path / "state.json")]
    yield command
    subprocess.run([*command, "stop"], check=True, timeout=30)


def test_start_environment_stop(mini_beamline_script: list[str], tmp_path: Path) -> None:
    def run(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*mini_beamline_script, command], capture_output=True, text=True, timeout=60)

    absent = run("environment")
    assert absent.returncode != 0
    assert "start it with: scripts/mini_beamline start" in absent.stderr
    started = run("start")
    assert started.returncode == 0
    assert "export EPICS_CA_ADDR_LIST=127.0.0.1:" in started.stdout
    assert run("environment").stdout == run("start").stdout == started.stdout
    assert run("stop").returncode == 0
    assert run("environment").returncode != 0
    assert list(tmp_path.iterdir()) == []
