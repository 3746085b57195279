"""What can be wrong with sessions and measurement groups, found without making any object.

It says what `Session.setup` would say, for all sessions and at once.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator, Set
from fnmatch import fnmatchcase
from typing import Any

from bliss_like.config.node import ConfigList, ConfigNode
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.survey import Survey
from bliss_like.config.validation import Problem
from bliss_like.devices.counter import Counter, CounterController

from .logbook import function_named
from .written import (
    hiding_problem,
    inclusion_problem,
    matching,
    merged,
    pattern_problem,
    setup_candidates,
    setup_file_problem,
)

Keys = tuple[int | str, ...]


def check_session(node: ConfigNode, survey: Survey, standard_names: Set[str]) -> Iterator[Problem]:
    """Yield what is wrong with the names in a session.

    :param standard_names: names that a session has besides its objects.
    """
    yield from _check_patterns(node, survey)
    yield from _check_included(node, survey)
    yield from _check_setup_file(node, survey)
    yield from _check_aliases(node, survey, standard_names)
    yield from _check_default_chain(node, survey)
    yield from _check_toolbar(node, survey)
    yield from _check_logbook(node)
    for name in matching(_texts(node, "config-objects"), survey):
        if name in standard_names:
            yield Problem(_path_to(node, name), ("config-objects",), hiding_problem(name))


def wanted_names(node: ConfigNode, survey: Survey, above: tuple[str, ...] = ()) -> list[str]:
    """Return the objects that a session would make, those of the sessions that it includes first."""
    way = (*above, node.name)
    others = [name for name in _texts(node, "include-sessions") if survey.is_session(name) and name not in way]
    included = [name for other in others for name in wanted_names(survey.entries[other].node, survey, way)]
    own, unwanted = (matching(_texts(node, key), survey) for key in ("config-objects", "exclude-objects"))
    return merged(included, own, unwanted)


def check_measurement_group(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    """Yield the counters of a measurement group that nobody has, and the groups that it cannot include."""
    aliases = _all_aliases(survey)
    for path, listed in _listed(node, "counters"):
        problem = "" if listed in aliases else _counter_problem(listed, survey, aliases)
        if problem:
            yield Problem(path, ("counters",), problem)
    groups = survey.groups
    for path, other in _listed(node, "include"):
        if other in groups:
            circle = _circle(node.name, other, survey)
            if circle and node.name == min(circle, key=groups.index):  # told once, not by each of them
                message = f"groups that include each other: {' -> '.join(circle)}; take one of them out"
                yield Problem(path, ("include",), message)
        elif other in survey.entries:
            message = f"'{other}' is no measurement group: counters and controllers go to 'counters'"
            yield Problem(path, ("include",), message)
        elif not survey.may_exist(other):
            yield Problem(path, ("include",), f"no measurement group '{other}'{did_you_mean(other, groups)}")


def _counter_problem(listed: str, survey: Survey, aliases: Set[str]) -> str:
    name, _, counter = listed.rpartition(":") if ":" in listed else (listed, "", "")
    name = next((part for part in reversed(name.split(":")) if part in survey.entries), name)
    if name not in survey.entries:
        known = [*survey.names, *aliases]
        return "" if survey.may_exist(name) else f"no counter '{listed}'{did_you_mean(name, known)}"
    cls = survey.class_of(name)
    if cls is None or issubclass(cls, Counter):
        return ""
    if not hasattr(cls, "counters"):
        return f"'{name}' is no counter and has none: {cls.__name__}"
    items = [other for other, each in survey.entries.items() if each.owner == name and each.key == "counters"]
    if counter and items and not any(fnmatchcase(item, counter) for item in items) and not _has_groups(cls):
        return f"no counter '{listed}'{did_you_mean(listed, [f'{name}:{item}' for item in items])}"
    return ""


def _has_groups(cls: type) -> bool:
    """Tell whether a class has groups of counters, whose names nobody knows before it is made."""
    return getattr(cls, "counter_groups", None) not in (None, CounterController.counter_groups)


# -- the keys of a session --------------------------------------------------------------------------------------------


def _check_patterns(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    for key in ("config-objects", "exclude-objects"):
        for path, pattern in _listed(node, key):
            problem = pattern_problem(pattern, survey)
            if problem and not survey.may_match(pattern):
                yield Problem(path, (key,), problem)


def _check_included(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    for path, way, problem in _inclusions(node, (node.name,), {}, survey):
        name = way[-1]
        if name in way[:-1]:  # told once, not by each session of the circle
            is_told = way[0] == name == min(way, key=survey.sessions.index)
        else:  # what is wrong in a session that is included is told there
            is_told = survey.is_session(name) or (
                len(way) == 2 and (name in survey.entries or not survey.may_exist(name))
            )
        if is_told:
            yield Problem(path, ("include-sessions",), problem)


def _inclusions(
    node: ConfigNode, way: tuple[str, ...], seen: dict[str, str], survey: Survey
) -> Iterator[tuple[Keys, tuple[str, ...], str]]:
    """Yield all that cannot be included: the path in `node`, the way to it, and why."""
    for path, other in _listed(node, "include-sessions"):
        here = (*way, other)
        problem = inclusion_problem(here, seen, survey)
        if problem:
            yield path, here, problem
            continue
        seen[other] = " -> ".join(here)
        for _, there, problem in _inclusions(survey.entries[other].node, here, seen, survey):
            yield path, there, problem


def _circle(goal: str, name: str, survey: Survey, way: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the way from the group `goal` through `name` back to it; empty when there is none."""
    way = way or (goal,)
    if name == goal:
        return (*way, name)
    if name in way or name not in survey.groups:
        return ()
    below = _texts(survey.entries[name].node, "include")
    circles = (_circle(goal, other, survey, (*way, name)) for other in below)
    return next((circle for circle in circles if circle), ())


