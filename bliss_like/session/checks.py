"""What can be wrong with sessions and measurement groups, found without making any object."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bliss_like.config.node import ConfigList, ConfigNode
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.survey import Survey, inherited
from bliss_like.config.validation import Problem
from bliss_like.devices.counter import Counter


def check_session(node: ConfigNode, survey: Survey, standard_names: Set[str]) -> Iterator[Problem]:
    """Yield what is wrong with the names in a session.

    :param standard_names: names that a session has besides its objects.
    """
    yield from _check_patterns(node, survey)
    yield from _check_included(node, survey)
    yield from _check_setup_file(node, survey)
    yield from _check_aliases(node, survey, standard_names)
    for name in _own_names(node, survey):
        if name in standard_names:
            path = _path_to(node, name)
            message = f"object '{name}' would hide the standard '{name}': give it another name in the configuration"
            yield Problem(path, ("config-objects",), message)


def wanted_names(node: ConfigNode, survey: Survey, seen: tuple[str, ...] = ()) -> list[str]:
    """Return the objects that a session would make, those of the sessions that it includes first."""
    wanted: dict[str, None] = {}
    for other in _texts(node, "include-sessions"):
        if survey.is_session(other) and other not in (*seen, node.name):
            included = wanted_names(survey.entries[other].node, survey, (*seen, node.name))
            wanted.update(dict.fromkeys(included))
    return list(wanted | dict.fromkeys(_own_names(node, survey)))


def _own_names(node: ConfigNode, survey: Survey) -> list[str]:
    own = dict.fromkeys(_matching(_texts(node, "config-objects"), survey))
    for name in _matching(_texts(node, "exclude-objects"), survey):
        own.pop(name, None)
    return list(own)


def check_measurement_group(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    """Yield the counters of a measurement group that nobody has."""
    aliases = {alias for name in survey.names if survey.is_session(name) for alias in _aliases(survey, name)}
    for path, listed in _listed(node, "counters"):
        if listed not in aliases:
            problem = _counter_problem(listed, survey, aliases)
            if problem:
                yield Problem(path, ("counters",), problem)
    for path, other in _listed(node, "include"):
        groups = [name for name in survey.names if _is_group(name, survey)]
        if other not in groups and (other in survey.entries or not survey.may_exist(other)):
            yield Problem(path, ("include",), f"no measurement group '{other}'{did_you_mean(other, groups)}")


def _counter_problem(listed: str, survey: Survey, aliases: set[str]) -> str:
    name, _, counter = listed.partition(":")
    if name not in survey.entries:
        known = [*survey.names, *aliases]
        return "" if survey.may_exist(name) else f"no counter '{listed}'{did_you_mean(name, known)}"
    cls = survey.class_of(name)
    if cls is None or issubclass(cls, Counter):
        return ""
    if not hasattr(cls, "counters"):
        return f"'{name}' is no counter and has none: {cls.__name__}"
    items = [other for other, each in survey.entries.items() if each.owner == name and each.key == "counters"]
    if counter and items and counter not in items:
        return f"no counter '{listed}'{did_you_mean(listed, [f'{name}:{item}' for item in items])}"
    return ""


def _is_group(name: str, survey: Survey) -> bool:
    return inherited(survey.entries[name].node, "class") == "MeasurementGroup"


# -- the keys of a session --------------------------------------------------------------------------------------------


def _check_patterns(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    known = [name for name in survey.names if not survey.is_session(name)]
    for key in ("config-objects", "exclude-objects"):
        for path, pattern in _listed(node, key):
            if _matching([pattern], survey) or (survey.may_exist(pattern) and not survey.is_session(pattern)):
                continue
            message = f"no object '{pattern}'{did_you_mean(pattern, known)}"
            if survey.is_session(pattern):
                message = f"'{pattern}' is a session; a session lists objects, other sessions go to include-sessions"
            yield Problem(path, (key,), message)


def _matching(patterns: list[str], survey: Survey) -> list[str]:
    known = [name for name in survey.names if not survey.is_session(name)]
    names: list[str] = []
    for pattern in patterns:
        names += [pattern] if pattern in known else [name for name in known if fnmatchcase(name, pattern)]
    return names


def _check_included(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    sessions = [name for name in survey.names if survey.is_session(name)]
    for path, other in _listed(node, "include-sessions"):
        if other in sessions:
            circle = _circle(node.name, other, survey, (node.name,))
            if circle and node.name == min(circle, key=survey.names.index):  # told once, not by each of them
                yield Problem(path, ("include-sessions",), f"sessions that include each other: {' -> '.join(circle)}")
        elif other in survey.entries:
            yield Problem(path, ("include-sessions",), f"'{other}' is no session; objects go to config-objects")
        elif not survey.may_exist(other):
            message = f"no session '{other}'{did_you_mean(other, [name for name in sessions if name != node.name])}"
            yield Problem(path, ("include-sessions",), message)


def _circle(goal: str, name: str, survey: Survey, way: tuple[str, ...]) -> tuple[str, ...]:
    """Return the way from `goal` through `name` back to it; empty when there is none."""
    if name == goal:
        return (*way, name)
    if name in way or not survey.is_session(name):
        return ()
    for other in _texts(survey.entries[name].node, "include-sessions"):
        circle = _circle(goal, other, survey, (*way, name))
        if circle:
            return circle
    return ()


def _check_setup_file(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    written = node.raw_get("setup-file")
    if not isinstance(written, str) or not written:
        return
    directories = setup_directories(node, survey.root)
    if not any((directory / os.path.expanduser(written)).is_file() for directory in directories):
        looked = ", ".join(dict.fromkeys(str((each / os.path.expanduser(written)).resolve()) for each in directories))
        yield Problem(("setup-file",), ("setup-file",), f"no file {written!r}; looked for {looked}")


def setup_directories(node: ConfigNode | None, root: Path) -> list[Path]:
    """Return where a setup file is looked for: at the YAML file, in the configuration, in the directory around it."""
    return [*([Path(node.filename).parent] if node is not None else []), root, root.parent]


def _check_aliases(node: ConfigNode, survey: Survey, standard_names: Set[str]) -> Iterator[Problem]:
    elements = node.raw_get("aliases")
    if not isinstance(elements, ConfigList):
        return
    seen: dict[str, str] = {}
    for index, element in enumerate(elements):
        if not isinstance(element, ConfigNode):
            continue
        original = str(element.written.get("original_name") or "")
        alias = str(element.written.get("alias_name") or "")
        if original and not survey.may_exist(original.partition(":")[0]):
            message = f"no object '{original}'{did_you_mean(original, survey.names)}"
            yield Problem(("aliases", index, "original_name"), ("aliases", index, "original_name"), message)
        taken = ""
        if alias in survey.entries:
            taken = f"by {survey.entries[alias].label} in {survey.entries[alias].node.place}"
        elif alias in standard_names:
            taken = f"by the standard '{alias}'"
        elif alias in seen:
            taken = f"by the alias of '{seen[alias]}'"
        if taken:
            message = f"'{alias}' is already taken {taken}; choose another name"
            yield Problem(("aliases", index, "alias_name"), ("aliases", index, "alias_name"), message)
        if alias and original in seen.values():
            message = f"'{original}' has an alias already: '{next(a for a, o in seen.items() if o == original)}'"
            yield Problem(("aliases", index, "original_name"), ("aliases", index, "original_name"), message)
        seen.setdefault(alias, original)


def _aliases(survey: Survey, session: str) -> Iterator[str]:
    elements = survey.entries[session].node.raw_get("aliases")
    for element in elements if isinstance(elements, ConfigList) else ():
        if isinstance(element, ConfigNode) and isinstance(element.written.get("alias_name"), str):
            yield element.written["alias_name"]


def _path_to(node: ConfigNode, name: str) -> tuple[int | str, ...]:
    """Return the path of the first pattern that lets an object in."""
    for path, pattern in _listed(node, "config-objects"):
        if pattern == name or fnmatchcase(name, pattern):
            return path
    return ("config-objects",)


def _listed(node: ConfigNode, key: str) -> Iterator[tuple[tuple[int | str, ...], str]]:
    elements: Any = node.raw_get(key)
    for index, element in enumerate(elements if isinstance(elements, ConfigList) else ()):
        if isinstance(element, str):
            yield (key, index), element


def _texts(node: ConfigNode, key: str) -> list[str]:
    return [text for _, text in _listed(node, key)]
