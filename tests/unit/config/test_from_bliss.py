"""`config check --from-bliss`: a beamline of BLISS works here afterwards, and nothing of its text is lost."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bliss_like.config.check import check
from bliss_like.config.from_bliss import Conversion, convert, write
from bliss_like.config.spans import Edits, read
from bliss_like.config.survey import open_survey
from bliss_like.errors import ConfigError

from .bliss_beamline import FILES

One = Callable[[str], tuple[str, list[str]]]


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.fixture
def beamline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return written(tmp_path / "bliss", FILES)


@pytest.fixture
def one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> One:
    """A function that converts a single file; returns its new text and what was said."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def one(text: str) -> tuple[str, list[str]]:
        conversion = convert(written(tmp_path / "bliss", {"a.yml": text}))
        said = [sentence for report in conversion.reports for sentence in report.changes or [report.gone]]
        return conversion.files.get(Path("a.yml"), (text, text))[1], said

    return one


def said(conversion: Conversion) -> dict[str, list[str]]:
    return {report.label: report.changes or [report.gone] for report in conversion.reports}


def test_what_is_written_passes_the_check(beamline: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in beamline.rglob("*") if path.is_file()}
    write(convert(beamline), tmp_path / "new")
    survey = open_survey(tmp_path / "new")
    assert check(survey.tree, survey.root) == []
    assert {"robz", "roby", "th", "s1f", "s1b", "diode", "diode2", "diode3", "mg1", "eh1", "eh2"} <= set(survey.names)
    assert {path: path.read_bytes() for path in beamline.rglob("*") if path.is_file()} == before


def test_no_word_is_lost(beamline: Path) -> None:
    """Each key and value that was there is there: as it was, in a comment, or named as replaced."""
    replaced = {"icepap", "simulation_diode", "mockup", "Mockup", "simulation_diode_sampling_controller"}
    replaced |= {"class", "ESRFScanSaving"}  # policy: esrf
    for old, new in convert(beamline).files.values():
        for line in old.splitlines():
            words = set(re.findall(r"[\w.$*/-]+", line)) - replaced
            lost = {word for word in words if word not in new}
            assert {word for word in lost if not word.startswith("bliss")} == set(), line


def test_what_is_said(beamline: Path) -> None:
    reports = said(convert(beamline))
    assert reports["mockup"] == [
        "class: mockup -> SimulatedMotors",
        "name: simulated_motors_2 added: every object has a name",
        "host: unknown to its class here, kept as a comment",
        "th: motion_hooks: $air, $brake: nothing of that name is here; a comment now",
    ]
    assert reports["icepap"] == ["class: icepap -> IcePAP", "name: ice_pap added: every object has a name"]
    assert reports["slits"] == ["class: slits -> Slits", "name: slits added: every object has a name"]
    assert reports["MeasurementGroup 'mg_wago'"] == ["nothing of its counters is here"]
    assert reports["Session 'eh1'"] == [
        "config-objects: eh2: a session, not an object; a comment now",
        "synoptic: not yet here, kept as a comment",
    ]
    assert reports["object 'sample_info'"] == [""]


def test_imports_of_setup_files(beamline: Path) -> None:
    conversion = convert(beamline)
    _, new = conversion.files[Path("sessions/eh1_setup.py")]
    assert (
        "# not needed, the names are there: from bliss.setup_globals import *\nfrom bliss_like.common.scans import"
        in new
    )
    assert [str(remark).partition(": ")[2] for remark in conversion.remarks] == [
        "imports of bliss -> bliss_like, in lines 3, 4; look whether each name is here"
    ]


MOTORS = "class: Mockup\nname: m\naxes:\n  - name: x\n"

