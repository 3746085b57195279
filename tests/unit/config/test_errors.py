"""Every message, as a user reads it: file, line, column, object, key, what was expected, what came, the way out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.config.parsing import YamlProblem, parse
from bliss_like.errors import ConfigError, ObjectCreationFailed, ReferenceCycle

from .beamline import devices
from .conftest import Configure

FILE = "config/lamps.yml"
KEYS = "name, class, package, module, plugin, user_tag, interlock, service"

WRONG_LAMPS = {
    "velocty: 1": "3:3: Lamp 'lamp': unknown key 'velocty', did you mean 'velocity'?",
    "velocity: 2\n  velocty: 1": "4:3: Lamp 'lamp': unknown key 'velocty'; 'velocity' is there already",
    "12: 1": "3:3: Lamp 'lamp': unknown key 12: keys are text here",
    "user_tag: [a, 1]": "3:17: Lamp 'lamp': user_tag.1: expected text, came 1",
    "backlash: 1": "3:3: Lamp 'lamp': unknown key 'backlash', expected one of "
    f"{KEYS}, velocity, colour, host, count, on, regions, settings, labels",
    "velocity: fast": "3:3: Lamp 'lamp': velocity: expected a number, came 'fast'",
    "velocity: [1]": "3:3: Lamp 'lamp': velocity: expected a number, came [1]",
    "velocity: -1": "3:3: Lamp 'lamp': velocity: expected a value > 0, came -1",
    "velocity: .nan": "3:3: Lamp 'lamp': velocity: expected a value > 0, came nan",
    "count: 1.5": "3:3: Lamp 'lamp': count: expected an integer, came 1.5",
    "count: true": "3:3: Lamp 'lamp': count: expected a number, came True",
    "velocity: false": "3:3: Lamp 'lamp': velocity: expected a number, came False",
    "count: many": "3:3: Lamp 'lamp': count: expected an integer, came 'many'",
    "on: perhaps": "3:3: Lamp 'lamp': on: expected true or false, came 'perhaps'",
    "colour: blue": "3:3: Lamp 'lamp': colour: expected 'red' or 'green', came 'blue'",
    "host: 5": "3:3: Lamp 'lamp': host: expected text, came 5",
    "host: a b": "3:3: Lamp 'lamp': host: a host has no spaces",
    "settings: 5": "3:3: Lamp 'lamp': settings: expected keys and values, came 5",
    "regions: 5": "3:3: Lamp 'lamp': regions: expected a list, came 5",
    "regions: [5]": "3:13: Lamp 'lamp': regions.0: expected keys and values, came 5",
    "regions: [{left: 1, widht: 2}]": "3:23: Lamp 'lamp': regions.0: unknown key 'widht', did you mean 'width'?",
    "regions: [{left: 1, width: 2}, {left: -1, width: 2}]": "3:35: Lamp 'lamp': regions.1.left: "
    "expected a value >= 0, came -1",
    "regions: [{left: 1}]": "3:13: Lamp 'lamp': regions.0: missing key 'width'",
    "labels: 5": "3:3: Lamp 'lamp': labels: expected text or a list, came 5",
    "host: $lmap": "3:3: Lamp 'lamp': host: no object 'lmap' in {path}, did you mean 'lamp'?",
}


@pytest.mark.parametrize("line", WRONG_LAMPS)
def test_wrong_values(configure: Configure, line: str) -> None:
    config = configure(f"- name: lamp\n  class: Lamp\n  {line}\n- name: sane\n  class: Lamp")
    with pytest.raises(ConfigError) as raised:
        config.get("lamp")
    assert str(raised.value) == f"{FILE}:{WRONG_LAMPS[line].replace('{path}', str(config.path))}"
    assert config.get("sane").name == "sane"


def test_all_that_is_wrong_is_told_at_once(configure: Configure) -> None:
    config = configure("name: lamp\nclass: Lamp\nvelocity: x\ncolor: red\ncount: y\n")
    with pytest.raises(ConfigError) as raised:
        config.get("lamp")
    assert str(raised.value).splitlines() == [
        f"{FILE}:3:1: Lamp 'lamp': velocity: expected a number, came 'x'",
        f"{FILE}:4:1: Lamp 'lamp': unknown key 'color', did you mean 'colour'?",
        f"{FILE}:5:1: Lamp 'lamp': count: expected an integer, came 'y'",
    ]


def test_a_wrong_inherited_value_is_told_where_it_is_written(configure: Configure) -> None:
    config = configure(**{"hutch/__init__.yml": "class: Lamp\nvelocity: slow", "hutch/lamps.yml": "- name: lamp"})
    with pytest.raises(ConfigError) as raised:
        config.get("lamp")
    assert str(raised.value) == "config/hutch/__init__.yml:2:1: Lamp 'lamp': velocity: expected a number, came 'slow'"


WRONG_REFERENCES = {
    "lamp: lamp": "3:3: Mirror 'mirror': lamp: expected a reference to an object, such as $robx, came 'lamp'; "
    "write '$lamp'",
    "lamp: ${lamp}": "3:3: Mirror 'mirror': lamp: expected a reference to an object, such as $robx, came '${lamp}'",
    "lamp:": "3:3: Mirror 'mirror': lamp: expected a reference to an object, such as $robx, came nothing",
    "lamp: $lamp.colr": "3:3: Mirror 'mirror': lamp: $lamp.colr: lamp (Lamp) has no attribute 'colr'",
    "lamp: $lanp": "3:3: Mirror 'mirror': lamp: no object 'lanp' in {path}, did you mean 'lamp'?",
    "lamp: $broken": "3:3: Mirror 'mirror': lamp: config/lamps.yml:6:3: Broken 'broken': could not be made: "
    "ConnectionError: no answer from 10.0.0.1",
}


@pytest.mark.parametrize("line", WRONG_REFERENCES)
def test_wrong_references(configure: Configure, line: str) -> None:
    lines = ["- name: mirror", "  class: Mirror", f"  {line}", "- name: lamp", "  class: Lamp"]
    config = configure("\n".join([*lines, "- name: broken", "  class: Broken"]))
    with pytest.raises(ConfigError) as raised:
        config.get("mirror")
    assert str(raised.value) == f"{FILE}:{WRONG_REFERENCES[line].replace('{path}', str(config.path))}"


def test_a_cycle_is_shown(configure: Configure) -> None:
    config = configure("\n".join(f"- {{name: {a}, class: Mirror, lamp: ${b}}}" for a, b in ("ab", "bc", "ca", "da")))
    for name in "abcd":
        with pytest.raises(ReferenceCycle) as raised:
            config.get(name)
        start = "a" if name == "d" else name
        circle = {"a": "a -> b -> c -> a", "b": "b -> c -> a -> b", "c": "c -> a -> b -> c"}[start]
        line = "abc".index(start) + 1
        assert str(raised.value) == f"{FILE}:{line}:3: Mirror '{start}': objects that need each other: {circle}"


def test_an_object_that_refers_to_itself(configure: Configure) -> None:
    config = configure("{name: a, class: Mirror, lamp: $a}")
    with pytest.raises(ReferenceCycle, match="objects that need each other: a -> a"):
        config.get("a")


def test_a_cycle_by_asking_while_being_made(configure: Configure) -> None:
    config = configure("- {name: a, class: Asking, for: b}\n- {name: b, class: Asking, for: a}\n")
    with pytest.raises(ReferenceCycle, match="objects that need each other: a -> b -> a"):
        config.get("a")


WRONG_CLASSES = {
    "class: Lmap": "2:8: Lmap 'lamp': no class 'Lmap' in tests.unit.config.beamline.devices, did you mean 'Lamp'?",
    "class: Undeclared": "2:8: Undeclared 'lamp': class tests.unit.config.beamline.devices.Undeclared cannot be made "
    "from YAML: it needs a class attribute 'Config', a subclass of bliss_like.config.models.ObjectConfig that declares its "
    "keys; one that was written for BLISS, and takes any: Config = AnyObjectConfig, of bliss_like.config.any_keys",
    "velocity: 1": "1:1: object 'lamp': missing key 'class', here or in an __init__.yml",
    "clas: Lamp": "1:1: object 'lamp': missing key 'class', here or in an __init__.yml; did you mean it by 'clas'?",
    "class: Lamp\nmodule: devises": "3:9: Lamp 'lamp': no module 'tests.unit.config.beamline.devises'; "
    "is its directory on Python's path?",
    "class: Lamp\nmodule: ''\npackage: nobody.knows": "4:10: Lamp 'lamp': no package 'nobody.knows'; "
    "is it installed, or its directory on Python's path?",
    "class: Lamp\nmodule: ''": "2:8: Lamp 'lamp': no class 'Lamp' in tests.unit.config.beamline nor in "
    "tests.unit.config.beamline.lamp; add 'module: devices'",
    "class: Lmap\nmodule: ''": "2:8: Lmap 'lamp': no class 'Lmap' in tests.unit.config.beamline nor in "
    "tests.unit.config.beamline.lmap, did you mean 'Lamp'?",
    "class: Lmap\nmodule: ''\npackage: ''": "2:8: Lmap 'lamp': no class 'Lmap' in bliss_like.controllers; "
    "for a class of your own add 'package: <your package>'",
    "class: Lamp\nmodule: nowhere\npackage: ''": "3:9: Lamp 'lamp': no module 'nowhere', neither in "
    "bliss_like.controllers nor of its own",
    "class: Sesion\nmodule: ''\npackage: ''": "2:8: Sesion 'lamp': no class 'Sesion' in bliss_like.controllers, "
    "did you mean 'Session'?",
}


@pytest.mark.parametrize("lines", WRONG_CLASSES)
def test_wrong_classes(configure: Configure, lines: str) -> None:
    config = configure(f"name: lamp\n{lines}\n")
    with pytest.raises(ConfigError) as raised:
        config.get("lamp")
    assert str(raised.value) == f"{FILE}:{WRONG_CLASSES[lines]}"


def test_a_module_that_cannot_be_imported(configure: Configure) -> None:
    config = configure("name: lamp\nclass: NeedsMore\nmodule: needs_more")
    with pytest.raises(ObjectCreationFailed) as raised:
        config.get("lamp")
    assert str(raised.value) == (
        f"{FILE}:1:1: NeedsMore 'lamp': could not be made: ModuleNotFoundError: "
        f"No module named 'a_library_that_is_not_installed' ({Path(__file__).parent / 'beamline' / 'needs_more.py'}:5)"
    )


def test_a_module_that_raises(configure: Configure) -> None:
    config = configure("name: lamp\nclass: Lamp\npackage: ''\nmodule: tests.unit.config.beamline.raises")
    with pytest.raises(
        ObjectCreationFailed, match="lamps.yml:1:1: Lamp 'lamp': could not be made: ValueError: no licen"
    ):
        config.get("lamp")


def test_a_class_that_raises(configure: Configure) -> None:
    config = configure("name: broken\nclass: Broken")
    with pytest.raises(ObjectCreationFailed) as raised:
        config.get("broken")
    assert str(raised.value) == (
        f"{FILE}:1:1: Broken 'broken': could not be made: ConnectionError: no answer from 10.0.0.1"
    )
    assert isinstance(raised.value.__cause__, ConnectionError)


def test_a_constructor_that_takes_too_little_is_told_what_it_is_given(configure: Configure) -> None:
    with pytest.raises(ObjectCreationFailed) as raised:
        configure("name: lamp\nclass: TakesTooLittle\n").get("lamp")
    assert str(raised.value) == (
        f"{FILE}:1:1: TakesTooLittle 'lamp': could not be made: TypeError: TakesTooLittle.__init__() takes 2 positional "
        "arguments but 3 were given; it is made with (name, config)"
    )


WRONG_FILES = {
    "- name: 3d\n  class: Lamp": "1:9: name '3d': expected letters, digits and '_', no digit first, such as 'robx'",
    "- name: my lamp": "1:9: name 'my lamp': expected letters, digits and '_', no digit first, such as 'robx'",
    "- name: 5": "1:9: name 5: expected letters, digits and '_', no digit first, such as 'robx'",
    "- name:": "1:8: name: expected letters, digits and '_', no digit first, such as 'robx', came nothing",
    "- name: lambda": "1:9: name 'lambda' is a word of Python; take another, such as 'lambda_'",
    "- name: sane": "1:9: name 'sane' is already taken by Lamp 'sane' in config/a.yml:1:7",
    "- class: Lamp\n  nam: lamp": "1:3: expected a 'name' for this Lamp; 'nam' is written instead of it",
    "- velocity: 1": "1:3: expected a 'name' for this object",
    "- robx": "1:3: expected an object (keys and values, among them a 'name'), came 'robx'",
    "robx": "1:1: expected an object or a list of objects, came 'robx'",
    "a: [1,\nb: 2": "2:5: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'; it begins in line 1",
    "a:\n- b: 'c\n": "3:1: while scanning a quoted scalar, found unexpected end of stream; it begins in line 2",
    "- name:a\n  class: Lamp": "2:8: mapping values are not allowed here; look for a wrong indentation, a ':' above "
    "that has no space behind it, or a text with ': ' in it, which needs quotes",
    "- name: a\n  class Lamp\n  x: 1": "2:3: while scanning a simple key, could not find expected ':'; "
    "a key is a word, a ':' and a space",
    "a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> theirs\n": "2:1: a merge conflict of git: "
    "keep one of the two versions",
    "a: 1\nb: \x00": "2:4: character #x0000 is not allowed; is this a text file?",
    "- name: a\n  x: 1\n  x: 2": "3:3: key 'x' is here twice, first in line 2",
    "a: 1\n---\nb: 2": "2:1: expected a single document in the stream, but found another document",
    "a: !mine 5": "1:4: unknown tag '!mine'; write plain text or numbers",
    "? [1, 2]\n: 3": "1:3: a key must be text or a number",
    "a: &a [*a]": "1:4: an alias (*) inside its own anchor (&)",
    "a: *b": "1:4: found undefined alias 'b'; a text that starts with '*' needs quotes",
    "<<: 5": "1:5: '<<' expects a mapping, such as *an_anchor",
    "a: @5": "1:4: while scanning for the next token, found character '@' that cannot start any token; "
    "put the text in quotes",
    "a:\n\t- b": "2:1: while scanning for the next token, found character '\\t' that cannot start any token; "
    "use spaces, not tabs",
    "a: [*]": "1:6: while scanning an alias, expected alphabetic or numeric character, but found ']'; "
    "a text that starts with '*' needs quotes",
    "a: {session}/": "1:13: while parsing a block mapping, expected <block end>, but found '<scalar>'; "
    'look for a wrong indentation, or a text that needs quotes, such as "{session}/"',
}


@pytest.mark.parametrize("text", WRONG_FILES)
def test_a_broken_file_does_not_stop_the_rest(configure: Configure, text: str) -> None:
    config = configure(**{"a.yml": "name: sane\nclass: Lamp", "lamps.yml": text, "z.yml": "name: last\nclass: Lamp"})
    assert [str(error) for error in config.errors] == [f"{FILE}:{WRONG_FILES[text]}"]
    assert config.names_list == ["last", "sane"]
    assert config.get("sane").name == "sane"


@pytest.mark.parametrize("depth", [101, 300, 500])
def test_what_is_nested_too_deeply(configure: Configure, depth: int) -> None:
    block = "name: a\nclass: Lamp\nsettings:\n" + "".join(" " * (level + 1) + "k:\n" for level in range(depth))
    config = configure(
        **{"deep.yml": block, "lists.yml": f"[{'[' * depth}{']' * depth}]", "lamp.yml": "name: b\nclass: Lamp\n"}
    )
    assert [str(error).split(": ")[1][:36] for error in config.errors] == ["lists and keys are nested too deeply"] * 2
    assert config.get("b").name == "b"


def test_files_that_could_not_be_parsed_are_listed(configure: Configure) -> None:
    config = configure("a: [1", **{"sane.yml": "name: sane\nclass: Lamp"})
    assert list(config.invalid_yaml_files) == [str(config.path / "lamps.yml")]
    with pytest.raises(ConfigError, match="no object 'lamp' in .*config$"):
        config.get("lamp")


def test_an_object_of_a_file_that_could_not_be_parsed(configure: Configure) -> None:
    config = configure("- {name: lamp, class: [}\n", **{"sane.yml": "name: lamb\nclass: Lamp"})
    with pytest.raises(ConfigError) as raised:
        config.get("lamp")
    assert str(raised.value) == (
        f"no object 'lamp' in {config.path}; it is probably in config/lamps.yml, which cannot be read"
    )


def test_a_device_that_does_not_answer_in_time(configure: Configure) -> None:
    config = configure("name: silent\nclass: Silent")
    with pytest.raises(ObjectCreationFailed) as raised:
        config.get("silent")
    assert str(raised.value) == f"{FILE}:1:1: Silent 'silent': could not be made: Timeout: 3 seconds"


def test_a_link_to_a_directory_above(configure: Configure) -> None:
    config = configure("name: lamp\nclass: Lamp")
    (config.path / "again").symlink_to(config.path)
    config.reload()
    assert (config.names_list, config.errors) == (["lamp"], [])


@pytest.mark.parametrize("file", ["lamps.yaml", "LAMPS.YML"])
def test_the_other_ending(configure: Configure, file: str) -> None:
    config = configure(**{file: "name: lamp\nclass: Lamp"})
    assert [str(error) for error in config.errors] == [
        f"config/{file}:1:1: not read: names of configuration files end with .yml; rename it"
    ]


def test_a_file_that_is_no_text(configure: Configure) -> None:
    config = configure("name: sane\nclass: Lamp")
    (config.path / "binary.yml").write_bytes(b"name: caf\xc3\xa9\nclass: caf\xe9")
    config.reload()
    (message,) = map(str, config.errors)
    assert message == "config/binary.yml:2:11: expected text in UTF-8, came the byte 0xe9; save the file as UTF-8"
    assert config.names_list == ["sane"]


def test_wrong_init_files(configure: Configure) -> None:
    config = configure(
        **{
            "a/__init__.yml": "- name: x",
            "a/lamps.yml": "name: one\nclass: Lamp",
            "b/__init__.yml": "class: Lamp\nname: x",
            "b/lamps.yml": "name: two",
            "c/__init__.yml": "Lamp",
        }
    )
    assert [str(error) for error in config.errors] == [
        "config/a/__init__.yml:1:1: expected keys and values for the whole directory, came a list",
        "config/b/__init__.yml:2:1: 'name' in __init__.yml: keys here hold for all objects of the directory",
        "config/c/__init__.yml:1:1: expected keys and values for the whole directory, came 'Lamp'",
    ]
    assert config.get("one").name == "one" and config.get("two").name == "two"


BOX = """
- name: box
  class: Box
  axes:
    - {name: robx, steps_per_unit: 1000, velocty: 2}
    - {name: roby, steps_per_unit: 500}
    - {name: robz, steps_per_unit: many, velocity: fast}
    - {name: m0, steps_per_unit: 1, encoder: $nothing}
    - {steps_per_unit: 1}
    - {name: m1, steps_per_unit: 0}
