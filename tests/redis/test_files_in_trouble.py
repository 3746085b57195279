"""What happens to disks, directories, readers and writers while a scan is saved: it goes on by itself, or is recovered."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import h5py
import pytest

from bliss_like.data import paths
from bliss_like.data.saving import progress, saved
from tests.killing import PROJECT, Beamline
from tests.redis.others import Other
from tests.waiting import wait_until

NPOINTS = 400
BRIEF = "import bliss_like.session.file_saving as saving; saving._PATIENCE = 1"
"""Told to a session, so that a scan does not wait long for its file."""


def trouble(beamline: Beamline) -> str:
    return beamline.writer().trouble


@pytest.fixture
def file(beamline: Beamline) -> Path:
    return beamline.base / "eh1" / "data.h5"


def begun(eh1: Other, beamline: Beamline, file: Path, npoints: int = NPOINTS) -> None:
    """Begin a scan, and wait until some of it is published; in the middle it waits for `beamline.go_on()`."""
    eh1.begin(f"count({npoints}, held_at={npoints // 2})")
    wait_until(lambda: file.exists() and beamline.length(1) > 20)


def test_a_full_disk(beamline: Beamline, file: Path) -> None:
    with beamline.session() as eh1:
        begun(eh1, beamline, file)
        pid = beamline.writer().pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        beamline.go_on()
        wait_until(lambda: trouble(beamline))
        assert trouble(beamline).startswith(f"scan {paths.name(beamline.scans()[0])}: {file}: ")
        with h5py.File(file) as readable:
            readable.visititems(lambda name, thing: None)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert eh1.answer() == "done", beamline.writer_log()
        beamline.check(beamline.scans()[0], NPOINTS, NPOINTS)


@pytest.mark.slow
def test_a_disk_that_stays_full_until_somebody_recovers(beamline: Beamline, file: Path) -> None:
    with beamline.session() as eh1:
        assert eh1.do(BRIEF) == "done"
        begun(eh1, beamline, file)
        pid = beamline.writer().pid
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        beamline.go_on()
        told = eh1.answer()
        assert told.startswith("SavingError: scan 1 counting is not yet saved") and "bliss-like recover eh1" in told
        beamline.kill_writer()
        eh1.kill()
    scan = beamline.scans()[0]
    with h5py.File(file) as readable:
        assert "1.1" in readable
    assert beamline.recover(scan).returncode == 0
    beamline.check(scan, NPOINTS, NPOINTS)


def test_a_directory_that_is_away_for_a_while(beamline: Beamline, file: Path) -> None:
    away = beamline.base.with_name("away")
    with beamline.session() as eh1:
        begun(eh1, beamline, file)
        beamline.base.rename(away)
        beamline.go_on()
        wait_until(lambda: trouble(beamline))
        assert "no more" in trouble(beamline), trouble(beamline)
        away.rename(beamline.base)
        assert eh1.answer() == "done", beamline.writer_log()
        beamline.check(beamline.scans()[0], NPOINTS, NPOINTS)


@pytest.mark.slow
def test_a_directory_that_does_not_come_back(beamline: Beamline, file: Path) -> None:
    with beamline.session() as eh1:
        assert eh1.do(BRIEF) == "done"
        begun(eh1, beamline, file)
        beamline.base.rename(beamline.base.with_name("away"))
        beamline.go_on()
        assert "is not yet saved" in eh1.answer()
        assert eh1.do("count(10)") == "done"  # which makes it anew
        for number, npoints in enumerate((NPOINTS, 10)):
            scan = beamline.scans()[number]
            wait_until(lambda scan=scan: (event := saved(beamline.store, [scan])[0]) and event.state == "SAVED")
            beamline.check(scan, npoints, npoints)
        wait_until(lambda: not trouble(beamline))


@pytest.mark.parametrize("what", ["file", "directory"])
def test_what_is_deleted_is_written_anew(what: str, beamline: Beamline, file: Path) -> None:
    with beamline.session() as eh1:
        begun(eh1, beamline, file)
        if what == "file":
            file.unlink()
        else:
            gone = beamline.base.rename(beamline.base.with_name("gone"))  # at once, whatever the writer does meanwhile
            shutil.rmtree(gone, ignore_errors=True)
        beamline.go_on()
        assert eh1.answer() == "done", beamline.writer_log()
        assert eh1.do("count(10)") == "done"
        for scan, npoints in zip(beamline.scans(), (NPOINTS, 10), strict=True):
            beamline.check(scan, npoints, npoints)


READER = """
import fcntl, sys, h5py
file = h5py.File(sys.argv[1], locking=True) if sys.argv[2] == "hdf5" else open(sys.argv[1], "rb")
if sys.argv[2] == "flock":
    fcntl.flock(file, fcntl.LOCK_EX)
