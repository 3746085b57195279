"""Thousands of scans that a shell shows while they run leave nothing behind in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.shell.conftest import OpenShell, environment, run

__all__ = ["environment", "run"]

STEPS = 6
SESSION = """
- {name: shown, class: Session, setup-file: ./shown.py, config-objects: [diodes]}
- {name: diodes, class: SimulatedDiodes, counters: [{name: diode1}, {name: diode2}]}
"""
SETUP = """
import gc, json
from pathlib import Path

def resident():
    gc.collect()
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

def scan_often(times, step, answer):
    told = []
    for _ in range(times):
        for _ in range(step):
            loopscan(3, 0, diodes)
        told.append(resident())
    Path(answer).write_text(json.dumps(told))
"""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


@pytest.mark.parametrize("nscans", [1800, pytest.param(10_200, marks=pytest.mark.slow)])
def test_memory_of_a_shell_is_flat(environment: Path, run: OpenShell, tmp_path: Path, nscans: int) -> None:
    (environment / "shown.yml").write_text(SESSION)
    (environment / "shown.py").write_text(SETUP)
    shell, answer = run("-s", "shown"), tmp_path / "resident.json"
    shell.wait_for("SHOWN [1]:", timeout=60)
    shell.type(f"scan_often({STEPS}, {nscans // STEPS}, {str(answer)!r})\n")
    shell.wait_for("SHOWN [2]:", timeout=800)
    told = json.loads(answer.read_text())
    assert "Scan" in shell.text and "3 points" in shell.text
    assert told[-1] - told[1] < 1024, told
