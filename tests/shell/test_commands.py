"""`bliss-like` beside the prompt: what it says and with which code it ends."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import bliss_like
from bliss_like.data import server
from bliss_like.data.redis_store import connect
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from bliss_like.shell.main import make_parser
from tests.publishing import PublishedScan, run_scan

COMMAND = [sys.executable, "-m", "bliss_like.shell.main"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60)


def test_version() -> None:
    assert run("--version").stdout == f"bliss-like {bliss_like.__version__}\n"


def test_without_arguments_it_helps() -> None:
    asked = run()
    assert asked.returncode == 2
    assert "bliss-like" in asked.stdout


def test_the_options_of_a_command_are_its_own() -> None:
    parser = make_parser()
    (commands,) = (action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for command in commands.values():
        assert {action.dest for action in command._actions} & {action.dest for action in parser._actions} <= {"help"}


def test_a_session_and_another_command_at_once_are_refused(environment: Path) -> None:
    asked = run("-s", "tiny", "server", "status")
    assert asked.returncode == 2
    assert "give one of them" in asked.stderr
    assert "--tmux says how a session is opened" in run("--tmux").stderr


def test_an_unknown_session_is_an_error_with_a_suggestion(environment: Path) -> None:
    asked = run("-s", "tinny")
    assert asked.returncode == 1
    assert "tinny" in asked.stderr
    assert "did you mean" in asked.stderr
    assert "Traceback" not in asked.stderr


def test_a_server_that_does_not_answer_is_an_error_without_its_password(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLISS_LIKE_REDIS", "redis://me:secret@localhost:1")
    for arguments in (["-s", "tiny"], ["listen", "tiny"]):
        asked = run(*arguments)
        assert asked.returncode == 1
        assert "localhost:1" in asked.stderr
        assert "secret" not in asked.stderr + asked.stdout
        assert "Traceback" not in asked.stderr


def test_a_reader_that_has_seen_enough_ends_any_command_quietly(home: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    asked = subprocess.run([*COMMAND, "server", "status"], stdout=writing, stderr=subprocess.PIPE, timeout=60)
    os.close(writing)
    assert (asked.returncode, asked.stderr) == (0, b"")


# -- server ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def home(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("BLISS_LIKE_REDIS", raising=False)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    yield short_directory
    server.stop()


def test_the_server_is_started_shown_and_stopped(home: Path) -> None:
    assert run("server", "status").returncode == 3
    started = run("server", "start")
    assert started.returncode == 0
    shown = run("server", "status")
    assert shown.returncode == 0
    facts = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines())
    assert facts.keys() >= {"url", "pid", "version", "uptime", "memory", "keys", "data"}
    assert facts["url"] == f"unix://{home}/redis.sock"
    assert facts["data"] == str(home)
    stopped = run("server", "stop")
    assert (stopped.returncode, stopped.stdout) == (0, "Stopped.\n")
    assert run("server", "status").returncode == 3


def test_the_status_of_a_server_that_is_configured(
    redis_server: EmbeddedServer, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLISS_LIKE_REDIS", redis_server.url)
    connect(redis_server.url).set_fields("key", {"a": 1})
    shown = run("server", "status")
    facts = dict(line.split(maxsplit=1) for line in shown.stdout.splitlines()[1:])
    assert shown.returncode == 0
    assert (facts["url"], facts["keys"]) == (redis_server.url, "1") and facts["memory"].endswith(" MB")


def test_a_server_that_is_away_does_not_tell_its_password(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_REDIS", "redis://me:secret@127.0.0.1:1")
    shown = run("server", "status")
    assert shown.returncode == 1 and "redis://me:***@127.0.0.1:1: no answer" in shown.stderr
    assert "secret" not in shown.stdout + shown.stderr


# -- listen ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def tree(redis_server: EmbeddedServer) -> Tree:
    return Tree(connect(redis_server.url))


Listen = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def listen() -> Iterator[Listen]:
    """A function that starts `bliss-like listen` with arguments."""
    listeners: list[subprocess.Popen[str]] = []

    def listen(*arguments: str) -> subprocess.Popen[str]:
        command = [*COMMAND, "listen", *arguments]
        listeners.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return listeners[-1]

    yield listen
    for listener in listeners:
        listener.kill()
        listener.communicate()


def lines_until(listener: subprocess.Popen[str], last: str) -> list[str]:
    """Return what a listener prints, up to the first line that has `last` in it."""
    assert listener.stdout is not None
    lines = []
    for line in listener.stdout:
        lines.append(line.rstrip("\n"))
        if last in line:
            return lines
    raise AssertionError(f"the listener ended before it printed {last!r}: {lines}")


def test_events_come_as_lines(tree: Tree, listen: Listen) -> None:
    listener = listen("eh1")  # before the session exists
    scan = run_scan(tree)
    assert lines_until(listener, "END_SCAN")[-6:] == [
        f"NEW_NODE      {scan.path} (scan)",
        f"NEW_NODE      {scan.path}:timer (container)",
        f"NEW_NODE      {scan.path}:timer:diode (channel)",
        f"PREPARED_SCAN {scan.path}",
        f"NEW_DATA      {scan.path}:timer:diode [0:3] 0 1 2",
        f"END_SCAN      {scan.path} DONE",
    ]
    listener.send_signal(signal.SIGINT)
    assert listener.wait(timeout=30) == 0


def test_a_time_stamp_is_told_from_the_next_one(tree: Tree, listen: Listen) -> None:
    scan = PublishedScan(tree).prepare().emit([1795174016.25, 0.1234567, 5e13]).end()
    values = next(line for line in lines_until(listen("eh1"), "END_SCAN") if line.startswith("NEW_DATA"))
    assert values == f"NEW_DATA      {scan.path}:timer:diode [0:3] 1795174016.250 0.123457 5e+13"


def test_events_come_as_json(tree: Tree, listen: Listen) -> None:
    scan = PublishedScan(tree).prepare().emit([1.5, float("nan")])
    scan.end("KILLED", {"type": "RuntimeError", "message": "no beam", "traceback": "..."})
    events = [json.loads(line) for line in lines_until(listen("eh1", "--json"), "END_SCAN")]
    assert [event["event"] for event in events[-3:]] == ["PREPARED_SCAN", "NEW_DATA", "END_SCAN"]
    assert events[-2] == {
        "event": "NEW_DATA",
        "node": f"{scan.path}:timer:diode",
        "type": "channel",
        "first_index": 0,
        "data": [1.5, None],
    }
    assert (events[-1]["state"], events[-1]["error"]["message"]) == ("KILLED", "no beam")


def test_the_past_can_be_left_out(tree: Tree, listen: Listen) -> None:
    run_scan(tree)
    last = run_scan(tree)
    shown = lines_until(listen("eh1", "--from-last"), "END_SCAN")
    assert [line for line in shown if "_loopscan" in line][0] == f"NEW_NODE      {last.path} (scan)"


def test_only_new_events_on_demand(tree: Tree, listen: Listen) -> None:
    run_scan(tree)
    listener = listen("eh1", "--new")
    assert listener.stderr is not None
    assert listener.stderr.readline() == "Listening to session eh1 (Ctrl-C ends)\n"
    scan = run_scan(tree)
    assert lines_until(listener, "END_SCAN")[0] == f"NEW_NODE      {scan.path} (scan)"


def test_a_reader_that_goes_away_ends_the_listener(tree: Tree, listen: Listen) -> None:
    run_scan(tree)
    listener = listen("eh1")
    assert listener.stdout is not None
    listener.stdout.readline()
    listener.stdout.close()
    run_scan(tree)
    assert listener.wait(timeout=30) == 0


def test_a_listener_is_a_plain_process(redis_server: EmbeddedServer) -> None:
    script = (
        "import sys\n"
        "from bliss_like.shell.main import main\n"
        "main(['listen', 'eh1'])\n"
        "print(sorted({'gevent', 'h5py', 'prompt_toolkit', 'ruamel', 'pydantic'} & set(sys.modules)))\n"
    )
    listener = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert listener.stderr is not None
    assert listener.stderr.readline().startswith("Listening to session eh1")
    listener.send_signal(signal.SIGINT)
    assert listener.communicate(timeout=60)[0] == "[]\n"
