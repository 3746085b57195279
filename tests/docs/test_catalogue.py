"""What the page about the catalogue shows, on files of scans."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bliss_like.data import catalogue
from bliss_like.data.catalogue_rebuild import rebuild
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.shell.main import make_parser
from tests.docs.blocks import blocks_of
from tests.publishing import PublishedScan
from tests.saved_files import save
from tests.unit.data.test_catalogue import info

PAGE = "docs/catalogue.md"


@pytest.fixture
def saved_scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path))
    tree = Tree(MemoryStore())
    for number in range(1, 5):
        positioners = {"positioners_start": {"robz": float(number % 3)}}
        scan = PublishedScan(tree, "ascan", info=info(number, positioners=positioners) | {"state": "PREPARING"})
        scan.prepare().emit(np.arange(3.0)).end()
        save(tree.store, scan.path, tmp_path / "data.h5")
    rebuild(tmp_path)


def test_the_code(saved_scans: None, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = blocks_of(PAGE, "python")
    names: dict[str, Any] = {}
    exec(first, names)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "3 ascan roby 0 4 10 0.1 ascan roby 0 2 10 0.1"
    assert lines[4] == "1.0 7.4"
    exec(second, names)
    assert (
        capsys.readouterr().out
        == "scan 3, ascan roby 0 3 10 0.1, of session eh1\nscan 1, ascan roby 0 1 10 0.1, of session eh1\n"
    )


def test_the_commands() -> None:
    (text,) = blocks_of(PAGE, "text")
    commands = [re.sub(r"\s+#.*", "", line) for line in text.splitlines()]
    assert len(commands) == 6
    for command in commands:
        words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", command)][1:]
        assert make_parser().parse_args(words).command == "scans"
