"""Scans compared with their files, and files with what they say of themselves: what is missing, changed or unreadable is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bliss_like.data import verify
from bliss_like.data.events import NewData, NodeKind, SavedScan
from bliss_like.data.node import ScanNode, get_node
from bliss_like.data.saving import tell_saved
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.data.verify import Verification, register_checker, verify_file, verify_scan
from bliss_like.exporters import feed, make_exporter, target_of
from tests.exporting import ChannelOf, ScanOf, all_kinds, some_masters

UID = "0123456789abcdef" * 2


class Published:
    """A scan in a store and in a file, as a session and its writer leave them."""

    def __init__(self, scan: ScanOf, directory: Path, end: bool = True) -> None:
        self.store = MemoryStore()
        self.file = directory / "data.h5"
        self.scan = scan
        target, template = target_of(self.file)
        events = scan.events(end=end)
        feed(make_exporter("nexus", target, template), target, events)
        publisher = Tree(self.store).open_scan(scan.path, scan.kind, scan.scan_info())
        channels = {f"{scan.path}:{below}": channel for below, channel in scan.channels.items()}
        for event in events[1:]:
            publisher.publish(event)
            if event.path in channels and not isinstance(event, NewData):
                channel = channels[event.path]
                publisher.open_channel(event.path, channel.dtype, tuple(event.info["shape"]), channel.kind)  # type: ignore[union-attr]
        publisher.close()
        saved = SavedScan(scan.path, "SAVED", str(self.file), (f"/{scan.number}.1",), writer="nexus")
        tell_saved(self.store, saved, 100)

    @property
    def node(self) -> ScanNode:
        node = get_node(self.scan.path, self.store)
        assert isinstance(node, ScanNode)
        return node

    def dataset(self, below: str) -> str:
        with h5py.File(self.file, locking=False) as file:
            channels = json.loads(file[f"{self.scan.number}.1/writer/channels"].asstr()[()])
        return next(str(each["path"]) for each in channels if each["name"] == below)


def verified(published: Published) -> tuple[Verification, Verification]:
    """Return what is found against the server, and in the file alone."""
    (alone,) = verify_file(str(published.file))
    return verify_scan(published.node), alone


@pytest.mark.parametrize("scan", [all_kinds(), some_masters()], ids=["all kinds", "several masters"])
def test_a_scan_that_is_whole(scan: ScanOf, tmp_path: Path) -> None:
    npoints = sum(len(channel.points) for channel in scan.channels.values())
    for found in verified(Published(scan, tmp_path)):
        assert found.is_whole, found.faults
        assert (found.channels, found.points) == (len(scan.channels), npoints)
    assert str(found) == (
        f"{scan.number}_ascan in {tmp_path}/data.h5::{scan.number}.1: {len(scan.channels)} channels, {npoints} points, "
        "as many as the file says"
    )


def test_a_point_that_was_changed(tmp_path: Path) -> None:
    published = Published(all_kinds(), tmp_path)
    with h5py.File(published.file, "r+", locking=False) as file:
        file[published.dataset("axis:timer:count")][2] += 1
    compared, alone = verified(published)
    assert compared.faults == [
        f"{published.scan.path}:axis:timer:count: point 2 is another one in the file than was published"
    ]
    assert alone.is_whole  # it cannot know


def test_points_that_are_missing(tmp_path: Path) -> None:
    published = Published(all_kinds(), tmp_path)
    with h5py.File(published.file, "r+", locking=False) as file:
        file[published.dataset("axis:robx")].resize(3, axis=0)
    compared, alone = verified(published)
    assert f"{published.scan.path}:axis:robx: 3 points in the file of the 4 that were published" in compared.faults
    assert f"{published.scan.path}:axis:robx: 3 points in the file of the 4 that there were" in alone.faults
    assert any("its axis 'robx' of shape (3,) does not fit" in fault for fault in alone.faults)  # nor can it be plotted


def test_a_dataset_that_is_gone(tmp_path: Path) -> None:
    published = Published(all_kinds(), tmp_path)
    name = published.dataset("axis:robx")
    with h5py.File(published.file, "r+", locking=False) as file:
        del file[name]
    for found in verified(published):
        assert any("axis:robx" in fault or "robx" in fault for fault in found.faults), found.faults


def test_a_file_with_damaged_chunks(tmp_path: Path) -> None:
    images = np.random.default_rng(1).poisson(5, (4, 256, 256)).astype("<u2")
    published = Published(ScanOf({"axis:timer:cam": ChannelOf(images)}), tmp_path)
    name = published.dataset("axis:timer:cam")
    with h5py.File(published.file, locking=False) as file:
        chunk = file[name].id.get_chunk_info(1)
        assert file[name].id.get_create_plist().get_nfilters()
    with open(published.file, "r+b") as raw:
        raw.seek(chunk.byte_offset)
        raw.write(b"\xff" * chunk.size)
    for found in verified(published):
        assert not found.is_whole


def test_metadata_that_differ(tmp_path: Path) -> None:
    published = Published(some_masters(), tmp_path)
    name = f"{published.scan.number}.1/writer/scan_info"
    with h5py.File(published.file, "r+", locking=False) as file:
        info = json.loads(file[name].asstr()[()])
        del file[name]
        file[name] = json.dumps(info | {"title": "another"})
    compared, _ = verified(published)
    assert compared.faults == ["scan_info: other values in the file than were published: title"]


def test_a_scan_without_a_file(tmp_path: Path) -> None:
    published = Published(some_masters(), tmp_path)
    published.file.unlink()
    found = verify_scan(published.node)
    assert found.faults == [
        f"not on disk: its writer says that it is in {published.file}, where it is not to be found (any more)"
    ]
    tell_saved(published.store, SavedScan(published.scan.path, "FAILED", error="disk full"), 100)
    assert verify_scan(published.node).faults == ["not on disk: disk full"]
    published.store.delete([f"bl1:saved:{{{published.scan.path}}}"])
    assert (
        verify_scan(published.node).faults[0].startswith("not on disk: no writer has saved it; bliss-like recover eh1")
    )


def test_a_scan_that_is_not_finished(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="has not ended"):
        published = Published(some_masters(), tmp_path, end=False)
    compared, alone = verified(published)
    assert (compared.faults, compared.notes) == ([], ["it is running: compared as far as it is on disk"])
    assert alone.faults == [
        "it has no end: its writer has not finished; bliss-like recover does, while the server has the scan"
    ]


def test_images_in_files_of_detectors(tmp_path: Path) -> None:
    from bliss_like.data.images import ImageReference
    from bliss_like.image_files.edf import EdfFile

    file = EdfFile(str(tmp_path / "cam.edf"), (4, 5), np.dtype("<u2"), {"name": "cam"})
    file.write(np.arange(60, dtype="<u2").reshape(3, 4, 5))
    file.close()
    references = np.array([ImageReference(str(tmp_path / "cam.edf"), "", index).uri for index in range(3)])
    info: dict[str, Any] = {"reference": True, "image_shape": [4, 5], "image_dtype": "<u2"}
    scan = ScanOf({"axis:cam:image": ChannelOf(references, kind=NodeKind.IMAGE, info=info)})
    published = Published(scan, tmp_path)
    for found in verified(published):
        assert (found.faults, found.images) == ([], 3)
    (tmp_path / "cam.edf").rename(tmp_path / "moved.edf")
    for found in verified(published):
        assert "there is no such file here (any more)" in found.faults[0] and found.faults[0].startswith(scan.path)


def test_what_checks_the_structure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_checkers", {})
    register_checker(".h5", lambda file, entry: [f"{Path(file).name}::{entry}: no default plot"])
    for found in verified(Published(some_masters(), tmp_path)):
        assert found.faults == ["data.h5::13.1: no default plot"]


def test_what_is_no_scan(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_text("text")
    with pytest.raises(Exception, match=r"x.h5: it cannot be read"):
        verify_file(str(tmp_path / "x.h5"))
    with pytest.raises(Exception, match=r"y.h5: there is no such file"):
        verify_file(str(tmp_path / "y.h5"))
