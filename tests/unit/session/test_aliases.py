"""Aliases: what a session calls its axes and counters, and their data."""

from __future__ import annotations

import pytest

from bliss_like.config import get_config
from bliss_like.data.channel_node import ChannelNode
from bliss_like.data.tree import Tree
from bliss_like.errors import ProtectedName, SessionError
from bliss_like.session import Session
from bliss_like.shell.display import shown

from .conftest import MakeSession

ALIASES = """
config-objects: [robx, roby, diode, diode2, mca, first_mg]
aliases:
- {original_name: roby, alias_name: robyy}
- {original_name: 'diodes:diode', alias_name: I0}
"""


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session(ALIASES)
    assert session.setup(tree=tree), session.error_report
    return session


def test_the_alias_takes_the_place_of_the_name(session: Session) -> None:
    names = session.env_dict
    assert "roby" not in names and "diode" not in names
    assert names["robyy"] is get_config().get("roby") is get_config().get("robyy")
    assert names["I0"] is get_config().get("diode") is get_config().get("I0")
    assert names["ALIASES"] is session.aliases
    assert list(session.aliases.names_iter()) == ["robyy", "I0"]
    assert session.aliases.get("robyy") is names["robyy"]
    assert session.aliases.get("nobody") is None


@pytest.mark.parametrize("name", ["roby", "axis:roby"])
def test_the_alias_of_an_axis(session: Session, name: str) -> None:
    assert session.aliases.get_alias(name) == "robyy"


@pytest.mark.parametrize("name", ["diode", "diodes:diode"])
def test_the_alias_of_a_counter(session: Session, name: str) -> None:
    assert session.aliases.get_alias(name) == "I0"
    assert session.aliases.get_alias(session.env_dict["I0"]) == "I0"
    assert session.aliases.get_alias(session.env_dict["diode2"]) is None


def test_the_data_of_a_scan_carry_the_aliases(session: Session) -> None:
    names = session.env_dict
    scan = names["ascan"](names["robyy"], 0, 2, 2, 0, names["I0"], names["diode2"])
    channels = {node.fullname: node for node in scan.node.channels()}
    assert {"axis:robyy", "diodes:I0", "diodes:diode2"} < set(channels)
    assert channels["diodes:I0"].short_name == "I0"
    assert channels["axis:robyy"].db_name.endswith(":axis:robyy")
    assert scan.scan_info["title"] == "ascan robyy 0 2 2 0"
    assert scan.scan_info["plots"][0]["x"] == "axis:robyy"
    assert scan.scan_info["channels"]["axis:robyy"]["stop"] == 2
    assert set(scan.scan_info["positioners"]["positioners_start"]) == {"robx", "robyy"}
    assert set(scan.scan_info["positioners"]["positioners_dial_end"]) == {"robx", "robyy"}
    assert set(scan.scan_info["positioners"]["positioners_units"]) == {"robx", "robyy"}
    data = scan.get_data()
    for key in (names["robyy"], "robyy", "axis:robyy", "axis:rob*"):
        assert data[key].tolist() == [0, 1, 2]
    for key in (names["I0"], "I0", "diodes:I0"):
        assert data[key].tolist() == [5, 5, 5]


def test_a_mesh_is_titled_by_aliases(session: Session) -> None:
    names = session.env_dict
    scan = names["amesh"](names["robyy"], 0, 1, 1, names["robx"], 0, 1, 1, 0, names["I0"])
    assert scan.scan_info["title"] == "amesh robyy 0 1 1 robx 0 1 1 0"
    assert scan.scan_info["plots"][0]["x"] == "axis:robyy"
    scan = names["pointscan"](names["robyy"], [0, 1], 0, names["I0"])
    assert scan.scan_info["title"] == "pointscan robyy 2 positions 0 .. 1 0"
    assert scan.scan_info["plots"][0]["x"] == "axis:robyy"


