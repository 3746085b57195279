"""The tree of a session: its publishers are greenlets, and take points from threads all the same."""

from __future__ import annotations

import threading

import gevent

from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.publisher import Limits
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session.data_tree import GREENLETS
from tests.publishing import PublishedScan


def test_several_threads_may_emit_more_than_the_backlog_holds() -> None:
    store, names, npoints = MemoryStore(), ("a", "b", "c"), 3000
    tree = Tree(store, tasks=GREENLETS, limits=Limits(backlog=2000))
    scan = PublishedScan(tree, channels=dict.fromkeys(names, ("<f8", ()))).prepare()

    def emit(name: str) -> None:
        for value in range(npoints):
            scan.sinks[name].append(float(value))

    threads = [threading.Thread(target=emit, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    with gevent.Timeout(60):
        while any(thread.is_alive() for thread in threads):
            gevent.sleep(0.001)
    scan.end()
    node = get_node(scan.path, store)
    assert isinstance(node, ScanNode)
    for name in names:
        assert node.get_data(name).tolist() == list(range(npoints))
