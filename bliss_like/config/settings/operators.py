"""Arithmetic with the value of a setting; in place, it changes the value in one step."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Protocol

Binary = Callable[[Any, Any], Any]


class _HasValue(Protocol):
    def get(self) -> Any: ...

    def update(self, function: Callable[[Any], Any]) -> Any: ...


def _value(other: Any) -> Any:
    return other.get() if isinstance(other, Arithmetic) else other


def _plain(function: Binary) -> Callable[[_HasValue, Any], Any]:
    return lambda self, other: function(self.get(), _value(other))


def _reflected(function: Binary) -> Callable[[_HasValue, Any], Any]:
    return lambda self, other: function(_value(other), self.get())


def _in_place(function: Binary) -> Callable[[Any, Any], Any]:
    def change(self: _HasValue, other: Any) -> _HasValue:
        operand = _value(other)
        self.update(lambda value: function(value, operand))
        return self

    return change


class Arithmetic:
    """Lets what has `get` and `update` be calculated with as if it were its value."""

    __add__, __radd__, __iadd__ = _plain(operator.add), _reflected(operator.add), _in_place(operator.add)
    __sub__, __rsub__, __isub__ = _plain(operator.sub), _reflected(operator.sub), _in_place(operator.sub)
    __mul__, __rmul__, __imul__ = _plain(operator.mul), _reflected(operator.mul), _in_place(operator.mul)
    __truediv__, __rtruediv__ = _plain(operator.truediv), _reflected(operator.truediv)
    __itruediv__ = _in_place(operator.truediv)
    __floordiv__, __rfloordiv__ = _plain(operator.floordiv), _reflected(operator.floordiv)
    __ifloordiv__ = _in_place(operator.floordiv)
    __mod__, __rmod__, __imod__ = _plain(operator.mod), _reflected(operator.mod), _in_place(operator.mod)
    __pow__, __rpow__, __ipow__ = _plain(operator.pow), _reflected(operator.pow), _in_place(operator.pow)
    __and__, __rand__, __iand__ = _plain(operator.and_), _reflected(operator.and_), _in_place(operator.and_)
    __or__, __ror__, __ior__ = _plain(operator.or_), _reflected(operator.or_), _in_place(operator.or_)
    __xor__, __rxor__, __ixor__ = _plain(operator.xor), _reflected(operator.xor), _in_place(operator.xor)

    def get(self) -> Any:
        raise NotImplementedError

    def __getitem__(self, index: Any) -> Any:
        return self.get()[index]

    def __bool__(self) -> bool:
        return bool(self.get())

    def __int__(self) -> int:
        return int(self.get())

    def __float__(self) -> float:
        return float(self.get())

    def __neg__(self) -> Any:
        return -self.get()

    def __abs__(self) -> Any:
        return abs(self.get())
