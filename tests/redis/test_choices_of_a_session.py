"""What a session remembers, on a real server: after a restart, and while another process changes it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bliss_like.config import Config, get_config
from bliss_like.data.node import get_node
from bliss_like.data.server import EmbeddedServer
from bliss_like.scanning.environment import environment
from bliss_like.session import Session, load_session
from tests.places import data_of_test, scans_of
from tests.waiting import wait_until

PROJECT = Path(__file__).parents[2]

YAML = """
- {name: motors, class: SimulatedMotors, axes: [{name: robx}, {name: roby}]}
- {name: diodes, class: SimulatedDiodes, counters: [{name: diode, value: 5}, {name: diode2}]}
- {name: first, class: MeasurementGroup, counters: [diodes]}
- {name: second, class: MeasurementGroup, counters: [diode]}
- name: s
  class: Session
  config-objects: [robx, roby, diode, diode2, first, second]
  aliases: [{original_name: roby, alias_name: robyy}, {original_name: "diodes:diode", alias_name: I0}]
- {name: t, class: Session, config-objects: [first, second]}
"""

AT_A_PROMPT = """
import sys
from bliss_like.session import load_session
session = load_session(sys.argv[1])
assert session.setup(), session.error_report
exec(sys.argv[2], session.env_dict)
session.close()
"""


@pytest.fixture(autouse=True)
def config(short_directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Config]:
    (short_directory / "config").mkdir()
    (short_directory / "config" / "all.yml").write_text(YAML)
    monkeypatch.setenv("BLISS_LIKE_HOME", str(short_directory / "here"))
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(short_directory / "config"))
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    config = get_config(short_directory / "config")
    yield config
    config.close()


@pytest.fixture
def session(redis_server: EmbeddedServer) -> Iterator[Session]:
    session = load_session("s")
    assert session.setup(), session.error_report
    yield session
    session.close()


def at_a_prompt(code: str, session: str = "s") -> str:
    """Run code in a session of another process; return what it prints."""
    return run(AT_A_PROMPT, session, code)


def run(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


CHANGE = """
first.switch_state("night")
first.disable("I0")
second.set_active()
SCAN_SAVING.sample = "0001"
SCAN_SAVING.template = "{session}/{sample}"
"""

SHOW = """
import json
print(json.dumps([first.active_state_name, first.disabled, ACTIVE_MG.name, SCAN_SAVING.get_path()]))
"""


def test_a_restart(redis_server: EmbeddedServer) -> None:
    at_a_prompt(CHANGE)
    shown: Any = json.loads(at_a_prompt(SHOW))
    assert shown == ["night", ["diodes:diode"], "second", f"{data_of_test()}/s/0001"]
    shown = json.loads(at_a_prompt(SHOW, session="t"))
    assert shown == ["default", [], "first", f"{data_of_test()}/t"]


FROM_OUTSIDE = """
from bliss_like.config.settings import SimpleSetting
SimpleSetting("s:measurement_group:first").set({"active": "night", "disabled": {"default": [], "night": ["diodes:diode2"]}})
SimpleSetting("s:active_measurementgroup").set("second")
SimpleSetting("s:scan_saving").set({"sample": "0001", "template": "{session}/{sample}"})
"""


def test_another_process_is_seen_at_once(session: Session) -> None:
    first = session.env_dict["first"]
    assert (first.disabled, first.active_state_name) == ([], "default")
    assert environment.container() == scans_of("s")
    run(FROM_OUTSIDE)
    wait_until(lambda: first.disabled == ["diodes:diode2"] and first.active_state_name == "night")
    wait_until(lambda: environment.container() == f"{scans_of('s')}:0001")
    wait_until(lambda: session.env_dict["ACTIVE_MG"].name == "second")
    scan = session.env_dict["ct"](0)
    assert {node.fullname for node in scan.node.channels() if node.fullname.startswith("diodes")} == {"diodes:I0"}


FIFTY_STATES = """
from bliss_like.config.settings import SimpleSetting
setting = SimpleSetting("s:measurement_group:first")
for n in range(50):
    setting.update(lambda stored: {**stored, "disabled": {**stored["disabled"], f"there{n}": []}})
"""


def test_two_processes_lose_nothing(session: Session) -> None:
    first = session.env_dict["first"]
    first.switch_state("here")
    with subprocess.Popen([sys.executable, "-c", FIFTY_STATES]) as other:
        wait_until(lambda: "there0" in first.state_names)
        for number in range(50):
            first.switch_state(f"here{number}")
        assert other.wait(60) == 0
    wait_until(lambda: len(first.state_names) == 102)


def test_a_listener_finds_the_aliases_in_the_nodes(session: Session, redis_server: EmbeddedServer) -> None:
    names = session.env_dict
    scan = names["ascan"](names["robyy"], 0, 1, 1, 0, names["I0"])
    node = get_node(scan.path)
    assert node is not None
    channels = {channel.fullname: channel.db_name for channel in node.channels()}
    assert channels["axis:robyy"] == f"{scan.path}:axis:robyy"
    assert channels["diodes:I0"] == f"{scan.path}:axis:timer:diodes:I0"
    assert "axis:robyy" in node.info["channels"] and node.info["title"] == "ascan robyy 0 1 1 0"


CHOICE = """
from bliss_like.config.settings import SimpleSetting
print(SimpleSetting("s:plotselect").get(), SimpleSetting("s:plotinit").get())
"""


def test_what_is_plotted(session: Session) -> None:
    names = session.env_dict
    names["plotselect"](names["I0"], "later*")
    names["plotinit"]("*diode2")
    assert run(CHOICE) == "['diodes:I0', 'later*'] ['*diode2']\n"
    scans = [names["loopscan"](1, 0, names["I0"], names["diode2"]) for _ in range(2)]
    told = [scan.node.info["display_extra"]["plotselect"] for scan in scans]
    assert told == [["*diode2"], ["diodes:I0", "later*"]]
    assert (
        at_a_prompt("from bliss_like.common.plot import get_plotted_counters\nprint(get_plotted_counters())", "t")
        == "[]\n"
    )
    session.close()
    assert at_a_prompt("from bliss_like.common.plot import get_plotted_counters\nprint(get_plotted_counters())") == (
        "['diodes:I0', 'later*']\n"
    )
