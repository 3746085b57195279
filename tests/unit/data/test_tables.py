"""A scan as a table of numpy, pandas and xarray."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from bliss_like.data.events import NewNode, NodeKind, PreparedScan
from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.scan_data import means
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.errors import DataError
from tests.publishing import PublishedScan

pandas = pytest.importorskip("pandas")
xarray = pytest.importorskip("xarray")


def node_of(scan: PublishedScan) -> ScanNode:
    scan.publisher.flush()
    node = get_node(scan.path, scan.tree.store)
    assert isinstance(node, ScanNode)
    return node


@pytest.fixture
def scan() -> PublishedScan:
    """Of four points, the last of which has not come on all channels."""
    channels = {"diode": ("<f8", ()), "counts": ("<u4", ()), "label": ("<U1", ()), "mca": ("<u2", (3,))}
    published = PublishedScan(Tree(MemoryStore()), channels={**channels, "samples": ("<f8", (-1,))}).prepare()
    published.emit([0.0, 0.5, 1.0, 1.5]).emit([1, 2, 3], "counts").emit(["a", "b", "c", "d"], "label")
    published.emit(np.arange(9).reshape(3, 3), "mca")
    for length in (1, 2, 0):
        published.sinks["samples"].append(np.arange(float(length)))
    return published


def test_numpy(scan: PublishedScan) -> None:
    table = node_of(scan).to_numpy()
    assert table.dtype.names == ("diode", "counts", "label") and table.shape == (4,)
    assert table["diode"].tolist() == [0.0, 0.5, 1.0, 1.5] and table["label"].tolist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(table["counts"], [1, 2, 3, np.nan])
    scan.emit([4], "counts").emit(np.ones((1, 3)), "mca")
    scan.sinks["samples"].append(np.zeros(1))
    table = node_of(scan).to_numpy(["*counts", "mca", "timer:samples"])
    assert table.dtype.names == ("counts", "mca", "samples") and table["counts"].dtype == np.uint32
    assert table["mca"].shape == (4, 3) and table[1]["mca"].tolist() == [3, 4, 5]
    assert [cell.tolist() for cell in table["samples"]] == [[0.0], [0.0, 1.0], [], [0.0]]
    with pytest.raises(KeyError, match="no channel 'diod'; there are timer:diode"):
        node_of(scan).to_numpy("diod")


def test_pandas(scan: PublishedScan) -> None:
    table = node_of(scan).to_pandas()
    assert list(table.columns) == ["diode", "counts", "label"] and table.index.name == "point"
    assert table["counts"].isna().tolist() == [False, False, False, True] and table["label"][3] == "d"
    assert table.attrs["title"] == "loopscan" and table.attrs["units"]["diode"] == "V"
    cells = node_of(scan).to_pandas(["mca", "samples"])
    assert cells["mca"][2].tolist() == [6, 7, 8] and cells["samples"][1].tolist() == [0.0, 1.0]


def test_xarray(scan: PublishedScan) -> None:
    data = node_of(scan).to_xarray()
    assert data["mca"].dims == ("point", "mca_0") and data["mca"].shape == (4, 3)
    assert np.isnan(data["mca"][3]).all() and data["mca"][1].values.tolist() == [3, 4, 5]
    assert data["samples"].shape == (4, 2) and data["samples_length"].values[:3].tolist() == [1, 2, 0]
    assert data["diode"].attrs == {"units": "V", "fullname": "timer:diode"}
    assert data.attrs["scan_nb"] == 1


def test_a_scan_without_points() -> None:
    node = node_of(PublishedScan(Tree(MemoryStore())))
    assert node.to_numpy().shape == (0,) and node.to_pandas().shape == (0, 1)
    assert node.to_xarray().sizes["point"] == 0


def mesh(npoints: int, kind: str = "forth") -> ScanNode:
    """A scan over a grid of 3 x 2 points, of which the x axis is the fast one."""
    scan = PublishedScan(Tree(MemoryStore()), "amesh", {})
    for name in ("axis:x", "axis:y", "diode:diode"):
        path = f"{scan.path}:axis:{name.removeprefix('axis:')}"
        info: dict[str, Any] = {"fullname": name, "dtype": "<f8", "shape": [], "unit": "mm"}
        scan.publisher.publish(NewNode(path, NodeKind.CHANNEL, info, scan.path))
        scan.sinks[name] = scan.publisher.open_channel(path, np.dtype("<f8"), ())
    x = {"start": 0.0, "stop": 2.0, "axis_points": 3, "axis_id": 0, "axis_kind": kind}
    y = {"start": 10.0, "stop": 11.0, "axis_points": 2, "axis_id": 1, "axis_kind": "step"}
    scan.publisher.publish(PreparedScan(scan.path, {"data_dim": 2, "channels": {"axis:x": x, "axis:y": y}}))
    line = [0.01, 1.01, 2.01]
    xs = np.array([*line, *(reversed(line) if kind == "backnforth" else line)])[:npoints]
    ys = np.repeat([10.0, 11.0], 3)[:npoints]
    scan.emit(xs, "axis:x").emit(ys, "axis:y").emit(np.round(xs) + 10 * (ys - 10), "diode:diode").end()
    return node_of(scan)


@pytest.mark.parametrize("kind", ["forth", "backnforth"])
def test_a_mesh_has_the_dimensions_of_its_grid(kind: str) -> None:
    data = mesh(6, kind).to_xarray()
    assert data["diode"].dims == ("y", "x")
    assert data["diode"].values.tolist() == [[0.0, 1.0, 2.0], [10.0, 11.0, 12.0]]
    assert data["diode"].sel(y=11.0, x=2.0) == 12.0
    assert data["x_measured"].values.tolist() == [[0.01, 1.01, 2.01]] * 2
    assert data["x"].attrs["units"] == "mm" and set(data.coords) == {"x", "y"}


def test_what_a_stopped_mesh_has_not_reached_is_missing() -> None:
    data = mesh(4).to_xarray()
    np.testing.assert_array_equal(data["diode"].values, [[0.0, 1.0, 2.0], [10.0, np.nan, np.nan]])


def test_a_missing_library_is_named(scan: PublishedScan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(DataError, match=r"to_pandas needs pandas, .*: pip install 'bliss_like\[export\]'"):
        node_of(scan).to_pandas()


def test_what_means_a_channel() -> None:
    full = "diodes:diode"
    assert all(means(wanted, full) for wanted in (full, "diode", "diodes:*", "*diode", "dio??", "*"))
    assert not any(means(wanted, full) for wanted in ("diodes", "Diode", "axis:*", "rob*", ""))
