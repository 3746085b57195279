"""What was read is kept until the server says that it has changed: no round trip, never an older value after a newer one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import gevent
import gevent.socket
import pytest

from bliss_like.data import cached_reads
from bliss_like.data.cluster_store import ClusterStore
from bliss_like.data.cluster_topology import key_slot
from bliss_like.data.key_store import Is, KeyStore
from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.errors import DataError, StoreUnavailable
from tests.cluster import LoopbackCluster
from tests.conftest import RestartableServer
from tests.tls import TlsProxy
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _only_the_server_says_that_something_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_reads, "_TRUST", 1000.0)


@pytest.fixture
def store(redis_server: EmbeddedServer) -> RedisStore:
    return RedisStore(redis_server.url)


@pytest.fixture
def other(redis_server: EmbeddedServer) -> RedisStore:
    """Another client: the first one does not know what it does."""
    return RedisStore(redis_server.url)


def reads(store: RedisStore) -> int:
    """Return how many times a value was asked for on a server."""
    return sum(
        map(int, re.findall(r"^cmdstat_eval:calls=(\d+)", store.call("INFO", "commandstats").decode(), re.MULTILINE))
    )


def is_kept(store: RedisStore, key: str) -> bool:
    before = reads(store)
    store.keys.read(key)
    return reads(store) == before


def is_unavailable(store: RedisStore) -> bool:
    try:
        store.keys.read("k")
    except StoreUnavailable:
        return True
    return False


def test_a_read_that_hits_sends_nothing(store: RedisStore, other: RedisStore) -> None:
    store.keys.run(("HSET", "h", "a", 1))
    other.keys.run(("RPUSH", "q", 1))
    before = reads(other)
    for _ in range(100):
        assert (
            store.keys.read("h") == {b"a": b"1"} and store.keys.read("q") == [b"1"] and store.keys.read("none") is None
        )
    assert reads(other) == before + 3


def test_changes_of_others_are_seen(store: RedisStore, other: RedisStore) -> None:
    assert store.keys.read("k") is None
    for value in (b"1", b"", b"3"):
        other.keys.run(("SET", "k", value))
        wait_until(lambda value=value: store.keys.read("k") == value)
    other.keys.run(("PEXPIRE", "k", 1000))
    other.keys.run(("PERSIST", "k"))
    other.delete(["k"])
    wait_until(lambda: store.keys.read("k") is None)
    other.keys.run(("RPUSH", "k", 1))
    wait_until(lambda: store.keys.read("k") == [b"1"])


def test_a_message_that_has_arrived_is_heeded_before_an_answer(store: RedisStore, other: RedisStore) -> None:
    for i in range(300):
        store.keys.read("k")
        other.keys.run(("SET", "k", i))
        other.call("PING")  # the server sends what it has to say of one command before it takes the next
        assert store.keys.read("k") == b"%d" % i


def test_own_changes_are_seen_at_once(store: RedisStore) -> None:
    for i in range(500):
        store.keys.run(("SET", "k", i))
        assert store.keys.read("k") == b"%d" % i
    for i in range(500):
        assert store.keys.run(("SET", "k", -i), when=[Is("k", store.keys.read("k"))]) is not None


def test_more_keys_than_are_remembered(store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_reads, "_MOST", 10)
    for turn in range(3):
        for i in range(25):
            assert store.keys.read(f"k{i}") == (None if turn == 0 else b"%d" % (turn - 1))
            store.keys.run(("SET", f"k{i}", turn))
            assert store.keys.read(f"k{i}") == b"%d" % turn
    assert len(store.keys._cache._changes) <= 10


def test_what_was_seen_by_a_command_is_not_older_when_read(store: RedisStore, other: RedisStore) -> None:
    for i in range(500):
        store.keys.read("k")
        other.keys.run(("SET", "k", i))
        store.keys.run(("GET", "k"))
        assert store.keys.read("k") == b"%d" % i


def test_an_expired_value_is_not_read(store: RedisStore, other: RedisStore) -> None:
    def is_seen_in_time() -> bool:
        other.keys.run(("SET", "k", 1, "PX", 1000))
        return store.keys.read("k") == b"1"

    wait_until(is_seen_in_time)
    wait_until(lambda: store.keys.read("k") is None)
    other.keys.run(("SET", "k", 2))
    wait_until(lambda: store.keys.read("k") == b"2")
    other.keys.run(("PEXPIRE", "k", 20))
    wait_until(lambda: store.keys.read("k") is None)


def test_all_is_forgotten_when_all_is_deleted(store: RedisStore, other: RedisStore) -> None:
    store.keys.run(("SET", "a", 1), ("SET", "b", 1))
    assert store.keys.read("a") == store.keys.read("b") == b"1"
    other.call("FLUSHALL")
    wait_until(lambda: store.keys.read("a") is None)
    assert store.keys.read("b") is None


def test_each_thread_has_its_own(store: RedisStore, other: RedisStore) -> None:
    seen: list[list[int]] = [[], [], []]

    def follow(values: list[int]) -> None:
        while not values or values[-1] < 200:
            values.append(int(store.keys.read("n") or 0))  # type: ignore[arg-type]

    threads = [threading.Thread(target=follow, args=(values,)) for values in seen]
    for thread in threads:
        thread.start()
    for _ in range(200):
        other.keys.run(("INCR", "n"))
    for thread, values in zip(threads, seen, strict=True):
        thread.join(30)
        assert values == sorted(values) and values[-1] == 200


def test_nothing_is_trusted_for_long(store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_reads, "_TRUST", 0.05)
    before = reads(other)
    wait_until(lambda: store.keys.read("k") is None and reads(other) >= before + 3)


def test_a_child_process_has_its_own(store: RedisStore, other: RedisStore) -> None:
    store.keys.run(("SET", "k", "parent"))
    assert store.keys.read("k") == b"parent"
    pid = os.fork()
    if pid == 0:
        store.keys.run(("SET", "k", "child"))
        os._exit(0 if store.keys.read("k") == b"child" else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    wait_until(lambda: store.keys.read("k") == b"child")
    assert is_kept(store, "k")


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_server_that_comes_back(server_that_can_be_restarted: RestartableServer, end: str) -> None:
    server = server_that_can_be_restarted
    store = RedisStore(server.url)
    store.keys.run(("SET", "k", 1))
    assert store.keys.read("k") == b"1"
    getattr(server, end)()
    wait_until(lambda: is_unavailable(store))
    server.start()
    RedisStore(server.url).keys.run(("SET", "k", 2))
    assert store.keys.read("k") == b"2"
    wait_until(lambda: is_kept(store, "k"))
    RedisStore(server.url).keys.run(("SET", "k", 3))
    wait_until(lambda: store.keys.read("k") == b"3")


def test_connections_that_the_server_closes(store: RedisStore, other: RedisStore) -> None:
    store.keys.run(("SET", "k", 1))
    assert store.keys.read("k") == b"1"
    for i in range(5):
        other.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        other.keys.run(("SET", "k", i))
        assert store.keys.read("k") == b"%d" % i


def test_a_server_without_tracking(store: RedisStore, other: RedisStore) -> None:
    other.call("ACL", "SETUSER", "simple", "on", ">pw", "allkeys", "+@all", "-client|tracking")
    address = other._url.removeprefix("unix://")
    simple = RedisStore(f"unix://simple:pw@{address}")
    for i in range(20):
        other.keys.run(("SET", "k", i))
        assert simple.keys.read("k") == b"%d" % i
    other.call("ACL", "DELUSER", "simple")


@pytest.fixture
def tls(redis_server: EmbeddedServer, tmp_path: Path) -> Iterator[TlsProxy]:
    proxy = TlsProxy(redis_server.socket, tmp_path)
    yield proxy
    proxy.close()


READER = """
import sys
{setup}
from bliss_like.data.redis_store import RedisStore

