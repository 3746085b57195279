"""What names stand for, looked up as it is stored: no property is evaluated, no `__getattr__` called, no device asked."""

from __future__ import annotations

import builtins
import functools
import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from bliss_like.devices.counter import Counter, CounterController
from bliss_like.session.measurement_group import MeasurementGroup

ABSENT: Any = object()

_FUNCTIONS = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools._lru_cache_wrapper),
    np.ufunc,
)
_METHODS = (*_FUNCTIONS, types.MethodDescriptorType, types.WrapperDescriptorType, types.ClassMethodDescriptorType)


def look_up(dotted: str, namespace: Mapping[str, Any]) -> Any:
    """Return what a dotted name stands for, of a property the class that it is declared to give; or `ABSENT`."""
    first, *rest = dotted.split(".")
    found = namespace.get(first, getattr(builtins, first, ABSENT))
    for name in rest:
        if found is ABSENT:
            break
        found = static_attribute(found, name)
    return found


def static_attribute(owner: Any, name: str) -> Any:
    """Return an attribute as it is stored, never computed; of a property, the class that it is declared to give."""
    stored = inspect.getattr_static(owner, name, ABSENT)
    if isinstance(stored, types.MemberDescriptorType):  # a slot: reading it computes nothing
        return stored.__get__(owner, type(owner)) if not isinstance(owner, type) and _is_set(stored, owner) else ABSENT
    if isinstance(stored, staticmethod | classmethod):
        return stored.__func__
    if isinstance(stored, property):
        return declared_class(stored.fget)
    if isinstance(stored, functools.cached_property):
        return declared_class(stored.func)
    return ABSENT if hasattr(type(stored), "__get__") and not inspect.isroutine(stored) else stored


def declared_class(function: Any) -> Any:
    """Return the class that a function is declared to return, or `ABSENT`."""
    try:
        declared = typing.get_type_hints(function).get("return", ABSENT)
    except Exception:  # annotations can hold anything
        return ABSENT
    if typing.get_origin(declared) in (typing.Union, types.UnionType):  # Scan | None
        classes = [each for each in typing.get_args(declared) if each is not types.NoneType]
        declared = classes[0] if len(classes) == 1 else ABSENT
    return declared if isinstance(declared, type) else ABSENT


def _is_set(slot: types.MemberDescriptorType, owner: Any) -> bool:
    try:
        slot.__get__(owner, type(owner))
    except AttributeError:
        return False
    return True


# -- what can be called --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Called:
    """What a dotted name calls.

    :param function: a function or a class; of an object that can be called, what its class has for that.
    :param has_self: its first argument is given by what stands before the last dot, or by the object itself.
    :param is_object: whether it is an object that can be called.
    """

    function: Any
    has_self: bool = False
    is_object: bool = False

    @property
    def is_function(self) -> bool:
        """Whether it is a function or a method, and no class nor an object that can be called."""
        return issubclass(type(self.function), _METHODS) and not self.is_object

    @property
    def parameters(self) -> list[inspect.Parameter]:
        """:raises ValueError: it does not tell."""
        try:
            parameters = list(inspect.signature(self.function).parameters.values())
        except TypeError as error:
            raise ValueError(str(error)) from None
        return parameters[1:] if self.has_self else parameters

    @property
    def needs_nothing(self) -> bool:
        """Whether it can be called without arguments."""
        try:
            parameters = self.parameters
        except ValueError:
            return False
        gathering = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        return all(one.default is not one.empty or one.kind in gathering for one in parameters)

    @property
    def usage(self) -> str:
        """How a verb is written; empty for other functions."""
        found = inspect.getattr_static(self.function, "usage", "")
        return found if isinstance(found, str) else ""


def called(dotted: str, namespace: Mapping[str, Any], with_builtins: bool = True) -> Called | None:
    """Return what a dotted name calls; None when it can be called by nobody, or only the future knows."""
    owner_name, _, name = dotted.rpartition(".")
    if not owner_name:
        found = namespace.get(name, getattr(builtins, name, ABSENT) if with_builtins else ABSENT)
        return _called(found) if found is not ABSENT and callable(found) else None
    owner = look_up(owner_name, namespace)
    if owner is ABSENT:
        return None
    stored = inspect.getattr_static(owner, name, ABSENT)
    is_own = stored is inspect.getattr_static(type(owner), name, ABSENT) or isinstance(owner, type)
    if isinstance(stored, staticmethod):
        return Called(stored.__func__)
    if isinstance(stored, classmethod):
        return Called(stored.__func__, has_self=True)
    if issubclass(type(stored), (*_METHODS, type)):
        return Called(stored, has_self=is_own and not isinstance(stored, type | types.BuiltinFunctionType))
    return None


def _called(thing: Any) -> Called:
    if issubclass(type(thing), (*_FUNCTIONS, type)):
        return Called(thing)
    # not of itself: to find its signature, it would be asked for attributes
    return Called(inspect.getattr_static(type(thing), "__call__"), has_self=True, is_object=True)


# -- kinds of things -----------------------------------------------------------------------------------------------------


def is_axis(thing: Any) -> bool:
    return hasattr(type(thing), "position") and hasattr(type(thing), "wait_move")


def has_counters(thing: Any) -> bool:
    """Whether scans can count it, as far as its class tells."""
    return issubclass(type(thing), (Counter, CounterController, MeasurementGroup))


def kind_of(thing: Any) -> str:
    """Return in a word or two what a thing is."""
    kind = type(thing)
    if is_axis(thing):
        return "axis"
    for cls, word in ((Counter, "counter"), (MeasurementGroup, "group"), (CounterController, "counters")):
        if issubclass(kind, cls):
            return word
    if issubclass(kind, _METHODS):
        return _kind_of_function(thing)
    if issubclass(kind, type):
        return "error" if issubclass(thing, BaseException) else "class"
    return {"NoneType": "", "str": "text"}.get(kind.__name__, kind.__name__)


def _kind_of_function(function: Any) -> str:
    if str(getattr(function, "__module__", "")).startswith("bliss_like.scans."):
        return "scan"
    return "verb" if Called(function).usage else "function"


def kind_of_attribute(owner: Any, name: str) -> str:
    """Return in a word or two what an attribute is."""
    stored = inspect.getattr_static(owner, name, ABSENT)
    if isinstance(stored, property | functools.cached_property):
        declared = static_attribute(owner, name)
        return "" if declared is ABSENT else declared.__name__
    if isinstance(stored, staticmethod | classmethod) or issubclass(type(stored), _METHODS):
        return "method"
    return "" if stored is ABSENT or hasattr(type(stored), "__get__") else kind_of(stored)
