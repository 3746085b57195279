"""From `class:`, `package:` and `module:` to the Python class, importing nothing but the module that holds it."""

from __future__ import annotations

import importlib
import importlib.util
import re
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

from .suggestion import did_you_mean

DEFAULT_PACKAGE = "bliss_like.controllers"
"""Classes in any module below it need neither `package:` nor `module:`."""

ENTRY_POINTS = "bliss_like.controllers"
"""Group in which an installed package of somebody else declares `ClassName = package.module:ClassName`."""

KNOWN_CLASSES = {
    "AutoFilter": "bliss_like.scans.auto_filter",
    "Session": "bliss_like.session.session",
    "MeasurementGroup": "bliss_like.session.measurement_group",
}
"""Classes that are in no module below `DEFAULT_PACKAGE`, by that which holds them."""

_CLASS_LINE = re.compile(r"^class (\w+)", re.MULTILINE)


class ClassProblem(Exception):
    """A class cannot be found; `key` is the key of the object that is to blame."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def find_class(name: str, package: str = "", module: str = "") -> type:
    """Return the class `name`.

    :param package: where to look instead of the default packages: its module of the same name, in snake_case or in small
        letters alone, or itself.
    :param module: of `package`, of the default packages, or a dotted name.
    :raises ClassProblem: there is no such class.
    :raises ImportError: the module exists, but cannot be imported.
    """
    if package:
        return _from_package(name, package, module)
    if module:
        return _from_module(name, module)
    if name in KNOWN_CLASSES:
        return _member(importlib.import_module(KNOWN_CLASSES[name]), name)
    modules = default_classes().get(name, [])
    if len(modules) > 1:
        modules = [found for found in modules if found.rpartition(".")[2] == snake_case(name)] or modules
    if len(modules) == 1:
        return _member(importlib.import_module(modules[0]), name)
    if modules:
        choice = " or ".join(f"'module: {found.removeprefix(DEFAULT_PACKAGE + '.')}'" for found in modules)
        raise ClassProblem("class", f"class {name!r} is in several modules; add {choice}")
    points = entry_points(group=ENTRY_POINTS)
    for point in points.select(name=name):
        found = point.load()
        if isinstance(found, type):
            return found
        raise ClassProblem("class", f"class {name!r}: the entry point {point.value!r} is no class, came {found!r}")
    hint = did_you_mean(name, [*default_classes(), *KNOWN_CLASSES, *points.names])
    way_out = hint or "; for a class of your own add 'package: <your package>'"
    raise ClassProblem("class", f"no class {name!r} in {DEFAULT_PACKAGE}{way_out}")


def snake_case(name: str) -> str:
    """Return the module name that belongs to a class name: `SimulatedMCA2D` -> `simulated_mca2d`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", name).lower()


def default_classes() -> dict[str, list[str]]:
    return classes_below(DEFAULT_PACKAGE)


@cache
def classes_below(package: str) -> dict[str, list[str]]:
    """Return the modules that define each class below a package, from their source text."""
    found: dict[str, list[str]] = {}
    spec = importlib.util.find_spec(package)
    for root in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(root).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            module = ".".join((package, *(part for part in parts if part != "__init__")))
            for name in _CLASS_LINE.findall(path.read_text(encoding="utf-8", errors="replace")):
                found.setdefault(name, []).append(module)
    return found


def _from_package(name: str, package: str, module: str) -> type:
    if module:
        found = _imported(f"{package}.{module}")
        if found is None:
            raise ClassProblem("module", f"no module '{package}.{module}'; is its directory on Python's path?")
        return _member(found, name)
    for own in (snake_case(name), name.lower()):
        found = _imported(f"{package}.{own}")
        if found is not None:
            return _member(found, name)
    found = _imported(package)
    if found is None:
        raise ClassProblem("package", f"no package {package!r}; is it installed, or its directory on Python's path?")
    if not hasattr(found, name):
        below = classes_below(package)
        hint = did_you_mean(name, [*below, *_classes_of(found)])
        if name in below:
            hint = f"; add 'module: {below[name][0].removeprefix(package + '.')}'"
        raise ClassProblem("class", f"no class {name!r} in {package} nor in {package}.{snake_case(name)}{hint}")
    return _member(found, name)


def _from_module(name: str, module: str) -> type:
    known = {found for modules in default_classes().values() for found in modules}
    matches = sorted(found for found in known if found.endswith("." + module))
    found = _imported(matches[0]) if matches else _imported(module)
    if found is None:
        hint = did_you_mean(module, [path.rpartition(".")[2] for path in known])
        raise ClassProblem("module", f"no module {module!r}, neither in {DEFAULT_PACKAGE} nor of its own{hint}")
    return _member(found, name)


def _imported(module: str) -> ModuleType | None:
    """Return the module, None when there is none; what it fails to import itself is an error."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            return None
        raise


def _member(module: ModuleType, name: str) -> type:
    found = getattr(module, name, None)
    if isinstance(found, type):
        return found
    raise ClassProblem("class", f"no class {name!r} in {module.__name__}{did_you_mean(name, _classes_of(module))}")


def _classes_of(module: ModuleType) -> list[str]:
    return [name for name, value in vars(module).items() if isinstance(value, type)]
