"""A node against the model of its class: what is wrong, where, and what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bliss_like.errors import ConfigError, ReferenceCycle

from .models import ItemConfig, LazyReference, ObjectConfig, Unresolved
from .node import ConfigList, ConfigNode, plain_form
from .references import Objects, WrongReference, dereference, is_reference, referred_name
from .suggestion import nearest

Path = tuple[int | str, ...]

_EXPECTED = {
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "int_parsing": "an integer",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "invalid_key": "text as a key",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "keys and values",
    "model_type": "keys and values",
    "greater_than": "a value > {gt}",
    "greater_than_equal": "a value >= {ge}",
    "less_than": "a value < {lt}",
    "less_than_equal": "a value <= {le}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "string_pattern_mismatch": "text like {pattern}",
    "too_short": "at least {min_length} in the list",
    "too_long": "at most {max_length} in the list",
}
"""What was expected, by pydantic's type of error."""


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with an object.

    :param path: keys and indexes from the object to what is to be looked at.
    :param subject: the same to what the message speaks of.
    """

    path: Path
    subject: Path
    message: str
    is_sure: bool = False
    """Whether it is one whatever the object is that a reference leads to."""

    def told(self, skip: int = 0) -> str:
        """Return the message; its subject is told without the first `skip` steps, which the reader knows."""
        subject = ".".join(str(step) for step in self.subject[skip:])
        return f"{subject}: {self.message}" if subject else self.message


def item_keys(model: type[BaseModel]) -> set[str]:
    """Return the keys whose values are lists of items."""
    model.model_rebuild()  # its annotations may name classes that were defined after it
    return {field.alias or name for name, field in model.model_fields.items() if _has_items(field.annotation)}


def with_inherited(node: ConfigNode, model: type[BaseModel]) -> ConfigNode:
    """Return a node with the keys that the model knows and only the mappings around `node` have."""
    complete = ConfigNode(node.config, node.place, node.holder, node.origin)
    for key in dict.fromkeys([*node.written, *known_keys(model)]):
        owner = node.owner_of(key)
        if owner is not None and (owner is node or key != "name"):
            complete.add_key(key, owner.written[key], owner.key_places[key], owner.value_places[key])
    return complete


def validate(
    node: ConfigNode, model: type[ObjectConfig], objects: Objects | None = None
) -> ObjectConfig | list[Problem]:
    """Return the model of a node, its references made live, or else all that is wrong with it.

    :param objects: where references find their objects; the configuration of the node by default.
    :raises ReferenceCycle: the object is needed to make what it refers to.
    """
    problems: list[Problem] = []
    resolver = _Resolver(node.config if objects is None else objects, problems)
    data = resolver.resolved(node, model, ())
    try:
        validated = model.model_validate(data, by_alias=True, by_name=False)
    except ValidationError as error:
        unresolved = {problem.path for problem in problems}
        problems += [problem for problem in _problems(error, model, data) if problem.path not in unresolved]
    if problems:
        return sorted(problems, key=lambda problem: node.place_of(problem.path))
    return validated


class Unmade:
    """Stands for an object that is not to be made, and for whatever attribute it would have."""

    def __getattr__(self, name: str) -> Unmade:
        if name.startswith("__"):
            raise AttributeError(name)
        return self


def needed_names(node: ConfigNode, model: type[BaseModel]) -> list[str]:
    """Return the names of the objects that have to be made before this one."""
    noted = _Noted()
    _Resolver(noted, []).resolved(node, model, ())
    return list(noted.names)


class _Noted:
    """Notes which objects are asked for, and makes none."""

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def get(self, name: str) -> Unmade:
        self.names[name] = None
        return Unmade()

    def get_config(self, name: str) -> None:
        """Of what is referred to lazily, nothing is made."""


class _Resolver:
    """Makes plain data of nodes, with references made live; the ones that cannot be are recorded."""

    def __init__(self, objects: Any, problems: list[Problem]) -> None:
        self._objects = objects
        self._problems = problems

    def resolved(self, value: Any, annotation: Any, path: Path) -> Any:
        """:param annotation: the type of the value, or of what it stands in."""
        if isinstance(value, ConfigNode):
            as_written = _unresolved_keys(annotation)
            return {
                key: plain_form(child)
                if key in as_written
                else self.resolved(child, _type_of(key, annotation), (*path, key))
                for key, child in value.written.items()
            }
        if isinstance(value, ConfigList):
            return [self.resolved(child, annotation, (*path, index)) for index, child in enumerate(value.written)]
        if isinstance(value, bool) and _is_number(annotation):  # which Python takes for 0 or 1
            self._problems.append(Problem(path, path, f"expected a number, came {value}"))
        return self._live(value, annotation, path) if is_reference(value) else value

    def _live(self, text: str, annotation: Any, path: Path) -> Any:
        try:
            if _mentions(annotation, LazyReference):
                self._objects.get_config(referred_name(text))
                return LazyReference(text, self._objects)
            return dereference(text, self._objects)
        except ReferenceCycle:
            raise
        except ConfigError as error:
            self._problems.append(Problem(path, path, str(error)))
            return text


def _unresolved_keys(annotation: Any) -> set[str]:
    return {
        field.alias or name
        for model in _models_in(annotation)
        for name, field in model.model_fields.items()
        if any(isinstance(mark, Unresolved) for mark in field.metadata)
    }


def _type_of(key: str, annotation: Any) -> Any:
    """Return the type of a key; of one that no model declares, the type of what it stands in."""
    models = _models_in(annotation)
    for model in models:
        for name, field in model.model_fields.items():
            if key in (name, field.alias):
                return field.annotation
    return None if models else annotation


def _is_number(annotation: Any) -> bool:
    members = (annotation, *get_args(annotation))
    return any(member in (int, float) for member in members) and bool not in members and Any not in members


def _mentions(annotation: Any, kind: type) -> bool:
    return annotation is kind or any(_mentions(argument, kind) for argument in get_args(annotation))


def _problems(error: ValidationError, model: type[BaseModel], data: Any) -> list[Problem]:
    """Translate; a key that is missing because it is misspelt is one problem, not two."""
    details = error.errors(include_url=False)
    problems = []
    misspelt: set[Path] = set()
    for detail in details:
        if detail["type"] == "extra_forbidden":
            path = _real_path(detail["loc"], data)
            known = known_keys(_model_at(model, detail["loc"][:-1]))
            meant = nearest(str(path[-1]), [key for key in known if key not in _value_at(data, path[:-1])])
            misspelt.add((*path[:-1], meant))
            taken = "" if meant else nearest(str(path[-1]), known, cutoff=0.8)
            way_out = f", did you mean '{meant}'?" if meant else f"; '{taken}' is there already"
            way_out = way_out if meant or taken else f", expected one of {', '.join(known)}"
            problems.append(Problem(path, path[:-1], f"unknown key '{path[-1]}'{way_out}"))
        elif detail["type"] == "invalid_key":
            path = _real_path(detail["loc"], data)
            problems.append(Problem(path, path[:-1], f"unknown key {detail['input']!r}: keys are text here"))
    for detail in details:
        path = _real_path(detail["loc"], data)
        if detail["type"] == "missing" and (*path, detail["loc"][-1]) not in misspelt:
            problems.append(Problem(path, path, f"missing key '{detail['loc'][-1]}'"))
    return problems + _wrong_values(details, data)


def _wrong_values(details: list[ErrorDetails], data: Any) -> list[Problem]:
    """Translate wrong values; what each member of a union expected is one problem."""
    expected: dict[Path, list[str]] = {}
    came: dict[Path, Any] = {}
    problems: list[Problem] = []
    for detail in details:
        path = _real_path(detail["loc"], data)
        context: Mapping[str, Any] = detail.get("ctx", {})
        if detail["type"] == "value_error":
            is_sure = isinstance(context["error"], WrongReference)
            problems.append(Problem(path, path, str(context["error"]), is_sure))
        elif detail["type"] not in ("missing", "extra_forbidden", "invalid_key"):
            expected.setdefault(path, []).append(_expected(detail))
            came[path] = detail["input"]
    for path, choices in expected.items():
        if any(len(other) > len(path) and other[: len(path)] == path for other in expected):
            continue  # as one member of the union it would fit, but for what is wrong further in
        choice = " or ".join(dict.fromkeys(choices))
        is_sure = getattr(came[path], "is_an_object", False) is True  # no list, and no number
        problems.append(Problem(path, path, f"expected {choice}, came {_short(came[path])}", is_sure))
    return problems


def _expected(detail: ErrorDetails) -> str:
    context: Mapping[str, Any] = detail.get("ctx", {})
    bounds = {key: f"{value:g}" if isinstance(value, float) else value for key, value in context.items()}
    return _EXPECTED.get(detail["type"], "").format(**bounds) or detail["msg"].removeprefix("Input should be ")


def _short(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _real_path(location: Path, data: Any) -> Path:
    """Return the steps of pydantic's location that exist in the data; the names of union members do not."""
    path: list[int | str] = []
    for step in location:
        if isinstance(data, dict) and step in data:
            data = data[step]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            continue
        path.append(step)
    return tuple(path)


