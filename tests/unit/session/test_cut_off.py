"""What a session says of scans that died with the process before it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from bliss_like.data.events import NodeKind
from bliss_like.data.process import this_process
from bliss_like.data.tree import Tree
from bliss_like.session.cut_off import MOST
from tests.publishing import PublishedScan

from .conftest import MakeSession

GONE = {"host": socket.gethostname(), "pid": 2**31 - 1, "save": True}
"""A process that cannot be there: its number is too large."""
DSCAN: dict[str, Any] = {"type": "dscan", "title": "ascan robx -1 1 20 0.1", "npoints": 21}


def die(tree: Tree, length: int, kind: NodeKind = NodeKind.SCAN, **info: Any) -> PublishedScan:
    """Publish a scan of session `s` without an end."""
    scan = PublishedScan(tree, container="s:tmp:scans", kind=kind, info={**GONE, **info}).prepare()
    scan.emit(range(length)).publisher.flush()
    return scan


def told(make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str], keys: str = "") -> list[str]:
    """Return the lines that the next session says of them, and that the one after it says nothing."""
    session = make_session(f"config-objects: [robx, roby]\n{keys}")
    assert session.setup(verbose=True, tree=tree), session.error_report
    lines = [line for line in capsys.readouterr().out.splitlines() if "cut off" in line]
    session.close()
    session.setup(verbose=True, tree=tree)
    assert "cut off" not in capsys.readouterr().out
    return lines


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")


def test_each_is_told_in_its_order(make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    die(tree, 7, title="ascan robx 0 1 9 1", type="ascan", npoints=10, start_timestamp=2.0)
    die(tree, 0, title="loopscan 5 1", type="loopscan", npoints=5, start_timestamp=1.0)
    die(tree, 5, title="ct 1", save=False, npoints=5, start_timestamp=3.0)
    die(tree, 3, NodeKind.SCAN_GROUP, title="all of it", start_timestamp=4.0)
    die(tree, 100, title="timescan 0.1", type="timescan", npoints=0, start_timestamp=5.0)
    die(tree, 3, title="beam", monitoring="beam")
    PublishedScan(tree, container="s:tmp:scans", info=GONE).prepare().emit([1.0]).end()
    assert told(make_session, tree, capsys) == [
        "Scan 2 (loopscan 5 1) was cut off before its first point.",
        "Scan 1 (ascan robx 0 1 9 1) was cut off at 7 of 10 points.",
        "Scan (ct 1) was cut off after its last point.",
        "Sequence 4 (all of it) was cut off at 3 scans.",
        "Scan 5 (timescan 0.1) was cut off at 100 points.",
    ]


def test_the_way_back_of_its_axes(make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    die(tree, 7, NodeKind.SCAN, **DSCAN, restore_positions={"robx": 1.5, "roby": 0.0})
    die(tree, 7, NodeKind.SCAN, **DSCAN, restore_positions={"robx": 0.25, "roby": -2.0, "far": 3.0})
    said = "(dscan: ascan robx -1 1 20 0.1) was cut off at 7 of 21 points; robx stood at"
    first, second = told(make_session, tree, capsys)
    assert first == (
        f"Scan 1 {said} 1.5 before it, it is at 0; roby stood at 0 before it, and is there; mv(robx, 1.5) brings it back."
    )
    assert second == (
        f"Scan 2 {said} 0.25 before it, it is at 0; roby stood at -2 before it, it is at 0; "
        "far stood at 3 before it, and is not in this session; mv(robx, 0.25, roby, -2) brings them back."
    )


def test_an_axis_that_does_not_tell(
    make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    die(tree, 7, NodeKind.SCAN, **DSCAN, restore_positions={"robx": 1.5})

    def silent(*_: object) -> None:
        raise OSError("the crate is off")

    monkeypatch.setattr("bliss_like.controllers.simulated.motors.SimulatedMotors.read_position", silent)
    make_session("config-objects: [robx]").setup(verbose=True, tree=tree)
    assert capsys.readouterr().out.endswith(
        "robx stood at 1.5 before it, where it is now is not known: the crate is off; mv(robx, 1.5) brings it back.\n"
    )


def test_without_a_terminal_it_is_logged_and_told_at_the_next_prompt(
    make_session: MakeSession, tree: Tree, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    die(tree, 7, NodeKind.SCAN, **DSCAN)
    sentence = "Scan 1 (dscan: ascan robx -1 1 20 0.1) was cut off at 7 of 21 points."
    for _ in range(2):
        session = make_session()
        assert session.setup(tree=tree)
        session.close()
    assert caplog.text.count(f"session s: {sentence}") == 1
    assert told(make_session, tree, capsys) == [sentence]


def test_of_many_the_last_are_told(make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(MOST + 5):
        die(tree, 1, title=f"ct {number}", type="ct", start_timestamp=float(number))
    first, *others = told(make_session, tree, capsys)
    assert first == "5 scans before these were cut off, too."
    assert [line.split()[3] for line in others] == [f"{number})" for number in range(5, MOST + 5)]


@pytest.mark.parametrize(
    "info",
    [
        {"restore_positions": "robx"},
        {"restore_positions": {"robx": None, "roby": "far"}},
        {"start_timestamp": "yesterday"},
        {"npoints": "many"},
        {"npoints": float("inf")},
        {"title": None},
    ],
)
def test_an_info_that_is_not_as_expected_is_no_reason_to_be_without_a_session(
    make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str], info: dict[str, Any]
) -> None:
    die(tree, 7, NodeKind.SCAN, **{"title": "mine", **info})
    (line,) = told(make_session, tree, capsys)
    assert line.startswith("Scan 1 (") and line.endswith(") was cut off at 7 points.")


def test_a_scan_says_where_it_brings_its_axes_back_to(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [robx, roby, first_mg]")
    assert session.setup(tree=tree), session.error_report
    names = session.env_dict
    names["mv"](names["robx"], 2)
    around = names["d2scan"](names["robx"], -1, 1, names["roby"], 0, 1, 2, 0)
    assert around.node.structure.scan.info["restore_positions"] == {"robx": 2.0, "roby": 0.0}  # from the first event on
    assert "restore_positions" not in names["ascan"](names["robx"], 0, 1, 2, 0).node.info


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="this system tells only which pids there are")
def test_a_pid_that_another_process_has_now(
    make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str]
) -> None:
    die(tree, 7, title="ascan robx 0 1 9 1", npoints=10, **{**this_process(), "pid_started": 1})
    die(tree, 7, title="one that runs", npoints=10, **this_process())
    assert told(make_session, tree, capsys) == ["Scan 1 (ascan robx 0 1 9 1) was cut off at 7 of 10 points."]
