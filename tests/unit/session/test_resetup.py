"""`resetup()`: what is written as before stays as it is, what has changed is made anew, what is gone is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gevent
import pytest

from bliss_like.config import get_config
from bliss_like.data.tree import Tree
from bliss_like.errors import ConfigError, ScriptError, SessionError, UserAbort
from bliss_like.session import Session

from . import devices
from .conftest import OBJECTS, MakeSession

Write = Callable[..., None]

TWO = "- {name: lamp, class: Named, package: tests.unit.session, module: devices}\n"
ONE_MORE = TWO + "- {name: user, class: Named, package: tests.unit.session, module: devices, needs: $lamp}\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that changes files below ./config."""

    def change(**files: str) -> None:
        for name, text in files.items():
            place = {"s": "sessions/s.yml", "setup": "sessions/s_setup.py"}.get(name, f"{name}.yml")
            (tmp_path / "config" / place).write_text(text)

    return change


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: [robx, roby, diode, lamp, user, first_mg]",
        setup="runs = globals().get('runs', 0) + 1",
        objects=ONE_MORE,
    )
    devices.closed.clear()
    assert session.setup(tree=tree), session.error_report
    return session


SESSION = "name: s\nclass: Session\nsetup-file: ./s_setup.py\n"


def test_nothing_has_changed(session: Session) -> None:
    before = dict(session.names.given)
    summary = session.resetup()
    assert summary and session.errors == []
    assert all(session.env_dict[name] is before[name] for name in session.object_names)
    assert devices.closed == []
    assert session.env_dict["runs"] == 2
    assert str(summary).splitlines()[1] == "nothing has changed"


def test_only_what_has_changed_is_made_anew(session: Session, write: Write) -> None:
    before = dict(session.names.given)
    write(objects=OBJECTS.replace("value: 5", "value: 6"))
    summary = session.resetup()
    names = session.env_dict
    assert summary, session.error_report
    assert names["diode"].raw_read == 6 and names["diode"] is not before["diode"]
    assert all(names[name] is before[name] for name in ("robx", "lamp", "user"))
    assert names["ct"](0).get_data("diode").tolist() == [6]  # the measurement group knows it too
    assert "changed: diode, diodes" in str(summary)


def test_counters_that_were_added_to_a_measurement_group_are_made_anew(session: Session, write: Write) -> None:
    group = session.env_dict["first_mg"]
    group.add(get_config().get("diode3"))
    write(objects=OBJECTS.replace("{name: diode3}", "{name: diode3, value: 8}"))
    assert session.resetup(), session.error_report
    assert session.env_dict["first_mg"] is group
    assert group.available == ["diodes:diode2", "diodes:diode", "diodes:diode3"]
    assert group.counters[2] is get_config().get("diode3")
    assert session.env_dict["ct"](0).get_data("diode3").tolist() == [8]


def test_a_motor_that_moves_goes_on(session: Session, write: Write) -> None:
    robx = session.env_dict["robx"]
    robx.velocity = 10
    robx.move(1000, wait=False)
    write(objects=OBJECTS.replace("value: 5", "value: 6"))
    assert session.resetup()
    assert robx.is_moving and session.env_dict["robx"] is robx
    robx.stop()
    assert 0 < robx.position < 1000


def test_what_depends_on_it_is_closed_first(session: Session, write: Write) -> None:
    write(more=ONE_MORE.replace("devices}", "devices, colour: red}"))
    assert session.resetup()
    assert devices.closed == ["user", "lamp"]
    assert session.env_dict["user"].needs is session.env_dict["lamp"]


def test_an_axis_whose_hook_was_mended_is_there(session: Session, write: Write) -> None:
    hook = "- {name: pad, class: MotionHook, package: bliss_like.common, module: hook}\n"
    motors = "- {name: mc, class: SimulatedMotors, axes: [{name: th}, {name: tth, motion_hooks: [$pad]}]}\n"
    write(
        more=ONE_MORE + motors + hook.replace("MotionHook", "MotionHok"), s=SESSION + "config-objects: [th, tth, pad]\n"
    )
    assert not session.resetup()
    assert "th" in session.env_dict and "tth" not in session.env_dict
    write(more=ONE_MORE + motors + hook)
    assert session.resetup(), session.error_report
    assert session.env_dict["tth"].motion_hooks == [session.env_dict["pad"]]


def test_what_is_gone_and_what_is_new(session: Session, write: Write) -> None:
    write(more=TWO, s=SESSION + "config-objects: [robx, diode, lamp, diode3]\n")
    summary = session.resetup()
    assert summary, session.error_report
    assert session.object_names == ["robx", "diode", "lamp", "diode3"]
    assert not {"user", "roby", "first_mg"} & set(session.env_dict)
    assert devices.closed == ["user"]
    assert session.env_dict["diode3"].name == "diode3"
    assert session.active_measurement_group is None
    assert "removed: user" in str(summary)
    session.env_dict["roby"] = "mine"
    session.names["roby"] = "free again"


