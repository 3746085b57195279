"""Nodes that are edited and saved: what is written, what is refused, what is left alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from enum import Enum
from pathlib import Path

import numpy as np
import pytest

from bliss_like.config import Config
from bliss_like.errors import ConfigError

from .beamline import devices
from .conftest import Configure

LAMPS = """\
# Lamps of the hutch
- name: lamp
  class: Lamp
  velocity: 1.50   # mm/s
  labels: [ near,  door ]

- name: mirror   # polished
  class: Mirror
  lamp: $lamp

- name: box
  class: Box
  axes:
      - name: robx     # the first
        steps_per_unit: 1000
      - {name: roby, steps_per_unit: 500}
"""


class Colour(Enum):
    GREEN = "green"


def text_of(config: Config) -> str:
    return (config.path / "lamps.yml").read_text()


def test_a_value_is_saved_and_nothing_else_changes(configure: Configure) -> None:
    config = configure(LAMPS)
    node = config.get_config("lamp")
    node["velocity"] = 5
    assert text_of(config) == LAMPS
    node.save()
    assert text_of(config) == LAMPS.replace("velocity: 1.50 ", "velocity: 5 ")
    node["velocity"] = 6.25
    node["count"] = np.int64(3)
    node["labels"].append("window")
    node.save()
    changed = LAMPS.replace("1.50", "6.25").replace("[ near,  door ]\n", "[ near,  door, window ]\n  count: 3\n")
    assert text_of(config) == changed
    assert config.get("lamp").velocity == 6.25
    assert Config(config.path).get_config("lamp").to_dict() == node.to_dict()


def test_places_follow_what_was_saved(configure: Configure) -> None:
    config = configure(LAMPS)
    node = config.get_config("lamp")
    node["regions"] = [{"left": 1, "width": 2}]
    node.save()
    assert "  regions:\n    - {left: 1, width: 2}\n" in text_of(config) or "regions" in text_of(config)
    again = Config(config.path)
    for name in config.names_list:
        assert config.get_config(name).place == again.get_config(name).place
    assert node.place_of(("regions", 0, "width")) == again.get_config("lamp").place_of(("regions", 0, "width"))
    node["regions"][0]["width"] = 7
    node["regions"][0].save()
    assert Config(config.path).get_config("lamp")["regions"][0] == {"left": 1, "width": 7}


def test_objects_are_saved_as_references(configure: Configure) -> None:
    config = configure(LAMPS)
    node = config.get_config("mirror")
    node["spare"] = config.get("roby")
    node["others"] = [config.get("lamp"), config.get("box")]
    node["by_side"] = {"left": config.get("robx")}
    node.save()
    new = "  spare: $roby\n  others: [$lamp, $box]\n  by_side: {left: $robx}\n"
    assert text_of(config) == LAMPS.replace("  lamp: $lamp\n", "  lamp: $lamp\n" + new)
    assert node["others"][1] is config.get("box")
    with pytest.raises(ValueError, match=r"Cannot make a reference to object .*Lamp.*: it is not in the configuration"):
        node["spare"] = devices.Lamp("other", devices.Lamp.Config(name="other"))
    assert node["spare"] is config.get("roby")


def test_keys_are_deleted_and_items_added(configure: Configure) -> None:
    config = configure(LAMPS)
    del config.get_config("lamp")["labels"]
    config.get_config("lamp").save()
    box = config.get_config("box")
    box["axes"].append({"name": "robz", "steps_per_unit": 10})
    del box["axes"][0]
    box.save()
    expected = LAMPS.replace("  labels: [ near,  door ]\n", "")
    expected = expected.replace("      - name: robx     # the first\n        steps_per_unit: 1000\n", "")
    assert text_of(config) == expected + "      - name: robz\n        steps_per_unit: 10\n"
    assert config.get("robz").config.steps_per_unit == 10
    assert "robx" not in config.names_list


def test_what_was_deleted_is_not_saved_over_something_else(configure: Configure) -> None:
    config = configure(LAMPS)
    box, robx = config.get_config("box"), config.get_config("robx")
    del box["axes"][0]
    box.save()
    saved = text_of(config)
    robx["velocity"] = 9
    for action in (robx.save, robx.reload):
        with pytest.raises(
            ConfigError, match="cannot be saved, it stands in no file: it is a copy, a directory, or was"
        ):
            action()
    assert text_of(config) == saved


def test_adding_a_file_leaves_what_is_not_saved(configure: Configure) -> None:
    config = configure(LAMPS)
    config.get_config("lamp")["velocity"] = 9
    config.new_node("new.yml", {"name": "new", "class": "Lamp", "colour": Colour.GREEN})
    assert config.get("new").config.colour == "green"
    assert config.get_config("lamp")["velocity"] == 9
    config.reload()
    assert config.get_config("lamp")["velocity"] == 1.5


def test_what_cannot_be_written(configure: Configure) -> None:
    node = configure(LAMPS).get_config("lamp")
    with pytest.raises(ValueError, match=r"expected text or a number as a key, came \(1, 2\)"):
        node["settings"] = {(1, 2): 3}
    with pytest.raises(ValueError, match="Cannot make a reference to object <object"):
        node["settings"] = [{"a": object()}]
    assert "settings" not in node


def test_saving_one_node_leaves_what_others_have_not_saved(configure: Configure) -> None:
    config = configure(LAMPS)
    config.get_config("lamp")["velocity"] = 9
    mirror = config.get_config("mirror")
    mirror["speed"] = 2
    mirror.save()
    assert text_of(config) == LAMPS.replace("  lamp: $lamp\n", "  lamp: $lamp\n  speed: 2\n")
    assert config.get_config("lamp")["velocity"] == 9
    config.get_config("lamp").save()
    assert "velocity: 9   # mm/s" in text_of(config)


def test_a_file_that_was_removed_meanwhile_is_not_made_again(configure: Configure) -> None:
    config = configure(LAMPS)
    node = config.get_config("lamp")
    node["velocity"] = 5
    (config.path / "lamps.yml").unlink()
    with pytest.raises(ConfigError, match="config/lamps.yml:1:1: is not there any more; nothing was written"):
        node.save()
    assert not (config.path / "lamps.yml").exists()


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(configure: Configure) -> None:
    config = configure(LAMPS)
    node = config.get_config("lamp")
    node["velocity"] = 5
    theirs = LAMPS.replace("polished", "dirty")
    (config.path / "lamps.yml").write_text(theirs)
    with pytest.raises(ConfigError) as raised:
        node.save()
    assert str(raised.value) == (
        "config/lamps.yml:1:1: was changed by somebody since it was read; nothing was written: "
        "config.reload() reads it, then set your change again"
    )
    assert text_of(config) == theirs
    config.reload()
    assert node["velocity"] == 1.5
    node["velocity"] = 5
    node.save()
    assert text_of(config) == theirs.replace("1.50", "5")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("velocity", -1, "config/lamps.yml:4:3: Lamp 'lamp': velocity: expected a value > 0, came -1"),
        ("velocty", 1, "config/lamps.yml:6:3: Lamp 'lamp': unknown key 'velocty'; 'velocity' is there already"),
        ("labels", {"a": 1}, "config/lamps.yml:5:3: Lamp 'lamp': labels: expected text or a list, came {'a': 1}"),
        (
            "name",
            "mirror",
            "config/lamps.yml:7:9: name 'mirror' is already taken by Lamp 'mirror' in config/lamps.yml:2",
        ),
        ("name", "3d", "config/lamps.yml:2:9: name '3d': expected letters, digits"),
        ("host", "$nobody", "config/lamps.yml:6:3: Lamp 'lamp': host: no object 'nobody' in"),
    ],
)
def test_what_the_class_would_refuse_is_not_written(
    configure: Configure, key: str, value: object, message: str
) -> None:
    config = configure(LAMPS)
    node = config.get_config("lamp")
    node[key] = value
    with pytest.raises(ConfigError) as raised:
        node.save()
    assert str(raised.value).startswith(message)
    assert str(raised.value).endswith("\nnothing was written")
    assert text_of(config) == LAMPS
    node.reload()
    assert node == {"name": "lamp", "class": "Lamp", "velocity": 1.5, "labels": ["near", "door"]}
    node["velocity"] = 3
    node.save()
    assert text_of(config) == LAMPS.replace("1.50", "3")


def test_a_fault_that_was_there_before_does_not_stop_a_save(configure: Configure) -> None:
    config = configure(LAMPS + "  hots: typo\n- name: unknown\n  class: Nobody\n  a: 1\n")
    config.get_config("roby")["velocity"] = 7
    config.get_config("roby").save()
    config.get_config("unknown")["a"] = 2
    config.get_config("unknown").save()
    expected = LAMPS.replace("unit: 500}", "unit: 500, velocity: 7}")
    assert text_of(config) == expected + "  hots: typo\n- name: unknown\n  class: Nobody\n  a: 2\n"


def test_an_anchor_that_others_repeat_is_refused(configure: Configure) -> None:
    text = "- &one {name: one, class: Lamp, velocity: 4}\n- {<<: *one, name: two}\n"
    config = configure(text)
    config.get_config("one")["velocity"] = 5
    with pytest.raises(ConfigError) as raised:
        config.get_config("one").save()
    assert str(raised.value) == (
        "config/lamps.yml:1:3: cannot be saved: velocity of 'two' would change too, by an anchor (&) and its alias (*); "
        "nothing was written: change it in the file, then config.reload()"
    )
    assert text_of(config) == text
    config.get_config("two")["velocity"] = 6
    config.get_config("two").save()
    assert text_of(config) == text.replace("name: two", "name: two, velocity: 6")


def test_inherited_keys_are_saved_where_they_are_written(configure: Configure) -> None:
    config = configure(
        **{"hutch/__init__.yml": "class: Lamp # all\nvelocity: 2\n", "hutch/lamps.yml": "- name: lamp\n"}
    )
    owner = config.get_config("lamp").owner_of("velocity")
    assert owner is not None
    owner["velocity"] = "fast"
    with pytest.raises(
        ConfigError, match="hutch/__init__.yml:2:1: Lamp 'lamp': velocity: expected a number, came 'fast'"
    ):
        owner.save()
    owner["velocity"] = 4
    owner.save()
    assert (config.path / "hutch/__init__.yml").read_text() == "class: Lamp # all\nvelocity: 4\n"
    assert config.get("lamp").velocity == 4.0


def test_an_old_mistake_in_a_file_of_defaults_keeps_nobody_from_saving(configure: Configure) -> None:
    config = configure(
        **{"hutch/__init__.yml": "velocity: fast\ncolour: red\n", "hutch/lamps.yml": "- {name: lamp, class: Lamp}\n"}
    )
    defaults = config.get_config("lamp").parent
    assert defaults is not None
    defaults["colour"] = "green"
    defaults.save()
    assert (config.path / "hutch/__init__.yml").read_text() == "velocity: fast\ncolour: green\n"
    defaults["colour"] = "blue"
    with pytest.raises(
        ConfigError, match="^config/hutch/__init__.yml:2:1: Lamp 'lamp': colour: expected 'red' or 'green'"
    ):
        defaults.save()
    defaults["colour"] = "green"
    defaults["velocity"] = 2.0
    defaults.save()
    assert config.get("lamp").velocity == 2.0


def test_mode_and_links_stay(configure: Configure, tmp_path: Path) -> None:
    config = configure(LAMPS)
    path = config.path / "lamps.yml"
    real = tmp_path / "elsewhere.yml"
    path.rename(real)
    path.symlink_to(real)
    real.chmod(0o640)
    config.reload()
    config.get_config("lamp")["velocity"] = 8
    config.get_config("lamp").save()
    assert path.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert real.read_text() == LAMPS.replace("1.50", "8")
    assert sorted(os.listdir(config.path)) == ["__init__.yml", "lamps.yml"]
    assert "elsewhere.yml" in os.listdir(tmp_path)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".")]


def test_a_file_that_is_protected(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(LAMPS)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    config.get_config("lamp")["velocity"] = 8
    with pytest.raises(ConfigError, match="lamps.yml: is write-protected; nothing was written"):
        config.get_config("lamp").save()
    assert text_of(config) == LAMPS


def test_a_directory_that_cannot_be_written(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(LAMPS)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    config.get_config("lamp")["velocity"] = 8
    with pytest.raises(ConfigError, match="lamps.yml: cannot be written: No space left on device; it is as it was"):
        config.get_config("lamp").save()
    assert text_of(config) == LAMPS
    assert sorted(os.listdir(config.path)) == ["__init__.yml", "lamps.yml"]
    monkeypatch.undo()
    config.get_config("lamp").save()


def test_processes_that_save_do_not_overwrite_each_other(configure: Configure) -> None:
    config = configure(LAMPS + "- {name: far, class: Lamp}\n")
    program = """
