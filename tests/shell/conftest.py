"""A session without hardware, opened at a prompt in a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bliss_like.data.server import EmbeddedServer
from tests.shell.terminal import COLUMNS, ROWS, Terminal

SESSION = """
- name: tiny
  class: Session
  setup-file: ./setup.py
"""

SETUP = '''
import os
import sys
import time

import gevent


class Thing:
    """Something that is slow and must not be asked while a name is completed."""

    asked = 0

    @property
    def position(self):
        Thing.asked += 1
        return 1.5

    def move(self, target, wait=True):
        self.target = target

    def __info__(self):
        return "a thing"


thing = Thing()


def wait_for_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def sleeping(clean_up=lambda: None):
    try:
        print("sleeping")
        time.sleep(60)
    finally:
        print("cleaning up")
        clean_up()
        print("slept out")


def busy():
    try:
        print("busy")
        while True:
            sum(range(100))
    finally:
        print("not busy any more")


def stubborn():
    print("stubborn")
    while True:
        try:
            time.sleep(60)
        except BaseException:
            print("no")


def ticking():
    def tick():
        for number in range(1000):
            time.sleep(0.05)
            print("tick", number)

    gevent.spawn(tick)


def exit_in_background():
    gevent.spawn(sys.exit, 3).join()
'''

SHIPPED = Path(__file__).resolve().parent.parent.parent / "config"
OpenShell = Callable[..., Terminal]


@pytest.fixture
def environment(redis_server: EmbeddedServer, short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configuration and user directory of a person who has the session `tiny`; returns the configuration's directory."""
    config = short_directory / "config"
    config.mkdir()
    (config / "tiny.yml").write_text(SESSION)
    (config / "setup.py").write_text(SETUP)
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(config))
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory / "home"))
    return config


@pytest.fixture
def run(environment: Path) -> Iterator[OpenShell]:
    """A function that runs `bliss-like` with arguments, in a terminal."""
    terminals: list[Terminal] = []

    def run(
        *arguments: str, terminal: str = "xterm-256color", size: tuple[int, int] = (COLUMNS, ROWS), **variables: str
    ) -> Terminal:
        command = [sys.executable, "-m", "bliss_like.shell.main", *arguments]
        terminals.append(Terminal(command, {**os.environ, **variables}, terminal, size))
        return terminals[-1]

    yield run
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def shell(run: OpenShell) -> Terminal:
    """The session `tiny`, at its first prompt."""
    terminal = run("-s", "tiny")
    terminal.wait_for("TINY [1]:")
    return terminal


@pytest.fixture
def demo(environment: Path, run: OpenShell, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """The shipped session `demo_session`, at its first prompt."""
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(SHIPPED))
    terminal = run("-s", "demo_session")
    terminal.wait_for("DEMO_SESSION [1]:")
    return terminal
