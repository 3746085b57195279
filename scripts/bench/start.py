"""Starting: a session to its prompt, a listener's imports.

    python -m scripts.bench.start

Limits taken in the same run: the bare interpreter, and importing the libraries that a session cannot do without.
"""

from __future__ import annotations

import os
import pty
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bliss_like.data.server import EmbeddedServer
from scripts.bench.table import Table

ROOT = Path(__file__).resolve().parents[2]
WHERE_IS_THE_CURSOR, THERE = b"\x1b[6n", b"\x1b[1;1R"


def until_prompt(session: str) -> float:
    """Return the seconds from the command to the prompt of a session, in a terminal."""
    start = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-m", "bliss_like.shell.main", "-s", session])
    shown = b""
    try:
        while b"[1]" not in shown:
            shown += os.read(terminal, 4096)
            if WHERE_IS_THE_CURSOR in shown:
                os.write(terminal, THERE)
                shown = shown.replace(WHERE_IS_THE_CURSOR, b"")
        elapsed = time.perf_counter() - start
        os.write(terminal, b"\x04")
        while os.read(terminal, 4096):
            pass
    except OSError:  # the terminal is closed: the process is over
        if b"[1]" not in shown:
            raise SystemExit(f"no prompt:\n{shown.decode()}") from None
    os.waitpid(pid, 0)
    return elapsed


def process(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    return time.perf_counter() - start


def median(action: Callable[[], float], runs: int = 11) -> float:
    action()  # bytecode and caches
    return statistics.median(action() for _ in range(runs))


def interleaved(first: str, second: str, runs: int = 21) -> tuple[float, float]:
    """Return the times of two processes, measured in turn, as such machines change their pace."""
    process(first), process(second)
    times = [(process(first), process(second)) for _ in range(runs)]
    return statistics.median(time for time, _ in times), statistics.median(time for _, time in times)


def main() -> None:
    os.chdir(ROOT)
    table = Table("work", "s", "limit in the same run", "s", "ratio")
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        os.environ["BLISS_LIKE_HOME"] = home
        os.environ.pop("BLISS_LIKE_REDIS", None)
        server = EmbeddedServer(Path(home), ephemeral=True)
        server.ensure()
        try:
            ours = {session: median(lambda: until_prompt(session)) for session in ("demo_session", "alignment")}  # noqa: B023
        finally:
            server.stop()
    libraries = median(lambda: process("import gevent, numpy, redis, pydantic, ptpython.repl"))
    for session, took in ours.items():
        table.row(
            f"bliss-like -s {session}, to the prompt", took, "importing its libraries", libraries, took / libraries
        )
    for modules, libraries_of in (("bliss_like.data.node", "numpy"), ("bliss_like.data.redis_store", "numpy, redis")):
        floor, data = interleaved(f"import {libraries_of}", f"import {libraries_of}, {modules}")
        table.row(f"listener: import {modules}", data, f"importing {libraries_of}", floor, data / floor)


if __name__ == "__main__":
    main()