def test_a_session_that_is_wrong_now_goes_on_as_it_was(session: Session, write: Write) -> None:
    write(s=SESSION + "config-object: [robx]\n")
    summary = session.resetup()
    assert not summary
    assert "unknown key 'config-object', did you mean 'config-objects'?" in session.error_report
    assert session.object_names == ["robx", "roby", "diode", "lamp", "user", "first_mg"]
    write(s=SESSION + "config-objects: [robx]\n")
    assert session.resetup()
    assert session.object_names == ["robx"]


def test_a_file_that_cannot_be_read_changes_nothing(session: Session, write: Write) -> None:
    before = dict(session.names.given)
    write(more="- {name: lamp\n")
    assert not session.resetup()
    assert "more.yml:" in session.error_report
    assert session.env_dict["lamp"] is before["lamp"]


def test_setup_files_do_not_double(session: Session, write: Write) -> None:
    write(
        setup="from bliss_like.session.hooks import ScanQueueHooks\n"
        "current_session.hooks.scan_queue.register(ScanQueueHooks())\n"
        "ALIASES.add('beam', diode)\n"
    )
    for _ in range(2):
        assert session.resetup(), session.error_report
        assert len(session.hooks.scan_queue) == 1
        assert list(session.aliases) == ["beam"] and "diode" not in session.env_dict


