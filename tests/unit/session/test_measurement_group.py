"""Measurement groups: which counters, in which order, enabled or not."""

from __future__ import annotations

import pytest

from bliss_like.config import get_config
from bliss_like.data.tree import Tree
from bliss_like.devices.soft_counter import SoftCounter
from bliss_like.errors import ConfigError, SessionError
from bliss_like.session import load_session
from bliss_like.session import measurement_group as groups
from bliss_like.shell.display import shown
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


CARD = "- {name: card, class: CountingCard, package: tests.bliss_style, module: electrometer, channels: [mon, det, spare, mon2]}"


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ("card", "mon det mon2"),  # its default group
        ("'card:*'", "mon det spare mon2"),
        ("'card:monitors'", "mon mon2"),
        ("'card:default'", "mon det mon2"),
        ("'card:values:m*'", "mon mon2"),
        ("'values:spare'", ""),  # `values` is no object
        ("'card:values:spare', card", "spare mon det mon2"),
    ],
)
def test_groups_of_the_counters_of_a_controller(make_session: MakeSession, listed: str, names: str) -> None:
    make_session(objects=f"{CARD}\n- {{name: g, class: MeasurementGroup, counters: [{listed}]}}")
    found = get_config().get("g").available
    assert found == ([f"card:values:{name}" for name in names.split()] or ["values:spare"])


def test_a_controller_stands_for_its_default_group(make_session: MakeSession) -> None:
    make_session(objects=f"{CARD}\n- {{name: g, class: MeasurementGroup, counters: ['card:*', diode]}}")
    group = get_config().get("g")
    group.disable("card")
    assert group.enabled == ["card:values:spare", "diodes:diode"]
    group.enable("card:monitors")
    assert group.enabled == ["card:values:mon", "card:values:spare", "card:values:mon2", "diodes:diode"]
    group.disable("card:*")
    assert group.enabled == ["diodes:diode"]
    group.enable("values:d*")
    assert group.enabled == ["card:values:det", "diodes:diode"]
    group.enable_all()
    group.disable("diodes")
    assert "diodes:diode" in group.disabled and len(group.enabled) == 4


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


