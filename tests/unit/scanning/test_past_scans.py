"""Past scans at the prompt: SCANS, groups of them, and scans whose points are in their files only."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from bliss_like.data import catalogue, paths
from bliss_like.data.channel_node import NodeRefChannel
from bliss_like.data.node import ScanNode
from bliss_like.data.saving import saved
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.devices.counter import SamplingCounter, SamplingCounterController
from bliss_like.errors import ScanError, ScanSequenceError
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.result import LastScans
from bliss_like.scanning.scan import Scan
from bliss_like.scans import amesh, ascan, ct, loopscan
from bliss_like.session.data_tree import GREENLETS
from tests.saved_files import forget, save
from tests.unit.devices.making import make_axis
from tests.unit.scanning.making import Values, memory_environment


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryStore]:
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path))
    with memory_environment():
        store = environment.require_tree().store
        assert isinstance(store, MemoryStore)
        environment.scans = LastScans(maxlen=20)
        yield store


def scans() -> LastScans:
    assert isinstance(environment.scans, LastScans)
    return environment.scans


class Counting(SamplingCounterController):
    """Reads 1, 2, 3..."""

    def __init__(self) -> None:
        super().__init__("box")
        self.number = 0.0
        self.create_counter(SamplingCounter, "diode", mode="SINGLE")

    def read_all(self, *counters: SamplingCounter) -> list[float]:
        self.number += 1
        return [self.number]


def diode() -> SamplingCounter:
    counter = Counting().counters["diode"]
    assert isinstance(counter, SamplingCounter)
    return counter


def run(npoints: int) -> Scan:
    scan = loopscan(npoints, 0, diode())
    assert scan is not None
    return scan


def put_away(scan: Scan, directory: Path) -> None:
    """Save a scan, enter it into the catalogue, and let the server forget it."""
    store = environment.require_tree().store
    event = save(store, scan.path, directory / "data.h5")
    assert saved(store, [scan.path]) == [event]
    catalogue.record(directory, {**scan.node.info, "filename": event.file}, event)
    forget(store, scan.path)
    store.delete([paths.saved(scan.path)])


def test_a_scan_that_is_kept_outlives_its_time_in_the_store(store: MemoryStore, tmp_path: Path) -> None:
    scan = run(3)
    before = scan.get_data("diode")
    put_away(scan, tmp_path)
    after = scan.get_data("diode")
    assert after.tolist() == before.tolist() and after.dtype == before.dtype
    assert scan.streams["diode"][1] == before[1] and scan.node.info["title"] == "loopscan 3 0"
    assert scan.__info__().splitlines()[1].startswith("3 points")
    (tmp_path / "data.h5").unlink()
    with pytest.raises(ScanError, match="is no more in the tree of data, nor found in a file"):
        scan.get_data()


def test_another_scan_of_that_name_is_not_taken_for_it(store: MemoryStore, tmp_path: Path) -> None:
    scan = run(3)
    put_away(scan, tmp_path)
    environment.tree = Tree(MemoryStore(), tasks=GREENLETS)  # as after a loss of the server
    other = run(5)
    assert other.path == scan.path
    assert (len(scan.get_data("diode")), len(other.get_data("diode"))) == (3, 5)


def test_last_scans_by_index_number_name_and_uid(store: MemoryStore, tmp_path: Path) -> None:
    gone, old = run(2), run(3)
    put_away(gone, tmp_path)
    scans().clear()  # as in a new session
    recent = run(4)
    ct(0, diode())
    assert scans()[-2] is scans()[0] is recent
    names = {-3: old.path, -4: gone.path}
    for index, path in names.items():
        node = scans()[index]
        assert isinstance(node, ScanNode) and node.db_name == path
    assert scans()[-4].get_data("diode").tolist() == [1.0, 2.0]
    assert scans()["loopscan"] is scans().get(3) is scans()["3_loopscan"] is recent
    for key in (1, "1_loopscan", gone.path, gone.scan_info["uid"], gone.scan_info["uid"][:10]):
        assert getattr(scans().get(key), "db_name", None) == gone.path
    assert getattr(scans()[old.scan_info["uid"]], "db_name", None) == old.path
    assert scans()[-2:] == list(scans())[-2:]
    with pytest.raises(IndexError, match=r"SCANS\[100\]: there are 2 scans of this process.* SCANS.get\(100\)"):
        scans()[100]
    with pytest.raises(IndexError, match=r"SCANS\[-5\]: so many scans of the session are not known"):
        scans()[-5]
    with pytest.raises(IndexError):
        scans()[2]
    for key in (99, "ascan"):
        with pytest.raises(
            ScanError, match=f"no scan of session 'eh1' has the .* {key!r}, neither in the store nor in"
        ):
            scans().get(key)
    lines = scans().__info__().splitlines()
    assert [line.split()[0] for line in lines] == ["scan", "1", "2", "3", "DONE"]
    assert lines[1].split() == "1 DONE 2 points loopscan 2 0".split()


def test_a_group_of_scans_that_are_only_in_files(
    store: MemoryStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = run(2), run(3)
    put_away(first, tmp_path)
    put_away(second, tmp_path)
    with caplog.at_level(logging.INFO, logger="bliss_like.scanning.group"):
        group = Group(1, second.node)
    assert f"scan 1 is {first.path}" in caplog.text
    channel = group.node.channels()[0]
    assert isinstance(channel, NodeRefChannel)
    assert [node.get_data("diode").tolist() for node in channel.get(0, -1)] == [[1.0, 2.0], [1.0, 2.0, 3.0]]
    assert "loopscan 2 0" in group.__info__() and "loopscan 3 0" in group.__info__()
    with pytest.raises(
        ScanSequenceError, match="Scan number 99 not found in session 'eh1', neither in the store nor in"
    ):
        Group(99)
    sequence = Sequence()
    with sequence.sequence_context() as context:
        context.add(first.node)
        context.add_and_run(loopscan(1, 0, diode(), run=False))
    assert [node.info["scan_nb"] for node in sequence.node.get_data("scans")] == [1, 5]


@pytest.mark.parametrize("is_mesh", [False, True])
def test_where_the_peaks_of_past_scans_are(is_mesh: bool, store: MemoryStore, tmp_path: Path) -> None:
    robx, roby = (make_axis(name, low_limit=-100, high_limit=100) for name in ("robx", "roby"))
    seen = SamplingCounter("seen", Values("beams", lambda: [100 * math.exp(-((robx.position - 0.3) ** 2))]))
    scan = amesh(robx, -3, 3, 30, roby, 0, 1, 3, 0, seen) if is_mesh else ascan(robx, -3, 3, 60, 0, seen)
    assert scan is not None
    answers = ("peak", "trough", "cen", "com", "fwhm")
    before = {answer: getattr(scan, answer)(seen, robx) for answer in answers}
    put_away(scan, tmp_path)
    node = catalogue.get(1).node
    assert isinstance(node, ScanNode)
    for axis in (robx, "robx", "axis:robx"):
        assert {answer: getattr(node, answer)(seen, axis) for answer in answers} == pytest.approx(before)
    assert node.find_position(lambda x, y: x[0], "seen", "elapsed_time") >= 0
    found = node.cen("seen")
    assert (set(found) == {"robx", "roby"}) if isinstance(found, dict) else found == pytest.approx(before["cen"])
    with pytest.raises(KeyError, match="no channel 'sen'; there are axis:robx"):
        node.peak("sen")
