"""Tiled's own client browses, searches and slices the catalogue of a real server process, past scans and running ones."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from bliss_like.data import catalogue
from bliss_like.data.events import NodeKind, ScanInfoUpdate
from bliss_like.data.node import get_node
from bliss_like.data.redis_store import connect
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.store import MemoryStore, StreamStore
from bliss_like.data.tree import Tree
from bliss_like.web.tiled_server import is_loopback
from tests.docs.blocks import blocks_of
from tests.publishing import PublishedScan
from tests.saved_files import save

pytest.importorskip("tiled.client")
from tiled.client import from_uri  # noqa: E402
from tiled.client.utils import ClientError  # noqa: E402
from tiled.queries import (  # noqa: E402
    Comparison,
    Contains,
    FullText,
    In,
    Key,
    KeyPresent,
    Like,
    NotIn,
    Regex,
    SpecsQuery,
    StructureFamilyQuery,
)

CHANNELS: dict[str, tuple[str, tuple[int, ...]]] = {
    "diode": ("<f8", ()),
    "counts": ("<u4", ()),
    "label": ("<U1", ()),
    "spectrum": ("<f4", (5,)),
    "image": ("<u2", (3, 4)),
    "samples": ("<i8", (-1,)),
}
START = 1.7e9


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


class Served:
    """A server process and how to reach it; `key` is for clients, if they need one."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bliss_like.shell.main", "serve-data", "--port", "0", *arguments],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.said = [self.process.stdout.readline() for _ in range(3)]
        self.url = self.said[1].split()[-1]
        self.api = self.said[2].split("'")[1]

    def stop(self) -> int:
        self.process.terminate()
        assert self.process.stdout
        self.process.stdout.close()
        return self.process.wait(30)


@pytest.fixture(scope="module")
def served(base_path: Path, _server_of_the_run: EmbeddedServer) -> Iterator[Served]:
    served = Served({catalogue.VARIABLE: str(base_path), "BLISS_LIKE_REDIS": _server_of_the_run.url})
    yield served
    served.stop()


@pytest.fixture(scope="module")
def client(served: Served) -> Any:
    return from_uri(served.api)


@pytest.fixture
def root(base_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv(catalogue.VARIABLE, str(base_path))
    yield base_path
    for file in base_path.iterdir():
        file.unlink(missing_ok=True)


def begin(store: StreamStore, number: int, **more: Any) -> PublishedScan:
    """Begin a scan whose points are those of its index."""
    scan = PublishedScan(Tree(store), "ascan", CHANNELS, container="eh1:scans")
    info = {
        "uid": f"{number:08x}" * 4,
        "scan_nb": scan.number,
        "type": "ascan",
        "title": f"ascan roby 0 {number} 10",
        "session_name": "eh1",
        "start_timestamp": START + number,
        "technique": {"energy": 7 + number / 10, "mode": "fluo" if number % 2 else "xrd", "edges": ["K", "L3"]},
        "channels": {"axis:roby": {}} | {f"timer:{name}": {"display_name": name} for name in CHANNELS},
    } | more
    scan.publisher.publish(ScanInfoUpdate(scan.path, info))
    return scan.prepare()


def emit(scan: PublishedScan, first: int, last: int) -> PublishedScan:
    for index in range(first, last):
        for name, (dtype, shape) in CHANNELS.items():
            point = np.arange(index % 3) if -1 in shape else np.full(shape, index)
            scan.sinks[name].append(f"point {index}" if dtype == "<U1" else point.astype(dtype))
    scan.publisher.flush()
    return scan


def past(root: Path, count: int = 6) -> None:
    """Save scans 1, 2, 3, ..."""
    store = MemoryStore()
    for number in range(1, count + 1):
        scan = emit(begin(store, number), 0, 7).end()
        node = get_node(scan.path, store)
        assert node
        catalogue.record(root, node.info, save(store, scan.path, root / "file.h5"))


def numbers(found: Any) -> list[int]:
    return [scan.metadata["scan_nb"] for scan in found.values()]


def test_it_is_browsed_newest_first(root: Path, client: Any) -> None:
    past(root)
    assert len(client) == 6
    assert list(client)[:2] == ["6_ascan_00000006", "5_ascan_00000005"]
    assert client.values().first().metadata["title"] == "ascan roby 0 6 10"
    assert numbers(client)[-1] == client.values().last().metadata["scan_nb"] == 1
    assert numbers(client.sort(("start_time", 1))) == [1, 2, 3, 4, 5, 6]
    assert numbers(client.sort(("_", -1))) == [1, 2, 3, 4, 5, 6]
    assert list(client.keys()[2:4]) == ["4_ascan_00000004", "3_ascan_00000003"]
    for key in ("2_ascan_00000002", "2", "2_ascan", "00000002" * 4, "00000002"):
        assert client[key].metadata["scan_nb"] == 2
    with pytest.raises(KeyError):
        client["77"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (Key("technique.mode") == "fluo", [5, 3, 1]),
        (Key("technique.mode") != "fluo", [6, 4, 2]),
        (Key("technique.energy") > 7.45, [6, 5]),
        (Comparison("le", "technique.energy", 7.1), [1]),
        (Contains("technique.edges", "K"), [6, 5, 4, 3, 2, 1]),
        (Contains("motors", "roby"), [6, 5, 4, 3, 2, 1]),
        (Contains("motors", "robz"), []),
        (In("scan_nb", [2, 4]), [4, 2]),
        (NotIn("scan_nb", [2, 4]), [6, 5, 3, 1]),
        (Regex("technique.mode", "^FL", case_sensitive=False), [5, 3, 1]),
        (Regex("technique.mode", "^FL"), []),
        (Like("technique.mode", "x_d%"), [6, 4, 2]),
        (FullText("roby 6"), [6]),
        (KeyPresent("technique.mode", exists=False), []),
        (KeyPresent("no.such.key"), []),
        (Key("no.such.key") == 1, []),
        (StructureFamilyQuery("container"), [6, 5, 4, 3, 2, 1]),
        (SpecsQuery(["Other"], []), []),
    ],
    ids=str,
)
def test_it_is_searched(root: Path, client: Any, question: Any, answer: list[int]) -> None:
    past(root)
    assert numbers(client.search(question)) == answer