def _check_setup_file(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    written = node.raw_get("setup-file")
    if isinstance(written, str) and written:
        problem = setup_file_problem(written, setup_candidates(written, node.filename, survey.root))
        if problem:
            yield Problem(("setup-file",), ("setup-file",), problem)


def _check_aliases(node: ConfigNode, survey: Survey, standard_names: Set[str]) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for index, (original, alias) in _indexed_aliases(node):
        here: Keys = ("aliases", index)
        cls = survey.class_of(original.rpartition(":")[2])
        if original and not any(survey.may_exist(part) for part in original.split(":")):
            yield _wrong(here, "original_name", f"no object '{original}'{did_you_mean(original, survey.names)}")
        elif original in seen.values():
            first = next(known for known, each in seen.items() if each == original)
            yield _wrong(here, "original_name", f"'{original}' has an alias already, '{first}'")
        elif cls is not None and hasattr(cls, "Config"):
            message = f"expected an axis or a counter to give an alias to, '{original}' is a {cls.__name__}"
            yield _wrong(here, "original_name", message)
        owner = _owner_of(alias, survey, standard_names, seen)
        if owner:
            yield _wrong(here, "alias_name", f"'{alias}' is already taken by {owner}; choose another name")
        elif alias and (not alias.isidentifier() or keyword.iskeyword(alias)):
            yield _wrong(here, "alias_name", f"expected a Python name, such as robyy, came '{alias}'")
        seen.setdefault(alias, original)


def _owner_of(alias: str, survey: Survey, standard_names: Set[str], seen: dict[str, str]) -> str:
    """Return what has the name of an alias already, `""` when nothing has."""
    if alias in standard_names:
        return f"the standard '{alias}'"
    if alias in survey.entries:
        entry = survey.entries[alias]
        return f"{entry.label} in {entry.node.place}"
    if alias in seen:
        return f"the alias of '{seen[alias]}'"
    return "a name of Python's own" if hasattr(builtins, alias) else ""


def _wrong(here: Keys, key: str, message: str) -> Problem:
    return Problem((*here, key), (*here, key), message)


def _all_aliases(survey: Survey) -> set[str]:
    nodes = (survey.entries[name].node for name in survey.sessions)
    return {alias for node in nodes for _, (_, alias) in _indexed_aliases(node)}


def _indexed_aliases(node: ConfigNode) -> Iterator[tuple[int, tuple[str, str]]]:
    """Yield each alias: its index, the original name and the alias."""
    elements = node.raw_get("aliases")
    for index, element in enumerate(elements.written if isinstance(elements, ConfigList) else ()):
        if isinstance(element, ConfigNode):
            written = [element.raw_get(key) for key in ("original_name", "alias_name")]
            original, alias = (text if isinstance(text, str) else "" for text in written)
            yield index, (original, alias)


def _check_default_chain(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    """Yield the devices that nobody has; they are looked up by the session, when its aliases are there."""
    known = [*survey.names, *_all_aliases(survey)]
    elements = node.raw_get("default-chain")
    for index, element in enumerate(elements.written if isinstance(elements, ConfigList) else ()):
        for key in ("device", "master") if isinstance(element, ConfigNode) else ():
            written = element.raw_get(key)
            name = re.split(r"[:.]", written.removeprefix("$"))[0] if isinstance(written, str) else ""
            if name and name not in known and not survey.may_exist(name):
                path = ("default-chain", index, key)
                yield Problem(path, path, f"no object '{name}'{did_you_mean(name, known)}")


def _check_toolbar(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    """Yield the names that nothing has; what a setup file defines may only be named with a dot, as `user.srcur`."""
    known = [*survey.names, *_all_aliases(survey)]
    for path, name in _listed(node, "toolbar"):
        if "." not in name and name not in known and not survey.may_exist(name):
            yield Problem(path, ("toolbar",), f"no object '{name}'{did_you_mean(name, known)}")


def _check_logbook(node: ConfigNode) -> Iterator[Problem]:
    """Yield the functions for its entries that cannot be imported."""
    logbook = node.raw_get("logbook")
    for path, name in _listed(logbook, "send_to") if isinstance(logbook, ConfigNode) else ():
        if not all(name.partition(":")[::2]):
            continue
        try:
            function_named(name)
        except Exception as error:  # noqa: BLE001  a module of somebody
            told = f"{name} cannot be imported: {type(error).__name__}: {error}"
            yield Problem(("logbook", *path), ("logbook", "send_to"), told)


def _path_to(node: ConfigNode, name: str) -> Keys:
    """Return the path of the first pattern that lets an object in."""
    for path, pattern in _listed(node, "config-objects"):
        if pattern == name or fnmatchcase(name, pattern):
            return path
    return ("config-objects",)


def _listed(node: ConfigNode, key: str) -> Iterator[tuple[Keys, str]]:
    elements: Any = node.raw_get(key)
    for index, element in enumerate(elements.written if isinstance(elements, ConfigList) else ()):
        if isinstance(element, str):
            yield (key, index), element


def _texts(node: ConfigNode, key: str) -> list[str]:
    return [text for _, text in _listed(node, key)]
