"""Configurations of classes in the style of BLISS: with whatever keys in YAML, looked into as into a dict."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import Any

from pydantic import BaseModel, ConfigDict

from bliss_like.config.models import ObjectConfig
from bliss_like.errors import ConfigError, MissingKey

_REQUIRED = object()
TAKES_ANY_KEY = ConfigDict(extra="allow", arbitrary_types_allowed=True, populate_by_name=True)
"""For `model_config`, beside `AnyKeys`."""


class _Written(BaseModel):
    """What is written, declared or not."""

    @property
    def config_dict(self) -> dict[str, Any]:
        """What is written, as a dict."""
        fields = {name: info.alias or name for name, info in type(self).model_fields.items()}
        return {fields.get(key, key): value for key, value in BaseModel.__iter__(self) if key in self.model_fields_set}

    def __contains__(self, key: object) -> bool:
        return key in self.config_dict


class AnyKeys(_Written):
    """A configuration that takes keys which nobody has declared; those that are declared are checked."""

    def get(
        self, key: str, converter: Callable[[Any], Any] | None = str, default: Any = _REQUIRED, inherited: bool = False
    ) -> Any:
        """Return the value of a key.

        :param converter: what makes it of what is written, a type or a function; lists and mappings are left alone by `str`.
        :param default: returned when the key is absent.
        :param inherited: look into the mappings around this one, too.
        :raises MissingKey: the key is absent, and has no default.
        :raises ConfigError: the value cannot be converted.
        """
        value = self._value(key)
        if value is None and inherited and (node := getattr(self, "node", None)) is not None:
            value = node.get_inherited(key)
        if value is None:
            if default is _REQUIRED:
                known = ", ".join(self.config_dict)
                raise MissingKey(
                    f"{self._label}: its configuration has no key '{key}', which its driver needs; it has {known}"
                )
            return default
        if converter is None or (converter is str and isinstance(value, list | dict | BaseModel)):
            return value
        try:
            return converter(value)
        except (TypeError, ValueError) as error:
            kind = getattr(converter, "__name__", str(converter))
            raise ConfigError(f"{self._label}: key {key}: its driver expects {kind}, came {value!r}") from error

    def _value(self, key: str) -> Any:
        fields = {info.alias or name: name for name, info in type(self).model_fields.items()}
        return getattr(self, fields[key]) if key in fields else (self.model_extra or {}).get(key)

    @property
    def _label(self) -> str:
        return str(getattr(self, "name", type(self).__name__))

    def __getitem__(self, key: str) -> Any:
        return self.get(key, None)

    def keys(self) -> Iterator[str]:
        return iter(self.config_dict)


class LikeADict(_Written):
    """A configuration that takes keys which nobody has declared, and is looked into as BLISS' `ConfigNode` is."""

    def get(self, key: str, default: Any = None) -> Any:
        return self.config_dict.get(key, default)

    def get_inherited(self, key: str, default: Any = None) -> Any:
        """Return the value of a key here, or in the mappings around this one."""
        node = getattr(self, "node", None)
        found = self.get(key)
        if found is None and node is not None:
            found = node.get_inherited(key)
        return default if found is None else found

    def __getitem__(self, key: str) -> Any:
        """:raises MissingKey: there is no such key."""
        written = self.config_dict
        if key not in written:
            name = getattr(self, "name", type(self).__name__)
            known = ", ".join(written)
            raise MissingKey(f"{name}: its configuration has no key '{key}', which its driver needs; it has {known}")
        return written[key]

    def keys(self) -> KeysView[str]:
        return self.config_dict.keys()

    def values(self) -> ValuesView[Any]:
        return self.config_dict.values()

    def items(self) -> ItemsView[str, Any]:
        return self.config_dict.items()

    def to_dict(self) -> dict[str, Any]:
        return dict(self.config_dict)

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]
        return iter(self.config_dict)

    def __len__(self) -> int:
        return len(self.config_dict)


class AnyObjectConfig(LikeADict, ObjectConfig):
    """What YAML says of an object whose class, written for BLISS, does not declare its keys: `Config = AnyObjectConfig`."""

    model_config = TAKES_ANY_KEY
