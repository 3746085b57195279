"""What is watched in the background lives as long as the session."""

from __future__ import annotations

import pytest

from bliss_like.data.tree import Tree
from bliss_like.scanning.monitoring import MONITORING_SCANS
from bliss_like.session import Session
from tests.waiting import wait_until_cooperative

from .conftest import MakeSession

SETUP = 'start_monitoring("ring", 0.001, diode, sleep_time=0.001)'


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session("config-objects: [diode, robx]\nsetup-file: s_setup.py", SETUP)
    assert session.setup(tree=tree), session.error_report
    return session


def test_it_ends_with_the_session(session: Session) -> None:
    watched = session.env_dict["MONITORING_SCANS"]["ring"]
    wait_until_cooperative(lambda: watched.points >= 2)
    scan = watched.scan
    session.close()
    assert (watched.state, scan.state.name) == ("ENDED", "DONE")
    assert session.errors == [] and len(MONITORING_SCANS) == 0


def test_it_is_started_anew_by_resetup(session: Session) -> None:
    before = MONITORING_SCANS["ring"]
    wait_until_cooperative(lambda: before.points >= 1)
    session.resetup()
    assert session.errors == [] and before.state == "ENDED"
    again = MONITORING_SCANS["ring"]
    wait_until_cooperative(lambda: again.points >= 1)
    assert again is not before


def test_moves_and_scans_of_the_session_are_not_held_up(session: Session) -> None:
    names = session.env_dict
    watched = MONITORING_SCANS["ring"]
    wait_until_cooperative(lambda: watched.points >= 1)
    names["mv"](names["robx"], 0.1)
    scan = names["ascan"](names["robx"], 0, 0.1, 2, 0.001, names["diode"])
    assert len(scan.get_data("diode")) == 3 and list(names["SCANS"]) == [scan]
    before = watched.points
    wait_until_cooperative(lambda: watched.points > before)
