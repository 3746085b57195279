"""The catalogue of past scans: what is entered is found by all that people ask for, in one base path or several."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data import catalogue
from bliss_like.data.catalogue_index import FILE, Index
from bliss_like.data.catalogue_rebuild import rebuild
from bliss_like.data.catalogue_times import timestamp
from bliss_like.data.events import SavedScan, ScanInfoUpdate
from bliss_like.data.server import HOME_VARIABLE
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import BrokenCatalogue, CatalogueError
from tests.publishing import PublishedScan
from tests.saved_files import begin_file, save

START = datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path))
    return tmp_path


def info(number: int, **more: Any) -> dict[str, Any]:
    """Return the info of a scan that starts `number` minutes after START."""
    return {
        "uid": f"{number:032x}",
        "name": "ascan",
        "type": "ascan",
        "title": f"ascan roby 0 {number} 10 0.1",
        "scan_nb": number,
        "session_name": "eh1",
        "user_name": "Anna Weber",
        "start_timestamp": START + 60 * number,
        "state": "STARTING",
        "npoints": 11,
        "channels": {"axis:roby": {}, "timer:epoch": {}, "card:diode": {}},
        "sample": {"name": f"sample{number % 2}"},
        "technique": {
            "energy": 7.0 + number / 10,
            "mode": "fluo" if number % 2 else "transmission",
            "edges": ["K", "L3"],
        },
    } | more


def enter(root: Path, number: int, *, saved: bool = True, **more: Any) -> None:
    path = f"eh1:tmp:scans:{number}_ascan"
    event = SavedScan(path, file=f"{root}/data.h5", entries=(f"/{number}.1",), writer="nexus") if saved else None
    ended = {"state": "DONE", "end_timestamp": START + 60 * number + 30} if saved else {}
    catalogue.record(root, info(number) | ended | more, event, path)


def numbers(*arguments: Any, **options: Any) -> list[int | None]:
    return [record.number for record in catalogue.search(*arguments, **options)]


# -- a scan ------------------------------------------------------------------------------------------------------------


def test_a_scan_is_entered_at_its_start_and_at_its_end(root: Path) -> None:
    enter(root, 3, saved=False)
    running = catalogue.get(3)
    assert running.is_running
    assert (running.state, running.saved, running.end_time, running.duration) == ("RUNNING", "", None, None)
    enter(root, 3, comments=[{"timestamp": "", "message": "lovely"}])
    record = catalogue.get(3)
    assert len(catalogue.search()) == 1
    assert (record.state, record.saved, record.file, record.entry) == ("DONE", "SAVED", f"{root}/data.h5", "/3.1")
    assert (record.number, record.name, record.session, record.sample) == (3, "3_ascan", "eh1", "sample1")
    assert (record.motors, record.counters, record.comments) == (("roby",), ("card:diode",), ("lovely",))
    assert record.start_time == datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
    assert record.duration == 30
    assert record.info["technique"]["energy"] == 7.3


def test_what_has_changed_since_the_start_is_found_no_more(root: Path) -> None:
    enter(root, 1, saved=False, technique={"energy": 5}, channels={})
    assert numbers(where="technique.energy = 5") == [1]
    enter(root, 1, technique={"energy": 6})
    assert numbers(where="technique.energy = 5") == []
    assert numbers(where="technique.energy = 6") == numbers(motors="roby") == [1]


def test_scans_that_start_at_the_same_time_stay_apart(root: Path) -> None:
    for number in range(3):
        enter(root, number, start_timestamp=START)
    assert sorted(numbers()) == [0, 1, 2]


def test_odd_metadata(root: Path) -> None:
    odd = {
        "a'b": 1,
        "nan": float("nan"),
        "inf": float("inf"),
        "huge": 10**30,
        "none": None,
        "µ": "größer",
        "flag": True,
    }
    enter(root, 1, technique=odd, sample="lysozyme", user=3, comments="none", npoints="?")
    assert numbers(where={"technique.a'b": 1}) == numbers(where={"technique.flag": True}) == [1]
    assert numbers(where="technique.inf > 1e300") == numbers(where="technique.huge > 1e29") == [1]
    assert numbers(where="technique.nan > 0") == numbers(where="technique.none = 0") == []
    assert numbers(where={"technique.µ": ("~", "^grö")}) == [1]
    assert catalogue.get(1).sample == "lysozyme"
    assert np.isnan(catalogue.get(1).info["technique"]["nan"])


# -- questions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def ten(root: Path) -> Path:
    for number in range(10):
        enter(root, number, **({"title": "MESH of the big crystal", "type": "amesh"} if number == 4 else {}))
    return root


QUESTIONS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
    ({"limit": 2}, [9, 8]),
    ({"limit": 0}, []),
    ({"text": "mesh CRYSTAL"}, [4]),
    ({"text": "mesh roby"}, []),
    ({"since": START + 8 * 60}, [9, 8]),
    ({"until": START + 60}, [1, 0]),
    ({"since": "2026-11-20T12:02+00:00", "until": "2026-11-20T12:03+00:00"}, [3, 2]),
    ({"type": "amesh"}, [4]),
    ({"type": ["amesh", "ct"]}, [4]),
    ({"type": "a*h"}, [4]),
    ({"sample": "sample?", "session": "eh1", "limit": 1}, [9]),
    ({"session": "eh2"}, []),
    ({"user": "Anna*", "state": "DONE", "type": "amesh"}, [4]),
    ({"motors": "roby", "counters": "diode", "limit": 1}, [9]),
    ({"motors": ["roby", "rob*"], "counters": "card:*", "limit": 1}, [9]),
    ({"motors": "robz"}, []),
    ({"where": {"technique.energy": (">", 7.65)}}, [9, 8, 7]),
    ({"where": {"technique.energy": (">=", 7.9), "technique.mode": "fluo"}}, [9]),
    ({"where": ["technique.energy<7.15", "npoints = 11"]}, [1, 0]),
    ({"where": "technique.mode = 'fluo'", "type": "ascan", "limit": 2}, [9, 7]),
    ({"where": "technique.mode != fluo", "until": START + 150}, [2, 0]),
    ({"where": "technique.mode ~ ^trans", "limit": 1}, [8]),
    ({"where": {"technique.mode": ("contains", "LUO")}, "limit": 1}, [9]),
    ({"where": {"technique.edges": "L3"}, "limit": 2}, [9, 8]),
    ({"where": {"technique.edges": ["K", "L3"]}, "limit": 2}, [9, 8]),
    ({"where": {"number": ("in", [2, 3])}}, [3, 2]),
    ({"where": {"number": ("not in", [2, 3])}, "limit": 1}, [9]),
    ({"where": {"technique.mode": (">", 3)}}, []),
    ({"where": {"technique.energy": ("<", "z")}}, []),
    ({"where": {"technique.energy": None}}, []),
    ({"where": {"technique.energy": ("!=", None), "type": "amesh"}}, [4]),
    ({"where": {"channels.axis:roby": ("!=", None), "type": "amesh"}}, [4]),
    ({"where": {"channels.axis:robz": ("!=", None)}}, []),
]


@pytest.mark.parametrize(("question", "answer"), QUESTIONS, ids=[str(question) for question, _ in QUESTIONS])
def test_questions(ten: Path, question: dict[str, Any], answer: list[int]) -> None:
    assert numbers(**question) == answer


def test_results_are_a_sequence_newest_first(ten: Path) -> None:
    found = catalogue.search()
    assert len(found) == 10
    assert (found[0].number, found[-1].number, found[2].number) == (9, 0, 7)
    assert [record.number for record in found[1:4]] == [8, 7, 6]
    assert len(found[1:4][1:]) == 2
    assert len(catalogue.last(3)) == 3
    assert catalogue.find(number=4)[0].name == "4_ascan"
    with pytest.raises(IndexError, match=r"scan \[10\] of 10 that were found"):
        found[10]


def test_one_scan_by_what_people_have(ten: Path) -> None:
    uid = f"{4:032x}"
    for word in (4, "4", uid, uid + "", "4_ascan", "eh1:tmp:scans:4_ascan"):
        assert catalogue.get(word).number == 4
    assert (catalogue.get("ascan").number, catalogue.get("amesh").number) == (9, 4)
    enter(ten, 4, uid="later" * 6, start_timestamp=START + 10**6, session_name="eh2")
    assert catalogue.get(4).session == "eh2"
    assert catalogue.get(4, session="eh1").uid == uid
    assert catalogue.get("laterla").session == "eh2"
    with pytest.raises(CatalogueError, match=r"no scan 77 in the catalogue; the newest is scan 4, ascan roby 0 4"):
        catalogue.get(77)


def test_errors_say_what_was_meant(ten: Path) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"where": {"energy": 7}}, "no scan of the catalogue has a key 'energy'; did you mean 'technique.energy'?"),
        ({"where": {"tecnique.mode": 7}}, "no scan .* has a key 'tecnique.mode'; did you mean 'technique.mode'"),
        ({"where": {"npoints": (">>", 7)}}, "npoints: expected one of = == != .*, got '>>'"),
        ({"where": {"npoints": ("in", 7)}}, "npoints in: expected a list of values, got 7"),
        ({"where": {"title": ("~", "(")}}, "title ~ '\\(': no regular expression"),
        ({"where": "npoints"}, "where: expected a key, one of .*, got 'npoints'"),
        ({"where": 3}, "where: expected .*, got 3"),
        ({"since": "yestrday"}, "expected a time: 'today', .*, got 'yestrday'"),
    ]
    for question, message in cases:
        with pytest.raises(CatalogueError, match=message):
            catalogue.search(**question)
    assert repr(catalogue.search(motors="robx")).startswith(
        "no scan found: none has used 'robx' as one of its motors; did"
    )


def local(day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second).astimezone()


def test_times() -> None:
    now = datetime(2026, 11, 20, 15, 30).astimezone()  # a Friday
    cases: Mapping[Any, datetime] = {
        "now": now,
        "2 h": now - timedelta(hours=2),
        "90 min ago": now - timedelta(minutes=90),
        "an hour": now - timedelta(hours=1),
        "last 2 weeks": now - timedelta(weeks=2),
        timedelta(days=3): now - timedelta(days=3),
        "Today": local(20),
        "yesterday": local(19),
        "monday": local(16),
        "friday": local(20),
        "9:05": local(20, 9, 5),
        "14:30:10": local(20, 14, 30, 10),
        "2026-11-01": local(1),
        "2026-11-01 12:00": local(1, 12),
        "2026-11-01T12:00+00:00": datetime(2026, 11, 1, 12, tzinfo=UTC),
        1e9: datetime.fromtimestamp(1e9, UTC),
    }
    for when, expected in cases.items():
        assert timestamp(when, now=now) == expected.timestamp(), when
    assert timestamp("yesterday", end=True, now=now) == pytest.approx(local(20).timestamp())
    for nonsense in ("", "2 lightyears", "25:00", "2026-13-01", True, None):
        with pytest.raises(CatalogueError, match="expected a time"):
            timestamp(nonsense, now=now)  # type: ignore[arg-type]


def test_tables(ten: Path) -> None:
    shown = catalogue.search().__info__()
    assert shown.splitlines()[0].split() == ["#", "started", "took", "session", "sample", "title"]
    assert "MESH of the big crystal" in shown
    enter(ten, 10, state="KILLED", title="<b>" + 200 * "x")
    lines = catalogue.last(2).__info__().splitlines()
    assert "failed" in lines[1]
    assert max(map(len, lines)) <= 80
    assert "&lt;b&gt;" in catalogue.last(2)._repr_html_()


# -- indexes -----------------------------------------------------------------------------------------------------------


def test_several_base_paths_are_one_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.delenv(catalogue.VARIABLE, raising=False)
    assert catalogue.known_roots() == []
    assert len(catalogue.search(where={"anything": 1})) == 0
    roots = [tmp_path / "first", tmp_path / "second"]
    for root in roots:
        root.mkdir()
    for number in range(6):
        enter(roots[number % 2], number, **({"only": 1} if number == 3 else {}))
    assert catalogue.known_roots() == roots
    assert numbers() == [5, 4, 3, 2, 1, 0]
    assert numbers(limit=3) == [5, 4, 3]
    assert numbers(where="only=1") == [3]
    assert numbers(roots=roots[:1]) == [4, 2, 0]


def test_a_base_path_that_cannot_be_read_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fine, broken = tmp_path / "fine", tmp_path / "broken"
    monkeypatch.setenv(catalogue.VARIABLE, f"{broken}:{fine}:{tmp_path / 'gone'}")
    for root in (fine, broken):
        root.mkdir()
        enter(root, 1)
    (broken / FILE).write_bytes(b"nothing of the kind" * 100)
    assert numbers() == [1]
    assert f"scans are left out: {broken}/.catalogue.sqlite: broken" in caplog.text
    with pytest.raises(CatalogueError, match=f"{tmp_path}/gone/.catalogue.sqlite: no index of scans there"):
        catalogue.search(roots=[tmp_path / "gone"])


def test_the_base_path_of_a_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "data" / "a" / "b" / "file.h5"
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path / "elsewhere"))
    assert catalogue.root_of({"filename": str(file)}) == file.parent
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path / "data"))
    assert catalogue.root_of({"filename": str(file)}) == tmp_path / "data"
    (tmp_path / "data" / "a").mkdir(parents=True)
    enter(tmp_path / "data" / "a", 1)
    assert catalogue.root_of({"filename": str(file)}) == tmp_path / "data" / "a"
    assert catalogue.root_of({"filename": str(file), "base_path": str(tmp_path)}) == tmp_path
    assert catalogue.root_of({"filename": str(file), "base_path": "/elsewhere"}) == tmp_path / "data" / "a"
    with pytest.raises(CatalogueError, match="not saved"):
        catalogue.root_of({"name": "ct"})


def test_who_may_save_there_may_enter_scans(root: Path) -> None:
    root.chmod(0o770)
    enter(root, 1)
    assert (root / FILE).stat().st_mode & 0o777 == 0o660


def test_an_index_that_is_broken_says_how_to_make_it_again(root: Path) -> None:
    (root / FILE).write_bytes(b"this is no database" * 1000)
    for action in (lambda: catalogue.last(), lambda: enter(root, 1)):
        with pytest.raises(BrokenCatalogue, match=rf"broken .*bliss-like scans --rebuild {root}"):
            action()
    rebuild(root)
    enter(root, 1)
    assert numbers() == [1]
    assert (root / f"{FILE}.broken").exists()


def test_an_index_of_another_version_is_left_alone(root: Path) -> None:
    enter(root, 1)
    with Index(root).writing() as connection:
        connection.execute("PRAGMA user_version = 99")
    for action in (lambda: catalogue.last(), lambda: enter(root, 1)):
        with pytest.raises(BrokenCatalogue, match="expected version 1 of it, got 99"):
            action()


def test_where_nothing_can_be_written(root: Path) -> None:
    with pytest.raises(CatalogueError, match="/nowhere/.catalogue.sqlite: it cannot be written: unable to open"):
        enter(Path("/nowhere"), 1)
    with pytest.raises(CatalogueError, match="no start_timestamp"):
        catalogue.record(root, {"uid": "1", "name": "ct"})
    with pytest.raises(CatalogueError, match="expected JSON types"):
        enter(root, 1, technique={"device": object()})


def test_a_failed_entry_leaves_no_trace(root: Path) -> None:
    enter(root, 1)
    with pytest.raises(CatalogueError), Index(root).writing() as connection:
        connection.execute("DELETE FROM scans")
        raise CatalogueError("stop")
    assert numbers() == [1]


KILLED = """
import os, signal, sys
from bliss_like.data.catalogue_index import Index, enter
from tests.unit.data.test_catalogue import info
with Index(sys.argv[1]).writing() as connection:
    connection.execute("PRAGMA cache_spill = 1")
    for number in range(2, 500):
        enter(connection, info(number), None)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_process_that_is_killed_while_it_writes_harms_nothing(root: Path) -> None:
    enter(root, 1)
    assert subprocess.run([sys.executable, "-c", KILLED, str(root)], check=False).returncode == -signal.SIGKILL
    assert (root / f"{FILE}-journal").exists()
    assert numbers() == [1]
    enter(root, 2)
    assert numbers() == [2, 1]


