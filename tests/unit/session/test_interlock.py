"""One session at a time drives an axis or a detector: what is claimed, for how long, and who is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from bliss_like.config.lock_space import LockSpace
from bliss_like.config.locks import lock, lslock
from bliss_like.data.key_store import Command
from bliss_like.data.tree import Tree
from bliss_like.devices.axis_group import move
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import AlreadyLockedDevices, AxisStopped, DeviceError, StoreUnavailable
from bliss_like.scanning.scan import ScanState
from bliss_like.session import Session
from bliss_like.session import sharing as session_sharing

from .conftest import MakeSession

OBJECTS = """
- name: slow_motors
  class: SimulatedMotors
  axes: [{name: slow, velocity: 10, acceleration: 100}, {name: stuck, fault: start}]
- name: common_motors
  class: SimulatedMotors
  interlock: false
  axes: [{name: common}, {name: own, interlock: true}]
- {name: camera, class: SimulatedCamera, width: 4, height: 4}
- {name: watched, class: SimulatedDiodes, interlock: true, counters: [{name: watched_diode}]}
"""


@pytest.fixture
def other(tree: Tree) -> Iterator[LockSpace]:
    """Another session, on another host as far as anybody can tell."""
    other = LockSpace(tree.store.keys, "", "eh2")
    yield other
    other.close()


@pytest.fixture
def session(make_session: MakeSession, tree: Tree, tmp_path: Path) -> Session:
    session = make_session('config-objects: ["*"]', objects=OBJECTS)
    assert session.setup(tree=tree), session.error_report
    session.scan_saving.base_path = tmp_path / "data"
    return session


def claimed() -> dict[str, str]:
    """What is claimed now, and what for; without the session itself."""
    return {holder.name: holder.purpose for holder in lslock() if not holder.name.startswith("session:")}


def until_free() -> None:
    with gevent.Timeout(30):
        while claimed():
            gevent.sleep(0.001)


def test_a_move_claims_its_axes_while_it_lasts(session: Session) -> None:
    names = session.env_dict
    names["slow"].move(1000, wait=False)
    move(names["robx"], 2)
    assert claimed().pop("slow") == "moving slow to 1000"
    assert names["slow"].is_moving
    names["slow"].stop()
    until_free()


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_given_back_when_it_is_stopped(session: Session, end: str) -> None:
    slow = session.env_dict["slow"]
    mover = gevent.spawn(slow.move, 1000)
    mover.join(0.02)
    assert "slow" in claimed()
    if end == "stop":
        slow.stop()
        with pytest.raises(AxisStopped):
            mover.get()
    else:
        mover.kill()
    until_free()


def test_given_back_when_it_fails(session: Session) -> None:
    with pytest.raises(DeviceError, match="simulated fault"):
        session.env_dict["stuck"].move(1)
    until_free()


def test_refused_before_anything_moves(session: Session, other: LockSpace) -> None:
    names = session.env_dict
    other.acquire(["roby"], purpose="ascan roby 0 1 10 0.1")
    with pytest.raises(AlreadyLockedDevices) as raised:
        move(names["robx"], 1, names["roby"], 1)
    message = str(raised.value)
    assert message.startswith("roby is in use by session eh2 (pid ")
    assert ": ascan roby 0 1 10 0.1; wait, or end it there; to share roby between sessions, " in message
    assert "write `interlock: false` for it in " in message and message.endswith("config/objects.yml")
    assert (names["robx"].position, names["roby"].position) == (0, 0)
    assert set(claimed()) == {"roby"}
    names["robx"].move(1)


def test_a_stop_is_never_refused(session: Session, other: LockSpace) -> None:
    slow = session.env_dict["slow"]
    slow.move(1000, wait=False)
    other.force(["slow"])
    other.acquire(["slow"], timeout=0)
    slow.stop()
    assert not slow.is_moving and 0 < slow.position < 1000


def test_a_scan_claims_once_all_that_it_drives(session: Session, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    names = session.env_dict
    asked = count_requests(tree, monkeypatch)
    scan = names["ascan"](names["robx"], 0, 1, 20, 0, names["camera"], names["diode"], run=False)
    during: dict[str, str] = {}
    scan.acq_chain.nodes_list[-1].start = lambda: during.update(claimed())  # type: ignore[method-assign]
    scan.run()
    assert during == {"robx": "ascan robx 0 1 20 0", "camera": "ascan robx 0 1 20 0"}
    until_free()
    assert sum(command[0] == "SET" and ":lock:" in str(command[1]) for command in asked) == 2


def test_a_refused_scan_has_not_begun(session: Session, other: LockSpace) -> None:
    names = session.env_dict
    others = other.acquire(["camera"], purpose="ct")
    scan = names["dscan"](names["robx"], -1, 1, 2, 0, names["camera"], run=False)
    with pytest.raises(AlreadyLockedDevices, match="^camera is in use by session eh2") as refused:
        scan.run()
    assert refused.value.__notes__ == ["(scan dscan)"]
    assert scan.state is ScanState.KILLED and scan.path == "" and names["robx"].position == 0
    assert set(claimed()) == {"camera"}
    other.release(others)
    again = names["dscan"](names["robx"], -1, 1, 2, 0, names["camera"])
    assert (again.state, again.scan_number) == (ScanState.DONE, 1)  # the refused one has taken no number


def test_a_refused_scan_ends_its_sequence(session: Session, other: LockSpace) -> None:
    names = session.env_dict
    others = other.acquire(["robx"])
    sequence = names["Sequence"]()
    with pytest.raises(AlreadyLockedDevices), sequence.sequence_context() as context:
        context.add_and_run(names["ascan"](names["robx"], 0, 1, 2, 0, names["diode"], run=False))
    assert sequence.state is ScanState.KILLED
    other.release(others)


@pytest.mark.parametrize("failure", [RuntimeError("broken"), KeyboardInterrupt()], ids=["error", "Ctrl-C"])
def test_given_back_however_a_scan_ends(session: Session, failure: BaseException) -> None:
    names = session.env_dict
    scan = names["ascan"](names["robx"], 0, 1, 2, 0, names["diode"], run=False)

    def fail() -> None:
        raise failure

    scan.acq_chain.nodes_list[-1].start = fail
    with pytest.raises(type(failure)):
        scan.run()
    until_free()


def test_what_is_only_read_is_not_claimed(session: Session, other: LockSpace) -> None:
    other.acquire(["diodes", "robx"])
    session.env_dict["ct"](0, session.env_dict["diode"])
    assert session.env_dict["robx"].position == 0


def test_the_configuration_decides(session: Session, other: LockSpace) -> None:
    names = session.env_dict
    other.acquire(["common", "own", "watched"])
    names["common"].move(1)
    with pytest.raises(AlreadyLockedDevices, match=r"^own is in use .* for it in .*/more.yml$"):
        names["own"].move(1)
    with pytest.raises(AlreadyLockedDevices, match="^watched is in use"):
        names["ct"](0, names["watched_diode"])


def test_a_session_that_does_not_ask(make_session: MakeSession, tree: Tree, other: LockSpace) -> None:
    session = make_session("config-objects: [robx]\ninterlock: false")
    assert session.setup(tree=tree), session.error_report
    other.acquire(["robx"])
    session.env_dict["robx"].move(1)
    assert session.env_dict["robx"].position == 1


def test_what_is_not_in_the_configuration_is_ones_own(session: Session, other: LockSpace) -> None:
    other.acquire(["energy", "mono"])
    SoftAxis("energy", type("Mono", (), {"position": 0.0})(), move="position").move(1)


def test_a_lock_keeps_others_from_moving_and_not_oneself(session: Session, other: LockSpace) -> None:
    robx = session.env_dict["robx"]
    with lock(robx, owner="alignment"):
        robx.move(1)
        assert set(claimed()) == {"robx"}
    others = other.acquire(["robx"], purpose="lock")
    with pytest.raises(AlreadyLockedDevices, match=r"since .*: lock; wait, .*: force_unlock\('robx'\)$"):
        robx.move(2)
    other.release(others)
    robx.move(2)


def test_many_greenlets_of_one_session(session: Session) -> None:
    names = session.env_dict

    def work(axis: Any) -> None:
        for position in range(20):
            axis.move(position)

    workers = [gevent.spawn(work, names[name]) for name in ("robx", "roby", "own")]
    gevent.joinall(workers, timeout=30, raise_error=True)
    assert all(worker.successful() for worker in workers)
    until_free()


def test_a_server_that_does_not_answer_stops_nobody(
    session: Session, tree: Tree, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    robx = session.env_dict["robx"]
    run = tree.store.keys.run

    def no_answer(*commands: Command, **_: Any) -> Any:
        raise StoreUnavailable("no answer")

    with monkeypatch.context() as outage, caplog.at_level(logging.WARNING):
        outage.setattr(tree.store.keys, "run", no_answer)
        for position in (1, 2, 3):
            robx.move(position)
    assert tree.store.keys.run == run
    warnings = [message for message in caplog.messages if message.startswith("robx: not known whether")]
    assert len(warnings) == 1
    monkeypatch.setattr(session_sharing, "RETRY", 0.0)
    assert robx.position == 3


def count_requests(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """Note all commands on small values from now on."""
    asked: list[Command] = []
    run: Callable[..., Any] = tree.store.keys.run

    def noted(*commands: Command, **conditions: Any) -> Any:
        asked.extend(commands)
        return run(*commands, **conditions)

    monkeypatch.setattr(tree.store.keys, "run", noted)
    return asked
