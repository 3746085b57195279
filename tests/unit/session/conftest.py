"""Sessions on real controllers, publishing to a store in memory."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bliss_like.config import get_config
from bliss_like.data.store import MemoryStore
from bliss_like.data.tree import Tree
from bliss_like.session import Session, current_session, load_session

OBJECTS = """
- name: motors
  class: SimulatedMotors
  axes: [{name: robx}, {name: roby}]
- name: diodes
  class: SimulatedDiodes
  counters: [{name: diode, value: 5}, {name: diode2}, {name: diode3}]
- name: mca
  class: SimulatedDiodes
  counters: [{name: spectrum}]
- {name: first_mg, class: MeasurementGroup, counters: [diode2, diode]}
- {name: second_mg, class: MeasurementGroup, counters: [diodes, 'mca:spectrum']}
"""

MakeSession = Callable[..., Session]


@pytest.fixture
def tree() -> Tree:
    return Tree(MemoryStore())


@pytest.fixture(scope="session")
def cache_of_the_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the YAML files that come with the project are kept parsed: they do not change in a run of the tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def make_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeSession]:
    """A function that writes the session `s` below ./config, beside some objects, and loads it.

    :param keys: YAML of the session, after its name and class.
    :param setup: text of the setup file, config/sessions/s_setup.py.
    :param objects: YAML of further objects.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("BLISS_LIKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LOGNAME", "ada")  # which getpass looks at first

    def write_and_load(keys: str = "", setup: str = "", objects: str = "") -> Session:
        directory = tmp_path / "config" / "sessions"
        directory.mkdir(parents=True, exist_ok=True)
        (directory.parent / "objects.yml").write_text(OBJECTS)
        (directory.parent / "more.yml").write_text(textwrap.dedent(objects))
        (directory / "s.yml").write_text("name: s\nclass: Session\n" + textwrap.dedent(keys))
        (directory / "s_setup.py").write_text(textwrap.dedent(setup))
        return load_session("s", get_config("config"))

    yield write_and_load
    if current_session:
        current_session.close()
    get_config().close()