store = RedisStore(sys.argv[1])
keys = store.keys
assert (sys.modules["hiredis"] is not None) == {hiredis}

def calls():
    return store.call("INFO", "commandstats").decode().partition("cmdstat_eval:calls=")[2].partition(",")[0]

def follow():
    last = nreads = 0
    while last < 300:
        value = int(keys.read("n") or 0)
        assert value >= last, (value, last)
        if value == last:
            pause()
        last = value
        nreads += 1

print("ready", flush=True)
{run}
keys.read("n")
before = calls()
for _ in range(1000):
    assert keys.read("n") == b"300"
assert calls() == before, (calls(), before)
keys.run(("SET", "n", 0))
assert keys.read("n") == b"0"
print("done")
"""
PLAIN = {"setup": "", "hiredis": True, "run": "pause = lambda: None\nfollow()"}
PATCHED = {
    "setup": "from gevent.monkey import patch_all; patch_all(thread=False, queue=False)",
    "hiredis": True,
    "run": "import gevent\npause = lambda: gevent.sleep(0)\ngevent.joinall([gevent.spawn(follow) for _ in range(5)], raise_error=True)",
}
NO_HIREDIS = {"setup": "sys.modules['hiredis'] = None", "hiredis": False}


@pytest.mark.parametrize("line", ["unix", "tls"])
@pytest.mark.parametrize(
    "process", [PLAIN, PATCHED, {**PLAIN, **NO_HIREDIS}], ids=["plain", "patched", "without hiredis"]
)
def test_a_reader_in_another_process(
    request: pytest.FixtureRequest,
    other: RedisStore,
    redis_server: EmbeddedServer,
    process: dict[str, object],
    line: str,
) -> None:
    url = redis_server.url if line == "unix" else request.getfixturevalue("tls").url
    command = [sys.executable, "-c", READER.format(**process), url]
    reader = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert reader.stdout is not None and reader.stdout.readline() == "ready\n"
    for _ in range(300):
        other.keys.run(("INCR", "n"))
    out, error = reader.communicate(timeout=60)
    assert out == "done\n" and reader.returncode == 0, error


CROWD = """
from gevent.monkey import patch_all; patch_all(thread=False, queue=False)
import sys
import gevent
from bliss_like.data.redis_store import RedisStore