import sys
from bliss_like.config import Config
from bliss_like.errors import ConfigError

config = Config(sys.argv[1])
node = config.get_config(sys.argv[2])
for _ in range(10):
    while True:
        node["count"] = node.get("count", 0) + 1
        try:
            node.save()
            break
        except ConfigError as error:
            assert "was changed by somebody" in str(error), error
            config.reload()
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    processes = [
        subprocess.Popen([*command, str(config.path), name], env=environment) for name in ("lamp", "lamp", "far")
    ]
    assert [process.wait(timeout=50) for process in processes] == [0, 0, 0]
    config.reload()
    assert (config.get_config("lamp")["count"], config.get_config("far")["count"]) == (20, 10)


def test_line_ends_stay(configure: Configure) -> None:
    config = configure(LAMPS)
    (config.path / "lamps.yml").write_bytes(LAMPS.replace("\n", "\r\n").encode())
    config.reload()
    config.get_config("lamp")["velocity"] = 8
    config.get_config("lamp")["count"] = 2
    config.get_config("lamp").save()
    expected = LAMPS.replace("1.50", "8").replace("door ]\n", "door ]\n  count: 2\n").replace("\n", "\r\n")
    assert (config.path / "lamps.yml").read_bytes() == expected.encode()


def test_a_new_object(configure: Configure) -> None:
    config = configure(LAMPS, **{"one.yml": "name: one\nclass: Lamp\n", "empty.yml": "# nothing yet\n"})
    node = config.new_node("lamps.yml", {"name": "more", "class": "Lamp", "regions": [{"left": 1, "width": 2}]})
    assert node is config.get_config("more")
    assert text_of(config) == LAMPS + "\n- name: more\n  class: Lamp\n  regions:\n    - {left: 1, width: 2}\n"
    config.new_node("empty.yml", {"name": "first", "class": "Mirror", "lamp": config.get("more")})
    assert (config.path / "empty.yml").read_text() == "# nothing yet\n- name: first\n  class: Mirror\n  lamp: $more\n"
    config.new_node("new/hutch.yml", {"name": "second", "class": "Lamp"})
    assert (config.path / "new/hutch.yml").read_text() == "- name: second\n  class: Lamp\n"
    assert config.get("first").lamp is config.get("more")
    assert config.get("second").name == "second"
    assert not config.reload()


