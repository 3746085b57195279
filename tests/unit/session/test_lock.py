"""One process per session: refused with who has it, given back however that one ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.errors import SessionError
from bliss_like.session.lock import SessionLock

HOLDER = """
import sys
from bliss_like.session.lock import SessionLock
lock = SessionLock("eh1")
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path))


@pytest.fixture
def holder() -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"held\n"
    yield process
    process.kill()
    process.communicate()


def test_refused_while_another_process_has_it(holder: subprocess.Popen[bytes]) -> None:
    with pytest.raises(SessionError) as raised:
        SessionLock("eh1").acquire()
    pattern = (
        rf"session 'eh1' is already open: process {holder.pid} on host {re.escape(socket.gethostname())} "
        r"\(user \w+\) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d. Use it there, or close it there first; "
        rf"if it hangs: `kill {holder.pid}` on {re.escape(socket.gethostname())}"
    )
    assert re.fullmatch(pattern, str(raised.value))
    SessionLock("eh2").acquire()


def test_free_again_when_its_process_is_killed(holder: subprocess.Popen[bytes]) -> None:
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


def test_a_forked_child_does_not_keep_it() -> None:
    lock = SessionLock("eh1")
    lock.acquire()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(write)
        os.read(read, 1)  # until the parent is done
        os._exit(0)
    try:
        os.close(read)
        lock.release()
        again = SessionLock("eh1")
        again.acquire()
        again.release()
    finally:
        os.close(write)
        os.waitpid(child, 0)


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "sessions").write_text("not a directory")
    with pytest.raises(SessionError, match=r"session 'eh1': cannot write .*/sessions/eh1.lock: File exists; set \$BLISS_"):
        SessionLock("eh1").acquire()
