"""What `config check` says of sessions and measurement groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.config.check import check
from bliss_like.config.survey import open_survey
from bliss_like.session.namespace import STANDARD_NAMES, standard_names
from bliss_like.session.session import Session

DEVICES = """
- name: motors
  class: SimulatedMotors
  axes: [{name: robx}, {name: roby}]
- name: diodes
  class: SimulatedDiodes
  counters: [{name: diode}, {name: diode2}]
- name: camera
  class: SimulatedCamera
"""


class Beamline:
    def __init__(self, root: Path) -> None:
        self.root = root

    def errors(self, **files: str) -> list[str]:
        """Write files; return what is wrong, without the file's name."""
        for name, text in {"devices": DEVICES, **files}.items():
            (self.root / f"{name}.yml").write_text(text)
        survey = open_survey(self.root)
        return [str(error).replace(f"{self.root}/", "") for error in check(survey.tree, survey.root)]


@pytest.fixture
def beamline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Beamline:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "config").mkdir()
    return Beamline(tmp_path / "config")


WRONG_SESSIONS = {
    "config-objects: [robx, rboy]": "3:24: Session 'eh1': config-objects: no object 'rboy', did you mean 'roby'?",
    "config-objects: ['q*']": "3:18: Session 'eh1': config-objects: no object 'q*'",
    "config-objects: [eh2]": "3:18: Session 'eh1': config-objects: 'eh2' is a session; a session lists objects, other "
    "sessions go to include-sessions",
    "exclude-objects: [rboz]": "3:19: Session 'eh1': exclude-objects: no object 'rboz'",
    "setup-file: eh1.py": "3:1: Session 'eh1': setup-file: no file 'eh1.py'; looked for eh1.py, {root}/eh1.py",
    "config-objects: ['*', ascan]": "3:18: Session 'eh1': config-objects: object 'ascan' would hide the standard 'ascan': "
    "give it another name in the configuration",
    "config-objects: diode": "3:1: Session 'eh1': config-objects: expected a list, came 'diode'",
}


@pytest.mark.parametrize("line", WRONG_SESSIONS)
def test_wrong_sessions(beamline: Beamline, line: str) -> None:
    errors = beamline.errors(
        eh1=f"name: eh1\nclass: Session\n{line}\n",
        eh2="name: eh2\nclass: Session",
        extra="name: ascan\nclass: SimulatedCamera",
    )
    assert errors == [f"eh1.yml:{WRONG_SESSIONS[line].replace('{root}', str(beamline.root.parent))}"]


def test_a_session_that_is_right(beamline: Beamline) -> None:
    (beamline.root.parent / "eh1.py").touch()
    text = "name: eh1\nclass: Session\nsetup-file: ./eh1.py\nconfig-objects: [rob*, camera]\nexclude-objects: [roby]\n"
    assert beamline.errors(eh1=text) == []
    survey = open_survey(beamline.root)
    assert Session.names_made(survey.entries["eh1"].node, survey) == ["robx", "camera"]


WRONG_GROUPS = {
    "[diode, diod]": "3:19: MeasurementGroup 'mg': counters: no counter 'diod', did you mean 'diode'?",
    "[robx]": "3:12: MeasurementGroup 'mg': counters: 'robx' is no counter and has none: Axis",
    "[motors]": "3:12: MeasurementGroup 'mg': counters: 'motors' is no counter and has none: SimulatedMotors",
    "['diodes:diod2']": "3:12: MeasurementGroup 'mg': counters: no counter 'diodes:diod2', did you mean 'diodes:diode2'?",
    "[]": "3:1: MeasurementGroup 'mg': counters: expected at least 1 in the list, came []",
}


@pytest.mark.parametrize("counters", WRONG_GROUPS)
def test_wrong_groups(beamline: Beamline, counters: str) -> None:
    errors = beamline.errors(mg=f"name: mg\nclass: MeasurementGroup\ncounters: {counters}\n")
    assert errors == [f"mg.yml:{WRONG_GROUPS[counters]}"]


def test_a_group_that_is_right(beamline: Beamline) -> None:
    counters = "[diode, diodes, 'diodes:diode2', camera, 'camera:image']"
    assert beamline.errors(mg=f"name: mg\nclass: MeasurementGroup\ncounters: {counters}\n") == []


def test_the_standard_names_are_those_of_a_session(beamline: Beamline) -> None:
    beamline.errors(eh1="name: eh1\nclass: Session")
    session = Session("eh1", Session.Config(name="eh1"))
    assert set(standard_names(session)) == STANDARD_NAMES