def test_searches_are_narrowed(root: Path, client: Any) -> None:
    past(root)
    found = client.search(Key("technique.mode") == "fluo").search(Key("technique.energy") < 7.4)
    assert numbers(found) == [3, 1]
    assert numbers(found.sort(("_", -1))) == [1, 3]
    assert found["3"].metadata["scan_nb"] == 3
    with pytest.raises(KeyError):
        found["2"]
    with pytest.raises(ClientError, match="no regular expression"):
        len(client.search(Regex("title", "(")))


def test_data_are_sliced(root: Path, client: Any) -> None:
    past(root, 1)
    scan = client["1"]
    assert list(scan) == ["scalars", *CHANNELS]
    diode, image = scan["diode"], scan["image"]
    assert diode.read().tolist() == list(range(7))
    assert diode[2:6:2].tolist() == [2, 4]
    assert diode[-1] == 6
    assert diode[::-2].tolist() == [6, 4, 2, 0]
    assert (diode.dims, diode.metadata["unit"], diode.metadata["fullname"]) == (("point",), "V", "timer:diode")
    assert (image.shape, image.dtype, image.dims[0]) == ((7, 3, 4), np.dtype("<u2"), "point")
    assert image[3, 1:].tolist() == [[3] * 4] * 2
    assert image[2:4, 0, ::2].tolist() == [[2, 2], [3, 3]]
    assert scan["spectrum"].read().shape == (7, 5)
    assert scan["label"].read().tolist() == [f"point {index}" for index in range(7)]
    samples = scan["samples"].read()
    assert samples.shape == (7, 2)
    assert samples[2].tolist() == [0, 1]
    assert np.isnan(samples[0]).all()
    table = scan["scalars"].read()
    assert list(table.columns) == ["diode", "counts", "label"]
    assert table["counts"].tolist() == list(range(7))
    assert scan["scalars"]["diode"].read().tolist() == list(range(7))


