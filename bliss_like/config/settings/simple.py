"""A setting of one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bliss_like.data.key_store import KeyStore

from .base import BaseSetting, Conversion
from .operators import Arithmetic
from .values import decode, encode, same


class SimpleSetting(BaseSetting, Arithmetic):
    """One value: a number, text, list, dict, array...

    ::

        offset = SimpleSetting("robx:offset", default_value=0.0)
        offset.set(1.5)
        offset += 0.5            # in one step, whoever else adds to it
        print(offset.get())

    :param default_value: what `get` returns while nothing is stored.
    """

    def __init__(
        self,
        name: str,
        connection: KeyStore | None = None,
        read_type_conversion: Conversion | None = None,
        write_type_conversion: Conversion | None = None,
        default_value: Any = None,
    ) -> None:
        super().__init__(name, connection, read_type_conversion, write_type_conversion)
        self._default = encode(default_value, f"default of {self._what}")

    def get(self) -> Any:
        """Return the value, or the default."""
        return self._value(self._read())

    def raw(self) -> bytes | None:
        """Return the value as it is stored; None: nothing is."""
        found: bytes | None = self._read()
        return found

    def set(self, value: Any) -> None:
        """Store a value.

        :raises TypeError: a value of that kind cannot be stored.
        """
        self._run(("SET", self._key, self._dump(value)))

    def update(self, function: Callable[[Any], Any]) -> Any:
        """Replace the value by `function(value)` and return the new one.

        Tried again when somebody changed it meanwhile, so `function` may be called several times.
        """

        def alter(raw: bytes | None) -> Any:
            new = self._dump(function(self._value(raw)))
            return [("SET", self._key, new, "KEEPTTL")], self._load(new)

        return self._change(alter)

    def compare_and_set(self, old: Any, new: Any) -> bool:
        """Store `new` if the value is `old` (of the same type, too); return whether it was."""

        def alter(raw: bytes | None) -> Any:
            if not same(self._value(raw), old, self._what):
                return [], False
            return [("SET", self._key, self._dump(new), "KEEPTTL")], True

        return bool(self._change(alter))

    def _value(self, raw: bytes | None) -> Any:
        return decode(self._default, self._what) if raw is None else self._load(raw)
