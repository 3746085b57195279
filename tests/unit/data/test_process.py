"""Whether the process that has left its name is still there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.data.process import identity, is_gone, is_stopped, this_process
from tests.waiting import wait_until

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="this system tells only which pids there are"
)


def ended() -> int:
    """Return the pid of a process that has ended."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(60)
    return process.pid


def test_this_one_is_there() -> None:
    assert not is_gone(this_process()) and not is_gone(identity())


def test_one_that_has_ended() -> None:
    assert is_gone({**this_process(), "pid": ended()})
    assert is_gone({**identity(), "pid": ended()})


@needs_proc
def test_one_that_has_ended_and_was_not_waited_for() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_gone({**this_process(), "pid": process.pid})


@needs_proc
def test_another_one_of_the_same_pid() -> None:
    assert is_gone({**identity(), "pid_started": 1}) and is_gone({**this_process(), "pid_started": 1})
    assert is_gone({"host": this_process()["host"], "pid": os.getpid(), "started": 1})  # as it was once written


@needs_proc
def test_what_cannot_be_known_from_here() -> None:
    dead = ended()
    assert not is_gone({**identity(), "pid": dead, "host": "elsewhere"})
    assert not is_gone({**identity(), "pid": dead, "machine": "another container"})
    assert not is_gone({})
    assert not is_gone({"host": this_process()["host"], "pid": "12"})
    assert not is_gone({"host": this_process()["host"], "pid": 1})  # of another user


@needs_proc
def test_one_that_is_held() -> None:
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        assert not is_stopped(process.pid)
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: is_stopped(process.pid))
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: not is_stopped(process.pid))
        process.kill()
    assert not is_stopped(process.pid)