def test_info_shows_what_is_enabled(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [first_mg, diode3]\naliases: [{original_name: diode, alias_name: I0}]")
    session.setup(tree=tree)
    group = session.env_dict["first_mg"]
    group.switch_state("night")
    group.disable("diode2")
    group.add(session.env_dict["diode3"])
    assert (
        shown(session.env_dict["ACTIVE_MG"])
        == shown(group)
        == (
            "MeasurementGroup first_mg (active), state night, others: default\n"
            "enabled  counter\n"
            "-------  -------------  --------\n"
            "no       diodes:diode2\n"
            "yes      diodes:diode   alias I0\n"
            "yes      diodes:diode3  added"
        )
    )


def test_a_controller_means_all_its_counters(make_session: MakeSession) -> None:
    make_session(objects="{name: g, class: MeasurementGroup, counters: [diodes, mca]}")
    group = get_config().get("g")
    group.disable("diodes")
    assert group.enabled == ["mca:spectrum"]
    group.enable_all()
    group.disable("diodes:*")
    assert group.enabled == ["mca:spectrum"]


def test_included_groups_come_first(make_session: MakeSession) -> None:
    make_session(
        objects="""
        - {name: outer, class: MeasurementGroup, counters: [diode3, diode], include: [middle]}
        - {name: middle, class: MeasurementGroup, include: [first_mg]}
        """
    )
    group = get_config().get("outer")
    assert group.available == ["diodes:diode2", "diodes:diode", "diodes:diode3"]
    get_config().get("first_mg").disable("diode2")
    assert group.enabled == group.available


WRONG_INCLUDES = {
    "[g]": "objects that need each other: g -> g",
    "[firts_mg]": "config/more.yml:1:36: MeasurementGroup 'g': include: no object 'firts_mg' in {path}, did you mean "
    "'first_mg'?",
    "[diode]": "config/more.yml:1:36: MeasurementGroup 'g': include: expected other measurement groups, 'diode' is a "
    "SamplingCounter; counters and controllers go to 'counters'",
}


@pytest.mark.parametrize("include", WRONG_INCLUDES)
def test_what_cannot_be_included(make_session: MakeSession, include: str) -> None:
    make_session(objects=f"{{name: g, class: MeasurementGroup, include: {include}}}")
    with pytest.raises(ConfigError) as raised:
        get_config().get("g")
    assert WRONG_INCLUDES[include].format(path=get_config().path) in str(raised.value)


# -- counters that are added -----------------------------------------------------------------------------------------------


def test_add_and_remove(make_session: MakeSession) -> None:
    make_session()
    config = get_config()
    group, extra = config.get("first_mg"), SoftCounter(value=lambda: 7.0, name="extra")
    group.add(extra, config.get("mca"), config.get("diode"))
    assert group.available == ["diodes:diode2", "diodes:diode", "extra:extra", "mca:spectrum"]
    assert group.counters[2] is extra
    group.disable("ext*")
    assert group.disabled == ["extra:extra"]
    group.remove(extra)
    assert group.available == ["diodes:diode2", "diodes:diode", "mca:spectrum"]
    with pytest.raises(ValueError, match=r"first_mg'.*extra:extra is not in it; .* were added: mca:spectrum"):
        group.remove(config.get("spectrum"), extra)
    with pytest.raises(
        ValueError, match=r"diodes:diode is part of its configuration and .*: first_mg.disable\('diodes:diode'\)"
    ):
        group.remove(config.get("diode"))
    assert group.available[-1] == "mca:spectrum"


# -- states ------------------------------------------------------------------------------------------------------------------


def test_states(make_session: MakeSession) -> None:
    make_session()
    group = get_config().get("first_mg")
    assert (group.active_state_name, group.state_names) == ("default", ["default"])
    group.disable("diode")
    group.switch_state("night")
    assert (group.active_state_name, group.state_names) == ("night", ["default", "night"])
    assert group.disabled == []
    group.disable("diode2")
    group.switch_state("default")
    assert group.disabled == ["diodes:diode"]
    group.switch_state("night")
    assert group.disabled == ["diodes:diode2"]
    group.remove_states("night")
    assert (group.active_state_name, group.disabled) == ("default", ["diodes:diode"])


def test_states_that_cannot_be(make_session: MakeSession) -> None:
    make_session()
    group = get_config().get("first_mg")
    group.switch_state("night")
    with pytest.raises(ValueError, match="the state 'default' cannot be removed"):
        group.remove_states("night", "default")
    with pytest.raises(ValueError, match="no state 'nihgt' to remove; there are: default, night"):
        group.remove_states("nihgt")
    with pytest.raises(TypeError, match="expected the name of a state, came 3"):
        group.switch_state(3)
    with pytest.raises(ValueError, match="cannot be empty"):
        group.switch_state("")
    assert group.state_names == ["default", "night"]


def test_choices_outlive_the_session(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [first_mg, second_mg]")
    session.setup(tree=tree)
    group = session.env_dict["first_mg"]
    group.switch_state("night")
    group.disable("diode2")
    session.env_dict["second_mg"].set_active()
    session.close()
    get_config().close()
    session = make_session("config-objects: [first_mg, second_mg]")
    session.setup(tree=tree)
    group = session.env_dict["first_mg"]
    assert (group.active_state_name, group.disabled) == ("night", ["diodes:diode2"])
    assert session.active_measurement_group is session.env_dict["second_mg"]


def test_two_sessions_choose_for_themselves(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [first_mg]", objects="{name: t, class: Session, config-objects: [first_mg]}"
    )
    session.setup(tree=tree)
    session.env_dict["first_mg"].disable("diode")
    session.close()
    other = load_session("t")
    other.setup(tree=tree)
    assert other.env_dict["first_mg"].disabled == []


def test_a_counter_that_is_gone_does_no_harm(make_session: MakeSession, tree: Tree) -> None:
    group_of = "{{name: g, class: MeasurementGroup, counters: [{}]}}"
    session = make_session("config-objects: [g]", objects=group_of.format("diode, diode2"))
    session.setup(tree=tree)
    session.env_dict["g"].disable("diode2")
    session.close()
    for counters, disabled in (("diode", []), ("diode, diode2", ["diodes:diode2"])):
        get_config().close()
        session = make_session("config-objects: [g]", objects=group_of.format(counters))
        session.setup(tree=tree)
        assert session.env_dict["g"].disabled == disabled
        session.close()


# -- the active group --------------------------------------------------------------------------------------------------------


def test_functions_of_the_module(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [first_mg, second_mg]")
    session.setup(tree=tree)
    assert groups.get_all() == session.measurement_groups
    assert groups.get_all_names() == ["first_mg", "second_mg"]
    assert (groups.get_active(), groups.get_active_name()) == (session.env_dict["first_mg"], "first_mg")
    groups.set_active_name("second_mg")
    assert groups.get_active_name() == session.env_dict["ACTIVE_MG"].name == "second_mg"
    with pytest.raises(SessionError, match=r"'s' has no .* 'third_mg'.*; there are: first_mg, second_mg"):
        groups.set_active_name("third_mg")
    assert groups.get_active_name() == "second_mg"


def test_without_a_group(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode]")
    session.setup(tree=tree)
    assert (groups.get_active(), groups.get_active_name(), groups.get_all()) == (None, None, [])


def test_a_group_made_at_the_prompt(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [first_mg]")
    session.setup(tree=tree)
    mine = groups.MeasurementGroup("mine", {"counters": ["diode3"]})
    mine.set_active()
    assert session.active_measurement_group is mine
    assert session.env_dict["ct"](0).get_data("diode3").tolist() == [1.0]
    with pytest.raises(ValueError, match="missing key 'counters'"):
        groups.MeasurementGroup("mine", {})


def test_a_group_of_the_configuration_that_the_session_does_not_list(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [first_mg]")
    session.setup(tree=tree)
    get_config().get("second_mg").set_active()
    session.close()
    session.setup(tree=tree)
    assert session.active_measurement_group is get_config().get("second_mg")


def test_a_group_without_counters(make_session: MakeSession) -> None:
    make_session(objects="{name: g, class: MeasurementGroup, counters: []}")
    with pytest.raises(
        ConfigError, match=r"more.yml:1:36: MeasurementGroup 'g': counters: expected at least 1 in the list, came \[\]"
    ):
        get_config().get("g")


def test_a_group_that_lists_nothing(make_session: MakeSession) -> None:
    make_session(objects="{name: g, class: MeasurementGroup}")
    with pytest.raises(
        ConfigError, match="more.yml:1:1: MeasurementGroup 'g': missing key 'counters', or 'include' with"
    ):
        get_config().get("g")