"""


def test_a_broken_item_does_not_stop_its_container(configure: Configure) -> None:
    config = configure(BOX)
    assert list(config.get("box").axes) == ["roby"]
    messages = {
        "robx": f"{FILE}:5:42: axis 'robx': unknown key 'velocty', did you mean 'velocity'?",
        "robz": f"{FILE}:7:20: axis 'robz': steps_per_unit: expected a number, came 'many'\n"
        f"{FILE}:7:42: axis 'robz': velocity: expected a number, came 'fast'",
        "m0": f"{FILE}:8:37: axis 'm0': encoder: no object 'nothing' in {config.path}",
    }
    for name, message in messages.items():
        with pytest.raises(ConfigError) as raised:
            config.get(name)
        assert str(raised.value) == message
    nameless = f"{FILE}:9:7: axis 'box.axes.4': missing key 'name'"
    without_steps = f"{FILE}:10:7: axis 'm1': steps_per_unit must not be 0"
    assert [str(error) for error in config.errors] == [*messages.values(), nameless, without_steps]


def test_an_item_whose_name_is_taken(configure: Configure) -> None:
    text = "- {name: box, class: Box, axes: [{name: one, steps_per_unit: 1}, {name: one, steps_per_unit: 2}]}\n"
    config = configure(text, **{"z.yml": "name: one\nclass: Lamp"})
    first = "config/lamps.yml:1:41"
    assert [str(error) for error in config.errors] == [
        f"{FILE}:1:73: name 'one' is already taken by axis 'one' in {first}",
        f"config/z.yml:1:7: name 'one' is already taken by axis 'one' in {first}",
    ]
    assert config.get("one").config.steps_per_unit == 1.0
    assert list(config.get("box").axes) == ["one"]


def test_a_name_in_a_list_that_has_no_items(configure: Configure) -> None:
    config = configure("- {name: box, class: Box, channels: [{name: c1}]}")
    with pytest.raises(ConfigError) as raised:
        config.get("c1")
    assert str(raised.value) == (
        f"{FILE}:1:38: 'c1' is in 'channels' of 'box', which has no items there (Box has items in: axes)"
    )


def test_an_item_is_tried_again_with_its_container(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure("- {name: lamp, class: Lamp}\n- name: box\n  class: Box\n  axes: [{name: m, steps_per_unit: 1}]")
    path = config.path / "lamps.yml"
    path.write_text(path.read_text().replace("per_unit: 1", "per_unit: 1, encoder: $lamp"))
    config.reload()
    with monkeypatch.context() as patch:
        patch.setattr(devices.Lamp, "__init__", devices.Broken.__init__)
        patch.setattr(devices.Box, "__init__", devices.Broken.__init__)
        with pytest.raises(ObjectCreationFailed):
            config.get("m")
    assert config.get("m").config.encoder is config.get("lamp")
    assert config.errors == []


def test_a_broken_object_is_tried_again(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure("name: broken\nclass: Broken")
    with pytest.raises(ObjectCreationFailed):
        config.get("broken")
    monkeypatch.setattr(devices.Broken, "__init__", lambda self, name, config: None)
    assert isinstance(config.get("broken"), devices.Broken)


@given(st.text(max_size=60))
def test_any_text_is_parsed_or_refused_with_a_place(text: str) -> None:
    try:
        parse(text)
    except YamlProblem as problem:
        assert problem.line >= 1 and problem.column >= 1 and str(problem)


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text("abc$:-# {}[]'\"\n~01", max_size=8)
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab1"), inner, max_size=3)
)


def _values(parsed: list[object]) -> object:
    value = parsed[2]
    if not isinstance(value, dict):
        return value
    if "seq" in value:
        return [_values(element) for element in value["seq"]]
    return {key: _values(child) for key, _, _, child in value["map"]}


@given(TREES)
def test_json_is_parsed_as_what_it_says(tree: object) -> None:
    parsed = parse(json.dumps(tree))
    assert (None if parsed is None else _values(parsed)) == tree
