"""The JSON schema of the YAML files, made from the models of all classes: editors complete keys and mark mistakes with it."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import PydanticJsonSchemaWarning, models_json_schema

from bliss_like.errors import ConfigError

from .construction import class_of
from .loader import INIT
from .models import REFERENCE_SCHEMA, ObjectConfig
from .registry import ENTRY_POINTS, KNOWN_CLASSES, default_classes, find_class
from .survey import Survey

Schema = dict[str, Any]

NAME = r"^[A-Za-z_][A-Za-z0-9_]*$"


def schema(survey: Survey | None = None) -> Schema:
    """Return a schema (draft 7) for every file of a configuration.

    :param survey: adds the classes that it uses from packages of its own, and lets objects lack the keys that its
        `__init__.yml` files have.
    """
    classes = known_classes(survey)
    inherited = _inherited_keys(survey)
    models = list(dict.fromkeys(cls.Config for cls in classes.values()))
    refs, definitions = _definitions(models)
    for cls in classes.values():
        definition = definitions[refs[cls.Config]]
        definition["description"] = inspect.cleandoc(cls.__doc__ or cls.__name__)
        definition["required"] = [key for key in definition.get("required", []) if key not in inherited]
        definition["properties"]["name"]["pattern"] = NAME
        definition["properties"]["class"] = {"type": "string", "description": definition["description"]}
    definitions["reference"] = REFERENCE_SCHEMA
    foreign = bool(inherited & {"package", "module"})
    definitions["block"] = _mapping({name: refs[cls.Config] for name, cls in classes.items()}, foreign)
    definitions["file"] = _file()
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Configuration of a beamline",
        "$ref": "#/definitions/file",
        "definitions": definitions,
    }


def known_classes(survey: Survey | None = None) -> dict[str, type[Any]]:
    """Return all classes that YAML can name, by what it writes: of bliss_like, of entry points, of a tree's packages."""
    found: dict[str, type[Any]] = {}
    for name in [*KNOWN_CLASSES, *default_classes(), *(point.name for point in entry_points(group=ENTRY_POINTS))]:
        try:
            cls = find_class(name)
        except Exception:  # noqa: BLE001, S112 - what cannot be imported here cannot be described
            continue
        found.setdefault(name, cls)
    for entry in survey.entries.values() if survey is not None else ():
        if not entry.owner:
            try:
                cls = class_of(entry)
            except ConfigError:
                continue
            found.setdefault(cls.__name__, cls)
    return {name: cls for name, cls in sorted(found.items()) if _is_made_from_yaml(cls)}


def _is_made_from_yaml(cls: type[Any]) -> bool:
    config = getattr(cls, "Config", None)
    return inspect.isclass(config) and issubclass(config, ObjectConfig) and not inspect.isabstract(cls)


def _inherited_keys(survey: Survey | None) -> set[str]:
    keys: set[str] = set()
    for entry in survey.entries.values() if survey is not None else ():
        node = entry.node.parent
        while node is not None:
            if node.filename.endswith(INIT):
                keys |= {str(key) for key in node.written}
            node = node.parent
    return keys


def _definitions(models: Iterable[type[BaseModel]]) -> tuple[dict[Any, str], dict[str, Schema]]:
    """Return the name of each model's definition, and all definitions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PydanticJsonSchemaWarning)  # a default that is no JSON is left out
        refs, made = models_json_schema(
            [(model, "validation") for model in models], by_alias=True, ref_template="#/definitions/{model}"
        )
    definitions = {name: _tidy(definition) for name, definition in made["$defs"].items()}
    return {model: ref["$ref"].rpartition("/")[2] for (model, _), ref in refs.items()}, definitions


def _tidy(value: Any) -> Any:
    """Return a schema without titles and endless numbers, whose values may be references."""
    if isinstance(value, list):
        return [_tidy(element) for element in value]
    if not isinstance(value, dict):
        return value
    tidy: Schema = {}
    for key, child in value.items():
        if key == "properties":
            tidy[key] = {name: _tidy(each) for name, each in child.items()}
        elif (
            key != "title"
            and (key, child) != ("default", "")
            and not (isinstance(child, float) and not math.isfinite(child))
        ):
            tidy[key] = _tidy(child)
    if "anyOf" in tidy:
        tidy["anyOf"] = _flat(tidy["anyOf"])
    return _or_reference(tidy)


def _flat(choices: list[Schema]) -> list[Schema]:
    """Return choices among choices as one list, each once."""
    flat: list[Schema] = []
    for choice in choices:
        inner = _flat(choice["anyOf"]) if set(choice) == {"anyOf"} else [choice]
        flat += [each for each in inner if each not in flat]
    return flat


def _or_reference(described: Schema) -> Schema:
    """Let a number, a choice or a list of them come from another object."""
    items = described.get("items", {})
    is_list = described.get("type") == "array" and "$ref" not in items and items.get("type") != "object"
    if not is_list and described.get("type") not in ("number", "integer", "boolean") and "enum" not in described:
        return described
    outside: Schema = {key: described.pop(key) for key in ("description", "default") if key in described}
    return {"anyOf": [described, {"$ref": "#/definitions/reference"}], **outside}


def _mapping(refs: dict[str, str], foreign: bool) -> Schema:
    """Return the schema of a block: an object, whose keys are those of its class, or a group of objects.

    :param foreign: an `__init__.yml` names a package, hence any class may be meant.
    """
    any_class: Schema = {"type": "string", "description": "a class of the package that is named"}
    known: Schema = {"type": "string", "enum": list(refs), "description": "what it is"}
    strict: Schema = {"anyOf": [known, any_class]} if foreign else known
    names_package = {"anyOf": [{"required": ["package"]}, {"required": ["module"]}]}
    of_class = [{"if": _is(name), "then": {"$ref": f"#/definitions/{ref}"}} for name, ref in refs.items()]
    return {
        "properties": {
            "name": {"type": "string", "description": "by which sessions and references know it"},
            "class": {"anyOf": [known, any_class]},
        },
        "allOf": [{"if": names_package, "else": {"properties": {"class": strict}}}, *of_class],
        "if": {"not": {"required": ["name"]}},
        "then": {"additionalProperties": {"if": {"type": ["array", "object"]}, "then": {"$ref": "#/definitions/file"}}},
        "else": {"properties": {"name": {"pattern": NAME}}},
    }


def _is(name: str) -> Schema:
    return {"required": ["name", "class"], "properties": {"class": {"const": name}}}


def _file() -> Schema:
    """Return the schema of a file: an object, a list of them, groups of them, or keys that all below inherit."""
    return {
        "if": {"type": "array"},
        "then": {"items": {"$ref": "#/definitions/file"}},
        "else": {"if": {"type": "object"}, "then": {"$ref": "#/definitions/block"}},
        "description": "an object, or a list of objects",
    }
