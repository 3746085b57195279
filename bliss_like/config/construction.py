"""From what is written about an object to its class and to the model of its keys."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Iterable, Mapping
from itertools import dropwhile
from typing import Any, NamedTuple

from bliss_like.errors import ConfigError, ObjectCreationFailed

from .loader import Entry, is_guest, item_label, item_name
from .making import FAILURES
from .models import ObjectConfig
from .node import ConfigList, ConfigNode, plain_form
from .registry import ClassProblem, find_class
from .suggestion import did_you_mean
from .validation import Problem, item_keys, validate, with_inherited

_logger = logging.getLogger(__name__)


class Blueprint(NamedTuple):
    """All that the class of an object is given.

    :param text: what its model was made from: its own keys and the inherited ones.
    :param broken: items that the object has to do without, by name.
    """

    model: ObjectConfig
    text: dict[str, Any]
    broken: dict[str, ConfigError]


def class_of(entry: Entry) -> type[Any]:
    """Return the class of an object.

    :raises ConfigError: there is none, or it cannot be made from YAML.
    :raises ObjectCreationFailed: its module cannot be imported.
    """
    written = {key: entry.node.get_inherited(key, "") for key in ("class", "package", "module")}
    if not written["class"]:
        around = [key for node in entry.node.outwards() for key in node.written if key != "class"]
        hint = did_you_mean("class", around, "; did you mean it by '{}'?")
        raise entry.node.place.error(f"{entry.label}: missing key 'class', here or in an __init__.yml{hint}")
    owner = entry.node.owner_of("class") or entry.node
    if not isinstance(written["class"], str):
        came = plain_form(written["class"])
        raise owner.value_places["class"].error(f"{entry.label}: class: expected the name of a class, came {came!r}")
    try:
        cls = find_class(written["class"], str(written["package"] or ""), str(written["module"] or ""))
    except ClassProblem as problem:
        owner = entry.node.owner_of(problem.key) or owner
        raise owner.value_places[problem.key].error(f"{entry.label}: {problem}") from None
    except FAILURES as error:  # whatever the module raises while it is imported
        raise creation_failed(entry, error, imported_in(error)) from error
    config = getattr(cls, "Config", None)
    if not (inspect.isclass(config) and issubclass(config, ObjectConfig)):
        raise owner.value_places["class"].error(
            f"{entry.label}: class {cls.__module__}.{cls.__name__} cannot be made from YAML: it needs a class "
            "attribute 'Config', a subclass of bliss_like.config.models.ObjectConfig that declares its keys; one that was "
            "written for BLISS, and takes any: Config = AnyObjectConfig, of bliss_like.config.any_keys"
        )
    return cls


def blueprint(entry: Entry, kind: type[ObjectConfig], refused: Iterable[ConfigNode]) -> Blueprint:
    """Return the validated model of an object; items that are wrong are left out, so that the others work.

    :param kind: the model that its class has.
    :param refused: items that are to be left out.
    :raises ConfigError: what is written is wrong: all of it, a line for each.
    """
    complete = with_inherited(entry.node, kind)
    text = complete.to_dict(resolve_references=False)
    node = _without_refused(complete, refused)
    model = validate(node, kind)
    broken: dict[str, ConfigError] = {}
    keys = item_keys(kind)
    if isinstance(model, list) and all(_is_of_item(problem, keys, node) for problem in model):
        node = _without_broken_items(node, keys, model, broken)
        model = validate(node, kind)
        if isinstance(model, list):  # it needs the items that are wrong
            raise ConfigError("\n".join(map(str, broken.values())))
    if isinstance(model, list):  # not tried again: what it refers to may have taken its time to fail
        model = [problem for problem in model if not _is_of_item(problem, keys, node)] or model
        raise ConfigError("\n".join(f"{node.place_of(each.path)}: {entry.label}: {each.told()}" for each in model))
    model._node = entry.node
    return Blueprint(model, text, broken)


def constructed(cls: type[Any], entry: Entry, model: ObjectConfig) -> Any:
    """Return the object of a class.

    :raises ObjectCreationFailed: its constructor does not take a name and a configuration.
    """
    try:
        return cls(entry.node.name, model)
    except TypeError as error:
        if error.__traceback__ is None or error.__traceback__.tb_next is not None:  # raised by what it calls
            raise
        raise creation_failed(entry, error, "; it is made with (name, config)") from error


def item_of(container: Any, entry: Entry, broken: Mapping[str, ConfigError]) -> Any:
    """Return an item of a container.

    :param broken: the items that the container does without.
    :raises ConfigError: it is one of them, or the container has no items where it is written.
    """
    name = entry.node.name
    if name in broken:
        raise ConfigError(*broken[name].args)
    problem = place_problem(entry, type(container))
    if problem:
        raise entry.node.place.error(problem)
    return container.get_item(name)


def place_problem(entry: Entry, container: type[Any]) -> str:
    """Return why an item cannot be where it is written; empty when it can."""
    keys = item_keys(container.Config)
    if entry.key in keys:
        return ""
    known = ", ".join(sorted(keys)) or "none"
    return (
        f"'{entry.node.name}' is in '{entry.key}' of '{entry.owner}', which has no items there "
        f"({container.__name__} has items in: {known})"
    )


def text_of(entry: Entry, model: type[ObjectConfig]) -> dict[str, Any]:
    """Return what is written for an object of a known class, as in its `Blueprint`."""
    return with_inherited(entry.node, model).to_dict(resolve_references=False)


def creation_failed(entry: Entry, error: BaseException, where: str = "") -> ObjectCreationFailed:
    """Return the error of an object whose class raised; `where`: in which line of Python."""
    failed = ObjectCreationFailed(
        f"{entry.node.place}: {entry.label}: could not be made: {type(error).__name__}: {error}{where}"
    )
    failed.place = entry.node.place
    return failed


def imported_in(error: BaseException) -> str:
    """Return the line of the module that could not be imported, ` (file:line)`; empty when there is none."""
    if isinstance(error, SyntaxError):
        return ""  # it tells its place
    frames = dropwhile(
        lambda frame: "<frozen importlib" not in frame.filename, traceback.extract_tb(error.__traceback__)
    )
    own = [frame for frame in frames if "<frozen importlib" not in frame.filename]
    return f" ({own[-1].filename}:{own[-1].lineno})" if own else ""


def _is_of_item(problem: Problem, keys: Iterable[str], node: ConfigNode) -> bool:
    """Tell whether a problem is that of an item alone; a `$name` among the items is one of the whole object."""
    match problem.path:
        case (str(key), int(index), *_):
            return key in keys and not is_guest(node.written[key].written[index])
    return False


def _without_refused(node: ConfigNode, refused: Iterable[ConfigNode]) -> ConfigNode:
    for key, value in list(node.written.items()):
        if isinstance(value, ConfigList):
            indexes = {i for i, element in enumerate(value.written) if any(element is item for item in refused)}
            node = _without(node, key, indexes) if indexes else node
    return node


def _without_broken_items(
    node: ConfigNode, keys: set[str], problems: list[Problem], errors: dict[str, ConfigError]
) -> ConfigNode:
    broken: dict[tuple[str, int], list[str]] = {}
    for problem in problems:
        match problem.path:
            case (str(key), int(index), *_) if key in keys:
                label = item_label(node, key, index)
                line = f"{node.place_of(problem.path)}: {label}: {problem.told(skip=2)}"
                broken.setdefault((key, index), []).append(line)
    for (key, index), lines in broken.items():
        error = ConfigError("\n".join(lines))
        _logger.error("%s", error)
        errors[item_name(node, key, index)] = error
    for key in {key for key, _ in broken}:
        node = _without(node, key, {index for other, index in broken if other == key})
    return node


def _without(node: ConfigNode, key: str, indexes: set[int]) -> ConfigNode:
    """Return a copy of a node in which the list `key` lacks the elements at `indexes`."""
    copy = ConfigNode(node.config, node.place, node.holder, node.origin)
    copy.written = dict(node.written)
    copy.key_places, copy.value_places = node.key_places, node.value_places
    elements: ConfigList = node.written[key]
    copy.written[key] = ConfigList(elements.config, elements.place, elements.holder)
    for index, (element, place) in enumerate(zip(elements.written, elements.places, strict=True)):
        if index not in indexes:
            copy.written[key].add(element, place)
    return copy
