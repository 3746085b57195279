"""What `config check` says of sessions and measurement groups."""

from __future__ import annotations

from pathlib import Path

import pytest

from bliss_like.config.check import check
from bliss_like.config.survey import open_survey
from bliss_like.data.tree import Tree
from bliss_like.session.namespace import STANDARD_NAMES
from bliss_like.session.session import Session

from .conftest import MakeSession

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
    "config-objects: [eh2]": "3:18: Session 'eh1': config-objects: 'eh2' is a session; to have all that it has, "
    "write it in include-sessions",
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


WRONG_INCLUSIONS = {
    "[eh3]": "3:20: Session 'eh1': include-sessions: no session 'eh3', did you mean 'eh2'?",
    "[optics]": "3:20: Session 'eh1': include-sessions: no session 'optics'; there are: eh2",
    "[robx]": "3:20: Session 'eh1': include-sessions: 'robx' is no session but an axis: write it in config-objects",
    "[camera]": "3:20: Session 'eh1': include-sessions: 'camera' is no session but a SimulatedCamera: write it in "
    "config-objects",
    "[eh1]": "3:20: Session 'eh1': include-sessions: sessions that include each other: eh1 -> eh1; take one of them out",
    "[eh2, eh2]": "3:25: Session 'eh1': include-sessions: 'eh2' is included twice: eh1 -> eh2 and eh1 -> eh2; "
    "once is enough",
}


@pytest.mark.parametrize("names", WRONG_INCLUSIONS)
def test_wrong_inclusions(beamline: Beamline, names: str) -> None:
    errors = beamline.errors(
        eh1=f"name: eh1\nclass: Session\ninclude-sessions: {names}\n", eh2="name: eh2\nclass: Session"
    )
    assert errors == [f"eh1.yml:{WRONG_INCLUSIONS[names]}"]


def sessions(**included: str) -> dict[str, str]:
    return {name: f"name: {name}\nclass: Session\ninclude-sessions: {names}\n" for name, names in included.items()}


def test_a_circle_of_sessions_is_told_once(beamline: Beamline) -> None:
    assert beamline.errors(**sessions(a="[b]", b="[c]", c="[a]", d="[a]")) == [
        (
            "a.yml:3:20: Session 'a': include-sessions: sessions that include each other: a -> b -> c -> a; "
            "take one of them out"
        )
    ]


def test_a_session_that_is_included_on_two_ways(beamline: Beamline) -> None:
    assert beamline.errors(**sessions(a="[b, c]", b="[d]", c="[d]", d="[]")) == [
        "a.yml:3:23: Session 'a': include-sessions: 'd' is included twice: a -> b -> d and a -> c -> d; once is enough"
    ]


WRONG_ALIASES = {
    "robxx, x": "original_name: no object 'robxx', did you mean 'robx'?",
    "motors, x": "original_name: expected an axis or a counter to give an alias to, 'motors' is a SimulatedMotors",
    "robx, roby": "alias_name: 'roby' is already taken by axis 'roby' in devices.yml:4:24; choose another name",
    "robx, ascan": "alias_name: 'ascan' is already taken by the standard 'ascan'; choose another name",
    "robx, print": "alias_name: 'print' is already taken by a name of Python's own; choose another name",
    "robx, 2x": "alias_name: expected a Python name, such as robyy, came '2x'",
}


@pytest.mark.parametrize("pair", WRONG_ALIASES)
def test_wrong_aliases(beamline: Beamline, pair: str) -> None:
    original, alias = pair.split(", ")
    aliases = f"aliases: [{{original_name: {original}, alias_name: {alias}}}]"
    (error,) = beamline.errors(eh1=f"name: eh1\nclass: Session\n{aliases}\n")
    assert error.partition(" Session 'eh1': ")[2] == f"aliases.0.{WRONG_ALIASES[pair]}"


def test_aliases_of_the_same(beamline: Beamline) -> None:
    aliases = "\n".join(f"  - {{original_name: {of}, alias_name: {alias}}}" for of, alias in ("xx", "xy", "yx"))
    errors = beamline.errors(
        eh1=f"name: eh1\nclass: Session\naliases:\n{aliases}\n".replace(": x,", ": robx,").replace(": y,", ": roby,")
    )
    assert errors == [
        "eh1.yml:5:6: Session 'eh1': aliases.1.original_name: 'robx' has an alias already, 'x'",
        "eh1.yml:6:27: Session 'eh1': aliases.2.alias_name: 'x' is already taken by the alias of 'robx'; choose another name",
    ]


def test_aliases_and_full_names_that_are_right(beamline: Beamline) -> None:
    pairs = (("robx", "x"), ("diodes:diode", "i0"))
    aliases = "\n".join(f"  - {{original_name: '{of}', alias_name: {alias}}}" for of, alias in pairs)
    group = "name: mg\nclass: MeasurementGroup\ncounters: [i0, diode2]\n"
    assert beamline.errors(eh1=f"name: eh1\nclass: Session\naliases:\n{aliases}\n", mg=group) == []


WRONG_INCLUDES = {
    "[mgg]": "include: no measurement group 'mgg', did you mean 'mg'?",
    "[diode]": "include: 'diode' is no measurement group: counters and controllers go to 'counters'",
    "[mg]": "include: groups that include each other: mg -> mg; take one of them out",
}


@pytest.mark.parametrize("names", WRONG_INCLUDES)
def test_wrong_included_groups(beamline: Beamline, names: str) -> None:
    (error,) = beamline.errors(mg=f"name: mg\nclass: MeasurementGroup\ninclude: {names}\n")
    assert error == f"mg.yml:3:11: MeasurementGroup 'mg': {WRONG_INCLUDES[names]}"