def test_a_new_object_that_is_wrong(configure: Configure) -> None:
    config = configure(LAMPS, **{"one.yml": "name: one\nclass: Lamp\n"})
    files = {path: path.read_bytes() for path in config.path.rglob("*")}
    wrong = {
        ("lamps.yml", "lamp", 1): "'lamp' is already there: config/lamps.yml:2:3: Lamp 'lamp'; take another name",
        ("lamps.yml", "more", -1): "config/lamps.yml:20:3: Lamp 'more': velocity: expected a value > 0, came -1",
        ("new.yml", "more", -1): "config/new.yml:3:3: Lamp 'more': velocity: expected a value > 0, came -1",
        ("one.yml", "more", 1): "config/one.yml:1:1: holds keys and values: expected a list",
        ("../new.yml", "more", 1): "'../new.yml': expected a file below",
        ("new.yaml", "more", 1): "'new.yaml': expected a file below",
        ("new.yml", "3d", 1): "config/new.yml:1:9: name '3d': expected letters",
    }
    for (file, name, velocity), message in wrong.items():
        with pytest.raises(ConfigError) as raised:
            config.new_node(file, {"name": name, "class": "Lamp", "velocity": velocity})
        assert str(raised.value).startswith(message)
    assert {path: path.read_bytes() for path in config.path.rglob("*")} == files
    assert config.names_list == ["box", "lamp", "mirror", "one", "robx", "roby"]


