"""A session for tests of interruptions, and what to type in it: `verdict()` says whether all is as it has to be after a command."""

from __future__ import annotations

from pathlib import Path

from tests.shell.terminal import PATIENCE, Terminal

OBJECTS = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, unit: mm, velocity: 20, acceleration: 1000, backlash: 0.01}
    - {name: roby, unit: mm, velocity: 20, acceleration: 1000}
    - {name: slow, unit: mm, velocity: 1, acceleration: 1000}
- name: hanging_motors
  class: SimulatedMotors
  axes:
    - {name: hung, unit: mm, velocity: 1, acceleration: 1000}
- name: diodes
  class: SimulatedDiodes
  counters: [{name: diode, value: 5}]
- {name: matrix, class: Session, config-objects: ["*"], setup-file: ./matrix.py}
"""

SETUP = '''
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import gevent.event

from bliss_like.common.standard import *
from bliss_like.data import paths
from bliss_like.data.codec import decode_event
from bliss_like.data.events import EndScan
from bliss_like.data.node import get_node
from bliss_like.data.saving import writer_status
from bliss_like.devices.interlock import claim
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionChannel, AcquisitionSlave
from bliss_like.scanning.acquisition.timer import SoftwareTimerMaster
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Sequence
from bliss_like.scanning.presets import ScanPreset
from bliss_like.scanning.scan import Scan

axes = robx, roby, slow, hung
known = []
healed = gevent.event.Event()


def when(condition, what="now"):
    """Print a word as soon as a condition is true."""

    def wait():
        while not condition():
            time.sleep(0.002)
        print("-" + what + "-")

    gevent.spawn(wait)


def moving():
    return any(axis.current_move is not None and not axis.current_move.done for axis in axes)


def points(at_least):
    return lambda: SCANS and SCANS[-1] not in known and SCANS[-1].channels[0].length >= at_least


def second_scan():
    return points(3)() and SCANS[-1].scan_info["npoints"] == 5000


def events_of(scan):
    return [decode_event(fields) for _, fields in environment.tree.store.range(paths.scan(scan.path))]


def problems():
    """Say what is not as it has to be after a command."""
    for axis in axes:
        if axis.current_move is not None and not axis.current_move.done or "MOVING" in axis.hw_state:
            yield f"{axis.name} moves"
    for scan in SCANS:
        if scan in known or not scan.path:
            continue
        if not scan.state.is_final:
            yield f"{scan.label} is {scan.state.name}"
            continue
        events = events_of(scan)
        if not events:
            continue  # interrupted before it was announced
        ends = [event for event in events if isinstance(event, EndScan)]
        if len(ends) != 1 or ends[0].state != scan.state.name:
            yield f"{scan.label} has {ends}"
            continue
        for name, length in ends[0].lengths.items():
            if len(get_node(name)) != length:
                yield f"{name}: {len(get_node(name))} points, END_SCAN says {length}"
        if scan.scan_info.get("paused"):
            yield f"{scan.label} is still said to be paused"
    if environment.pausing.running or environment.pausing.is_paused:
        yield "scans run"
    claim([*axes, diodes], "looking").release()


def verdict(*states):
    """Print whether all is well, and the states of the scans since the last time."""
    found = list(problems())
    news = [scan for scan in SCANS if scan not in known]
    known.extend(news)
    print("verdict:", found or "well", *(scan.state.name for scan in news))


def load():
    """Let other greenlets take most of the time, from now on."""

    def work():
        while True:
            busy(0.02, say="")
            gevent.sleep(0.004)

    gevent.spawn(work)


def settle():
    """Wait until nothing goes on that was given up."""
    end = time.monotonic() + 10
    while time.monotonic() < end and any(True for _ in problems()):
        time.sleep(0.01)


class Slow(AcquisitionSlave):
    """Takes its time where it is told to."""

    def __init__(self, where):
        super().__init__(name="lazy", npoints=10)
        self.where = where
        self.channels.append(AcquisitionChannel("lazy:value", float, ()))

    def _at(self, where):
        if where == self.where:
            print("-now-")
            gevent.sleep(30)
        elif (where, self.where) == ("trigger", "pause"):  # the first point takes until somebody has paused the scan
            self.where = ""
            print("-now-")
            while not environment.pausing.is_paused:
                time.sleep(0.002)

    def prepare(self):
        self._at("prepare")

    def trigger(self):
        self._at("trigger")
        self.channels[0].emit(1.0)

    def stop(self):
        if self.where == "stop":
            print("-stopping-")
            gevent.sleep(30)

    def get_acquisition_metadata(self, timing=None):
        if timing is not None and timing.name == self.where:
            self._at(self.where)


def slow_scan(where, count_time=0.0):
    chain = AcquisitionChain()
    chain.add(SoftwareTimerMaster(count_time, npoints=10), Slow(where))
    Scan(chain, "lazy", save=False).run()


def in_sequence(*scans):
    with Sequence(title="both").sequence_context() as sequence:
        for scan in scans:
            sequence.add_and_run(scan)


def busy(seconds, say="-now-"):
    print(say, end="\\n" if say else "")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def wait_for_file(path):
    while not os.path.exists(path):
        time.sleep(0.01)


def stop_writer(how):
    """Send a signal to the writer of the session."""
    os.kill(writer_status(environment.tree.store, "matrix").pid, how)


def replace_workers(pool, directory):
    """End both processes of a pool while they are at work, as Ctrl-C does, and wait until there are others.

    One that waits for work would keep the others from it.
    """
    work = f"import os, time; os.mkdir('{directory}/' + str(os.getpid())); time.sleep(3600)"
    pool.map_async(exec, [work, work])
    pids = {each.pid for each in pool._pool}
    while not {str(pid) for pid in pids} <= set(os.listdir(directory)):
        time.sleep(0.01)
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    while len(pool._pool) < 2 or any(each.pid in pids for each in pool._pool):
        time.sleep(0.01)


def beside_thread(wait, is_deaf=False):
    """Wait in a lock of threads, beside a thread that computes.

    :param is_deaf: let other threads take the signals.
    """
    over = threading.Event()

    def work():
        while not over.is_set():
            sum(range(200))

    thread = threading.Thread(target=work, daemon=True)
    numbers = {signal.SIGINT, signal.SIGALRM, signal.SIGTERM, signal.SIGHUP}
    try:
        thread.start()
        print("-now-")
        if is_deaf:
            signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
        wait(thread)
    finally:
        over.set()
        if is_deaf:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)


def join(thread):
    thread.join()


def get(_):
    queue.Queue().get()


def acquire(_):
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


def hang():
    """Let the controller of `hung` no more be told to stop."""
    stop = hung.controller.stop_all
    hung.controller.stop_all = lambda *motions: (print("-stopping-"), healed.wait(), stop(*motions))


def heal():
    healed.set()
    while moving():
        time.sleep(0.01)
'''

SCRIPT = """
when(moving)
for position in range(1000, 5000, 1000):
    roby.move(position)
