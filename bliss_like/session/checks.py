"""What can be wrong with sessions and measurement groups, found without making any object.

It says what `Session.setup` would say, for all sessions and at once.
"""

from __future__ import annotations

import builtins
import keyword
import os
import re
from collections.abc import Callable, Iterator, Set
from fnmatch import fnmatchcase
from pathlib import Path
from string import Formatter
from typing import Any

from bliss_like.config.node import ConfigList, ConfigNode
from bliss_like.config.suggestion import did_you_mean
from bliss_like.config.survey import Survey
from bliss_like.config.validation import Problem
from bliss_like.devices.counter import Counter

Keys = tuple[int | str, ...]

_KNOWN_TO_TEMPLATES = ("session", "user", "base_path")


def check_session(node: ConfigNode, survey: Survey, standard_names: Set[str]) -> Iterator[Problem]:
    """Yield what is wrong with the names in a session.

    :param standard_names: names that a session has besides its objects.
    """
    yield from _check_patterns(node, survey)
    yield from _check_included(node, survey)
    yield from _check_setup_file(node, survey)
    yield from _check_aliases(node, survey, standard_names)
    yield from _check_default_chain(node, survey)
    yield from _check_template(node)
    for name in _matching(_texts(node, "config-objects"), survey):
        if name in standard_names:
            message = f"object '{name}' would hide the standard '{name}': give it another name in the configuration"
            yield Problem(_path_to(node, name), ("config-objects",), message)


def wanted_names(node: ConfigNode, survey: Survey, seen: tuple[str, ...] = ()) -> list[str]:
    """Return the objects that a session would make, those of the sessions that it includes first."""
    wanted: dict[str, None] = {}
    for other in _texts(node, "include-sessions"):
        if survey.is_session(other) and other not in (*seen, node.name):
            included = wanted_names(survey.entries[other].node, survey, (*seen, node.name))
            wanted.update(dict.fromkeys(included))
    wanted.update(dict.fromkeys(_matching(_texts(node, "config-objects"), survey)))
    for name in _matching(_texts(node, "exclude-objects"), survey):
        wanted.pop(name, None)
    return list(wanted)


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
            circle = _circle(node.name, other, lambda name: _texts(survey.entries[name].node, "include"), groups)
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
    if counter and items and counter not in items:
        return f"no counter '{listed}'{did_you_mean(listed, [f'{name}:{item}' for item in items])}"
    return ""


# -- the keys of a session --------------------------------------------------------------------------------------------


def _check_patterns(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    for key in ("config-objects", "exclude-objects"):
        for path, pattern in _listed(node, key):
            if _matching([pattern], survey) or survey.may_match(pattern):
                continue
            message = f"no object '{pattern}'{did_you_mean(pattern, survey.objects)}"
            if survey.is_session(pattern):
                message = f"'{pattern}' is a session; to have all that it has, write it in include-sessions"
            yield Problem(path, (key,), message)


def _matching(patterns: list[str], survey: Survey) -> list[str]:
    names: list[str] = []
    for pattern in patterns:
        is_name = pattern in survey.entries and not survey.is_session(pattern)
        names += [pattern] if is_name else [name for name in survey.devices if fnmatchcase(name, pattern)]
    return list(dict.fromkeys(names))


def _check_included(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    sessions = survey.sessions
    seen: dict[str, str] = {}
    for path, other in _listed(node, "include-sessions"):
        if other in sessions:
            circle = _circle(
                node.name, other, lambda name: _texts(survey.entries[name].node, "include-sessions"), sessions
            )
            if circle and node.name == min(circle, key=sessions.index):  # told once, not by each of them
                message = f"sessions that include each other: {' -> '.join(circle)}; take one of them out"
                yield Problem(path, ("include-sessions",), message)
            elif not circle:
                yield from _check_twice(node.name, other, path, survey, seen)
        elif other in survey.entries:
            kind = survey.entries[other].label.partition(" ")[0]
            article = "an" if kind[0] in "aeiou" else "a"
            message = f"'{other}' is no session but {article} {kind}: write it in config-objects"
            yield Problem(path, ("include-sessions",), message)
        elif not survey.may_exist(other):
            others = [name for name in sessions if name != node.name]
            there = did_you_mean(other, others) or (f"; there are: {', '.join(others)}" if others else "")
            yield Problem(path, ("include-sessions",), f"no session '{other}'{there}")


def _check_twice(name: str, other: str, path: Keys, survey: Survey, seen: dict[str, str]) -> Iterator[Problem]:
    """Yield what a session includes a second time by including another one.

    :param seen: the way to each session that is included so far; it grows.
    """
    for each, way in _ways(other, f"{name} -> {other}", survey, (name,)):
        if each in seen:
            message = f"'{each}' is included twice: {seen[each]} and {way}; once is enough"
            yield Problem(path, ("include-sessions",), message)
        seen.setdefault(each, way)


def _ways(name: str, way: str, survey: Survey, above: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    yield name, way
    for other in _texts(survey.entries[name].node, "include-sessions"):
        if survey.is_session(other) and other not in (*above, name):
            yield from _ways(other, f"{way} -> {other}", survey, (*above, name))


def _circle(
    goal: str, name: str, below: Callable[[str], list[str]], known: list[str], way: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """Return the way from `goal` through `name` back to it; empty when there is none."""
    way = way or (goal,)
    if name == goal:
        return (*way, name)
    if name in way or name not in known:
        return ()
    circles = (_circle(goal, other, below, known, (*way, name)) for other in below(name))
    return next((circle for circle in circles if circle), ())


def _check_setup_file(node: ConfigNode, survey: Survey) -> Iterator[Problem]:
    written = node.raw_get("setup-file")
    if not isinstance(written, str) or not written:
        return
    bases = (Path(node.filename).parent, survey.root, survey.root.parent)
    candidates = dict.fromkeys((base / os.path.expanduser(written)).resolve() for base in bases)
    if not any(candidate.is_file() for candidate in candidates):
        message = f"no file {written!r}; looked for {', '.join(map(str, candidates))}"
        yield Problem(("setup-file",), ("setup-file",), message)


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


def _check_template(node: ConfigNode) -> Iterator[Problem]:
    """Yield the names in the template of paths that stand for nothing when the session is made."""
    saving = node.raw_get("scan_saving")
    template = saving.raw_get("template") if isinstance(saving, ConfigNode) else None
    if not isinstance(template, str):
        return
    path = ("scan_saving", "template")
    try:
        fields = [field for _, field, _, _ in Formatter().parse(template) if field is not None]
    except ValueError as error:
        yield Problem(path, path, f"{error} in {template!r}")
        return
    for field in fields:
        name = re.split(r"[.\[]", field)[0]
        if not name or name.isdigit():
            yield Problem(path, path, f"write a name in the braces of {template!r}, as in {{session}}")
        elif name not in _KNOWN_TO_TEMPLATES:
            known = ", ".join(_KNOWN_TO_TEMPLATES)
            hint = did_you_mean(name, _KNOWN_TO_TEMPLATES)
            yield Problem(path, path, f"nothing is known of '{name}' in {template!r}{hint or f' (known: {known})'}")


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