def test_a_reference_to_nothing_in_the_default_chain(beamline: Beamline) -> None:
    (error,) = beamline.errors(eh1="name: eh1\nclass: Session\ndefault-chain: [{device: $diod}]\n")
    told = "default-chain.0.device: no object 'diod', did you mean 'diode'?"
    assert error == f"eh1.yml:3:18: Session 'eh1': {told}".replace(f"{beamline.root}/", "")


WRONG_TEMPLATES = {
    "{sesion}": "nothing is known of 'sesion' in '{sesion}', did you mean 'session'?",
    "{sample}": "nothing is known of 'sample' in '{sample}' (known: session, user, date, policy, writer, writer_options, "
    "data_filename, images_path_template, images_prefix, date_format, scan_number_format, directory_mode, min_free_mb, "
    "warn_free_mb, base_path); set SCAN_SAVING.sample first",
    "{}": "write a name in the braces of '{}', as in {session}",
    "{session": "expected '}' before end of string in '{session'",
}


@pytest.mark.parametrize("template", WRONG_TEMPLATES)
def test_wrong_templates(beamline: Beamline, template: str) -> None:
    (error,) = beamline.errors(eh1=f"name: eh1\nclass: Session\nscan_saving: {{template: '{template}'}}\n")
    assert error == f"eh1.yml:3:15: Session 'eh1': scan_saving.template: {WRONG_TEMPLATES[template]}"


def test_what_would_be_made_is_what_is_made(make_session: MakeSession, tree: Tree) -> None:
    session = make_session(
        "config-objects: [robx, 'diode*']\nexclude-objects: [diodes, spectrum]\ninclude-sessions: [other]",
        objects="- {name: other, class: Session, config-objects: [mca, 'sp*', first_mg], exclude-objects: [roby]}",
    )
    survey = open_survey("config")
    names = Session.names_made(survey.entries["s"].node, survey)
    assert names == ["mca", "first_mg", "robx", "diode", "diode2", "diode3"]
    assert session.setup(tree=tree), session.error_report
    assert session.object_names == names


def test_the_standard_names_are_those_of_a_session(make_session: MakeSession, tree: Tree) -> None:
    session = make_session()
    assert session.setup(tree=tree), session.error_report
    at_the_prompt = {"exit", "quit", "help", "last_error", "ERROR_REPORT"}
    assert set(session.names.given) | at_the_prompt == STANDARD_NAMES


WRONG_SAVING = {
    "{policy: esrf}": "scan_saving: missing key 'beamline'",
    "{policy: esfr}": "scan_saving.policy: expected one of basic, esrf, came 'esfr', did you mean 'esrf'?",
    "{policy: [esrf]}": "scan_saving.policy: expected text, came ['esrf']",
    "{policy: esrf, beamlin: id00}": "scan_saving: unknown key 'beamlin', did you mean 'beamline'?",
    "{policy: esrf, beamline: id00, template: '{proposal_nam}'}": "scan_saving.template: nothing is known of "
    "'proposal_nam' in '{proposal_nam}', did you mean 'proposal_name'?",
    "{policy: esrf, beamline: id00, template: '{session}'}": "scan_saving.template: expected {dataset_name} after its "
    "last '/': each has its own directory; came '{session}'",
    "{writer: hdf5}": "scan_saving.writer: expected one of nexus, null, came 'hdf5', BLISS' 'hdf5' is 'nexus' here",
    "{min_free_mb: lots}": "scan_saving.min_free_mb: expected a number, came 'lots'",
    "{base_path: data}": "scan_saving.base_path: expected an absolute path, came 'data'",
    "{directory_mode: '077'}": "scan_saving.directory_mode: expected permissions in octal that let their owner in, such as "
    "'2770', came '077'",
    "{template: '{data_filename}', data_filename: '{template}'}": "scan_saving: templates that need each other: "
    "data_filename -> template -> data_filename; write one of them without the other",
    "nexus": "scan_saving: expected keys and values, came 'nexus'",
}


@pytest.mark.parametrize("written", WRONG_SAVING)
def test_wrong_keys_of_saving(beamline: Beamline, written: str) -> None:
    (error,) = beamline.errors(eh1=f"name: eh1\nclass: Session\nscan_saving: {written}\n")
    assert error.partition("Session 'eh1': ")[2] == WRONG_SAVING[written]


@pytest.mark.parametrize(
    "written",
    ["{writer: null}", "{policy: esrf, beamline: id00, writer_options: {compression: none}}", "{policy: basic}"],
)
def test_keys_of_saving(beamline: Beamline, written: str) -> None:
    assert beamline.errors(eh1=f"name: eh1\nclass: Session\nscan_saving: {written}\n") == []


def test_a_name_in_the_toolbar_that_nothing_has(beamline: Beamline) -> None:
    (error,) = beamline.errors(eh1="name: eh1\nclass: Session\ntoolbar: [diode, diod, user.current]\n")
    assert error == "eh1.yml:3:18: Session 'eh1': toolbar: no object 'diod', did you mean 'diode'?"


def test_a_function_for_the_logbook_that_nothing_has(beamline: Beamline) -> None:
    (error,) = beamline.errors(
        eh1="name: eh1\nclass: Session\nlogbook: {send_to: ['os.path:exists', 'os.path:exits']}\n"
    )
    assert error.startswith(
        "eh1.yml:3:39: Session 'eh1': logbook.send_to: os.path:exits cannot be imported: AttributeError"
    )
