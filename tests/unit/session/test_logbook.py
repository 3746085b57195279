"""The electronic logbook: what stands in it, and that nothing waits for it."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest

from bliss_like.config import get_config
from bliss_like.data.tree import Tree
from bliss_like.errors import ConfigError, SessionError, UsageError, UserAbort
from bliss_like.live import LiveTable
from bliss_like.session import Session
from bliss_like.session.logbook_text import Entry, markdown, plain
from bliss_like.standard import elog_add, elog_print
from tests.clock import Clock
from tests.places import data_of_test
from tests.unit.session.conftest import MakeSession
from tests.waiting import wait_until_cooperative


def lines_of(session: Session) -> list[str]:
    """Return the entries of a file without their times."""
    session.logbook.flush()
    found = session.logbook.path.read_text().splitlines()
    return [re.sub(r"^- \d\d:\d\d:\d\d ", "- ", line) for line in found if line]


@pytest.fixture
def open_session(make_session: MakeSession, tree: Tree) -> Iterator[object]:
    def open_it(keys: str = "") -> Session:
        session = make_session(f"config-objects: [robx, diode, diode2]\n{keys}")
        assert session.setup(tree=tree), session.error_report
        return session

    yield open_it


def test_comments_beside_the_data(open_session: MakeSession) -> None:
    session = open_session()
    elog_print("beam is back,", 4.5, "mA")
    elog_print("two\nlines")
    assert lines_of(session)[1:] == ["- beam is back, 4.5 mA", "- two  ", "  lines"]
    assert session.logbook.path == Path(data_of_test()) / "s" / "logbook.md"
    assert re.fullmatch(r"## \d{4}-\d\d-\d\d, session s", lines_of(session)[0])


def test_the_logbook_looks_at_the_points_of_a_scan_once_a_second(open_session: MakeSession, clock: Clock) -> None:
    session = open_session("logbook: true")
    (notes,) = [one.callback for one in session.subscriptions]
    accept, calls = notes.accept, set[float]()
    notes.accept = lambda event: (calls.add(round(clock.elapsed, 1)), accept(event))
    entries: list[Entry] = []
    session.logbook.subscribe(entries.append)  # this clock does not wait for the disk
    session.env_dict["loopscan"](100, 0.1, session.env_dict["diode"])
    assert len(calls) <= 13
    session.logbook.flush()
    begins, ends = (entry.text for entry in entries)
    assert begins == "scan 1 begins: `loopscan 100 0.1`" and ends.startswith("scan 1: DONE, 100 points in ")


def test_what_is_said_without_the_key_is_comments_only(open_session: MakeSession) -> None:
    session = open_session()
    with session.logbook.command(1, "ascan(robx, 0, 1, 4, 0, diode)"):
        session.env_dict["ascan"](*(session.env_dict[name] for name in ["robx"]), 0, 1, 4, 0, session.env_dict["diode"])
    elog_print("done")
    assert lines_of(session)[1:] == ["- done"]


def test_commands_scans_and_errors(open_session: MakeSession) -> None:
    session = open_session("logbook: true")
    names = session.env_dict
    with session.logbook.command(1, "loopscan(3, 0, diode)"):
        names["loopscan"](3, 0, names["diode"])
    with session.logbook.command(2, "ct(0, diode)"):
        names["ct"](0, names["diode"])
    with pytest.raises(ZeroDivisionError), session.logbook.command(3, "1 / 0"):
        raise ZeroDivisionError("division by zero")
    with pytest.raises(UserAbort), session.logbook.command(4, "`x`"):
        raise UserAbort
    heading, *lines = lines_of(session)
    ended = lines.pop(2)
    assert re.fullmatch(r"- scan 1: DONE, 3 points in \S+ s", ended)
    assert lines == [
        "- `loopscan(3, 0, diode)`",
        "- scan 1 begins: `loopscan 3 0`",
        "- `ct(0, diode)`",
        "- `1 / 0`",
        "- **error** `ZeroDivisionError: division by zero`",
        "- `` `x` ``",
        "- **error** `interrupted`",
    ]


def test_an_error_that_cannot_say_what_it_is(open_session: MakeSession) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    session = open_session("logbook: true")
    with pytest.raises(Mute), session.logbook.command(1, "speak()"):
        raise Mute
    assert lines_of(session)[-1] == "- **error** `Mute: (its __str__ raised RuntimeError)`"


def test_what_commands_have_printed(open_session: MakeSession) -> None:
    session = open_session()
    with session.logbook.command(7, "wa()") as output:
        output.add("robx\r\n  0.0")
        output.add("000\n")
    with session.logbook.command(8, "wm()"):
        pass
    with session.logbook.command(9, "elog_add()"):
        elog_add(-2)
        elog_add(8)
        with pytest.raises(UsageError, match="no command 3 whose output is kept; there are 7 to 8, or -1 to -2"):
            elog_add(3)
        with pytest.raises(
            UsageError, match="index: expected a whole number, -1 for the last command, or a scan, .* got 'last'"
        ):
            elog_add("last")
    assert lines_of(session)[1:] == [
        *("- output `wa()`", "  ```text", "  robx", "    0.0000", "  ```"),
        *("- output `wm()`", "  ```text", "  (nothing)", "  ```"),
    ]


def test_tables_of_scans(open_session: MakeSession, monkeypatch: pytest.MonkeyPatch) -> None:
    session = open_session()
    names = session.env_dict
    live = LiveTable(out=lambda line: None, logbook=elog_add)
    scan = names["ascan"](names["robx"], 0, 1, 4, 0, names["diode"], subs=[live])
    elog_add(scan)
    elog_add(scan.node)
    monkeypatch.setattr("bliss_like.standard.elog.MOST_ROWS", 4)
    elog_add(names["SCANS"][-1])
    tables = "\n".join(lines_of(session)[1:]).split("- output")[1:]
    for table in tables[:3]:
        told = [line.split() for line in table.splitlines()]
        assert ["#", "dt[s]", "robx", "diode"] in told
        assert [row[0] for row in told if row and row[0].isdigit()] == list("01234")
        assert "Scan 1 done: 5 points in " in table
    assert "lines between these; the data have all of them" in tables[3]
    with pytest.raises(UsageError, match=r"or a scan, as in elog_add\(SCANS\[-1\]\), got "):
        elog_add(names["diode"])


def test_a_long_output_has_its_end(open_session: MakeSession) -> None:
    session = open_session()
    with session.logbook.command(1, "x") as output:
        for number in range(100_000):
            output.add(f"{number}\n")
    assert output.text.endswith("99998\n99999") and len(output.text) <= 1 << 16


def test_callbacks_have_each_entry(open_session: MakeSession, caplog: pytest.LogCaptureFixture) -> None:
    session = open_session()
    taken: list[Entry] = []

    def fails(entry: Entry) -> None:
        raise OSError("the facility's logbook does not answer")

    session.logbook.subscribe(fails)
    session.logbook.subscribe(taken.append)
    elog_print("one")
    elog_print("two")
    session.logbook.flush()
    assert [(entry.kind, entry.text, entry.session) for entry in taken] == [
        ("comment", "one", "s"),
        ("comment", "two", "s"),
    ]
    assert caplog.text.count("does not answer") == 1
    session.logbook.unsubscribe(taken.append)
    elog_print("three")
    session.logbook.flush()
    assert len(taken) == 2
    with pytest.raises(UsageError, match="is not subscribed"):
        session.logbook.unsubscribe(taken.append)
    with pytest.raises(UsageError, match="expected a function"):
        session.logbook.subscribe("elog")  # type: ignore[arg-type]


def test_functions_that_are_configured(
    open_session: MakeSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "facility_elog.py").write_text("TAKEN = []\n\ndef post(entry):\n    TAKEN.append(entry.text)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    session = open_session("logbook: {send_to: ['facility_elog:post', 'nowhere:post']}")
    elog_print("hello")
    session.logbook.flush()
    import facility_elog  # type: ignore[import-not-found]

    assert facility_elog.TAKEN == ["hello"]
    assert "session s: logbook: send_to nowhere:post: ModuleNotFoundError" in caplog.text


def test_no_logbook(open_session: MakeSession) -> None:
    session = open_session("logbook: false")
    with pytest.raises(SessionError, match="session 's' has no logbook: its YAML file says logbook: false"):
        elog_print("x")
    assert "no logbook" in session.logbook.__info__()
    session.logbook.flush()
    assert not Path(data_of_test()).exists()


def test_without_a_session() -> None:
    with pytest.raises(SessionError, match="a logbook needs a session"):
        elog_print("x")
    with pytest.raises(UsageError, match="expected something to note, got nothing\nusage: elog_print"):
        elog_print(" ")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{path: notes.md}", "expected an absolute path, came 'notes.md'"),
        ("{send_to: [post]}", "expected package.module:function, came 'post'"),
        ("{command: true}", "command"),
    ],
)
def test_wrong_keys(make_session: MakeSession, value: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make_session(f"logbook: {value}")


def test_a_file_elsewhere_for_all(open_session: MakeSession, tmp_path: Path) -> None:
    session = open_session(f"logbook: {{path: {tmp_path}/notes, commands: false}}")
    session.scan_saving.template = "{session}/other"
    elog_print("x")
    assert lines_of(session)[1:] == ["- x"]
    assert session.logbook.path == tmp_path / "notes" / "logbook.md"
    assert session.logbook.__info__().endswith("comments, scans, errors")


def test_it_follows_the_data(open_session: MakeSession) -> None:
    session = open_session()
    elog_print("first")
    session.logbook.flush()
    before = session.logbook.path
    session.scan_saving.template = "{session}/ruby"
    elog_print("second")
    assert lines_of(session)[1:] == ["- second"]
    assert "first" in before.read_text() and "second" not in before.read_text()


def test_a_disk_that_is_gone_is_said_once_and_nothing_is_lost(
    open_session: MakeSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = open_session("logbook: true")
    names = session.env_dict
    (tmp_path / "full").write_text("no directory")
    session.scan_saving.base_path = tmp_path / "full"
    with session.logbook.command(1, "loopscan(2, 0, diode)"):
        scan = names["loopscan"](2, 0, names["diode"], save=False)
    assert scan.state.name == "DONE"
    elog_print("noted")
    session.logbook.flush()
    elog_print("later")
    session.logbook.flush()
    warnings = [
        record for record in caplog.records if record.levelno >= logging.WARNING and "logbook" in record.message
    ]
    assert len(warnings) == 1 and "entries are kept until it works again" in warnings[0].message
    (tmp_path / "full").unlink()
    assert lines_of(session)[1:] == ["- `loopscan(2, 0, diode)`", "- noted", "- later"]


def test_it_is_written_at_the_end_of_the_session(open_session: MakeSession) -> None:
    session = open_session()
    path = session.logbook.path
    elog_print("last words")
    session.close()
    assert path.read_text().endswith(" last words\n")


def test_what_has_changed_in_the_configuration(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode]\nlogbook: true")
    assert session.setup(tree=tree)
    names = session.env_dict
    make_session("config-objects: [diode]\nlogbook: {scans: false}")
    session.resetup()
    names["loopscan"](2, 0, names["diode"])
    with session.logbook.command(1, "wa()"):
        pass
    assert lines_of(session)[1:] == ["- `wa()`"]
    get_config().close()


def test_nobody_waits_for_a_callback(open_session: MakeSession) -> None:
    session = open_session()
    release = gevent.event.Event()
    session.logbook.subscribe(lambda entry: release.wait())
    elog_print("x")
    session.logbook.flush(patience=0.05)
    wait_until_cooperative(lambda: session.logbook.path.exists() and session.logbook.path.read_text().endswith(" x\n"))
    release.set()


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("robx 0.1\rrobx 0.2\rrobx 0.3\n", "robx 0.3"),
        ("a\r\nb", "a\nb"),
        ("\x1b]0;title\x07x", "x"),
        ("bell\x07\x1b7", "bell"),
        ("user 0.1\x1b[K\ndial 0.1\x1b[K\n\x1b[2Auser 12\x1b[K\ndial 12\x1b[K\ndone", "user 12\ndial 12\ndone"),
        ("user 1\x1b[K\nstate MOVING\x1b[K\n\x1b[2Auser 2\x1b[K\n", "user 2"),
        ("12345\rab", "ab345"),
        ("gone\x1b[2K\rhere\tand there", "here\tand there"),
    ],
)
def test_what_is_seen_of_a_text_in_the_end(text: str, seen: str) -> None:
    assert plain(text) == seen


def test_backticks_and_several_lines() -> None:
    entry = Entry(0.0, "s", "command", "for x in y:\n    print('```')")
    first, *rest = markdown(entry).splitlines()
    assert rest == ["", "  ````text", "  for x in y:", "      print('```')", "  ````"]
