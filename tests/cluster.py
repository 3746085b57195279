"""A Redis Cluster of real servers on free ports of the loopback, whose nodes tests kill, restart, and move slots between."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import redis

from bliss_like.data.server_program import server_program
from tests.ports import free_port
from tests.waiting import wait_until

NSLOTS = 16384
NODE_TIMEOUT = 3.0
"""Seconds of silence after which a node is taken for lost: more than those for which a busy machine holds a process."""
_BUS = 10000
"""The port of a node's bus is its port plus this."""

_SPAWN = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG, kept by exec: no server outlives the tests
os.execv(sys.argv[1], sys.argv[1:])
"""


class ClusterNode:
    """One server of a cluster, with its data on disk."""

    def __init__(self, home: Path, *, clustered: bool = True) -> None:
        self.home, self.clustered = home, clustered
        self.port = free_port(range(20_500, 22_500), companion=_BUS)
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            _command(self.home, self.port, self.clustered),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.client = redis.Redis(port=self.port, decode_responses=True, socket_timeout=30)
        wait_until(self._answers, timeout=60)
        self.id = str(self.run("CLUSTER", "MYID")) if self.clustered else ""

    def run(self, *words: str | int) -> Any:
        return self.client.execute_command(*words)

    def state(self) -> str:
        """Return what CLUSTER INFO says, as text."""
        return str(self.run("CLUSTER INFO"))

    def has_all_of(self, master: ClusterNode) -> bool:
        """Whether this replica has what its master has."""
        mine, other = self.client.info("replication"), master.client.info("replication")
        return mine.get("master_link_status") == "up" and mine["slave_repl_offset"] == other["master_repl_offset"]

    def kill(self) -> None:
        """End it as a crash would."""
        self._process.kill()
        self._process.wait()
        self.client.close()

    def freeze(self) -> None:
        """Let it answer nothing, its connections left open."""
        self._process.send_signal(signal.SIGSTOP)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.RedisError:
            return False


class LoopbackCluster:
    """Three masters that share the slots evenly. When one is lost, the others go on."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="bl-cluster-", dir="/tmp"))
        self.nodes: list[ClusterNode] = []
        try:
            for i in range(3):
                self._add_node()
                self.nodes[i].run("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
                self.nodes[i].run("CLUSTER", "ADDSLOTS", *range(i * NSLOTS // 3, (i + 1) * NSLOTS // 3))
            for node in self.nodes[1:]:
                node.run("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port)
            wait_until(self.is_whole, timeout=60)
        except BaseException:
            self.stop()
            raise

    @property
    def url(self) -> str:
        """Of the first two nodes: the third is to be found."""
        return f"redis+cluster://127.0.0.1:{self.nodes[0].port},127.0.0.1:{self.nodes[1].port}"

    def is_whole(self) -> bool:
        """Whether all nodes know each other and serve."""
        states = [node.state() for node in self.nodes]
        expected = f"'cluster_known_nodes': '{len(self.nodes)}'"
        return all("'cluster_state': 'ok'" in state and expected in state for state in states)

    def master_of(self, slot: int) -> ClusterNode:
        for start, end, (_, port, *_), *_ in self.nodes[0].run("CLUSTER SLOTS"):
            if start <= slot <= end:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(f"slot {slot} is not served")

    def clear(self) -> None:
        for node in self.nodes:
            node.run("FLUSHALL")

    def begin_to_move(self, slot: int, target: ClusterNode) -> ClusterNode:
        """Announce the migration of a slot; from now on new keys are made in the target. Return where the others are."""
        source = self.master_of(slot)
        target.run("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.run("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        return source

    def move_keys(self, slot: int, source: ClusterNode, target: ClusterNode, count: int = 1000) -> list[str]:
        """Move up to `count` keys of a slot; return their names."""
        keys = list(source.run("CLUSTER", "GETKEYSINSLOT", slot, count))
        for key in keys:
            source.run("MIGRATE", "127.0.0.1", target.port, key, 0, 30_000)
        return keys

    def end_move(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        for node in (target, source):
            node.run("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def move(self, slot: int, target: ClusterNode) -> None:
        """Move a slot with all its keys."""
        source = self.begin_to_move(slot, target)
        while self.move_keys(slot, source, target):
            pass
        self.end_move(slot, source, target)

    def add_replica(self, master: ClusterNode) -> ClusterNode:
        replica = self._add_node()
        replica.run("CLUSTER", "MEET", "127.0.0.1", master.port)
        wait_until(self.is_whole, timeout=60)
        replica.run("CLUSTER", "REPLICATE", master.id)
        wait_until(lambda: replica.has_all_of(master), timeout=60)
        return replica

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _add_node(self) -> ClusterNode:
        home = self._home / str(len(self.nodes))
        home.mkdir()
        self.nodes.append(ClusterNode(home))
        return self.nodes[-1]


def _command(home: Path, port: int, clustered: bool) -> list[str]:
    options = {
        "port": port,
        "bind": "127.0.0.1",
        "dir": home,
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "cluster-enabled": "yes" if clustered else "no",
        "cluster-config-file": "nodes.conf",
        "cluster-node-timeout": int(NODE_TIMEOUT * 1000),
        "cluster-require-full-coverage": "no",
        "repl-diskless-sync-delay": 0,
    }
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-c", _SPAWN, server_program(), *words]
