"""The embedded server, for real: found, started, shared, kept, stopped."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bliss_like.data import server
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.server_program import server_program
from bliss_like.data.store import Append
from bliss_like.errors import StoreUnavailable
from tests.waiting import wait_until

START = "from bliss_like.data.server import redis_url; print(redis_url(), flush=True)"


@pytest.fixture
def home(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty directory of the user, whose server is stopped in the end."""
    monkeypatch.delenv("BLISS_LIKE_REDIS", raising=False)
    monkeypatch.delenv("BLISS_LIKE_REDIS_SERVER", raising=False)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    yield short_directory
    server.stop()


def pid() -> int:
    status = server.status()
    assert status is not None
    return status.pid


def ended(home: Path) -> bool:
    """Whether no server has the data of `home` open; a pid may stay for a while after its process has ended."""
    with (home / "data.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_url_of_the_environment_is_taken_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_REDIS", "redis://somewhere:6380/0")
    assert server.redis_url() == "redis://somewhere:6380/0"
    assert not list(home.iterdir())


def test_what_is_no_url_is_refused_with_an_example(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLISS_LIKE_REDIS", "localhost:6379")
    with pytest.raises(StoreUnavailable, match=r"'localhost:6379': expected a URL such as redis://"):
        server.redis_url()


def test_server_is_started_then_found(home: Path) -> None:
    url = server.redis_url()
    first = pid()
    with redis.Redis.from_url(url) as client:
        assert client.ping()
        assert client.config_get("port") == {"port": "0"}
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("appendfsync") == {"appendfsync": "everysec"}
    assert server.redis_url() == url
    assert pid() == first
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "redis.sock").stat().st_mode & 0o077 == 0


def test_status_says_where_and_how_much(home: Path) -> None:
    assert server.status() is None
    with redis.Redis.from_url(server.redis_url()) as client:
        client.set("a", 1)
        client.set("b", "x" * 100_000)
    status = server.status()
    assert status is not None
    assert status.keys == 2
    assert status.memory > 100_000
    assert status.data_dir == home
    assert status.uptime < 60


def test_eight_processes_at_once_share_one_server(home: Path) -> None:
    processes = [subprocess.Popen([sys.executable, "-c", START], stdout=subprocess.PIPE, text=True) for _ in range(8)]
    urls = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert urls == {f"unix://{home}/redis.sock"}
    assert [process.returncode for process in processes] == [0] * 8
    log = (home / "server.log").read_text()
    assert log.count("Ready to accept connections") == 1


def test_server_outlives_the_process_that_started_it(home: Path) -> None:
    starter = subprocess.Popen(
        [sys.executable, "-c", START + "; import signal; signal.pause()"], stdout=subprocess.PIPE
    )
    try:
        assert starter.stdout is not None
        assert starter.stdout.readline().startswith(b"unix://")
        first = pid()
    finally:
        starter.kill()
        starter.communicate()
    assert pid() == first


def test_data_survive_a_stop_and_a_crash(home: Path) -> None:
    with redis.Redis.from_url(server.redis_url()) as client:
        client.xadd("stream", {"point": b"1"}, id="1-1")
    assert server.stop()
    RedisStore(server.redis_url()).check()
    with redis.Redis.from_url(server.redis_url()) as client:
        assert client.xlen("stream") == 1
        client.xadd("stream", {"point": b"2"}, id="2-1")
    crashed = pid()
    os.kill(crashed, signal.SIGKILL)
    wait_until(lambda: server.status() is None)
    RedisStore(server.redis_url()).check()  # waits until the data are read back
    with redis.Redis.from_url(server.redis_url()) as client:
        assert [entry for entry, _ in client.xrange("stream")] == [b"1-1", b"2-1"]
    assert pid() != crashed


def test_a_server_that_reads_its_data_back_is_waited_for(home: Path) -> None:
    store = RedisStore(server.redis_url())
    store.append([Append("stream", (n, 1), {b"d": bytes(1000)}) for n in range(20_000)])
    for n in range(5):
        store.append([Append(f"stream{n}", (i, 1), {b"d": bytes(1000)}) for i in range(20_000)])
    os.kill(pid(), signal.SIGKILL)
    wait_until(lambda: server.status() is None)
    store.revive = server.redis_url
    assert store.last_ids(["stream", "stream4"]) == [(19_999, 1), (19_999, 1)]


def test_stop_leaves_nothing_behind(home: Path) -> None:
    server.redis_url()
    assert not ended(home)
    assert server.stop()
    assert ended(home)
    assert not (home / "redis.sock").exists()
    assert not server.stop()