store = RedisStore(sys.argv[1])
store.keys.run(("SET", "a", 1), ("SET", "b", 2))

def follow():
    for _ in range(200):
        assert (store.keys.read("a"), store.keys.read("b")) == (b"1", b"2")
        gevent.sleep(0)

gevent.joinall([gevent.spawn(follow) for _ in range(10)], raise_error=True)
print(store.call("INFO", "commandstats").decode().partition("cmdstat_eval:calls=")[2].partition(",")[0])
"""


def test_a_crowd_of_greenlets_soon_asks_no_more(redis_server: EmbeddedServer, store: RedisStore) -> None:
    store.call("CONFIG", "RESETSTAT")
    command = [sys.executable, "-c", CROWD, redis_server.url]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert run.returncode == 0, run.stderr
    assert 2 <= int(run.stdout) <= 60  # of 4000


class _LateServer:
    """A connection of greenlets to a server that is slow: the test says what it sends, and when."""

    def __init__(self) -> None:
        self._sock, self.server = gevent.socket.socketpair()

    def disconnect(self) -> None:
        self._sock.close()

    def reply(self, value: bytes) -> None:
        self.server.recv(1 << 16)
        self.server.sendall(b"*3\r\n$6\r\nstring\r\n*1\r\n$1\r\n%b\r\n:-1\r\n" % value)


def test_nothing_older_than_what_another_greenlet_has_seen() -> None:
    late = _LateServer()
    late.server.sendall(b"+OK\r\n")  # to the request for tracking
    answers = [b"2", b"2"]
    cache = cached_reads.CachedReads(lambda: late, lambda key: answers.pop(), "", lambda key, reply: reply[1][0])
    first = gevent.spawn(cache.read, "k")
    gevent.idle()
    assert cache.read("k") == b"2", "on another connection: the first is in use"
    late.reply(b"1")
    assert first.get(timeout=30) == b"1", "it was asked for before the change"
    second = gevent.spawn(cache.read, "k")
    gevent.idle()
    late.reply(b"2")
    assert second.get(timeout=30) == b"2"
    assert cache.read("k") == b"2" and answers == [b"2"]
    late.server.close()
    late.disconnect()


KILLED = """
from gevent.monkey import patch_all; patch_all(thread=False, queue=False)
import os, signal, sys
import gevent
from bliss_like.data.redis_store import RedisStore