def test_a_new_alias_is_for_the_next_scan(session: Session) -> None:
    names = session.env_dict
    robyy, counter = names["robyy"], names["I0"]
    before = names["ascan"](robyy, 0, 1, 1, 0, counter)
    session.aliases.remove("robyy")
    session.aliases.set("monitor", counter)
    after = names["ascan"](names["roby"], 3, 4, 1, 0, names["monitor"])
    assert before.get_data(robyy).tolist() == before.get_data("robyy").tolist() == [0, 1]
    assert after.get_data(robyy).tolist() == after.get_data("roby").tolist() == [3, 4]
    assert before.get_data()[counter].tolist() == before.get_data("I0").tolist()
    assert after.get_data()[counter].tolist() == after.get_data("monitor").tolist()


def test_statistics_follow_the_alias_of_their_counter(session: Session) -> None:
    counter = session.env_dict["I0"]
    counter.mode = "STATS"
    scan = session.env_dict["ct"](0, counter)
    assert {"diodes:I0", "diodes:I0_std", "diodes:I0_N"} < {node.fullname for node in scan.node.channels()}
    assert all(isinstance(node, ChannelNode) for node in scan.node.channels())


def test_a_measurement_group_lists_aliases_too(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [g]\naliases: [{original_name: diode3, alias_name: I3}]",
        objects="- {name: g, class: MeasurementGroup, counters: [diode, I3]}",
    )
    assert session.setup(tree=tree), session.error_report
    group = session.env_dict["g"]
    assert group.available == ["diodes:diode", "diodes:diode3"]
    group.disable("I3")
    assert group.disabled == ["diodes:diode3"]
    group.enable("diodes:I*")
    assert group.disabled == []
    assert "I3" in group.__info__()


def test_set_moves_an_alias(session: Session) -> None:
    names, aliases = session.env_dict, session.aliases
    robx, roby = names["robx"], names["robyy"]
    assert aliases.set("robyy", "robx") == "robx is now called robyy"
    assert names["robyy"] is robx and names["roby"] is roby and "robx" not in names
    aliases.set("lift", robx)
    assert names["lift"] is robx and "robyy" not in names and "robx" not in names
    assert list(aliases) == ["I0", "lift"]


def test_what_add_says(session: Session) -> None:
    names, aliases = session.env_dict, session.aliases
    assert shown(aliases.add("rox", names["robx"])) == "robx is now called rox"
    assert aliases.add("line", "mca:spectrum", verbose=False) is None
    assert names["line"] is get_config().get("spectrum")
    assert (
        shown(aliases)
        == shown(aliases.list_aliases())
        == (
            "alias  original name  kind\n"
            "-----  -------------  -------\n"
            "robyy  roby           axis\n"
            "I0     diodes:diode   counter\n"
            "rox    robx           axis\n"
            "line   mca:spectrum   counter"
        )
    )


REFUSED = {
    ("robyy", "robx"): "Alias 'robyy' already exists, it is roby: remove that first, ALIASES.remove('robyy'), or use "
    "ALIASES.set",
    ("other", "roby"): "roby already has an alias, 'robyy': ALIASES.set('other', robyy) replaces it",
    ("other", "robyy"): "'robyy' is itself an alias, of roby, and there is no alias of an alias; "
    "ALIASES.set(<new alias>, robyy) replaces it",
    ("ascan", "robx"): "Invalid alias name 'ascan': would overwrite an existing object, the function 'ascan' of the session",
    ("diode3", "robx"): "Invalid alias name 'diode3': would overwrite an existing object, the object 'diode3' of the "
    "configuration",
    ("print", "robx"): "Invalid alias name 'print': would overwrite an existing object, Python's own 'print'",
    ("rob y", "robx"): "Invalid alias name 'rob y': expected a Python name, such as robyy",
    ("class", "robx"): "Invalid alias name 'class': expected a Python name, such as robyy",
    ("other", "mca"): "expected an axis or a counter to give an alias to, got 'mca' (SimulatedDiodes)",
    ("other", 5): "expected an axis or a counter to give an alias to, got 5 (int)",
    ("other", "diodes:diod3"): "cannot give an alias to 'diodes:diod3': no counter 'diodes:diod3', did you mean "
    "'diodes:diode3'?",
}  # fmt: skip


