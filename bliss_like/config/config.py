"""The configuration of a beamline: every object by its name, made once, when it is first asked for."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gevent import Timeout
from gevent.lock import RLock

from bliss_like.errors import ConfigError, ObjectNotFound, ReferenceCycle

from .classes import class_of, creation_failed
from .loader import Entry, Tree, item_kind, load_tree
from .models import ObjectConfig
from .node import ConfigNode
from .suggestion import did_you_mean
from .validation import Problem, item_keys, validate, with_inherited

_logger = logging.getLogger(__name__)

FAILURES = (Exception, Timeout)
"""What a broken object may raise; gevent's Timeout is no Exception, yet what a device raises that does not answer."""


class Config:
    """A tree of YAML files and the objects made from it.

    Greenlets may ask at the same time: one makes the object, the others wait for it.

    :raises ConfigError: `path` is no directory; what is wrong inside of it is in `errors`.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).expanduser().resolve()
        self.aliases: Mapping[str, Any] = {}
        """Objects by other names than their own, as the session gives them."""
        self._lock = RLock()
        self._instances: dict[str, Any] = {}
        self._being_made: list[str] = []
        self._broken_items: dict[str, dict[str, ConfigError]] = {}  # by container, by item
        self._tree: Tree = load_tree(self.path, self)
        for error in self._tree.errors:
            _logger.error("%s", error)

    def __repr__(self) -> str:
        return f"<Config {self.path}: {len(self._tree.entries)} objects, {len(self.errors)} errors>"

    @property
    def names_list(self) -> list[str]:
        """Names of all objects and items, sorted."""
        return sorted(self._tree.entries)

    @property
    def errors(self) -> list[ConfigError]:
        """What is wrong in the files, and with the items that containers had to do without."""
        return [*self._tree.errors, *(error for items in self._broken_items.values() for error in items.values())]

    @property
    def invalid_yaml_files(self) -> dict[str, str]:
        """Files that could not be parsed, and why."""
        return dict(self._tree.invalid_files)

    def get_config(self, name: str) -> ConfigNode:
        """Return what is written about an object, without making it.

        :raises ObjectNotFound: there is none of that name.
        """
        return self._entry(name).node

    def get(self, name: str) -> Any:
        """Return the object of that name, always the same one.

        :raises ObjectNotFound: there is none of that name.
        :raises ConfigError: what is written about it is wrong.
        :raises ObjectCreationFailed: its class could not be imported, or raised.
        """
        if name in self._instances:
            return self._instances[name]
        if name in self.aliases:
            return self.aliases[name]
        with self._lock:
            if name in self._instances:  # another greenlet has made it meanwhile
                return self._instances[name]
            entry = self._entry(name)
            instance = self._item(entry) if entry.owner else self._object(entry)
            self._instances[name] = instance
            return instance

    def check(self) -> list[ConfigError]:
        """Return everything that is wrong with the files, by file and line; no object is made for that."""
        from .check import check

        return check(self._tree, self.path)

    def close_objects(self, keep: object = None) -> list[BaseException]:
        """Close and forget all objects but `keep`, the last made first; return what went wrong.

        All are closed, also when the user loses patience: the abort is raised at the end.
        """
        closing = [(name, made) for name, made in self._instances.items() if made is not keep]
        self._instances = {name: made for name, made in self._instances.items() if made is keep}
        self._broken_items.clear()
        errors: list[BaseException] = []
        abort: BaseException | None = None
        for name, made in reversed(closing):
            try:
                if hasattr(made, "__close__"):
                    made.__close__()
            except FAILURES as error:
                _logger.exception("%s: __close__ failed", name)
                errors.append(error)
            except BaseException as error:  # noqa: BLE001 - raised below
                abort = error
        if abort is not None:
            raise abort
        return errors

    def close(self) -> None:
        """Close and forget all objects."""
        self.close_objects()
        if _current.config is self:
            _current.config = None

    def reload(self) -> None:
        """Close all objects and read the files again."""
        self.close_objects()
        self._tree = load_tree(self.path, self)
        for error in self._tree.errors:
            _logger.error("%s", error)

    def _entry(self, name: str) -> Entry:
        entry = self._tree.entries.get(name)
        if entry is None:
            broken = f"; {len(self._tree.errors)} errors in the files, see config.errors" if self._tree.errors else ""
            raise ObjectNotFound(f"no object '{name}' in {self.path}{did_you_mean(name, self._tree.entries)}{broken}")
        return entry

    def _item(self, entry: Entry) -> Any:
        container = self.get(entry.owner)
        name = entry.node.name
        if name in self._broken_items[entry.owner]:
            raise ConfigError(*self._broken_items[entry.owner][name].args)
        if entry.key not in item_keys(type(container).Config):
            known = ", ".join(sorted(item_keys(type(container).Config))) or "none"
            raise ConfigError(
                f"{entry.node.place}: '{name}' is in '{entry.key}' of '{entry.owner}', which has no items there "
                f"({type(container).__name__} has items in: {known})"
            )
        try:
            return container.get_item(name)
        except FAILURES as error:
            raise creation_failed(entry, error) from error

    def _object(self, entry: Entry) -> Any:
        name = entry.node.name
        if name in self._being_made:
            cycle = " -> ".join([*self._being_made[self._being_made.index(name) :], name])
            raise ReferenceCycle(f"{entry.node.place}: {entry.label}: objects that need each other: {cycle}")
        self._being_made.append(name)
        try:
            cls = class_of(entry)
            model = self._model(entry, cls)
            try:
                return cls(name, model)
            except ConfigError:
                raise
            except FAILURES as error:
                raise creation_failed(entry, error) from error
        finally:
            self._being_made.pop()

    def _model(self, entry: Entry, cls: type[Any]) -> ObjectConfig:
        """Validate; items that are wrong are recorded and left out, so that the others work."""
        self._broken_items[entry.node.name] = {}
        node = with_inherited(entry.node, cls.Config)
        model = validate(node, cls.Config)
        if isinstance(model, list):
            node = self._without_broken_items(node, item_keys(cls.Config), model)
            model = validate(node, cls.Config)
        if isinstance(model, list):
            lines = [f"{node.place_of(problem.path)}: {entry.label}: {problem.told()}" for problem in model]
            raise ConfigError("\n".join(lines))
        model._node = entry.node
        return model

    def _without_broken_items(self, node: ConfigNode, keys: set[str], problems: list[Problem]) -> ConfigNode:
        broken: dict[tuple[str, int], list[str]] = {}
        for problem in problems:
            match problem.path:
                case (str(key), int(index), *_) if key in keys:
                    label = _item_label(node, key, index)
                    line = f"{node.place_of(problem.path)}: {label}: {problem.told(skip=2)}"
                    broken.setdefault((key, index), []).append(line)
        for (key, index), lines in broken.items():
            error = ConfigError("\n".join(lines))
            _logger.error("%s", error)
            self._broken_items[node.name][_item_name(node, key, index)] = error
        for key in {key for key, _ in broken}:
            node = node.without(key, {index for other, index in broken if other == key})
        return node


def _item_name(node: ConfigNode, key: str, index: int) -> str:
    element = node.written[key][index]
    name = element.name if isinstance(element, ConfigNode) else ""
    return name or f"{node.name}.{key}.{index}"


def _item_label(node: ConfigNode, key: str, index: int) -> str:
    return f"{item_kind(key)} '{_item_name(node, key, index)}'"


class _Current:
    config: Config | None = None


_current = _Current()


def get_config(path: str | os.PathLike[str] | None = None) -> Config:
    """Return the configuration of this process.

    :param path: directory of the YAML files; by default the one in use, else `$BLISS_LIKE_CONFIG`, else `./config`.
    :raises ConfigError: there is no such directory.
    """
    used = _current.config
    if used is not None and (path is None or used.path == Path(path).expanduser().resolve()):
        return used
    _current.config = Config(path or os.environ.get("BLISS_LIKE_CONFIG") or "config")
    return _current.config
