"""What is kept of what is typed, and for how long."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bliss_like.shell import history
from bliss_like.shell.history import SessionHistory
from bliss_like.shell.preferences import Preferences


def entries(path: Path) -> list[str]:
    """Return what another shell would find, the oldest first."""
    return [*SessionHistory(path).load_history_strings()][::-1]


def test_entries_come_back_whole(tmp_path: Path) -> None:
    kept = SessionHistory(tmp_path / "history" / "eh1")
    typed = ["wa()", "def f():\n    return 1\n\n\n    # é", "+1", "# a comment", "'\ud800'"]
    for text in typed:
        kept.append_string(text)
    assert entries(tmp_path / "history" / "eh1") == [*typed[:-1], "'?'"]
    assert (tmp_path / "history" / "eh1").stat().st_mode & 0o077 == 0


def test_a_line_that_begins_with_a_space_is_not_kept(tmp_path: Path) -> None:
    kept = SessionHistory(tmp_path / "eh1")
    kept.append_string(" password = 'beam'")
    kept.append_string("  if True:\n      wa()")
    assert entries(tmp_path / "eh1") == kept.get_strings() == ["  if True:\n      wa()"]


def test_a_history_that_has_grown_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "LARGEST", 2000)
    monkeypatch.setattr(history, "KEPT", 3)
    path = tmp_path / "eh1"
    kept = SessionHistory(path)
    for number in range(100):
        kept.append_string(f"f({number},\n  2)")
    assert entries(path) == [f"f({number},\n  2)" for number in (97, 98, 99)]
    (archive,) = tmp_path.glob("eh1.*")
    assert re.fullmatch(r"eh1\.\d{4}-\d\d-\d\d", archive.name) and len(entries_as_they_are(archive)) == 100
    kept.append_string("of a shell that was open meanwhile")
    assert entries(path)[-1] == "of a shell that was open meanwhile"
    for number in range(100):
        kept.append_string(f"again({number},\n  2)")
    assert len(entries(path)) == 3
    assert len([*tmp_path.glob("eh1.*")]) == 2  # nothing is written over


def entries_as_they_are(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith("+f(")]


def test_the_prompt_goes_on_where_nothing_can_be_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    kept = SessionHistory(tmp_path / "file" / "eh1")
    kept.append_string("wa()")
    kept.append_string("wa()")
    assert kept.get_strings() == ["wa()", "wa()"]
    assert len(caplog.records) == 1 and "what is typed is not kept" in caplog.text


def test_preferences_last(tmp_path: Path) -> None:
    path = tmp_path / "user" / "prompt.json"
    assert Preferences(path).get("typing_helper", True)
    Preferences(path).set("typing_helper", False)
    assert not Preferences(path).get("typing_helper", True)
    path.write_text("{")
    assert Preferences(path).get("typing_helper", True)