print("open", flush=True)
sys.stdin.readline()
"""


@contextlib.contextmanager
def reader(file: Path, how: str) -> Iterator[None]:
    command = [sys.executable, "-c", READER, str(file), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "open\n"
            yield
        finally:
            process.kill()


@pytest.mark.slow
def test_readers_that_hold_the_file(beamline: Beamline, file: Path) -> None:
    with beamline.session() as eh1:
        begun(eh1, beamline, file)
        with reader(file, "hdf5"):
            beamline.kill_writer()  # the next one opens the file while it is held
            beamline.go_on()
            assert eh1.answer() == "done", beamline.writer_log()
        with reader(file, "flock"):
            eh1.begin(f"count({NPOINTS})")
            wait_until(lambda: beamline.length(2) > 20)
            beamline.kill_writer()
            assert eh1.answer() == "done", beamline.writer_log()
        for scan in beamline.scans():
            beamline.check(scan, NPOINTS, NPOINTS)


@pytest.mark.slow
def test_a_writer_that_is_stopped_is_not_waited_for_and_does_no_harm_later(beamline: Beamline, file: Path) -> None:
    with beamline.session() as eh1:
        begun(eh1, beamline, file)
        pid = beamline.kill_writer(signal.SIGSTOP)
        eh1.kill()
    scan = beamline.scans()[0]
    try:
        wait_until(
            lambda: "cannot be completed" in (told := beamline.recover(scan).stdout) and f"process {pid}" in told
        )
    finally:
        os.kill(pid, signal.SIGKILL)
    assert beamline.recover(scan).returncode == 0
    beamline.check(scan, 20, NPOINTS)


@pytest.mark.slow
def test_a_server_that_comes_back_empty(beamline: Beamline, file: Path, short_directory: Path) -> None:
    with beamline.session() as eh1:
        assert eh1.do(BRIEF) == "done"
        begun(eh1, beamline, file)
        wait_until(lambda: sum(progress(beamline.store, beamline.scans()[0]).values()) > 0)
        beamline.server.kill()
        shutil.rmtree(short_directory / "appendonlydir")
        beamline.server.start()
        beamline.go_on()
        told = eh1.answer()
        assert "came back without entries" in told, told
        assert eh1.do("count(10)") == "done"
        (scan,) = beamline.scans()
        assert scan.endswith(":2_counting")  # the first one is on disk
        beamline.check(scan, 10, 10)
        with h5py.File(file) as readable:
            numbers = next(iter(readable["1.1/measurement"].values()))
            assert len(numbers) > 0 and set(readable) >= {"1.1", "2.1"}
    assert saved(beamline.store, [scan])[0] is not None


@contextlib.contextmanager
def disk(place: Path, size: str) -> Iterator[None]:
    """A disk of its own in memory, which takes a system administrator."""
    place.mkdir(exist_ok=True)
    try:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], check=True, capture_output=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no disk of its own can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False, capture_output=True)


@pytest.mark.slow
def test_a_small_disk_that_is_full_before_the_end(beamline: Beamline, file: Path) -> None:
    with disk(beamline.base, "400k"), beamline.session() as eh1:
        filler = beamline.base / "filler"
        begun(eh1, beamline, file, 2000)
        with contextlib.suppress(OSError):
            filler.write_bytes(bytes(400_000))
        beamline.go_on()
        wait_until(lambda: trouble(beamline))
        assert "No space left on device" in trouble(beamline)
        with h5py.File(file) as readable:
            readable.visititems(lambda name, thing: None)
        subprocess.run(["mount", "-o", "remount,size=10m", str(beamline.base)], check=True)
        assert eh1.answer() == "done", beamline.writer_log()
        beamline.check(beamline.scans()[0], 2000, 2000)


@pytest.mark.slow
def test_a_disk_that_is_taken_away(beamline: Beamline, file: Path) -> None:
    with disk(beamline.base, "10m"), beamline.session() as eh1:
        assert eh1.do(BRIEF) == "done"
        begun(eh1, beamline, file)
        subprocess.run(["umount", "-l", str(beamline.base)], check=True)
        beamline.go_on()
        assert "the file is no more there" in eh1.answer()
        scan = beamline.scans()[0]
        with disk(beamline.base, "10m"):  # another one in its place
            assert beamline.recover(scan).returncode == 0
            beamline.check(scan, NPOINTS, NPOINTS)
