"""Sessions in tmux, which several people see; the list of sessions, and files to begin with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.errors import SessionError
from bliss_like.shell import shared
from tests.shell.conftest import OpenShell
from tests.shell.terminal import Terminal

COMMAND = [sys.executable, "-m", "bliss_like.shell.main"]
DETACH = "\x02d"


def finished(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def tmux(environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tmux, and none of its servers left behind."""
    if not shutil.which("tmux"):
        if os.environ.get("CI"):
            pytest.fail("tmux is not installed")
        pytest.skip("tmux is not installed")
    monkeypatch.delenv("TMUX", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    yield
    for socket in (environment.parent / "home").glob("tmux-*"):
        subprocess.run(["tmux", "-S", str(socket), "kill-server"], capture_output=True, check=False)


def squeezed(terminal: Terminal) -> str:
    """Return the text without spaces, which are not where lines were broken."""
    return "".join(terminal.text.split())


def leave(terminal: Terminal, how: str) -> int:
    terminal.type(how)
    return terminal.wait_for_end()


def test_two_people_see_one_shell(run: OpenShell, tmux: None) -> None:
    first = run("-s", "tiny", "--tmux")
    first.wait_for("TINY [1]:")
    first.wait_for("1 here | C-b d: leave it running")
    second = run("-s", "tiny", "--tmux")
    second.wait_for("TINY [1]:")
    first.type("word = 'said by one'\n")
    second.wait_for("TINY [2]:")
    second.type("word + ', heard by the other'\n")
    for terminal in (first, second):
        terminal.wait_for("'said by one, heard by the other'")

    alone = run("-s", "tiny")
    assert alone.wait_for_end() == 1
    assert "session 'tiny' is already open" in alone.text
    assert "Itisshared,joiniton" in squeezed(alone) and "`bliss-like-stiny--tmux`" in squeezed(alone)

    assert leave(second, DETACH) == 0
    assert "Session tiny goes on. To come back: bliss-like -s tiny --tmux" in second.text
    listed = run("--list")
    assert listed.wait_for_end() == 0
    assert "open since" in listed.text and "to join it: bliss-like -s tiny --tmux" in listed.text
    assert leave(first, "exit\n") == 0
    assert "goes on" not in first.text


def test_why_it_could_not_be_opened_outlives_tmux(run: OpenShell, tmux: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_TMUX", "1")  # as the default
    wrong = run("-s", "tinny")
    assert wrong.wait_for_end() == 1
    assert "no session 'tinny', did you mean 'tiny'?".replace(" ", "") in squeezed(wrong)


def test_inside_another_tmux(run: OpenShell, tmux: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/tmp/tmux-of-the-user/default,1,0")
    inner = run("-s", "tiny", "--tmux")
    inner.wait_for("TINY [1]:")
    inner.type("__import__('os').environ['TMUX'].split(',')[0]\n")
    inner.wait_for("tmux-tiny")
    inner.type(
        f"__import__('subprocess').call([{sys.executable!r}, '-m', 'bliss_like.shell.main', '-s', 'tiny', '--tmux'])\n"
    )
    inner.wait_for("is shared, and this is it")
    assert leave(inner, "exit\n") == 0


def test_without_tmux_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SessionError, match="tmux is not installed here: install it .* or open the session without"):
        shared.open_shared("tiny")
    monkeypatch.setenv(shared.VARIABLE, "1")
    assert not shared.wants_tmux(None) and not shared.wants_tmux(False) and shared.wants_tmux(True)
    assert "tmux is not installed, so that the session is not shared" in capsys.readouterr().err


def test_without_a_terminal_it_is_not_for_tmux(tmux: None, environment: Path) -> None:
    asked = subprocess.run([*COMMAND, "-s", "tiny", "--tmux"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert asked.returncode == 1 and "this is no terminal, tmux needs one" in asked.stderr


# -- the list of sessions, and a new one ---------------------------------------------------------------------------------


def test_a_session_is_begun_and_listed(environment: Path) -> None:
    created = finished("--create", "mine")
    assert created.returncode == 0 and "bliss-like -s mine" in created.stdout
    (environment / "more.yml").write_text(
        "# The end station, for users. Only at night.\n- name: station\n  class: Session\n  include-sessions: [tiny, mine]\n"
    )
    listed = finished("-l")
    assert listed.returncode == 0
    assert [line.rstrip() for line in listed.stdout.splitlines()] == [
        "mine     A session: the objects that you work with, and where its scans go",
        "station  The end station, for users",
        "         includes tiny, mine",
        "tiny",
    ]
    again = finished("--create", "mine")
    assert again.returncode == 1 and "name 'mine' is already taken" in again.stderr


def test_of_a_configuration_without_sessions_it_says_how_to_begin_one(
    short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short_directory / "config").mkdir()
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    assert "has no session; bliss-like --create NAME begins one" in finished("--list").stdout
