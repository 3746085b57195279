"""An object of the configuration as it would be made: each key with its value and where that comes from."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bliss_like.errors import ConfigError, ObjectNotFound

from .check import check_entry
from .emitting import scalar
from .loader import Entry
from .models import ObjectConfig
from .node import ConfigList, ConfigNode
from .references import Place, referred_name
from .suggestion import did_you_mean
from .survey import Survey, references
from .validation import item_keys, model_below


@dataclass(frozen=True)
class KeyShown:
    """One key.

    :param place: where it is written, None for a default.
    :param inherited: it is written in an `__init__.yml`.
    :param about: what its class says of it.
    """

    key: str
    value: str
    place: Place | None
    inherited: bool = False
    about: str = ""


@dataclass(frozen=True)
class ObjectShown:
    """An object or item.

    :param class_name: dotted; for an item, that of its container.
    :param source: the file of the class, `""` when the class cannot be found.
    :param targets: each `$name` in it, and what that is.
    :param items: names of its items, by the key they stand in.
    :param makes: for a session, the objects that it would make.
    """

    label: str
    place: Place
    class_name: str
    source: str
    owner: str
    keys: list[KeyShown]
    targets: dict[str, str] = field(default_factory=dict)
    items: dict[str, list[str]] = field(default_factory=dict)
    makes: list[str] | None = None
    errors: list[ConfigError] = field(default_factory=list)


def show(name: str, survey: Survey) -> ObjectShown:
    """Return what would be made under a name.

    :raises ObjectNotFound: nothing.
    """
    entry = survey.entries.get(name)
    if entry is None:
        raise ObjectNotFound(f"no object '{name}' in {survey.root}{did_you_mean(name, survey.entries)}")
    top = survey.entries[entry.owner] if entry.owner else entry
    cls = survey.class_of(top.node.name)
    model = None if cls is None else model_below(cls.Config, entry.key) if entry.owner else cls.Config
    node = entry.node if entry.owner else survey.complete(name)
    made = getattr(cls, "names_made", None) if not entry.owner else None
    return ObjectShown(
        label=entry.label,
        place=entry.node.place,
        class_name=f"{cls.__module__}.{cls.__name__}" if cls else "",
        source=_source(cls),
        owner=entry.owner,
        keys=[*_written(node, entry.node, model), *_defaults(node, model)],
        targets={text: _target(text, survey) for _, text in references(node)},
        items=_items(entry, cls),
        makes=made(node, survey) if made else None,
        errors=_errors(entry, top, survey),
    )


def _written(node: ConfigNode, own: ConfigNode, model: type[BaseModel] | None) -> Iterator[KeyShown]:
    fields = _fields(model)
    for key, value in node.written.items():
        about = fields[key].description or "" if key in fields else ""
        yield KeyShown(key, yaml_text(value), node.key_places[key], key not in own.written, about)


def _defaults(node: ConfigNode, model: type[BaseModel] | None) -> Iterator[KeyShown]:
    for key, info in _fields(model).items():
        if key not in node.written and not info.is_required():
            default = info.get_default(call_default_factory=True)
            if key in _fields(ObjectConfig) and not default:
                continue  # what every object may have, and this one has not
            yield KeyShown(key, yaml_text(default), None, about=info.description or "")


def _fields(model: type[BaseModel] | None) -> dict[str, FieldInfo]:
    return {info.alias or name: info for name, info in model.model_fields.items()} if model else {}


def _items(entry: Entry, cls: type[Any] | None) -> dict[str, list[str]]:
    keys = item_keys(cls.Config) if cls is not None and not entry.owner else set()
    items: dict[str, list[str]] = {}
    for key in entry.node.written:
        elements = entry.node.written[key]
        if key in keys and isinstance(elements, ConfigList):
            items[key] = [element.name for element in elements.written if isinstance(element, ConfigNode)]
    return items


def _target(reference: str, survey: Survey) -> str:
    entry = survey.entries.get(referred_name(reference))
    return f"{entry.label}, {entry.node.place}" if entry is not None else "nothing of that name"


def _errors(entry: Entry, top: Entry, survey: Survey) -> list[ConfigError]:
    errors = check_entry(top, survey)
    if entry is top:
        return errors
    last = _last_line(entry.node)
    first = entry.node.place.line
    return [error for error in errors if error.place and first <= error.place[1] <= last]


def _last_line(node: ConfigNode) -> int:
    return max([place.line for place in node.value_places.values()], default=node.place.line)


def _source(cls: type[Any] | None) -> str:
    try:
        return inspect.getsourcefile(cls) or "" if cls is not None else ""
    except TypeError:
        return ""


def yaml_text(value: Any) -> str:
    """Return a value in one line, as YAML would have it."""
    if isinstance(value, ConfigNode | ConfigList):
        value = value.written
    elif isinstance(value, BaseModel):
        value = {info.alias or name: getattr(value, name) for name, info in type(value).model_fields.items()}
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {yaml_text(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(yaml_text(child) for child in value) + "]"
    if isinstance(value, Enum):
        return yaml_text(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: ".inf", -math.inf: "-.inf"}.get(value, ".nan")
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return scalar(value) if isinstance(value, str) else str(value)
