"""Find or start the embedded Redis-compatible server when no URL is configured: one per user, shared by all processes.

`redis_url()` is all that most callers need. Standard library only, and nothing listens on a network: the server is
reached through a unix socket that belongs to the user.

Everything is in one directory (`$BLISS_LIKE_HOME`, else `bliss_like` in the user's data directory)::

    server.lock     held by whoever starts or stops the server; the kernel drops it when that process dies
    data.lock       held by the server itself, as an inherited descriptor, for as long as it lives: no second server can
                    open the same files, whatever became of the socket or of the process that started it
    server.json     where the server of this directory is (socket, pid, host)
    server.log      its log
    appendonlydir   its data: an append-only file, synced every second

The socket is in a short directory of the user below /tmp, as a path may hold about 100 bytes. $XDG_RUNTIME_DIR would be
wrong: it is emptied at logout, and the server outlives that.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from ..errors import StoreUnavailable
from .server_program import server_program

URL_VARIABLE = "BLISS_LIKE_REDIS"
HOME_VARIABLE = "BLISS_LIKE_HOME"

LONGEST_SOCKET_PATH = 103  # sockaddr_un holds 104 bytes on macOS, 108 on Linux, the closing zero included
ANSWER_TIMEOUT = 5.0  # seconds; a server that forks for a rewrite on a busy machine may need one
START_TIMEOUT = 30.0  # seconds; reading 1 GB of data back takes about 10
STOP_TIMEOUT = 30.0

_started: list[subprocess.Popen[bytes]] = []
"""Servers started by this process: a Popen that is forgotten while its process runs gives a warning."""


@dataclass(frozen=True)
class ServerStatus:
    """What a running embedded server says of itself; memory in bytes, uptime in seconds."""

    url: str
    pid: int
    version: str
    memory: int
    keys: int
    uptime: int
    data_dir: Path
    log: Path


def redis_url() -> str:
    """Return the URL of the Redis server to use: `$BLISS_LIKE_REDIS`, else that of the embedded server, started if needed.

    :raises StoreUnavailable: no server runs and none could be started; the message says why and what to do.
    """
    url = os.environ.get(URL_VARIABLE, "")
    if not url:
        return EmbeddedServer().ensure()
    if "://" not in url:
        raise StoreUnavailable(
            f"${URL_VARIABLE} is {url!r}: expected a URL such as redis://localhost:6379, rediss://..., "
            f"unix:///path or, for a cluster, redis+cluster://host:6379"
        )
    return url


def user_directory() -> Path:
    """Return where the user's data are: `$BLISS_LIKE_HOME`, else `bliss_like` in the data directory (`$XDG_DATA_HOME`)."""
    if own := os.environ.get(HOME_VARIABLE):
        return Path(own).absolute()
    base = os.environ.get("XDG_DATA_HOME", "")
    return (Path(base) if os.path.isabs(base) else Path.home() / ".local" / "share") / "bliss_like"


def is_configured() -> bool:
    """Return whether `$BLISS_LIKE_REDIS` names a server, so that the embedded one is not used."""
    return bool(os.environ.get(URL_VARIABLE))


def status() -> ServerStatus | None:
    """Return what the embedded server says of itself; None when it does not run."""
    return EmbeddedServer().status()


def stop() -> bool:
    """Stop the embedded server, its data safe on disk; return False when it did not run.

    :raises StoreUnavailable: it runs but does not stop.
    """
    return EmbeddedServer().stop()


