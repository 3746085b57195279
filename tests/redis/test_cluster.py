"""A Redis Cluster whose slots move and whose nodes go and come back: the data layer goes on, nothing lost, nothing twice."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bliss_like.data import paths
from bliss_like.data.cluster_store import ClusterStore
from bliss_like.data.cluster_topology import key_slot
from bliss_like.data.events import EventType
from bliss_like.data.node import get_node, get_session_node
from bliss_like.data.redis_store import RedisStore, connect
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.store import FIRST, Append, StreamStore
from bliss_like.data.tree import Tree
from bliss_like.errors import StoreUnavailable
from tests.cluster import ClusterNode, LoopbackCluster
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.waiting import wait_until


class Listener:
    """Walks a session in a thread until a scan has ended, and keeps the points of its channel."""

    def __init__(self, store: StreamStore) -> None:
        self.seen: list[float] = []
        self.delays: list[float] = []
        self.ready = threading.Event()
        self._store = store
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self.ready.wait(30)

    def _run(self) -> None:
        session = get_session_node("eh1", self._store)
        try:
            for event in session.walk_on_new_events(["scan", "channel"], started_event=self.ready):
                if event.type is EventType.NEW_DATA and event.data and event.node.db_name.endswith(":diode"):
                    assert event.data.first_index == len(self.seen)
                    self.delays += [time.time() - sent for sent in event.data.data.tolist()]
                    self.seen += event.data.data.tolist()
                elif event.type is EventType.END_SCAN:
                    return
        except Exception as error:
            self._failure = error

    def join(self) -> list[float]:
        """Return all points once the scan has ended."""
        self._thread.join(60)
        if self._failure:
            raise self._failure
        assert not self._thread.is_alive()
        return self.seen


@pytest.fixture
def store(redis_cluster: LoopbackCluster) -> ClusterStore:
    return ClusterStore(redis_cluster.url)


@pytest.fixture(scope="module")
def _cluster_to_break() -> Iterator[LoopbackCluster]:
    cluster = LoopbackCluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def fragile_cluster(_cluster_to_break: LoopbackCluster) -> LoopbackCluster:
    """A cluster whose nodes may be killed: not the one of all other tests."""
    wait_until(_cluster_to_break.is_whole, timeout=60)
    return _cluster_to_break


def points(scan: PublishedScan, store: StreamStore) -> list[float]:
    node = get_node(scan.path, store)
    assert node is not None
    return list(node.get_data("diode").tolist())  # type: ignore[attr-defined]


def other_node(cluster: LoopbackCluster, slot: int) -> ClusterNode:
    master = cluster.master_of(slot)
    return next(node for node in cluster.nodes if node is not master)


# -- where the keys are ----------------------------------------------------------------------------------------------


def test_slots_are_those_of_the_server(redis_cluster: LoopbackCluster) -> None:
    for key in ("a", paths.SESSIONS, "x{tag}y", "{}a", "{a", "a}{b}{c}", "{é}", paths.scan("eh1:tmp:1_ascan")):
        assert key_slot(key) == redis_cluster.nodes[0].run("CLUSTER", "KEYSLOT", key)


def test_scans_spread_over_the_nodes_and_each_is_on_one(store: ClusterStore, redis_cluster: LoopbackCluster) -> None:
    tree = Tree(store)
    scans = [run_scan(tree) for _ in range(12)]
    homes = []
    for scan in scans:
        keys = [paths.scan(scan.path), *(paths.data(sink.path, scan.path) for sink in scan.sinks.values())]
        homes.append({redis_cluster.master_of(key_slot(key)).port for key in keys})
    assert all(len(home) == 1 for home in homes) and len(set.union(*homes)) > 1
    assert all(points(scan, store) == [0, 1, 2] for scan in scans)


def test_the_url_decides(redis_cluster: LoopbackCluster) -> None:
    assert isinstance(connect(), ClusterStore)  # by $BLISS_LIKE_REDIS
    node = get_session_node("eh1")
    run_scan(Tree(connect()))
    assert [scan.db_name for scan in node.walk("scan", wait=False)] == [f"{CONTAINER}:1_loopscan"]


def test_one_node_named_as_a_server_says_what_to_do(redis_cluster: LoopbackCluster) -> None:
    store = RedisStore(f"redis://127.0.0.1:{other_node(redis_cluster, key_slot('a')).port}")
    with pytest.raises(Exception, match=r"one node of a cluster .*redis\+cluster://"):
        store.get_fields("a")


def test_a_server_named_as_a_cluster_says_what_to_do(short_directory: Path) -> None:
    node = ClusterNode(short_directory, clustered=False)
    try:
        with pytest.raises(StoreUnavailable, match=r"no cluster, the URL begins with redis://"):
            connect(f"redis+cluster://127.0.0.1:{node.port}")
    finally:
        node.kill()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [("redis+cluster://", "no host"), ("redis+cluster://a:1,:2", "no host"), ("redis+cluster://a:x", "[Pp]ort")]
    + [("redis+cluster://a/3", "databases")],
)
def test_a_wrong_url_is_explained(url: str, complaint: str) -> None:
    with pytest.raises(StoreUnavailable, match=rf"expected the URL of a cluster.*{complaint}"):
        ClusterStore(url)


def test_the_password_is_never_shown() -> None:
    store = ClusterStore("redis+cluster://user:secret@127.0.0.1:1,127.0.0.1:2")
    with pytest.raises(StoreUnavailable) as error:
        store.check()
    assert "secret" not in str(error.value) + repr(store) and "user:***@127.0.0.1:1" in str(error.value)


# -- slots that move -----------------------------------------------------------------------------------------------


def test_a_slot_that_has_moved_is_followed(store: ClusterStore, redis_cluster: LoopbackCluster) -> None:
    listener = Listener(ClusterStore(redis_cluster.url))
    scan = PublishedScan(Tree(store)).prepare()
    slot = key_slot(paths.scan(scan.path))
    for _ in range(5):
        scan.emit([float(scan.sinks["diode"].length)])
        scan.publisher.flush()
        redis_cluster.move(slot, other_node(redis_cluster, slot))
        scan.emit([float(scan.sinks["diode"].length)])
        wait_until(lambda: len(listener.seen) == scan.sinks["diode"].length)
    scan.end()
    assert listener.join() == points(scan, store) == list(range(10))


def test_a_scan_goes_on_while_its_slot_moves(store: ClusterStore, redis_cluster: LoopbackCluster) -> None:
    listener = Listener(ClusterStore(redis_cluster.url))
    channels: dict[str, tuple[str, tuple[int, ...]]] = dict.fromkeys(("diode", "late", "never"), ("<f8", ()))
    scan = PublishedScan(Tree(store), channels=channels).prepare().emit([0.0])
    scan.publisher.flush()
    slot = key_slot(paths.scan(scan.path))
    target = other_node(redis_cluster, slot)
    source = redis_cluster.begin_to_move(slot, target)
    scan.emit([1.0]).emit([1.0], "late")  # one key is still in the source, the other one is made in the target
    wait_until(lambda: len(listener.seen) >= 2)
    while redis_cluster.move_keys(slot, source, target, count=1):
        scan.emit([float(scan.sinks["diode"].length)]).emit([1.0], "late")
        scan.publisher.flush()
        assert points(scan, ClusterStore(redis_cluster.url)) == list(range(scan.sinks["diode"].length))
    redis_cluster.end_move(slot, source, target)
    scan.emit([float(scan.sinks["diode"].length)]).end()
    node = get_node(scan.path, store)
    assert node is not None
    data = node.get_data()  # type: ignore[attr-defined]
    assert data["timer:diode"].tolist() == list(range(scan.sinks["diode"].length))
    assert data["timer:late"].tolist() == [1.0] * scan.sinks["late"].length
    listener.join()


def test_calls_of_several_keys_follow_a_slot_that_moves(store: ClusterStore, redis_cluster: LoopbackCluster) -> None:
    keys = [f"{name}{{moving}}" for name in "abcdef"]
    slot = key_slot(keys[0])
    target = other_node(redis_cluster, slot)
    store.append([Append(key, (1, 1), {b"d": b"x"}) for key in keys[:5]])
    source = redis_cluster.begin_to_move(slot, target)
    redis_cluster.move_keys(slot, source, target, count=2)
    everywhere = [*keys, "elsewhere"]
    assert store.exist(everywhere) == [True] * 5 + [False] * 2
    assert store.last_ids(everywhere) == [(1, 1)] * 5 + [None] * 2
    assert set(store.read(dict.fromkeys(everywhere, FIRST))) == set(keys[:5])
    assert set(store.read(dict.fromkeys(everywhere, FIRST), timeout=1)) == set(keys[:5])
    store.append([Append(key, (2, 1), {b"d": b"x"}) for key in keys])
    assert store.last_ids(keys) == [(2, 1)] * 6
    store.trim(dict.fromkeys(keys, (2, 0)))
    assert store.first_ids(keys) == [(2, 1)] * 6
    while redis_cluster.move_keys(slot, source, target):
        pass
    redis_cluster.end_move(slot, source, target)
    assert store.last_ids(keys) == [(2, 1)] * 6
    store.delete(keys)
    assert store.exist(keys) == [False] * 6


# -- nodes that go and come back -----------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["of the scan", "of the sessions"])
def test_a_node_lost_and_back_in_a_scan(fragile_cluster: LoopbackCluster, which: str) -> None:
    cluster = fragile_cluster
    store = ClusterStore(cluster.url)
    scan = PublishedScan(Tree(store))
    listener = Listener(ClusterStore(cluster.url))
    scan.prepare()
    key = paths.scan(scan.path) if which == "of the scan" else paths.SESSIONS
    node = cluster.master_of(key_slot(key))
    emit = scan.sinks["diode"].append
    for value in range(3000):
        emit(float(value))
        if value == 1000:
            wait_until(lambda: len(listener.seen) > 100)
            node.kill()
        if value == 2000:
            node.start()
    wait_until(cluster.is_whole, timeout=60)
    scan.end()
    assert listener.join() == points(scan, store) == list(range(3000))


def test_a_lost_node_is_named_and_the_others_go_on(fragile_cluster: LoopbackCluster) -> None:
    cluster = fragile_cluster
    store = ClusterStore(cluster.url)
    lost, here = (
        "a",
        next(key for key in "bcdef" if cluster.master_of(key_slot(key)) != cluster.master_of(key_slot("a"))),
    )
    store.append([Append(here, (1, 1), {b"d": b"x"})])
    node = cluster.master_of(key_slot(lost))
    node.kill()
    with pytest.raises(StoreUnavailable, match=rf"127.0.0.1:{node.port}"):
        store.exist([here, lost])
    with pytest.raises(StoreUnavailable):
        store.read({here: (1, 1), lost: FIRST}, timeout=5)
    assert store.read({here: FIRST, lost: FIRST}, timeout=5) == {here: [((1, 1), {b"d": b"x"})]}
    node.start()
    wait_until(cluster.is_whole, timeout=60)
    assert store.exist([here, lost]) == [True, False]
    store.delete([here])


@pytest.mark.parametrize("end", ["kill", "freeze"])
def test_a_replica_takes_over_in_a_scan(fragile_cluster: LoopbackCluster, end: str) -> None:
    cluster = fragile_cluster
    url = f"{cluster.url}?socket_timeout=1"
    store = ClusterStore(url)
    listener = Listener(ClusterStore(url))
    scan = PublishedScan(Tree(store)).prepare().emit(np.arange(100.0))
    scan.publisher.flush()
    wait_until(lambda: len(listener.seen) == 100)
    master = cluster.master_of(key_slot(paths.scan(scan.path)))
    replica = cluster.add_replica(master)
    replica.run("CLUSTER", "FAILOVER")  # both are alive: the old one says where the slots are now
    scan.emit(np.arange(100.0, 200.0))
    wait_until(lambda: len(listener.seen) == 200)
    wait_until(lambda: master.has_all_of(replica))
    getattr(replica, end)()  # and back again, by force
    scan.emit(np.arange(200.0, 300.0))
    wait_until(lambda: len(listener.seen) == 300, timeout=60)
    scan.end()
    assert listener.join() == points(scan, store) == list(range(300))
    replica.kill()
    replica.start()


# -- how fast --------------------------------------------------------------------------------------------------------


def _delays(store: StreamStore, listening: StreamStore, npoints: int) -> np.ndarray:
    listener = Listener(listening)
    scan = PublishedScan(Tree(store)).prepare()
    sink = scan.sinks["diode"]
    for _ in range(npoints):
        sink.append(time.time())
        wait_until(lambda: len(listener.seen) == sink.length, interval=0.0005)
    scan.end()
    listener.join()
    return np.asarray(listener.delays)


def test_a_walk_is_about_as_fast_as_on_one_server(redis_cluster: LoopbackCluster, redis_server: EmbeddedServer) -> None:
    cluster = _delays(ClusterStore(redis_cluster.url), ClusterStore(redis_cluster.url), 300)
    single = _delays(RedisStore(redis_server.url), RedisStore(redis_server.url), 300)
    few, many = (np.percentile(delays, 10) for delays in (single, cluster))  # where nothing else was going on
    print(f"p10 {1e3 * many:.2f} ms on the cluster, {1e3 * few:.2f} ms on one server")
    assert many < 3 * few + 0.002


SESSION = """
from gevent import monkey; monkey.patch_all(thread=False, queue=False)
import gevent
from bliss_like.data.node import get_session_node
from bliss_like.data.redis_store import connect
from bliss_like.session import load_session

