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

import pytest

from bliss_like.config.lock_space import LockSpace
from bliss_like.config.sharing import sharing
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.errors import SessionError
from bliss_like.session.lock import SessionLock

HOLDER = """
import os, sys
from bliss_like.config.sharing import sharing
from bliss_like.session.lock import SessionLock
lock = SessionLock("eh1")
lock.acquire(sharing().locks)
if "fork" in sys.argv:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
print("held", flush=True)
sys.stdin.read()
"""
"""Holds the lock; with the word `fork`, "held" comes from a child, which lives on when its parent is killed."""


@pytest.fixture
def locks(redis_server: EmbeddedServer) -> Iterator[LockSpace]:
    locks = LockSpace(RedisStore(redis_server.url).keys, sharing().beamline)
    yield locks
    locks.close()


@contextlib.contextmanager
def another_process(*words: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", HOLDER, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"held\n"
            yield process
        finally:
            process.kill()


def test_refused_while_another_process_has_it(locks: LockSpace) -> None:
    with another_process() as holder, pytest.raises(SessionError) as raised:
        SessionLock("eh1").acquire(locks)
    pattern = (
        rf"session 'eh1' is already open: process {holder.pid} on host {re.escape(socket.gethostname())} "
        r"\(user \w+\) since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d[+-]\d\d:\d\d. Use it there, or close it there first; to look on: `bliss-like watch eh1`; "
        rf"if it hangs: `kill {holder.pid}` on {re.escape(socket.gethostname())}; "
        r"if that host is no more, it is free 60 s after its end"
    )
    assert re.fullmatch(pattern, str(raised.value))


def test_another_session_is_free(locks: LockSpace) -> None:
    with another_process():
        lock = SessionLock("eh2")
        lock.acquire(locks)
        lock.release()


@pytest.mark.parametrize("words", [(), ("fork",)], ids=["alone", "with a child that lives on"])
def test_free_again_at_once_when_its_process_is_killed(locks: LockSpace, words: tuple[str, ...]) -> None:
    with another_process(*words) as holder:
        with pytest.raises(SessionError):
            SessionLock("eh1").acquire(locks)
        holder.send_signal(signal.SIGKILL)
        holder.wait(30)
        lock = SessionLock("eh1")
        lock.acquire(locks)
        lock.release()


def test_free_again_when_its_process_has_died_and_nobody_has_looked(locks: LockSpace) -> None:
    with another_process() as holder:
        holder.send_signal(signal.SIGKILL)
        os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # it is over, but its parent has not asked: a zombie
        lock = SessionLock("eh1")
        lock.acquire(locks)
        lock.release()


def test_free_again_when_released(locks: LockSpace) -> None:
    first, second = SessionLock("eh1"), SessionLock("eh1")
    first.acquire(locks)
    elsewhere = LockSpace(locks.keys, locks.beamline)
    with pytest.raises(SessionError, match=f"session 'eh1' is already open: process {os.getpid()} on"):
        second.acquire(elsewhere)
    first.release()
    first.release()
    second.acquire(elsewhere)
    assert second.is_held and not first.is_held
    second.release()
