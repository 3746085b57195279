"""Sessions on a real server: where they publish, who may have them, and what is left when they cannot start."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.config import Config, get_config
from bliss_like.data.node import sessions_list
from bliss_like.data.server import EmbeddedServer
from bliss_like.errors import SessionError, StoreUnavailable
from bliss_like.scanning.environment import environment
from bliss_like.session import current_session, load_session
from tests.places import scans_of

PROJECT = Path(__file__).parents[2]

OPEN_SESSION = """
import sys
from bliss_like.session import load_session
session = load_session("test_session")
print(session.setup(), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def config(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(PROJECT / "config"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    config = get_config(PROJECT / "config")
    yield config
    config.close()


@contextlib.contextmanager
def another_process() -> Iterator[subprocess.Popen[bytes]]:
    """A process that has the session `test_session` open."""
    command = [sys.executable, "-c", OPEN_SESSION]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == b"True\n"
            yield process
        finally:
            process.kill()


def test_a_session_publishes_on_the_server_that_is_configured(redis_server: EmbeddedServer) -> None:
    session = load_session("test_session")
    assert session.setup(), session.error_report
    assert [node.name for node in sessions_list()] == ["test_session"]
    assert environment.require_tree().next_scan_number(environment.container()) == 1


def test_no_server(monkeypatch: pytest.MonkeyPatch, short_directory: Path) -> None:
    monkeypatch.setenv("BLISS_LIKE_REDIS", f"unix://{short_directory}/nobody.sock")
    session = load_session("test_session")
    with pytest.raises(StoreUnavailable, match=r"nobody\.sock"):
        session.setup()
    assert not current_session and environment.tree is None
    assert session.env_dict == {}


def test_one_process_at_a_time(redis_server: EmbeddedServer) -> None:
    session = load_session("test_session")
    with another_process() as other:
        with pytest.raises(SessionError, match=f"session 'test_session' is already open: process {other.pid} on host"):
            session.setup()
        assert not current_session and environment.tree is None
        assert load_session("demo_session").setup()
        current_session.close()
        other.send_signal(signal.SIGKILL)
        other.wait(30)
        assert session.setup(), session.error_report
        session.close()


SCAN_AND_WAIT = """
import sys
from bliss_like.session import load_session
session = load_session("demo_session")
session.setup()
session.env_dict["user_script_homedir"](sys.argv[1])
scan = session.env_dict["loopscan"](3, 0, session.env_dict["diode"])
print(scan.node.db_name, flush=True)
sys.stdin.readline()
session.close()
"""


def test_two_sessions_side_by_side(redis_server: EmbeddedServer, short_directory: Path, tmp_path: Path) -> None:
    mine = load_session("test_session")
    assert mine.setup(), mine.error_report
    home = mine.env_dict["user_script_homedir"]()
    command = [sys.executable, "-c", SCAN_AND_WAIT, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = other.stdout.readline().strip()
        scan = mine.env_dict["loopscan"](2, 0, mine.env_dict["diode"])
        assert (scan.node.db_name, theirs) == tuple(
            f"{scans_of(name)}:1_loopscan" for name in ("test_session", "demo_session")
        )
        assert {node.name for node in sessions_list()} == {"demo_session", "test_session"}
        assert mine.env_dict["user_script_homedir"]() == home  # each session has its own
        with pytest.raises(SessionError, match="session 'demo_session' is already open: process"):
            mine.close()
            load_session("demo_session").setup()
        other.communicate("\n", timeout=60)
    demo = load_session("demo_session")
    assert demo.setup(), demo.error_report
    assert demo.env_dict["user_script_homedir"]() == str(tmp_path)  # kept on the server
    demo.close()