keys, pid = RedisStore(sys.argv[1]).keys, int(sys.argv[2])
keys.run(("SET", "a", 1), ("SET", "b", 2))
assert (keys.read("a"), keys.read("b")) == (b"1", b"2")
keys.forget(["a"])
os.kill(pid, signal.SIGSTOP)
reader = gevent.spawn(keys.read, "a")
gevent.sleep(0.05)
assert not reader.ready()
reader.kill()
os.kill(pid, signal.SIGCONT)
assert (keys.read("b"), keys.read("a"), keys.read("b")) == (b"2", b"1", b"2")
print("done")
"""


def test_a_reader_that_is_killed_half_way(server_that_can_be_restarted: RestartableServer) -> None:
    server = server_that_can_be_restarted
    command = [sys.executable, "-c", KILLED, server.url, str(server.pid)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert run.stdout == "done\n", run.stderr


def test_a_slot_that_moves(redis_cluster: LoopbackCluster) -> None:
    mine, others = ClusterStore(redis_cluster.url).keys, ClusterStore(redis_cluster.url).keys
    slot = key_slot("{moving}")
    here = redis_cluster.master_of(slot)
    others.run(("SET", "a{moving}", 1))
    assert (mine.read("a{moving}"), mine.read("b{moving}")) == (b"1", None)
    there = next(node for node in redis_cluster.nodes if node is not here)
    redis_cluster.move(slot, there)
    _set_and_see(mine, others, "a{moving}")
    _set_and_see(mine, others, "b{moving}")
    redis_cluster.move(slot, here)
    _set_and_see(mine, others, "a{moving}")
    _set_and_see(mine, others, "b{moving}")


def _set_and_see(mine: KeyStore, others: KeyStore, key: str) -> None:
    for value in (b"x", b"y"):
        others.run(("SET", key, value))
        wait_until(lambda value=value: mine.read(key) == value)


def test_a_read_on_a_cluster_sends_nothing(redis_cluster: LoopbackCluster) -> None:
    keys = ClusterStore(redis_cluster.url).keys
    names = [f"k{i}" for i in range(9)]
    for name in names:
        keys.run(("SET", name, name))
        assert keys.read(name) == name.encode()
    nodes = [RedisStore(f"redis://127.0.0.1:{node.port}") for node in redis_cluster.nodes]
    before = sum(map(reads, nodes))
    for name in names * 5:
        assert keys.read(name) == name.encode()
    assert sum(map(reads, nodes)) == before


def test_a_user_who_may_not_run_scripts(store: RedisStore, other: RedisStore) -> None:
    other.call("ACL", "SETUSER", "simple", "on", ">pw", "allkeys", "+@all", "-eval")
    simple = RedisStore(f"unix://simple:pw@{other._url.removeprefix('unix://')}")
    for refused in (lambda: simple.keys.read("k"), lambda: simple.keys.run(("SET", "k", 1), when=[Is("k", None)])):
        with pytest.raises(DataError, match="refused a command on 'k': .*'eval'") as raised:
            refused()
        assert "local" not in str(raised.value) and "pw" not in str(raised.value)
    other.call("ACL", "DELUSER", "simple")
