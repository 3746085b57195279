"""Settings as attributes: of an object of their own, and of a user's classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from bliss_like.data.key_store import KeyStore

from .base import BaseSetting, Conversion
from .hash import HashSetting, OrderedHashSetting
from .queue import QueueSetting
from .simple import SimpleSetting

S = TypeVar("S", bound=BaseSetting)


class Struct:
    """A dict whose entries are attributes; None where nothing is stored.

    ::

        beam = Struct("beam")
        beam.energy = 12.4
    """

    def __init__(self, name: str, **options: Any) -> None:
        object.__setattr__(self, "_proxy", HashSetting(name, **options))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._proxy.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._proxy[name] = value

    def __delattr__(self, name: str) -> None:
        self._proxy.remove(name)

    def __dir__(self) -> Iterable[str]:
        return list(self._proxy)

    def __repr__(self) -> str:
        values = ", ".join(f"{key}={value!r}" for key, value in self._proxy.items())
        return f"<Struct {self._proxy.name!r} {values}>"


class _SettingProp(Generic[S]):
    """A setting of each object of a class, named `<name of the object>:<name of the setting>`.

    :param use_object_name: False: one setting for all objects.
    """

    _setting: type[S]

    def __init__(
        self,
        name: str,
        connection: KeyStore | None = None,
        read_type_conversion: Conversion | None = None,
        write_type_conversion: Conversion | None = None,
        use_object_name: bool = True,
        **default: Any,
    ) -> None:
        self._name, self._use_object_name = name, use_object_name
        self._options = {
            "connection": connection,
            "read_type_conversion": read_type_conversion,
            "write_type_conversion": write_type_conversion,
            **default,
        }

    def of(self, instance: Any) -> S:
        """Return the setting of an object."""
        return self._setting(f"{instance.name}:{self._name}" if self._use_object_name else self._name, **self._options)


class SimpleSettingProp(_SettingProp[SimpleSetting]):
    """An attribute that is a `SimpleSetting`: reading and assigning it reads and stores the value.

    ::

        class Furnace:
            ramp = SimpleSettingProp("ramp", default_value=1.0)     # of furnace "f1": the setting f1:ramp
    """

    _setting = SimpleSetting

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.of(instance).get()

    def __set__(self, instance: Any, value: Any) -> None:
        self.of(instance).set(value.get() if isinstance(value, SimpleSetting) else value)


class QueueSettingProp(_SettingProp[QueueSetting]):
    """An attribute that is a `QueueSetting`; a list that is assigned replaces its values."""

    _setting = QueueSetting

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.of(instance)

    def __set__(self, instance: Any, values: Iterable[Any]) -> None:
        self.of(instance).set(list(values))


class HashSettingProp(_SettingProp[HashSetting]):
    """An attribute that is a `HashSetting`; a dict that is assigned replaces its values."""

    _setting = HashSetting

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else self.of(instance)

    def __set__(self, instance: Any, values: Mapping[str, Any]) -> None:
        self.of(instance).set(dict(values))


class OrderedHashSettingProp(HashSettingProp):
    """An attribute that is an `OrderedHashSetting`; a dict that is assigned replaces its values."""

    _setting = OrderedHashSetting
