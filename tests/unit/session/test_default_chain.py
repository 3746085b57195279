"""How devices take part in the standard scans of a session: as YAML says, as set at the prompt, for one scan."""

from __future__ import annotations

import pytest

from bliss_like.config import get_config
from bliss_like.data.tree import Tree
from bliss_like.errors import ChainError, ConfigError
from bliss_like.session import Session
from bliss_like.shell.display import shown

from .conftest import MakeSession

CHAIN = """
config-objects: [diode, mca, first_mg]
aliases: [{original_name: diode, alias_name: I0}]
default-chain:
- device: $I0
  acquisition_settings: {count_time: 0.02}
- {device: 'mca:spectrum', acquisition_settings: {count_time: 0.01}}
"""


@pytest.fixture
def session(make_session: MakeSession, tree: Tree) -> Session:
    session = make_session(CHAIN)
    assert session.setup(tree=tree), session.error_report
    return session


def count_time(session: Session, **keywords: object) -> float:
    """Return for how long the diodes count in a scan of 0 s."""
    scan = session.env_dict["loopscan"](1, 0, session.env_dict["I0"], run=False, **keywords)
    (slave,) = (node for node in scan.acq_chain.nodes_list if node.name == "diodes")
    return slave.count_time  # type: ignore[no-any-return]


def test_the_settings_of_yaml(session: Session) -> None:
    assert count_time(session) == 0.02
    assert shown(session.env_dict["DEFAULT_CHAIN"]) == (
        "DEFAULT_CHAIN\n"
        "controller  acquisition settings  triggered by\n"
        "----------  --------------------  ------------\n"
        "diodes      count_time=0.02       timer\n"
        "mca         count_time=0.01       timer"
    )


def test_a_session_is_loaded_without_making_devices(make_session: MakeSession) -> None:
    session = make_session("default-chain: [{device: $nobody}]")
    assert session.written.default_chain[0].device == "$nobody"


def test_the_settings_of_the_prompt_take_their_place(session: Session) -> None:
    chain = session.env_dict["DEFAULT_CHAIN"]
    chain.set_settings([{"device": session.env_dict["I0"], "acquisition_settings": {"count_time": 0.03}}])
    assert count_time(session) == 0.03
    chain.reset()
    assert count_time(session) == 0
    assert shown(chain) == "DEFAULT_CHAIN: no settings; the timer triggers every controller"


def test_a_list_of_the_configuration(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [diode]\naliases: [{original_name: diode, alias_name: I0}]",
        objects="""
        name: default_chain
        plugin: default
        chain_config: [{device: $diode, acquisition_settings: {count_time: 0.04, more: {a: 1}}}]
        """,
    )
    assert session.setup(tree=tree), session.error_report
    session.default_chain.set_settings(get_config().get_config("default_chain")["chain_config"])
    assert "count_time=0.04, more={'a': 1}" in shown(session.default_chain)


def test_settings_of_one_scan(session: Session) -> None:
    diode = session.env_dict["I0"]
    assert count_time(session, chain_settings=[{"device": diode, "acquisition_settings": {"count_time": 0.05}}]) == 0.05
    assert count_time(session, chain_settings=[{"device": diode}]) == 0
    assert count_time(session, chain_settings=[]) == count_time(session) == 0.02
    with pytest.raises(ChainError, match="expected device, and perhaps .*, got device, acquisition_setings"):
        count_time(session, chain_settings=[{"device": diode, "acquisition_setings": {}}])
    with pytest.raises(ChainError, match="expected a list of dicts with device.*, got {'device': "):
        count_time(session, chain_settings={"device": diode})


def test_every_scan_takes_them(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [robx, roby, diode]")
    session.setup(tree=tree)
    names = session.env_dict
    x, y, diode = names["robx"], names["roby"], names["diode"]
    settings = [{"device": diode, "acquisition_settings": {"count_time": 0.01}}]
    for command, arguments in {
        "ct": (0,), "sct": (0,), "timescan": (0,), "loopscan": (1, 0),
        "ascan": (x, 0, 1, 1, 0), "dscan": (x, 0, 1, 1, 0), "a2scan": (x, 0, 1, y, 0, 1, 1, 0),
        "d2scan": (x, 0, 1, y, 0, 1, 1, 0), "anscan": ([(x, 0, 1)], 1, 0), "dnscan": ([(x, 0, 1)], 1, 0),
        "amesh": (x, 0, 1, 1, y, 0, 1, 1, 0), "dmesh": (x, 0, 1, 1, y, 0, 1, 1, 0),
        "lookupscan": ([(x, [0, 1])], 0), "pointscan": (x, [0, 1], 0),
    }.items():  # fmt: skip
        scan = names[command](*arguments, diode, run=False, chain_settings=settings)
        (slave,) = (node for node in scan.acq_chain.nodes_list if node.name == "diodes")
        assert slave.count_time == 0.01, command


def test_what_is_wrong_in_yaml(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [diode, robx]\n"
        "default-chain:\n"
        "- {device: $diodde}\n"
        "- {device: diode, master: diodes}\n"
        "- {device: diode, acquisition_settings: {count_time: 0.02}}\n"
        "- {device: robx}\n"
    )
    assert not session.setup(tree=tree)
    place = "config/sessions/s.yml:{}:3: Session 's': default-chain: "
    starts = [
        place.format(5) + "no object 'diodde'",
        place.format(6) + "settings of the default chain: diodes would be triggered by itself",
        place.format(8) + "'robx' is no counter and has none: Axis",
    ]
    lines = session.error_report.splitlines()
    assert len(lines) == 3
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(start)
    assert "count_time=0.02" in shown(session.default_chain)


def test_a_rate_of_its_own(make_session: MakeSession, tree: Tree) -> None:
    session = make_session("config-objects: [diode]\ndefault-chain: [{device: $diode, every: 0.5}]")
    assert session.setup(tree=tree), session.error_report
    assert "a timer of its own, every 0.5 s" in session.default_chain.__info__()
    scan = session.env_dict["loopscan"](2, 0, session.env_dict["diode"])
    assert [top.name for top in scan.acq_chain.top_masters] == ["timer", "timer_0.5s"]


def test_a_rate_that_is_none(make_session: MakeSession, tree: Tree) -> None:
    with pytest.raises(ConfigError, match="every"):
        make_session("default-chain: [{device: $diode, every: -1}]").setup(tree=tree)
