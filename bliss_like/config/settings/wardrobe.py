"""Sets of parameters with named instances, among which one is in use."""

from __future__ import annotations

import keyword
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from bliss_like.data.key_store import KeyStore

from ..suggestion import did_you_mean
from . import wardrobe_file
from .simple import SimpleSetting
from .values import decode, encode

DEFAULT = "default"

Values = dict[str, Any]
Stored = dict[str, Any]
"""`last`: the instance last switched to; `instances`: by name, each with `values`, `created` and `accessed`."""


class ParametersWardrobe:
    """Parameters as attributes, in several named instances; what an instance does not set is as in `default`.

    ::

        sample = ParametersWardrobe("sample", default_values={"name": "", "humidity": 40.0})
        sample.name = "lysozyme"
        sample.switch("dry", copy="default")        # made if it is not there
        sample.humidity = 5.0
        sample.add("mounted_by", "anna")            # in all instances

    :param default_values: what is there from the beginning.
    :param property_attributes: names of properties of a derived class that `to_dict` and the tables show, too.
    :param not_removable: parameters that `remove` refuses to remove.
    :param connection: the store to use; by default that of the session.

    Everything is kept in one setting, so that each change is one step, whoever else makes one.
    """

    def __init__(
        self,
        name: str,
        default_values: Mapping[str, Any] | None = None,
        property_attributes: Iterable[str] | None = None,
        not_removable: Iterable[str] | None = None,
        connection: KeyStore | None = None,
    ) -> None:
        self._wardrobe_name = name
        self._defaults = {_checked_name(key): self._dump(key, value) for key, value in (default_values or {}).items()}
        self._property_attributes, self._not_removable = tuple(property_attributes or ()), tuple(not_removable or ())
        self._setting = SimpleSetting(f"parameters:{name}", connection)
        self._current = DEFAULT
        self._seen: tuple[bytes | None, str, dict[str, bytes]] = (None, "", {})
        """What was stored when a value was last looked up, for which instance, and its values."""
        self._current = str((self._setting.get() or self._setting.update(self._with_default))["last"])

    # -- instances -------------------------------------------------------------------------------------------------

    @property
    def instances(self) -> list[str]:
        """Names of the instances, the current one first."""
        current = self.current_instance
        return [current, *(name for name in self._stored()["instances"] if name != current)]

    @property
    def current_instance(self) -> str:
        """The instance in use here; `default` if another process has removed it."""
        return self._current if self._current in self._stored()["instances"] else DEFAULT

    def switch(self, name: str, copy: str | None = None) -> None:
        """Use another instance; it is made if there is none of that name.

        :param copy: the instance whose values it gets, if it is made.
        :raises NameError: there is no instance `copy`.
        """
        if not isinstance(name, str) or not name:
            raise NameError(f"parameters {self._wardrobe_name!r}: expected the name of an instance, got {name!r}")

        def change(stored: Stored) -> None:
            instances = stored["instances"]
            if copy is not None:
                self._check_instance(copy, instances)
            if name not in instances:
                values = dict(instances[copy]["values"]) if copy is not None else {}
                instances[name] = {"created": _now(), "values": values}
            instances[name]["accessed"] = _now()
            stored["last"] = name

        self._change(change)
        self._current = name

    def remove(self, name: str) -> None:
        """Remove an instance, or, when the name begins with a dot, a parameter from all instances.

        :raises NameError: there is no such instance, or it is `default`.
        :raises AttributeError: there is no such parameter, or it cannot be removed.
        """
        if name.startswith("."):
            self._remove_parameter(name[1:])
            return
        if name == DEFAULT:
            raise NameError(
                f"parameters {self._wardrobe_name!r}: the instance 'default' cannot be removed. purge() removes everything"
            )

        def change(stored: Stored) -> None:
            self._check_instance(name, stored["instances"])
            del stored["instances"][name]
            if stored["last"] == name:
                stored["last"] = DEFAULT

        self._change(change)
        self._current = self.current_instance

    def purge(self) -> None:
        """Remove all instances with all that was set; the default values come back."""
        self._setting.clear()
        self._current = DEFAULT

    @property
    def creation_date(self) -> str:
        """When the current instance was made, as `2026-11-20-13:27`, local time."""
        return str(self._stored()["instances"][self.current_instance]["created"])

    @property
    def last_accessed(self) -> str:
        """When somebody last switched to the current instance, as `2026-11-20-13:27`, local time."""
        return str(self._stored()["instances"][self.current_instance]["accessed"])

    # -- parameters ------------------------------------------------------------------------------------------------

    def add(self, name: str, value: Any = None) -> None:
        """Add a parameter to all instances.

        :raises NameError: the name cannot be that of an attribute, or is taken.
        """
        self._dump(_checked_name(name), value)

        def change(stored: Stored) -> None:
            if hasattr(type(self), name) or name in self._values(stored, DEFAULT):
                raise NameError(f"parameters {self._wardrobe_name!r} have {name!r} already; assign to it")
            stored["instances"][DEFAULT]["values"][name] = value

        self._change(change)

    def freeze(self) -> None:
        """Store all values of the current instance, so that it stays as it is when the defaults change."""
        self.from_dict(self.to_dict())

    def to_dict(self, export_properties: bool = False) -> Values:
        """Return the values of the current instance.

        :param export_properties: with those of the properties.
        """
        values = self._values(self._stored(), self.current_instance)
        return {**values, **self._properties()} if export_properties else values

    def from_dict(self, d: Mapping[str, Any]) -> None:
        """Set several values of the current instance in one step.

        :raises AttributeError: there is no such parameter; nothing was set.
        :raises TypeError: a value of that kind cannot be stored; nothing was set.
        """
        for name, value in d.items():
            self._dump(name, value)

        def change(stored: Stored) -> None:
            for name in d:
                self._check_parameter(name, stored)
            instance = self._current if self._current in stored["instances"] else DEFAULT
            stored["instances"][instance]["values"].update(d)

        self._change(change)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        found = self._setting.raw()
        if self._seen[:2] != (found, self._current):
            values = self._values(self._stored(), self._current)
            self._seen = (found, self._current, {key: self._dump(key, value) for key, value in values.items()})
        if name not in self._seen[2]:
            self._check_parameter(name, self._stored())
        return decode(self._seen[2][name], self._wardrobe_name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or hasattr(type(self), name):
            object.__setattr__(self, name, value)
        else:
            self.from_dict({name: value})

    def __dir__(self) -> Iterable[str]:
        return [*super().__dir__(), *self.to_dict()]

    # -- files and tables ------------------------------------------------------------------------------------------

    def to_file(self, fullpath: str | os.PathLike[str], *instances: str) -> None:
        """Write instances to a YAML file, by default the current one.

        :raises NameError: there is no such instance; nothing is written.
        """
        stored = self._stored()
        for name in instances:
            self._check_instance(name, stored["instances"])
        chosen = instances or (self.current_instance,)
        values = {name: self._values(stored, name) for name in chosen}
        wardrobe_file.write(Path(fullpath), self._wardrobe_name, values)

    def from_file(self, fullpath: str | os.PathLike[str], instance_name: str | None = None) -> None:
        """Set the values of the current instance as a YAML file has them.

        :param instance_name: which instance of the file, if it has several.
        :raises ConfigError: the file is not one of `to_file`, or has no such instance.
        :raises AttributeError: it has a parameter that there is not here; nothing was set.
        """
        self.from_dict(wardrobe_file.read(Path(fullpath), instance_name))

    def to_beacon(self, name: str, *instances: str) -> None:
        """Write instances to the file `wardrobe/<name>.dat` of the configuration, by default the current one."""
        self.to_file(wardrobe_file.in_configuration(name), *instances)

    def from_beacon(self, name: str, instance_name: str | None = None) -> None:
        """Set the values of the current instance as the file `wardrobe/<name>.dat` of the configuration has them."""
        self.from_file(wardrobe_file.in_configuration(name), instance_name)

    def show_table(self) -> Table:
        """Return all instances side by side, to be shown at a prompt or printed; `*`: as in `default`."""
        stored = self._stored()
        names = self.instances
        columns = [["", *self._values(stored, DEFAULT)]]
        for name in names:
            own = stored["instances"][name]["values"]
            values = self._values(stored, name)
            inherited = {key for key in values if name != DEFAULT and key not in own}
            cells = [f"{'* ' if key in inherited else ''}{value!r}" for key, value in values.items()]
            columns.append([f"{name} (SELECTED)" if name == names[0] else name, *cells])
        return _table(columns)

    def __info__(self) -> str:
        values = self.to_dict(export_properties=True)
        head = f"Parameters ({self.current_instance}) of {self._wardrobe_name}"
        return f"{head}\n\n{_table([[f'.{name}' for name in values], [f'= {value!r}' for value in values.values()]])}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._wardrobe_name!r} instance {self.current_instance!r}>"

    # -- what is stored --------------------------------------------------------------------------------------------

    def _stored(self) -> Stored:
        return self._with_default(self._setting.get())

    def _with_default(self, stored: Stored | None) -> Stored:
        now = _now()
        return stored or {"last": DEFAULT, "instances": {DEFAULT: {"created": now, "accessed": now, "values": {}}}}

    def _change(self, change: Callable[[Stored], None]) -> None:
        def changed(stored: Stored | None) -> Stored:
            stored = self._with_default(stored)
            change(stored)
            return stored

        self._setting.update(changed)

    def _values(self, stored: Stored, instance: str) -> Values:
        instances = stored["instances"]
        own = instances.get(instance, instances[DEFAULT])["values"]
        defaults = {key: decode(raw, self._wardrobe_name) for key, raw in self._defaults.items()}
        return {**defaults, **instances[DEFAULT]["values"], **own}

    def _dump(self, name: str, value: Any) -> bytes:
        return encode(value, f"parameter {name!r} of {self._wardrobe_name!r}")

    def _properties(self) -> Values:
        return {name: getattr(self, name) for name in self._property_attributes}

    def _remove_parameter(self, name: str) -> None:
        if name in self._not_removable:
            raise AttributeError(f"parameters {self._wardrobe_name!r}: {name!r} cannot be removed, others rely on it")

        def change(stored: Stored) -> None:
            self._check_parameter(name, stored)
            for instance in stored["instances"].values():
                instance["values"].pop(name, None)

        self._change(change)
        self._defaults.pop(name, None)
        self._seen = (None, "", {})

    def _check_parameter(self, name: str, stored: Stored) -> None:
        known = self._values(stored, self._current)
        if name not in known:
            listed = ", ".join(known) or "none"
            raise AttributeError(
                f"parameters {self._wardrobe_name!r} have no {name!r}{did_you_mean(name, known)}; they have: {listed}. "
                f"add({name!r}) adds one"
            )

    def _check_instance(self, name: str, instances: Mapping[str, Any]) -> None:
        if name not in instances:
            raise NameError(
                f"parameters {self._wardrobe_name!r} have no instance {name!r}{did_you_mean(name, instances)}; "
                f"they have: {', '.join(instances)}"
            )


class Table(str):
    """Text that a prompt shows as it is."""

    def __repr__(self) -> str:
        return str(self)


def _table(columns: list[list[str]]) -> Table:
    widths = [max(map(len, column), default=0) for column in columns]
    rows = zip(*columns, strict=True)
    return Table("\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows))


def _checked_name(name: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise NameError(f"parameter {name!r}: expected a name that begins with a letter, of letters, digits and '_'")
    return name


def _now() -> str:
    return datetime.now().astimezone().strftime("%Y-%m-%d-%H:%M")
