"""A configuration of BLISS (1.11, 2.x), and what has to change for it to work here: said, shown, or written elsewhere.

Nothing is lost: what has no counterpart yet stays in the files as a comment.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bliss_like.errors import ConfigError

from .bliss_names import CLASSES, DIODES, LATER, POLICIES, PYTHON_IMPORTS, UNNEEDED
from .bliss_objects import BlissObject, counterpart, lost_without
from .loader import INIT
from .parsing import YamlProblem
from .references import Place, is_reference, referred_name
from .registry import find_class, snake_case
from .spans import Edits, Part, read
from .validation import known_keys, model_below, takes_any_key

_IMPORT = re.compile(r"^(\s*(?:from|import)\s+)(bliss(?:\.[\w.]+)?)\b", re.MULTILINE)
_GLOBALS = re.compile(r"^([ \t]*)(from bliss\.setup_globals import .*)$", re.MULTILINE)
_NOT_YET = "not yet here"
_NAME_LISTS = ("config-objects", "exclude-objects", "include-sessions", "counters", "include")


@dataclass
class Report:
    """What becomes of one object.

    :param changes: sentences; empty when it works as it is.
    :param gone: why it has no counterpart, `""` when it has one.
    """

    label: str
    place: Place
    changes: list[str] = field(default_factory=list)
    gone: str = ""


@dataclass
class Conversion:
    """What becomes of a whole configuration.

    :param remarks: what is wrong with files, or is to be looked at by a person.
    :param files: old and new text of each file that changes, by its path below the root.
    :param later: how often each key is kept as a comment.
    """

    root: Path
    reports: list[Report]
    remarks: list[ConfigError]
    files: dict[Path, tuple[str, str]]
    later: dict[str, int]


def convert(root: Path) -> Conversion:
    """Return what would change in a configuration of BLISS; nothing is written.

    :raises ConfigError: there is no such directory.
    """
    if not root.is_dir():
        raise ConfigError(f"no configuration directory {root}: give the one that BLISS reads, with its *.yml files")
    return _Converter(root).convert()


def write(conversion: Conversion, directory: Path) -> None:
    """Write a converted copy of a whole configuration.

    :raises ConfigError: the directory is there and not empty, or inside of what is converted.
    """
    target = directory.resolve()
    if target.is_relative_to(conversion.root):
        raise ConfigError(f"{directory} is inside of {conversion.root}: give a directory outside of it")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{directory} is there and not empty: give one that is new")
    shutil.copytree(conversion.root, target, dirs_exist_ok=True)
    for path, (_, text) in conversion.files.items():
        (target / path).write_text(text, encoding="utf-8")


class _Converter:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[Path, str] = {}
        self._edits: dict[Path, Edits] = {}
        self._inits: dict[Path, Part] = {}
        self._objects: list[BlissObject] = []
        self._remarks: list[ConfigError] = []
        self._later: dict[str, int] = {}
        self._names: set[str] = set()
        self._aliases: set[str] = set()
        self._report = Report("", Place("", 0, 0))

    def convert(self) -> Conversion:
        for path in sorted(self._root.rglob("*"), key=lambda path: (path.parent, path.name != INIT, path.name)):
            if path.suffix == ".yml" and path.is_file():
                self._read(path)
        self._choose_classes()
        self._names = {name for each in self._objects if not each.gone for name in each.own_names()}
        self._aliases = {
            element.word("alias_name")
            for each in self._objects
            for element in getattr(each.part.value("aliases"), "elements", None) or ()
        }
        reports = [*(self._convert_init(path, part) for path, part in self._inits.items())]
        reports += [self._convert_object(each) for each in self._objects]
        files = {path: (self._texts[path], edits.result()) for path, edits in self._edits.items()}
        files |= self._python_files()
        changed = {path.relative_to(self._root): texts for path, texts in files.items() if texts[0] != texts[1]}
        reports = [report for report in reports if report.label != INIT or report.changes]
        reports.sort(key=lambda report: report.place)
        return Conversion(self._root, reports, self._remarks, changed, self._later)

    # -- reading -------------------------------------------------------------------------------------------------------

    def _read(self, path: Path) -> None:
        try:
            text = path.read_text(encoding="utf-8")
            part = read(text)
        except YamlProblem as problem:
            self._remarks.append(
                Place(str(path), problem.line, problem.column).error("cannot be parsed, copied as it is")
            )
            return
        except (OSError, UnicodeDecodeError) as error:
            self._remarks.append(Place(str(path), 1, 1).error(f"cannot be read: {error}"))
            return
        self._texts[path], self._edits[path] = text, Edits(text)
        if part is None:
            return
        if path.name == INIT:
            self._inits[path] = part
            return
        above = [self._inits[each / INIT] for each in path.parents if each / INIT in self._inits]
        self._find(path, part, above, None)

    def _find(self, path: Path, part: Part, around: list[Part], parent: tuple[Part, int] | None) -> None:
        """Collect the objects of a part; a controller of motors needs no name in BLISS."""
        if part.is_mapping and ("name" in (part.keys or {}) or "class" in (part.keys or {})):
            self._objects.append(BlissObject(path, part, around, parent))
            return
        for index, child in enumerate(part.children()):
            self._find(path, child, [part, *around] if part.is_mapping else around, (part, index))

    def _choose_classes(self) -> None:
        for each in self._objects:
            each.cls, each.gone = counterpart(each)
        while True:  # what needs something that is gone is gone too
            gone = {name for each in self._objects if each.gone for name in each.own_names()}
            losing = [(each, lost_without(each, gone)) for each in self._objects if not each.gone and each.cls]
            losing = [(each, why) for each, why in losing if why]
            if not losing:
                return
            for each, why in losing:
                each.gone = why

    # -- objects -------------------------------------------------------------------------------------------------------

    def _convert_object(self, each: BlissObject) -> Report:
        name = f" '{each.name}'" if each.name else ""
        self._report = Report(f"{each.kind}{name}", self._place(each), gone=each.gone)
        edits = self._edits[each.path]
        if each.gone:
            self._comment_out(each, edits)
        elif each.cls is None and not each.inherited("plugin"):
            edits.last_key(each.part, "plugin", "default", "default")
            self._report.changes.append("plugin: default added: it has no class, config.get gives what is written")
        elif each.cls is not None:
            self._rename(each, edits)
            self._convert_mapping(each.part, each.cls.Config, edits, "")
            if each.kind.lower() in DIODES:
                self._put_into_controller(each, edits)
            if each.cls.__name__ == "Session":
                self._complete_session(each, edits)
        return self._report

    def _place(self, each: BlissObject) -> Place:
        return Place(str(each.path), each.part.line, self._edits[each.path].column(each.part.start) + 1)

    def _comment_out(self, each: BlissObject, edits: Edits) -> None:
        if each.parent is not None:
            edits.drop(*each.parent, _NOT_YET)
        else:
            for key in each.part.keys or {}:
                edits.drop_key(each.part, key, _NOT_YET)

    def _rename(self, each: BlissObject, edits: Edits) -> None:
        written = each.part.value("class")
        new = each.cls.__name__ if each.cls else ""
        if written is not None and written.text != new:
            edits.replace(written, new)
            self._report.changes.append(f"class: {written.text} -> {new}")
        if not each.name:
            name = self._free_name(snake_case(new))
            edits.first_key(each.part, f"name: {name}")
            self._report.changes.append(f"name: {name} added: every object has a name")

    def _free_name(self, stem: str) -> str:
        number = 1
        while (name := stem if number == 1 else f"{stem}_{number}") in self._names:
            number += 1
        self._names.add(name)
        return name

    def _convert_mapping(self, part: Part, model: type[BaseModel], edits: Edits, subject: str) -> None:
        known = known_keys(model)
        for key, (_, value) in (part.keys or {}).items():
            where = f"{subject}{key}"
            if key == "<<":
                continue
            if key == "class" and (policy := _policy_of(part)):
                edits.replace((part.keys or {})[key][0], "policy")
                edits.replace(value, policy)
                self._report.changes.append(f"{where}: {value.text} -> policy: {policy}")
                continue
            if (key not in known and not takes_any_key(model)) or self._is_unneeded(key, value):
                self._drop_key(part, key, edits, where)
            elif lost := self._lost_in(value):
                edits.drop_key(part, key, _NOT_YET)
                self._report.changes.append(f"{where}: {', '.join(lost)}: nothing of that name is here; a comment now")
            elif key in _NAME_LISTS:
                self._convert_names(part, key, model, edits, where)
            else:
                self._convert_value(part, key, model, edits, where)

    def _is_unneeded(self, key: str, value: Part) -> bool:
        return key in ("package", "module") and (key == "module" or (value.text or "").partition(".")[0] == "bliss")

    def _convert_value(self, part: Part, key: str, model: type[BaseModel], edits: Edits, where: str) -> None:
        value = (part.keys or {})[key][1]
        below = model_below(model, key, _policy_of(value))
        if value.is_mapping and below is not None:
            if value.keys and value.keys.keys().isdisjoint([*known_keys(below), "<<"]):
                edits.drop_key(part, key, "unknown here")
                self._report.changes.append(
                    f"{where}: none of its keys is known here ({', '.join(value.keys)}); a comment now"
                )
            else:
                self._convert_mapping(value, below, edits, f"{where}.")
            return
        for index, element in enumerate(value.elements or ()):
            if not element.is_mapping or below is None:
                continue
            subject = element.word("name") or element.word("alias_name") or f"{where}.{index}"
            lost = self._lost_from(element, below)
            if lost:
                edits.drop(value, index, _NOT_YET)
                self._report.changes.append(f"{subject}: it needs {lost}, which is not here; a comment now")
            else:
                self._convert_mapping(element, below, edits, f"{subject}: ")

    def _lost_from(self, element: Part, model: type[BaseModel]) -> str:
        """Return what an item or an alias cannot be without and is not here, `""` when it has all."""
        original = element.word("original_name")
        if original and not self._names & set(original.split(":")):
            return original
        for name, info in model.model_fields.items():
            value = element.value(info.alias or name)
            lost = self._lost_in(value) if info.is_required() and value is not None else []
            if lost:
                return ", ".join(lost)
        return ""

    def _convert_names(self, part: Part, key: str, model: type[BaseModel], edits: Edits, where: str) -> None:
        """Take out names of what is not here; BLISS ignores those that it does not know."""
        value = part.keys[key][1] if part.keys else part
        if value.elements is None or any(element.is_mapping for element in value.elements):
            self._convert_value(part, key, model, edits, where)
            return
        sessions = {each.name for each in self._objects if each.cls and each.cls.__name__ == "Session"}
        known = {"include-sessions": sessions, "counters": self._names | self._aliases}.get(key, self._names - sessions)
        lost = {}
        for index, element in enumerate(value.elements):
            name = element.text or ""
            controller, _, counter = name.rpartition(":")
            if any(fnmatchcase(each, name) for each in known) or (controller and controller in known):
                continue
            if controller and counter in known:
                edits.replace(element, counter)
                self._report.changes.append(f"{where}: {name} -> {counter}")
            else:
                lost[index] = name
        for index, name in lost.items():
            words = "a session, not an object" if name in sessions else "nothing of that name is here"
            self._report.changes.append(f"{where}: {name}: {words}; a comment now")
            if len(lost) < len(value.elements):
                edits.drop(value, index, _NOT_YET)
        if lost and len(lost) == len(value.elements):
            edits.drop_key(part, key, _NOT_YET)

    def _drop_key(self, part: Part, key: str, edits: Edits, where: str) -> None:
        if key in UNNEEDED:
            edits.drop_key(part, key, "not needed")
            self._report.changes.append(f"{where}: not needed, a comment now")
            return
        edits.drop_key(part, key, _NOT_YET if key in LATER else "unknown here")
        words = "not yet here" if key in LATER else "unknown to its class here"
        self._report.changes.append(f"{where}: {words}, kept as a comment")
        self._later[key] = self._later.get(key, 0) + 1

    def _lost_in(self, value: Part) -> list[str]:
        """Return the references in a value to what is not here."""
        texts = [part.text for part in (value, *(value.elements or ())) if part.text]
        return [text for text in texts if is_reference(text) and referred_name(text) not in self._names]

    def _put_into_controller(self, each: BlissObject, edits: Edits) -> None:
        written = each.part.value("name")
        controller = self._free_name(f"{each.name}_controller")
        if written is not None:
            edits.replace(written, controller)
        edits.last_key(
            each.part,
            "counters",
            f"\n  - name: {each.name}\n    noise: 58   # BLISS reads whole numbers between -100 and 100 at random",
            f"[{{name: {each.name}, noise: 58}}]",
        )
        self._report.changes.append(f"the counter {each.name} stands in the list of a controller, {controller}")

    def _complete_session(self, each: BlissObject, edits: Edits) -> None:
        if each.part.value("config-objects") is None:
            edits.last_key(each.part, "config-objects", '["*"]', '["*"]')
            self._report.changes.append('config-objects: ["*"] added: without it no object is made, in BLISS all are')

    # -- other files ---------------------------------------------------------------------------------------------------

    def _convert_init(self, path: Path, part: Part) -> Report:
        self._report = Report(INIT, Place(str(path), 1, 1))
        edits = self._edits[path]
        if part.elements is not None:
            self._remarks.append(Place(str(path), 1, 1).error("a list, which BLISS refuses too; copied as it is"))
            return self._report
        session: Any = find_class("Session")
        for key, (_, value) in (part.keys or {}).items():
            new = CLASSES.get((value.text or "").lower())
            if key == "class" and new and new != value.text:
                edits.replace(value, new)
                self._report.changes.append(f"class: {value.text} -> {new}")
            elif self._is_unneeded(key, value):
                self._drop_key(part, key, edits, key)
            elif key == "scan_saving":
                self._convert_value(part, key, session.Config, edits, key)
        return self._report

    def _python_files(self) -> dict[Path, tuple[str, str]]:
        found = {}
        for path in sorted(self._root.rglob("*.py")):
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            new = _GLOBALS.sub(r"\1# not needed, the names are there: \2", text)
            new = _IMPORT.sub(lambda match: match[1] + _imported(match[2]), new)
            if new != text:
                lines = zip(text.splitlines(), new.splitlines(), strict=True)
                changed = [number for number, (before, after) in enumerate(lines, 1) if before != after]
                words = f"imports of bliss -> bliss_like, in lines {', '.join(map(str, changed))}"
                self._remarks.append(Place(str(path), changed[0], 1).error(f"{words}; look whether each name is here"))
                found[path] = (text, new)
        return found


def _policy_of(saving: Part) -> str:
    """Return the data policy that takes the place of a class of BLISS, `""` when there is none."""
    return POLICIES.get(saving.word("class").lower(), "")


def _imported(module: str) -> str:
    return PYTHON_IMPORTS.get(module, module.replace("bliss", "bliss_like", 1))
