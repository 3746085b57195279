"""Damaged files: whatever is written in them, errors say where, and nothing else is raised."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bliss_like.config import Config
from bliss_like.errors import ConfigError

from .conftest import Configure

SANE = """\
# A comment
- &base
  name: lamp
  class: Lamp
  velocity: 1.5   # mm/s
  labels: [near, 'the door']
  settings: {a: {b: 1}, "c": [1, 2]}
- <<: *base
  name: copy
- name: mirror
  class: Mirror
  lamp: $lamp
  others: [$lamp, $robx, $lamp.velocity]
- name: box
  class: Box
  axes:
    - name: robx
      steps_per_unit: 1000
    - {name: roby, steps_per_unit: 1e3, encoder: $lamp}
- {name: values, plugin: default, text: |
    nothing }
"""
PLACED = re.compile(r"(.*?:\d+:\d+: |nothing was written$|' *)")

PIECES = st.sampled_from(
    ["\n", "  ", "- ", ": ", "name", "name: ", "class: ", "*base", "&base ", "<<: ", "$lamp", "$", "[", "]", "{", "}"]
    + [
        "#",
        "'",
        '"',
        "|",
        ">",
        "\t",
        "\r",
        "!!int ",
        "!x ",
        "? ",
        "---\n",
        "...\n",
        "%",
        "@",
        "~",
        "null",
        ".nan",
        "1e999",
    ]
    + [
        "\x00",
        "\ufeff",
        "\u2028",
        "é",
        "0x",
        "0o9",
        "-",
        "plugin: ",
        "module: ",
        "package: ",
        ",",
        "Box",
        "Mirror",
        "axes",
    ]
)


@st.composite
def damaged(draw: Any) -> str:
    text = SANE
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 3, 20])))
        text = text[:start] + draw(PIECES | st.text(max_size=3)) + text[end:]
    return text


def check_places(errors: Any) -> None:
    for error in errors:
        assert isinstance(error, ConfigError)
        assert PLACED.match(str(error)), str(error)


def use(config: Config) -> None:
    """Do all that can be done with a configuration."""
    check_places(config.errors)
    str(config.root.to_dict(resolve_references=False))
    for name in config.names_list:
        try:
            config.get(name)
        except ConfigError as error:
            check_places([error])
    check_places(config.errors)


@given(
    damaged(),
    damaged(),
    st.sampled_from(["velocity", "steps_per_unit", "name", "new"]),
    st.integers() | st.text(max_size=3),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files(configure: Configure, first: str, second: str, key: str, value: object) -> None:
    path = configure("").path / "lamps.yml"
    path.write_bytes(first.encode("utf-8", "surrogatepass"))
    config = Config(path.parent)
    use(config)
    path.write_bytes(second.encode("utf-8", "surrogatepass"))
    changes = config.reload()
    assert str(changes)
    check_places(changes.errors)
    use(config)
    for name in config.names_list:
        node = config.get_config(name)
        node[key] = value
        try:
            node.save()
        except ConfigError as error:
            check_places([error])
            node.reload() if node.document is not None and not config.invalid_yaml_files else None
    again = Config(path.parent)
    assert config.invalid_yaml_files or set(again.names_list) <= set(config.names_list)
    config.close_objects()
