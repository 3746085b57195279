"""Names, tags, the tree of directories, plugins, and what is temporary."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from bliss_like.config import ConfigNode
from bliss_like.errors import ConfigError, ObjectCreationFailed, ObjectNotFound

from .beamline import devices
from .conftest import Configure


def test_tags_and_services(configure: Configure) -> None:
    config = configure(
        "- {name: a, class: Lamp, user_tag: [blue, hot]}\n- {name: b, class: Lamp, user_tag: hot, service: true}\n"
        "- {name: box, class: Box, user_tag: cold, axes: [{name: m, steps_per_unit: 1, user_tag: hot}]}\n",
        **{"h/__init__.yml": "user_tag: hutch", "h/lamps.yml": "- {name: c, class: Lamp}\n"},
    )
    assert config.user_tags_list == ["blue", "cold", "hot", "hutch"]
    assert [node.name for node in config.get_user_tag_configs("hot")] == ["a", "b", "m"]
    assert [node.name for node in config.get_user_tag_configs("hutch")] == ["c"]
    assert [node.name for node in config.get_user_tag_configs("cold")] == ["box"]
    assert config.get_user_tag_configs("none") == []
    assert config.service_names_list == ["b"]
    assert config.get("b").name == "b"


def test_the_beamline(configure: Configure) -> None:
    config = configure(**{"__init__.yml": "beamline: id00\n", "h/__init__.yml": "beamline: other\n"})
    assert config.beamline == "id00"
    (config.path / "__init__.yml").write_text("")
    config.reload()
    assert config.beamline == ""


def test_the_tree_of_directories(configure: Configure) -> None:
    config = configure("- {name: a, class: Lamp}\n", **{"h/deep/lamps.yml": "hutch:\n  name: b\n  class: Lamp\n"})
    root = config.root
    assert list(root) == ["__init__", "h", "lamps"]
    assert root["lamps"].written[0] is config.get_config("a")
    assert root["h"]["deep"]["lamps"]["hutch"] is config.get_config("b")
    assert config.get_config("b").root["h"].filename == str(config.path / "h")


def test_inherited_references_are_live(configure: Configure) -> None:
    config = configure(
        **{
            "h/__init__.yml": "class: Mirror\nlamp: $lamp\n",
            "h/m.yml": "- name: mirror\n",
            "l.yml": "- {name: lamp, class: Lamp}",
        }
    )
    assert config.get_config("mirror").get_inherited("lamp") is config.get("lamp")
    assert config.get("mirror").lamp is config.get("lamp")


# -- plugins ---------------------------------------------------------------------------------------------------------------


def test_an_object_that_is_its_node(configure: Configure) -> None:
    config = configure(
        "- {name: lamp, class: Lamp}\n- {name: values, plugin: default, anything: [1, $lamp]}\n- {name: m, class: Mirror, lamp: $values}\n"
    )
    values = config.get("values")
    assert isinstance(values, ConfigNode)
    assert values is config.get_config("values") is config.get("m").lamp
    assert values["anything"] == [1, config.get("lamp")]
    assert sorted(devices.made) == ["lamp", "m"]


@pytest.mark.parametrize("plugin", ["bliss", "generic", "emotion", "regulation", "diffractometer", "session", "''"])
def test_plugins_of_bliss_that_are_classes_here(configure: Configure, plugin: str) -> None:
    config = configure(f"- {{name: box, class: Box, plugin: {plugin}, axes: [{{name: m, steps_per_unit: 1}}]}}")
    assert config.get("m") is config.get("box").axes["m"]


PLUGIN = """
calls = []

def create_objects_from_config_node(config, node):
    calls.append(node.name)
    if node.get("fails"):
        raise RuntimeError("no cable")
    objects = {node["name"]: [node["name"], node.get("lamp")]}
    return objects, {name: name + " from cache" for name in node.raw_get("children", [])}

def create_object_from_cache(config, name, cached):
    calls.append(cached)
    return [cached]
"""

SMALL = """
def create_objects_from_config_node(config, node):
    yield {node.name: "one of a generator"}
    yield {"second": "two of a generator"}, {}
