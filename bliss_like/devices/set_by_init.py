"""Attributes that a base class sets in its `__init__`: whoever forgets to call that hears of it, by a sentence."""

from __future__ import annotations

from typing import Any, NoReturn

from bliss_like.errors import DeviceError


class _SetByInit:
    """Stands in the class for an attribute that each instance has; found only where its `__init__` was not called."""

    def __init__(self, call: str) -> None:
        self._call = call

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        if instance is None:
            raise AttributeError(f"{owner.__name__} has it in its instances")
        raise DeviceError(
            f"{owner.__name__}: its __init__ has to call {self._call}, and before it does anything else with itself"
        )


def set_by_init(call: str) -> Any:
    """Return what stands for an attribute until `__init__` has set it.

    :param call: how a class that is derived calls it: `super().__init__(name)`.
    """
    return _SetByInit(call)
