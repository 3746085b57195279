"""A scan that is over waits for its file, but nobody has to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import gevent
import pytest
from gevent.event import Event

from bliss_like.data.lifecycle import ScanState
from bliss_like.devices.counter import SamplingCounter
from bliss_like.errors import SavingError, UserAbort
from bliss_like.scanning import scan_run
from bliss_like.scanning.environment import environment
from bliss_like.scanning.scan import Scan
from bliss_like.scans import loopscan
from tests.unit.scanning.making import Values, memory_environment
from tests.unit.writers.making import FileSaver


class SlowSaver(FileSaver):
    """Has a scan saved when it is told to, or fails."""

    def __init__(self) -> None:
        super().__init__("/data/a.h5")
        self.is_waiting, self.go_on, self.error = Event(), Event(), ""

    def wait(self, scan: Scan) -> None:
        self.is_waiting.set()
        self.go_on.wait()
        if self.error:
            raise SavingError(self.error)


@pytest.fixture
def saver() -> Iterator[SlowSaver]:
    with memory_environment():
        environment.saver = saver = SlowSaver()
        yield saver


def waiting_scan(saver: SlowSaver) -> tuple[Scan, gevent.Greenlet[[], None]]:
    scan = loopscan(1, 0, SamplingCounter("value", Values("box", lambda: [1.0])), run=False)
    assert isinstance(scan, Scan)
    task = gevent.spawn(scan.run)
    assert saver.is_waiting.wait(5)
    return scan, task


def test_one_abort_ends_the_wait_and_the_scan_is_what_it_was(
    saver: SlowSaver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(scan_run, "_FOR_THE_FILE", 0.01)
    scan, task = waiting_scan(saver)
    with contextlib.suppress(UserAbort):
        task.kill(UserAbort("Ctrl-C"), timeout=5)
    assert isinstance(task.exception, UserAbort)
    assert scan.state is ScanState.DONE
    assert "scan 1 loopscan: its file is waited for no more, the writer goes on" in caplog.messages


def test_an_abort_in_the_last_moment_has_the_file_all_the_same(
    saver: SlowSaver, caplog: pytest.LogCaptureFixture
) -> None:
    _, task = waiting_scan(saver)
    gevent.spawn(saver.go_on.set)
    with contextlib.suppress(UserAbort):
        task.kill(UserAbort("Ctrl-C"), timeout=5)
    assert isinstance(task.exception, UserAbort) and not caplog.messages


def test_a_file_that_fails_ends_the_scan(saver: SlowSaver) -> None:
    saver.error = "the disk is gone"
    scan, task = waiting_scan(saver)
    saver.go_on.set()
    with pytest.raises(SavingError, match="the disk is gone"):
        task.get(timeout=5)
    assert scan.error is not None
