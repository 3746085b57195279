"""Measurement groups: which counters, in which order, enabled or not."""

from __future__ import annotations

import pytest

from bliss_like.config import get_config
from bliss_like.data.tree import Tree
from bliss_like.errors import ConfigError, SessionError
from tests.unit.config.beamline import devices

from .conftest import MakeSession


def test_counters_names_and_controllers_in_order(make_session: MakeSession) -> None:
    make_session()
    config = get_config()
    first, second = config.get("first_mg"), config.get("second_mg")
    assert first.available == ["diodes:diode2", "diodes:diode"]
    assert first.counters == [config.get("diode2"), config.get("diode")]
    assert second.available == ["diodes:diode", "diodes:diode2", "diodes:diode3", "mca:spectrum"]
    assert second.enabled == second.available and second.disabled == []


def test_enable_and_disable_by_patterns(make_session: MakeSession) -> None:
    make_session()
    group = get_config().get("second_mg")
    group.disable("diode?", "mca:*")
    assert group.enabled == ["diodes:diode"]
    assert group.disabled == ["diodes:diode2", "diodes:diode3", "mca:spectrum"]
    assert [counter.name for counter in group.counters] == ["diode"]
    group.enable("spectrum", "diodes:diode3")
    assert group.enabled == ["diodes:diode", "diodes:diode3", "mca:spectrum"]
    group.disable_all()
    assert group.counters == []
    group.enable_all()
    assert group.disabled == []


def test_a_pattern_that_matches_nothing_changes_nothing(make_session: MakeSession) -> None:
    make_session()
    group = get_config().get("first_mg")
    with pytest.raises(ValueError) as raised:
        group.disable("diode", "lamp*")
    assert str(raised.value) == (
        "measurement group 'first_mg': no match for 'lamp*', could not disable it; available: diode2, diode"
    )
    assert group.disabled == []
    with pytest.raises(TypeError, match="expected a name or pattern, came 5"):
        group.enable(5)


def test_each_counter_once(make_session: MakeSession) -> None:
    make_session(objects="{name: g, class: MeasurementGroup, counters: [diode3, diodes, 'diodes:diode', diode3]}")
    assert get_config().get("g").available == ["diodes:diode3", "diodes:diode", "diodes:diode2"]


UNUSABLE = {
    "diodde": "no object 'diodde' in {path}, did you mean 'diode'?",
    "'diodes:lamp'": "no counter 'diodes:lamp', did you mean 'diodes:diode'?",
    "'mca:x'": "no counter 'mca:x'",
    "'diodes:diod3'": "no counter 'diodes:diod3', did you mean 'diodes:diode3'?",
    "robx": "'robx' is no counter and has none: Axis",
}


@pytest.mark.parametrize("listed", UNUSABLE)
def test_a_counter_that_cannot_be_made(make_session: MakeSession, listed: str) -> None:
    make_session(objects=f"{{name: g, class: MeasurementGroup, counters: [diode, {listed}]}}")
    group = get_config().get("g")
    name = listed.strip("'")
    assert group.available == ["diodes:diode", name]
    with pytest.raises(SessionError) as raised:
        _ = group.counters
    reason = UNUSABLE[listed].replace("{path}", str(get_config().path))
    assert str(raised.value) == f"measurement group 'g': {reason}; to go on without it: g.disable('{name}')"
    assert reason in group.__info__()
    group.disable(name)
    assert [counter.name for counter in group.counters] == ["diode"]


def test_what_is_broken_is_tried_again_only_when_it_is_wanted(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp = "{name: lamp, class: Broken, package: tests.unit.config.beamline, module: devices}"
    make_session(objects=f"- {lamp}\n- {{name: g, class: MeasurementGroup, counters: [diode, lamp]}}")
    group = get_config().get("g")
    tries: list[str] = []

    def refuse(self: object, name: str, config: object) -> None:
        tries.append(name)
        raise ConnectionError("no answer")

    monkeypatch.setattr(devices.Broken, "__init__", refuse)
    for _ in range(2):
        assert group.available == ["diodes:diode", "lamp"]
    assert tries == ["lamp"]
    with pytest.raises(
        SessionError, match="Broken 'lamp': could not be made: ConnectionError: no answer; to go on with"
    ):
        _ = group.counters
    assert tries == ["lamp", "lamp"]
    group.disable("lamp")
    assert [counter.name for counter in group.counters] == ["diode"]
    assert tries == ["lamp", "lamp"]


def test_the_first_is_active_until_another_is_chosen(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [second_mg, first_mg]")
    session.setup(tree=tree)
    names = session.env_dict
    assert session.measurement_groups == [names["second_mg"], names["first_mg"]]
    assert names["ACTIVE_MG"].name == "second_mg"
    names["first_mg"].set_active()
    assert names["ACTIVE_MG"].name == "first_mg"
    names["ACTIVE_MG"].disable("diode")
    assert names["first_mg"].disabled == ["diodes:diode"]


def test_info_shows_what_is_enabled(make_session: MakeSession) -> None:
    make_session()
    group = get_config().get("first_mg")
    group.disable("diode2")
    assert group.__info__() == "MeasurementGroup first_mg\n  [ ] diodes:diode2\n  [x] diodes:diode"


def test_a_group_without_counters(make_session: MakeSession) -> None:
    make_session(objects="{name: g, class: MeasurementGroup, counters: []}")
    with pytest.raises(
        ConfigError, match=r"more.yml:1:36: MeasurementGroup 'g': counters: expected at least 1 in the list, came \[\]"
    ):
        get_config().get("g")
