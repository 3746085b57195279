"""Everything that is wrong with a configuration, found in one pass, without making an object or touching hardware.

A class whose keys mean more than their types tell (a session lists objects) brings a check of its own::

    @classmethod
    def check_config(cls, node: ConfigNode, survey: Survey) -> Iterator[Problem]: ...
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

from bliss_like.errors import ConfigError

from .construction import class_of
from .loader import INIT, Entry, Tree, is_guest, item_label
from .node import ConfigList, ConfigNode
from .plugins import BY_CLASS, NODE, Plugin
from .references import Objects, Place, referred_name
from .suggestion import nearest
from .survey import Survey, references
from .validation import Problem, item_keys, known_keys, needed_names, validate


class _Found(NamedTuple):
    place: Place
    label: str
    message: str


def check(tree: Tree, root: Path) -> list[ConfigError]:
    """Return all errors of a tree, by file and line; each has its `place`."""
    survey = Survey(tree, root)
    found = [finding for entry in tree.entries.values() if not entry.owner for finding in _check_object(entry, survey)]
    errors = [*tree.errors, *_merged(found), *_cycles(survey), *_misspelt_defaults(survey)]
    return sorted({str(error): error for error in errors}.values(), key=lambda error: error.place or ("", 0, 0))


def check_entry(entry: Entry, survey: Survey) -> list[ConfigError]:
    """Return what is wrong with one object."""
    return [place.error(f"{label}: {message}") for place, label, message in _check_object(entry, survey)]


def _check_object(entry: Entry, survey: Survey) -> Iterator[_Found]:
    node = entry.node
    try:
        if node.plugin not in BY_CLASS:
            if node.plugin != NODE:
                Plugin(entry, node.plugin)  # imports its module
            yield from _check_references(entry, survey)
            return
        cls = class_of(entry)
    except ConfigError as error:
        place = Place(*(error.place or node.place))
        message = str(error).removeprefix(f"{place}: ").removeprefix(f"{entry.label}: ")
        if not (message.startswith("missing key") and survey.lacks_defaults(node)):
            yield _Found(place, entry.label, message)
        yield from _check_references(entry, survey)
        return
    complete = survey.complete(node.name)
    for problem in _problems(complete, cls, survey):
        yield _finding(problem, complete, entry, item_keys(cls.Config))


def _problems(complete: ConfigNode, cls: type[Any], survey: Survey) -> Iterator[Problem]:
    unsure = {path for path, reference in references(complete) if survey.resolves(reference)}
    try:
        validated = validate(complete, cls.Config, cast("Objects", survey))
    except Exception as error:  # a validator of somebody's class that is not ready for a stand-in
        validated = None
        if not unsure:
            yield Problem((), (), f"could not be checked: {type(error).__name__}: {error}")
    if isinstance(validated, list):
        may_inherit = survey.lacks_defaults(complete)
        for problem in validated:
            is_name = _is_name_of_item(problem, complete)  # told when the file was read
            is_elsewhere = may_inherit and problem.message.startswith("missing key")
            is_unsure = problem.path in unsure and problem.path == problem.subject  # of the value, not of the key
            if not (is_name or is_elsewhere or (is_unsure and not problem.is_sure)):
                yield problem
    if hasattr(cls, "check_config"):
        yield from cls.check_config(complete, survey)


def _is_name_of_item(problem: Problem, node: ConfigNode) -> bool:
    match problem.path:
        case (str(key), int(index), "name"):
            return not is_guest(node.written[key].written[index])
    return False


def _check_references(entry: Entry, survey: Survey) -> Iterator[_Found]:
    """Yield the references to nothing of an object of which nothing else can be known."""
    for path, reference in references(entry.node):
        try:
            survey.dereference(reference)
        except ConfigError as error:
            yield _finding(Problem(path, path, str(error)), entry.node, entry, set())


def _finding(problem: Problem, node: ConfigNode, entry: Entry, items: set[str]) -> _Found:
    place = node.place_of(problem.path)
    match problem.path:
        case (str(key), int(index), *_) if key in items and isinstance(node.written[key], ConfigList):
            return _Found(place, item_label(node, key, index), problem.told(skip=2))
    return _Found(place, entry.label, problem.told())


def _merged(findings: list[_Found]) -> Iterator[ConfigError]:
    """Yield errors; what an `__init__.yml` makes wrong for many objects is one."""
    labels: dict[tuple[Place, str], list[str]] = {}
    for place, label, message in findings:
        labels.setdefault((place, message), []).append(label)
    for (place, message), (first, *others) in labels.items():
        also = f" and {len(others)} more" if others else ""
        yield place.error(f"{first}{also}: {message}")


def _misspelt_defaults(survey: Survey) -> Iterator[ConfigError]:
    """Yield the keys of each `__init__.yml` that no class below knows, and that look like one that some class knows.

    Others are no errors: scripts and plugins may read them.
    """
    known: dict[int, set[str]] = {}
    for entry in survey.entries.values():
        cls = survey.class_of(entry.node.name)
        if entry.owner or cls is None:
            continue
        for node in entry.node.outwards():
            known.setdefault(id(node), {"beamline"}).update(known_keys(cls.Config))
    for file, document in survey.tree.documents.items():
        if Path(file).name != INIT or not isinstance(document.root, ConfigNode):
            continue
        keys = known.get(id(document.root), set())
        for key, place in document.root.key_places.items():
            meant = nearest(str(key), keys, cutoff=0.8)
            if meant and key not in keys:
                yield place.error(f"{INIT}: no class below knows the key '{key}', did you mean '{meant}'?")


def _cycles(survey: Survey) -> Iterator[ConfigError]:
    """Yield each circle of objects that need each other to be made, once."""
    graph = {name: _needs(name, survey) for name, entry in survey.entries.items() if not entry.owner}
    for circle in _circles(graph):
        entry = survey.entries[circle[0]]
        node = survey.complete(circle[0])
        place = next(node.place_of(path) for path, text in references(node) if _maker(text, survey) == circle[1])
        yield place.error(f"{entry.label}: objects that need each other: {' -> '.join(circle)}")


def _needs(name: str, survey: Survey) -> list[str]:
    """Return the objects that have to be made before one, in the order of the text."""
    cls = survey.class_of(name)
    if cls is None or survey.entries[name].node.plugin not in BY_CLASS:
        return []
    needed = (_maker(f"${target}", survey) for target in needed_names(survey.complete(name), cls.Config))
    return [maker for maker in needed if maker]


def _maker(reference: str, survey: Survey) -> str:
    """Return the object that is made for a reference: for an item its container; `""` for nothing."""
    entry = survey.entries.get(referred_name(reference))
    return (entry.owner or entry.node.name) if entry is not None else ""


def _circles(graph: dict[str, list[str]]) -> Iterator[list[str]]:
    """Yield a way around for each circle in a graph, starting and ending with its first node."""
    done: set[str] = set()
    for start in graph:
        way: list[str] = []
        pending = [(start, iter(graph[start]))] if start not in done else []
        if pending:
            way.append(start)
        while pending:
            _, targets = pending[-1]
            target = next(targets, None)
            if target is None:
                done.add(way.pop())
                pending.pop()
            elif target in way:
                yield [*way[way.index(target) :], target]
            elif target in graph and target not in done:
                way.append(target)
                pending.append((target, iter(graph[target])))
