"""Checksums of a directory, which sha256sum knows."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from bliss_like.data.checksums import MANIFEST, Checked, check_manifest, write_manifest
from bliss_like.errors import DataError

NAMES = ["data.h5", "images/cam 0001.h5", "odd\\name", "two\nlines", "é µ"]


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    for name in NAMES:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"content of {name}")
    (tmp_path / ".catalogue.sqlite").write_text("changes")
    return tmp_path


def test_a_directory_as_it_was(dataset: Path) -> None:
    assert write_manifest(dataset) == len(NAMES)
    assert check_manifest(dataset) == Checked(len(NAMES), (), (), ())


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_sha256sum_reads_it_and_we_read_its(dataset: Path) -> None:
    write_manifest(dataset)
    done = subprocess.run(["sha256sum", "--check", "--strict", MANIFEST], cwd=dataset, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    theirs = subprocess.run(["sha256sum", "--", *NAMES], cwd=dataset, capture_output=True, check=True).stdout
    (dataset / MANIFEST).write_bytes(theirs)
    assert check_manifest(dataset) == Checked(len(NAMES), (), (), ())


def test_what_has_changed(dataset: Path) -> None:
    write_manifest(dataset)
    (dataset / "data.h5").write_text("other content")
    (dataset / "é µ").unlink()
    (dataset / "new").write_text("")
    found = check_manifest(dataset)
    assert found == Checked(len(NAMES) - 2, ("data.h5",), ("é µ",), ("new",)) and not found.is_whole


def test_what_is_no_manifest(dataset: Path) -> None:
    with pytest.raises(DataError, match=f"it has no {MANIFEST} yet"):
        check_manifest(dataset)
    (dataset / MANIFEST).write_text("nonsense\n")
    with pytest.raises(DataError, match=f"{MANIFEST}:1: expected a checksum and a name"):
        check_manifest(dataset)
    with pytest.raises(DataError, match="nowhere: expected a directory"):
        write_manifest(dataset / "nowhere")