"""


@pytest.fixture
def plugins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {"my_plugin.py": PLUGIN, "small_plugin.py": SMALL, "no_plugin.py": ""}.items():
        (tmp_path / name).write_text(text)
    info = tmp_path / "plugs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[bliss_like.plugins]\nsmall = small_plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in ("my_plugin", "small_plugin", "no_plugin"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_a_module_that_makes_objects(configure: Configure, plugins: None) -> None:
    config = configure(
        "- {name: lamp, class: Lamp}\n"
        "- {name: a, plugin: my_plugin, lamp: $lamp, children: [b]}\n- {name: b, plugin: my_plugin}\n"
        "- {name: first, plugin: small}\n- {name: second, plugin: small}\n"
    )
    lamp = config.get("lamp")
    assert config.get("a") == ["a", lamp]
    assert config.get("b") == ["b from cache"]
    assert sys.modules["my_plugin"].calls == ["a", "b from cache"]
    assert config.get("first") == "one of a generator"
    assert config.get("second") == "two of a generator"
    path = config.path / "lamps.yml"
    path.write_text(path.read_text().replace("Lamp}", "Lamp, velocity: 3}"))
    assert config.reload().changed == ("a", "b", "lamp")
    assert config.get("a")[1] is config.get("lamp") is not lamp


def test_what_a_plugin_makes_of_what_it_remembers(configure: Configure, plugins: None) -> None:
    text = "- {name: a, plugin: my_plugin, children: [b, c]}\n- {name: b, plugin: my_plugin}\n- {name: c, plugin: my_plugin}\n"
    config = configure(text)
    a, b = config.get("a"), config.get("b")
    (config.path / "lamps.yml").write_text(text.replace("children: [b, c]", "children: [b]"))
    assert config.reload().changed == ("a", "b")
    assert config.get("c") == ["c", None]  # nothing is remembered of what is closed
    assert config.get("a") is not a and config.get("b") is not b
    config.close_objects()
    assert config.get("b") == ["b", None]


def test_the_check_of_plugins(configure: Configure, plugins: None, tmp_path: Path) -> None:
    (tmp_path / "bad_plugin.py").write_text("import nowhere_at_all")
    config = configure(
        "- {name: a, plugin: emotoin}\n- {name: b, plugin: no_plugin}\n- {name: c, plugin: bad_plugin}\n- {name: d, plugin: ..x}\n"
    )
    assert [re.sub(r"; leave.*| \(/.*", "", str(error)) for error in config.check()] == [
        "config/lamps.yml:1:21: object 'a': no plugin 'emotoin', did you mean 'emotion'?",
        "config/lamps.yml:2:21: object 'b': plugin 'no_plugin' has no create_objects_from_config_node(config, node)",
        "config/lamps.yml:3:3: object 'c': could not be made: ModuleNotFoundError: No module named 'nowhere_at_all'",
        "config/lamps.yml:4:3: object 'd': could not be made: TypeError: the 'package' argument is required to perform a relative import for '..x'",
    ]


def test_plugins_that_are_wrong(configure: Configure, plugins: None) -> None:
    config = configure(
        "- {name: a, plugin: emotoin}\n- {name: b, plugin: no_plugin}\n- {name: c, plugin: my_plugin, fails: true}\n"
        "- {name: d, plugin: nowhere.at_all}\n"
    )
    with pytest.raises(ConfigError) as raised:
        config.get("a")
    assert str(raised.value) == ("config/lamps.yml:1:21: object 'a': no plugin 'emotoin', did you mean 'emotion'?")
    with pytest.raises(
        ConfigError, match="lamps.yml:2:21: object 'b': plugin 'no_plugin' has no create_objects_from_con"
    ):
        config.get("b")
    with pytest.raises(
        ObjectCreationFailed, match="lamps.yml:3:3: object 'c': could not be made: RuntimeError: no cable"
    ):
        config.get("c")
    with pytest.raises(ConfigError, match="lamps.yml:4:21: object 'd': no plugin 'nowhere.at_all'; leave"):
        config.get("d")


def test_a_plugin_that_cannot_be_imported_does_not_stop_the_check(configure: Configure) -> None:
    config = configure("- {name: a, plugin: tests.unit.config.beamline.raises}\n- {name: b, class: Lamp, velocty: 1}\n")
    first, second = map(str, config.check())
    assert first.startswith("config/lamps.yml:1:3: object 'a': could not be made: ValueError: no licence")
    assert second == "config/lamps.yml:2:26: Lamp 'b': unknown key 'velocty', did you mean 'velocity'?"


def test_an_object_given_for_its_name(configure: Configure) -> None:
    config = configure("- {name: a, class: Lamp}\n")
    with pytest.raises(ObjectNotFound, match="expects the name of an object, such as 'robx', came <.*Lamp"):
        config.get(config.get("a"))


# -- temporary ---------------------------------------------------------------------------------------------------------------


def test_what_is_made_inside_is_closed_in_the_end(configure: Configure) -> None:
    config = configure("- {name: a, class: Lamp}\n- {name: b, class: Lamp}\n- {name: c, class: Lamp}\n")
    a = config.get("a")
    with config.temporary() as inside:
        assert inside is config and inside.get("a") is a
        b = inside.get("b")
        with pytest.raises(ConfigError, match="not possible inside config.temporary"):
            config.reload()
        with config.temporary():
            config.get("c")
        assert devices.closed == ["c"]
        assert config.get("b") is b
    assert devices.closed == ["c", "b"]
    assert config.get("a") is a
    assert not config.reload()


def test_names_that_are_defined_inside(configure: Configure) -> None:
    config = configure("- {name: a, class: Lamp}\n")
    files = sorted(config.path.rglob("*"))
    with pytest.raises(RuntimeError, match="of the user"), config.temporary():
        node = config.new_node("lamps.yml", {"name": "tried", "class": "Mirror", "lamp": config.get("a")})
        assert config.get("tried").lamp is config.get("a")
        with pytest.raises(ConfigError, match="cannot be saved inside config.temporary"):
            node.save()
        config.set_config_db_file("more.yml", "- {name: box, class: Box, axes: [{name: m, steps_per_unit: 1}]}\n")
        config.set_config_db_file("lamps.yml", "- {name: b, class: Lamp, velocity: 2}\n")
        assert config.names_list == ["b", "box", "m", "tried"]
        assert config.get("b").velocity == 2.0 and config.get("m").box is config.get("box")
        raise RuntimeError("of the user")
    assert config.names_list == ["a"]
    assert devices.closed == ["box", "b", "tried", "a"]
    with pytest.raises(ObjectNotFound):
        config.get("tried")
    assert sorted(config.path.rglob("*")) == files
    assert (config.path / "lamps.yml").read_text() == "- {name: a, class: Lamp}\n"


def test_a_session_tries_something(configure: Configure) -> None:
    config = configure(
        "- {name: a, class: Lamp}\n- {name: s, class: Session, package: bliss_like.session, module: session}\n"
    )
    with config.get("s").temporary_config as inside:
        inside.get("a")
    assert devices.closed == ["a"]
