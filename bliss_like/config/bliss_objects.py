"""The objects of a BLISS configuration, and which class each of them has here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bliss_names import CALCULATED, CLASSES, REGULATION
from .models import ObjectConfig
from .plugins import BY_CLASS, NODE
from .references import is_reference, referred_name
from .registry import find_class
from .spans import Part


@dataclass(eq=False)
class BlissObject:
    """An object as BLISS reads it.

    :param around: the mappings around it, the nearest first.
    """

    path: Path
    part: Part
    around: list[Part]
    parent: tuple[Part, int] | None
    cls: type[Any] | None = None
    gone: str = ""

    def inherited(self, key: str) -> str:
        return next((part.word(key) for part in (self.part, *self.around) if part.value(key) is not None), "")

    @property
    def kind(self) -> str:
        return self.inherited("class") or "object"

    @property
    def name(self) -> str:
        return self.part.word("name")

    def items(self) -> Iterator[Part]:
        """Yield the named mappings in its lists."""
        for _, value in (self.part.keys or {}).values():
            yield from (element for element in value.elements or () if element.is_mapping and element.word("name"))

    def own_names(self) -> set[str]:
        return {name for name in [self.name, *(item.word("name") for item in self.items())] if name and name[0] != "$"}


def counterpart(each: BlissObject) -> tuple[type[Any] | None, str]:
    """Return the class that an object has here, or why there is none."""
    plugin, kind = each.inherited("plugin"), each.inherited("class")
    if plugin == NODE or not (kind or plugin):
        return None, ""
    if plugin not in BY_CLASS or not kind:
        return None, f"plugin {plugin}: not yet here" if kind else f"plugin {plugin}: it has no class"
    package = each.inherited("package")
    foreign = bool(package) and package.partition(".")[0] != "bliss"
    tags = [item.word("tags").split() for item in each.items()]
    is_calculated = kind.lower() in CALCULATED or any("real" in tag for tag in tags)
    if is_calculated and not foreign and kind.lower() not in CLASSES:
        return None, f"calculated axes and counters of this kind are not yet here ({kind})"
    if plugin == "regulation" and not foreign:  # it has a Mockup, too, which is no controller of motors
        kind = REGULATION.get(kind.lower(), kind)
    try:
        if foreign:
            cls = find_class(kind, package, each.inherited("module"))
        else:
            cls = find_class(CLASSES.get(kind.lower(), kind))
    except Exception as error:  # noqa: BLE001 - whatever a module of somebody raises while it is imported
        why = f"the class of {package} has to be ported ({error})" if foreign else "not yet here"
        return None, f"class {kind}: {why}"
    config = getattr(cls, "Config", None)
    if not (isinstance(config, type) and issubclass(config, ObjectConfig)):
        return (
            None,
            f"class {kind} of {package or cls.__module__} has to be ported: it needs a Config, see docs/devices.md",
        )
    return cls, ""


def lost_without(each: BlissObject, gone: set[str]) -> str:
    """Return why an object cannot be without what is gone, `""` when it can."""
    fields = {
        info.alias or name: info for name, info in (each.cls.Config if each.cls else ObjectConfig).model_fields.items()
    }
    for key, (_, value) in (each.part.keys or {}).items():
        needed = key in fields and fields[key].is_required()
        if not needed and not (key == "counters" and each.part.value("include") is None):
            continue
        if value.text and is_reference(value.text) and referred_name(value.text) in gone:
            return f"it needs {value.text}, which is not here"
        guests = [element.word("name") for element in value.elements or () if element.is_mapping]
        for guest in guests:
            if is_reference(guest) and referred_name(guest) in gone:
                return f"it needs {guest}, which is not here"
        texts = [element.text for element in value.elements or () if element.text]
        if texts and all({*text.lstrip("$").split(":")} & gone for text in texts):
            return f"nothing of its {key} is here"
    return ""
