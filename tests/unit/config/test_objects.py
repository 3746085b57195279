"""Objects by name: identity, inheritance, references, containers, closing."""

from __future__ import annotations

import gevent
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bliss_like.config import Config, ConfigNode, get_config
from bliss_like.config.references import is_reference
from bliss_like.errors import ConfigError, ObjectNotFound

from .beamline import devices
from .conftest import Configure

LAMP = "- name: lamp\n  class: Lamp\n  velocity: 2.5\n"
BOX = """
- name: box
  class: Box
  axes:
    - name: robx
      steps_per_unit: 1000
    - name: roby
      steps_per_unit: -500
      velocity: 3
"""


def test_the_same_object_every_time(configure: Configure) -> None:
    config = configure(LAMP)
    lamp = config.get("lamp")
    assert isinstance(lamp, devices.Lamp)
    assert lamp is config.get("lamp") is get_config().get("lamp")
    assert lamp.velocity == 2.5
    assert devices.made == ["lamp"]


def test_nothing_is_made_before_it_is_asked_for(configure: Configure) -> None:
    config = configure(LAMP + BOX)
    assert config.names_list == ["box", "lamp", "robx", "roby"]
    assert config.get_config("lamp")["velocity"] == 2.5
    assert devices.made == []


def test_greenlets_get_the_same_object(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(LAMP)
    original = devices.Lamp.__init__

    def slow(self: devices.Lamp, name: str, config: devices.Lamp.Config) -> None:
        gevent.sleep(0)
        original(self, name, config)

    monkeypatch.setattr(devices.Lamp, "__init__", slow)
    first, second = gevent.joinall([gevent.spawn(config.get, "lamp") for _ in range(2)], timeout=30)
    assert first.get() is second.get()
    assert devices.made == ["lamp"]


def test_a_file_is_an_object_or_a_list_or_groups_of_them(configure: Configure) -> None:
    config = configure(
        **{
            "one.yml": "name: one\nclass: Lamp",
            "deep/er/groups.yml": "hutch:\n  class_of_no_interest: 3\n  lamps:\n  - {name: two, class: Lamp}\n",
            "empty.yml": "# nothing yet\n",
            "notes.txt": "name: three",
            ".hidden.yml": "name: four",
        }
    )
    assert config.names_list == ["one", "two"]
    assert config.errors == []


def test_keys_of_init_hold_for_the_directory_and_below(configure: Configure) -> None:
    config = configure(
        **{
            "optics/__init__.yml": "class: Lamp\nhost: optics01\nvelocity: 5\nteam: vacuum",
            "optics/lamps.yml": "- name: near\n- {name: far, velocity: 7}",
            "optics/hutch/__init__.yml": "host: hutch02",
            "optics/hutch/lamps.yml": "- name: inside",
            "lamp.yml": "{name: outside, class: Lamp}",
        }
    )
    assert [(lamp.config.host, lamp.velocity) for lamp in map(config.get, ("near", "far", "inside", "outside"))] == [
        ("optics01", 5.0),
        ("optics01", 7.0),
        ("hutch02", 5.0),
        ("", 1.0),
    ]
    node = config.get_config("inside")
    assert node.get_inherited("team") == "vacuum"
    assert node.get_inherited("host") == "hutch02"
    assert node.get_inherited("nothing", "default") == "default"


def test_a_node_tells_what_is_written(configure: Configure) -> None:
    config = configure(
        "- name: lamp\n  class: Lamp\n- name: mirror\n  class: Mirror\n  lamp: $lamp\n  others: [$lamp]\n"
    )
    node = config.get_config("mirror")
    assert isinstance(node, ConfigNode)
    assert (node.name, node.line, list(node)) == ("mirror", 3, ["name", "class", "lamp", "others"])
    assert node.filename.endswith("config/lamps.yml")
    assert node.raw_get("lamp") == "$lamp"
    assert node.to_dict(resolve_references=False)["others"] == ["$lamp"]
    assert devices.made == []
    assert node["lamp"] is node["others"][0] is node.to_dict()["lamp"] is config.get("lamp")


def test_references_are_live_objects_anywhere(configure: Configure) -> None:
    config = configure(
        LAMP
        + BOX
        + """
- name: mirror
  class: Mirror
  lamp: $lamp
  others: [$robx, $box, $lamp.config.colour]
  by_side: {left: $roby}
  speed: $lamp.velocity
"""
    )
    mirror = config.get("mirror")
    assert mirror.lamp is config.get("lamp")
    assert mirror.others == [config.get("robx"), config.get("box"), "red"]
    assert mirror.by_side == {"left": config.get("roby")}
    assert mirror.speed == 2.5
    assert mirror.spare is None


def test_what_is_not_a_reference() -> None:
    assert is_reference("$robx") and is_reference("$robx.velocity.unit")
    assert not any(is_reference(text) for text in ("${HOME}", "$", "robx", "$5", "$a b", "a $b", "$a.", "$é", 5, None))


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True), min_size=1, max_size=4))
def test_every_name_with_attributes_is_a_reference(parts: list[str]) -> None:
    assert is_reference("$" + ".".join(parts))