WRITER = """
import sys
from pathlib import Path
from tests.unit.data.test_catalogue import enter
for number in range(int(sys.argv[2]), 40, 4):
    enter(Path(sys.argv[1]), number, saved=False)
    enter(Path(sys.argv[1]), number)
"""


def test_several_processes_write_and_read(root: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(root), str(number)]) for number in range(4)]
    seen = 0
    while any(writer.poll() is None for writer in writers):
        found = catalogue.search()
        assert len(found) >= seen
        seen = len(found)
    assert [writer.wait(30) for writer in writers] == [0] * 4
    assert numbers(state="DONE") == list(range(39, -1, -1))


# -- files -------------------------------------------------------------------------------------------------------------


def saved_scan(tree: Tree, file: Path, number: int, *, ended: bool = True) -> str:
    file.parent.mkdir(exist_ok=True, parents=True)
    scan = PublishedScan(tree, "ascan")
    scan.publisher.publish(ScanInfoUpdate(scan.path, info(number) | {"scan_nb": scan.number}))
    scan.prepare().emit(np.arange(3.0))
    scan.publisher.flush()
    if ended:
        scan.end()
        save(tree.store, scan.path, file)
    else:
        begin_file(tree.store, scan.path, file).close()
    return scan.path


def test_it_is_made_again_from_the_files(root: Path) -> None:
    tree = Tree(MemoryStore())
    saved_scan(tree, root / "a" / "one.h5", 1)
    saved_scan(tree, root / "a" / "one.h5", 2)
    saved_scan(tree, root / "b" / "two.h5", 3, ended=False)
    (root / "broken.h5").write_text("no HDF5")
    (root / "notes.txt").write_text("no scans")
    enter(root, 40)
    result = rebuild(root)
    assert (result.files, result.scans, result.forgotten) == (2, 3, 1)
    assert len(result.troubles) == 1
    assert "broken.h5" in result.troubles[0]
    assert numbers() == [3, 2, 1]
    assert numbers(where="technique.energy < 7.25", motors="roby") == [2, 1]
    newest, middle = catalogue.last(2)
    assert newest.is_running
    assert (middle.state, middle.saved, middle.entry) == ("DONE", "SAVED", "/2.1")
    with pytest.raises(CatalogueError, match="expected a directory"):
        rebuild(root / "nowhere")


def test_a_record_leads_to_the_data(root: Path) -> None:
    saved_scan(Tree(MemoryStore()), root / "one.h5", 1)
    rebuild(root)
    record = catalogue.last()[0]
    assert record.get_data("diode").tolist() == [0, 1, 2]
    assert list(record.get_data()) == ["timer:diode"]
    assert [event.type.name for event in record.events()][-1] == "END_SCAN"
    (root / "one.h5").unlink()
    with pytest.raises(Exception, match="there is no such file"):
        record.get_data("diode")
