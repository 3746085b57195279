"""The writer of a session as processes see it: real ones, on a real server, with the format that the docs show."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import gevent
import pytest

from bliss_like.data import catalogue
from bliss_like.data.events import SavedScan
from bliss_like.data.node import ScanNode, get_session_node
from bliss_like.data.process import is_gone
from bliss_like.data.redis_store import connect
from bliss_like.data.saving import WriterStatus, saved, unsaved_scans, writer_status
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from bliss_like.errors import SavingError
from bliss_like.scanning.environment import environment
from bliss_like.session import Session, load_session
from bliss_like.session.file_saving import FileSaving
from bliss_like.writers.recovery import in_place_of_writer
from tests.conftest import RestartableServer
from tests.file_format import install_json_lines
from tests.publishing import PublishedScan, run_scan
from tests.saved_files import tell_end
from tests.waiting import wait_until, wait_until_cooperative

PROJECT = Path(__file__).parents[2]
TREE = """
- class: SimulatedDiodes
  name: box
  counters: [{name: diode, value: 1}]
- class: Session
  name: eh1
  config-objects: [box]
  scan_saving: {base_path: BASE}
"""


@pytest.fixture
def base(short_directory: Path) -> Path:
    return short_directory / "data"


@pytest.fixture(autouse=True)
def _home(short_directory: Path, base: Path, monkeypatch: pytest.MonkeyPatch, redis_server: EmbeddedServer) -> None:
    install_json_lines(short_directory / "packages")
    monkeypatch.syspath_prepend(short_directory / "packages")
    (short_directory / "config").mkdir()
    (short_directory / "config" / "all.yml").write_text(TREE.replace("BASE", str(base)))
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    monkeypatch.setenv("BLISS_LIKE_WRITER", "json_lines")
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}{os.pathsep}{short_directory / 'packages'}")


@pytest.fixture
def session(_home: None) -> Iterator[Session]:
    from bliss_like.config import get_config

    config = get_config(os.environ["BLISS_LIKE_CONFIG"])
    session = load_session("eh1", config)
    assert session.setup(), session.error_report
    yield session
    session.close()
    config.close()


@contextlib.contextmanager
def by_hand(*words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "bliss_like.shell.main", "writer", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT) as process:
        try:
            yield process
        except Exception as error:
            process.kill()
            if process.stdout is not None and not process.stdout.closed:
                error.add_note(f"exit code {process.wait()}: {process.stdout.read()}")
            raise
        finally:
            process.kill()


def living(name: str = "eh1") -> WriterStatus:
    """Wait for the word of a writer."""
    told: list[WriterStatus] = []

    def listen() -> list[WriterStatus]:
        status = writer_status(connect(), name)
        told.extend([status] if status is not None else [])
        return told

    wait_until_cooperative(listen)
    return told[0]


def values(file: Path) -> list[float]:
    """Return the points of the diode that are in a file."""
    lines = file.read_text().splitlines(keepends=True)
    events = [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may be half written
    found: dict[int, float] = {}
    for event in events:
        if event["event"] == "NewData" and event["node"].endswith("diode"):
            found.update(enumerate(event["points"], event["first"]))
    return [found[index] for index in sorted(found)]


def is_complete(file: Path) -> bool:
    written, _, _ = file.read_text().rpartition("\n")
    return bool(json.loads(written.splitlines()[-1])["event"] == "EndScan")


def said(path: str) -> SavedScan | None:
    return saved(connect(), [path])[0]


def publish(number_of_points: int, base: Path, name: str = "loopscan") -> PublishedScan:
    """Publish a scan that is to be saved as other programs would."""
    info = {"data_writer": "json_lines", "filename": str(base / "data.h5"), "uid": "0" * 32}
    return PublishedScan(Tree(connect()), name, info=info).prepare().emit([1.0] * number_of_points)


# -- a session and its writer --------------------------------------------------------------------------------------------


def test_a_scan_is_saved_when_it_is_over(session: Session, base: Path) -> None:
    loopscan, box = session.env_dict["loopscan"], session.env_dict["box"]
    scan = loopscan(3, 0, box)
    file = base / "eh1" / "data_1.jsonl"
    assert is_complete(file) and values(file) == [1, 1, 1]
    event = said(scan.path)
    assert event is not None and (event.state, event.file) == ("SAVED", str(file))
    assert unsaved_scans(connect(), "eh1") == []
    status = living()
    assert status.trouble == "" and status.host and f"pid {status.pid}" in session.scan_saving.__info__()
    session.close()
    assert writer_status(connect(), "eh1") is None
    with pytest.raises(ProcessLookupError):
        os.kill(status.pid, 0)
    assert "ended" in (Path(os.environ["BLISS_LIKE_HOME"]) / "writer-eh1.log").read_text()


def test_a_scan_is_in_the_catalogue_as_soon_as_it_runs(session: Session, base: Path) -> None:
    loopscan, box = session.env_dict["loopscan"], session.env_dict["box"]
    scan = loopscan(1000, 0.05, box, run=False)
    task = gevent.spawn(scan.run)
    wait_until_cooperative(lambda: catalogue.search(counters="diode"))
    record = catalogue.last()[0]
    assert (record.uid, record.db_name, record.root) == (scan.scan_info["uid"], scan.path, base)
    assert record.is_running
    task.kill()
    wait_until_cooperative(lambda: not catalogue.last()[0].is_running)
    record = catalogue.last()[0]
    assert (record.saved, record.file) == ("SAVED", str(base / "eh1" / "data_1.jsonl"))
    assert record.node.db_name == scan.path
    (base / ".catalogue.sqlite").write_text("nothing of the kind")
    assert saved(connect(), [loopscan(1, 0, box).path])[0]
    log = Path(os.environ["BLISS_LIKE_HOME"]) / "writer-eh1.log"
    wait_until_cooperative(lambda: "broken" in log.read_text())


def test_nothing_is_saved_of_scans_that_are_not_to_be(session: Session, base: Path) -> None:
    loopscan, box = session.env_dict["loopscan"], session.env_dict["box"]
    session.scan_saving.writer = "null"
    loopscan(1, 0, box)
    loopscan(1, 0, box, save=False)
    session.scan_saving.writer = "json_lines"
    loopscan(1, 0, box)
    assert [path.name for path in (base / "eh1").iterdir()] == ["data_2.jsonl"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_a_writer_that_dies_or_hangs_in_a_scan_is_replaced_and_the_scan_is_whole(
    number: int, session: Session, base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loopscan, box = session.env_dict["loopscan"], session.env_dict["box"]
    scan = loopscan(5000, 0.01, box, run=False)
    task = gevent.spawn(scan.run)
    file = base / "eh1" / "data_1.jsonl"
    wait_until_cooperative(lambda: file.exists() and len(values(file)) > 5)
    first = living()
    os.kill(first.pid, number)
    killed_at = time.monotonic()
    wait_until_cooperative(lambda: living().pid != first.pid)
    took = time.monotonic() - killed_at
    scan.stop()
    task.get()
    assert took < 20  # on a busy machine; 0.7 and 2.5 on an idle one
    assert is_complete(file) and len(values(file)) == scan.channels[0].length
    what = "killed by SIGKILL" if number == signal.SIGKILL else "hangs"
    said = [message for message in caplog.messages if str(first.pid) in message and what in message]
    assert said and " INFO " not in said[0]  # of its log only complaints


def test_a_writer_whose_word_got_lost_says_it_again(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    """The server forgets it when it is emptied, or when its clock is set."""
    for _ in range(3):
        session.env_dict["loopscan"](1, 0, session.env_dict["box"])
        first = living()
        tell_end(connect(), first)
        assert living().pid == first.pid
    assert not any("hangs" in message for message in caplog.messages)


def test_a_session_that_begins_while_scans_are_recovered_has_a_writer(session: Session, base: Path) -> None:
    session.close()
    with in_place_of_writer(connect(), "eh1"):
        session.setup()
        scan = session.env_dict["loopscan"](1, 0, session.env_dict["box"])
        assert living().pid != os.getpid()
    assert (event := said(scan.path)) is not None and event.state == "SAVED"


def test_a_writer_that_dies_again_and_again_is_given_up_and_scans_say_so(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.close()
    monkeypatch.setenv("PYTHONHOME", "/nowhere")  # no Python starts with that
    session.setup()
    with pytest.raises(SavingError, match=r"dies again and again \(pid \d+ on .*exit code 1\).*bliss-like writer eh1"):
        session.env_dict["loopscan"](1, 0, session.env_dict["box"])
    assert list(get_session_node("eh1").walk("scan", wait=False)) == []  # it took no number
    session.scan_saving.writer = "null"
    session.env_dict["loopscan"](1, 0, session.env_dict["box"])


def test_a_writer_without_a_place_for_its_log(session: Session) -> None:
    session.close()
    session.setup()
    assert isinstance(environment.saver, FileSaving)
    writer = environment.saver.writer  # its process is started when greenlets run
    writer.log = writer.log.parent / "full" / "writer.log"
    writer.log.parent.write_text("in the way")
    with pytest.raises(SavingError, match="the writer of session eh1 cannot be started: .*writer.log.*BLISS_LIKE_HOME"):
        session.env_dict["loopscan"](1, 0, session.env_dict["box"])


def test_a_file_that_cannot_be_written_is_waited_for(session: Session, base: Path) -> None:
    loopscan, box = session.env_dict["loopscan"], session.env_dict["box"]
    in_the_way = base / "eh1" / "data_1.jsonl"
    in_the_way.mkdir(parents=True)
    task = gevent.spawn(loopscan, 3, 0, box)
    wait_until_cooperative(lambda: living().trouble)
    assert living().trouble.endswith("Is a directory")
    in_the_way.rmdir()
    task.get(timeout=30)
    assert values(base / "eh1" / "data_1.jsonl") == [1, 1, 1]


def test_a_scan_does_not_wait_for_ever_for_its_file(
    session: Session, base: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bliss_like.session.file_saving._PATIENCE", 0.6)
    in_the_way = base / "eh1" / "data_1.jsonl"
    in_the_way.mkdir(parents=True)
    with pytest.raises(SavingError, match="scan 1 loopscan is not yet saved.*Is a directory.*bliss-like recover eh1"):
        session.env_dict["loopscan"](3, 0, session.env_dict["box"])
    session.close()
    assert caplog.messages[-1].startswith("not saved yet: 1_loopscan; ") and "bliss-like recover eh1" in caplog.text


def test_a_scan_is_held_while_too_much_of_it_is_not_on_disk(
    session: Session, base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loopscan, box = session.env_dict["loopscan"], session.env_dict["box"]
    saver = environment.saver
    assert isinstance(saver, FileSaving)
    saver.backlog = 1000
    in_the_way = base / "eh1" / "data_1.jsonl"
    in_the_way.mkdir(parents=True)
    scan = loopscan(1_000_000, 0.001, box, run=False)
    task = gevent.spawn(scan.run)
    wait_until_cooperative(lambda: scan.gate.is_held)
    in_the_way.rmdir()
    wait_until_cooperative(lambda: not scan.gate.is_held)
    scan.stop()
    task.get(timeout=30)
    assert len(values(base / "eh1" / "data_1.jsonl")) == scan.channels[0].length
    assert sum("is held" in message for message in caplog.messages) == 1


# -- a writer by hand ----------------------------------------------------------------------------------------------------


def test_a_writer_that_is_there_is_used_and_a_second_one_refused(session: Session, base: Path) -> None:
    session.close()
    with by_hand("eh1") as process:
        status = living()
        assert status.pid == process.pid
        session.setup()
        session.env_dict["loopscan"](2, 0, session.env_dict["box"])
        with by_hand("eh1") as second:
            told = second.communicate(timeout=60)[0]
        assert second.returncode == 1 and f"writer of session eh1 (pid {process.pid} on {status.host})" in told
        with by_hand("--status", "eh1") as third:
            assert f"pid {process.pid}" in third.communicate(timeout=60)[0]
        session.close()
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=60)[0]
    assert process.returncode == 0 and "scan eh1:" in told and "saved in" in told
    assert writer_status(connect(), "eh1") is None
    with by_hand("--status", "eh1") as none:
        none.communicate(timeout=60)
    assert none.returncode == 3


def test_what_an_earlier_writer_has_left_is_saved_by_the_next_one(base: Path) -> None:
    left = [publish(3, base).end() for _ in range(3)]
    running = publish(2, base)
    not_to_be_saved = run_scan(Tree(connect()))
    with by_hand("eh1") as process:
        running.end()
        for scan in [*left, running]:
            wait_until(partial(said, scan.path))
            assert len(values(base / f"data_{scan.number}.jsonl")) == scan.sinks["diode"].length
        process.terminate()
        told = process.communicate(timeout=60)[0]
    ends = [told.index(f"{scan.path}: saved in") for scan in left]
    assert ends == sorted(ends)
    assert said(not_to_be_saved.path) is None


def test_a_writer_that_ends_in_a_scan_leaves_what_was_published_on_disk(base: Path) -> None:
    with by_hand("eh1") as process:
        living()
        scan = publish(5, base)
        scan.publisher.flush()
        file = base / f"data_{scan.number}.jsonl"
        wait_until(lambda: file.exists() and len(values(file)) == 5)
        process.terminate()
        process.wait(30)
    assert said(scan.path) is None and not is_complete(file)
    scan.emit([2.0]).end()
    with by_hand("eh1"):
        wait_until(lambda: said(scan.path) is not None)
    assert values(file) == [1, 1, 1, 1, 1, 2]


@pytest.mark.parametrize("written", ["", '{"event": "NewNo'])
def test_a_writer_that_has_just_made_its_file_and_dies_is_not_in_the_way_of_the_next(written: str, base: Path) -> None:
    scan = publish(5, base).end()
    file = base / f"data_{scan.number}.jsonl"
    file.parent.mkdir()
    file.write_text(written)
    with by_hand("eh1"):
        wait_until(lambda: said(scan.path) is not None)
    event = said(scan.path)
    assert event is not None and event.state == "SAVED"
    assert values(file) == [1, 1, 1, 1, 1]


SESSION = """
from bliss_like.session import load_session
session = load_session("eh1")
session.setup()
print("ready", flush=True)
session.env_dict["timescan"](0.01, session.env_dict["box"])
"""


def test_a_session_that_is_killed_in_a_scan_leaves_a_whole_file_and_no_process(base: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SESSION], stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:
        file = base / "eh1" / "data_1.jsonl"
        try:
            wait_until(lambda: file.exists() and len(values(file)) > 5)
            status = living()
        finally:
            process.kill()
    wait_until(lambda: writer_status(connect(), "eh1") is None)
    assert is_complete(file)
    [scan] = get_session_node("eh1").walk("scan", wait=False)
    assert (
        isinstance(scan, ScanNode)
        and scan.info["state"] == "KILLED"
        and len(scan.get_data("diode")) == len(values(file))
    )
    event = said(scan.db_name)
    assert event is not None and event.state == "SAVED"
    wait_until(lambda: is_gone({"host": status.host, "pid": status.pid}))


def test_a_server_that_is_restarted_is_waited_for(
    base: Path, server_that_can_be_restarted: RestartableServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with by_hand("eh1") as process:
        scan = publish(5, base)
        file = base / f"data_{scan.number}.jsonl"
        wait_until(lambda: file.exists() and len(values(file)) == 5)
        server_that_can_be_restarted.kill()
        scan.emit([2.0])
        server_that_can_be_restarted.start()
        scan.emit([3.0]).end()
        wait_until(lambda: said(scan.path) is not None)
        assert values(file) == [1, 1, 1, 1, 1, 2, 3]
        assert living().pid == process.pid
        process.terminate()
        assert "the server is back" in process.communicate(timeout=60)[0]