def _value_at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def known_keys(model: type[BaseModel] | None) -> list[str]:
    """Return the keys of a model as they are written."""
    return [field.alias or name for name, field in model.model_fields.items()] if model else []


def takes_any_key(model: type[BaseModel]) -> bool:
    """Tell whether keys that a model does not declare are allowed."""
    return model.model_config.get("extra") == "allow"


def _model_at(model: type[BaseModel], location: Path) -> type[BaseModel] | None:
    """Return the model at a location; a union's member is named in the location itself."""
    here: type[BaseModel] | None = model
    candidates: list[type[BaseModel]] = [model]
    for step in location:
        by_name = [candidate for candidate in candidates if candidate.__name__ == step]
        if by_name:
            here, candidates = by_name[0], by_name[:1]
            continue
        if isinstance(step, int):
            continue
        fields = [
            field
            for candidate in candidates
            for name, field in candidate.model_fields.items()
            if step in (name, field.alias)
        ]
        candidates = [found for field in fields for found in _models_in(field.annotation)]
        here = candidates[0] if candidates else None
    return here


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in _models_in(argument)]


def _has_items(annotation: Any) -> bool:
    return any(issubclass(model, ItemConfig) for model in _models_in(annotation))


def model_below(model: type[BaseModel], key: str, policy: str = "") -> type[BaseModel] | None:
    """Return the model of what stands in a key, or in the list that is its value; None when it has none.

    :param policy: which one of several it is, by their key `policy`; by default the first.
    """
    model.model_rebuild()  # its annotations may name classes that were defined after it
    for name, field in model.model_fields.items():
        if key == (field.alias or name):
            models = _models_in(field.annotation)
            chosen = [each for each in models if policy and policy in _choices(each, "policy")]
            return next(iter(chosen or models), None)
    return None


def _choices(model: type[BaseModel], key: str) -> tuple[Any, ...]:
    field = model.model_fields.get(key)
    return () if field is None else (*get_args(field.annotation), field.default)
