"""`Config.check()`: everything that is wrong, in one pass, without making anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.config import Config
from bliss_like.config.check import check
from bliss_like.config.survey import known_attributes, look_at, open_survey
from bliss_like.errors import ConfigError, ObjectNotFound

from .beamline import devices
from .conftest import Configure
from .test_errors import FILE, WRONG_CLASSES, WRONG_LAMPS

SIMULATED = """
- name: motors
  class: SimulatedMotors
  axes:
    - {name: robx, velocity: 2}
    - {name: roby}
"""


@pytest.fixture
def errors_of(configure: Configure) -> object:
    """A function that writes files and returns what is wrong with them; classes are those that bliss_like brings."""

    def errors_of(text: str = "", **files: str) -> list[str]:
        return [str(error) for error in configure(text, **{"__init__.yml": "", **files}).check()]

    return errors_of


def test_nothing_is_wrong_and_nothing_is_made(configure: Configure) -> None:
    config = configure("- {name: lamp, class: Lamp, velocity: 3}\n- {name: mirror, class: Mirror, lamp: $lamp}")
    assert config.check() == []
    assert devices.made == []


@pytest.mark.parametrize("line", [line for line in WRONG_LAMPS if "$" not in line])
def test_values_are_told_as_when_the_object_is_made(configure: Configure, line: str) -> None:
    config = configure(f"- name: lamp\n  class: Lamp\n  {line}\n- name: sane\n  class: Lamp")
    assert [str(error) for error in config.check()] == [f"{FILE}:{WRONG_LAMPS[line]}"]
    assert devices.made == []


@pytest.mark.parametrize("lines", WRONG_CLASSES)
def test_classes_are_told_as_when_the_object_is_made(configure: Configure, lines: str) -> None:
    config = configure(f"name: lamp\n{lines}\n")
    assert [str(error) for error in config.check()] == [f"{FILE}:{WRONG_CLASSES[lines]}"]


def test_all_files_and_objects_in_one_pass_by_file_and_line(configure: Configure) -> None:
    config = configure(
        **{
            "a.yml": "- {name: one, class: Lamp, colour: blue}\n- {name: two, class: Lmap}",
            "b.yml": "- {name: three, class: Lamp\n",
            "c/d.yml": "- {name: one, class: Lamp}\n- {name: box, class: Box, axes: [{name: x}, {name: y, velocty: 3}]}",
        }
    )
    errors = config.check()
    assert [str(error) for error in errors] == [
        "config/a.yml:1:28: Lamp 'one': colour: expected 'red' or 'green', came 'blue'",
        "config/a.yml:2:22: Lmap 'two': no class 'Lmap' in tests.unit.config.beamline.devices, did you mean 'Lamp'?",
        "config/b.yml:2:1: while parsing a flow mapping, expected ',' or '}', but got '<stream end>'; it begins in line 1",
        "config/c/d.yml:1:10: name 'one' is already taken by Lamp 'one' in config/a.yml:1:10",
        "config/c/d.yml:2:34: axis 'x': missing key 'steps_per_unit'",
        "config/c/d.yml:2:45: axis 'y': missing key 'steps_per_unit'",
        "config/c/d.yml:2:55: axis 'y': unknown key 'velocty', did you mean 'velocity'?",
    ]
    assert errors[0].place == (str(config.path / "a.yml"), 1, 28)


def test_what_an_init_file_makes_wrong_for_many_is_one_error(configure: Configure) -> None:
    lamps = "\n".join(f"- {{name: lamp{number}}}" for number in range(4))
    config = configure(lamps, **{"__init__.yml": "class: Lampe\npackage: tests.unit.config.beamline.devices"})
    assert [str(error) for error in config.check()] == [
        (
            "config/__init__.yml:1:8: Lampe 'lamp0' and 3 more: no class 'Lampe' in tests.unit.config.beamline.devices nor "
            "in tests.unit.config.beamline.devices.lampe, did you mean 'Lamp'?"
        )
    ]


WRONG_REFERENCES = {
    "lamp: $lanp": "lamp: no object 'lanp' in {path}, did you mean 'lamp'?",
    "lamp: lamp": "lamp: expected a reference to an object, such as $robx, came 'lamp'; write '$lamp'",
    "{lamp: $lamp, others: [$lamp, $nobody]}": "others.1: no object 'nobody' in {path}",
    "{lamp: $lamp, speed: $lamp.velocty}": "speed: $lamp.velocty: lamp (Lamp) has no attribute 'velocty', "
    "did you mean 'velocity'?",
    "{lamp: $lamp, speed: $x.velocity}": "speed: $x.velocity: x (BoxAxis) has no attribute 'velocity'",
    "{lamp: $channel}": "lamp: 'channel' is in 'channels' of 'box', which has no items there (Box has items in: axes)",
}


@pytest.mark.parametrize("written", WRONG_REFERENCES)
def test_wrong_references(configure: Configure, written: str) -> None:
    inside = written.strip("{}")
    config = configure(
        f"- {{name: mirror, class: Mirror, {inside}}}\n- {{name: lamp, class: Lamp}}\n"
        "- {name: box, class: Box, axes: [{name: x, steps_per_unit: 1}], channels: [{name: channel}]}"
    )
    told = WRONG_REFERENCES[written].replace("{path}", str(config.path))
    (error,) = config.check()
    assert str(error).partition(": Mirror 'mirror': ")[2] == told
    assert devices.made == []


def test_references_that_only_the_object_can_tell_are_accepted(configure: Configure) -> None:
    config = configure(
        "- {name: mirror, class: Mirror, lamp: $lamp, speed: $lamp.velocity}\n"
        "- {name: lamp, class: Lamp, velocity: $other.config.velocity, count: $other.velocity}\n"
        "- {name: other, class: Lamp}"
    )
    assert config.check() == []


def test_a_reference_beside_a_wrong_value(configure: Configure) -> None:
    config = configure("- {name: lamp, class: Lamp, velocity: $other.velocity, count: x}\n- {name: other, class: Lamp}")
    assert [str(error) for error in config.check()] == [
        f"{FILE}:1:56: Lamp 'lamp': count: expected an integer, came 'x'"
    ]


def test_what_a_broken_file_had_is_not_missed(configure: Configure) -> None:
    mirrors = "- {name: mirror, class: Mirror, lamp: $lamp}\n- {name: other, class: Mirror, lamp: $lump}"
    config = configure(**{"a.yml": mirrors, "b.yml": "- name: lamp\n  class: [\n"})
    assert [str(error).partition(": ")[2] for error in config.check()] == [
        f"Mirror 'other': lamp: no object 'lump' in {config.path}",
        "while parsing a flow node, expected the node content, but found '<stream end>'",
    ]


def test_keys_of_a_broken_init_file_are_not_missed(configure: Configure) -> None:
    files = {"deep/__init__.yml": "class: [", "deep/a.yml": "- {name: one}\n- {name: two, class: Lamp, velocty: 1}"}
    config = configure(**files, **{"b.yml": "- {name: three}"})
    assert [str(error).partition(": ")[2] for error in config.check()] == [
        "object 'three': missing key 'class', here or in an __init__.yml",
        "while parsing a flow node, expected the node content, but found '<stream end>'",
        "Lamp 'two': unknown key 'velocty', did you mean 'velocity'?",
    ]


def test_each_circle_is_told_once(configure: Configure) -> None:
    pairs = ("ab", "bc", "ca", "da", "ee")
    config = configure("\n".join(f"- {{name: {a}, class: Mirror, lamp: ${b}}}" for a, b in pairs))
    assert [str(error) for error in config.check()] == [
        f"{FILE}:1:28: Mirror 'a': objects that need each other: a -> b -> c -> a",
        f"{FILE}:5:28: Mirror 'e': objects that need each other: e -> e",
    ]


def test_a_circle_through_items(configure: Configure) -> None:
    config = configure(
        "- {name: box, class: Box, host: $mirror.name, axes: [{name: x, steps_per_unit: 1}]}\n"
        "- {name: mirror, class: Mirror, lamp: $x}"
    )
    assert [str(error).partition(": ")[2] for error in config.check()] == [
        "Box 'box': objects that need each other: box -> mirror -> box"
    ]


def test_a_class_that_takes_any_attribute_is_believed() -> None:
    class Open:
        def __getattr__(self, name: str) -> int:
            return 1

    class Closed:
        speed = 1

        def __init__(self) -> None:
            self.weight = 2

    assert known_attributes(Open) is None
    assert known_attributes(Closed) == {"speed", "weight"}


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no configuration directory"):
        open_survey(tmp_path / "nothing")


def test_a_tree_that_is_looked_at_makes_no_objects(configure: Configure) -> None:
    config = configure("- {name: mirror, class: Mirror, lamp: $lamp}\n- {name: lamp, class: Lamp}")
    node = open_survey(config.path).entries["mirror"].node
    with pytest.raises(ObjectNotFound, match="only looked at"):
        node["lamp"]


@pytest.mark.parametrize("count", [160])
def test_many_objects_take_little_time(configure: Configure, count: int) -> None:
    lines = [f"- {{name: lamp{n}, class: Lamp, velocity: {n + 1}}}" for n in range(count // 2)]
    lines += [f"- {{name: mirror{n}, class: Mirror, lamp: $lamp{n}}}" for n in range(count // 2)]
    config: Config = configure("\n".join(lines))
    from timeit import default_timer

    start = default_timer()
    assert config.check() == []
    assert default_timer() - start < 1


@given(text=st.text(alphabet="-: ax\n[]{},$.\"'#&*!|>12", max_size=60))
def test_whatever_is_in_a_file_every_error_has_its_place(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("config")
    (root / "fuzzed.yml").write_text(text, encoding="utf-8")
    (root / "sane.yml").write_text(SIMULATED)
    for error in check(look_at(root), root):
        assert error.place is not None
        assert error.place[1] >= 1


def test_keys_of_a_node_are_no_attributes(configure: Configure) -> None:
    config = configure(
        "- {name: values, plugin: default, speed: 3}\n- {name: lamp, class: Lamp, velocity: $values.speed}\n"
    )
    (error,) = config.check()
    assert (
        str(error) == f"{FILE}:2:29: Lamp 'lamp': velocity: $values.speed: values (ConfigNode) has no attribute 'speed'"
    )
    with pytest.raises(ConfigError) as raised:
        config.get("lamp")
    assert str(raised.value) == str(error)


def test_keys_have_one_spelling(errors_of: Callable[..., list[str]]) -> None:
    assert errors_of("name: eh1\nclass: Session\nconfig_objects: []\n") == [
        f"{FILE}:3:1: Session 'eh1': unknown key 'config_objects', did you mean 'config-objects'?"
    ]


def test_misspelt_keys_of_init_files(configure: Configure) -> None:
    config = configure(
        "- {name: lamp, class: Lamp}\n",
        **{
            "deep/__init__.yml": "velocty: 3\ninstitute: ESRF\nclass: Lamp\ncolour: red\nusr_tag: a\n",
            "deep/a.yml": "- {name: one}\n- {name: two}",
            "empty/__init__.yml": "velocty: 3",
        },
    )
    assert [str(error) for error in config.check()] == [
        "config/deep/__init__.yml:1:1: __init__.yml: no class below knows the key 'velocty', did you mean 'velocity'?",
        "config/deep/__init__.yml:5:1: __init__.yml: no class below knows the key 'usr_tag', did you mean 'user_tag'?",
    ]


def test_a_misspelt_key_whose_value_is_a_reference(configure: Configure) -> None:
    config = configure("- {name: lamp, class: Lamp}\n- {name: mirror, class: Mirror, lmap: $lamp}\n")
    assert [str(error) for error in config.check()] == [
        f"{FILE}:2:33: Mirror 'mirror': unknown key 'lmap', did you mean 'lamp'?"
    ]
