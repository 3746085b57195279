"""`config show` and `config tree`: what would be made, from which lines."""

from __future__ import annotations

import pytest

from bliss_like.config.check import check
from bliss_like.config.outline import Branch, outline
from bliss_like.config.show import ObjectShown, show, yaml_text
from bliss_like.config.survey import open_survey
from bliss_like.errors import ObjectNotFound

from .beamline import devices
from .conftest import Configure

TEXT = """
- name: mirror
  class: Mirror
  lamp: $lamp
  others: [$x, $lamp]
- name: lamp
  class: Lamp
- name: box
  class: Box
  axes:
    - {name: x, steps_per_unit: 5}
    - {name: y}
"""


def shown(configure: Configure, name: str) -> ObjectShown:
    config = configure(TEXT, **{"__init__.yml": "package: tests.unit.config.beamline\nmodule: devices\nvelocity: 3"})
    found = show(name, open_survey(config.path))
    assert devices.made == []
    return found


def origins(found: ObjectShown) -> dict[str, tuple[str, str]]:
    return {
        key.key: (key.value, "default" if key.place is None else f"{key.place}{' inherited' if key.inherited else ''}")
        for key in found.keys
    }


def test_each_key_and_where_it_comes_from(configure: Configure) -> None:
    found = shown(configure, "lamp")
    assert found.label == "Lamp 'lamp'"
    assert found.class_name == "tests.unit.config.beamline.devices.Lamp"
    assert found.source.endswith("tests/unit/config/beamline/devices.py")
    keys = origins(found)
    assert keys["name"] == ("lamp", "config/lamps.yml:6:3")
    assert keys["velocity"] == ("3", "config/__init__.yml:3:1 inherited")
    assert keys["colour"] == ("red", "default")
    assert keys["regions"] == ("[]", "default")
    assert "plugin" not in keys


def test_what_references_point_to(configure: Configure) -> None:
    assert shown(configure, "mirror").targets == {
        "$lamp": "Lamp 'lamp', config/lamps.yml:6:3",
        "$x": "axis 'x', config/lamps.yml:11:7",
    }


def test_a_container_and_its_items(configure: Configure) -> None:
    assert shown(configure, "box").items == {"axes": ["x", "y"]}
    item = shown(configure, "y")
    assert (item.label, item.owner) == ("axis 'y'", "box")
    assert origins(item)["velocity"] == ("1", "default")
    assert [str(error) for error in item.errors] == ["config/lamps.yml:12:7: axis 'y': missing key 'steps_per_unit'"]
    assert shown(configure, "x").errors == []


def test_no_such_object(configure: Configure) -> None:
    with pytest.raises(ObjectNotFound, match="no object 'lmap' in .*, did you mean 'lamp'"):
        shown(configure, "lmap")


VALUES = [
    (float("inf"), ".inf"),
    (float("-inf"), "-.inf"),
    (1.0, "1"),
    (0.1234567891, "0.1234567891"),
    (None, "null"),
    (True, "true"),
    ("", '""'),
    ([1, "a"], "[1, a]"),
    ({"a": [None]}, "{a: [null]}"),
    (devices.Region(left=1, width=2), "{left: 1, width: 2}"),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values_as_yaml(value: object, text: str) -> None:
    assert yaml_text(value) == text


def drawn(branch: Branch) -> dict[str, object]:
    return {
        " ".join(filter(None, (child.name, child.kind, child.detail, "!" * len(child.errors)))): drawn(child)
        for child in branch.children
    }


def test_the_tree(configure: Configure) -> None:
    config = configure(
        TEXT,
        **{"deep/er/a.yml": "{name: one, class: Lamp, velocty: 3}", "deep/b.yml": "name: [", "empty.yml": "# nothing"},
    )
    survey = open_survey(config.path)
    assert drawn(outline(survey, check(survey.tree, survey.root))) == {
        "__init__.yml for all below: package, module": {},
        "empty.yml": {},
        "lamps.yml": {"mirror Mirror": {}, "lamp Lamp": {}, "box Box axes: x, y !": {}},
        "deep": {"b.yml !": {}, "er": {"a.yml": {"one Lamp !": {}}}},
    }


def test_values_are_yaml(configure: Configure) -> None:
    text = 'name: a\nplugin: default\nversion: "12"\ntemplate: "{session}/"\nlines: "1\\n2"\ndeep: [{x: "a, b"}, ~, $a.b]\n'
    config = configure(text)
    values = {key.key: key.value for key in show("a", open_survey(config.path)).keys}
    assert values == {
        "name": "a",
        "plugin": "default",
        "version": '"12"',
        "template": '"{session}/"',
        "lines": '"1\\n2"',
        "deep": '[{x: "a, b"}, null, $a.b]',
    }


def test_a_node_has_no_class_though_one_is_inherited(configure: Configure) -> None:
    config = configure(
        **{
            "__init__.yml": "class: Lamp\npackage: tests.unit.config.beamline.devices",
            "a.yml": "{name: a, plugin: default, x: 1}",
        }
    )
    shown = show("a", open_survey(config.path))
    assert (shown.label, shown.class_name, [key.key for key in shown.keys]) == (
        "object 'a'",
        "",
        ["name", "plugin", "x"],
    )
