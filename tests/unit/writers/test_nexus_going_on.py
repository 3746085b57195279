"""Files that are there already: entries that were begun, entries and files of others, several scans in a file."""

from __future__ import annotations

import gc
import random
import re
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from bliss_like.data.events import NewNode, WireEvent
from bliss_like.errors import FileLostError, SavingError
from bliss_like.hdf5 import GrowingDataset, GrowingFile
from bliss_like.writers.checker import check as problems
from bliss_like.writers.checker import default_plot
from bliss_like.writers.nexus import open_scan
from bliss_like.writers.nexus_making import set_attributes
from tests.unit.writers.making import Story, fed, note, opened, save, text

CHANNELS: dict[str, tuple[str, tuple[int, ...]]] = {
    "robx": ("<f8", ()),
    "diode": ("<f8", ()),
    "label": ("<U0", ()),
    "spectrum": ("<u4", (8,)),
    "ragged": ("<i4", (-1, -1)),
}


def story_of(file: Path, npoints: int = 6) -> tuple[Story, list[WireEvent]]:
    story = Story(file, CHANNELS, npoints=npoints, sample={"name": "ruby"})
    events = story.begin()
    for n in range(npoints):
        events += [
            story.points("robx", [n]),
            story.points("diode", [n * n]),
            story.points("label", [f"point {n}"]),
            story.points("spectrum", [np.arange(8) + n]),
            story.points("ragged", [np.full((n, 2), n)]),
        ]
    return story, [*events, story.end()]


def check(file: Path, npoints: int = 6) -> None:
    assert problems(file) == []
    assert default_plot(file) == "/12.1/plotselect"
    with opened(file) as h5:
        measured = h5["12.1/measurement"]
        assert measured["robx"][:].tolist() == list(range(npoints))
        assert measured["diode"][:].tolist() == [n * n for n in range(npoints)]
        assert measured["label"].asstr()[:].tolist() == [f"point {n}" for n in range(npoints)]
        assert measured["spectrum"][:].tolist() == [list(range(n, n + 8)) for n in range(npoints)]
        assert [len(values) for values in measured["ragged"][:]] == [2 * n for n in range(npoints)]
        assert h5["12.1/instrument/ragged/data_shapes"][:].tolist() == [[n, 2] for n in range(npoints)]
        assert text(h5["12.1/writer/status"]) == "SUCCEEDED"
        assert text(h5["12.1/sample/name"]) == "ruby"
        told = ("file_name", "file_time", "creator", "creator_version", "HDF5_Version", "h5py_version")
        assert all(isinstance(h5.attrs[name], str) for name in told)


@pytest.mark.parametrize("seed", range(8))
def test_a_writer_that_died_is_followed_by_another(seed: int, tmp_path: Path) -> None:
    """Flushed at a random moment, it has accepted more than that when it dies; the next one gets all events again."""
    chance = random.Random(seed)
    _, events = story_of(tmp_path / "a.h5")
    for _ in range(3):
        stop = chance.randrange(1, len(events))
        file = fed(events[: chance.randrange(1, stop + 1)])
        file.flush()
        for event in events[:stop]:
            file.accept(event)
        file.abandon()
    saved = save(events, flush_each=bool(seed % 2))
    assert saved.state == "SAVED"
    check(tmp_path / "a.h5")


def test_a_scan_that_is_saved_already_stays_as_it_is(tmp_path: Path) -> None:
    _, events = story_of(tmp_path / "a.h5")
    assert save(events) == save(events)
    check(tmp_path / "a.h5")


def test_a_scan_that_has_not_ended_is_not_complete(tmp_path: Path) -> None:
    _, events = story_of(tmp_path / "a.h5")
    saved = save(events[:-1])
    assert (saved.state, saved.error) == ("FAILED", "it has not ended: what was published so far is saved")
    with opened(tmp_path / "a.h5") as h5:
        assert text(h5["12.1/writer/status"]) == "RUNNING"
        assert len(h5["12.1/measurement/ragged"]) == 6
        assert "end" not in h5["12.1/writer"]
    assert save(events).state == "SAVED"
    check(tmp_path / "a.h5")


