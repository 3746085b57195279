"""Where exported files go: all or nothing, whatever is in the way."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bliss_like.errors import ExportError
from bliss_like.exporters import feed, make_exporter, target_of
from bliss_like.exporters.target import DryRun, Files, Memory, Stream
from tests.exporting import all_kinds, some_masters

FULL = """
import resource, signal, sys, warnings
warnings.simplefilter("ignore")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from bliss_like.exporters import feed, make_exporter, target_of
from tests.exporting import all_kinds
target, template = target_of(sys.argv[1])
exporter = make_exporter(sys.argv[2], target, template)
resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))
feed(exporter, target, all_kinds().events())
"""


def files_below(directory: Path) -> list[str]:
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*"))


def test_files_appear_at_the_end_and_under_their_names(tmp_path: Path) -> None:
    target = Files(tmp_path / "new" / "directory")
    with target.create("a/b.txt") as file:
        file.write(b"abc")
    open_one = target.create("c.txt")
    open_one.write(b"defg")
    assert all(name.endswith(".part.txt") for name in files_below(tmp_path) if "." in name)
    target.commit()
    assert (tmp_path / "new/directory/a/b.txt").read_bytes() == b"abc"
    assert target.sizes == {str(tmp_path / "new/directory/a/b.txt"): 3, str(tmp_path / "new/directory/c.txt"): 4}


def test_nothing_is_left_of_what_was_abandoned(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target = Files(tmp_path / "there" / "new")
    target.create("a/b/c.txt").write(b"abc")
    target.abandon()
    assert files_below(tmp_path) == ["there"]


def test_a_name_that_another_program_takes_meanwhile(tmp_path: Path) -> None:
    target = Files(tmp_path)
    for name in "ab":
        target.create(name).write(b"ours")
    (tmp_path / "b").write_text("theirs")
    with pytest.raises(ExportError, match="b: another program has written it meanwhile"):
        target.commit()
    target.abandon()
    assert files_below(tmp_path) == ["b"] and (tmp_path / "b").read_text() == "theirs"


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: object, target: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    target = Files(tmp_path)
    target.create("a").write(b"abc")
    target.commit()
    assert files_below(tmp_path) == ["a"] and (tmp_path / "a").read_bytes() == b"abc"


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "", "a/", "nul\0"])
def test_names_lead_nowhere_else(name: str, tmp_path: Path) -> None:
    for target in (Files(tmp_path), Memory(), DryRun(tmp_path)):
        with pytest.raises(ExportError, match="expected one below the output directory"):
            target.create(name)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_directory_is_never_replaced(tmp_path: Path, overwrite: bool) -> None:
    (tmp_path / "x").mkdir()
    with pytest.raises(ExportError, match="is there already|a directory has this name"):
        Files(tmp_path, overwrite).create("x")


def test_a_broken_link_is_something(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("nowhere")
    with pytest.raises(ExportError, match="is there already"):
        Files(tmp_path).create("x")


@pytest.mark.real_time
@pytest.mark.parametrize("format", ["csv", "parquet", "tiff", "jsonl", "nexus"])
def test_a_full_disk(format: str, tmp_path: Path) -> None:
    place = tmp_path / "new"
    done = subprocess.run([sys.executable, "-c", FULL, f"{place}/", format], capture_output=True, text=True)
    assert f"ExportError: {place}: cannot be written: File too large; nothing was left there" in done.stderr
    assert files_below(tmp_path) == []


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for dry_run in (False, True):
        target, template = target_of(f"{tmp_path}/file/below/", dry_run=dry_run)
        with pytest.raises(ExportError, match="cannot be written"):
            feed(make_exporter("jsonl", target, template), target, all_kinds().events())
    assert files_below(tmp_path) == ["file"]


def test_the_name_of_a_file_is_a_template(tmp_path: Path) -> None:
    target, template = target_of(f"{tmp_path}/{{sample}}/{{scan_nb}}.txt")
    feed(make_exporter("jsonl", target, template), target, all_kinds().events())
    assert files_below(tmp_path) == ["Fe_foil", "Fe_foil/12.txt"]
    with pytest.raises(ExportError, match="that names a file, and the template"):
        target_of(tmp_path / "x.csv", "{scan_nb}")


def test_a_stream_is_left_open() -> None:
    file = io.BytesIO()
    target = Stream(file)
    with target.create("x") as part:
        part.write(b"abc")
    assert file.getvalue() == b"abc"
    with pytest.raises(ExportError, match="room for one file, y is another"):
        target.create("y")
    target.commit()
    assert not file.closed


def test_what_needs_to_go_back_comes_at_the_end() -> None:
    file = io.BytesIO()
    target = Stream(file)
    part = target.create("x", seek=True)
    part.write(b"abc")
    part.seek(0)
    part.write(b"A")
    assert file.getvalue() == b""
    target.commit()
    assert file.getvalue() == b"Abc"


def test_several_scans_need_several_names(tmp_path: Path) -> None:
    target, template = target_of(tmp_path, "{session}")
    events = [*all_kinds().events(), *some_masters().events()]
    with pytest.raises(ExportError, match=r"eh1.parquet: two files would have this name; .*{scan_nb}"):
        feed(make_exporter("parquet", target, template), target, events)
    assert files_below(tmp_path) == []
