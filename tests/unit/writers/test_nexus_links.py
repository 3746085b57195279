"""What refers to other places: sequences, master files, several top masters, images in files of detectors."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest

from bliss_like.data.images import ImageReference
from bliss_like.devices.counter import SamplingCounter
from bliss_like.scanning.chain import AcquisitionChain, AcquisitionChannel
from bliss_like.scanning.environment import environment
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.scan import Scan
from bliss_like.scans import loopscan
from bliss_like.writers.checker import check as problems
from bliss_like.writers.checker import default_plot
from tests.unit.scanning.making import Device, Log, Master, Values
from tests.unit.writers.making import FileSaver, Story, events_of, note, opened, save, text

pytestmark = pytest.mark.usefixtures("memory", "clock")

# -- sequences and groups


def test_a_sequence_links_its_scans_across_files(tmp_path: Path) -> None:
    diode = SamplingCounter("diode", Values("diodes", lambda: [1.0]))
    one, two = tmp_path / "one" / "a.h5", tmp_path / "two" / "b.h5"
    environment.saver = FileSaver(one)
    sequence = Sequence(title="night")
    sequence.add_custom_channel(AcquisitionChannel("sums", float, ()))
    with sequence.sequence_context() as context:
        first = loopscan(2, 0, diode, run=False)
        context.add_and_run(first)
        environment.saver = FileSaver(two)
        second = loopscan(3, 0, diode, run=False)
        context.add_and_run(second)
        sequence.custom_channels["sums"].emit([1.5, 2.5])
        unsaved = loopscan(1, 0, diode, save=False)
        context.add(unsaved)
    saved = save(events_of(sequence.scan), flush_each=True)  # before its scans: their entries come later
    assert saved.state == "SAVED"
    for scan in (first, second):
        save(events_of(scan))
    moved = tmp_path / "moved"
    moved.mkdir()
    for directory in ("one", "two"):
        shutil.move(tmp_path / directory, moved / directory)
    with opened(moved / "one" / "a.h5") as h5:
        entry = h5["1.1"]
        assert list(entry["scans"]) == ["2.1", "3.1"]
        links = [entry["scans"].get(name, getlink=True) for name in entry["scans"]]
        assert isinstance(links[0], h5py.SoftLink)
        assert (links[1].filename, links[1].path) == ("../two/b.h5", "/3.1")
        assert [len(entry[f"scans/{name}/measurement/diode"]) for name in entry["scans"]] == [2, 3]
        assert entry["measurement/sums"][:].tolist() == [1.5, 2.5]
        assert entry["measurement/scan_numbers"][:].tolist() == [2, 3, 1]
        assert entry["measurement/scans"].asstr()[:].tolist() == [first.path, second.path, unsaved.path]
        assert text(entry["title"]) == "night"
    assert problems(moved / "one" / "a.h5") == []


def test_a_group_links_scans_that_have_run(tmp_path: Path) -> None:
    environment.saver = FileSaver(tmp_path / "a.h5")
    scans = [loopscan(2, 0, SamplingCounter("diode", Values("diodes", lambda: [1.0]))) for _ in range(2)]
    group = Group(*scans)
    for scan in (*scans, group.scan):
        assert save(events_of(scan)).state == "SAVED"
    with opened(tmp_path / "a.h5") as h5:
        assert [(name, h5[f"3.1/scans/{name}"] == h5[name]) for name in h5["3.1/scans"]] == [
            ("1.1", True),
            ("2.1", True),
        ]
    assert problems(tmp_path / "a.h5") == []


# -- several top masters


def test_each_top_master_has_an_entry(tmp_path: Path) -> None:
    environment.saver = FileSaver(tmp_path / "a.h5")
    log = Log()
    chain = AcquisitionChain()
    for name, npoints in (("fast", 5), ("slow", 2)):
        master = Master(name, log, npoints=npoints)
        chain.add(master, Device("diode" if name == "fast" else "monitor", log))
    scan = Scan(chain, "two_masters", {"sample": {"name": "ruby"}})
    scan.run()
    assert save(events_of(scan)).entries == ("/1.1", "/1.2")
    assert problems(tmp_path / "a.h5") == []
    with opened(tmp_path / "a.h5") as h5:
        assert list(h5["1.1/measurement"]) == ["n", "value"]
        assert [len(h5[f"1.{n}/measurement/value"]) for n in (1, 2)] == [5, 2]
        assert h5["1.2/sample"] == h5["1.1/sample"]
        assert text(h5["1.2/sample/name"]) == "ruby"
        assert text(h5["1.2/title"]) == text(h5["1.1/title"])
        paths = {channel["name"]: channel["path"] for channel in note(h5, "channels", "1.1")}
    assert paths["slow:monitor:value"] == "/1.2/instrument/value/data"


# -- master files


def test_master_files_link_entries_of_all_datasets(tmp_path: Path) -> None:
    master = tmp_path / "proposal.h5"
    for number, name in ((1, "s1/data.h5"), (2, "s1/data.h5"), (1, "s2/data.h5"), (1, "s2/other.h5")):
        story = Story(tmp_path / name, {"diode": ("<f8", ())}, number=number, master_files=[str(master)])
        saved = save([*story.begin(), story.points("diode", [number]), story.end()], flush_each=True)
        assert (saved.state, saved.info) == ("SAVED", {})
        assert save([*story.begin(), story.end()]).state == "SAVED"  # once more: no second link
    with opened(master) as h5:
        links = {name: h5.get(name, getlink=True) for name in h5}
        assert {name: (link.filename, link.path) for name, link in links.items()} == {
            "data_1.1": ("s1/data.h5", "/1.1"),
            "data_2.1": ("s1/data.h5", "/2.1"),
            "s2_data_1.1": ("s2/data.h5", "/1.1"),
            "other_1.1": ("s2/other.h5", "/1.1"),
        }
        assert h5["s2_data_1.1/measurement/diode"][:].tolist() == [1]
    assert problems(master) == []
    assert default_plot(master) == "/1.1/plotselect"  # as it is called in its own file


# -- images


def detector_file(path: Path, count: int, first: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as h5:
        h5["entry/data"] = np.arange(first, first + count, dtype="<u2")[:, None, None] * np.ones((1, 2, 3), "<u2")


def references(path: Path, indices: range) -> list[str]:
    return [ImageReference(str(path), "/entry/data", index).uri for index in indices]


def camera_story(file: Path) -> Story:
    info = {
        "kind": "lima",
        "fullname": "cam:image",
        "unit": "counts",
        "reference": True,
        "image_dtype": "<u2",
        "image_shape": [2, 3],
    }
    return Story(file, {"robx": ("<f8", ()), "image": ("<U0", ())}, nodes={"image": info}, npoints=4)


def test_images_of_one_file_are_linked(tmp_path: Path) -> None:
    detector_file(tmp_path / "data" / "cam" / "c0.h5", 4)
    story = camera_story(tmp_path / "data" / "a.h5")
    uris = references(tmp_path / "data" / "cam" / "c0.h5", range(4))
    points = [story.points("robx", range(4)), story.points("image", uris[:1]), story.points("image", uris[1:])]
    assert save([*story.begin(), *points, story.end()], flush_each=True).state == "SAVED"
    shutil.move(tmp_path / "data", tmp_path / "elsewhere")
    file = tmp_path / "elsewhere" / "a.h5"
    assert problems(file) == []
    with opened(file) as h5:
        link = h5["12.1/instrument/cam"].get("data", getlink=True)
        assert (link.filename, link.path) == ("cam/c0.h5", "/entry/data")
        for place in ("instrument/cam/data", "measurement/cam", "plot_cam/cam"):
            assert h5[f"12.1/{place}"][:, 0, 0].tolist() == [0, 1, 2, 3]
        assert h5["12.1/measurement/cam_uris"].asstr()[:].tolist() == uris
        assert h5["12.1/plot_cam"].attrs["signal"] == "cam"


def test_images_of_several_files_are_one_dataset(tmp_path: Path) -> None:
    files = [tmp_path / "data" / "cam" / f"c{n}.h5" for n in range(2)]
    for n, file in enumerate(files):
        detector_file(file, 3, first=3 * n)
    story = camera_story(tmp_path / "data" / "a.h5")
    uris = [*references(files[0], range(1, 3)), *references(files[1], range(2))]
    assert (
        save([*story.begin(), story.points("robx", range(4)), story.points("image", uris), story.end()]).state
        == "SAVED"
    )
    shutil.move(tmp_path / "data", tmp_path / "elsewhere")
    with opened(tmp_path / "elsewhere" / "a.h5") as h5:
        data = h5["12.1/measurement/cam"]
        assert data.is_virtual
        assert data[:, 1, 2].tolist() == [1, 2, 3, 4]
        assert data.shape == (4, 2, 3)
        assert "remarks" not in h5["12.1/writer"]
    assert problems(tmp_path / "elsewhere" / "a.h5") == []


def test_missing_files_of_images_are_noticed(tmp_path: Path) -> None:
    story = camera_story(tmp_path / "a.h5")
    uris = references(tmp_path / "gone.h5", range(2))
    saved = save([*story.begin(), story.points("robx", [1, 2]), story.points("image", uris), story.end()])
    assert saved.state == "SAVED"  # all that was published
    assert saved.info["remarks"] == [f"cam:image: 2 images are in files that are not there: {tmp_path}/gone.h5"]
    with opened(tmp_path / "a.h5") as h5:
        assert h5["12.1/writer/remarks"].asstr()[:].tolist() == saved.info["remarks"]
        assert h5["12.1/instrument/cam/image_uris"].asstr()[:].tolist() == uris
        assert "units" not in h5["12.1/instrument/cam/image_uris"].attrs


def test_images_in_other_formats_are_references(tmp_path: Path) -> None:
    story = camera_story(tmp_path / "a.h5")
    uris = [ImageReference(str(tmp_path / f"c{n}.edf"), "", 0).uri for n in range(2)]
    for n in range(2):
        (tmp_path / f"c{n}.edf").write_text("an image")
    save([*story.begin(), story.points("robx", [1, 2]), story.points("image", uris), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        assert h5["12.1/measurement/cam_uris"].asstr()[:].tolist() == uris
        assert "cam" not in h5["12.1/measurement"]
    assert problems(tmp_path / "a.h5") == []


def test_images_without_files_are_inside(tmp_path: Path) -> None:
    info = {"kind": "lima", "fullname": "cam:image", "image_dtype": "<u2", "image_shape": [20, 30]}
    story = Story(tmp_path / "a.h5", {"image": ("<u2", (20, 30))}, nodes={"image": info})
    images = np.arange(1200, dtype="<u2").reshape(2, 20, 30)
    save([*story.begin(), story.points("image", images), story.end()])
    with opened(tmp_path / "a.h5") as h5:
        np.testing.assert_array_equal(h5["12.1/measurement/cam"][:], images)
        assert h5["12.1/instrument/cam/data"].attrs["interpretation"] == "image"
    assert default_plot(tmp_path / "a.h5") == "/12.1/plot_cam"
