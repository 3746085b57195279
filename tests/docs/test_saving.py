"""The pages on saving: SCAN_SAVING at the prompt, proposals, and a policy of one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import Session, current_session, load_session
from tests.docs.blocks import PROJECT, blocks_of, write_files

PAGE, OWN = "docs/saving.md", "docs/how-to/data-policy.md"

Open = Callable[[str], Session]


@pytest.fixture
def open_session(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens the session `eh1` with this `scan_saving`."""
    monkeypatch.chdir(short_directory)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory / "home"))
    monkeypatch.setenv("LOGNAME", "ada")

    def opened(saving: str) -> Session:
        Path("config").mkdir()
        Path("config/eh1.yml").write_text(saving if "name:" in saving else f"name: eh1\nclass: Session\n{saving}")
        session = load_session("eh1", get_config("config"))
        assert session.setup(tree=Tree(MemoryStore())), session.error_report
        return session

    yield opened
    if current_session:
        current_session.close()
    get_config().close()


def test_the_prompt(open_session: Open, capsys: pytest.CaptureFixture[str]) -> None:
    yaml, _ = blocks_of(PAGE, "yaml")
    names = open_session(yaml + "  date_format: today\n").env_dict
    saving = names["SCAN_SAVING"]
    assert saving.data_fullpath == "/data/eh1/eh1/ada/today/data.h5"
    changes, functions, _ = blocks_of(PAGE, "python")
    saving.writer = "nexus"
    exec(changes, names)
    assert capsys.readouterr().out == "/tmp/mine/eh1/ruby/ruby_today.h5\n"
    assert saving.get_path() == "/data/eh1/eh1/ada/today"
    exec(functions, names)
    assert saving.get_path() == "/data/eh1/eh1/night/run012"


def test_keys_and_their_defaults(open_session: Open) -> None:
    saving = open_session("").scan_saving
    rows = [line.split(" | ") for line in (PROJECT / PAGE).read_text().splitlines() if line.startswith("| `")]
    told = {row[0].strip("| `"): row[1].strip("`") for row in rows if len(row) == 3}
    of_tests = {"base_path": "~/bliss_like_data", "writer": "nexus", "directory_mode": "as the umask says"}
    assert told == {key: str(value) for key, value in {**saving.fields, **of_tests}.items()}


def test_proposals(open_session: Open, short_directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, yaml = blocks_of(PAGE, "yaml")
    session = open_session(yaml.replace(": /data", f": {short_directory}/data") + "  writer: nexus\n")
    exec(blocks_of(PAGE, "python")[2], session.env_dict)
    lines = [line.replace(str(short_directory), "") for line in capsys.readouterr().out.splitlines()]
    day = session.scan_saving.proposal_session_name
    shown = [line.strip().replace("20261120", day) for line in (PROJECT / PAGE).read_text().splitlines()]
    told = [line for line in shown if line.startswith(("'LiFePO4", "proposal ma1234", "files go to"))]
    assert lines[2] == "'MA-1234' is written 'ma1234' in paths" or lines[0] == "'MA-1234' is written 'ma1234' in paths"
    at = lines.index(told[0])
    assert lines[at : at + 3] == told


def test_a_policy_of_your_own(short_directory: Path) -> None:
    write_files(OWN, short_directory)
    lines = [line.strip() for line in (PROJECT / OWN).read_text().splitlines()]
    (entry_point,) = [line for line in lines if line.startswith("runs = lab_policy")]
    (saving,) = [line for line in lines if line.startswith("scan_saving: {policy: runs")]
    metadata = short_directory / "lab-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[bliss_like.data_policies]\n{entry_point}\n")
    config = short_directory / "config"
    config.mkdir()
    (config / "__init__.yml").write_text(saving.replace("d3", f"d3, base_path: {short_directory}/data"))
    (config / "eh1.yml").write_text("name: eh1\nclass: Session\n")
    (config / "eh2.yml").write_text("name: eh2\nclass: Session\nscan_saving: {policy: runs, instrment: d3}\n")
    program = """
from pathlib import Path
from bliss_like.config import get_config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import load_session
session = load_session("eh1", get_config("config"))
assert session.setup(tree=Tree(MemoryStore())), session.error_report
names = session.env_dict
names["SCAN_SAVING"].check()
print(names["SCAN_SAVING"].get_path())
names["newsample"]("ruby #1")
names["newdataset"]()
print(names["SCAN_SAVING"].describe(3)["dataset"], names["SAMPLE"].name)
print(*(problem for problem in get_config().check()), sep="\\n")
session.close()
"""
    path = os.pathsep.join([str(short_directory), str(PROJECT)])
    environment = {**os.environ, "PYTHONPATH": path, "BLISS_LIKE_HOME": str(short_directory / "home")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=short_directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    data = f"{short_directory}/data/d3"
    first, *verbs, described, problem = done.stdout.splitlines()
    assert first == f"{data}/no_sample/run001"
    assert verbs[1::2] == [f"files go to {data}/ruby_1/run001", f"files go to {data}/ruby_1/run002"]
    dataset = {"sample": "ruby_1", "dataset": "run002", "path": f"{data}/ruby_1/run002"}
    assert described == f"{dataset} ruby #1"
    assert "scan_saving: unknown key 'instrment', did you mean 'instrument'?" in problem
