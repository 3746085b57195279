"""Threads of the project leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys

from bliss_like.data.threads import begin_thread

PATCHED = """
from gevent.monkey import patch_all; patch_all(thread=False, queue=False)
import os, time
from bliss_like.data.threads import begin_thread

def round():
    for _ in range(10):
        begin_thread(lambda: time.sleep(0.001), "waits").join()
    return len(os.listdir("/proc/self/fd"))

assert round() == round()
print("done")
"""


def test_a_thread_in_a_patched_process_leaves_no_descriptors() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, env=environment, timeout=100)
    assert run.stdout == "done\n", run.stderr


def test_a_thread_that_does_not_keep_the_process() -> None:
    done: list[str] = []
    thread = begin_thread(lambda: done.append("it"), "short")
    thread.join(60)
    assert done == ["it"] and thread.daemon
