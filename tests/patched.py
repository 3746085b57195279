"""Code in the process of a user: patched as the shell patches, with other greenlets that want their turn."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]

PATCHED = [sys.executable, "-m", "gevent.monkey", "--no-thread", "--no-queue"]
"""What `bliss_like/shell/main.py` does: `patch_all(thread=False, queue=False)`."""

_TICKER = """
import time

import gevent

gaps = []

def tick():
    last = time.perf_counter()
    while True:
        gevent.sleep(0.002)
        now = time.perf_counter()
        gaps.append(now - last)
        last = now

def begin_to_tick():
    gevent.spawn(tick)
"""


def keeps_nobody_waiting(limit: float, story: str, path: Path, *words: object) -> bool:
    """Run a story, which has `gevent` and calls `begin_to_tick()`: whether other greenlets have their turn within `limit` seconds.

    That is what a user's Ctrl-C would wait for. A busy machine may keep it waiting too, but not each time.

    :param path: where its file may be.
    :param words: its arguments.
    """
    return any(_largest_gap(story, path, *words) < limit for _ in range(5))


def _largest_gap(story: str, path: Path, *words: object) -> float:
    program = path / "story.py"
    program.write_text(f"{_TICKER}\n{textwrap.dedent(story)}\nprint(len(gaps), max(gaps))\n")
    run = subprocess.run(
        [*PATCHED, str(program), *map(str, words)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    nticks, gap = run.stdout.split()
    assert int(nticks) > 100
    return float(gap)
