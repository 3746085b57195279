"""`bliss-like scans` as people type it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from bliss_like.data import catalogue
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.shell.main import main
from tests.publishing import PublishedScan
from tests.saved_files import save
from tests.unit.data.test_catalogue import enter, info


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path))
    monkeypatch.setenv("COLUMNS", "80")
    return tmp_path


def scans(*words: str) -> int:
    return main(["scans", *words])


def test_the_newest_are_listed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(1, 31):
        enter(root, number)
    assert scans() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["#", "started", "took", "session", "sample", "title"]
    assert [line.split()[0] for line in lines[1:-1]] == [str(number) for number in range(30, 10, -1)]
    assert lines[-1] == "10 more, older ones: --limit 30"
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("words", [["show", "3", "--all"], ["show", "--all", "3"], ["--all", "show", "3"]])
def test_words_and_options_in_any_order(root: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    enter(root, 3)
    assert scans(*words) == 0
    assert "\nmetadata\n" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        scans(*words, "--every")
    assert "unrecognized arguments: --every" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["ascan", "roby"], [3, 2, 1]),
        (["--where", "technique.energy>7.15"], [3, 2]),
        (["--where", "technique.energy>7.15", "--where", "technique.mode=fluo"], [3]),
        (["--motor", "rob*", "--counter", "diode", "--limit", "1"], [3]),
        (["--session", "eh1", "--session", "eh2", "--sample", "sample1"], [3, 1]),
        (["--since", "2026-11-20T12:02+00:00", "--until", "2026-11-20T12:02:30+00:00", "--state", "DONE"], [2]),
    ],
    ids=str,
)
def test_what_is_asked_for(
    root: Path, capsys: pytest.CaptureFixture[str], words: Sequence[str], numbers: Sequence[int]
) -> None:
    for number in (1, 2, 3):
        enter(root, number)
    assert scans("--json", *words) == 0
    assert [json.loads(line)["number"] for line in capsys.readouterr().out.splitlines()] == numbers


def test_one_scan_is_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    positioners = {"positioners_start": {f"axis{number}": 0.5 for number in range(50)}}
    channels = {"axis:roby": {"dtype": "float64", "unit": "mm"}, "cam:image": {"dtype": "uint16", "dim": 2}}
    enter(root, 3, positioners=positioners, channels=channels)
    assert scans("show", "3") == 0
    shown = capsys.readouterr().out
    assert f"file {root}/data.h5::/3.1" in " ".join(shown.split())  # a long path has a line of its own
    for line in (
        "scan      3 ascan roby 0 3 10 0.1",
        "  axis:roby  float64 mm",
        "  cam:image  uint16 image",
        "  technique.energy = 7.3",
        "  positioners: 38 more lines with --all",
    ):
        assert line in shown.splitlines()
    assert scans("show", "3_ascan", "--all") == 0
    assert "positioners.positioners_start.axis49 = 0.5" in capsys.readouterr().out
    assert scans("show", "3", "--json") == 0
    assert json.loads(capsys.readouterr().out)["info"]["positioners"] == positioners


def test_what_cannot_be_found(root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    enter(root, 1)
    for words, message in (
        (["nothing"], "bliss-like scans: no scan found"),
        (["--motor", "robx"], "bliss-like scans: no scan found: none has used 'robx' as one of its motors; did you mean 'roby'?"),
        (["--where", "energy>7"], "bliss-like: no scan of the catalogue has a key 'energy'; did you mean 'technique.energy'?"),
        (["show", "12"], "bliss-like: no scan '12' in the catalogue; the newest is scan 1, ascan roby 0 1 10 0.1, of session eh1"),
    ):  # fmt: skip
        assert scans(*words) == 1
        assert capsys.readouterr().err.strip() == message
    monkeypatch.delenv(catalogue.VARIABLE)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(root / "home"))
    assert scans() == 1
    assert "no catalogue is known here yet" in capsys.readouterr().err


def test_the_index_is_made_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree = Tree(MemoryStore())
    scan = PublishedScan(tree, "ascan", info=info(1)).prepare().emit(np.arange(3.0)).end()
    save(tree.store, scan.path, root / "one.h5")
    enter(root, 7)
    assert scans("--rebuild") == 0
    assert capsys.readouterr().out == f"{root}: 1 scan of 1 file, 1 taken out that no file has\n"
    (root / "two.h5").write_text("no HDF5")
    assert scans("--rebuild", str(root)) == 1
    assert "two.h5" in capsys.readouterr().err
    assert [record.number for record in catalogue.last()] == [1]


def test_nothing_heavy_is_imported(root: Path) -> None:
    enter(root, 1)
    code = "import sys; from bliss_like.shell.main import main; main(['scans']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "ascan roby" in done.stdout
    assert not {"gevent", "redis", "h5py", "pydantic", "pandas"} & set(done.stderr.split())
