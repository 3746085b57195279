"""Settings of a device: what its hardware does not keep, or what is to be as it was after a restart.

::

    class Furnace:
        def __init__(self, name, beamline=""):
            self.name = name
            self.settings = ObjectSettings(name, beamline)

        @property_setting(default=1.0, type=float)
        def ramp(self, value):
            self._line.write(f"RAMP {value}")

        comment = property_setting(default="")
"""

from __future__ import annotations

import enum
import numbers
from collections.abc import Callable, Mapping
from typing import Any

from bliss_like.data import paths
from bliss_like.data.key_store import KeyStore
from bliss_like.data.memory_keys import MemoryKeys

from .hash import HashSetting

_NONE = object()


class ObjectSettings(HashSetting):
    """What belongs to one object of a beamline: the hash `<beamline>:<object name>`."""

    def __init__(
        self,
        name: str,
        beamline: str = "",
        default_values: Mapping[str, Any] = {},
        connection: KeyStore | None = None,
    ) -> None:
        super().__init__(paths.join(beamline, name), connection, default_values=default_values)

    @classmethod
    def of(cls, config: Any, suffix: str = "", default_values: Mapping[str, Any] = {}) -> ObjectSettings:
        """Return the settings of an object by its `Config`; kept in this process alone where that is from no file."""
        if config.node is None:
            return cls(config.name + suffix, "", default_values, MemoryKeys())
        return cls(config.name + suffix, config.node.config.beamline, default_values)


class property_setting:
    """An attribute whose value is kept in `self.settings` of its object.

    As a decorator, of the method that brings a value to the hardware: it is called before the value is stored, so that one
    that is refused is not; what it returns, unless None, is stored instead: what the hardware made of it.

    :param name: of the entry; by default that of the attribute.
    :param default: while nothing is stored.
    :param type: what a value has to be; an int is taken as a float, a member of an enum may be given by its value.
    :param doc: its docstring.
    """

    def __init__(
        self, name: str = "", default: Any = None, *, type: type | None = None, doc: str | None = None
    ) -> None:
        self._name, self._attribute, self._type = name, name, type
        self._default = default
        self._push: Callable[[Any, Any], Any] | None = None
        self.__doc__ = doc

    def __call__(self, push: Callable[[Any, Any], Any]) -> property_setting:
        self._push = push
        self.__doc__ = self.__doc__ or push.__doc__
        return self

    setter = __call__

    def __set_name__(self, owner: type, name: str) -> None:
        self._attribute = name
        self._name = self._name or name

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        stored = instance.settings.get(self._name, _NONE)
        return self._default if stored is _NONE else self._checked(instance, stored)

    def __set__(self, instance: Any, value: Any) -> None:
        value = self._checked(instance, value)
        if self._push is not None:
            made = self._push(instance, value)
            value = value if made is None else self._checked(instance, made)
        instance.settings[self._name] = value.value if isinstance(value, enum.Enum) else value

    def push(self, instance: Any) -> None:
        """Bring the value that is stored, if there is one, to the hardware once more."""
        stored = instance.settings.get(self._name, _NONE)
        if stored is not _NONE and self._push is not None:
            self._push(instance, self._checked(instance, stored))

    def _checked(self, instance: Any, value: Any) -> Any:
        kind = self._type
        if kind is None or (isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)):
            return value
        if kind in (int, float) and isinstance(value, numbers.Integral) and not isinstance(value, bool):
            return kind(value)
        if issubclass(kind, enum.Enum):
            try:
                return kind(value)
            except ValueError:
                expected = f"one of {', '.join(repr(member.value) for member in kind)}"
        else:
            expected = f"a value of type {kind.__name__}"
        raise TypeError(f"{instance.name}.{self._attribute}: expected {expected}, got {value!r}")


def push_settings(instance: Any) -> None:
    """Bring all settings of an object that are stored to its hardware, as after it was switched off."""
    attributes = {name: each for owner in reversed(type(instance).__mro__) for name, each in vars(owner).items()}
    for attribute in attributes.values():
        if isinstance(attribute, property_setting):
            attribute.push(instance)