def test_user_scripts_see_the_new_objects(session: Session, write: Write, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def which(): return diode, robx\n")
    session.env_dict["user_script_homedir"](str(tmp_path))
    session.env_dict["user_script_load"]("mine", export_global="ada")
    write(objects=OBJECTS.replace("value: 5", "value: 6"))
    assert session.resetup()
    names = session.env_dict
    assert names["ada"].which() == (names["diode"], names["robx"])


def test_included_sessions_are_read_again(session: Session, write: Write) -> None:
    other = "- {name: other, class: Session, config-objects: [%s]}\n"
    write(s=SESSION + "include-sessions: [other]\n", more=ONE_MORE + other % "robx")
    assert session.resetup(), session.error_report
    assert session.object_names == ["robx"]
    write(more=ONE_MORE + other % "roby, lamp")
    assert session.resetup(), session.error_report
    assert session.object_names == ["roby", "lamp"]


def test_where_scans_go_is_read_again(session: Session, write: Write) -> None:
    session.scan_saving.sample = "ruby"
    write(s=SESSION + "scan_saving: {base_path: /data}\n")
    assert session.resetup()
    assert session.env_dict["SCAN_SAVING"].get_path() == "/data/s"
    assert session.env_dict["SCAN_SAVING"].sample == "ruby"


def test_another_name_of_the_beamline_holds_from_the_next_setup_on(session: Session, write: Write, tree: Tree) -> None:
    session.scan_saving.sample = "ruby"
    write(__init__="beamline: id99\n")
    assert session.resetup(), session.error_report
    assert (session.settings_name, session.scan_saving.sample) == ("s", "ruby")  # as its locks and channels
    session.close()
    session.setup(tree=tree)
    assert session.settings_name == "id99:s"


def test_a_new_object_with_the_name_of_an_alias(session: Session, write: Write) -> None:
    session.aliases.add("theta", "robx")
    write(more=ONE_MORE + "- {name: theta, class: Named, package: tests.unit.session, module: devices}\n")
    assert get_config().get("theta") is session.env_dict["theta"]
    get_config().reload()
    assert isinstance(get_config().get("theta"), devices.Named)


def test_not_while_a_scan_is_running(session: Session) -> None:
    scan = session.env_dict["loopscan"](1000, 0.05, session.env_dict["diode"], run=False)
    running = gevent.spawn(scan.run)
    with gevent.Timeout(30):
        while not scan.path:
            gevent.sleep(0.01)
    with pytest.raises(SessionError, match=r"session 's': Scan\(.*\) is running: wait for its end, or abort it first"):
        session.resetup()
    scan.stop()
    running.get(timeout=30)
    assert session.resetup()


def test_not_before_the_setup(make_session: MakeSession) -> None:
    session = make_session()
    with pytest.raises(SessionError, match="session 's' is not set up"):
        session.resetup()


def test_at_the_prompt(session: Session, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(objects=OBJECTS.replace("value: 5", "nois: 6"), more="")
    session.env_dict["resetup"]()
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0].startswith("Session s: ") and err == ""
    assert any(line.startswith(("  [0] config/", "  [1] config/")) for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_setup_after_a_reload_by_hand(session: Session, write: Write, tree: Tree) -> None:
    session.close()
    write(s=SESSION + "config-objects: [robx]\n")
    get_config().reload()
    assert session.setup(tree=tree)
    assert session.object_names == ["robx"]


def test_an_abort_leaves_what_was_not_touched(session: Session, write: Write) -> None:
    robx = session.env_dict["robx"]
    write(
        objects=OBJECTS.replace("value: 5", "value: 6"),
        setup="from bliss_like.errors import UserAbort\nraise UserAbort\n",
    )
    with pytest.raises(UserAbort):
        session.resetup()
    assert session.is_active and session.env_dict["robx"] is robx
    assert session.env_dict["diode"].raw_read == 6
    write(setup="runs = 10")
    assert session.resetup()
    assert session.env_dict["runs"] == 10


def test_nor_a_reload_that_would_close_something(session: Session, write: Write) -> None:
    scan = session.env_dict["loopscan"](1000, 0.05, session.env_dict["diode"], run=False)
    running = gevent.spawn(scan.run)
    with gevent.Timeout(30):
        while not scan.path:
            gevent.sleep(0.01)
    assert not session.config.reload()
    write(more=TWO)
    with pytest.raises(ConfigError, match=r"nothing was reloaded: session 's': Scan\(.*\) is running"):
        session.config.reload()
    assert devices.closed == [] and "user" in session.config.names_list
    scan.stop()
    running.get(timeout=30)
    assert session.config.reload().removed == ("user",)


def test_not_while_a_motor_moves_that_it_would_close(session: Session, write: Write) -> None:
    before = dict(session.names.given)
    robx, roby = session.env_dict["robx"], session.env_dict["roby"]
    session.aliases.add("table", roby)
    for axis in (robx, roby):
        axis.velocity = 10
        axis.move(1000, wait=False)
    write(objects=OBJECTS.replace("{name: roby}", "{name: roby, unit: mm}").replace("value: 5", "value: 6"))
    for reload in (session.resetup, get_config().reload):
        with pytest.raises(ConfigError) as refused:
            reload()
        assert "robx is moving; wait for the end of its motion, or stop it: robx.stop()" in str(refused.value)
        assert "table is moving" in str(refused.value) and str(refused.value).count(" is moving;") == 2
    assert robx.is_moving and roby.is_moving
    assert all(session.env_dict[name] is before[name] for name in before if name != "roby")
    assert list(session.aliases) == ["table"]
    robx.stop()
    roby.stop()
    summary = session.resetup()
    assert "changed: diode, diodes, motors, robx, roby" in str(summary)
    assert session.env_dict["roby"].unit == "mm"


def test_not_while_a_motor_moves_that_is_gone(session: Session, write: Write) -> None:
    robx = session.env_dict["robx"]
    robx.velocity = 10
    robx.move(1000, wait=False)
    write(objects=OBJECTS.replace("{name: robx}, ", ""))
    with pytest.raises(ConfigError, match="nothing was reloaded: robx is moving"):
        session.resetup()
    write(objects=OBJECTS)
    assert session.resetup()
    assert session.env_dict["robx"] is robx and robx.is_moving
    robx.stop()


def test_a_close_stops_what_moves(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    robx = session.env_dict["robx"]
    robx.velocity = 10
    robx.move(1000, wait=False)
    session.close()
    assert not robx.is_moving and robx.position < 900
    assert "robx was moving and is stopped, as it is closed" in caplog.text


def test_not_by_a_setup_file(session: Session, write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    write(setup="resetup()")
    assert not session.resetup()
    refused = "SessionError: session 's' is being set up: resetup() has to wait for the end of that"
    assert str(session.errors[0]) == f"config/sessions/s_setup.py:1: {refused}"
    write(setup="")
    assert session.resetup()


def test_scripts_after_an_abort_raise(session: Session, write: Write) -> None:
    write(setup="from bliss_like.errors import UserAbort\nraise UserAbort\n")
    with pytest.raises(UserAbort):
        session.resetup()
    with pytest.raises(ScriptError, match="no script 'nowhere'"):
        session.env_dict["load_script"]("nowhere")


@pytest.mark.parametrize("text", ["", "name: s2\nclass: Session\n", "name: s\nclass: Sesion\n"])
def test_a_session_that_is_gone_goes_on_as_it_was(session: Session, write: Write, text: str) -> None:
    before = session.object_names
    write(s=text)
    for _ in range(2):
        assert not session.resetup()
        assert session.object_names == before
        assert len(session.errors) == 1
    said = "no class 'Sesion'" if "Sesion" in text else "'s' is gone from the configuration; it goes on as it was"
    assert said in session.error_report


def test_what_is_wrong_with_a_session_is_told_once(session: Session, write: Write) -> None:
    write(s=SESSION + "config-objects: [robx]\ninclude-sessions: [s]\nexclude-objects: [nowhere]")
    for _ in range(2):
        assert not session.resetup()
        assert session.object_names == ["robx"]
        assert len(session.errors) == 2
        assert "as it was" not in session.error_report


def test_subscriptions_of_setup_files_are_made_anew_and_those_of_the_user_stay(session: Session, write: Write) -> None:
    mine = session.subscribe(print)
    write(setup="from bliss_like.standard import subscribe\nsubscribe(dict().update)\nsubscribe(repr, kind='ct')")
    for _ in range(2):
        assert session.resetup(), session.error_report
        assert [one.name for one in session.subscriptions] == ["print", "dict.update", "repr"]
    session.unsubscribe(mine)
    session.unsubscribe(repr)
    assert [one.name for one in session.subscriptions] == ["dict.update"]
    session.close()
    assert list(session.subscriptions) == []
    with pytest.raises(SessionError, match=r"'s' is not set up, it has no scans to follow: s.setup\(\) first"):
        session.subscribe(print)