def masked(url: str) -> str:
    """Return `url` fit for messages and logs: without its password."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))


class EmbeddedServer:
    """The server of one directory.

    :param home: the directory; by default that of the user.
    :param ephemeral: the server dies with this process, if its main thread starts it on Linux; call `stop` in any case.
        For tests.
    """

    def __init__(self, home: Path | None = None, *, ephemeral: bool = False) -> None:
        self.home = (home or user_directory()).absolute()
        self.ephemeral = ephemeral
        if home or os.environ.get(HOME_VARIABLE):
            self.socket = self.home / "redis.sock"
        else:
            digest = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:8]
            self.socket = Path(f"/tmp/bliss_like-{os.getuid()}/redis-{digest}.sock")
        self.log = self.home / "server.log"
        self._state = self.home / "server.json"

    @property
    def url(self) -> str:
        return f"unix://{self._known_socket()}"

    def ensure(self) -> str:
        """Return the URL of the running server; start it if it does not run.

        :raises StoreUnavailable: it could not be started; the message says why and what to do.
        """
        if not self._answers():
            self._check_socket_path()
            make_private(self.home)
            make_private(self.socket.parent)
            with self._exclusive():
                if not self._answers():  # nobody was faster
                    self._start()
        return self.url

    def status(self) -> ServerStatus | None:
        """Return what the server says of itself; None when it does not run."""
        if not self._answers():
            return None
        info = dict(line.split(":", 1) for line in self._ask("INFO").splitlines() if ":" in line)
        keys = re.match(r"keys=(\d+)", info.get("db0", ""))
        return ServerStatus(
            url=self.url,
            pid=int(info["process_id"]),
            version=f"{info.get('server_name', 'redis')} {info.get('valkey_version') or info['redis_version']}",
            memory=int(info["used_memory"]),
            keys=int(keys.group(1)) if keys else 0,
            uptime=int(info["uptime_in_seconds"]),
            data_dir=self.home,
            log=self.log,
        )

    def stop(self) -> bool:
        """Stop the server, its data safe on disk; return False when it did not run.

        :raises StoreUnavailable: it runs but does not stop.
        """
        if not self.home.is_dir():
            return False
        with self._exclusive():
            if self._answers():
                with contextlib.suppress(OSError):  # it closes the connection instead of an answer
                    self._ask("SHUTDOWN", "NOSAVE")  # the append-only file is synced nevertheless
            elif self._data_are_free():
                return False
            else:
                self._terminate_unreachable()
            if not _wait_until(self._data_are_free, STOP_TIMEOUT):
                raise StoreUnavailable(
                    f"the embedded server does not stop (pid {self._known().get('pid')}); {self._tail()}"
                )
            self._state.unlink(missing_ok=True)
        for process in list(_started):
            if process.poll() is not None:
                _started.remove(process)
        return True

    # -- the server that is there ------------------------------------------------------------------------------------

    def _known(self) -> dict[str, Any]:
        try:
            known = json.loads(self._state.read_text())
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _known_socket(self) -> str:
        return str(self._known().get("socket") or self.socket)

    def _answers(self) -> bool:
        """Whether the server answers; -LOADING (its data are being read) is an answer. A pid proves nothing."""
        try:
            return self._ask("PING").startswith(("PONG", "LOADING"))
        except OSError:
            return False

    def _ask(self, *words: str) -> str:
        """Send one command, return its reply as text (an error reply too)."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIMEOUT)
            connection.connect(self._known_socket())
            connection.sendall(" ".join(words).encode() + b"\r\n")
            with connection.makefile("rb") as replies:
                first = replies.readline().decode().rstrip("\r\n")
                if first.startswith("$"):
                    return replies.read(int(first[1:])).decode(errors="replace")
                return first[1:]

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Hold the lock that lets one process at a time start or stop the server."""
        with (self.home / "server.lock").open("w") as file:
            # polled, as a blocking flock would stop all greenlets of a patched process
            if not _wait_until(lambda: _try_lock(file), START_TIMEOUT + STOP_TIMEOUT):
                raise StoreUnavailable(
                    f"another process keeps {file.name} locked: is it hanging while it starts a server?"
                )
            yield

    def _data_are_free(self) -> bool:
        """Whether no server holds the data directory."""
        with (self.home / "data.lock").open("a") as file:
            return _try_lock(file)

    def _terminate_unreachable(self) -> None:
        """End a server that lives but is not to be reached, if it is surely ours."""
        known = self._known()
        pid = int(known.get("pid", 0))
        if known.get("host") != socket.gethostname() or known.get("socket", "?") not in _command_line(pid):
            raise StoreUnavailable(self._unreachable())
        os.kill(pid, signal.SIGTERM)
        if not _wait_until(self._data_are_free, STOP_TIMEOUT / 3):
            os.kill(pid, signal.SIGKILL)

    def _unreachable(self) -> str:
        known = self._known()
        where = f"pid {known.get('pid', '?')} on {known.get('host', '?')}, socket {known.get('socket', '?')}"
        return (
            f"a server holds {self.home} but does not answer ({where}). If it runs on another host or in another container,"
            f" name a server for both with ${URL_VARIABLE}, or give this one a directory of its own with ${HOME_VARIABLE};"
            f" otherwise stop it with `bliss-like server stop` (or kill it) and try again"
        )

    def _tail(self) -> str:
        try:
            lines = self.log.read_text(errors="replace").splitlines()[-8:]
        except OSError:
            lines = []
        return f"the end of its log, {self.log}:\n" + "\n".join(f"    {line}" for line in lines)

    # -- a new server ------------------------------------------------------------------------------------------------

    def _check_socket_path(self) -> None:
        length = len(os.fsencode(self.socket))
        if length > LONGEST_SOCKET_PATH:
            raise StoreUnavailable(
                f"the path of the server's socket is too long: {self.socket} has {length} bytes, the system allows"
                f" {LONGEST_SOCKET_PATH}; set ${HOME_VARIABLE} to a directory with a shorter path"
            )

    def _start(self) -> None:
        program = server_program()
        with (self.home / "data.lock").open("a") as data_lock, self.log.open("ab") as log:
            if not _try_lock(data_lock):
                raise StoreUnavailable(self._unreachable())
            self.socket.unlink(missing_ok=True)
            process = self._spawn(program, data_lock, log)
        _started.append(process)
        known = {"socket": str(self.socket), "pid": process.pid, "host": socket.gethostname()}
        draft = self._state.with_suffix(".new")
        draft.write_text(json.dumps(known))
        draft.replace(self._state)
        if not _wait_until(lambda: process.poll() is not None or self._answers(), START_TIMEOUT):
            process.kill()
            raise StoreUnavailable(f"{program} did not answer within {START_TIMEOUT:.0f} s; {self._tail()}")
        if process.poll() is not None:
            raise StoreUnavailable(
                f"{program} ended at once with code {process.returncode}. If its data are damaged, move {self.home} away;"
                f" {self._tail()}"
            )

    def _spawn(self, program: str, data_lock: IO[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
        options = {
            "port": "0",  # the unix socket only
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.home),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "databases": "1",  # as on a cluster
            "maxmemory-policy": "noeviction",  # a full server says so, it does not forget data
            "daemonize": "no",
        }
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        with open(os.devnull, "rb") as nothing:
            return subprocess.Popen(
                [program, *words],
                stdin=nothing,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,  # Ctrl-C in the terminal and its end are not for the server
                pass_fds=(data_lock.fileno(),),
                preexec_fn=_die_with_parent if self.ephemeral and _can_die_with_parent() else None,
            )


def make_private(directory: Path) -> None:
    """Make a directory that only the user can enter; refuse one that somebody else has put there."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise StoreUnavailable(
            f"cannot make {directory}: {error.strerror}; set ${HOME_VARIABLE} to a directory of yours"
        ) from error
    if directory.is_symlink() or found.st_uid != os.getuid():
        raise StoreUnavailable(
            f"{directory} is not a directory of yours (owner {found.st_uid}); set ${HOME_VARIABLE} to one that is"
        )
    if found.st_mode & 0o077:
        directory.chmod(0o700)


def _try_lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_until(condition: Callable[[], bool], timeout: float) -> bool:
    deadline = time.monotonic() + timeout
    pause = 0.001
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    return True


def _command_line(pid: int) -> str:
    if pid <= 0:
        return ""
    try:
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout
    except OSError:
        return ""


def _can_die_with_parent() -> bool:
    # The kernel's notion of a parent is the thread: a server started in one that ends would end with it.
    return sys.platform == "linux" and threading.current_thread() is threading.main_thread()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
