"""The schema of `scan_info` in JSON Schema (draft 2020-12), made of its types, and a check of single infos against them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from numbers import Integral, Real
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import numpy as np

from .scan_info import SCHEMA_VERSION, WHEN, Key, ScanInfoKeys

NUMBER = "number"
"""A float of the wire: JSON has no NaN, see `codec`."""

OPEN = ("Sample", "User")
"""Types that users add keys to."""


def scan_info_schema(when: str = "start", strict: bool = False) -> dict[str, Any]:
    """Return the JSON Schema of an info.

    :param when: what is required: what every scan has that was started, was prepared, or has reached its end.
    :param strict: refuse keys at the top that are not in the schema; those of users and of special scans are.
    """
    definitions: dict[str, Any] = {
        NUMBER: {
            "anyOf": [
                {"type": "number"},
                {
                    "type": "object",
                    "properties": {"$float": {"enum": ["nan", "inf", "-inf"]}},
                    "required": ["$float"],
                    "additionalProperties": False,
                },
            ]
        }
    }
    top = _object(ScanInfoKeys, definitions)
    there = WHEN[: WHEN.index(when) + 1]
    required = [name for name, (_, key) in keys_of(ScanInfoKeys).items() if key.always and key.when in there]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"scan_info of bliss_like, version {SCHEMA_VERSION}",
        **top,
        "required": required,
        "additionalProperties": not strict,
        "$defs": definitions,
    }


@cache
def keys_of(kind: Any) -> dict[str, tuple[Any, Key]]:
    """Return type and description of the keys of a TypedDict, in their order."""
    found = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if get_origin(hint) is Annotated:
            inner, *notes = get_args(hint)
            found[name] = (inner, next(note for note in notes if isinstance(note, Key)))
    return found


def known_at_start(info: Mapping[str, Any], kind: Any = ScanInfoKeys) -> dict[str, Any]:
    """Return what of a whole `scan_info` the node of the scan began with."""
    keys = keys_of(kind)
    known: dict[str, Any] = {}
    for name, value in info.items():
        hint, key = keys.get(name, (None, None))
        if key is None or key.when == WHEN[0]:
            known[name] = known_at_start(value, hint) if is_typeddict(hint) and isinstance(value, Mapping) else value
    return {**known, "state": "PREPARING"} if kind is ScanInfoKeys else known


def _object(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    properties = {}
    for name, (hint, key) in keys_of(kind).items():
        described = f"{key.about}, {key.unit}" if key.unit else key.about
        properties[name] = {**_schema(hint, definitions), "description": described}
    return {"type": "object", "description": (kind.__doc__ or "").strip(), "properties": properties}


def _schema(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if is_typeddict(hint):
        if hint.__name__ not in definitions:
            is_open = hint.__name__ in OPEN
            definitions[hint.__name__] = {**_object(hint, definitions), "additionalProperties": is_open}
        return {"$ref": f"#/$defs/{hint.__name__}"}
    if hint is float:
        return {"$ref": f"#/$defs/{NUMBER}"}
    names = {str: "string", int: "integer", bool: "boolean", NoneType: "null"}
    if hint in names:
        return {"type": names[hint]}
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(one, definitions) for one in args]}
    if origin is list:
        return {"type": "array", "items": _schema(args[0], definitions)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(args[1], definitions)}
    return {}  # Any


# -- what a single info has wrong ----------------------------------------------------------------------------------------


def misfit(info: Mapping[str, Any]) -> str:
    """Return what is wrong with the known keys of an info, complete or not; empty when nothing is.

    E.g. `channels.axis:robx.points: expected a whole number, got 'many'`.
    """
    return _misfit(info, ScanInfoKeys, "")


def _misfit(value: Any, hint: Any, place: str) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        if not isinstance(value, Mapping):
            return _wrong(place, "a dict", value)
        known = keys_of(hint)
        if (
            unknown := [name for name in value if name not in known]
            if hint.__name__ not in (*OPEN, "ScanInfoKeys")
            else []
        ):
            return f"{place}: expected the keys {', '.join(known)}, got {unknown[0]!r}"
        items = [(value[name], known[name][0], name) for name in value if name in known]
        return next(filter(None, (_misfit(one, kind, _join(place, name)) for one, kind, name in items)), "")
    if origin in (Union, UnionType):
        problems = [_misfit(value, one, place) for one in args]
        return "" if "" in problems else problems[0]
    if origin is Literal:
        return "" if value in args else _wrong(place, " or ".join(map(repr, args)), value)
    if origin is list:
        if not isinstance(value, Sequence | np.ndarray) or isinstance(value, str):
            return _wrong(place, "a list", value)
        return next(filter(None, (_misfit(one, args[0], f"{place}[{n}]") for n, one in enumerate(value))), "")
    if origin is dict:
        if not isinstance(value, Mapping):
            return _wrong(place, "a dict", value)
        return next(filter(None, (_misfit(one, args[1], _join(place, str(name))) for name, one in value.items())), "")
    return _plain_misfit(value, hint, place)


_PLAIN: dict[Any, tuple[Any, str]] = {
    str: (str, "a text"),
    bool: (bool | np.bool_, "True or False"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    NoneType: (NoneType, "None"),
}


def _plain_misfit(value: Any, hint: Any, place: str) -> str:
    if hint not in _PLAIN:
        return ""
    kind, expected = _PLAIN[hint]
    fits = isinstance(value, kind) and (hint is bool or not isinstance(value, bool))
    return "" if fits else _wrong(place, expected, value)


def _join(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _wrong(place: str, expected: str, value: Any) -> str:
    return f"{place}: expected {expected}, got {value!r:.80}"