session = load_session("test_session")
assert session.setup(), session.error_report
names = session.env_dict
walk = get_session_node("test_session").walk("scan")
first = gevent.spawn(next, walk)  # waits in several slots while the scan runs in the same thread
scan = names["loopscan"](20, 0.001, names["diode"])
print(first.get(timeout=30).db_name == scan.node.db_name, len(scan.get_data("diode")), type(connect()).__name__)

waiting = gevent.spawn(connect().read, {name: (0, 0) for name in "abcdef"}, timeout=30)
gevent.sleep(0.05)
waiting.kill(timeout=20)  # a blocked hub would not get here before the 30 s are over
print(waiting.dead, connect().exist(["a", "b"]))
session.close()
"""


def test_a_session_with_greenlets(
    redis_cluster: LoopbackCluster, short_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(__file__).parents[2]
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(project / "config"))
    monkeypatch.setenv("PYTHONPATH", str(project))
    done = subprocess.run([sys.executable, "-c", SESSION], capture_output=True, text=True, timeout=100)
    assert done.stdout.splitlines()[-2:] == ["True 20 ClusterStore", "True [False, False]"], done.stderr


def test_listeners_that_are_gone_leave_no_connections(store: ClusterStore, redis_cluster: LoopbackCluster) -> None:
    def connections() -> int:
        return sum(int(node.client.info("clients")["connected_clients"]) for node in redis_cluster.nodes)

    gc.collect()  # stores of other tests
    before, most = connections(), 0
    for i in range(30):
        store.read({f"{i}{name}": FIRST for name in "abcdef"}, timeout=0.01)
        most = max(most, connections())
    assert most > before + 5
    wait_until(lambda: not store.read({"x": FIRST, "y": FIRST}, timeout=0.1) and connections() <= before + 3)
