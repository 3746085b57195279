"""Sets of parameters as YAML files: the name of the set, and the values of some of its instances."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from bliss_like.errors import ConfigError

from ..suggestion import did_you_mean
from .values import from_plain, to_plain


def in_configuration(name: str) -> Path:
    """Return where the configuration keeps a file of that name; not `.yml`, it has no objects.

    :raises ValueError: no file can have that name.
    """
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name):
        raise ValueError(f"file of parameters {name!r}: expected a letter, then letters, digits, '_' and '-'")
    from ..config import get_config

    return get_config().path / "wardrobe" / f"{name}.dat"


def write(path: Path, wardrobe: str, instances: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a file, all of it or nothing."""
    from ruamel.yaml import YAML

    plain = {name: to_plain(dict(values), f"parameters {wardrobe!r}") for name, values in instances.items()}
    text = StringIO()
    YAML().dump({"WardrobeName": wardrobe, "instances": plain}, text)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        unfinished.write_text(text.getvalue())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read(path: Path, instance: str | None) -> dict[str, Any]:
    """Return the values of one instance, the only one if none is named.

    :raises ConfigError: the file cannot be read, is no such file, or does not have the instance.
    """
    instances = _instances(path)
    if instance is None:
        if len(instances) != 1:
            raise ConfigError(f"{path}: which instance? It has: {', '.join(instances) or 'none'}")
        instance = next(iter(instances))
    if instance not in instances:
        hint = did_you_mean(instance, instances)
        raise ConfigError(f"{path}: no instance {instance!r} is in it{hint}; it has: {', '.join(instances) or 'none'}")
    values = instances[instance]
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: instance {instance!r}: expected parameters with their values, found {values!r}")
    return {str(name): from_plain(value, f"{path}: {name!r}") for name, value in values.items()}


def _instances(path: Path) -> dict[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(path.read_text())
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (YAMLError, UnicodeError) as error:
        mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
        place = f"{path}:{mark.line + 1}" if mark else f"{path}"
        raise ConfigError(f"{place}: no YAML: {getattr(error, 'problem', None) or error}") from error
    instances = content.get("instances") if isinstance(content, dict) else None
    if not isinstance(instances, dict):
        raise ConfigError(f"{path}: expected the key 'instances', as to_file() writes it")
    return instances
