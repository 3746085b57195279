"""From the command to something useful: start of a shell to its prompt, of a listener's imports, of the server.

    python -m scripts.bench.start

Taken in a terminal emulator, as a person waits for it; beside an interpreter that does nothing, numpy and gevent alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from bliss_like.data.server import EmbeddedServer
from scripts.bench.table import Table, median_rate, seconds
from tests.shell.terminal import Terminal

ROOT = Path(__file__).resolve().parent.parent.parent
SESSION = "demo_session"


def python(statement: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


def open_and_close_shell() -> tuple[float, float]:
    """Return the seconds to the prompt, and from Ctrl-D to the end of the process."""
    terminal: Terminal | None = None

    def to_prompt() -> None:
        nonlocal terminal
        terminal = Terminal([sys.executable, "-m", "bliss_like.shell.main", "-s", SESSION], os.environ)
        terminal.wait_for(f"{SESSION.upper()} [1]:")

    opened = seconds(to_prompt)
    assert terminal is not None
    terminal.type("\x04")
    closed = seconds(terminal.wait_for_end)
    terminal.close()
    return opened, closed


def main() -> None:
    table = Table("start", "seconds")
    for name, statement in {
        "python": "pass",
        "python + numpy": "import numpy",
        "python + numpy + bliss_like.data.node": "import numpy, bliss_like.data.node",
        "python + gevent, patched": "from gevent import monkey; monkey.patch_all(thread=False, queue=False)",
    }.items():
        table.row(name, median_rate(lambda statement=statement: seconds(python(statement))))  # type: ignore[misc]
    with tempfile.TemporaryDirectory(prefix="bl-", dir="/tmp") as home:
        os.environ |= {"BLISS_LIKE_HOME": home, "BLISS_LIKE_CONFIG": str(ROOT / "config")}
        os.environ.pop("BLISS_LIKE_REDIS", None)
        server = EmbeddedServer(Path(home))
        table.row("embedded server", seconds(server.ensure))
        runs = [open_and_close_shell() for _ in range(5)]
        table.row(f"bliss-like -s {SESSION}, to the prompt", sorted(opened for opened, _ in runs)[2])
        table.row("Ctrl-D to the end", sorted(closed for _, closed in runs)[2])
        server.stop()


if __name__ == "__main__":
    main()
