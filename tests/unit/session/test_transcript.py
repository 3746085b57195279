"""What is typed and shown, in a file: what stands in it, and that nothing waits for its disk."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest

from bliss_like.data.tree import Tree
from bliss_like.errors import SavingError, SessionError, UsageError
from bliss_like.session import Session
from bliss_like.session.transcript import Transcript
from bliss_like.standard import log_stdout
from tests.waiting import wait_until_cooperative

from .conftest import MakeSession


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session("config-objects: [robx, diode]")
    assert session.setup(tree=tree), session.error_report
    return session


@pytest.fixture
def transcript(session: Session) -> Transcript:
    return session.logbook.transcript


def text_of(path: Path) -> str:
    """Return a file without times and processes."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d([+-]\d{4})?", "<time>", path.read_text())
    return re.sub(r"process \d+ on .*", "process ...", text)


def test_a_record_of_each_command(transcript: Transcript, tmp_path: Path) -> None:
    transcript.command(1, "not written")
    transcript.shown("not written\n")
    path = transcript.begin(tmp_path / "new" / "logs")
    assert re.fullmatch(r"s_\d{4}-\d\d-\d\d\.log", path.name) and path.parent == tmp_path / "new" / "logs"
    transcript.command(2, "wa()")
    writer = threading.Thread(target=transcript.shown, args=("\x1b[31mred\x1b[0m 1 µm\n",))
    writer.start()
    writer.join()
    for text in ("10 %", "\r20 %", "\r100 %", "\n", "no end of a line"):
        transcript.shown(text)
    transcript.command(3, "for i in range(2):\n    print(i)")
    transcript.shown("0\n1\n")
    transcript.end()
    transcript.command(4, "not written")
    assert text_of(path) == (
        "# <time> session s, process ...\n"
        "\n<time> S [2]: wa()\nred 1 µm\n100 %\nno end of a line\n"
        "\n<time> S [3]: for i in range(2):\n" + " " * 27 + "    print(i)\n0\n1\n"
        "\n# <time> log_stdout(False)\n"
    )
    assert transcript.path is None


def test_it_goes_on_in_the_next_session(session: Session, tree: Tree, tmp_path: Path) -> None:
    session.logbook.transcript.begin(tmp_path)
    session.logbook.transcript.command(1, "one")
    session.close()
    session.setup(tree=tree)
    path = session.logbook.transcript.resume()
    session.logbook.transcript.command(1, "two")
    session.logbook.transcript.end()
    assert path is not None and re.findall("# <time> .*|S .*", text_of(path)) == [
        *("# <time> session s, process ...", "S [1]: one", "# <time> the session is closed"),
        *("# <time> session s, process ...", "S [1]: two", "# <time> log_stdout(False)"),
    ]
    session.close()
    session.setup(tree=tree)
    assert session.logbook.transcript.resume() is None


def test_a_full_disk_is_told_once_and_stops_nothing(
    session: Session, transcript: Transcript, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    transcript.begin(tmp_path)
    transcript.command(1, "ascan(robx, 0, 1, 10, 0, diode)")
    transcript.flush()
    path: Any = transcript.path
    kept = path.rename(tmp_path / "kept")
    path.symlink_to("/dev/full")
    names = session.env_dict
    for number in range(3):
        transcript.shown(f"line {number}\n")
        transcript.flush()
        names["ascan"](names["robx"], 0, 1, 2, 0, names["diode"])
    assert caplog.text.count("log_stdout: cannot write to ") == caplog.text.count("No space left on device") == 1
    path.unlink()
    transcript.shown("there is room again\n")
    transcript.flush()
    assert path.read_text() == "line 0\nline 1\nline 2\nthere is room again\n"
    assert "S [1]: ascan" in kept.read_text()


def test_what_is_too_much_for_it_is_said_to_be_missing(
    transcript: Transcript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bliss_like.session.transcript.MOST_AT_ONCE", 100)
    transcript.begin(tmp_path)
    transcript.command(1, "flood()")
    transcript.flush()
    path: Any = transcript.path
    path.unlink()
    missing = "[here something is missing: it was too much, or the disk did not take it]\n"
    for number in range(100):  # nobody else runs meanwhile
        transcript.shown(f"line {number}\n")
    transcript.flush()
    first = "".join(f"line {number}\n" for number in range(13))
    assert path.read_text() == f"{first}line 1\n{missing}"
    path.unlink()
    path.symlink_to("/dev/full")
    monkeypatch.setattr("bliss_like.session.transcript.MOST_WAITING", 10)
    for line in ("line a\n", "line b\n", "line c\n"):
        transcript.shown(line)
        transcript.flush()
    path.unlink()
    transcript.flush()
    transcript.shown("line d\n")
    transcript.flush()
    assert path.read_text() == f"line a\n{missing}line d\n"


def test_places_that_cannot_be(transcript: Transcript, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SavingError, match="log_stdout: cannot make .*/file/logs: "):
        log_stdout(tmp_path / "file" / "logs")
    with pytest.raises(SavingError, match="log_stdout: cannot save in .*/file: it is no directory"):
        log_stdout(tmp_path / "file")
    with pytest.raises(SavingError, match="log_stdout: cannot make /proc/logs: "):
        log_stdout("/proc/logs")
    path = transcript.begin(tmp_path)
    transcript.end()
    path.unlink()
    path.mkdir()
    with pytest.raises(SavingError, match=f"log_stdout: cannot write to {re.escape(str(path))}: Is a directory"):
        log_stdout(tmp_path)
    assert transcript.path is None and transcript.resume() is None


def test_the_verb_says_where_it_goes(
    session: Session, transcript: Transcript, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (True, 3, "", [tmp_path]):
        with pytest.raises(UsageError, match="log_stdout: expected a directory, or False to end it, got "):
            log_stdout(wrong)
    log_stdout()
    log_stdout(False)
    log_stdout(str(tmp_path))
    log_stdout(fdir=tmp_path)  # the same file goes on
    path = transcript.path
    log_stdout()
    log_stdout(False)
    goes = f"What is typed and shown goes to {path}, too; log_stdout(False) ends that."
    assert capsys.readouterr().out.splitlines() == [
        "What is typed and shown goes to no file; log_stdout(<directory>) begins that.",
        "Nothing was written to a file.",
        *(goes, goes, goes),
        f"No more is written to {path}",
    ]
    session.close()
    with pytest.raises(SessionError, match="needs a session"):
        log_stdout(tmp_path)


def test_one_text_that_is_too_much(transcript: Transcript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bliss_like.session.transcript.MOST_AT_ONCE", 100)
    path = transcript.begin(tmp_path)
    transcript.command(1, "print(data)")
    transcript.flush()
    path.unlink()
    missing = "[here something is missing: it was too much, or the disk did not take it]\n"
    transcript.shown("first\n" + 200 * "x" + "\n")
    wait_until_cooperative(lambda: path.exists() and path.read_text() == "first\n" + 94 * "x" + "\n" + missing)
    transcript.shown("in the background\n")
    wait_until_cooperative(lambda: path.read_text().endswith(f"{missing}in the background\n"))
