"""The JSON schema: what is right is accepted, what is misspelt is not."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from bliss_like.config.schema import schema
from bliss_like.config.survey import open_survey

from .conftest import Configure

SHIPPED = Path(__file__).parents[3] / "config"


@cache
def schema_of(directory: Path | None = None) -> dict[str, Any]:
    """Made once: it takes half a second."""
    return schema(open_survey(directory) if directory else None)


def errors(text: str, made: dict[str, Any] | None = None) -> list[str]:
    """Return where a YAML text breaks the schema, as paths."""
    validator = Draft7Validator(made or schema_of())
    found = validator.iter_errors(YAML(typ="safe", pure=True).load(io.StringIO(text)))
    return [".".join(map(str, error.absolute_path)) for error in found]


def test_it_is_a_schema_and_json() -> None:
    made = schema_of(SHIPPED)
    Draft7Validator.check_schema(made)
    assert json.loads(json.dumps(made, allow_nan=False)) == made


@pytest.mark.parametrize("file", sorted(SHIPPED.rglob("*.yml")), ids=lambda path: str(path.relative_to(SHIPPED)))
def test_shipped_files_are_valid(file: Path) -> None:
    assert errors(file.read_text(), schema_of(SHIPPED)) == []


RIGHT = [
    "- {name: motors, class: SimulatedMotors, axes: [{name: x, velocity: $y.velocity, low_limit: -.inf, sign: -1}]}",
    "{name: camera, class: SimulatedCamera, axis_x: $x, width: $other.width}",
    "optics:\n  - {name: motors, class: SimulatedMotors, axes: []}\ncameras:\n  front: {name: camera, class: SimulatedCamera}",
    "host: mine\nclass: SimulatedMotors\nscan_saving: {base_path: /data}",
    "{name: lamp, class: Lamp, package: my.devices, colour: red}",
    "",
]


@pytest.mark.parametrize("text", RIGHT)
def test_what_is_right(text: str) -> None:
    assert errors(text) == []


WRONG = {
    "- {name: motors, class: SimulatedMotors, axes: [{name: x, velocty: 1}]}": "0.axes.0",
    "- {name: motors, class: SimulatedMotors, axes: [{name: x, velocity: fast}]}": "0.axes.0.velocity",
    "- {name: motors, class: SimulatedMotors, axes: [{name: x, velocity: -1}]}": "0.axes.0.velocity",
    "- {name: motors, class: SimulatedMotors, axes: [{name: x, fault: sometimes}]}": "0.axes.0.fault",
    "- {name: motors, class: SimulatedMotors}": "0",
    "- {name: camera, class: SimulatedCamra}": "0.class",
    "{name: camera, class: SimulatedCamera, axis_x: robx}": "axis_x",
    "{name: 2x, class: SimulatedCamera}": "name",
    "optics:\n  - {name: camera, class: SimulatedCamera, widht: 3}": "optics.0",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong(text: str) -> None:
    assert WRONG[text] in errors(text)


def test_words_for_the_editor() -> None:
    definitions = schema()["definitions"]
    assert "SimulatedCamera" in definitions["block"]["properties"]["class"]["anyOf"][0]["enum"]
    (camera,) = [each for each in definitions.values() if "pixels_per_unit" in each.get("properties", {})]
    assert camera["description"].startswith("Gives `<name>:image`")
    assert camera["properties"]["width"]["description"] == "pixels"
    assert camera["properties"]["width"]["default"] == 256


def test_classes_of_the_configuration_are_known(configure: Configure) -> None:
    config = configure(
        **{"__init__.yml": "", "a.yml": "{name: lamp, class: Lamp, package: tests.unit.config.beamline.devices}"}
    )
    made = schema(open_survey(config.path))
    assert errors("{name: lamp, class: Lamp, package: tests.unit.config.beamline.devices, colur: red}", made) != []
    assert errors("{name: lamp, class: Lamp, package: tests.unit.config.beamline.devices, colour: red}", made) == []


def test_keys_that_an_init_file_has_may_be_missing(configure: Configure) -> None:
    files = {
        "__init__.yml": "package: tests.unit.config.beamline.devices\nlamp: $l",
        "a.yml": "{name: m, class: Mirror}",
    }
    config = configure(**files)
    assert errors("{name: m, class: Mirror}", schema(open_survey(config.path))) == []
    assert errors("{name: n, class: SomethingOfThePackage}", schema(open_survey(config.path))) == []
