"""`bliss-like -s SESSION --tmux`: a session at a prompt that several people see, each in a terminal of their own.

The session runs inside tmux, in a server of its own, so that its environment and options are nobody else's. Who asks for it
again joins it; it goes on while nobody looks, and ends when it is left.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bliss_like.data.server import EmbeddedServer, make_private
from bliss_like.errors import SessionError

VARIABLE = "BLISS_LIKE_TMUX"
"""If it is 1, sessions are opened in tmux unless `--no-tmux` is given."""

_OPTIONS = {
    "history-limit": "100000",
    "mouse": "off",  # so that the terminal selects and pastes as it always does
    "window-size": "smallest",  # so that nobody misses a line
    "escape-time": "20",
    "status-style": "default,dim",
    "status-left": " #{session_name}, shared ",
    "status-left-length": "40",
    "status-right": "#{session_attached} here | C-b d: leave it running ",
    "status-interval": "5",
    "window-status-format": "",
    "window-status-current-format": "",
}


def way_in(name: str) -> str:
    """Return what is typed to join a session that is shared."""
    return f"bliss-like -s {name} --tmux"


def wants_tmux(asked: bool | None) -> bool:
    """Whether a session is to be opened in tmux.

    :param asked: what the command line says; None: nothing, so that `$BLISS_LIKE_TMUX` decides, where that is possible.
    """
    if asked is not None:
        return asked
    if os.environ.get(VARIABLE, "").lower() not in ("1", "true", "yes", "on"):
        return False
    if not shutil.which("tmux"):
        print(f"${VARIABLE}: tmux is not installed, so that the session is not shared", file=sys.stderr)
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()


def open_shared(name: str) -> int:
    """Open a session in tmux, or join it there; return the exit code when it is left, or goes on without this terminal.

    :raises SessionError: there is no tmux, or no terminal; the session could not be opened, which is said here again.
    """
    _check()
    tmux = _Tmux(name)
    if tmux.is_here:
        raise SessionError(
            f"session '{name}' is shared, and this is it: leave it with C-b d, others join it by: {way_in(name)}"
        )
    with tempfile.NamedTemporaryFile("r", prefix="bliss_like-", encoding="utf-8") as last_words:
        command = [
            sys.executable,
            "-m",
            "bliss_like.shell.main",
            "-s",
            name,
            "--no-tmux",
            "--last-words",
            last_words.name,
        ]
        code = tmux.join(command)
        failure = last_words.read().strip()
    if failure:
        raise SessionError(failure)
    if tmux.is_running:
        print(f"Session {name} goes on. To come back: {way_in(name)}")
        return 0
    return code


def _check() -> None:
    if not shutil.which("tmux"):
        raise SessionError(
            "--tmux: tmux is not installed here: install it (e.g. apt install tmux), or open the session without"
        )
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise SessionError("--tmux: this is no terminal, tmux needs one; open the session without --tmux")
    if os.environ.get("TERM", "") in ("", "dumb"):
        raise SessionError(
            f"--tmux: tmux cannot draw on a terminal of type {os.environ.get('TERM')!r}: set $TERM, or do without"
        )


class _Tmux:
    """The tmux of one session."""

    def __init__(self, name: str) -> None:
        server = EmbeddedServer().socket
        self._socket = server.with_name(server.name.replace("redis", f"tmux-{name}", 1))
        self._session = name.translate(str.maketrans(".:", "__"))

    @property
    def is_here(self) -> bool:
        """Whether this process runs inside it."""
        return os.environ.get("TMUX", "").partition(",")[0] == str(self._socket)

    @property
    def is_running(self) -> bool:
        return self._call("has-session", "-t", f"={self._session}", quiet=True) == 0

    def join(self, command: Sequence[str]) -> int:
        """Attach this terminal; if the session is not there, run the command in it. Return when it is detached."""
        make_private(self._socket.parent)
        options = [word for name, value in self._options().items() for word in ("set-option", "-g", name, value, ";")]
        new = ["new-session", "-A", "-s", self._session, "-c", str(Path.cwd()), *command]
        if self.is_running:
            return self._call("attach-session", "-t", f"={self._session}")
        return self._call("start-server", ";", *options, *new)

    def _options(self) -> dict[str, str]:
        return {**_OPTIONS, "default-terminal": "tmux-256color" if _is_known("tmux-256color") else "screen-256color"}

    def _call(self, *words: str, quiet: bool = False) -> int:
        # Without $TMUX, tmux lets itself be run inside another one; without the user's file, all see the same.
        environment = {key: value for key, value in os.environ.items() if key not in ("TMUX", "TMUX_PANE")}
        utf8 = ["-u"] if sys.stdout.encoding.lower().replace("-", "") == "utf8" else []
        command = ["tmux", *utf8, "-f", "/dev/null", "-S", str(self._socket), *words]
        output = subprocess.DEVNULL if quiet else None
        return subprocess.run(command, env=environment, check=False, stdout=output, stderr=output).returncode


def _is_known(terminal: str) -> bool:
    """Whether this host can describe a terminal to the programs that run in it."""
    told = subprocess.run(["infocmp", terminal], capture_output=True, check=False) if shutil.which("infocmp") else None
    return told is not None and told.returncode == 0