CONVERTED = {
    "- {name: a, class: Session, config-objects: []}\n": "- {name: a, class: Session, config-objects: []}\n",
    "- {name: m, class: Mockup, axes: [{name: x, display_digits: 1, unit: mm}]}  # two\n": "- {name: m, class: SimulatedMotors, "
    "axes: [{name: x, unit: mm}]}  # two  # not yet here: display_digits: 1\n",
    "- {name: m, class: Mockup, axes: [{name: x, display_digits: 1, persistent_position: 2}]}\n": "- {name: m, class: SimulatedMotors, "
    "axes: [{name: x, }]}  # not yet here: display_digits: 1  # not yet here: persistent_position: 2\n",
    f"{MOTORS}    display_digits: 1\n    unit: mm\n": "class: SimulatedMotors\nname: m\naxes:\n  - name: x\n"
    "    # not yet here: display_digits: 1\n    unit: mm\n",
    "- plugin: emotion\n  class: mockup\n  axes:\n  - display_digits: 1\n    name: x": "- name: simulated_motors\n"
    "  plugin: emotion\n  class: SimulatedMotors\n  axes:\n  - # not yet here: display_digits: 1\n    name: x",
    f"{MOTORS}    disabled_cache:\n      kp: 1\n\n      ki: 2\n# end\n": "class: SimulatedMotors\nname: m\naxes:\n"
    "  - name: x\n    # not yet here: disabled_cache:\n    #   kp: 1\n\n    #   ki: 2\n# end\n",
    f"{MOTORS}    note: |\n      two\n      lines\n\n    unit: mm\n": "class: SimulatedMotors\nname: m\naxes:\n  - name: x\n"
    "    # unknown here: note: |\n    #   two\n    #   lines\n\n    unit: mm\n",
    "class: Galil\naxes:\n  - name: x\n": "# not yet here: class: Galil\n# not yet here: axes:\n#   - name: x\n",
}


@pytest.mark.parametrize("text", CONVERTED)
def test_texts(one: One, text: str) -> None:
    converted, _ = one(text)
    assert converted == CONVERTED[text]


def test_what_works_as_it_is_stays(one: One) -> None:
    text = "- name: motors   # all of them\n  class: SimulatedMotors\n  axes: [{name: x}]\n"
    assert one(text) == (text, [""])


def test_what_needs_something_that_is_not_here(one: One) -> None:
    text = (
        "- {name: g, class: Galil, axes: [{name: x}]}\n"
        "- {name: cam, class: SimulatedCamera, axis_x: $x}\n"
        "- {name: beam, class: GaussianDetector, counters: [{name: c, axes: [$x, $y]}]}\n"
    )
    _, told = one(text)
    assert told == [
        "class Galil: not yet here",
        "axis_x: $x: nothing of that name is here; a comment now",
        "c: it needs $x, $y, which is not here; a comment now",
    ]


def test_a_regulation_is_no_controller_of_motors(one: One) -> None:
    text, _ = one(
        "- class: Mockup\n  plugin: regulation\n  inputs: [{name: thermo, channel: A}]\n"
        "- {name: l, class: SoftLoop, plugin: regulation, input: $thermo, output: $o, deadband: 1, ramp_from_pv: 1}\n"
        "- {name: o, class: ExternalOutput, plugin: regulation, device: $thermo}\n"
    )
    assert text.startswith("- name: simulated_oven\n  class: SimulatedOven\n")
    assert "class: SoftLoop, plugin: regulation, input: $thermo, output: $o, deadband: 1" in text


def test_plugins(one: One) -> None:
    text = (
        "- {name: card, plugin: ct2, class: CT2, address: 1}\n"
        "- {name: nothing, plugin: bliss}\n"
        "- {name: info, plugin: default, supplier: somebody}\n"
        "- {name: plain, supplier: somebody}\n"
    )
    converted, told = one(text)
    assert told == [
        "plugin ct2: not yet here",
        "plugin bliss: it has no class",
        "",
        "plugin: default added: it has no class, config.get gives what is written",
    ]
    assert converted.splitlines()[2:] == [text.splitlines()[2], "- {name: plain, supplier: somebody, plugin: default}"]


def test_a_class_of_ones_own(one: One) -> None:
    own = "- {name: lamp, class: Lamp, package: tests.unit.config.beamline.devices, velocity: 2}\n"
    assert one(own) == (own, [""])
    _, told = one(own.replace("class: Lamp", "class: Undeclared"))
    assert told == [
        "class Undeclared of tests.unit.config.beamline.devices has to be ported: it needs a Config, see docs/devices.md"
    ]
    _, told = one("- {name: lamp, class: Lamp, package: id99.devices}\n")
    assert told == [
        (
            "class Lamp: the class of id99.devices has to be ported (no package 'id99.devices'; is it installed, or its "
            "directory on Python's path?)"
        )
    ]


def test_a_motor_driver_in_the_style_of_bliss_keeps_its_keys(one: One) -> None:
    text = "- {class: Stage, package: tests.bliss_style, name: s, host: h, axes: [{name: x, channel: 1, odd: 2}]}\n"
    new, told = one(text)
    assert (new, told) == (text, [""])