@pytest.mark.parametrize(("alias", "obj_or_name"), REFUSED)
def test_what_is_refused(session: Session, alias: str, obj_or_name: object) -> None:
    before = dict(session.env_dict)
    with pytest.raises(SessionError) as raised:
        session.aliases.add(alias, obj_or_name)
    assert str(raised.value) == REFUSED[alias, obj_or_name]
    assert session.env_dict == before


def test_an_unknown_object_and_an_unknown_alias(session: Session) -> None:
    with pytest.raises(SessionError, match=r"cannot give an alias to 'robxx': no object 'robxx' .*mean 'robx'\?"):
        session.aliases.add("other", "robxx")
    with pytest.raises(SessionError, match=r"no alias 'roby', did you mean 'robyy'\?; there are: robyy, I0"):
        session.aliases.remove("roby")


def test_a_mistake_in_yaml_is_told_with_its_place(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [robx, roby]\n"
        "aliases:\n"
        "- {original_name: robz, alias_name: up}\n"
        "- {original_name: roby, alias_name: robyy}\n"
        "- {original_name: robx, alias_name: robyy}\n"
    )
    assert not session.setup(tree=tree)
    first, second = session.error_report.splitlines()
    assert first.startswith(
        "config/sessions/s.yml:5:3: Session 's': aliases: cannot give an alias to 'robz': no object 'robz'"
    )
    assert second.startswith(
        "config/sessions/s.yml:7:3: Session 's': aliases: Alias 'robyy' already exists, it is roby"
    )
    assert session.env_dict["robyy"] is get_config().get("roby")


def test_errors_of_an_axis_speak_of_its_alias(session: Session) -> None:
    roby = session.env_dict["robyy"]
    roby.limits = 0, 1
    with pytest.raises(ValueError, match=r"^robyy: 5 is above its high limit 1"):
        roby.move(5)
    with pytest.raises(ValueError, match=r"^robyy: velocity must be a number, got 'a'"):
        roby.velocity = "a"
    assert shown(roby).startswith("axis robyy (roby) of motors")
    assert shown(session.env_dict["I0"]).startswith("SamplingCounter I0 (diodes:diode)")


def test_aliases_of_included_sessions(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "include-sessions: [optics]\naliases: [{original_name: roby, alias_name: robyy}]",
        objects="""
        name: optics
        class: Session
        config-objects: [robx, roby]
        aliases: [{original_name: robx, alias_name: slit}]
        default-chain: [{device: diodes, acquisition_settings: {count_time: 1}}]
        """,
    )
    assert session.setup(tree=tree), session.error_report
    assert list(session.aliases) == ["slit", "robyy"]
    assert not {"robx", "roby"} & set(session.env_dict)
    assert "count_time=1" in session.default_chain.__info__()
    assert session.summary.made == ["slit", "robyy"]


def test_code_at_the_prompt_gives_and_takes_aliases(session: Session) -> None:
    session.names.run(
        compile("ALIASES.add('lift', robx); ALIASES.remove('robyy'); lift.move(1); roby.move(1)", "", "exec")
    )
    assert {"lift", "roby"} < set(session.env_dict) and not {"robx", "robyy"} & set(session.env_dict)
    with pytest.raises(ProtectedName, match="lift is protected"):
        session.names.run(compile("lift = 3", "", "exec"))


def test_no_alias_outlives_its_session(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(ALIASES)
    session.setup(tree=tree)
    names = session.env_dict
    session.close()
    assert not {"robyy", "roby", "I0", "diode", "ALIASES"} & set(names)
    assert list(session.aliases) == [] and get_config().aliases == {}
    get_config().close()
    plain = make_session("config-objects: [roby, diode]")
    plain.setup(tree=tree)
    scan = plain.env_dict["ascan"](plain.env_dict["roby"], 0, 1, 1, 0, plain.env_dict["diode"])
    assert {"axis:roby", "diodes:diode"} < {node.fullname for node in scan.node.channels()}
