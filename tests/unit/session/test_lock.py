"""One process per session: refused with who has it, given back however that one ends."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.errors import SessionError
from bliss_like.session.lock import SessionLock

HOLDER = """
import os, sys
from bliss_like.session.lock import SessionLock
lock = SessionLock("eh1")
lock.acquire()
if "fork" in sys.argv:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
print("held", flush=True)
sys.stdin.read()
"""
"""Holds the lock; with the word `fork`, "held" comes from a child, which lives on when its parent is killed."""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path))


@contextlib.contextmanager
def another_process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLDER, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_refused_while_another_process_has_it() -> None:
    with another_process() as holder, pytest.raises(SessionError) as raised:
        SessionLock("eh1").acquire()
    pattern = (
        rf"session 'eh1' is already open: process {holder.pid} on host {re.escape(socket.gethostname())} "
        r"\(user \w+\) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d. Use it there, or close it there first; "
        rf"if it hangs: `kill {holder.pid}` on {re.escape(socket.gethostname())}"
    )
    assert re.fullmatch(pattern, str(raised.value))


def test_another_session_is_free() -> None:
    with another_process():
        lock = SessionLock("eh2")
        lock.acquire()
        lock.release()


@pytest.mark.parametrize("words", [(), ("fork",)], ids=["alone", "with a child that lives on"])
def test_free_again_when_its_process_is_killed(words: tuple[str, ...]) -> None:
    with another_process(*words) as holder:
        with pytest.raises(SessionError):
            SessionLock("eh1").acquire()
        holder.send_signal(signal.SIGKILL)
        holder.wait(10)
        lock = SessionLock("eh1")
        lock.acquire()
        lock.release()


def test_free_again_when_released() -> None:
    first, second = SessionLock("eh1"), SessionLock("eh1")
    first.acquire()
    with pytest.raises(SessionError, match=f"session 'eh1' is already open: process {os.getpid()} on"):
        second.acquire()
    first.release()
    first.release()
    second.acquire()
    assert second.is_held and not first.is_held
    second.release()


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("not a directory")
    with pytest.raises(
        SessionError, match=r"session 'eh1': cannot write .*/sessions/eh1.lock: File exists; set \$BLISS_"
    ):
        SessionLock("eh1").acquire()
