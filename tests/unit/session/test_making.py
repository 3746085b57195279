"""Objects are made and connected side by side; what came out is told in the order of the configuration, in short."""

from __future__ import annotations

import re

import gevent
import pytest

from bliss_like.data.tree import Tree
from bliss_like.devices.signal import BACKENDS
from bliss_like.errors import NotConnectedError, UserAbort
from bliss_like.session import DefaultSession, current_session, making
from bliss_like.session.making import Made
from bliss_like.session.summary import Summary

from . import devices
from .conftest import MakeSession


class SilentBackend:
    """Nobody answers."""

    waited: list[float] = []
    connected = False

    def __init__(self, address: str) -> None:
        self.address = address

    def connect(self, timeout: float) -> None:
        devices.connecting.wait(self.address)
        raise NotConnectedError(f"nothing at {self.address}.")


def yaml(*names: str, cls: str = "Sociable", keys: str = "") -> str:
    package = "package: tests.unit.session, module: devices"
    return "\n".join(f"- {{name: {name}, class: {cls}, {package}{keys}}}" for name in names)


def test_side_by_side(make_session: MakeSession, tree: Tree) -> None:
    devices.making.expect(3)
    devices.connecting.expect(2)
    session = make_session(
        "config-objects: [b, lonely, a]", objects=yaml("a", "lonely") + "\n" + yaml("b", keys=", fails: true")
    )
    assert session.setup(tree=tree) is False
    assert session.object_names == ["lonely", "a"]
    failed, silent = map(str, session.errors)
    assert failed == "config/more.yml:3:3: Sociable 'b': could not be made: ConnectionError: no answer"
    assert silent == "lonely: no answer from host lonely within 2 s"
    assert session.env_dict["lonely"].name == "lonely"  # it may answer later


def test_what_does_not_look_at_the_time(make_session: MakeSession, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "GRACE", 0.0)
    monkeypatch.setattr(making.connect_all, "__defaults__", (0.3,))
    session = make_session("config-objects: [a, b, robx]", objects=yaml("a", "b", cls="Careless"))
    assert session.setup(tree=tree) is False
    assert [str(error) for error in session.errors] == [f"{name}: not connected after 0.3 s" for name in "ab"]
    assert session.object_names == ["a", "b", "robx"]


def test_all_signals_of_an_object_at_once(
    make_session: MakeSession, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(BACKENDS, "silent", f"{__name__}.SilentBackend")
    devices.connecting.expect(6)
    addresses = ", ".join(f"'silent://{number}'" for number in range(5))
    session = make_session(
        "config-objects: [a, b, c]",
        objects="\n".join(
            yaml(name, cls="Signals", keys=f", addresses: [{listed}]")
            for name, listed in {"a": addresses, "b": "'silent://5', 'soft://b'", "c": "'soft://c'"}.items()
        ),
    )
    assert session.setup(tree=tree) is False
    assert [str(error) for error in session.errors] == [
        "a: nothing at silent://0. The same with silent://1, silent://2 and 2 more",
        "b: nothing at silent://5.",
    ]


def test_an_abort_ends_all_that_is_being_made(make_session: MakeSession, tree: Tree) -> None:
    devices.making.expect(3)  # one more than will ever come
    session = make_session("config-objects: [a, b]", objects=yaml("a", "b"))
    setup = gevent.spawn(session.setup, tree=tree)
    with gevent.Timeout(30):
        while len(devices.making.here) < 2:
            gevent.sleep(0.001)
    assert session.being_made == {"a", "b"}
    setup.kill(UserAbort)
    assert isinstance(setup.exception, UserAbort)
    assert session.being_made == set() and not current_session
    devices.making.expect(2)
    devices.connecting.expect(2)
    assert session.setup(tree=tree)


# -- the summary -------------------------------------------------------------------------------------------------------


def test_short_when_all_went_well(make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    session = make_session("config-objects: [robx, diode]")
    assert session.setup(verbose=True, tree=tree)
    assert re.fullmatch(r"Session s: 2 objects in \d\.\d s\n  robx diode\n", capsys.readouterr().out)
    assert session.summary


def test_short_on_a_large_beamline() -> None:
    lines = Summary("s", [Made(f"object{number}") for number in range(200)], {}, 0.1).text(80).splitlines()
    assert lines[0] == "Session s: 200 objects in 0.1 s"
    assert len(lines) == 8 and lines[-1] == "  ... all of them: current_session.object_names"


def test_every_failure_in_a_sentence(make_session: MakeSession, tree: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    session = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: [robx, lamp, robxx]",
        setup="\n\nfor number in range(3):\n    number / 0\n",
        objects="{name: lamp, class: SimulatedDiodes, counters: [], lamb: red}",
    )
    assert session.setup(verbose=True, tree=tree) is False
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line for line in lines[2:] if "lamp" in line or line[2] == "["] == [
        "  [0] config/sessions/s.yml:4:30: Session 's': config-objects: no object",
        "  [1] config/more.yml:1:52: SimulatedDiodes 'lamp': unknown key 'lamb', expected",
        "  [2] config/sessions/s_setup.py:4: ZeroDivisionError: division by zero",
    ]
    assert err == ""
    assert isinstance(session.error_log.get(2).__cause__, ZeroDivisionError)  # type: ignore[union-attr]


def test_what_is_silent_is_told_at_once() -> None:
    errors = {number: NotConnectedError(f"m{number}: nothing there") for number in range(3, 40)}
    objects = [Made(f"m{number}", 0.7 if number == 5 else 0.1, number) for number in range(40)]
    lines = Summary("s", objects, errors, 0.8).text(80).splitlines()
    assert lines[0] == "Session s: 40 objects in 0.8 s, the slowest: m5 0.7 s"
    told = lines[lines.index("Not all went well, errors: 37. last_error(<number>) shows where.") + 1 :]
    assert told[0] == "  [3] m3: nothing there"
    assert told[1].startswith("      The same with: m4 m5") and told[-1].endswith("m39")
    assert max(map(len, lines)) <= 80


def test_many_errors_are_not_all_told() -> None:
    objects = [Made(f"m{number}", error=ValueError(str(number))) for number in range(20)]
    errors = {number: ValueError(f"problem {number}") for number in range(20)}
    lines = Summary("s", objects, errors, 0.1).text(80).splitlines()
    assert lines[0] == "Session s: 0 of 20 objects in 0.1 s"
    assert lines[-2] == " [11] ValueError: problem 11"
    assert lines[-1] == "  ... and more: ERROR_REPORT"
    assert len(lines) == 15


# -- a session without configuration -----------------------------------------------------------------------------------


def test_default_session(make_session: MakeSession, tree: Tree) -> None:
    make_session()
    session = DefaultSession()
    assert session.setup(tree=tree)
    assert session.object_names == [] and session.name == "__DEFAULT__"
    assert session.env_dict["ct"](0, session.config.get("diode")).scan_info["session_name"] == "__DEFAULT__"
    session.close()


def test_default_session_without_any_configuration(
    tree: Tree, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setenv("BLISS_LIKE_HOME", f"{tmp_path}/home")
    monkeypatch.delenv("BLISS_LIKE_CONFIG", raising=False)
    session = DefaultSession()
    assert session.setup(tree=tree)
    session.close()
    session.config.close()
