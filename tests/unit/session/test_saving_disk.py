"""What is looked up on disk before a scan: directories, room, numbers that are taken."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import h5py
import pytest

from bliss_like.errors import SavingError, SessionError
from bliss_like.hdf5 import GrowingFile
from bliss_like.hdf5.journal import Journal
from bliss_like.hdf5.superblock import length_in
from bliss_like.session import disk
from bliss_like.session.policies.config import DATA_VARIABLE, WRITER_VARIABLE
from bliss_like.session.saving import ScanSaving, ScanSavingConfig


@pytest.fixture
def saving(tmp_path: Path) -> ScanSaving:
    return ScanSaving("eh1", ScanSavingConfig(base_path=str(tmp_path), writer="nexus"))


def add_scans(file: str | None, *entries: str) -> None:
    assert file is not None
    with h5py.File(file, "a") as opened:
        opened.attrs["creator"] = "bliss_like"
        for entry in entries:
            opened.create_group(entry)


def test_what_a_scan_is_told(saving: ScanSaving, tmp_path: Path) -> None:
    saving.writer_options = {"compression": "gzip"}
    assert saving.describe(7) == {
        "data_writer": "nexus",
        "data_policy": "basic",
        "filename": f"{tmp_path}/eh1/data.h5",
        "base_path": str(tmp_path),
        "master_files": [],
        "images_path": f"{tmp_path}/eh1/scan0007",
        "writer_options": {"compression": "gzip"},
    }
    saving.images_path_template = "{img_acq_device}/{scan_number}"
    assert saving.describe(7)["images_path"] == f"{tmp_path}/eh1"
    saving.writer = None
    assert saving.writer == "null"
    assert saving.describe() == {"data_writer": "null", "data_policy": "basic"}


def test_the_names_of_bliss(saving: ScanSaving, tmp_path: Path) -> None:
    saving.sample = "ruby"
    saving.data_filename = "{sample}_{date}"
    saving.date_format = "day"
    assert saving.eval_data_filename == "ruby_day"
    assert saving.root_path == saving.get_path() == f"{tmp_path}/eh1"
    assert saving.data_path == f"{tmp_path}/eh1/ruby_day"
    assert saving.filename == saving.data_fullpath == f"{tmp_path}/eh1/ruby_day.h5"
    assert saving.images_path == f"{tmp_path}/eh1/scan{{scan_number}}"
    assert saving.get() == {
        "root_path": saving.root_path,
        "data_path": saving.data_path,
        "filename": saving.filename,
        "images_path": saving.images_path,
        "writer": "nexus",
        "container": saving.container,
    }
    assert not os.path.exists(saving.root_path)
    saving.create_root_path()
    assert os.path.isdir(saving.root_path)
    saving.writer = "null"
    assert saving.filename is None
    saving.scan_number_format = "%06d"
    assert saving.get_images_path(7, "cam").endswith("/scan000007")


def test_the_environment_says_what_sessions_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(WRITER_VARIABLE, "null")
    monkeypatch.setenv(DATA_VARIABLE, "/data")
    assert ScanSaving("s", ScanSavingConfig()).get_path() == "/data/s"
    assert ScanSaving("s", ScanSavingConfig()).writer == "null"
    assert ScanSaving("s", ScanSavingConfig(writer="nexus")).writer == "nexus"
    monkeypatch.delenv(WRITER_VARIABLE)
    monkeypatch.delenv(DATA_VARIABLE)
    monkeypatch.setenv("HOME", "/home/ada")
    assert ScanSaving("s", ScanSavingConfig()).filename == "/home/ada/bliss_like_data/s/data.h5"
    monkeypatch.setenv(WRITER_VARIABLE, "nexsu")
    with pytest.raises(
        SavingError, match="SCAN_SAVING.writer: expected one of nexus, null, came 'nexsu', did you mean"
    ):
        ScanSaving("s", ScanSavingConfig()).check()


# -- whether a scan can be saved -----------------------------------------------------------------------------------------


def test_the_directory_is_made(saving: ScanSaving, tmp_path: Path) -> None:
    saving.template = "{session}/a/b"
    saving.directory_mode = "2770"
    for _ in range(2):
        saving.check()
    assert [oct((tmp_path / name).stat().st_mode & 0o7777) for name in ("eh1", "eh1/a", "eh1/a/b")] == ["0o2770"] * 3
    assert list((tmp_path / "eh1/a/b").iterdir()) == []


def test_nothing_is_made_where_nothing_is_saved(saving: ScanSaving, tmp_path: Path) -> None:
    saving.writer = "null"
    saving.check()
    assert list(tmp_path.iterdir()) == []


def _file_above(saving: ScanSaving, path: Path) -> None:
    (path / "eh1").touch()


def _directory_in_the_way(saving: ScanSaving, path: Path) -> None:
    (path / "eh1/data.h5").mkdir(parents=True)


def _link_to_nowhere(saving: ScanSaving, path: Path) -> None:
    (path / "eh1").mkdir()
    (path / "eh1/data.h5").symlink_to(path / "nowhere")


def _no_room(saving: ScanSaving, path: Path) -> None:
    saving.min_free_mb = 1e12


def _no_such_disk(saving: ScanSaving, path: Path) -> None:
    saving.base_path = "/proc/nothing"


IN_THE_WAY: dict[Callable[[ScanSaving, Path], None], str] = {
    _file_above: r"cannot save in .*/eh1: it is no directory; move it away; SCAN_SAVING.base_path = ... saves elsewhere$",
    _directory_in_the_way: r"cannot save in .*/data.h5: it is a directory; move it away, or change SCAN_SAVING.data_fil",
    _link_to_nowhere: r"cannot save in .*/data.h5: it is no regular file; move it away",
    _no_room: r"/eh1: \d+ MB are free on this disk, a scan needs 1e\+12 MB; remove .*SCAN_SAVING.base_path = .* dares it$",
    _no_such_disk: r"cannot make /proc/nothing: .*; is the disk mounted, and the path right\?; SCAN_SAVING.base_path = ... saves elsewhere$",
}


@pytest.mark.parametrize("put", IN_THE_WAY)
def test_what_is_in_the_way(saving: ScanSaving, tmp_path: Path, put: Callable[[ScanSaving, Path], None]) -> None:
    put(saving, tmp_path)
    with pytest.raises(SavingError, match=IN_THE_WAY[put]):
        saving.check()


def test_permissions(saving: ScanSaving, tmp_path: Path) -> None:
    saving.check()
    (tmp_path / "eh1").chmod(0o500)
    if os.access(tmp_path / "eh1", os.W_OK):
        pytest.skip("root may write everywhere")
    with pytest.raises(SavingError, match="no permission any more"):
        saving.check()
    with pytest.raises(
        SavingError, match="no permission, the directory belongs to .*; ask them for it; SCAN_SAVING.base_path"
    ):
        ScanSaving("eh1", ScanSavingConfig(base_path=str(tmp_path), writer="nexus")).check()
    (tmp_path / "eh1").chmod(0o700)
    (tmp_path / "eh1/data.h5").touch(mode=0o400)
    with pytest.raises(SavingError, match="cannot write to .*/data.h5: it belongs to .*, and its permissions are 400"):
        saving.check()


def test_a_permission_error_names_the_owner() -> None:
    error = PermissionError(13, "Permission denied", "/nobody/is/here")
    assert disk.reason(error).startswith(f"no permission, the directory belongs to {Path('/').owner()}, group ")


def test_warnings_come_once_in_a_while(saving: ScanSaving, caplog: pytest.LogCaptureFixture) -> None:
    saving.warn_free_mb = 1e12
    saving.base_path = "/dev/shm/bliss_like of a test" if Path("/dev/shm").is_dir() else "/tmp/bliss_like of a test"
    for _ in range(3):
        saving._disk._check_room(Path(saving.get_path()), 900)
    assert [record.getMessage().partition("; ")[2] for record in caplog.records] == ["scans are refused below 200 MB"]


def test_files_that_do_not_last_are_told(saving: ScanSaving, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    if not disk.is_volatile(tmp_path):
        pytest.skip("pytest keeps its files elsewhere")
    for _ in range(3):
        saving.check()
    assert [record.getMessage() for record in caplog.records] == [
        f"files below {tmp_path} are gone when the computer starts again: SCAN_SAVING.base_path = ... saves elsewhere"
    ]
    assert not disk.is_volatile(Path("/home/ada"))


def test_a_file_server_that_hangs() -> None:
    goes_on = threading.Event()
    others: list[int] = []
    greenlet = gevent.spawn(others.append, 1)
    with pytest.raises(
        SavingError, match="/far: its file server has not answered within 0.05 s, so nothing was started"
    ):
        disk.look("/far", goes_on.wait, patience=0.05)
    assert greenlet.ready()  # others could run
    with pytest.raises(SavingError, match="/far: its file server still does not answer"):
        disk.look("/far", lambda: 1)
    assert disk.look("/near", lambda: 2) == 2
    goes_on.set()
    gevent.get_hub().threadpool.join()
    assert disk.look("/far", lambda: 3) == 3


# -- numbers -------------------------------------------------------------------------------------------------------------


def test_numbers_in_the_file(saving: ScanSaving) -> None:
    assert saving.last_number_on_disk() == 0
    saving.check()
    assert saving.last_number_on_disk() == 0
    add_scans(saving.filename, "7.2", "12.1", "notes", "99")
    assert saving.last_number_on_disk() == 12
    saving.describe(13)
    assert saving.last_number_on_disk() == 13  # which may not be on disk yet
    add_scans(saving.filename, "13.1")
    assert saving.last_number_on_disk() == 13
    add_scans(saving.filename, "14.1", "20.1")  # by somebody else
    assert saving.last_number_on_disk() == 20


def test_a_file_that_was_replaced(saving: ScanSaving) -> None:
    saving.check()
    add_scans(saving.filename, "12.1")
    assert saving.last_number_on_disk() == 12
    assert saving.filename is not None
    os.rename(saving.filename, saving.filename + ".old")
    assert saving.last_number_on_disk() == 0
    add_scans(saving.filename, "2.1")
    assert saving.last_number_on_disk() == 2


def test_files_have_their_own_numbers(saving: ScanSaving) -> None:
    saving.check()
    add_scans(saving.filename, "12.1")
    assert saving.last_number_on_disk() == 12
    saving.data_filename = "other"
    assert saving.last_number_on_disk() == 0


def test_a_file_that_has_not_changed_is_not_read_again(tmp_path: Path) -> None:
    reads: list[str] = []

    def read_all() -> int:
        reads.append("all")
        return 5

    def has(number: int) -> bool:
        reads.append(f"has {number}")
        return number == 8

    numbers = disk.Numbers(tmp_path, read_all, has)
    for _ in range(3):
        assert numbers.last() == 5
    numbers.take(6)
    numbers.take(4)
    (tmp_path / "6").touch()
    os.utime(tmp_path, ns=(1, 1))
    assert numbers.last() == numbers.last() == 6
    os.utime(tmp_path, ns=(2, 2))
    assert numbers.last(above=7) == 6  # 8 is there, hence all is read again
    assert reads == ["all", "has 7", "has 8", "all"]


def test_a_file_that_a_killed_writer_has_left_half_done(saving: ScanSaving) -> None:
    saving.check()
    path = saving.data_fullpath
    file = GrowingFile.open(path)
    file.h5.create_group("12.1")
    file.h5.attrs["creator"] = "bliss_like"
    file.commit()
    file.close()
    with open(path, "r+b") as raw:
        whole = raw.read(4096)
        journal = Journal(path)  # what was to be written is recorded, and only a part of it is done
        journal.note(length_in(whole), length_in(whole))
        journal.record([(96, whole[96:])])
        journal.close(remove=False)
        raw.seek(96)
        raw.write(bytes(2000))
    assert saving.last_number_on_disk() == 12
    with open(path, "rb") as raw:
        assert raw.read(4096) == whole


NO_FILES = {
    b"": "its scans cannot be read",
    b"SPEC file": "if it is a file of another program, move it away, or change SCAN_S",
}


@pytest.mark.parametrize("content", NO_FILES)
def test_a_file_of_another_program(saving: ScanSaving, content: bytes) -> None:
    saving.check()
    Path(saving.data_fullpath).write_bytes(content)
    with pytest.raises(SavingError, match=NO_FILES[content]):
        saving.last_number_on_disk()


@pytest.mark.parametrize("libver", ["earliest", "latest"])
def test_a_file_of_another_program_that_has_hdf5_inside(libver: str, saving: ScanSaving) -> None:
    saving.check()
    with h5py.File(saving.data_fullpath, "w", libver=libver):
        pass
    assert saving.last_number_on_disk() == 0  # nothing is in it yet
    with h5py.File(saving.data_fullpath, "a", libver=libver) as file:
        file["1.1/title"] = "theirs"
        file.attrs["creator"] = "other"
    with pytest.raises(
        SavingError, match="expected a file of bliss_like, this one was made by other and is left as it is"
    ):
        saving.last_number_on_disk()


def test_numbers_of_images(saving: ScanSaving) -> None:
    saving.check()
    for number in (3, 5):
        os.makedirs(saving.get_images_path(number, "cam"))
    Path(saving.get_images_path(3, "cam"), "cam_0000.h5").touch()
    assert saving.last_number_on_disk() == 3  # of the other there is nothing
    saving.writer = "null"
    assert saving.last_number_on_disk() == 3


def test_images_that_lie_before_the_scans_of_the_file(saving: ScanSaving) -> None:
    saving.check()
    add_scans(saving.filename, "20.1")
    assert saving.last_number_on_disk() == 20
    os.makedirs(saving.get_images_path(21, "cam"))
    Path(saving.get_images_path(21, "cam"), "cam_0000.h5").touch()
    assert saving.last_number_on_disk() == 21


@pytest.mark.parametrize(
    ("template", "directories", "number"),
    [
        ("images/{img_acq_device}/scan{scan_number}", ["images/cam/scan0004"], 0),
        ("images/s{scan_number}_{img_acq_device}", ["images/s0004_cam", "images/s12_x"], 12),
        ("{session}/scan{scan_number}/{img_acq_device}", ["eh1/scan0004/cam", "eh1/scan4x/cam"], 4),
        ("{scan_number}/{scan_number}", ["0004/0004", "x/0005"], 4),
        ("images", ["images"], 0),
    ],
)
def test_templates_of_images(saving: ScanSaving, template: str, directories: list[str], number: int) -> None:
    saving.images_path_template = template
    for directory in directories:
        os.makedirs(os.path.join(saving.get_path(), directory))
        Path(saving.get_path(), directory, "0000.edf").touch()
    assert saving.last_number_on_disk() == number


# -- templates -----------------------------------------------------------------------------------------------------------


def test_functions(saving: ScanSaving, tmp_path: Path) -> None:
    saving.run = 7
    saving.place = lambda scan_saving: f"run{scan_saving.run}"
    saving.template = "{session}/{place}"
    assert saving.get_path() == f"{tmp_path}/eh1/run7"
    assert saving.place == "run7"
    saving.run = 8
    assert saving.get_path() == f"{tmp_path}/eh1/run8"
    with pytest.raises(SessionError, match="nothing is known of 'place'"):
        del saving.place
    assert saving.place == "run8"
    saving.place = "p"  # a value takes its place
    assert saving.get_path() == f"{tmp_path}/eh1/p"
    saving.place = lambda scan_saving: "q"
    saving.reset()
    assert not hasattr(saving, "place")


def _boom(saving: Any) -> str:
    raise ValueError("no proposal")


WRONG: dict[tuple[str, Any], str] = {
    ("template", _boom): "SCAN_SAVING.template: expected a value; a function gets a name of its own",
    ("template", "{f}"): "SCAN_SAVING.template: the function f failed: ValueError: no proposal",
    (
        "template",
        "{a}/{data_filename}",
    ): "SCAN_SAVING.template: nothing is known of 'a' in '{a}/{data_filename}' (known: ",
    ("data_filename", "{template}_x"): "SCAN_SAVING.data_filename: expected the name of a file without '/', came ",
    (
        "data_filename",
        "{data_filename}",
    ): "SCAN_SAVING.data_filename: templates that need each other: data_filename -> ",
    ("data_filename", " "): "SCAN_SAVING.data_filename: expected the name of a file without '/', came ' '",
    ("data_filename", ".."): "SCAN_SAVING.data_filename: expected the name of a file without '/', came '..'",
    ("data_filename", "a\nb"): r"SCAN_SAVING.data_filename: 'a\nb' has the character '\n', which has no place in the",
    ("data_filename", "x" * 244): f"SCAN_SAVING.data_filename: '{'x' * 40}'... has 244 bytes, too many for a file that",
    ("base_path", "/data/\udc80"): r"SCAN_SAVING.base_path: '\udc80' has characters that no file name can have",
    ("template", "x" * 256): f"SCAN_SAVING.template: '{'x' * 40}'... has 256 bytes, the name of a file 255 at most",
    ("template", "\udc80"): r"SCAN_SAVING.template: '\udc80' has characters that no file name can have",
    ("writer", "hdf5"): "SCAN_SAVING.writer: expected one of nexus, null, came 'hdf5', BLISS' 'hdf5' is 'nexus' here",
    ("writer_options", 3): "SCAN_SAVING.writer_options: input should be a valid dictionary, came 3",
    ("min_free_mb", "some"): "SCAN_SAVING.min_free_mb: input should be a valid number",
    ("directory_mode", "070"): "SCAN_SAVING.directory_mode: expected permissions in octal that let their owner in",
    ("scan_number_format", "%d %d"): "SCAN_SAVING.scan_number_format: expected a format of a whole number, as in %04d",
    (
        "policy",
        "esrf",
    ): "SCAN_SAVING.policy: the data policy 'basic' of the session says it; change `scan_saving` in the",
    ("filename", "/data/x.h5"): "SCAN_SAVING.filename is not to be set; base_path and template make it",
    ("date", "1st"): "SCAN_SAVING.date is today; date_format says how it is written",
}


@pytest.mark.parametrize(("name", "value"), list(WRONG))
def test_wrong_values_are_refused(saving: ScanSaving, name: str, value: Any) -> None:
    saving.f = _boom
    before = saving.get()
    with pytest.raises(SessionError) as raised:
        setattr(saving, name, value)
    assert str(raised.value).startswith(WRONG[name, value])
    assert saving.get() == before


@pytest.mark.parametrize(
    "options, message",
    [
        ({"compression": "lz4"}, "expected a compression of auto, none, gzip, bitshuffle, came 'lz4'"),
        ({"compresion": "gzip"}, "expected 'compression', came 'compresion'"),
    ],
)
def test_options_that_the_format_does_not_know_are_refused(
    saving: ScanSaving, options: dict[str, str], message: str
) -> None:
    with pytest.raises(SessionError, match=f"^SCAN_SAVING.writer_options: {message}$"):
        saving.writer_options = options
    assert saving.writer_options == {}
    saving.writer = None
    saving.writer_options = options  # no format, nobody who could know them
    with pytest.raises(SessionError, match=f"^SCAN_SAVING.writer_options: {message}$"):
        saving.writer = "nexus"


def test_templates_that_need_each_other(saving: ScanSaving) -> None:
    saving.a = "x"
    saving.b = "{a}"
    saving.template = "{b}"
    with pytest.raises(SessionError, match="templates that need each other: b -> a -> b; write one of them without"):
        saving.a = "{b}"
    assert saving.get_path().endswith("/x")
