"""What a reload closes, what it leaves alive, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import gevent
import pytest
from gevent.event import Event

from bliss_like.config import Config
from bliss_like.errors import ConfigError

from .beamline import devices
from .conftest import Configure

BEAMLINE = """\
- {name: lamp, class: Lamp, velocity: 1}
- {name: mirror, class: Mirror, lamp: $lamp}
- {name: far, class: Mirror, lamp: $mirror}
- {name: other, class: Lamp}
- name: box
  class: Box
  axes:
    - {name: robx, steps_per_unit: 1}
    - {name: roby, steps_per_unit: 1}
- {name: user, class: Mirror, lamp: $roby}
"""
NAMES = ("lamp", "mirror", "far", "other", "box", "robx", "roby", "user")


def change(config: Config, old: str, new: str, file: str = "lamps.yml") -> None:
    path = config.path / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nothing_has_changed(configure: Configure) -> None:
    config = configure(BEAMLINE)
    before = [config.get(name) for name in NAMES]
    changes = config.reload()
    assert not changes
    assert str(changes) == "nothing has changed\nkept: 8 objects"
    assert all(config.get(name) is made for name, made in zip(NAMES, before, strict=True))
    change(config, "velocity: 1}", "velocity: 1 }  # a comment\n# and another")
    assert not config.reload()
    assert all(config.get(name) is made for name, made in zip(NAMES, before, strict=True))
    assert devices.closed == []


def test_dependants_are_closed_first_and_the_rest_lives(configure: Configure) -> None:
    config = configure(BEAMLINE)
    before = {name: config.get(name) for name in NAMES}
    devices.closed.clear()
    change(config, "velocity: 1}", "velocity: 2}")
    change(config, "- {name: other, class: Lamp}\n", "- {name: new, class: Lamp}\n")
    changes = config.reload()
    assert changes.added == ("new",)
    assert changes.removed == ("other",)
    assert changes.changed == ("far", "lamp", "mirror")
    assert changes.kept == ("box", "robx", "roby", "user")
    assert changes.errors == ()
    assert str(changes) == "added: new\nremoved: other\nchanged: far, lamp, mirror\nkept: 4 objects"
    assert devices.closed == ["other", "far", "mirror", "lamp"]
    assert all(config.get(name) is before[name] for name in changes.kept)
    assert config.get("far").lamp.lamp.velocity == 2.0
    assert config.get("far") is not before["far"]


def test_an_item_changes_its_container_and_who_uses_it(configure: Configure) -> None:
    config = configure(BEAMLINE)
    before = {name: config.get(name) for name in NAMES}
    change(config, "robx, steps_per_unit: 1}", "robx, steps_per_unit: 2}")
    changes = config.reload()
    assert changes.changed == ("box", "robx", "roby", "user")
    assert config.get("lamp") is before["lamp"]
    assert config.get("user").lamp is config.get("box").axes["roby"]
    assert config.get("robx").config.steps_per_unit == 2.0


def test_an_inherited_key_counts_if_the_class_knows_it(configure: Configure) -> None:
    files = {
        "h/__init__.yml": "class: Lamp\nvelocity: 1\nteam: vacuum\n",
        "h/lamps.yml": "- name: a\n- {name: b, velocity: 3}\n",
    }
    config = configure(**files)
    a, b = config.get("a"), config.get("b")
    change(config, "vacuum", "optics", "h/__init__.yml")
    assert not config.reload()
    change(config, "velocity: 1", "velocity: 2", "h/__init__.yml")
    assert config.reload().changed == ("a",)
    assert config.get("b") is b and config.get("a") is not a


def test_what_was_asked_for_while_it_was_made_counts(configure: Configure) -> None:
    config = configure(
        "- {name: lamp, class: Lamp}\n- {name: a, class: Asking, for: lamp}\n- {name: s, class: Spawning, asks: [lamp]}\n"
    )
    config.get("a"), config.get("s")
    change(config, "Lamp}", "Lamp, velocity: 2}")
    assert config.reload().changed == ("a", "lamp", "s")


def test_objects_that_were_not_made_are_told_too(configure: Configure) -> None:
    config = configure(BEAMLINE)
    change(config, "velocity: 1}", "velocity: 2}")
    assert config.reload().changed == ("lamp",)
    assert devices.made == []


@pytest.mark.parametrize("broken", ["- {name: lamp", "- {name: lamp, name: lamp}\n", b"\xff\xfe"])
def test_a_file_that_is_broken_counts_as_unchanged(configure: Configure, broken: str | bytes) -> None:
    config = configure(BEAMLINE, **{"z.yml": "- {name: last, class: Lamp}\n"})
    lamp = config.get("lamp")
    (config.path / "lamps.yml").write_bytes(broken if isinstance(broken, bytes) else broken.encode())
    change(config, "Lamp", "Lamp, velocity: 4", "z.yml")
    changes = config.reload()
    assert (changes.added, changes.removed, changes.changed) == ((), (), ("last",))
    (error,) = changes.errors
    assert str(error).startswith("config/lamps.yml:1:")
    assert str(error).endswith("; what it said before holds on, its objects stay as they are")
    assert list(config.invalid_yaml_files) == [str(config.path / "lamps.yml")]
    assert config.get("lamp") is lamp
    assert config.get("other").name == "other"
    with pytest.raises(ConfigError, match="was changed by somebody since it was read"):
        config.get_config("lamp").save()
    (config.path / "lamps.yml").write_text(BEAMLINE)
    assert not config.reload()
    assert config.get("lamp") is lamp
    assert config.invalid_yaml_files == {}


def test_a_directory_that_cannot_be_read_counts_as_unchanged(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(**{"h/deep/lamps.yml": BEAMLINE})
    lamp = config.get("lamp")
    read = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.name == "h":
            raise PermissionError(13, "Permission denied")
        return read(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    changes = config.reload()
    assert str(changes) == "nothing has changed\nkept: lamp\nerror: config/h:1:1: cannot be read: Permission denied"
    assert config.get("lamp") is lamp


def test_an_object_whose_new_configuration_is_wrong_lives_on(configure: Configure) -> None:
    config = configure(BEAMLINE)
    before = {name: config.get(name) for name in NAMES}
    change(config, "velocity: 1}", "velocity: fast}")
    change(config, "robx, steps_per_unit: 1}", "robx, steps_per_unit: many}")
    changes = config.reload()
    assert changes.changed == ()
    assert [str(error) for error in changes.errors] == [
        "config/lamps.yml:1:29: Lamp 'lamp': velocity: expected a number, came 'fast'; 'lamp' stays as it was",
        "config/lamps.yml:8:20: axis 'robx': steps_per_unit: expected a number, came 'many'; 'box' stays as it was",
    ]
    assert all(config.get(name) is made for name, made in before.items())
    change(config, "fast", "3")
    assert config.reload().changed == ("far", "lamp", "mirror")


def test_a_removed_object_takes_along_who_needs_it(configure: Configure) -> None:
    config = configure(BEAMLINE)
    for name in NAMES:
        config.get(name)
    change(config, "- {name: lamp, class: Lamp, velocity: 1}\n", "")
    changes = config.reload()
    assert changes.removed == ("lamp",)
    assert changes.changed == ("far", "mirror")
    assert [str(error) for error in changes.errors] == [
        f"config/lamps.yml:1:33: Mirror 'mirror': lamp: no object 'lamp' in {config.path}"
    ]
    with pytest.raises(ConfigError, match="no object 'lamp'"):
        config.get("far")


def test_an_error_of_closing_is_told_and_the_others_are_closed(configure: Configure) -> None:
    config = configure("- {name: a, class: Lamp}\n- {name: b, class: BadlyClosing}\n- {name: c, class: Lamp}\n")
    for name in "abc":
        config.get(name)
    (config.path / "lamps.yml").write_text("[]\n")
    changes = config.reload()
    assert changes.removed == ("a", "b", "c")
    assert "the lamp is stuck" in map(str, changes.errors)
    assert devices.closed == ["c", "b", "a"]


class Survivor(devices.Lamp):
    survives_reload: ClassVar[bool] = True


def test_what_survives_a_reload_is_reported_once(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "Survivor", Survivor, raising=False)
    config = configure("- {name: s, class: Survivor}\n")
    session = config.get("s")
    change(config, "Survivor", "Survivor, velocity: 2")
    changes = config.reload()
    assert (changes.changed, changes.kept) == (("s",), ("s",))
    assert config.get("s") is session
    assert config.get_config("s")["velocity"] == 2
    assert not config.reload()


def test_who_has_a_node_goes_on_with_it(configure: Configure) -> None:
    config = configure(BEAMLINE, **{"h/__init__.yml": "class: Lamp\n", "h/l.yml": "- name: deep\n"})
    nodes = {name: config.get_config(name) for name in config.names_list}
    nodes["lamp"]["velocity"] = 77
    (config.path / "lamps.yml").write_text(
        "# first\n" + BEAMLINE.replace("steps_per_unit: 1}", "steps_per_unit: 3}", 1)
    )
    change(config, "Lamp", "Lamp\nvelocity: 4", "h/__init__.yml")
    config.reload()
    assert {name: config.get_config(name) for name in config.names_list} == nodes
    assert nodes["lamp"]["velocity"] == 1
    assert (nodes["robx"]["steps_per_unit"], nodes["robx"].line, nodes["robx"].parent) == (3, 9, nodes["box"])
    assert nodes["deep"].get_inherited("velocity") == 4
    nodes["robx"]["velocity"] = 5
    nodes["robx"].save()
    assert "- {name: robx, steps_per_unit: 3, velocity: 5}" in (config.path / "lamps.yml").read_text()


def test_saving_and_reloading_makes_the_object_anew(configure: Configure) -> None:
    config = configure(BEAMLINE)
    lamp = config.get("lamp")
    node = lamp.config.node
    node["velocity"] = 5
    node.save()
    assert config.get("lamp") is lamp
    assert config.reload().changed == ("lamp",)
    assert config.get("lamp").velocity == 5.0
    assert config.get("lamp").config.node is node


def test_a_reload_waits_for_what_is_being_made(configure: Configure) -> None:
    config = configure("- {name: a, class: Gated}\n")
    devices.started.clear()
    devices.gates["a"] = Event()
    making = gevent.spawn(config.get, "a")
    gevent.idle()
    change(config, "Gated", "Gated, velocity: 2")
    reloading = gevent.spawn(config.reload)
    gevent.idle()
    assert devices.started == ["a"] and not reloading.ready()
    devices.gates.pop("a").set()
    assert reloading.get(timeout=30).changed == ("a",)
    assert making.get(timeout=30).velocity == 1.0
    assert config.get("a").velocity == 2.0


def test_a_constructor_cannot_reload(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure("- {name: a, class: Lamp}\n")
    monkeypatch.setattr(devices.Lamp, "__init__", lambda self, name, settings: config.reload())
    with pytest.raises(ConfigError, match=r"config.reload\(\) is not possible while 'a' is being made"):
        config.get("a")


def test_a_file_that_is_wrong_and_then_broken_is_told_once(configure: Configure) -> None:
    config = configure("- {name: lamp, class: Lamp}\n")
    lamp = config.get("lamp")
    (config.path / "lamps.yml").write_text("- {name: lamp, class: Lamp, velocity: -1}\n")
    (error,) = config.reload().errors
    assert str(error).endswith("came -1; 'lamp' stays as it was")
    (config.path / "lamps.yml").write_text("- {name: lamp, class: [\n")
    (error,) = config.reload().errors
    assert "while parsing" in str(error)
    assert config.get("lamp") is lamp
