"""Setting a session up and closing it: names, errors, the environment of scans."""

from __future__ import annotations

from typing import Any

import gevent
import pytest
from gevent.event import Event

import bliss_like
from bliss_like import scans
from bliss_like.config import get_config
from bliss_like.data.lifecycle import ScanState
from bliss_like.data.node import get_node
from bliss_like.data.tree import Tree
from bliss_like.errors import ObjectNotFound, SessionError, UserAbort
from bliss_like.scanning.environment import Environment, environment
from bliss_like.scanning.group import Group, Sequence
from bliss_like.scanning.presets import ChainPreset
from bliss_like.session import current_session, load_session
from tests.places import scans_of

from .conftest import MakeSession

BROKEN = """
- {name: lamp, class: SimulatedDiodes, counters: [{name: lamp_diode, nois: 3}]}
- {name: nowhere, class: SimulatedDiods, counters: []}
"""


def test_setup_makes_the_objects_that_are_asked_for(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [robx, diode, first_mg]")
    names: dict[str, Any] = {"mine": 1}
    assert session.setup(names, tree=tree) is True
    assert session.errors == [] and session.error_report == ""
    assert session.env_dict is names
    assert session.object_names == ["robx", "diode", "first_mg"]
    config = get_config()
    assert names["robx"] is config.get("robx")
    assert names["config"] is config
    assert "roby" not in names and "diodes" not in names
    assert names["mine"] == 1


def test_no_config_objects_no_objects(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    assert session.setup(tree=tree) is True
    assert session.object_names == []


def test_patterns_and_exclusions(make_session: MakeSession, tree: Tree) -> None:
    session = make_session('config-objects: ["*"]\nexclude-objects: [diode?, "*_mg"]')
    assert session.setup(tree=tree) is True
    assert session.object_names == ["diode", "mca", "motors", "robx", "roby", "spectrum"]


def test_standard_names(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [first_mg]")
    session.setup(tree=tree)
    names = session.env_dict
    assert {"ct", "loopscan", "ascan", "amesh"} <= set(scans.__all__)
    assert all(names[name] is getattr(scans, name) for name in scans.__all__)
    assert (names["Group"], names["Sequence"]) == (Group, Sequence)
    assert names["config"] is get_config()
    assert names["current_session"] is current_session is bliss_like.current_session
    assert names["SCANS"] is session.scans
    assert names["SCAN_SAVING"] is session.scan_saving
    names["DEFAULT_CHAIN"].add_preset(ChainPreset(), "shutter")
    assert "shutter" in session.default_chain.__info__()
    assert names["ACTIVE_MG"].name == "first_mg"
    assert [holder.name for holder in names["lslock"]()] == ["session:s"]


def test_scans_run_in_the_session(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("setup-file: ./s_setup.py\nconfig-objects: [robx, first_mg]", setup="early = ct(0)")
    assert session.setup(tree=tree), session.error_report
    names = session.env_dict
    scan = names["ascan"](names["robx"], 0, 1, 2, 0)
    assert scan.node.db_name == f"{scans_of('s')}:1_ascan"
    assert session.scans[-1] is scan
    assert names["early"].name == "ct"
    assert list(scan.get_data("diode")) == [5, 5, 5]
    assert set(scan.scan_info["positioners"]["positioners_start"]) == {"robx"}


def test_every_setup_starts_afresh(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode, first_mg]")
    session.setup(tree=tree)
    first = session.default_chain
    session.env_dict["ct"](0)
    session.close()
    session.setup(tree=tree)
    assert session.default_chain is not first
    assert list(session.scans) == []


def test_the_setup_file_runs_among_the_names(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: [robx]",
        setup="from bliss_like import current_session\nseen = robx.name, current_session.name, __file__\n",
    )
    assert session.setup(tree=tree) is True
    *seen, file = session.env_dict["seen"]
    assert seen == ["robx", "s"]
    assert file.endswith("config/sessions/s_setup.py")


@pytest.mark.parametrize("written", ["./s_setup.py", "sessions/s_setup.py", "config/sessions/s_setup.py", "{absolute}"])
def test_where_the_setup_file_may_be(make_session: MakeSession, tree: Tree, tmp_path: Any, written: str) -> None:
    written = written.replace("{absolute}", str(tmp_path / "config/sessions/s_setup.py"))
    session = make_session(f"setup-file: {written}", setup="ran = True")
    assert session.setup(tree=tree) is True
    assert session.env_dict["ran"] is True


def test_no_such_setup_file(make_session: MakeSession, tree: Tree, tmp_path: Any) -> None:
    session = make_session("setup-file: ./other.py")
    assert session.setup(tree=tree) is False
    assert session.error_report == (
        "config/sessions/s.yml:3:1: Session 's': setup-file: no file './other.py'; looked for "
        f"{tmp_path}/config/sessions/other.py, {tmp_path}/config/other.py, {tmp_path}/other.py"
    )


def test_a_setup_file_that_raises(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("setup-file: ./s_setup.py", setup="before = 1\n1 / 0\nafter = 2\n")
    assert session.setup(tree=tree) is False
    assert session.is_active
    assert session.env_dict["before"] == 1 and "after" not in session.env_dict
    assert 'config/sessions/s_setup.py", line 2, in <module>' in session.error_report
    assert session.error_report.endswith("ZeroDivisionError: division by zero")


def test_broken_objects_do_not_stop_the_rest(
    make_session: MakeSession, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    session = make_session("config-objects: [lamp_diode, robxx, nowhere, robx, s]", objects=BROKEN)
    assert session.setup(tree=tree) is False
    unknown_class = "no class 'SimulatedDiods' in bliss_like.controllers, did you mean 'SimulatedDiodes'?"
    a_session = "'s' is a session; to have all that it has, write it in include-sessions"
    messages = [
        "config/sessions/s.yml:3:30: Session 's': config-objects: no object 'robxx', did you mean 'robx'?",
        f"config/sessions/s.yml:3:52: Session 's': config-objects: {a_session}",
        "config/more.yml:2:70: counter 'lamp_diode': unknown key 'nois', did you mean 'noise'?",
        f"config/more.yml:3:26: SimulatedDiods 'nowhere': {unknown_class}",
    ]
    assert [str(error) for error in session.errors] == messages
    assert session.error_report == "\n".join(messages)
    told = [message.removeprefix("session s: ") for message in caplog.messages]
    assert sorted(told) == sorted(messages)
    assert session.object_names == ["robx"]


def test_an_object_with_the_name_of_a_standard_one(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [SCANS]", objects="{name: SCANS, class: SimulatedDiodes, counters: []}")
    assert session.setup(tree=tree) is False
    assert session.error_report == (
        "config/more.yml:1:1: object 'SCANS' would hide the standard 'SCANS': give it another name in the configuration"
    )
    assert session.summary.made == session.object_names == []
    assert session.env_dict["SCANS"] is session.scans


def test_the_environment_of_scans(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [robx, diode, diode2, roby, first_mg]")
    session.setup(tree=tree)
    assert environment.session_name == "s"
    assert environment.container() == scans_of("s")
    assert environment.tree is tree
    assert environment.scans is session.scans
    assert environment.default_chain is session.default_chain
    assert environment.scan_meta is session.user_scan_meta
    assert environment.scan_saving is session.scan_saving
    assert environment.user_name == "ada"
    config = get_config()
    assert environment.active_measurement_group() == [config.get("diode2"), config.get("diode")]
    assert environment.axes() == [config.get("robx"), config.get("roby")]
    session.scan_saving.base_path = "/data/visitor"
    assert environment.container() == "s:data:visitor"
    session.close()
    apart = {"active_measurement_group": 0, "axes": 0, "background": 0, "pausing": 0, "subscriptions": 0}
    assert {**vars(environment), **apart} == {**vars(Environment()), **apart}
    assert not environment.background.runners and not list(environment.subscriptions)
    assert environment.active_measurement_group() is None and list(environment.axes()) == []


def test_close_gives_everything_back(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("setup-file: ./s_setup.py\nconfig-objects: [robx]", setup="mine = 1")
    session.setup(tree=tree)
    robx = session.env_dict["robx"]
    session.close()
    session.close()
    assert not session.is_active and not current_session
    assert set(session.env_dict) - {"__builtins__"} == {"mine"}
    assert load_session("s") is session
    assert session.setup(tree=tree) is True
    assert session.env_dict["robx"] is not robx


def test_close_ends_what_runs_in_other_greenlets(
    make_session: MakeSession, tree: Tree, caplog: pytest.LogCaptureFixture
) -> None:
    session = make_session("config-objects: [robx, diode]")
    session.setup(tree=tree)
    names = session.env_dict
    begun = Event()
    inner = scans.loopscan(1000, 0.01, names["diode"], run=False, subs={"new_data": lambda event: begun.set()})

    def in_a_sequence() -> None:
        with Sequence(title="night").sequence_context() as sequence:
            sequence.add_and_run(inner)

    work = gevent.spawn(in_a_sequence)
    assert begun.wait(60)
    outer = session.scans[0]
    session.close()
    assert (inner.state, outer.state) == (ScanState.USER_ABORTED, ScanState.USER_ABORTED)
    assert get_node(inner.path, tree.store).info["state"] == "USER_ABORTED"
    assert "scan 2 (loopscan 1000 0.01) was running and is aborted, as session s is closed" in caplog.text
    with pytest.raises(UserAbort):
        work.get(timeout=30)


def test_close_closes_all_objects_even_if_one_raises(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [a, b, c, d]",
        objects="\n".join(
            f"- {{name: {name}, class: {cls}, package: tests.unit.config.beamline, module: devices}}"
            for name, cls in (("a", "Lamp"), ("b", "BadlyClosing"), ("c", "Lamp"), ("d", "BadlyClosing"))
        ),
    )
    from tests.unit.config.beamline import devices

    devices.closed.clear()
    session.setup(tree=tree)
    session.close()
    assert devices.closed == ["d", "c", "b", "a"]
    assert [str(error) for error in session.errors] == ["the lamp is stuck"] * 2
    assert not session.is_active


def test_an_abort_in_the_setup_file_closes_the_session(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: [robx]",
        setup="from bliss_like.errors import UserAbort\nraise UserAbort\n",
    )
    with pytest.raises(UserAbort):
        session.setup(tree=tree)
    assert not current_session
    assert environment.tree is None


def test_one_session_at_a_time(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(objects="{name: other, class: Session}")
    session.setup(tree=tree)
    with pytest.raises(
        SessionError, match="session 's' cannot be set up: it is active in this process; close it first"
    ):
        session.setup(tree=tree)
    other = load_session("other")
    with pytest.raises(SessionError, match="session 'other' cannot be set up: session 's' is active in this process"):
        other.setup(tree=tree)
    assert session.is_active
    session.close()
    assert other.setup(tree=tree) is True
    assert current_session.name == "other" and current_session == other


def test_current_session_without_one() -> None:
    assert not current_session
    assert repr(current_session) == "<no session is active>"
    assert not hasattr(current_session, "__wrapped__")
    with pytest.raises(SessionError, match="no session is active: start a shell with `bliss-like -s <name>`, or in Py"):
        _ = current_session.name
    with pytest.raises(SessionError):
        current_session.name = "x"


def test_current_session_is_the_session(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [robx]")
    assert repr(session) == "<Session s: not set up>"
    session.setup(tree=tree)
    assert repr(current_session) == repr(session) == "<Session s: active, 1 objects>"
    assert current_session.scans is session.scans
    assert "setup" in dir(current_session)


def test_what_is_no_session(make_session: MakeSession) -> None:
    session = make_session()
    with pytest.raises(SessionError) as raised:
        load_session("motors")
    assert str(raised.value) == (
        f"'motors' is no session but a SimulatedMotors; the sessions in {session.config.path} are: s"
    )
    with pytest.raises(ObjectNotFound, match="no session 'sess'"):
        load_session("sess")


def test_wrong_keys_of_a_session(make_session: MakeSession) -> None:
    with pytest.raises(
        Exception, match=r"s.yml:3:1: Session 's': unknown key 'config_object', did you mean 'config-ob"
    ):
        make_session("config_object: [robx]")


def test_no_measurement_group(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    session.setup(tree=tree)
    active = session.env_dict["ACTIVE_MG"]
    assert not active and repr(active) == "<no measurement group is active>"
    with pytest.raises(SessionError, match="session 's' has no measurement group: add one .* to its config-objects"):
        active.enable("diode")