"""


def write_session(config: Path) -> None:
    """Write the session `matrix` into a configuration."""
    (config / "matrix.yml").write_text(OBJECTS)
    (config / "matrix.py").write_text(SETUP)
    (config / "scripts").mkdir()
    (config / "scripts" / "walk.py").write_text(SCRIPT)


class Matrix:
    """Commands, typed one after the other."""

    def __init__(self, shell: Terminal) -> None:
        self.shell = shell
        self._number = 1

    def type(self, command: str) -> int:
        """Type a command; return its number."""
        self.shell.type(command + "\n")
        self._number += 1
        return self._number - 1

    def since(self, number: int) -> str:
        """Return what stands behind the prompt of a command."""
        _, prompt, text = self.shell.text.rpartition(f"MATRIX [{number}]:")
        return text if prompt else ""

    def wait(self, what: str, number: int) -> None:
        self.shell.wait_for(lambda: what in self.since(number))

    def over(self, number: int, timeout: float = PATIENCE) -> str:
        """Return what a command has written, when it is over."""
        prompt = f"MATRIX [{number + 1}]:"
        self.shell.wait_for(lambda: prompt in self.since(number), timeout)
        return self.since(number).partition(prompt)[0]

    def run(self, command: str) -> str:
        return self.over(self.type(command))

    def interrupt(self, command: str, marker: str = "-now-") -> str:
        """Return what a command has written that was interrupted when it came to a marker."""
        begin = self.type(command)
        self.wait(marker, begin)
        self.shell.interrupt()
        return self.over(begin)

    def verdict(self) -> str:
        said = self.run("verdict()")
        return said.partition("verdict: ")[2].strip() or said


def told(text: str) -> str:
    """Return the line that says what was interrupted, broken or not."""
    return " ".join(("Interrupted" + text.partition("\nInterrupted")[2]).split())
