"""lsobj lsmg lsconfig: lists of what there is, without a question to any device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bliss_like.config import Config
from bliss_like.controllers.simulated.motors import SimulatedMotors
from bliss_like.devices.axis import Axis
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.errors import UsageError
from bliss_like.standard import lsconfig, lsmg, lsobj
from tests.unit.standard.conftest import Known

Motors = Callable[..., Any]
Shown = pytest.CaptureFixture[str]


class Silent(SimulatedMotors):
    """Is not to be asked."""

    def read_position(self, axis: Axis) -> float:
        raise AssertionError("a list has asked a device")

    state = read_position  # type: ignore[assignment]


class Group:
    def __init__(self, name: str, *enabled: str) -> None:
        self.name, self.enabled, self.available = name, list(enabled), ["a:x", "a:y"]
        self.active_state_name = "default"

    def enable(self, *names: str) -> None: ...
    def disable(self, *names: str) -> None: ...
    def switch_state(self, name: str) -> None: ...


class Active:
    """Stands for a group, as ACTIVE_MG does."""

    def __init__(self, group: Group) -> None:
        self._group = group

    def __getattr__(self, name: str) -> Any:
        return getattr(self._group, name)


def rows(shown: Shown) -> list[list[str]]:
    return [line.split() for line in shown.readouterr().out.splitlines()]


@pytest.fixture
def session(known: Known, motors: Motors) -> Known:
    controller = motors(Silent, robx={}, roby={})
    group = Group("mg", "a:x")
    made = [SimpleNamespace(name=name, value=known[name], error=None) for name in ("robx", "roby")]
    made += [
        SimpleNamespace(name="motors", value=controller, error=None),
        SimpleNamespace(name="mg", value=group, error=None),
    ]
    made += [SimpleNamespace(name="camera", value=None, error=OSError("no answer"))]
    known |= {"mg": group, "ACTIVE_MG": Active(group), "my_list": [1], "_hidden": known["robx"]}
    known["current_session"] = SimpleNamespace(summary=SimpleNamespace(objects=made))
    known["roby"].disable()
    known["gap"] = SoftAxis("gap", SimpleNamespace(position=0.0), position="position", export_to_session=False)
    return known


def test_objects(session: Known, capsys: Shown) -> None:
    lsobj()
    assert rows(capsys)[2:] == [
        ["robx", "Axis", "of", "motors0"],
        ["roby", "Axis", "of", "motors0", "disabled"],
        ["mg", "Group", "active"],
        ["gap", "SoftAxis", "of", "gap"],
        ["motors", "Silent"],
        ["camera", "failed:", "ERROR_REPORT", "says", "why"],
    ]
    lsobj("rob*")
    assert [row[0] for row in rows(capsys)[2:]] == ["robx", "roby"]
    with pytest.raises(UsageError, match=r"lsobj: nothing is called 'roby2', did you mean 'roby'\?"):
        lsobj("roby2")


def test_there_are_none(known: Known, capsys: Shown) -> None:
    lsobj()
    lsmg()
    assert capsys.readouterr().out.splitlines() == [
        "The session has no objects.",
        "The session has no measurement groups: docs/how-to/measurement-group.md",
    ]


def test_measurement_groups(session: Known, capsys: Shown) -> None:
    session["other"] = Group("other", "a:x", "a:y")
    lsmg()
    assert rows(capsys)[2:] == [["*", "mg", "1", "of", "2", "default"], ["other", "2", "of", "2", "default"]]


@pytest.fixture
def config(known: Known, tmp_path: Path) -> Iterator[Config]:
    (tmp_path / "eh1").mkdir()
    (tmp_path / "eh1" / "motors.yml").write_text(
        "- {name: motors, class: SimulatedMotors, axes: [{name: robx}, {name: roby}]}\n- {name: lost, class: NoSuchClass}\n"
    )
    (tmp_path / "s.yml").write_text("{name: s, class: Session}")
    config = known["config"] = Config(tmp_path)
    yield config
    config.close()


def test_the_configuration(config: Config, capsys: Shown) -> None:
    lsconfig()
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "eh1/motors.yml",
        "  (its class is not found)  lost",
        "  SimulatedMotors           motors",
        "  axes of motors            robx roby",
        "s.yml",
        "  Session                   s",
    ]
    lsconfig("rob*")
    assert capsys.readouterr().out.splitlines() == ["eh1/motors.yml", "  axes of motors  robx roby"]