def test_a_frozen_server_is_reported_and_can_be_stopped(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.redis_url()
    process = pid()
    monkeypatch.setattr(server, "ANSWER_TIMEOUT", 0.2)
    monkeypatch.setattr(server, "STOP_TIMEOUT", 0.6)
    os.kill(process, signal.SIGSTOP)
    with pytest.raises(StoreUnavailable, match=rf"does not answer \(pid {process} .*bliss-like server stop"):
        server.redis_url()
    assert server.stop()
    assert ended(home)


def test_no_second_server_on_the_same_data_when_the_socket_is_gone(home: Path) -> None:
    server.redis_url()
    process = pid()
    (home / "redis.sock").unlink()
    with pytest.raises(StoreUnavailable, match=f"a server holds {home}"):
        server.redis_url()
    assert not ended(home)
    assert server.stop()
    server.redis_url()
    assert pid() != process


def test_stale_state_and_socket_do_not_matter(home: Path) -> None:
    (home / "redis.sock").write_text("not a socket")
    (home / "server.json").write_text("not json")
    assert redis.Redis.from_url(server.redis_url()).ping()


def test_a_server_that_is_reading_its_data_counts_as_alive(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with redis.Redis.from_url(server.redis_url()) as client:
        pipeline = client.pipeline(transaction=False)
        for number in range(40_000):
            pipeline.set(f"key{number}", "x")
        pipeline.execute()
    server.stop()
    slow = home / "slow-server"  # takes 0.5 ms for each key that it reads back
    slow.write_text(f'#!/bin/sh\nexec "{server_program()}" "$@" --key-load-delay 500\n')
    slow.chmod(0o700)
    with monkeypatch.context() as patch:
        patch.setenv("BLISS_LIKE_REDIS_SERVER", str(slow))
        url = server.redis_url()
    loading = server.status()
    assert loading is not None
    assert loading.keys < 40_000
    assert server.redis_url() == url
    assert pid() == loading.pid
    os.kill(loading.pid, signal.SIGKILL)  # there is more to read than anybody wants to wait for
    wait_until(lambda: ended(home))


def test_too_long_a_path_is_refused_before_anything_starts(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = home / ("d" * 100)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(deep))
    with pytest.raises(StoreUnavailable, match=r"too long.*BLISS_LIKE_HOME"):
        server.redis_url()
    assert not deep.exists()


def test_the_end_of_the_log_is_shown_when_the_server_does_not_start(home: Path) -> None:
    (home / "appendonlydir").mkdir()
    (home / "appendonlydir" / "appendonly.aof.manifest").write_text("nonsense\n")
    with pytest.raises(StoreUnavailable, match=r"(?s)ended at once.*the end of its log.*manifest"):
        server.redis_url()


def test_a_directory_of_somebody_else_is_refused(home: Path) -> None:
    real = home / "real"
    real.mkdir()
    link = home / "link"
    link.symlink_to(real)
    with pytest.raises(StoreUnavailable, match="not a directory of yours"):
        EmbeddedServer(link).ensure()


def test_server_program_that_is_too_old_or_absent_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = home / "old-server"
    old.write_text("#!/bin/sh\necho 'Redis server v=5.0.14 sha=0'\n")
    old.chmod(0o700)
    monkeypatch.setenv("BLISS_LIKE_REDIS_SERVER", str(old))
    with pytest.raises(StoreUnavailable, match=r"expected Redis or Valkey 6\.2 or later, got 'Redis server v=5"):
        server.redis_url()
    monkeypatch.setenv("BLISS_LIKE_REDIS_SERVER", str(home / "nowhere"))
    with pytest.raises(StoreUnavailable, match=r"nowhere \(from \$BLISS_LIKE_REDIS_SERVER\) does not run"):
        server.redis_url()


def test_two_homes_have_two_servers(home: Path) -> None:
    other = EmbeddedServer(home / "other", ephemeral=True)
    try:
        assert other.ensure() != server.redis_url()
    finally:
        other.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="a process cannot ask for a signal at its parent's death elsewhere")
@pytest.mark.parametrize("patched", [False, True], ids=["plain", "patched"])
def test_ephemeral_server_dies_with_its_process(home: Path, patched: bool) -> None:
    patch = "from gevent import monkey; monkey.patch_all(thread=False, queue=False)\n" if patched else ""
    script = patch + (
        "import pathlib, signal, sys\n"
        "from bliss_like.data.server import EmbeddedServer\n"
        f"server = EmbeddedServer(pathlib.Path({str(home)!r}), ephemeral=True)\n"
        "server.ensure(); print(server.status().pid, flush=True); signal.pause()\n"
    )
    starter = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert starter.stdout is not None
    assert int(starter.stdout.readline()) == pid()
    assert not ended(home)
    starter.kill()
    starter.communicate()
    wait_until(lambda: ended(home))


def test_ephemeral_server_outlives_the_thread_that_started_it(home: Path) -> None:
    ephemeral = EmbeddedServer(home, ephemeral=True)
    starter = threading.Thread(target=ephemeral.ensure)
    starter.start()
    starter.join()
    with pytest.raises(TimeoutError):
        wait_until(lambda: ended(home), timeout=0.5)
    assert ephemeral.status()


def test_more_greenlets_than_connections_take_turns(home: Path) -> None:
    script = (
        "from gevent import monkey; monkey.patch_all(thread=False, queue=False)\n"
        "import gevent\n"
        "from bliss_like.data.redis_store import connect\n"
        "tasks = [gevent.spawn(connect().call, 'ECHO', str(n)) for n in range(300)]\n"
        "gevent.joinall(tasks, raise_error=True)\n"
        "print([int(task.value) for task in tasks] == list(range(300)))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


def test_neither_gevent_nor_redis_is_imported() -> None:
    script = "import sys, bliss_like.data.server; print(sorted({'gevent', 'redis', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://user:secret@host:6379/0", "redis://user:***@host:6379/0"),
        ("rediss://:secret@host", "rediss://:***@host"),
        ("redis://host:6379", "redis://host:6379"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock"),
    ],
)
def test_passwords_are_masked(url: str, shown: str) -> None:
    assert server.masked(url) == shown
