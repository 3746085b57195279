"""`bliss-like recover`: what it says, what it does, and what it leaves alone. Killed processes: test_killed_scans.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bliss_like.data.events import ScanInfoUpdate
from bliss_like.data.redis_store import RedisStore, connect
from bliss_like.data.retention import Retention
from bliss_like.data.saving import WriterStatus, saved, unsaved_scans
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from bliss_like.errors import DataError, SavingError
from bliss_like.shell.main import make_parser
from tests.killing import points_in
from tests.publishing import PublishedScan
from tests.saved_files import tell_end, tell_status
from tests.waiting import wait_until


@pytest.fixture
def store(redis_server: EmbeddedServer) -> Iterator[RedisStore]:
    yield connect()  # type: ignore[misc]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return tmp_path / "data"


def recover(*words: str) -> int:
    chosen = make_parser().parse_args(["recover", *words])
    return int(chosen.run(chosen))


def published(store: RedisStore, base: Path, npoints: int = 100, **info: object) -> PublishedScan:
    info = {
        "data_writer": "nexus",
        "filename": str(base / "data.h5"),
        "uid": os.urandom(16).hex(),
        "host": "elsewhere",
        "pid": 7,
        **info,
    }
    return PublishedScan(Tree(store), info=info).prepare().emit(np.arange(float(npoints)))


def is_whole(store: RedisStore, scan: PublishedScan, npoints: int = 100) -> bool:
    event = saved(store, [scan.path])[0]
    assert event is not None and event.state == "SAVED", event
    return bool(points_in(event)["timer:diode"].tolist() == list(range(npoints)))


def test_nothing_to_do(store: RedisStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert recover() == recover("--list") == 0
    assert capsys.readouterr().out == "Nothing is left to be saved.\n" * 2
    with pytest.raises(
        DataError,
        match="recover eh2: expected a session or the db_name of a scan; the data server knows the sessions ",
    ):
        recover("eh2")


def test_all_sessions_and_single_scans(store: RedisStore, base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = published(store, base).end(), published(store, base).end()
    other = PublishedScan(Tree(store), container="eh2:scans", info={"data_writer": "nexus"})
    other.prepare().end()
    assert recover("--list") == 1
    told = capsys.readouterr().out
    assert told.count("ended, not saved") == 3 and "Session eh1: 2 not saved; no writer lives" in told
    assert f"{first.path}  loopscan  0 of 100 points on disk" in told
    assert recover(second.path) == 0 and is_whole(store, second)
    assert unsaved_scans(store, "eh1") == [first.path]
    assert recover() == 1  # the other session has one that cannot be
    told = capsys.readouterr().out
    assert f"{first.path}: completed in {base}/data.h5::1.1" in told and is_whole(store, first)
    assert f"{other.path}: cannot be completed: scan {other.path}: expected filename" in told
    assert recover(first.path) == 0
    assert f"{first.path}: is saved in {base}/data.h5::1.1" in capsys.readouterr().out
    with pytest.raises(DataError, match="no scan of that name is left to be saved"):
        recover("eh1:nothing")
    assert recover("--give-up", "eh2") == 0 and recover("--list") == 0
    assert unsaved_scans(store, "eh2") == []


def test_a_scan_of_another_host_is_ended_only_by_those_who_know(
    store: RedisStore, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = published(store, base)
    scan.publisher.flush()
    assert recover() == 1
    told = capsys.readouterr().out
    assert (
        told
        == f"{scan.path}: not ended: process 7 on elsewhere may be alive; if it is not: recover --end {scan.path}\n"
    )
    assert recover("--give-up", scan.path) == 0 and unsaved_scans(store, "eh1") == [scan.path]
    with pytest.raises(DataError, match="--end and --give-up need names"):
        recover("--end")
    assert recover("--end", scan.path) == 0
    assert f"{scan.path}: ended and completed in" in capsys.readouterr().out and is_whole(store, scan)
    scan.publisher.publish(ScanInfoUpdate(scan.path, {}))  # it lives after all; the store refuses what it says
    wait_until(lambda: scan.publisher._failure)
    scan.publisher._closing = True


def test_what_a_living_writer_does_is_left_to_it(
    store: RedisStore, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = published(store, base).end()
    writer = WriterStatus("eh1", "elsewhere", 12, "1", 0.0)
    tell_status(store, writer)
    assert recover() == 1
    told = capsys.readouterr().out
    assert "writer of session eh1 (pid 12 on elsewhere) is there already; it saves 1 of these scans by itself" in told
    tell_status(store, WriterStatus("eh1", "elsewhere", 12, "1", 0.0, troubles={"": "disk full"}))
    assert recover() == 0 and is_whole(store, scan)
    tell_end(store, writer)


def test_what_is_in_the_way_is_said_and_moved_away_it_goes(
    store: RedisStore, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = published(store, base).end()
    base.mkdir()
    (base / "data.h5").write_text("of another program")
    assert recover() == 1
    assert f"{scan.path}: cannot be completed: {base}/data.h5" in capsys.readouterr().out
    (base / "data.h5").unlink()
    assert recover() == 0 and is_whole(store, scan)


def test_an_emptied_server_does_not_hide_the_scans_that_come_after(store: RedisStore, base: Path) -> None:
    tree = Tree(store)
    PublishedScan(tree).prepare().end()
    store.call("FLUSHALL")
    scan = PublishedScan(tree, info={"data_writer": "nexus"}).prepare().end()
    assert unsaved_scans(store, "eh1") == [scan.path]


def test_a_saved_scan_is_not_given_up(store: RedisStore, base: Path) -> None:
    from bliss_like.writers.recovery import give_up

    scan = published(store, base).end()
    assert recover() == 0
    with pytest.raises(SavingError, match="it is saved, in"):
        give_up(store, scan.path, Retention().seconds)
