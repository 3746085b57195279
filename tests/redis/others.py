"""Another process on the beamline of a test, which is told what to do, and asked what it sees."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

from bliss_like.config.locks import lslock
from tests.waiting import wait_until

SESSION = """
from gevent import monkey
monkey.patch_all(thread=False, queue=False)
import sys
import gevent
from bliss_like.config.channels import Channel, EventChannel
from bliss_like.config.locks import lock
from bliss_like.session import load_session
session = load_session("eh2")
assert session.setup(), session.error_report
names = {**session.env_dict, "Channel": Channel, "EventChannel": EventChannel, "lock": lock}
print("ready", flush=True)
in_thread = gevent.get_hub().threadpool.apply  # its greenlets go on while it waits to be told
for line in iter(lambda: in_thread(sys.stdin.readline), ""):
    try:
        exec(line, names)
        print("done", flush=True)
    except Exception as error:
        print(f"{type(error).__name__}: {error}", flush=True)
"""
"""Session eh2, patched as at the prompt; runs the lines it is given, and answers each with `done` or the error."""


class Other:
    """Another process that is told what to do."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid

    def begin(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip()

    def do(self, line: str) -> str:
        self.begin(line)
        return self.answer()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


@contextlib.contextmanager
def another(program: str, *words: str) -> Iterator[Other]:
    command = [sys.executable, "-c", program, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        other = Other(process)
        try:
            assert other.answer() == "ready"
            yield other
        finally:
            process.kill()


def until_free(*names: str) -> None:
    """Wait until nobody has these devices: a motion gives them back a moment after it has ended."""
    wait_until(lambda: not any(holder.name in names for holder in lslock()))


def seen(eh2: Other, expression: str) -> bool:
    """Whether it becomes true in the other session."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if eh2.do(f"assert {expression}") == "done":
            return True
    return False