def test_a_container_is_made_once_and_before_its_items(configure: Configure) -> None:
    config = configure(BOX)
    roby = config.get("roby")
    assert roby.config.velocity == 3.0
    assert roby.box is config.get("box")
    assert config.get("box").axes["robx"] is config.get("robx")
    assert devices.made == ["box"]


def test_anchors_and_merge_keys(configure: Configure) -> None:
    config = configure("- &first {name: one, class: Lamp, velocity: 4}\n- {<<: *first, name: two, colour: green}\n")
    two = config.get("two")
    assert (two.velocity, two.config.colour) == (4.0, "green")


def test_close_closes_in_reverse_order_even_if_one_raises(configure: Configure) -> None:
    config = configure("- {name: a, class: Lamp}\n- {name: b, class: BadlyClosing}\n- {name: c, class: Lamp}\n" + BOX)
    first = [config.get(name) for name in ("a", "robx", "b", "c")]
    assert [str(error) for error in config.close_objects()] == ["the lamp is stuck"]
    assert devices.closed == ["c", "b", "box", "a"]
    assert config.close_objects() == []
    assert config.get("a") is not first[0]


def test_get_config_without_path_is_the_one_in_use(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(LAMP)
    assert get_config() is get_config("config") is config
    config.close()
    monkeypatch.setenv("BLISS_LIKE_CONFIG", str(config.path))
    other = get_config()
    assert other is not config and other.path == config.path
    other.close()


def test_reload_reads_the_files_again(configure: Configure) -> None:
    config = configure(LAMP)
    lamp = config.get("lamp")
    (config.path / "lamps.yml").write_text("- {name: lamp, class: Lamp, velocity: 12.25}\n- {name: more, class: Lamp}")
    config.reload()
    assert config.names_list == ["lamp", "more"]
    assert devices.closed == ["lamp"]
    assert config.get("lamp") is not lamp
    assert config.get("lamp").velocity == 12.25


def test_loading_again_takes_the_cache_and_finds_the_same(configure: Configure) -> None:
    config = configure(LAMP + BOX, **{"broken.yml": "a: [1"})
    again = Config(config.path)
    assert again.names_list == config.names_list
    assert again.get_config("robx").place == config.get_config("robx").place
    assert again.get_config("robx").to_dict() == config.get_config("robx").to_dict()
    assert [str(error) for error in again.errors] == [str(error) for error in config.errors]


def test_a_damaged_cache_is_ignored(configure: Configure) -> None:
    config = configure(LAMP)
    for cached in (config.path.parent / "cache").rglob("*.json"):
        cached.write_text("{nonsense")
    assert Config(config.path).get("lamp").velocity == 2.5


def test_no_directory(configure: Configure) -> None:
    with pytest.raises(ConfigError, match=r"no configuration directory /.*/nowhere: .*\$BLISS_LIKE_CONFIG.*\./config"):
        get_config("nowhere")


def test_unknown_name(configure: Configure) -> None:
    config = configure(LAMP)
    with pytest.raises(ObjectNotFound) as raised:
        config.get("lmap")
    assert str(raised.value) == f"no object 'lmap' in {config.path}, did you mean 'lamp'?"
    with pytest.raises(KeyError):
        config.get_config("lmap")