@pytest.mark.parametrize("file", ["__init__.yml", "eh1.yml"])
def test_a_data_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    session = "name: eh1\nclass: Session\nconfig-objects: []\n"
    policy = "scan_saving:\n  class: ESRFScanSaving\n  beamline: id00\n  scan_saving_strict: true\n"
    files = {"eh1.yml": session, "__init__.yml": "institute: ESRF\n"}
    conversion = convert(written(tmp_path / "bliss", {**files, file: files[file] + policy}))
    assert conversion.files[Path(file)][1] == files[file] + (
        "scan_saving:\n  policy: esrf\n  beamline: id00\n  # unknown here: scan_saving_strict: true\n"
    )
    write(conversion, tmp_path / "new")
    survey = open_survey(tmp_path / "new")
    assert check(survey.tree, survey.root) == []


@pytest.mark.parametrize("file", ["__init__.yml", "eh1.yml"])
def test_a_policy_that_is_not_here_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    session = "name: eh1\nclass: Session\nconfig-objects: []\n"
    policy = "scan_saving:\n  class: SoleilScanSaving\n  beamline: id00\n"
    files = {"eh1.yml": session, "__init__.yml": "institute: ESRF\n"}
    conversion = convert(written(tmp_path / "bliss", {**files, file: files[file] + policy}))
    assert conversion.files[Path(file)][1] == files[file] + (
        "# unknown here: scan_saving:\n#   class: SoleilScanSaving\n#   beamline: id00\n"
    )
    write(conversion, tmp_path / "new")
    survey = open_survey(tmp_path / "new")
    assert check(survey.tree, survey.root) == []


def test_a_file_that_is_no_yaml_is_told_and_copied(tmp_path: Path) -> None:
    root = written(tmp_path / "bliss", {"a.yml": "name: [", "b.yml": "name: a\nname: b", "sub/__init__.yml": "- list"})
    conversion = convert(root)
    assert [str(remark).replace(f"{root}/", "").partition(": ")[2] for remark in conversion.remarks] == [
        "cannot be parsed, copied as it is",
        "cannot be parsed, copied as it is",
        "a list, which BLISS refuses too; copied as it is",
    ]
    write(conversion, tmp_path / "new")
    assert (tmp_path / "new" / "a.yml").read_text() == "name: ["


def test_where_it_does_not_write(beamline: Path, tmp_path: Path) -> None:
    conversion = convert(beamline)
    with pytest.raises(ConfigError, match="inside of"):
        write(conversion, beamline / "new")
    with pytest.raises(ConfigError, match="not empty"):
        write(conversion, tmp_path)
    with pytest.raises(ConfigError, match="no configuration directory"):
        convert(tmp_path / "nothing")


def test_edits_inside_of_what_goes_go_with_it() -> None:
    text = "a: {b: 1, c: 2}\nd: 3\n"
    part = read(text)
    assert part is not None and part.keys is not None
    edits = Edits(text)
    inner = part.keys["a"][1]
    edits.drop_key(inner, "b", "gone")
    edits.drop_key(part, "d", "gone")
    assert edits.result() == "a: {c: 2}  # gone: b: 1\n# gone: d: 3\n"


def test_anchors_that_are_there_twice_are_no_matter(one: One, recwarn: pytest.WarningsRecorder) -> None:
    text = "- {name: a, plugin: default, x: &v 1}\n- {name: b, plugin: default, x: &v 2, y: *v}\n"
    assert one(text) == (text, ["", ""])
    assert not recwarn.list


CALCULATED = """- class: simulation_diode
  plugin: bliss
  name: diode
- name: absorption
  plugin: bliss
  class: ExpressionCalcCounter
  module: expression_based_calc
  unit: OD
  inputs:
  - counter: $diode
    tags: a
  constants:
    m: 2
  expression: log(a) / m
- name: net
  plugin: bliss
  class: BackgroundCalcCounterController
  module: calccnt_background
  inputs:
  - counter: $diode
    tags: a
  outputs:
  - name: diode_net
    tags: a
- name: mean
  plugin: bliss
  class: MeanCalcCounterController
  module: simulation_calc_counter
  inputs:
  - counter: $diode
  outputs:
  - name: diode_mean
"""


def test_calculated_counters_stay_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write(convert(written(tmp_path / "bliss", {"__init__.yml": "", "a.yml": CALCULATED})), tmp_path / "new")
    survey = open_survey(tmp_path / "new")
    assert check(survey.tree, survey.root) == []
    assert {"absorption", "diode_net", "diode_mean"} <= set(survey.names)