def test_an_entry_of_another_scan_is_in_the_way(tmp_path: Path) -> None:
    _, events = story_of(tmp_path / "a.h5")
    save(events)
    other = Story(tmp_path / "a.h5", CHANNELS, uid="f" * 32)
    with pytest.raises(
        SavingError, match="a.h5 has an entry /12.1 already, of another scan \\('a test', uid 0.*recover"
    ):
        save([*other.begin(), other.end()])
    check(tmp_path / "a.h5")
    third = Story(tmp_path / "a.h5", CHANNELS, number=13)
    assert save([*third.begin(), third.end()]).entries == ("/13.1",)


def test_a_file_of_another_program_is_in_the_way(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as h5:
        h5["mine"] = 1
    (tmp_path / "b.h5").write_text("a letter")
    for name, message in (("a.h5", "was made by another program and is left as it is"), ("b.h5", "HDF5")):
        story = Story(tmp_path / name, CHANNELS)
        before = (tmp_path / name).read_bytes()
        with pytest.raises(SavingError, match=message):
            save([*story.begin(), story.end()])
        assert (tmp_path / name).read_bytes() == before


def test_a_scan_says_where_it_is_saved(tmp_path: Path) -> None:
    with pytest.raises(SavingError, match="expected filename, scan_nb and uid in its info, filename, uid is missing"):
        open_scan(NewNode("eh1:1_ct", Story(tmp_path, {}).scan.kind, {"scan_nb": 1}))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"compression": "zip"}, "expected a compression of auto, none, gzip, bitshuffle, came 'zip'"),
        ({"compression": ["gzip"]}, r"expected a compression of auto, none, gzip, bitshuffle, came \['gzip'\]"),
        ({"compresion": "gzip"}, "expected 'compression', came 'compresion'"),
    ],
)
def test_wrong_options_are_told(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(SavingError, match=message):
        open_scan.check_options(options)
    story = Story(tmp_path / "a.h5", CHANNELS, writer_options=options)
    assert (
        save([*story.begin(), story.points("robx", [1.5]), story.end()]).state == "SAVED"
    )  # no point is lost for that
    with opened(tmp_path / "a.h5") as h5:
        assert re.search(f"writer_options: {message}; so the default was taken", h5["12.1/writer/remarks"].asstr()[0])


def test_scans_at_the_same_time_share_a_file(tmp_path: Path) -> None:
    one, two = (Story(tmp_path / "a.h5", CHANNELS, number=n) for n in (12, 13))
    files = [fed(story.begin()) for story in (one, two)]
    for n in range(3):
        for story, file in zip((one, two), files, strict=True):
            file.accept(story.points("diode", [n]))
            assert file.flush()[f"{story.path}:axis:diode"] in (0, n + 1)
    for story, file in zip((one, two), files, strict=True):
        file.accept(story.end())
        assert file.close().entries == (f"/{story.info['scan_nb']}.1",)
    with opened(tmp_path / "a.h5") as h5:
        assert [h5[f"{n}.1/measurement/diode"][:].tolist() for n in (12, 13)] == [[0, 1, 2]] * 2


def test_a_file_that_another_process_has_open_is_waited_for(tmp_path: Path) -> None:
    _, events = story_of(tmp_path / "a.h5")
    other = GrowingFile.open(str(tmp_path / "a.h5"))
    waiting = fed(events)
    with pytest.raises(BlockingIOError, match="expected that nobody else writes it, but .* does"):
        waiting.flush()
    other.close()
    assert waiting.close().state == "SAVED"
    check(tmp_path / "a.h5")


def test_a_text_is_changed_in_its_place(tmp_path: Path) -> None:
    """To make the attribute of a large group anew takes HDF5 seconds, in which nothing else runs."""
    with GrowingFile.open(str(tmp_path / "a.h5")) as file:
        set_attributes(file.h5, {"default": "1.1", "other": 3})
        file.commit()
        attribute = h5py.h5a.open(file.h5.id, b"default")
        set_attributes(file.h5, {"default": "long enough for another place", "other": "x"})
        found = np.empty((), h5py.string_dtype())
        attribute.read(found)
        assert found[()] == b"long enough for another place"
        file.commit()
        with opened(tmp_path / "a.h5") as h5:
            assert dict(h5.attrs) == {"default": "long enough for another place", "other": "x"}


def test_a_scan_stays_known_by_its_number_and_uid(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", CHANNELS)
    saved = save([*story.begin(), story.end(scan_nb=99, uid="x")])
    assert saved.entries == ("/12.1",)
    with opened(tmp_path / "a.h5") as h5:
        assert list(h5) == ["12.1"]
        assert text(h5["12.1/entry_identifier_uuid"]) == story.info["uid"]
        assert (note(h5, "scan_info")["scan_nb"], note(h5, "scan_info")["uid"]) == (12, story.info["uid"])


def test_files_may_stay_open_for_the_next_scan(tmp_path: Path) -> None:
    stories = [Story(tmp_path / "a.h5", CHANNELS, number=n) for n in (12, 13, 14)]
    open_scan.linger(60)
    try:
        for story in stories[:2]:
            save([*story.begin(), story.points("diode", [1]), story.end()])
            assert problems(tmp_path / "a.h5") == []  # for all to see
        (tmp_path / "a.h5").rename(tmp_path / "b.h5")
        save([*stories[2].begin(), story.points("diode", [1]), stories[2].end()])
    finally:
        open_scan.linger(0)
    for name, entries in (("b.h5", ["12.1", "13.1"]), ("a.h5", ["14.1"])):
        with opened(tmp_path / name) as h5:
            assert list(h5) == entries
    assert {path.name for path in tmp_path.iterdir()} == {"a.h5", "b.h5"}


@pytest.mark.parametrize("how", ["deleted", "replaced"])
def test_a_file_that_is_lost_while_it_is_written_is_told(how: str, tmp_path: Path) -> None:
    file = tmp_path / "a.h5"
    one, two, three = (Story(file, CHANNELS, number=n) for n in (12, 13, 14))
    files = [fed(story.begin()) for story in (one, two)]
    for each in files:
        each.flush()
    if how == "deleted":
        file.unlink()
    else:
        (tmp_path / "copy").write_bytes(file.read_bytes())
        (tmp_path / "copy").replace(file)
    for each in files:
        with pytest.raises(FileLostError, match=f"{file}: was deleted, or another file has its place"):
            each.flush()
        each.abandon()
    assert not (tmp_path / ".a.h5.journal").exists()
    for story in (one, two, three):
        save([*story.begin(), story.points("diode", [1]), story.end()])
    assert problems(file) == []
    with opened(file) as h5:
        assert list(h5) == ["12.1", "13.1", "14.1"]


def test_a_file_that_was_moved_away_is_not_in_the_way_of_the_next_scan(tmp_path: Path) -> None:
    """It may come back; but not any more when the next scan has made a new one."""
    one, two = (Story(tmp_path / "a.h5", CHANNELS, number=n) for n in (12, 13))
    begun = fed(one.begin())
    begun.flush()
    (tmp_path / "a.h5").rename(tmp_path / "b.h5")
    with pytest.raises(OSError, match="the file is no more there"):
        begun.flush()
    assert save([*two.begin(), two.points("diode", [1]), two.end()]).state == "SAVED"
    with pytest.raises(FileLostError):
        begun.flush()
    begun.abandon()
    assert {path.name for path in tmp_path.iterdir()} == {"a.h5", "b.h5"}
    save([*one.begin(), one.points("diode", [1]), one.end()])
    with opened(tmp_path / "a.h5") as h5:
        assert sorted(h5) == ["12.1", "13.1"]
    with opened(tmp_path / "b.h5") as h5:
        assert list(h5) == ["12.1"]


def test_points_that_have_left_the_store_leave_a_gap(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"diode": ("<f8", ()), "counts": ("<i4", ())})
    points = [story.points("diode", [1, 2]), story.points("diode", [5], first=4), story.points("counts", [7], first=1)]
    saved = save([*story.begin(), *points, story.end(lengths={f"{story.path}:axis:counts": 4})])
    assert saved.state == "FAILED"
    assert "axis:counts: 2 points are saved of the 4 that were published" in saved.error
    with opened(tmp_path / "a.h5") as h5:
        np.testing.assert_array_equal(h5["12.1/measurement/diode"][:], [1, 2, np.nan, np.nan, 5])
        assert h5["12.1/measurement/counts"][:].tolist() == [0, 7]
        assert text(h5["12.1/writer/status"]) == "FAILED"
        remarks = h5["12.1/writer/remarks"].asstr()[:].tolist()
        assert note(h5, "end")["lengths"][f"{story.path}:axis:counts"] == 4
    again = save([*story.begin(), *points, story.end(lengths={f"{story.path}:axis:counts": 4})])
    assert (again.state, again.error) == ("FAILED", saved.error)  # it is not forgotten
    assert "points 2 to 3 had left the store before they could be saved; in their place is NaN" in remarks[0]


def test_a_viewer_of_a_running_scan_meets_whole_curves(tmp_path: Path) -> None:
    story = Story(tmp_path / "a.h5", {"robx": ("<f8", ()), "diode": ("<f8", ()), "other": ("<f8", ())})
    file = fed(
        [*story.begin(), story.points("robx", [1, 2, 3]), story.points("diode", [1, 2]), story.points("other", [1] * 4)]
    )
    assert list(file.flush().values()) == [2, 2, 4]
    assert problems(tmp_path / "a.h5") == []
    file.accept(story.points("diode", [3]))
    assert list(file.flush().values()) == [3, 3, 4]
    file.accept(story.points("robx", np.arange(4, 400)))  # a device that is this late is not waited for
    assert next(iter(file.flush().values())) == 399
    file.accept(story.end())
    assert file.close().state == "SAVED"
    assert problems(tmp_path / "a.h5") == []


def test_what_fails_in_the_middle_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HDF5 may have to read what it has forgotten, from a disk that is away."""
    story = Story(tmp_path / "a.h5", {"robx": ("<f8", ()), "diode": ("<f8", ())}, sample={"name": "ruby"})
    events = [*story.begin(), story.points("robx", [1, 2, 3]), story.points("diode", [1, 2]), story.end()]
    file = fed(events)
    made = GrowingFile.make_group
    calls = 0

    def fails_now_and_then(*args: Any, **keys: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 4 == 0:
            raise OSError(5, "Input/output error")
        return made(*args, **keys)

    monkeypatch.setattr(GrowingFile, "make_group", fails_now_and_then)
    failures = 0
    while failures < 20:
        try:
            assert file.close().state == "SAVED"
            break
        except OSError:
            failures += 1
    assert 0 < failures < 20
    assert problems(tmp_path / "a.h5") == []
    with opened(tmp_path / "a.h5") as h5:
        assert h5["12.1/measurement/robx"][:].tolist() == [1, 2, 3]
        assert h5["12.1/plotselect/robx"][:].tolist() == [1, 2]


def test_a_file_that_stays_open_keeps_nothing_of_scans_that_are_saved(tmp_path: Path) -> None:
    file = tmp_path / "data.h5"
    open_scan.linger(60)
    try:
        save(story_of(file)[1])
        gc.collect()
        kept = [
            each
            for each in gc.get_objects()
            if isinstance(each, GrowingDataset) and each.h5 and each.h5.file.filename == str(file)
        ]
    finally:
        open_scan.linger(0)
    assert kept == []
    check(file)