def test_a_file_by_its_text(configure: Configure) -> None:
    config = configure(LAMPS)
    config.set_config_db_file("more.yml", "- {name: more, class: Lamp}\n")
    assert config.get("more").name == "more"
    config.set_config_db_file("more.yml", "- {name: more, class: Lamp, velocity: 3}\n")
    assert config.get("more").velocity == 1.0
    assert config.reload().changed == ("more",)
    assert config.get("more").velocity == 3.0
    for text, message in {
        "a: [1": "config/more.yml:1:6: ",
        "- {name: lamp, class: Lamp}": "config/more.yml:1:10: name 'lamp' is already taken",
        "- {name: more, class: Lamp, velocity: -3}": "config/more.yml:1:29: Lamp 'more': velocity: expected",
    }.items():
        with pytest.raises(ConfigError) as raised:
            config.set_config_db_file("more.yml", text)
        assert str(raised.value).startswith(message) and str(raised.value).endswith("nothing was written")
    assert (config.path / "more.yml").read_text() == "- {name: more, class: Lamp, velocity: 3}\n"


def test_what_a_node_knows_of_itself(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    config = configure(**{"hutch/__init__.yml": "team: vacuum\nbox: b1", "hutch/a.yml": LAMPS + "  box: b2\n"})
    robx, box = config.get_config("robx"), config.get_config("box")
    assert robx.path == (2, "axes", 0)
    assert robx.parent is box and box.parent is not None and box.parent["team"] == "vacuum"
    assert box.children == [robx, config.get_config("roby")]
    assert robx.get_inherited_value_and_node("box") == ("b2", box)
    assert robx.get_inherited_value_and_node("nothing", 5) == (5, None)
    assert robx.get_top_key_node("name") is box and robx.get_top_key_node("team") is robx
    assert robx.root["hutch"]["a"].written[2] is box
    assert dict(config.get_config("mirror").raw_items())["lamp"] == "$lamp"
    before = robx.md5hash()
    copy = robx.clone()
    copy["steps_per_unit"] = 5
    assert (robx["steps_per_unit"], robx.md5hash()) == (1000, before)
    with pytest.raises(ConfigError, match="cannot be saved, it stands in no file: it is a copy"):
        copy.save()
    with pytest.raises(ConfigError, match="config:1:1: cannot be saved, it stands in no file"):
        config.root.save()
    robx.pprint()
    assert capsys.readouterr().out == "{'name': 'robx', 'steps_per_unit': 1000}\n"
