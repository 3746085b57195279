"""Scans in files: those that are still written, long ones, images, and what is in the way."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from bliss_like.data import catalogue, paths
from bliss_like.data.events import EndScan, EventType, NewData, NewNode, NodeKind, ScanInfoUpdate
from bliss_like.data.image_node import ImageNode
from bliss_like.data.images import ImageReference
from bliss_like.data.node import ScanNode, get_node, get_session_node
from bliss_like.data.past import named_scan
from bliss_like.data.saved import entries, is_readable, open_saved, register_reader
from bliss_like.data.store import Append, MemoryStore
from bliss_like.data.structure import ScanStructure
from bliss_like.data.tree import Tree
from bliss_like.errors import DataError, NodeNotFound, PointExpired, PointNotYetThere
from bliss_like.writers.nexus_numbers import last_number
from tests.publishing import CONTAINER, PublishedScan, run_scan
from tests.saved_files import begin_file, forget, save


@pytest.fixture
def tree() -> Tree:
    return Tree(MemoryStore())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data.h5"


def scan_of(file: Path, entry: str = "") -> ScanNode:
    store = open_saved(str(file), entry)
    node = get_node(store.scan, store)
    assert isinstance(node, ScanNode)
    return node


def test_a_scan_is_followed_while_it_is_written(tree: Tree, file: Path) -> None:
    scan = PublishedScan(tree).prepare().emit([0.0, 1.0])
    scan.publisher.flush()
    writer = begin_file(tree.store, scan.path, file)
    node = scan_of(file)
    (channel,) = node.channels()
    assert (len(channel), channel.sealed, node.state.name) == (2, False, "PREPARING")
    with pytest.raises(PointNotYetThere, match="it has so far 2 points"):
        channel[2]
    events = node.walk_events(include_filter=["channel", "scan"])
    kinds = [next(events).type.name for _ in range(3)]
    assert kinds == ["NEW_NODE", "PREPARED_SCAN", "NEW_DATA"]
    writer.accept(NewData(channel.db_name, 2, np.array([2.0])))
    writer.accept(ScanInfoUpdate(scan.path, {"state": "STARTING", "comments": [{"message": "beam is back"}]}))
    writer.flush()
    event = next(events)
    assert event.data and (event.data.first_index, event.data.data.tolist()) == (2, [2.0])
    assert channel[:].tolist() == [0.0, 1.0, 2.0]
    writer.accept(EndScan(scan.path, "DONE", {channel.db_name: 3}, {"end_time": "late"}))
    assert writer.close().state == "SAVED"
    assert [event.type.name for event in events] == ["END_SCAN"]
    assert node.info["comments"] == [{"message": "beam is back"}]
    assert channel.sealed and node.state.name == "DONE" and node.info["end_time"] == "late"


@pytest.mark.parametrize("locking", [None, False, True])
def test_a_file_that_this_process_has_open_itself(locking: bool | None, tree: Tree, file: Path) -> None:
    save(tree.store, run_scan(tree, 3).path, file)
    with h5py.File(file, "r", locking=locking) as mine:
        assert len(mine) == 1
        save(tree.store, (scan := run_scan(tree, 4)).path, file)
        assert (entries(str(file)), last_number(file)) == (
            ["/1.1", "/2.1"],
            2,
        )  # as it is, not as it was when it was opened
        assert scan_of(file, "/2.1").db_name == scan.path
        assert scan_of(file, "/2.1").get_data("diode").tolist() == [0, 1, 2, 3]


def test_of_a_long_channel_only_the_slice_is_read(file: Path) -> None:
    length = 10_000_000
    store = MemoryStore()
    scan = PublishedScan(Tree(store), channels={"diode": ("<f8", ()), "mca": ("<u2", (8,))}).prepare()
    scan.publisher.flush()
    writer = begin_file(store, scan.path, file)
    diode, mca = f"{scan.path}:timer:diode", f"{scan.path}:timer:mca"
    for first in range(0, length, length // 10):
        writer.accept(NewData(diode, first, np.arange(first, first + length // 10, dtype=float)))
        writer.flush()
    writer.accept(NewData(mca, 0, np.arange(800_000, dtype=np.uint16).reshape(-1, 8)))
    writer.accept(EndScan(scan.path, "DONE", {diode: length, mca: 100_000}))
    writer.close()
    data = {node.short_name: node for node in scan_of(file).channels()}
    before = _bytes_read()
    assert data["diode"][7_654_321] == 7_654_321.0 and data["diode"][-1] == length - 1
    assert data["diode"][5_000_000:5_000_005].tolist() == [5e6, 5e6 + 1, 5e6 + 2, 5e6 + 3, 5e6 + 4]
    assert data["mca"][50_000].tolist() == list(np.arange(400_000, 400_008).astype(np.uint16))
    assert len(data["diode"]) == length
    assert _bytes_read() - before < 4 << 20


def _bytes_read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


def test_a_walk_reads_a_long_channel_in_blocks(tree: Tree, file: Path) -> None:
    scan = run_scan(tree, 1_000_000)
    save(tree.store, scan.path, file)
    store = open_saved(str(file))
    key = paths.data(f"{scan.path}:timer:diode", scan.path)
    blocks = store.read({key: (0, 0)}, count=3)[key]
    assert [entry_id for entry_id, _ in blocks] == [(0, 8192), (8192, 8192), (16384, 8192)]
    assert store.read({key: (8191, 1)}, count=1)[key][0][0] == (8192, 8192)
    assert sum(size for (_, size), _ in store.range(key)) == 1_000_000


@pytest.mark.parametrize("reference", [True, False])
def test_images(tree: Tree, file: Path, tmp_path: Path, reference: bool) -> None:
    images = np.arange(5 * 2 * 3, dtype="<u2").reshape(5, 2, 3)
    with h5py.File(tmp_path / "camera.h5", "w") as h5:
        h5["data"] = images
    uris = [ImageReference(str(tmp_path / "camera.h5"), "/data", index).uri for index in range(5)]
    scan = PublishedScan(tree, channels={})
    path = f"{scan.path}:timer:camera"
    info = {"fullname": "camera:image", "reference": reference, "image_shape": [2, 3], "image_dtype": "<u2"}
    info |= {"dtype": "<U0", "shape": []} if reference else {"dtype": "<u2", "shape": [2, 3]}
    scan.publisher.publish(NewNode(path, NodeKind.IMAGE, info, scan.path))
    dtype, shape = ("<U0", ()) if reference else ("<u2", (2, 3))
    sink = scan.publisher.open_channel(path, np.dtype(dtype), shape, NodeKind.IMAGE)
    scan.prepare()
    sink.extend(np.array(uris) if reference else images)
    scan.sinks["camera"] = sink
    scan.end()
    save(tree.store, scan.path, file)
    forget(tree.store, scan.path)
    node = get_node(path, tree.store)
    assert isinstance(node, ImageNode) and (len(node), node.is_saved) == (5, reference)
    assert node.get_image(3).tolist() == images[3].tolist() and node[1:3].dtype == np.uint16
    np.testing.assert_array_equal(node.get_images(), images)
    (event,) = [event for event in node.walk_events() if event.type is EventType.NEW_DATA]
    assert event.data
    if reference:
        assert [found.uri for found in node.references()] == [found.uri for found in event.data.data] == uris
    else:
        np.testing.assert_array_equal(event.data.data, images)


def test_several_scans_in_a_file(tree: Tree, file: Path) -> None:
    scans = [run_scan(tree, npoints) for npoints in (3, 4)]
    sequence = PublishedScan(tree, "seq", {"scans": ("<U0", ())}, NodeKind.SCAN_GROUP).prepare()
    sequence.emit([scan.path for scan in scans], "scans").end()
    for scan in (*scans, sequence):
        save(tree.store, scan.path, file)
    assert entries(str(file)) == ["/1.1", "/2.1", "/3.1"]
    copy = file.rename(file.with_name("copy.h5"))
    nodes = scan_of(copy, "/3.1").get_data("scans")  # from the file itself: nobody knows where that is
    assert [node.get_data("diode").tolist() for node in nodes] == [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0, 3.0]]
    with pytest.raises(DataError, match=r"copy.h5: it has the scans /1.1, /2.1, /3.1: say which, e.g. .*copy.h5::12.1"):
        open_saved(str(copy))
    assert named_scan(f"{copy}::/2.1", tree.store).db_name == scans[1].path


def test_the_way_down_to_a_scan_is_there(tree: Tree, file: Path) -> None:
    scan = run_scan(tree)
    save(tree.store, scan.path, file)
    store = open_saved(str(file))
    names = [event.node.db_name for event in get_session_node("eh1", store).walk_events(wait=False)]
    assert names[:4] == ["eh1:tmp", CONTAINER, scan.path, f"{scan.path}:timer"]
    node = get_node(scan.path, store)
    assert node and node.parent and node.parent.parent and node.parent.parent.type is NodeKind.CONTAINER
    assert (store.uid, store.kind, store.entry) == (node.info["uid"], NodeKind.SCAN, "/1.1")
    assert node.__info__().splitlines() == [  # type: ignore[attr-defined]
        "Scan 1: loopscan, DONE",
        f"3 points, {scan.path} in {file}::/1.1",
        "channels: diode [V]",
    ]
    with pytest.raises(DataError, match=f"scan {scan.path}: it is read from {file}, nothing can be added"):
        store.append([Append(paths.scan(scan.path), None, {})])


def test_points_that_the_file_has_not_are_expired(tree: Tree, file: Path) -> None:
    scan = PublishedScan(tree).prepare().emit([0.0, 1.0])
    scan.publisher.flush()
    writer = begin_file(tree.store, scan.path, file)
    writer.accept(EndScan(scan.path, "KILLED", {f"{scan.path}:timer:diode": 5}))
    assert writer.close().state == "FAILED"
    (channel,) = scan_of(file).channels()
    assert len(channel) == 5 and channel[1] == 1.0
    with pytest.raises(PointExpired, match="points 2 to 4 were asked for"):
        channel[:]


def test_the_catalogue_knows_where_an_expired_scan_is(
    tree: Tree, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path))
    scan = run_scan(tree)
    event = save(tree.store, scan.path, file)
    info = {**scan_of(file).info, "session_name": "eh1", "start_timestamp": 1e9}
    catalogue.record(tmp_path, info, event)
    tree.store.delete([paths.saved(scan.path)])
    forget(tree.store, scan.path)
    node = get_node(f"{scan.path}:timer:diode", MemoryStore())
    assert node is not None and node.scan is not None and node.scan.get_data("diode").tolist() == [0.0, 1.0, 2.0]
    for name in ("1", "loopscan", "1_loopscan", scan.path, info["uid"], info["uid"][:8]):
        assert named_scan(name, tree.store).db_name == scan.path
    with pytest.raises(NodeNotFound, match="no scan 'ascan' of session eh1, neither in the store nor in the catalogue"):
        named_scan("ascan", tree.store, "eh1")
    with pytest.raises(NodeNotFound):
        named_scan("1", tree.store, "eh2")


def test_what_is_in_the_way_is_said(tree: Tree, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="data.h5: there is no such file here"):
        open_saved(str(file), "/1.1")
    file.write_text("no HDF5")
    with pytest.raises(DataError, match="data.h5: it cannot be read"):
        open_saved(str(file))
    file.unlink()
    with h5py.File(file, "w") as h5:
        h5["entry/title"] = "of another program"
    assert entries(str(file)) == []
    with pytest.raises(DataError, match=r"no scan can be rebuilt from /entry: it has no writer/nodes"):
        open_saved(str(file), "/entry")
    with pytest.raises(DataError, match="data.txt: expected a file of scans, whose name ends with .h5"):
        open_saved("data.txt")
    monkeypatch.setattr("bliss_like.data.saved._readers", {})
    register_reader(".txt", "no_such_library")
    with pytest.raises(DataError, match=r"needs a library that is not here .*pip install 'bliss_like\[files\]'"):
        open_saved("data.txt")
    assert is_readable("data.txt") and not is_readable("data.edf")


def test_a_node_notices_that_its_scan_went_on_without_it(
    tree: Tree, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan = PublishedScan(tree).prepare().emit([0.0])
    scan.publisher.flush()
    node = get_node(scan.path, tree.store)
    assert isinstance(node, ScanNode) and node.state.name == "PREPARING"
    scan.end()
    save(tree.store, scan.path, file)
    forget(tree.store, scan.path)
    monkeypatch.setattr("bliss_like.data.structure._SILENCE", 0.0)
    assert node.state.name == "DONE" and node.get_data("diode").tolist() == [0.0]
    assert ScanStructure(tree.store, scan.path).refresh().end is not None
