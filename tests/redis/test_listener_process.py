"""A listener in a plain process: no gevent, every event, in order, from five lines of Python."""

from __future__ import annotations

import json
import subprocess
import sys

from bliss_like.data.redis_store import RedisStore
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from tests.publishing import CONTAINER, PublishedScan

LISTENER = """
import json, sys
from bliss_like.data.node import get_session_node
for event, node, data in get_session_node("eh1").walk_events():
    points = data.data.tolist() if event.name == "NEW_DATA" else None
    print(json.dumps([event.name, node.db_name, points]), flush=True)
    if event.name == "END_SCAN":
        break
heavy = {"gevent", "epics", "h5py", "ruamel", "pydantic", "louie", "ptpython"}
print(json.dumps(sorted(heavy & {name.partition(".")[0] for name in sys.modules})))
"""


def test_a_plain_process_sees_every_event_in_order(redis_server: EmbeddedServer) -> None:
    listener = subprocess.Popen([sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True)
    assert listener.stdout is not None
    tree = Tree(RedisStore(redis_server.url))
    tree.add_container(CONTAINER)
    listener.stdout.readline()  # it listens before the scan begins
    scan = PublishedScan(tree, channels={"a": ("<f8", ()), "b": ("<f8", ())}).prepare()
    for value in range(2000):
        scan.sinks["a"].append(float(value))
        scan.sinks["b"].append(float(-value))
    scan.end()
    *events, heavy = [json.loads(line) for line in listener.stdout]
    assert listener.wait(30) == 0 and heavy == []
    assert [event[0] for event in events[:6]] == ["NEW_NODE"] * 5 + ["PREPARED_SCAN"]
    assert events[-1][0] == "END_SCAN"
    for name, sign in (("a", 1), ("b", -1)):
        points = [point for event in events if event[1].endswith(f":{name}") for point in event[2] or ()]
        assert points == [float(sign * value) for value in range(2000)]
    assert len(events) < 4000  # points that came together are one event


PATCHED = """
from gevent.monkey import patch_all
patch_all(thread=False, queue=False)
import gevent
from bliss_like.data.watch import ScansWatcher
watcher = ScansWatcher("eh1")
task = gevent.spawn(watcher.run)
watcher.wait_ready(30)
watcher.stop()
task.join(30)
print("ready", task.ready())
"""


def test_a_watcher_in_a_greenlet_can_be_waited_for(redis_server: EmbeddedServer) -> None:
    done = subprocess.run([sys.executable, "-c", PATCHED], capture_output=True, text=True, timeout=60)
    assert done.stdout == "ready True\n", done.stderr
