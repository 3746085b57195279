"""Pseudo axes of a configuration: what is wrong in YAML, what is kept, what others are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.config.settings.properties import ObjectSettings
from bliss_like.data.tree import Tree
from bliss_like.devices import motion_line
from bliss_like.errors import ConfigError
from bliss_like.session import Session, load_session

from .conftest import MakeSession

GAPS = """
- name: blades
  class: SimulatedMotors
  axes: [{name: up}, {name: down}]
- name: gaps
  class: Slits
  no_offset: false
  axes:
    - {name: $up, tags: real up}
    - {name: $down, tags: real down}
    - {name: vgap, tags: vgap}
    - {name: voffset, tags: voffset}
"""


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session("config-objects: [vgap, voffset]", objects=GAPS)
    assert session.setup(tree=tree), session.error_report
    return session


def test_offset_and_limits_of_a_pseudo_axis_are_kept(session: Session, tree: Tree) -> None:
    vgap = session.env_dict["vgap"]
    vgap.move(2)
    vgap.position = 5
    vgap.limits = 0, 10
    session.close()
    assert session.setup(tree=tree), session.error_report
    again = session.env_dict["vgap"]
    assert again is not vgap
    assert (again.offset, again.limits, again.dial_limits) == (3, (0, 10), (-3, 7))


def test_where_it_is_can_be_read_without_the_session(session: Session) -> None:
    session.env_dict["vgap"].move(2)
    session.env_dict["voffset"].move(1)
    motion_line.flush()
    told = {name: ObjectSettings(name, session.config.beamline).get_all() for name in ("vgap", "voffset")}
    assert {name: (each["position"], each["state"]) for name, each in told.items()} == {
        "vgap": (2, ["READY"]),
        "voffset": (1, ["READY"]),
    }


def test_its_real_axes_need_not_be_in_the_session(session: Session) -> None:
    assert "up" not in session.env_dict
    assert session.env_dict["vgap"].reals == (get_config().get("up"), get_config().get("down"))
    session.resetup(verbose=False)
    assert session.error_report == ""


@pytest.mark.parametrize(
    "old, new, sentence",
    [
        ("$down, tags: real", "$dwn, tags: real", "axis '$dwn': name: no object 'dwn'"),
        ("$down, tags: real", "$down, tgas: real", "axis '$down': unknown key 'tgas', did you mean 'tags'?"),
        (
            "$down, tags: real",
            "down2, tags: real",
            "axis 'down2': tags 'real down' are for an axis that is there already",
        ),
        (
            "tags: vgap",
            "tags: vgap, velocity: 2",
            "axis 'vgap': velocity: a pseudo axis has none; give it to its real axes",
        ),
    ],
)
def test_what_is_wrong_in_yaml_is_told_with_its_place(
    make_session: MakeSession, tmp_path: Path, old: str, new: str, sentence: str
) -> None:
    assert old in GAPS
    session = make_session("config-objects: [vgap]", objects=GAPS.replace(old, new))
    errors = [str(error) for error in session.config.check()]
    assert len(errors) == 1 and "more.yml:" in errors[0], errors
    with pytest.raises(ConfigError, match=r"more.yml:\d+:\d+: (axis|Slits) '(gaps|vgap|down2)': "):
        session.config.get("vgap")
    assert sentence in errors[0]


def test_axes_that_need_each_other(make_session: MakeSession) -> None:
    circle = """
- {name: a, class: Coupled, axes: [{name: $y, tags: real it}, {name: x}]}
- {name: b, class: Coupled, axes: [{name: $x, tags: real it}, {name: y}]}
"""
    session = make_session("config-objects: [x]", objects=circle)
    assert "objects that need each other: a -> b -> a" in str(session.config.check()[0])
    with pytest.raises(ConfigError):
        load_session("s", session.config).config.get("x")
