"""Which process this is, in words by which another one can tell whether it is still there."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any


def this_process() -> dict[str, Any]:
    """Return what the info of a scan says of the process that runs it."""
    running = _running(os.getpid())
    known = {"host": socket.gethostname(), "pid": os.getpid()}
    return {**known, "pid_started": running[1]} if running else known


def identity() -> dict[str, Any]:
    """Return what is to be kept beside something that this process holds and another one may want."""
    return {**this_process(), "user": _user(), "machine": _machine()}


def is_gone(process: Mapping[str, Any]) -> bool:
    """Return whether a process has surely ended. One of another host, or of another container, may always be there.

    :param process: what `this_process` has returned there, or, which makes it surer, `identity`.
    """
    pid = process.get("pid")
    if not isinstance(pid, int) or process.get("host") != socket.gethostname():
        return False
    if process.get("machine", _machine()) != _machine():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    running = _running(pid)
    if running is None:
        return False
    state, started = running
    known = process.get("pid_started", process.get("started"))  # its name of old
    return state in "ZX" or known not in (None, started)  # a pid comes again


def is_stopped(pid: int) -> bool:
    """Return whether a process of this host is held, by a signal or a debugger, as far as the system says that."""
    running = _running(pid)
    return running is not None and running[0] in "Tt"


@cache
def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return str(os.getuid())


@cache
def _machine() -> str:
    """Return what tells apart hosts, boots and containers that have the same host name; empty if that is not known."""
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _running(pid: int) -> tuple[str, int] | None:
    """Return the state of a process (Z: it has ended) and when it began, in ticks; None where the system does not say."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return words[0], int(words[19])
    except (OSError, ValueError, IndexError):
        return None
