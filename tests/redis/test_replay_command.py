"""`bliss-like replay`: a past scan, from the server or from a file, appears in another session."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.redis_store import connect
from bliss_like.data.server import EmbeddedServer
from bliss_like.data.tree import Tree
from bliss_like.shell.main import main
from tests.publishing import PublishedScan, run_scan
from tests.saved_files import forget, save


@pytest.fixture
def scan(redis_server: EmbeddedServer) -> PublishedScan:
    return run_scan(Tree(connect()), 5)


def replayed(path: str) -> ScanNode:
    node = get_node(path)
    assert isinstance(node, ScanNode)
    return node


def test_by_number_and_from_a_file(scan: PublishedScan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "1", "--speed", "inf"]) == 0
    told = "eh1:tmp:scans:1_loopscan runs again as replay:tmp:scans:_1_loopscan; to follow it: bliss-like listen replay"
    assert capsys.readouterr().out.strip() == told
    assert main(["replay", "loopscan", "--speed", "inf"]) == 0  # not the replay, which has that name too
    assert replayed("replay:tmp:scans:_2_loopscan").info["replay_of"]["db_name"] == scan.path
    capsys.readouterr()
    save(scan.tree.store, scan.path, tmp_path / "data.h5")
    forget(scan.tree.store, scan.path)
    assert main(["replay", f"{tmp_path}/data.h5::/1.1", "--session", "theatre", "--speed", "inf"]) == 0
    for path in ("replay:tmp:scans:_1_loopscan", "theatre:tmp:scans:_1_loopscan"):
        assert replayed(path).get_data("diode").tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
        assert replayed(path).info["replay_of"]["db_name"] == scan.path


def test_what_cannot_be_replayed(scan: PublishedScan, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "77"]) == 1
    assert (
        "no scan '77', neither in the store nor in the catalogue: expected a number, a name" in capsys.readouterr().err
    )
    assert main(["replay", "1", "--session", "eh1"]) == 1
    assert "expected another session to replay it in than its own, got 'eh1'" in capsys.readouterr().err
    for session in ("a:b", ""):
        assert main(["replay", "1", "--session", session]) == 1
        assert f"session name {session!r}" in capsys.readouterr().err
    for speed in ("0", "-1", "nan", "fast"):
        with pytest.raises(SystemExit):
            main(["replay", "1", f"--speed={speed}"])
        assert f"expected a number greater than 0, or inf, got {speed!r}" in capsys.readouterr().err
