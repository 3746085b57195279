"""Soft axes give themselves a name in the session, and are no positioners."""

from __future__ import annotations

import pytest

from bliss_like.data.tree import Tree
from bliss_like.devices.soft_axis import SoftAxis
from bliss_like.session import Session

from .conftest import MakeSession

SETUP = """
class Oven:
    temperature = 20.0

SoftAxis("heater", Oven(), position="temperature", move="temperature")
hidden = SoftAxis("anything goes", Oven(), position="temperature", move="temperature", export_to_session=False)
"""


class Oven:
    temperature = 20.0


def soft_axis(name: str) -> SoftAxis:
    return SoftAxis(name, Oven(), position="temperature", move="temperature")


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session(
        "setup-file: ./s_setup.py\nconfig-objects: [robx, diode]\naliases: [{original_name: robx, alias_name: along}]",
        setup=SETUP,
    )
    assert session.setup(tree=tree), session.error_report
    return session


def test_it_is_a_name_of_the_session(session: Session) -> None:
    heater = session.env_dict["heater"]
    heater.move(30)
    assert heater.position == 30
    session.resetup(verbose=False)
    assert session.error_report == ""
    assert session.env_dict["heater"] is not heater
    again = soft_axis("heater")
    assert session.env_dict["heater"] is again


@pytest.mark.parametrize(
    "name, sentence",
    [
        ("diode", "the name 'diode' is that of a SamplingCounter of the session"),
        ("roby", "the name 'roby' is that of an object of the configuration"),
        ("along", "the name 'along' is that of a Axis of the session"),
        ("ascan", "the name 'ascan' is that of a function of the session"),
        ("Oven", "the name 'Oven' is that of a type of the session"),
        ("an oven", "'an oven' is no name that can be typed in the session"),
    ],
)
def test_a_name_that_is_taken(session: Session, name: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}.*export_to_session=False$"):
        soft_axis(name)


def test_it_is_no_positioner(session: Session) -> None:
    names = session.env_dict
    assert names["heater"] not in session.objects.axes
    scan = names["ascan"](names["heater"], 20, 30, 1, 0, names["diode"])
    assert scan.get_data("axis:heater").tolist() == [20, 30]
    assert set(scan.scan_info["positioners"]["positioners_start"]) == {"along"}


def test_without_a_session_it_goes_nowhere(session: Session) -> None:
    session.close()
    soft_axis("diode").move(1)
