"""What the screen says when devices or the data server freeze, are lost, and come back."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest

from tests.conftest import RestartableServer
from tests.iocs import Ioc, mini_beamline
from tests.shell.conftest import SHIPPED, OpenShell
from tests.shell.terminal import Terminal

__all__ = ["mini_beamline"]

PATIENCE = 60.0
"""Seconds: time-outs of the control system are waited for."""


def wait_for(terminal: Terminal, pattern: str) -> None:
    terminal.wait_for(lambda: re.search(pattern, terminal.text), PATIENCE)


def test_an_ioc_that_freezes_and_one_that_is_lost(
    mini_beamline: Ioc, environment: Path, run: OpenShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(SHIPPED))
    shell, watch = run("-s", "epics_demo"), run("watch", "epics_demo")
    shell.wait_for("EPICS_DEMO [1]:")
    watch.wait_for(" epics_demo ")
    try:
        shell.type("ascan(pinhole, 0, 20, 200, 0.1, ring_current, save=False)\n")
        wait_for(shell, r"\n +1 .* 0\.1000")
        mini_beamline.freeze()
        for terminal in (shell, watch):
            wait_for(terminal, r" %  \d+/201  waiting \d+ s for \w")
        shell.interrupt()
        mini_beamline.thaw()
        shell.wait_for("EPICS_DEMO [2]:", PATIENCE)
        assert "waiting" not in shell.text

        shell.type("pinhole.velocity = 0.5; umv(pinhole, -18)\n")
        wait_for(shell, r"\nuser +-[1-9]")
        mini_beamline.freeze()
        wait_for(shell, r"\nwaiting \d+ s for (an answer of pinhole|pinhole to stop)")
        shell.interrupt()
        wait_for(shell, r"\nstopping, waiting \d+ s for .*pinhole")
        shell.interrupt()
        wait_for(shell, r"\nwaiting \d+ s for .*pinhole.* \(press Ctrl-C once more to give up on that\)")
        mini_beamline.thaw()
        shell.wait_for("EPICS_DEMO [3]:", PATIENCE)

        shell.type("pinhole.velocity = 10; ascan(pinhole, 0, 20, 200, 0.1, ring_current, save=False)\n")
        wait_for(shell, r"\[3\](.|\n)*\n +1 .* 0\.1000")
        mini_beamline.kill()
        shell.wait_for("EPICS_DEMO [4]:", PATIENCE)
        assert " ".join(shell.text.split()).count("the connection to its IOC is lost") == 1
    finally:
        with contextlib.suppress(ProcessLookupError):
            mini_beamline.thaw()
        mini_beamline.start()


def test_a_data_server_that_freezes(
    server_that_can_be_restarted: RestartableServer,
    environment: Path,
    run: OpenShell,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = server_that_can_be_restarted
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(SHIPPED))
    monkeypatch.setenv("BLISS_LIKE_REDIS", server.url)
    shell, watch = run("-s", "demo_session"), run("watch", "demo_session")
    shell.wait_for("DEMO_SESSION [1]:")
    watch.wait_for(" demo_session ")
    server.freeze()
    wait_for(shell, r"WARNING: the data server \S+ does not answer: scans wait for it")
    wait_for(watch, r" demo_session .* the data server has not answered for \d+ s")
    shell.type("loopscan(3, 0.01, diode, save=False)\n")
    wait_for(shell, r"\nwaiting \d+ s for the data server")
    server.thaw()
    wait_for(shell, r"\nThe data server answers again, after \d+ s\.")
    shell.wait_for("DEMO_SESSION [2]:", PATIENCE)
    assert shell.text.count("does not answer:") == shell.text.count("answers again") == 1
    assert "waiting" not in shell.text and " done: 3 points" in shell.text
