"""Which Python class makes an object of the configuration."""

from __future__ import annotations

import inspect
from typing import Any

from bliss_like.errors import ObjectCreationFailed

from .loader import Entry
from .models import ObjectConfig
from .registry import ClassProblem, find_class


def class_of(entry: Entry) -> type[Any]:
    """Return the class of an object, by its `class`, `package` and `module`, which an `__init__.yml` may say.

    :raises ConfigError: none is written, there is no such class, or it is not for YAML.
    :raises ObjectCreationFailed: its module raised while it was imported.
    """
    written = {key: entry.node.get_inherited(key, "") for key in ("class", "package", "module")}
    if not written["class"]:
        raise entry.node.place.error(f"{entry.label}: missing key 'class', here or in an __init__.yml")
    owner = entry.node.owner_of("class") or entry.node
    try:
        cls = find_class(str(written["class"]), str(written["package"] or ""), str(written["module"] or ""))
    except ClassProblem as problem:
        owner = entry.node.owner_of(problem.key) or owner
        raise owner.value_places[problem.key].error(f"{entry.label}: {problem}") from None
    except Exception as error:  # whatever the module raises while it is imported
        raise creation_failed(entry, error) from error
    config = getattr(cls, "Config", None)
    if not (inspect.isclass(config) and issubclass(config, ObjectConfig)):
        raise owner.value_places["class"].error(
            f"{entry.label}: class {cls.__module__}.{cls.__name__} cannot be made from YAML: it needs a class "
            "attribute 'Config', a subclass of bliss_like.config.models.ObjectConfig"
        )
    return cls


def creation_failed(entry: Entry, error: BaseException) -> ObjectCreationFailed:
    failed = ObjectCreationFailed(
        f"{entry.node.place}: {entry.label}: could not be made: {type(error).__name__}: {error}"
    )
    failed.place = entry.node.place
    return failed
