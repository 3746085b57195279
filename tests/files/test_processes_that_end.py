"""The end of a process, or of all who had a file, leaves the last commit, and nothing on the screen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import h5py

from bliss_like.hdf5 import GrowingFile

PROJECT = Path(__file__).parents[2]

ENDING = """
import builtins, os, sys
from bliss_like.hdf5 import GrowingFile

file = GrowingFile.open(sys.argv[1])
builtins.kept = file  # to the end, and beyond
data = file.make_dataset(file.h5, "data", float)
file.append(data, [1.0, 2.0])
file.commit()
file.append(data, [3.0])
file.h5.attrs["text"] = "never committed"
data.write()
if (child := os.fork()) == 0:
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
assert os.path.exists(os.path.join(os.path.dirname(file.path), ".a.h5.journal")), "a child has given the file free"
"""


def test_an_interpreter_ends_with_an_open_file(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    done = subprocess.run([sys.executable, "-c", ENDING, str(path)], cwd=PROJECT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert os.listdir(tmp_path) == ["a.h5"]
    with h5py.File(path) as h5:
        assert h5["data"][()].tolist() == [1, 2] and not h5.attrs


def test_a_file_that_nobody_has_any_more_is_free(tmp_path: Path) -> None:
    file = GrowingFile.open(str(tmp_path / "a.h5"))
    file.h5.attrs["text"] = "never committed"
    del file
    assert os.listdir(tmp_path) == ["a.h5"]
    with GrowingFile.open(str(tmp_path / "a.h5")) as again:
        assert not again.h5.attrs
