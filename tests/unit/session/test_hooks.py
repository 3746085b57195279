"""What users want to be called: in their order, told of the right moments, and harmless when they fail."""

from __future__ import annotations

from typing import Any

import gevent
import pytest

from bliss_like.data.tree import Tree
from bliss_like.errors import SessionError
from bliss_like.session import Session, current_session
from bliss_like.session.hooks import DataPolicyHooks, HookRegistry, ScanQueueHooks, SessionHooks
from tests.places import data_of_test

from .conftest import MakeSession


class Noting(ScanQueueHooks, SessionHooks):
    def __init__(self, notes: list[Any], name: str = "") -> None:
        self.notes = notes
        self.name = name

    def scan_launched(self, scan: Any) -> None:
        self.notes.append((self.name + "launched", scan.name, scan.state.name, bool(scan.path)))

    def scan_finalized(self, scan: Any) -> None:
        self.notes.append((self.name + "finalized", scan.name, scan.state.name, bool(scan.node)))

    def setup(self, session: Session) -> None:
        self.notes.append((self.name + "setup", session.is_active, "robx" in session.env_dict))

    def close(self, session: Session) -> None:
        self.notes.append((self.name + "close", session.is_active, "robx" in session.env_dict))


class Failing(Noting):
    def scan_launched(self, scan: Any) -> None:
        raise RuntimeError("no bell")

    def scan_finalized(self, scan: Any) -> None:
        raise gevent.Timeout(3)

    def setup(self, session: Session) -> None:
        raise RuntimeError("no bell")

    close = setup


def test_scans(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode]")
    session.setup(tree=tree)
    notes: list[Any] = []
    for name in ("a ", "b "):
        session.hooks.scan_queue.register(Noting(notes, name))
    session.env_dict["loopscan"](1, 0, session.env_dict["diode"])
    launched, finalized = ("launched", "loopscan", "PREPARING", True), ("finalized", "loopscan", "DONE", True)
    assert notes == [(name + what[0], *what[1:]) for what in (launched, finalized) for name in ("a ", "b ")]


def test_a_scan_that_fails_is_finalized_too(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode]")
    session.setup(tree=tree)
    notes: list[Any] = []
    session.hooks.scan_queue.register(Noting(notes))

    def fail(value: float) -> float:
        raise ValueError("no light")

    session.env_dict["diode"].conversion_function = fail
    with pytest.raises(ValueError, match="no light"):
        session.env_dict["ct"](0, session.env_dict["diode"])
    assert [note[:3] for note in notes] == [("launched", "ct", "PREPARING"), ("finalized", "ct", "KILLED")]


def test_a_hook_that_fails_is_told_and_hurts_nothing(
    make_session: MakeSession, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    session = make_session("config-objects: [diode]")
    notes: list[Any] = []
    for registry in (session.hooks.scan_queue, session.hooks.session):
        registry.register(Failing(notes))
        registry.register(Noting(notes))
    assert session.setup(tree=tree) is True
    scan = session.env_dict["ct"](0, session.env_dict["diode"])
    assert scan.state.name == "DONE"
    session.close()
    assert [note[0] for note in notes] == ["setup", "launched", "finalized", "close"]
    first, *_ = caplog.messages
    assert first.startswith("tests/unit/session/test_hooks.py:") or "/test_hooks.py:" in first
    assert first.endswith(": hook Failing.setup: RuntimeError: no bell")
    assert [message.partition("hook ")[2] for message in caplog.messages] == [
        "Failing.setup: RuntimeError: no bell",
        "Failing.scan_launched: RuntimeError: no bell",
        "Failing.scan_finalized: Timeout: 3 seconds",
        "Failing.close: RuntimeError: no bell",
    ]


class NotingData(DataPolicyHooks):
    def __init__(self, notes: list[Any]) -> None:
        self.notes = notes

    def before_dataset_close(self, dataset: str) -> None:
        self.notes.append(("before", dataset, current_session.scan_saving.get_path()))

    def after_dataset_close(self, dataset: str) -> None:
        self.notes.append(("after", dataset, current_session.scan_saving.get_path()))


def test_where_files_go(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    session.setup(tree=tree)
    notes: list[Any] = []
    session.hooks.data_policy.register(NotingData(notes))
    saving = session.scan_saving
    saving.sample = "ruby"  # nothing goes elsewhere by that
    saving.template = "{session}/{sample}"
    with pytest.raises(SessionError):
        saving.template = "{nothing}"
    saving.reset()
    old, new = f"{data_of_test()}/s", f"{data_of_test()}/s/ruby"
    assert notes == [("before", old, old), ("after", old, new), ("before", new, new), ("after", new, old)]


def test_session_hooks(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [robx]")
    notes: list[Any] = []
    session.hooks.session.register(Noting(notes))
    for _ in range(2):  # what is registered before the setup stays registered
        session.setup(tree=tree)
        session.close()
    assert notes == [("setup", True, True), ("close", True, True)] * 2


def test_hooks_of_a_setup_file_go_with_the_session(make_session: MakeSession, tree: Tree) -> None:
    setup = """
    from bliss_like.session.hooks import ScanQueueHooks

    class Beep(ScanQueueHooks):
        pass

    current_session.hooks.scan_queue.register(Beep())
    """
    session = make_session("setup-file: ./s_setup.py", setup=setup)
    for _ in range(2):
        assert session.setup(tree=tree), session.error_report
        assert len(session.hooks.scan_queue) == 1
        session.close()
    assert len(session.hooks.scan_queue) == 0


def test_register_and_unregister() -> None:
    registry = HookRegistry(DataPolicyHooks)
    hook = DataPolicyHooks()
    registry.register(hook)
    registry.register(hook)
    assert list(registry) == [hook]
    assert repr(registry).startswith("<HookRegistry of DataPolicyHooks: <bliss_like.session.hooks.DataPolicyHooks obj")
    registry.unregister(hook)
    with pytest.raises(ValueError, match="is not registered; these are: none"):
        registry.unregister(hook)
    with pytest.raises(TypeError, match="expected an object of a class derived from DataPolicyHooks, came 5"):
        registry.register(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="came the class DataPolicyHooks: make an object of it"):
        registry.register(DataPolicyHooks)  # type: ignore[arg-type]
