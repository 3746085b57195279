"""Parameters of acquisition objects, checked when a chain is built: before anything moves.

A schema is a dict of rules for each name, in the words of those that BLISS hands to Cerberus:
`{"gain": {"type": "int", "default": 1, "allowed": [1, 10, 100]}}`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from bliss_like.config.suggestion import did_you_mean
from bliss_like.errors import ChainError

Rules = Mapping[str, Any]
Schema = Mapping[str, Rules]


class ParameterError(ChainError):
    """A parameter of an acquisition object is missing, unknown or of no use; nothing was moved."""


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


TYPES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "numeric": ("a number", _is_number),
    "number": ("a number", _is_number),
    "float": ("a number", _is_number),
    "int": ("an integer", lambda value: isinstance(value, Integral) and not isinstance(value, bool)),
    "integer": ("an integer", lambda value: isinstance(value, Integral) and not isinstance(value, bool)),
    "string": ("a text", lambda value: isinstance(value, str)),
    "boolean": ("true or false", lambda value: isinstance(value, bool)),
    "dict": ("a dict", lambda value: isinstance(value, Mapping)),
    "list": (
        "a list",
        lambda value: (isinstance(value, Sequence) and not isinstance(value, str)) or hasattr(value, "__array__"),
    ),
    "set": ("a set", lambda value: isinstance(value, set | frozenset)),
    "container": ("several values", lambda value: isinstance(value, Container) and not isinstance(value, str)),
}
"""The types that a rule may name: how they are told, and what is one."""

RULES = ("type", "required", "default", "default_setter", "nullable", "allowed", "forbidden", "min", "max", "schema")


def validated(parameters: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return the parameters with the defaults of the schema.

    :raises ParameterError: one is missing, unknown or wrong; it says which, what is expected, and what came.
    :raises ChainError: the schema has a rule that is not known here.
    """
    for name, rules in schema.items():
        _check_rules(name, rules)
    unknown = [name for name in parameters if name not in schema]
    if unknown:
        there = ", ".join(schema) or "none"
        hint = did_you_mean(str(unknown[0]), list(schema))
        raise ParameterError(f"unknown parameter {', '.join(map(repr, unknown))}{hint or f'; there are: {there}'}")
    complete = dict(parameters)
    for name, rules in schema.items():
        if name not in complete:
            _take_default(name, rules, complete)
    for name, value in complete.items():
        complete[name] = _checked(name, value, schema[name])
    return complete


def _take_default(name: str, rules: Rules, parameters: dict[str, Any]) -> None:
    if "default" in rules:
        parameters[name] = rules["default"]
    elif "default_setter" in rules:
        parameters[name] = rules["default_setter"](dict(parameters))
    elif rules.get("required"):
        raise ParameterError(f"missing parameter {name!r}: {_expected(rules)}")


def _checked(name: str, value: Any, rules: Rules) -> Any:
    """Return a value, with the defaults of what is inside it.

    :raises ParameterError: it is wrong.
    """
    if value is None and (rules.get("nullable") or rules.get("default", 0) is None):
        return None
    types = _types(rules)
    if types and not any(TYPES[known][1](value) for known in types):
        raise ParameterError(f"parameter {name!r}: {_expected(rules)}, got {value!r}")
    fits: dict[str, Callable[[Any], bool]] = {
        "allowed": lambda allowed: all(one in allowed for one in _each(value)),
        "forbidden": lambda forbidden: not any(one in forbidden for one in _each(value)),
        "min": lambda lowest: bool(value >= lowest),
        "max": lambda highest: bool(value <= highest),
    }
    if not all(fit(rules[rule]) for rule, fit in fits.items() if rule in rules):
        raise ParameterError(f"parameter {name!r}: {_expected(rules)}, got {value!r}")
    inner = rules.get("schema")
    try:
        if inner is not None and isinstance(value, Mapping):
            return validated(value, inner)
        if inner is not None and isinstance(value, list | tuple):
            return [_checked(str(index), one, inner) for index, one in enumerate(value)]
    except ParameterError as error:
        raise ParameterError(f"parameter {name!r}: {error}") from None
    return value


def _each(value: Any) -> Sequence[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _types(rules: Rules) -> list[str]:
    named = rules.get("type", ())
    return [named] if isinstance(named, str) else list(named)


def _expected(rules: Rules) -> str:
    told = [" or ".join(TYPES[known][0] for known in _types(rules)) or "a value"]
    if "allowed" in rules:
        told.append(f"one of {', '.join(sorted(map(str, rules['allowed'])))}")
    if "forbidden" in rules:
        told.append(f"none of {', '.join(sorted(map(str, rules['forbidden'])))}")
    if "min" in rules:
        told.append(f"at least {rules['min']}")
    if "max" in rules:
        told.append(f"at most {rules['max']}")
    return "expected " + ", ".join(told)


def _check_rules(name: str, rules: Rules) -> None:
    """:raises ChainError: the schema is wrong."""
    unknown = [rule for rule in rules if rule not in RULES]
    if unknown:
        raise ChainError(f"schema of {name!r}: no rule {unknown[0]!r}; there are: {', '.join(RULES)}")
    strange = [known for known in _types(rules) if known not in TYPES]
    if strange:
        raise ChainError(f"schema of {name!r}: no type {strange[0]!r}; there are: {', '.join(TYPES)}")