def test_browsers_get_other_formats(root: Path, served: Served) -> None:
    past(root, 2)

    def get(path: str, **asked: str) -> httpx.Response:
        return httpx.get(f"{served.api}/{path}", params=asked, timeout=60)

    assert get("array/full/2/diode", format="text/csv").text.split() == [f"{index}.0" for index in range(7)]
    assert get("array/full/2/image", format="image/png", slice="0").content.startswith(b"\x89PNG")
    assert get("table/full/2/scalars", format="text/csv").text.splitlines()[1] == "0.0,0,point 0"
    contents = get("container/full/2", format="json", field="diode").json()["contents"]
    assert list(contents) == ["diode"]
    assert get("container/full/", format="json").status_code == 400
    assert get("search/", sort="-start_time").json()["data"][0]["id"] == "2_ascan_00000002"
    assert get("array/full/2/nothing").status_code == get("metadata/77").status_code == 404


def test_a_running_scan_grows_while_one_reads(root: Path, client: Any, redis_server: EmbeddedServer) -> None:
    scan = emit(begin(connect(redis_server.url), 1), 0, 2)
    catalogue.record(
        root, {"uid": "00000001" * 4, "start_timestamp": START, "scan_nb": 1, "state": "STARTING"}, None, scan.path
    )
    served = client.values().first()
    assert served.metadata["technique"]["mode"] == "fluo"
    diode, image = served["diode"], served["image"]
    assert diode.read().tolist() == [0, 1]
    emit(scan, 2, 5)
    assert diode.read().tolist() == [0, 1]  # as it was when it was looked up
    assert diode.read_block((0,)).tolist() == [0, 1]
    assert image.read().shape == (2, 3, 4)
    assert served["diode"].read().tolist() == [0, 1, 2, 3, 4]
    assert len(served["scalars"].read()) == 5
    scan.end()
    assert client.values().first().metadata["state"] == "DONE"


def test_points_that_are_gone_are_said_to_be(root: Path, client: Any, redis_server: EmbeddedServer) -> None:
    past(root, 1)
    diode = client["1"]["diode"]
    (root / "file.h5").unlink()
    with pytest.raises(ClientError, match="there is no such file here"):
        diode.read()
    assert numbers(client) == [1]


def test_references_to_scans_are_names(root: Path, client: Any) -> None:
    store = MemoryStore()
    scan = PublishedScan(Tree(store), "sequence", {"scans": ("<U0", ())}, NodeKind.SCAN_GROUP, "eh1:scans")
    info = {"uid": "abcdef01" * 4, "start_timestamp": START, "scan_nb": 1}
    scan.publisher.publish(ScanInfoUpdate(scan.path, info))
    scan.prepare().emit(["eh1:scans:2_ascan", "eh1:scans:3_ascan"], "scans").end()
    catalogue.record(root, info, save(store, scan.path, root / "file.h5"))
    assert client["1"]["scans"].read().tolist() == ["eh1:scans:2_ascan", "eh1:scans:3_ascan"]


def test_the_page_about_it(root: Path, served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    past(root)
    (code,) = blocks_of("docs/how-to/tiled.md", "python")
    exec(code.replace("http://127.0.0.1:8000/api/v1", served.api), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("ascan roby 0 6 10 ['scalars', 'diode'")
    assert lines[1] == "[2. 3. 4.]"
    assert lines[-2:] == ["5_ascan_00000005 5", "3_ascan_00000003 3"]


def test_it_is_for_this_computer_unless_a_key_is_given(served: Served, base_path: Path) -> None:
    assert "for everyone on this computer, read only" in served.said[0]
    assert httpx.get(served.url, timeout=60).status_code == 200
    assert httpx.get(f"{served.url}tiled-ui-settings", timeout=60).status_code == 200
    assert [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "0.0.0.0", "lab")] == [True] * 3 + [
        False
    ] * 2
    locked = Served({catalogue.VARIABLE: str(base_path)}, "--host", "0.0.0.0")
    try:
        assert "with this key only" in locked.said[0]
        port, key = locked.api.partition("/api")[0].rpartition(":")[2], locked.api.rpartition("=")[2]
        address = f"http://127.0.0.1:{port}/api/v1/metadata/"
        assert httpx.get(address, timeout=60).status_code == 401
        assert httpx.get(address, params={"api_key": key}, timeout=60).status_code == 200
    finally:
        assert locked.stop() == 0


def test_a_port_that_is_taken(served: Served) -> None:
    port = served.api.partition("/api")[0].rpartition(":")[2]
    command = [sys.executable, "-m", "bliss_like.shell.main", "serve-data", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert (
        done.stderr
        == f"bliss-like: cannot listen at 127.0.0.1 port {port}: Address already in use; give another --port or --host\n"
    )
